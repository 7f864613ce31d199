//! Replacing keys while programs run on the same database.
//!
//! Each step leaves everything readable, whoever stops in the middle; doing it again finishes it.
//! Nothing is held for long: values are sealed (hashed) anew one statement at a time, each only if the
//! value is still the one that was read, so that a program that writes meanwhile always wins.
//!
//! A key goes only when nothing can need it: JWT keys by their age, peppers by their foreign key, data
//! keys when they were superseded an hour ago and a look at every sealed value finds none of theirs.
//! A process that has not noticed the new key yet may still seal under the old one; what it leaves
//! behind is found by that look and sealed anew.

use recado_model::{AccountId, CredentialKind, Timestamp};

use super::reseal::{Moved, PAGE, usage};
use crate::{
    db::Store,
    error::{Result, StoreError},
    keys::{bump_keys, version},
    pepper::signing,
    seal::{MasterKey, SYSTEM},
    sql::{Row, built, placeholders, sql},
};

/// How far ahead a new JWT key or pepper begins to sign. Programs look for changes twice a second, so
/// each knows it by then.
pub const ACTIVATION_MS: i64 = 3_000;
/// How long a JWT key must have been superseded before it can go: the longest life of a token
/// (`jwt.ttl_secs` is at most a day), and an hour for clocks that disagree.
pub const JWT_KEEP_MS: i64 = (86_400 + 3_600) * 1_000;
/// The same for data keys. No process seals under one that old: it reads its keys again every ten
/// minutes, whatever happens.
pub const SUPERSEDED_MS: i64 = 3_600_000;

/// A transaction that ran into another one, or whose row went away, is tried again this often.
const TRIES: usize = 5;
impl Store {
    /// Makes `new` the master key: wraps every data key and the key-check record anew, all or none.
    /// The number of keys wrapped. The caller keeps `new` where it will be found *before* this: after
    /// the commit nothing else opens the database. Other processes take it up by their
    /// [`crate::KeySource`].
    pub async fn rotate_master(&self, new: &MasterKey, now: Timestamp) -> Result<u64> {
        patiently(async || {
            let mut conn = self.write().await?;
            let old = conn.master_for_wrapping().await?;
            let rng = self.rng();
            let mut wrapped = 0;
            let rows = sql("SELECT version, wrapped FROM system_key")
                .fetch_all(&mut conn)
                .await?;
            for row in rows {
                let n = version(&row)?;
                let anew = old.rewrap(new, SYSTEM, n, &row.blob("wrapped")?, rng)?;
                wrapped += sql("UPDATE system_key SET wrapped = $2 WHERE version = $1")
                    .bind(i64::from(n))
                    .bind(&anew)
                    .execute(&mut conn)
                    .await?;
            }
            // Reads all: a rotation of the master key goes through every key.
            let rows = sql("SELECT account_id, version, wrapped, created_at FROM account_key")
                .fetch_all(&mut conn)
                .await?;
            for page in rows.chunks(PAGE) {
                let mut anew = Vec::with_capacity(page.len());
                for row in page {
                    let (owner, n) = (row.text("account_id")?, version(row)?);
                    let key = old.rewrap(new, &owner, n, &row.blob("wrapped")?, rng)?;
                    anew.push((owner, n, key, row.time("created_at")?));
                }
                // One statement for many; the rows exist, so nothing is inserted. (An account that is
                // deleted meanwhile fails it as a whole, and it is tried again.)
                let values: Vec<String> = (0..anew.len())
                    .map(|at| format!("({})", placeholders(1 + at * 4, 4)))
                    .collect();
                let mut query = built(format!(
                    "INSERT INTO account_key (account_id, version, wrapped, created_at) VALUES {} \
                     ON CONFLICT (account_id, version) DO UPDATE SET wrapped = excluded.wrapped",
                    values.join(",")
                ));
                for (owner, n, key, at) in &anew {
                    query = query.bind(owner).bind(i64::from(*n)).bind(key).bind(*at);
                }
                wrapped += query.execute(&mut conn).await?;
            }
            let check = new.check_record(rng)?;
            sql("UPDATE meta SET value = $1, n = $2 WHERE name = 'key_check'")
                .bind(&check)
                .bind(now)
                .execute(&mut conn)
                .await?;
            bump_keys(&mut conn).await?;
            conn.commit().await?;
            self.replace_master(new, check);
            Ok(wrapped)
        })
        .await
    }

