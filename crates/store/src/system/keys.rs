//! Keys that belong to no account: what signs JWTs, peppers; and what `recado key list` and `recado
//! doctor` say of all keys.
//!
//! A JWT key and a pepper begin to sign a little after they were made ([`super::rotation::ACTIVATION_MS`]):
//! by then every process has read them, so what the first of them signs, all the others know.

use recado_model::{AccountId, PepperId, Timestamp, id::random_base32};
use zeroize::Zeroizing;

use super::{System, reseal};
use crate::{
    db::Conn,
    error::{Result, StoreError},
    keys::{bump_keys, version},
    lookup,
    seal::Context,
    sql::{Row, sql},
};

const JWT_KEY_LEN: usize = 32;

/// A key that signs JWTs.
#[derive(Clone)]
pub struct JwtKey {
    pub kid: String,
    pub secret: Zeroizing<Vec<u8>>,
    /// When it begins to sign. It verifies before that too.
    pub created_at: Timestamp,
}

impl std::fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "JwtKey({})", self.kid)
    }
}

/// The kinds of key that are replaced by `recado key rotate`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    Master,
    Data,
    Pepper,
    Jwt,
}

impl std::fmt::Display for KeyKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Master => "master",
            Self::Data => "data",
            Self::Pepper => "pepper",
            Self::Jwt => "jwt",
        })
    }
}

/// A key for a list: never the key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    pub kind: KeyKind,
    /// Whose data key; `None` for what belongs to no account.
    pub owner: Option<AccountId>,
    /// `kid`, pepper id, or the version of a data key; empty for the master key.
    pub id: String,
    /// Since when it is in use; in the future for one that does not sign yet. `None` for a key as old
    /// as a database that no gateway has served yet.
    pub since: Option<Timestamp>,
    /// Whether it signs (seals, hashes) now. The others only open what is old.
    pub current: bool,
    /// Values sealed, credentials hashed, keys wrapped; `None` for JWT keys: no token is kept.
    pub rows: Option<i64>,
}

/// Credentials in the words of `recado doctor`: counts alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weaknesses {
    /// Credentials that hold and were not used for so long (or ever, when they are that old).
    pub unused: i64,
    /// Client pairs that hold and whose secret is that old.
    pub old_pairs: i64,
    /// Accounts (no guests) in which no client pair holds.
    pub without_pair: i64,
}

