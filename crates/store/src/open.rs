//! Opening a database: its file, its schema, its first keys.

mod files;
mod postgres;

use std::{
    io,
    path::Path,
    sync::{
        Arc, OnceLock, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use quick_cache::sync::Cache;
use recado_model::{PepperId, Rng, Timestamp};
use sqlx::{
    ConnectOptions, Connection, SqlitePool,
    migrate::{Migrate, MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::sync::Notify;

use crate::{
    database::Database,
    db::{Conn, Inner, Pools, Store},
    error::{CANTOPEN, CORRUPT, FULL, NOTADB, READONLY, Result, StoreError, sqlite_primary_code},
    kept::Keys,
    log::Log,
    lookup,
    seal::{KeyRing, MasterKey, SYSTEM},
    sql::sql,
    writer::{Writer, is_outside, limit_pages},
};

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations");
const MIGRATION_TABLE: &str = "_sqlx_migrations";

const READERS: u32 = 4;
const POSTGRES_CONNECTIONS: u32 = 20;
/// For a free connection, and for another process to let go of the SQLite file.
const WAIT: Duration = Duration::from_secs(10);
/// Between two looks at a file that another process opens or closes.
const PAUSE: Duration = Duration::from_millis(20);
/// Accounts whose unwrapped keys are kept in memory.
const KEPT_KEYS: usize = 10_000;

/// How to open.
pub struct Options {
    pub database: Database,
    pub master_key: MasterKey,
    pub rng: Arc<dyn Rng>,
    /// Bring an older schema up to date; without it, an older schema is an error.
    pub migrate: bool,
    /// Make the first keys of a PostgreSQL database (`recado init`). SQLite makes them by itself.
    pub init: bool,
}

impl Store {
    /// Opens the database: makes file and schema as allowed, then proves the master key.
    ///
    /// Errors say what to do: [`StoreError::Unwritable`], [`StoreError::NotADatabase`],
    /// [`StoreError::NewerSchema`], [`StoreError::PendingMigrations`],
    /// [`StoreError::NotInitialised`], [`StoreError::WrongMasterKey`],
    /// [`StoreError::Unreachable`].
    pub async fn open(options: Options) -> Result<Self> {
        let Options {
            database,
            master_key,
            rng,
            migrate,
            init,
        } = options;
        let pools = match &database {
            Database::Sqlite { path } => open_sqlite(path, &database, migrate).await?,
            Database::Postgres { url } => postgres::open(url, &database, migrate).await?,
        };
        // The keys are read with a Conn and a Conn needs a Store: it starts with the master key alone.
        let store = Self {
            inner: Arc::new(Inner {
                pools,
                rng,
                keys: RwLock::new(Arc::new(Keys {
                    seen: -1,
                    master: master_key,
                    check: Vec::new(),
                    peppers: Arc::new([]),
                    behind: AtomicBool::new(false),
                })),
                key_source: OnceLock::new(),
                account_keys: Cache::new(KEPT_KEYS),
                statements: AtomicU64::new(0),
                instance_changes: std::array::from_fn(|_| AtomicU64::new(0)),
                deliveries: Notify::new(),
            }),
        };
        let may_make = init || database.is_sqlite();
        match store.first_keys(&database, may_make).await {
            Ok(()) => Ok(store),
            Err(error) => {
                let error = store.told(&database, error).await;
                store.close().await;
                Err(error)
            }
        }
    }

    /// The error, with what the user of a PostgreSQL database is not allowed.
    async fn told(&self, database: &Database, error: StoreError) -> StoreError {
        let Pools::Postgres(pool) = &self.inner.pools else {
            return error;
        };
        match pool.acquire().await {
            Ok(mut conn) => postgres::trouble(&mut conn, database, error).await,
            Err(_) => error,
        }
    }

    /// Whether the database already belongs to a master key. `false` for one that does not exist
    /// or is empty: only then may the program make a new key.
    pub async fn has_key_check(database: &Database) -> Result<bool> {
        Ok(key_check(database).await?.is_some())
    }

    /// Whether that key is the database's master key. `false` also when it has none yet, and when a
    /// rotation to it is just being committed: [`Store::hold_master`] decides what may be thrown away.
    pub async fn is_master_key(database: &Database, key: &MasterKey) -> Result<bool> {
        match key_check(database).await? {
            Some(record) => key.matches(&record),
            None => Ok(false),
        }
    }

    /// Proves the master key (or, in a new database, binds it) and reads what is kept in memory.
    async fn first_keys(&self, database: &Database, may_make: bool) -> Result<()> {
        let mut conn = self.read().await?;
        let mut record = meta_value(&mut conn, "key_check").await?;
        if record.is_none() {
            drop(conn);
            if !may_make {
                return Err(StoreError::NotInitialised {
                    database: database.describe(),
                });
            }
            self.make_first_keys().await?;
            conn = self.read().await?;
            record = meta_value(&mut conn, "key_check").await?;
        }
        let wrong = || StoreError::WrongMasterKey {
            database: database.describe(),
        };
        let record = record.ok_or_else(wrong)?;
        let held = self.keys();
        if !held.master.matches(&record)? {
            return Err(wrong());
        }
        self.set_keys(Keys {
            seen: held.seen,
            master: held.master.clone(),
            check: record,
            peppers: held.peppers.clone(),
            behind: AtomicBool::new(false),
        });
        conn.load_keys().await.map_err(|error| match error {
            // Replaced since it was proved, a moment ago.
            StoreError::MasterKeyReplaced => wrong(),
            error => error,
        })
    }

    /// Key check, system key and first pepper, all or none. Two processes may race to here: the
    /// loser finds the winner's row and must have the same key.
    async fn make_first_keys(&self) -> Result<()> {
        // They are older than any other, and nothing here knows the time. When the gateway first
        // started, which `System::ensure_jwt_key` notes, tells their age well enough.
        const AT: Timestamp = Timestamp(0);
        let master = &self.keys().master;
        let rng = self.rng();
        let wrapped = master.new_data_key(SYSTEM, 1, rng)?;
        let system = KeyRing::new(vec![master.unwrap_data_key(SYSTEM, 1, &wrapped)?]);
        let mut conn = self.write().await?;
        let made = sql(
            "INSERT INTO meta (name, n, value) VALUES ('key_check', $1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(AT)
        .bind(&master.check_record(rng)?)
        .execute(&mut conn)
        .await?;
        if made == 0 {
            return Ok(());
        }
        sql("INSERT INTO system_key (version, wrapped, created_at) VALUES (1, $1, $2)")
            .bind(&wrapped)
            .bind(AT)
            .execute(&mut conn)
            .await?;
        lookup::insert(&mut conn, &PepperId::random(rng), &system, rng, AT).await?;
        conn.commit().await
    }
}

async fn meta_value(conn: &mut Conn, name: &str) -> Result<Option<Vec<u8>>> {
    let row = sql("SELECT value FROM meta WHERE name = $1")
        .bind(name)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| row.opt_blob("value")).transpose()?.flatten())
}

/// The record of the master key, read without opening the database any further.
async fn key_check(database: &Database) -> Result<Option<Vec<u8>>> {
    const FIND: &str = "SELECT value FROM meta WHERE name = 'key_check'";
    match database {
        Database::Sqlite { path } => {
            match std::fs::metadata(path) {
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(unwritable(path, error)),
            }
            files::prove(path).map_err(|error| unwritable(path, error))?;
            let mut conn = sqlite_options(path)
                .connect()
                .await
                .map_err(|error| sqlite_trouble(path, error))?;
            let found = sqlx::query_scalar(FIND).fetch_optional(&mut conn).await;
            // Nothing was written, so nothing can be lost here.
            conn.close().await.ok();
            found.or_else(|error| match is_missing_table(&error) {
                true => Ok(None),
                false => Err(sqlite_trouble(path, error)),
            })
        }
        Database::Postgres { url } => {
            let mut conn = postgres::connect(url, database).await?;
            let found = sqlx::query_scalar(FIND).fetch_optional(&mut conn).await;
            let found = match found {
                Ok(found) => Ok(found),
                Err(error) if is_missing_table(&error) => Ok(None),
                Err(error) => Err(postgres::trouble(&mut conn, database, error.into()).await),
            };
            conn.close().await.ok();
            found
        }
    }
}

fn sqlite_options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .foreign_keys(true)
        .busy_timeout(WAIT)
        // A commit that must be on the disk waits for its sync after it, see `log.rs`.
        .synchronous(SqliteSynchronous::Normal)
        // Every statement would be a log line; the program traces its own operations.
        .disable_statement_logging()
}

/// Opens again while another process is just opening or closing the same file: SQLite then answers "busy" at
/// once where it takes the whole file (the first change to a write-ahead log), whatever the busy timeout.
#[expect(
    clippy::disallowed_methods,
    reason = "the other process is as real as the time it takes"
)]
async fn open_sqlite(path: &Path, database: &Database, migrate: bool) -> Result<Pools> {
    for _ in 0..WAIT.as_millis() / PAUSE.as_millis() {
        match try_open_sqlite(path, database, migrate).await {
            Err(StoreError::Busy) => tokio::time::sleep(PAUSE).await,
            outcome => return outcome,
        }
    }
    Err(StoreError::Busy)
}

