//! The keys that this process holds, and how they stay those of the database.
//!
//! Another process may replace any of them at any time (`recado key rotate`). Two things keep up:
//! [`Store::reload_keys`], which programs call whenever the epoch moved, and the look-ups themselves:
//! a value that was sealed under a version not yet known here, or a data key that does not unwrap,
//! makes the keys be read again. So reading never depends on how fast the news travels; only sealing
//! under an old key does, and `system::rotation` waits for that.

use std::{
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use recado_model::{AccountId, PepperId, Timestamp};

use crate::{
    db::{Conn, Store},
    error::{Result, StoreError},
    kept::{AccountKeys, KeySource, Keys},
    lookup,
    pepper::{self, Pepper},
    seal::{Context, KeyRing, MasterKey, SYSTEM},
    sql::{Row, sql},
};

/// An account's keys are read again after this long, whatever happened: a process that was stopped
/// for hours must not go on sealing under a key that has been deleted meanwhile. Far below
/// [`crate::system::rotation::SUPERSEDED_MS`].
const RING_LIFE: Duration = Duration::from_secs(600);

/// A rotation by another process may come between two statements; a second one right after hardly.
const TRIES: usize = 3;

/// Which master key is in force, for as long as this lives: a rotation that is about to commit was
/// waited for, and the next one waits. Dropping it changes nothing in the database.
pub struct MasterInForce {
    /// Holds the row.
    _conn: Conn,
    check: Vec<u8>,
}

impl MasterInForce {
    pub fn is(&self, key: &MasterKey) -> Result<bool> {
        key.matches(&self.check)
    }
}

impl Store {
    pub(crate) fn keys(&self) -> Arc<Keys> {
        let keys = &self.inner.keys;
        keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_keys(&self, new: Keys) {
        let keys = &self.inner.keys;
        let mut held = keys.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that read at once, the one that began earlier may come last.
        if new.seen >= held.seen {
            *held = Arc::new(new);
        }
    }

    /// Newest first; all of them look up.
    pub(crate) fn peppers(&self) -> Arc<[Pepper]> {
        self.keys().peppers.clone()
    }

    /// Where a replaced master key is read anew. Without it a process whose master key was replaced
    /// goes on with the data keys that it has, and everything else is
    /// [`StoreError::MasterKeyReplaced`]. The first one given stays.
    pub fn set_key_source(&self, source: KeySource) {
        self.inner.key_source.get_or_init(|| source);
    }

    /// Whether the hash of a token is not under the pepper that signs at `now`; see
    /// [`crate::AccountStore::rehash`].
    pub fn needs_rehash(&self, pepper: &PepperId, now: Timestamp) -> bool {
        let peppers = self.peppers();
        pepper::signing(&peppers, now).is_some_and(|newest| newest.id != *pepper)
    }

    /// Brings what is in memory up to date: peppers, data keys, the master key. Whether anything had
    /// changed. One statement when nothing has; call it whenever the epoch moved.
    ///
    /// [`StoreError::MasterKeyReplaced`] when the new master key cannot be had: call again later. Until
    /// a call succeeds, [`Store::keys_are_current`] is `false`.
    pub async fn reload_keys(&self) -> Result<bool> {
        let outcome = self.read_changed_keys().await;
        let behind = outcome.is_err();
        self.keys().behind.store(behind, Ordering::Relaxed);
        outcome
    }

    /// `false` from a [`Store::reload_keys`] that failed to one that did not. A row that is not found
    /// meanwhile may be there under a key that is not known here: say so rather than deny it.
    pub fn keys_are_current(&self) -> bool {
        !self.keys().behind.load(Ordering::Relaxed)
    }

    /// Waits for a rotation that is under way, and keeps others waiting until the answer is dropped.
    /// An error (such as [`StoreError::Busy`] when the wait was too long) says nothing about which key
    /// is in force: throw none away then.
    pub async fn hold_master(&self) -> Result<MasterInForce> {
        let mut conn = self.write().await?;
        let check = hold_key_check(&mut conn).await?;
        Ok(MasterInForce { _conn: conn, check })
    }

    async fn read_changed_keys(&self) -> Result<bool> {
        let mut conn = self.read().await?;
        let held = self.keys();
        let (seen, check) = marks(&mut conn).await?;
        if seen == held.seen && check == held.check {
            return Ok(false);
        }
        conn.load_keys().await?;
        Ok(true)
    }

    /// Takes `new`, by which `check` was made, into use.
    pub(crate) fn replace_master(&self, new: &MasterKey, check: Vec<u8>) {
        let held = self.keys();
        self.set_keys(Keys {
            seen: held.seen,
            master: new.clone(),
            check,
            peppers: held.peppers.clone(),
            behind: AtomicBool::new(held.behind.load(Ordering::Relaxed)),
        });
    }

    /// The master key that made `record`, taken into use if it was not. The answer is what goes with
    /// the record; what is held may be another one a moment later.
    fn adopt_master(&self, record: &[u8]) -> Result<MasterKey> {
        let held = self.keys();
        if held.check == record {
            return Ok(held.master.clone());
        }
        let candidates = self.inner.key_source.get().map(|source| source());
        for master in candidates.unwrap_or_default() {
            if master.matches(record)? {
                self.replace_master(&master, record.to_vec());
                return Ok(master);
            }
        }
        Err(StoreError::MasterKeyReplaced)
    }
}

/// The counter of key changes, and the record of the master key.
async fn marks(conn: &mut Conn) -> Result<(i64, Vec<u8>)> {
    let rows = sql("SELECT name, n, value FROM meta WHERE name IN ('keys', 'key_check')")
        .fetch_all(conn)
        .await?;
    let (mut seen, mut check) = (0, Vec::new());
    for row in rows {
        match row.text("name")?.as_str() {
            "keys" => seen = row.i64("n")?,
            _ => check = row.opt_blob("value")?.unwrap_or_default(),
        }
    }
    Ok((seen, check))
}

/// The record of the master key, whose row is held until the transaction ends. A plain look would not
/// see a commit that the database is still busy with, though its program is gone.
async fn hold_key_check(conn: &mut Conn) -> Result<Vec<u8>> {
    let row = sql("UPDATE meta SET n = n WHERE name = 'key_check' RETURNING value")
        .fetch_one(conn)
        .await?;
    row.blob("value")
}

/// Tells every process that keys have changed. In the transaction that changed them.
pub(crate) async fn bump_keys(conn: &mut Conn) -> Result<()> {
    sql("UPDATE meta SET n = n + 1 WHERE name IN ('epoch', 'keys')")
        .execute(conn)
        .await?;
    Ok(())
}

impl Conn {
    /// Reads what all accounts share, whatever is in memory.
    pub(crate) async fn load_keys(&mut self) -> Result<()> {
        let mut outcome = Ok(());
        for _ in 0..TRIES {
            // First of all: what is read after it may be newer, which costs one reload too many.
            let (seen, check) = marks(self).await?;
            let master = self.store.adopt_master(&check)?;
            outcome = match lookup::load(self).await {
                Ok(peppers) => {
                    self.store.set_keys(Keys {
                        seen,
                        master,
                        check,
                        peppers,
                        behind: AtomicBool::new(false),
                    });
                    return Ok(());
                }
                // Perhaps sealed anew since the keys were read.
                Err(error @ StoreError::Sealed(_)) => Err(error),
                Err(error) => return Err(error),
            };
        }
        outcome
    }

    /// The master key, for wrapping. It stays the one in force until the transaction ends: the row
    /// that it is known by is held, so a rotation waits, and one that was faster is seen.
    pub(crate) async fn master_for_wrapping(&mut self) -> Result<MasterKey> {
        let check = hold_key_check(self).await?;
        self.store.adopt_master(&check)
    }

    /// The account's data keys, from memory or from its rows (also those of this transaction).
    pub(crate) async fn account_ring(&mut self, account: &AccountId) -> Result<Arc<KeyRing>> {
        // Before the rows are read: a change in between makes the entry stale, not wrong.
        let seen = self.store.keys().seen;
        if let Some(kept) = self.store.inner.account_keys.get(account)
            && kept.seen == seen
            && kept.read.elapsed() < RING_LIFE
        {
            return Ok(kept.ring);
        }
        let read = monotonic();
        let ring = Arc::new(self.read_ring(Some(account)).await?);
        let kept = AccountKeys {
            ring: ring.clone(),
            seen,
            read,
        };
        self.store.inner.account_keys.insert(account.clone(), kept);
        Ok(ring)
    }

    /// The same, with the keys of all these values among them.
    pub(crate) async fn ring_opening(
        &mut self,
        account: &AccountId,
        values: impl IntoIterator<Item = impl AsRef<[u8]>>,
    ) -> Result<Arc<KeyRing>> {
        let ring = self.account_ring(account).await?;
        let mut values = values.into_iter();
        if values.all(|value| ring.has_key_of(value.as_ref())) {
            return Ok(ring);
        }
        // Another process has a newer key than was known here a moment ago.
        self.store.inner.account_keys.remove(account);
        self.account_ring(account).await
    }

    /// The keys that seal what belongs to no account. Always read anew: it is seldom needed.
    pub(crate) async fn system_ring(&mut self) -> Result<KeyRing> {
        self.read_ring(None).await
    }

    /// Reads and unwraps the data keys of an account, or (with `None`) of the system.
    pub(crate) async fn read_ring(&mut self, account: Option<&AccountId>) -> Result<KeyRing> {
        let mut outcome = Err(StoreError::Sealed("account_key".into()));
        for _ in 0..TRIES {
            let held = self.store.keys();
            let rows = match account {
                Some(account) => sql(
                    "SELECT version, wrapped FROM account_key WHERE account_id = $1 ORDER BY version DESC",
                )
                .bind(account),
                None => sql("SELECT version, wrapped FROM system_key ORDER BY version DESC"),
            };
            let rows = rows.fetch_all(self).await?;
            if rows.is_empty() {
                return Err(StoreError::NoParent);
            }
            let owner = account.map_or(SYSTEM, AccountId::as_str);
            outcome = unwrap(&held.master, owner, &rows);
            if outcome.is_ok() {
                return outcome;
            }
            let (_, check) = marks(self).await?;
            if check == held.check {
                // It is the right master key: the row is damaged.
                return outcome;
            }
            self.store.adopt_master(&check)?;
        }
        outcome
    }

    /// Seals `plain` under the account's key for the row and column that it is going to.
    pub(crate) async fn seal_for(
        &mut self,
        account: &AccountId,
        table: &'static str,
        column: &'static str,
        row: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let ring = self.account_ring(account).await?;
        let context = Context::new(table, column, account.as_str(), row);
        ring.seal(&context, plain, self.store.rng())
    }

    /// The text that was sealed for that row and column.
    pub(crate) async fn unseal_for(
        &mut self,
        account: &AccountId,
        table: &'static str,
        column: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Result<recado_model::Secret> {
        let ring = self.ring_opening(account, [sealed]).await?;
        let context = Context::new(table, column, account.as_str(), row);
        String::from_utf8(ring.open(&context, sealed)?)
            .map(recado_model::Secret::new)
            .map_err(|_| StoreError::Sealed(format!("{table}.{column}")))
    }
}

fn unwrap(master: &MasterKey, owner: &str, rows: &[Row]) -> Result<KeyRing> {
    let mut keys = Vec::with_capacity(rows.len());
    for row in rows {
        let version = version(row)?;
        keys.push(master.unwrap_data_key(owner, version, &row.blob("wrapped")?)?);
    }
    Ok(KeyRing::new(keys))
}

pub(crate) fn version(row: &Row) -> Result<u16> {
    u16::try_from(row.i64("version")?).map_err(|_| StoreError::Column("version"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long this process did not run is not the product's time"
)]
fn monotonic() -> Instant {
    Instant::now()
}