impl System<'_> {
    /// Newest first: the first whose time has come signs, all verify.
    /// [`StoreError::WeakJwtKey`] for one that could be guessed.
    pub async fn jwt_keys(&mut self) -> Result<Vec<JwtKey>> {
        let rows =
            sql("SELECT kid, sealed, created_at FROM jwt_key ORDER BY created_at DESC, kid DESC")
                .fetch_all(self.conn)
                .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let system = self.conn.system_ring().await?;
        rows.iter()
            .map(|row| {
                let kid = row.text("kid")?;
                let context = Context::new("jwt_key", "sealed", "", &kid);
                let secret = Zeroizing::new(system.open(&context, &row.blob("sealed")?)?);
                if is_weak(&secret) {
                    return Err(StoreError::WeakJwtKey { kid });
                }
                Ok(JwtKey {
                    secret,
                    created_at: row.time("created_at")?,
                    kid,
                })
            })
            .collect()
    }

    /// A new signing key of 32 random bytes, which signs from `from` on.
    pub async fn insert_jwt_key(&mut self, kid: &str, from: Timestamp) -> Result<JwtKey> {
        if kid.is_empty() || kid.contains('|') {
            return Err(StoreError::Misuse("a kid that is empty or contains '|'"));
        }
        let system = self.conn.system_ring().await?;
        let mut secret = Zeroizing::new(vec![0; JWT_KEY_LEN]);
        self.conn.store.rng().fill(&mut secret);
        let context = Context::new("jwt_key", "sealed", "", kid);
        let sealed = system.seal(&context, &secret, self.conn.store.rng())?;
        sql("INSERT INTO jwt_key (kid, sealed, created_at) VALUES ($1, $2, $3)")
            .bind(kid)
            .bind(&sealed)
            .bind(from)
            .execute(self.conn)
            .await?;
        bump_keys(self.conn).await?;
        Ok(JwtKey {
            kid: kid.to_owned(),
            secret,
            created_at: from,
        })
    }

    /// Makes the first signing key when there is none; `true` when it did. Programs that start at
    /// once make one between them.
    pub async fn ensure_jwt_key(&mut self, now: Timestamp) -> Result<bool> {
        // The second to come waits here for the first, and then finds the key.
        sql("INSERT INTO meta (name, n) VALUES ('born', $1) ON CONFLICT (name) DO UPDATE SET n = meta.n")
            .bind(now)
            .execute(self.conn)
            .await?;
        let any = sql("SELECT kid FROM jwt_key LIMIT 1")
            .fetch_optional(self.conn)
            .await?;
        if any.is_some() {
            return Ok(false);
        }
        let kid = random_base32(self.conn.store.rng());
        self.insert_jwt_key(&kid, now).await?;
        Ok(true)
    }

    /// Deletes signing keys that no token can need any more: a newer one has signed for `keep_ms`,
    /// which must be longer than any token lives ([`super::rotation::JWT_KEEP_MS`]). The number deleted.
    pub async fn prune_jwt_keys(&mut self, now: Timestamp, keep_ms: i64) -> Result<u64> {
        // Reads all: keys are a handful.
        let deleted = sql("DELETE FROM jwt_key WHERE EXISTS (SELECT 1 FROM jwt_key n \
             WHERE n.created_at <= $1 AND (n.created_at > jwt_key.created_at \
             OR (n.created_at = jwt_key.created_at AND n.kid > jwt_key.kid)))")
        .bind(now.plus_millis(-keep_ms))
        .execute(self.conn)
        .await?;
        if deleted > 0 {
            bump_keys(self.conn).await?;
        }
        Ok(deleted)
    }

    /// A new pepper, which signs from `from` on. After the commit [`crate::Store::reload_keys`] brings
    /// it into use, in each process.
    pub async fn add_pepper(&mut self, from: Timestamp) -> Result<PepperId> {
        let store = self.conn.store.clone();
        let id = PepperId::random(store.rng());
        let system = self.conn.system_ring().await?;
        lookup::insert(self.conn, &id, &system, store.rng(), from).await?;
        bump_keys(self.conn).await?;
        Ok(id)
    }

    /// Deletes peppers that no credential names and that sign no more. The number deleted.
    /// [`StoreError::NoParent`] when one was named in this very moment; it stays.
    pub async fn retire_peppers(&mut self, now: Timestamp) -> Result<u64> {
        // Reads all: peppers are a handful.
        let deleted = sql("DELETE FROM pepper WHERE EXISTS (SELECT 1 FROM pepper n \
             WHERE n.created_at <= $1 AND (n.created_at > pepper.created_at \
             OR (n.created_at = pepper.created_at AND n.id > pepper.id))) \
             AND NOT EXISTS (SELECT 1 FROM credential c WHERE c.pepper_id = pepper.id)")
        .bind(now)
        .execute(self.conn)
        .await?;
        if deleted > 0 {
            bump_keys(self.conn).await?;
        }
        Ok(deleted)
    }

    /// Every key there is, with what depends on it: the master key, data keys (the system's first,
    /// then by account), peppers and JWT keys; of one owner the newest first. Reads all that is sealed.
    pub async fn keys(&mut self, now: Timestamp) -> Result<Vec<KeyRow>> {
        let used = reseal::usage(self.conn).await?;
        // Reads all: the operator asks for every key.
        let data = sql("SELECT '' AS owner, version, created_at FROM system_key \
             UNION ALL SELECT account_id AS owner, version, created_at FROM account_key \
             ORDER BY owner, version DESC")
        .fetch_all(self.conn)
        .await?;
        let master = sql("SELECT name, n FROM meta WHERE name IN ('key_check', 'born')")
            .fetch_all(self.conn)
            .await?;
        let of = |name: &str| -> Result<Option<Timestamp>> {
            for row in &master {
                if row.text("name")? == name {
                    return row.time("n").map(Some);
                }
            }
            Ok(None)
        };
        let born = of("born")?;
        // The first keys do not know their time.
        let since = |at: Timestamp| if at.0 == 0 { born } else { Some(at) };
        let mut keys = vec![KeyRow {
            kind: KeyKind::Master,
            owner: None,
            id: String::new(),
            since: of("key_check")?.and_then(since),
            current: true,
            rows: i64::try_from(data.len()).ok(),
        }];
        let mut last: Option<String> = None;
        for row in &data {
            let (owner, version) = (row.text("owner")?, version(row)?);
            let key = (owner.clone(), version);
            keys.push(KeyRow {
                kind: KeyKind::Data,
                owner: Some(&owner)
                    .filter(|id| !id.is_empty())
                    .map(AccountId::from_text),
                id: version.to_string(),
                since: since(row.time("created_at")?),
                current: last.as_deref() != Some(&owner),
                rows: Some(used.get(&key).copied().unwrap_or(0)),
            });
            last = Some(owner);
        }
        let peppers = sql("SELECT id, created_at, \
             (SELECT COUNT(*) FROM credential c WHERE c.pepper_id = pepper.id) AS used \
             FROM pepper ORDER BY created_at DESC, id DESC")
        .fetch_all(self.conn)
        .await?;
        let jwt =
            sql("SELECT kid AS id, created_at FROM jwt_key ORDER BY created_at DESC, kid DESC")
                .fetch_all(self.conn)
                .await?;
        for (kind, rows) in [(KeyKind::Pepper, peppers), (KeyKind::Jwt, jwt)] {
            let mut current = None;
            for row in rows {
                let at = row.time("created_at")?;
                let signs = at <= now && current.is_none();
                if signs {
                    current = Some(at);
                }
                keys.push(KeyRow {
                    kind,
                    owner: None,
                    id: row.text("id")?,
                    since: since(at),
                    current: signs,
                    rows: match kind {
                        KeyKind::Pepper => Some(row.i64("used")?),
                        _ => None,
                    },
                });
            }
        }
        Ok(keys)
    }

    /// Counts what is weak: credentials not used since `unused_since`, client pairs from before
    /// `old_since`, accounts without one. Only what holds at `now` counts.
    pub async fn weaknesses(
        &mut self,
        now: Timestamp,
        unused_since: Timestamp,
        old_since: Timestamp,
    ) -> Result<Weaknesses> {
        // The session's name proves nothing; a secret is used with its client token.
        // Reads all: `recado doctor` counts over all accounts.
        let unused = sql("SELECT COUNT(*) AS n FROM credential c \
             WHERE c.kind NOT IN ('session_name', 'client_secret') \
             AND COALESCE(c.last_used_at, c.created_at) < $2 \
             AND c.revoked_at IS NULL \
             AND (c.grace_until IS NULL OR c.grace_until > $1) \
             AND (c.not_after IS NULL OR c.not_after > $1)");
        // Reads all: `recado doctor` counts over all accounts.
        let old_pairs = sql("SELECT COUNT(*) AS n FROM credential c \
             WHERE c.kind = 'client_secret' AND c.created_at < $2 \
             AND c.revoked_at IS NULL \
             AND (c.grace_until IS NULL OR c.grace_until > $1) \
             AND (c.not_after IS NULL OR c.not_after > $1)");
        // Reads all: `recado doctor` counts over all accounts.
        let without_pair = sql(
            "SELECT COUNT(*) AS n FROM account a WHERE a.kind <> 'guest' AND NOT EXISTS ( \
             SELECT 1 FROM credential c JOIN credential p ON p.account_id = c.account_id AND p.id = c.parent_id \
             WHERE c.account_id = a.id AND c.kind = 'client_secret' AND p.kind = 'client_token' \
             AND c.revoked_at IS NULL AND p.revoked_at IS NULL \
             AND (c.grace_until IS NULL OR c.grace_until > $1) AND (p.grace_until IS NULL OR p.grace_until > $1) \
             AND (c.not_after IS NULL OR c.not_after > $1) AND (p.not_after IS NULL OR p.not_after > $1))",
        );
        Ok(Weaknesses {
            unused: count(self.conn, unused.bind(now).bind(unused_since)).await?,
            old_pairs: count(self.conn, old_pairs.bind(now).bind(old_since)).await?,
            without_pair: count(self.conn, without_pair.bind(now)).await?,
        })
    }
}