async fn try_open_sqlite(path: &Path, database: &Database, migrate: bool) -> Result<Pools> {
    files::make(path)
        .and_then(|()| files::prove(path))
        .map_err(|error| unwritable(path, error))?;
    let options = sqlite_options(path).journal_mode(SqliteJournalMode::Wal);
    let writer = Arc::new(Writer::default());
    let (fresh, released) = (writer.clone(), writer.clone());
    let write: SqlitePool = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .after_connect(move |conn, _| {
            let pages = fresh.max_pages.load(Ordering::Relaxed);
            Box::pin(async move {
                match pages {
                    0 => Ok(()),
                    pages => limit_pages(conn, pages).await,
                }
            })
        })
        .after_release(move |conn, _| {
            let spoilt = released.spoilt.swap(false, Ordering::Relaxed);
            Box::pin(async move { Ok(!spoilt && is_outside(conn).await?) })
        })
        .connect_with(options.clone())
        .await
        .map_err(|error| sqlite_trouble(path, error))?;
    let result = async {
        let mut conn = write.acquire().await?;
        bring_up_to_date(&mut *conn, database, migrate).await
    }
    .await
    .map_err(|error| match error {
        StoreError::Database(error) | StoreError::Full(error) | StoreError::Storage(error) => {
            sqlite_trouble(path, error)
        }
        StoreError::Migration(
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _),
        ) => sqlite_trouble(path, error),
        other => other,
    });
    if let Err(error) = result {
        write.close().await;
        return Err(error);
    }
    let read = SqlitePoolOptions::new()
        .max_connections(READERS)
        .acquire_timeout(WAIT)
        .connect_lazy_with(options.pragma("query_only", "ON"));
    Ok(Pools::Sqlite {
        read,
        write,
        writer,
        log: Arc::new(Log::new(path)),
    })
}

