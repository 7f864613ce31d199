//! Pools, connections and transactions of both databases.

use std::sync::{
    Arc, OnceLock, RwLock,
    atomic::{AtomicU64, Ordering},
};

use quick_cache::sync::Cache;
use recado_model::{AccountId, InstanceId, Rng};
use sqlx::{
    PgConnection, PgPool, Postgres, SqlSafeStr, Sqlite, SqliteConnection, SqlitePool, Transaction,
    pool::PoolConnection,
};
use tokio::sync::{Notify, futures::Notified};

use crate::{
    accounts::AccountStore,
    device::DeviceStore,
    error::{Result, StoreError},
    keys::{AccountKeys, KeySource, Keys},
    people::People,
    sql::sql,
    system::System,
    writer::Writer,
};

/// The database, open. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub pools: Pools,
    pub rng: Arc<dyn Rng>,
    pub keys: RwLock<Arc<Keys>>,
    /// Where a replaced master key is read anew.
    pub key_source: OnceLock<KeySource>,
    /// Unwrapped keys of the accounts in use.
    pub account_keys: Cache<AccountId, AccountKeys>,
    pub statements: AtomicU64,
    /// Counts commits that changed instances, by the instance's hash: a shared slot costs a look-up
    /// too many, never a stale answer.
    pub instance_changes: [AtomicU64; CHANGE_SLOTS],
    /// Rung by commits that leave something to deliver.
    pub deliveries: Notify,
}

pub(crate) enum Pools {
    Sqlite {
        read: SqlitePool,
        /// One connection: SQLite has one writer, and waiting here is fair where its lock is not.
        write: SqlitePool,
        writer: Arc<Writer>,
    },
    Postgres(PgPool),
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// A connection for looking. Statements that change something are refused on it.
    pub async fn read(&self) -> Result<Conn> {
        let held = match &self.inner.pools {
            Pools::Sqlite { read, .. } => Held::Sqlite(read.acquire().await?),
            Pools::Postgres(pool) => Held::Postgres(pool.acquire().await?),
        };
        Ok(self.conn(held, true))
    }

    /// A transaction that is on the disk when `commit` answers. Hold it briefly: on SQLite it is the
    /// only one, and a task that holds one and asks for another waits for itself.
    pub async fn write(&self) -> Result<Conn> {
        self.begin(false).await
    }

    /// A transaction that a crash of the machine (not of the program) may undo. For device rows,
    /// which WhatsApp's protocol repairs. On PostgreSQL the same as [`Store::write`].
    pub async fn write_relaxed(&self) -> Result<Conn> {
        self.begin(true).await
    }

    async fn begin(&self, relaxed: bool) -> Result<Conn> {
        let held = match &self.inner.pools {
            Pools::Sqlite { .. } => {
                let conn = self.sqlite_writer(relaxed).await?;
                // IMMEDIATE: a transaction that reads first and then writes would otherwise fail
                // when another process wrote in between.
                let begin = "BEGIN IMMEDIATE".into_sql_str();
                let begun = Transaction::begin(conn, Some(begin)).await;
                Held::SqliteTx(begun.map_err(|error| self.failed(error.into(), None))?)
            }
            Pools::Postgres(pool) => Held::PostgresTx(pool.begin().await?),
        };
        Ok(self.conn(held, false))
    }

    /// For a single statement, which is its own transaction: saves BEGIN and COMMIT.
    pub(crate) async fn write_one_relaxed(&self) -> Result<Conn> {
        let held = match &self.inner.pools {
            Pools::Sqlite { .. } => Held::Sqlite(self.sqlite_writer(true).await?),
            Pools::Postgres(pool) => Held::Postgres(pool.acquire().await?),
        };
        Ok(self.conn(held, false))
    }

    fn conn(&self, held: Held, read_only: bool) -> Conn {
        Conn {
            store: self.clone(),
            held,
            read_only,
            touched: Touched::Nothing,
            raises_epoch: 0,
            rings: false,
        }
    }

    /// Rises with each commit of this process that changed the instance (or one that shares its
    /// slot). What another process changes is not in it.
    pub fn instance_changes(&self, id: &InstanceId) -> u64 {
        self.inner.instance_changes[change_slot(id)].load(Ordering::SeqCst)
    }

