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
    error::{Result, StoreError},
    kept::{AccountKeys, KeySource, Keys},
    log::Log,
    writer::{self, Writer},
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
        log: Arc<Log>,
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
            Pools::Sqlite { write, writer, .. } => {
                let conn = write.acquire().await?;
                // IMMEDIATE: a transaction that reads first and then writes would otherwise fail
                // when another process wrote in between.
                let begin = "BEGIN IMMEDIATE".into_sql_str();
                let begun = Transaction::begin(conn, Some(begin)).await;
                Held::SqliteTx(begun.map_err(|error| writer.failed(error.into(), None))?)
            }
            Pools::Postgres(pool) => Held::PostgresTx(pool.begin().await?),
        };
        let mut conn = self.conn(held, false);
        conn.relaxed = relaxed;
        Ok(conn)
    }

    /// For a single statement, which is its own transaction: saves BEGIN and COMMIT.
    pub(crate) async fn write_one_relaxed(&self) -> Result<Conn> {
        let held = match &self.inner.pools {
            Pools::Sqlite { write, .. } => Held::Sqlite(write.acquire().await?),
            Pools::Postgres(pool) => Held::Postgres(pool.acquire().await?),
        };
        Ok(self.conn(held, false))
    }

    fn conn(&self, held: Held, read_only: bool) -> Conn {
        Conn {
            store: self.clone(),
            held,
            read_only,
            relaxed: false,
            touched: Touched::Nothing,
            raises_epoch: 0,
            rings: false,
        }
    }

    /// Rises with each commit of this process that changed the instance (or one that shares its
    /// slot). Changes by another process are not in it.
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

    /// Answers when everything that this process committed before is on the disk.
    pub(crate) async fn settle(&self) -> Result<()> {
        match &self.inner.pools {
            Pools::Sqlite { write, log, .. } => log.settle(write).await,
            Pools::Postgres(_) => Ok(()),
        }
    }

    /// Sees to it that a connection of SQLite on which such an error happened is not used again: the one that
    /// is handed in, or else the writer.
    pub(crate) fn failed(
        &self,
        error: StoreError,
        conn: Option<&mut PoolConnection<Sqlite>>,
    ) -> StoreError {
        match &self.inner.pools {
            Pools::Sqlite { writer, .. } => writer.failed(error, conn),
            Pools::Postgres(_) => error,
        }
    }

    /// How many pages (of 4 KiB) the file of SQLite may have from now on, `None` for as many as it likes; a
    /// file that is larger already may not grow. Nothing on PostgreSQL. Beyond it each write fails as on
    /// a full disk.
    pub async fn limit_pages(&self, pages: Option<u32>) -> Result<()> {
        const ALL: u32 = u32::MAX - 1;
        let Pools::Sqlite { write, writer, .. } = &self.inner.pools else {
            return Ok(());
        };
        let pages = pages.unwrap_or(ALL).max(1);
        writer.max_pages.store(pages, Ordering::Relaxed);
        let mut conn = write.acquire().await?;
        Ok(writer::limit_pages(&mut conn, pages).await?)
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
    pub(crate) held: Held,
    read_only: bool,
    /// Its commit need not be on the disk when it answers.
    pub(crate) relaxed: bool,
    pub(crate) touched: Touched,
    /// How much the epoch rises with the commit.
    pub(crate) raises_epoch: i64,
    /// Whether the commit leaves something to deliver.
    pub(crate) rings: bool,
}

const CHANGE_SLOTS: usize = 256;

/// The instances whose rows a transaction changed.
pub(crate) enum Touched {
    Nothing,
    These(Vec<usize>),
    All,
}

/// By the last characters of the id, which are random.
fn change_slot(id: &InstanceId) -> usize {
    let last = id.as_str().bytes().rev().take(8);
    last.fold(0, |slot, byte| {
        (slot * 31 + usize::from(byte)) % CHANGE_SLOTS
    })
}

pub(crate) enum Held {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    SqliteTx(Transaction<'static, Sqlite>),
    PostgresTx(Transaction<'static, Postgres>),
}

/// The connection that a statement runs on.
pub(crate) enum Raw<'a> {
    Sqlite(&'a mut SqliteConnection),
    Postgres(&'a mut PgConnection),
}

impl Conn {
    /// An error of a statement on this connection.
    pub(crate) fn failed(&mut self, error: StoreError) -> StoreError {
        match &mut self.held {
            Held::Sqlite(conn) => self.store.failed(error, Some(conn)),
            Held::SqliteTx(_) => self.store.failed(error, None),
            Held::Postgres(_) | Held::PostgresTx(_) => error,
        }
    }

    /// Notes that what any process has cached of credentials, roles or keys may be wrong: the commit tells them
    /// all, as its last statement.
    pub(crate) fn raise_epoch(&mut self) {
        self.raises_epoch += 1;
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
        Ok(self.raw())
    }

    pub(crate) fn raw(&mut self) -> Raw<'_> {
        match &mut self.held {
            Held::Sqlite(conn) => Raw::Sqlite(conn),
            Held::SqliteTx(tx) => Raw::Sqlite(tx),
            Held::Postgres(conn) => Raw::Postgres(conn),
            Held::PostgresTx(tx) => Raw::Postgres(tx),
        }
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
}