fn unwritable(
    path: &Path,
    source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> StoreError {
    StoreError::Unwritable {
        path: path.to_owned(),
        source: source.into(),
    }
}

fn sqlite_trouble(path: &Path, error: sqlx::Error) -> StoreError {
    let code = error
        .as_database_error()
        .and_then(|error| sqlite_primary_code(error.code()?.as_ref()));
    match code {
        Some(READONLY | CANTOPEN | FULL) => unwritable(path, error),
        Some(CORRUPT | NOTADB) => StoreError::NotADatabase {
            path: path.to_owned(),
        },
        _ => StoreError::from(error),
    }
}

fn is_missing_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
    })
}

/// Refuses what this program does not know, then applies what is missing (when it may).
async fn bring_up_to_date<C: Migrate>(
    conn: &mut C,
    database: &Database,
    migrate: bool,
) -> Result<()> {
    if migrate {
        return apply(conn, database).await;
    }
    if pending(conn, database).await? {
        return Err(StoreError::PendingMigrations {
            database: database.describe(),
        });
    }
    Ok(())
}

/// Applies what is missing. Another process may apply the same migration in the same moment: the slower of the
/// two goes on with the next one.
async fn apply<C: Migrate>(conn: &mut C, database: &Database) -> Result<()> {
    for _ in MIGRATIONS.iter() {
        match MIGRATIONS.run_direct(None, conn, false).await {
            Ok(()) => return Ok(()),
            Err(MigrateError::ExecuteMigration(error, version)) => {
                if !is_applied(conn, version).await {
                    let failed = MigrateError::ExecuteMigration(error, version);
                    return Err(StoreError::Migration(failed));
                }
            }
            Err(error) => return Err(schema_trouble(database, error)),
        }
    }
    match pending(conn, database).await? {
        true => Err(StoreError::Busy),
        false => Ok(()),
    }
}

async fn is_applied<C: Migrate>(conn: &mut C, version: i64) -> bool {
    let applied = conn.list_applied_migrations(MIGRATION_TABLE).await;
    applied.is_ok_and(|applied| applied.iter().any(|known| known.version == version))
}

/// Whether a migration of ours is not applied yet.
async fn pending<C: Migrate>(conn: &mut C, database: &Database) -> Result<bool> {
    let applied = match conn.list_applied_migrations(MIGRATION_TABLE).await {
        Ok(applied) => applied,
        Err(MigrateError::Execute(error)) if is_missing_table(&error) => return Ok(true),
        Err(error) => return Err(schema_trouble(database, error)),
    };
    for known in &applied {
        let ours = MIGRATIONS.iter().find(|ours| ours.version == known.version);
        match ours {
            None => {
                return Err(StoreError::NewerSchema {
                    database: database.describe(),
                    version: known.version,
                });
            }
            Some(ours) if ours.checksum != known.checksum => {
                return Err(StoreError::ChangedSchema {
                    database: database.describe(),
                    version: known.version,
                });
            }
            Some(_) => {}
        }
    }
    Ok(applied.len() < MIGRATIONS.iter().count())
}

fn schema_trouble(database: &Database, error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => StoreError::NewerSchema {
            database: database.describe(),
            version,
        },
        MigrateError::VersionMismatch(version) => StoreError::ChangedSchema {
            database: database.describe(),
            version,
        },
        MigrateError::Execute(error) => StoreError::from(error),
        error => StoreError::Migration(error),
    }
}