async fn count(conn: &mut Conn, query: crate::sql::Sql<'_>) -> Result<i64> {
    let row: Row = query.fetch_one(conn).await?;
    row.i64("n")
}

/// Too short, or hardly any different bytes: 32 random ones have 30, and fewer than 16 never.
fn is_weak(secret: &[u8]) -> bool {
    let distinct: std::collections::HashSet<u8> = secret.iter().copied().collect();
    secret.len() < JWT_KEY_LEN || distinct.len() < JWT_KEY_LEN / 2
}

#[cfg(test)]
mod tests {
    use recado_model::{Rng, Timestamp, clock::OsRng};

    use super::is_weak;
    use crate::{StoreError, db::tests::fresh, seal::Context, sql::sql};

    #[test]
    fn only_long_random_keys_sign() {
        let mut key = [0; 32];
        OsRng.fill(&mut key);
        assert!(!is_weak(&key));
        assert!(is_weak(&key[..31]));
        assert!(is_weak(&[7; 32]));
        assert!(is_weak(b"abcabcabcabcabcabcabcabcabcabcabcabc"));
    }

    #[tokio::test]
    async fn a_weak_jwt_key_is_refused() {
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        let mut conn = store.write().await.expect("write");
        let ring = conn.system_ring().await.expect("keys");
        let mut short = [0; 31];
        OsRng.fill(&mut short);
        let context = Context::new("jwt_key", "sealed", "", "short");
        let sealed = ring.seal(&context, &short, &OsRng).expect("seals");
        sql("INSERT INTO jwt_key (kid, sealed, created_at) VALUES ('short', $1, $2)")
            .bind(&sealed)
            .bind(Timestamp(1))
            .execute(&mut conn)
            .await
            .expect("is written");
        let error = conn.system().jwt_keys().await.expect_err("31 bytes");
        assert!(
            matches!(&error, StoreError::WeakJwtKey { kid } if kid == "short"),
            "{error}"
        );
    }
}