    /// Waits for a commit of this process that leaves something to deliver. One that came since the
    /// last wait counts. The rows are the truth; this only saves waiting.
    pub fn deliveries_rung(&self) -> Notified<'_> {
        self.inner.deliveries.notified()
    }

    /// Whether other processes may change instances while this one serves: several nodes share a
    /// PostgreSQL, an SQLite file has one.
    pub fn is_shared(&self) -> bool {
        matches!(self.inner.pools, Pools::Postgres(_))
    }

    /// The rows of one instance's WhatsApp device.
    pub fn device(&self, account: &AccountId, instance: &InstanceId) -> DeviceStore {
        DeviceStore::new(self.clone(), account.clone(), instance.clone())
    }

    /// Whether the database answers; for `/readyz`.
    pub async fn ping(&self) -> Result<()> {
        let mut conn = self.read().await?;
        sql("SELECT n FROM meta WHERE name = 'epoch'")
            .fetch_optional(&mut conn)
            .await?;
        Ok(())
    }

    /// Waits for connections in use, then closes all of them.
    pub async fn close(&self) {
        match &self.inner.pools {
            Pools::Sqlite { read, write, .. } => {
                read.close().await;
                // Last, so that it is the one that folds the write-ahead log into the file.
                write.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    /// Statements run so far; tests count round trips with it.
    pub fn statements(&self) -> u64 {
        self.inner.statements.load(Ordering::Relaxed)
    }

    pub(crate) fn rng(&self) -> &dyn Rng {
        self.inner.rng.as_ref()
    }
}

/// A connection: for reading, or one transaction.
pub struct Conn {
    pub(crate) store: Store,
    held: Held,
    read_only: bool,
    touched: Touched,
    /// How much the epoch rises with the commit.
    pub(crate) raises_epoch: i64,
    /// Whether the commit leaves something to deliver.
    rings: bool,
}

const CHANGE_SLOTS: usize = 256;

/// The instances whose rows a transaction changed.
enum Touched {
    Nothing,
    These(Vec<usize>),
    All,
}

struct Tell {
    inner: Arc<Inner>,
    touched: Touched,
    rings: bool,
}

impl Drop for Tell {
    fn drop(&mut self) {
        if self.rings {
            self.inner.deliveries.notify_one();
        }
        let slots = &self.inner.instance_changes;
        match &self.touched {
            Touched::Nothing => {}
            Touched::These(these) => {
                for slot in these {
                    slots[*slot].fetch_add(1, Ordering::SeqCst);
                }
            }
            Touched::All => {
                for slot in slots {
                    slot.fetch_add(1, Ordering::SeqCst);
                }
            }
        }
    }
}

/// By the last characters of the id, which are random.
fn change_slot(id: &InstanceId) -> usize {
    let last = id.as_str().bytes().rev().take(8);
    last.fold(0, |slot, byte| {
        (slot * 31 + usize::from(byte)) % CHANGE_SLOTS
    })
}

enum Held {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    SqliteTx(Transaction<'static, Sqlite>),
    PostgresTx(Transaction<'static, Postgres>),
}

/// What a statement runs on.
pub(crate) enum Raw<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Conn {
    /// What belongs to one account.
    pub fn account<'a>(&'a mut self, id: &AccountId) -> AccountStore<'a> {
        AccountStore::new(self, id.clone())
    }

    /// People, whichever accounts they are members of.
    pub fn people(&mut self) -> People<'_> {
        People::new(self)
    }

    /// What sees all accounts.
    pub fn system(&mut self) -> System<'_> {
        System::new(self)
    }

    /// Ends a write for good. Dropping it without this undoes all of it. Nothing to do for a read.
    pub async fn commit(mut self) -> Result<()> {
        if self.raises_epoch > 0 {
            // The last row that is taken, whatever the others are: so nobody waits for it holding what its
            // holder waits for.
            sql("UPDATE meta SET n = n + $1 WHERE name = 'epoch'")
                .bind(self.raises_epoch)
                .execute(&mut self)
                .await?;
        }
        // Tells when it is dropped: a caller that gives up in the middle may have committed.
        let _tell = Tell {
            inner: self.store.inner.clone(),
            touched: self.touched,
            rings: self.rings,
        };
        match self.held {
            Held::Sqlite(_) | Held::Postgres(_) => {}
            Held::SqliteTx(tx) => {
                let done = tx.commit().await;
                done.map_err(|error| self.store.failed(error.into(), None))?;
            }
            Held::PostgresTx(tx) => tx.commit().await?,
        }
        Ok(())
    }

    /// An error of a statement on this connection.
    pub(crate) fn failed(&mut self, error: StoreError) -> StoreError {
        match &mut self.held {
            Held::Sqlite(conn) => self.store.failed(error, Some(conn)),
            Held::SqliteTx(_) => self.store.failed(error, None),
            Held::Postgres(_) | Held::PostgresTx(_) => error,
        }
    }

    /// Notes that the commit changes what is shown of an instance.
    pub(crate) fn touch(&mut self, id: &InstanceId) {
        match &mut self.touched {
            Touched::Nothing => self.touched = Touched::These(vec![change_slot(id)]),
            Touched::These(slots) => slots.push(change_slot(id)),
            Touched::All => {}
        }
    }

    /// The same for a statement that changes who knows which.
    pub(crate) fn touch_all(&mut self) {
        self.touched = Touched::All;
    }

    /// Notes that the commit leaves something to deliver, or a place for it.
    pub(crate) fn ring(&mut self) {
        self.rings = true;
    }

    pub(crate) fn begin_statement(&mut self, text: &str) -> Result<Raw<'_>> {
        // PostgreSQL would run it and SQLite refuse it: the same answer from both.
        if self.read_only && !text.starts_with("SELECT") {
            return Err(StoreError::ReadOnly("use Store::write()"));
        }
        self.store.inner.statements.fetch_add(1, Ordering::Relaxed);
        Ok(match &mut self.held {
            Held::Sqlite(conn) => Raw::Sqlite(conn),
            Held::SqliteTx(tx) => Raw::Sqlite(tx),
            Held::Postgres(conn) => Raw::Postgres(conn),
            Held::PostgresTx(tx) => Raw::Postgres(tx),
        })
    }
}