    /// A new data key for the system and for each account that exists. From now on it seals; what is
    /// sealed already moves by [`Store::reseal`]. The number of keys made.
    pub async fn add_data_keys(&self, now: Timestamp) -> Result<u64> {
        patiently(async || {
            let mut conn = self.write().await?;
            let master = conn.master_for_wrapping().await?;
            let row = sql("SELECT MAX(version) AS version FROM system_key")
                .fetch_one(&mut conn)
                .await?;
            let next = next_version(&row)?;
            sql("INSERT INTO system_key (version, wrapped, created_at) VALUES ($1, $2, $3)")
                .bind(i64::from(next))
                .bind(&master.new_data_key(SYSTEM, next, self.rng())?)
                .bind(now)
                .execute(&mut conn)
                .await?;
            bump_keys(&mut conn).await?;
            conn.commit().await
        })
        .await?;
        let mut made = 1;
        let mut after = String::new();
        loop {
            let (added, last) = patiently(async || self.add_page(&after, now).await).await?;
            made += added;
            match last {
                Some(id) => after = id,
                None => return Ok(made),
            }
        }
    }

    /// For the accounts after that id; how many, and the last of them, `None` when there was none.
    async fn add_page(&self, after: &str, now: Timestamp) -> Result<(u64, Option<String>)> {
        let mut conn = self.write().await?;
        let master = conn.master_for_wrapping().await?;
        let rows = sql("SELECT a.id, MAX(k.version) AS version FROM account a \
             JOIN account_key k ON k.account_id = a.id WHERE a.id > $1 \
             GROUP BY a.id ORDER BY a.id LIMIT $2")
        .bind(after)
        .bind(PAGE as i64)
        .fetch_all(&mut conn)
        .await?;
        let mut last = None;
        for row in &rows {
            let (id, next) = (row.text("id")?, next_version(row)?);
            sql("INSERT INTO account_key (account_id, version, wrapped, created_at) VALUES ($1, $2, $3, $4)")
                .bind(&id)
                .bind(i64::from(next))
                .bind(&master.new_data_key(&id, next, self.rng())?)
                .bind(now)
                .execute(&mut conn)
                .await?;
            last = Some(id);
        }
        if last.is_some() {
            bump_keys(&mut conn).await?;
        }
        conn.commit().await?;
        Ok((rows.len() as u64, last))
    }

    /// Deletes data keys that nothing needs: superseded for [`SUPERSEDED_MS`], and none of all sealed
    /// values is under them. The number deleted. What is still under one stays with it until
    /// [`Store::reseal`].
    pub async fn prune_data_keys(&self, now: Timestamp) -> Result<u64> {
        let mut conn = self.read().await?;
        // Newest first: each key's successor comes right before it.
        // Reads all: a rotation of keys goes through every key.
        let rows = sql("SELECT '' AS owner, version, created_at FROM system_key \
             UNION ALL SELECT account_id AS owner, version, created_at FROM account_key \
             ORDER BY owner, version DESC")
        .fetch_all(&mut conn)
        .await?;
        let mut old = Vec::new();
        let mut successor: Option<(String, Timestamp)> = None;
        for row in &rows {
            let (owner, at) = (row.text("owner")?, row.time("created_at")?);
            let since = successor.filter(|(of, _)| *of == owner).map(|(_, at)| at);
            if since.is_some_and(|since| now.since(since) >= SUPERSEDED_MS) {
                old.push((owner.clone(), version(row)?));
            }
            successor = Some((owner, at));
        }
        if old.is_empty() {
            return Ok(0);
        }
        let used = usage(&mut conn).await?;
        drop(conn);
        let idle = |key: &&(String, u16)| !used.contains_key(*key);
        let idle: Vec<_> = old.iter().filter(idle).collect();
        let mut deleted = 0;
        for page in idle.chunks(PAGE) {
            let mut conn = self.write().await?;
            for (owner, version) in page {
                let query = match owner.as_str() {
                    "" => sql("DELETE FROM system_key WHERE version = $1"),
                    _ => sql("DELETE FROM account_key WHERE version = $1 AND account_id = $2"),
                };
                let mut query = query.bind(i64::from(*version));
                if !owner.is_empty() {
                    query = query.bind(owner);
                }
                deleted += query.execute(&mut conn).await?;
            }
            bump_keys(&mut conn).await?;
            conn.commit().await?;
        }
        Ok(deleted)
    }

