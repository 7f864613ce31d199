//! A database of a test's own, gone when the test is done: a run of all tests must fit on a small disk.

use recado_model::{Secret, clock::OsRng, id::random_base32};
use recado_store::Database;
use sqlx::{
    AssertSqlSafe, Connection, PgConnection, PgPool, SqlitePool, sqlite::SqliteConnectOptions,
};
use tempfile::TempDir;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// An empty database. [`TestDatabase::close`] takes it away; dropped without it, it fails the test.
pub struct TestDatabase {
    database: Database,
    /// On PostgreSQL: the server's URL without a database, and the database's name.
    on_server: Option<(String, String)>,
    folder: Option<TempDir>,
    closed: bool,
}

/// Where the test's PostgreSQL is: its URL without a database.
pub fn server() -> String {
    let server = std::env::var("RECADO_TEST_POSTGRES_URL").expect(
        "RECADO_TEST_POSTGRES_URL is not set: `cargo xtask test` starts a PostgreSQL and sets it",
    );
    // A URL with a database in it is fine too: its last part is dropped.
    let (scheme, rest) = server.split_once("://").expect("a URL");
    let host = rest.split('/').next().expect("a host");
    format!("{scheme}://{host}")
}

async fn administer(server: &str, statement: String) {
    let mut admin = PgConnection::connect(&format!("{server}/postgres"))
        .await
        .expect("the server of RECADO_TEST_POSTGRES_URL answers");
    sqlx::query(AssertSqlSafe(statement.clone()))
        .execute(&mut admin)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
    admin.close().await.expect("closes");
}

impl TestDatabase {
    pub async fn new(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::sqlite(),
            Kind::Postgres => Self::postgres("").await,
        }
    }

    /// A file in a folder of its own, not made yet.
    pub fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data").join("recado.db");
        Self {
            database: Database::Sqlite { path },
            on_server: None,
            folder: Some(folder),
            closed: false,
        }
    }

    /// `with` follows `CREATE DATABASE <name>`.
    pub async fn postgres(with: &str) -> Self {
        let server = server();
        let name = format!("recado_{}", random_base32(&OsRng).to_lowercase());
        administer(&server, format!("CREATE DATABASE {name} {with}")).await;
        Self {
            database: Database::Postgres {
                url: Secret::new(format!("{server}/{name}")),
            },
            on_server: Some((server, name)),
            folder: None,
            closed: false,
        }
    }

    pub fn database(&self) -> &Database {
        &self.database
    }

    /// For the setting `database_url`: empty on SQLite, where the program chooses the file.
    pub fn url(&self) -> String {
        match &self.database {
            Database::Sqlite { .. } => String::new(),
            Database::Postgres { url } => url.expose().to_owned(),
        }
    }

    /// Its name on the PostgreSQL server.
    pub fn name(&self) -> &str {
        let (_, name) = self.on_server.as_ref().expect("PostgreSQL");
        name
    }

    /// The folder of SQLite's file.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("SQLite").path()
    }

    /// Takes it away, whoever is still connected.
    pub async fn close(mut self) {
        self.closed = true;
        if let Some((server, name)) = self.on_server.take() {
            administer(&server, format!("DROP DATABASE {name} WITH (FORCE)")).await;
        }
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        // The database of a failing test may be looked at, and its own fault is the one to show.
        if !self.closed && !std::thread::panicking() {
            panic!("a database or bed was dropped without `close().await`");
        }
    }
}

/// Runs SQL beside the store.
pub async fn run(database: &Database, text: &str) {
    let statement = sqlx::raw_sql(AssertSqlSafe(text.to_owned()));
    match database {
        Database::Sqlite { path } => {
            let pool = sqlite(path).await;
            statement.execute(&pool).await.expect("runs");
            pool.close().await;
        }
        Database::Postgres { url } => {
            let pool = PgPool::connect(url.expose()).await.expect("opens");
            statement.execute(&pool).await.expect("runs");
            pool.close().await;
        }
    }
}

/// The one number that `text` asks for; `$1` in it is `value`.
pub async fn count(database: &Database, text: &str, value: Option<&str>) -> i64 {
    let query = AssertSqlSafe(text.to_owned());
    match database {
        Database::Sqlite { path } => {
            let pool = sqlite(path).await;
            let mut asked = sqlx::query_scalar(query);
            if let Some(value) = value {
                asked = asked.bind(value);
            }
            let found = asked.fetch_one(&pool).await.expect("counts");
            pool.close().await;
            found
        }
        Database::Postgres { url } => {
            let pool = PgPool::connect(url.expose()).await.expect("opens");
            let mut asked = sqlx::query_scalar(query);
            if let Some(value) = value {
                asked = asked.bind(value);
            }
            let found = asked.fetch_one(&pool).await.expect("counts");
            pool.close().await;
            found
        }
    }
}

async fn sqlite(path: &std::path::Path) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .busy_timeout(std::time::Duration::from_secs(10));
    SqlitePool::connect_with(options).await.expect("opens")
}