impl std::fmt::Debug for Conn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.read_only {
            "Conn(read)"
        } else {
            "Conn(write)"
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use recado_model::clock::OsRng;

    use super::*;
    use crate::{Database, MasterKey, open::Options};

    /// A new database in the folder.
    pub(crate) async fn fresh(folder: &tempfile::TempDir) -> Store {
        Store::open(Options {
            database: Database::Sqlite {
                path: folder.path().join("recado.db"),
            },
            master_key: MasterKey::generate(&OsRng).0,
            rng: Arc::new(OsRng),
            migrate: true,
            init: false,
        })
        .await
        .expect("opens")
    }

    /// Polls `future` so many times, with time for the database between, and drops it.
    async fn give_up<T>(future: impl Future<Output = T>, polls: u32) {
        let mut future = std::pin::pin!(future);
        for _ in 0..polls {
            let polled = std::future::poll_fn(|context| {
                std::task::Poll::Ready(future.as_mut().poll(context).is_ready())
            });
            if polled.await {
                return;
            }
            for _ in 0..1_000 {
                tokio::task::yield_now().await;
            }
        }
    }

    async fn synchronous(mut conn: Conn) -> i64 {
        sql("PRAGMA synchronous")
            .fetch_one(&mut conn)
            .await
            .and_then(|row| row.i64("synchronous"))
            .expect("reads the pragma")
    }

    #[tokio::test]
    async fn relaxed_writes_relax_no_others() {
        const FULL: i64 = 2;
        const NORMAL: i64 = 1;
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        for _ in 0..2 {
            let conn = store.write().await.expect("write");
            assert_eq!(synchronous(conn).await, FULL);
            let conn = store.write_relaxed().await.expect("write");
            assert_eq!(synchronous(conn).await, NORMAL);
            let conn = store.write_one_relaxed().await.expect("write");
            assert_eq!(synchronous(conn).await, NORMAL);
        }
    }

    #[tokio::test]
    async fn a_write_given_up_relaxes_no_other() {
        const FULL: i64 = 2;
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        for polls in 0..6 {
            give_up(store.write_relaxed(), polls).await;
            let conn = store.write().await.expect("write");
            assert_eq!(synchronous(conn).await, FULL, "relaxing, {polls} polls");
            drop(store.write_relaxed().await.expect("write"));
            give_up(store.write(), polls).await;
            let conn = store.write().await.expect("write");
            assert_eq!(synchronous(conn).await, FULL, "tightening, {polls} polls");
        }
    }
}