    /// Moves the look-up hash of every credential whose token is kept sealed to the pepper that signs
    /// now. The others (client secrets) move at their next use, by [`crate::AccountStore::rehash`].
    /// Call it once every process knows that pepper: [`ACTIVATION_MS`] after it was made.
    pub async fn rehash_sealed(&self, now: Timestamp) -> Result<Moved> {
        self.reload_keys().await?;
        let peppers = self.peppers();
        let new = signing(&peppers, now).ok_or(StoreError::Misuse("the store has no pepper"))?;
        let mut done = Moved::default();
        let mut after = String::new();
        loop {
            let mut conn = self.read().await?;
            let rows = sql(
                "SELECT id, account_id, kind, sealed, lookup, pepper_id FROM credential \
                 WHERE pepper_id <> $1 AND sealed IS NOT NULL AND id > $2 ORDER BY id LIMIT $3",
            )
            .bind(&new.id)
            .bind(&after)
            .bind(PAGE as i64)
            .fetch_all(&mut conn)
            .await?;
            let mut changes = Vec::with_capacity(rows.len());
            for row in &rows {
                let (id, account) = (row.text("id")?, row.text("account_id")?);
                let kind = row.parsed("kind", CredentialKind::parse)?;
                let account = AccountId::from_text(account);
                let token = conn
                    .unseal_for(&account, "credential", "sealed", &id, &row.blob("sealed")?)
                    .await;
                match token {
                    Ok(token) => changes.push((row, new.hash_text(kind, token.expose())?)),
                    Err(StoreError::NoParent) => {}
                    Err(StoreError::Sealed(_)) => done.unopened += 1,
                    Err(error) => return Err(error),
                }
                after = id;
            }
            drop(conn);
            if !changes.is_empty() {
                let mut conn = self.write_one_relaxed().await?;
                for (row, hash) in changes {
                    let moved = sql("UPDATE credential SET lookup = $1, pepper_id = $2 \
                         WHERE id = $3 AND account_id = $4 AND lookup = $5 AND pepper_id = $6")
                    .bind(hash.as_slice())
                    .bind(&new.id)
                    .bind(&row.text("id")?)
                    .bind(&row.text("account_id")?)
                    .bind(&row.blob("lookup")?)
                    .bind(&row.text("pepper_id")?)
                    .execute(&mut conn)
                    .await?;
                    done.moved += moved;
                }
            }
            if rows.len() < PAGE {
                break;
            }
        }
        if done.moved > 0 {
            let mut conn = self.write().await?;
            conn.raise_epoch();
            conn.commit().await?;
        }
        Ok(done)
    }
}

/// The version after the newest one of the row.
fn next_version(row: &Row) -> Result<u16> {
    version(row)?
        .checked_add(1)
        .ok_or(StoreError::Misuse("a 65536th data key"))
}

/// Runs a transaction again that ran into another one.
async fn patiently<T>(mut work: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    for _ in 1..TRIES {
        match work().await {
            Err(StoreError::Serialization | StoreError::NoParent | StoreError::Unique { .. }) => {}
            outcome => return outcome,
        }
    }
    work().await
}
