//! Opening PostgreSQL: what the database must be, and what its user must be allowed.

use recado_model::Secret;
use sqlx::{
    ConnectOptions, PgConnection, PgPool,
    migrate::MigrateError,
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{POSTGRES_CONNECTIONS, WAIT, bring_up_to_date};
use crate::{
    database::Database,
    db::Pools,
    error::{Result, StoreError},
};

/// Not allowed.
const DENIED: &str = "42501";
/// No schema that the user may use, so nowhere to make a table.
const NO_SCHEMA: &str = "3F000";

fn options(url: &Secret) -> Result<PgConnectOptions> {
    let options: PgConnectOptions = url
        .expose()
        .parse()
        .map_err(|_| StoreError::BadDatabaseUrl("'postgres://…', which does not parse,".into()))?;
    Ok(options
        .application_name("recado")
        .options([
            ("statement_timeout", "30s"),
            ("lock_timeout", "10s"),
            // A process that is stopped in the midst of a transaction holds its rows no longer than others wait
            // for them. None of ours waits for anything but the database.
            ("idle_in_transaction_session_timeout", "5s"),
        ])
        .disable_statement_logging())
}

/// One connection, to look before anything is made.
pub(super) async fn connect(url: &Secret, database: &Database) -> Result<PgConnection> {
    let options = options(url)?;
    let mut conn = options
        .connect()
        .await
        .map_err(|error| unreachable(database, &options, error))?;
    check_encoding(&mut conn, database).await?;
    Ok(conn)
}

pub(super) async fn open(url: &Secret, database: &Database, migrate: bool) -> Result<Pools> {
    let options = options(url)?;
    let pool: PgPool = PgPoolOptions::new()
        .max_connections(POSTGRES_CONNECTIONS)
        .acquire_timeout(WAIT)
        .connect_with(options.clone())
        .await
        .map_err(|error| unreachable(database, &options, error))?;
    let mut conn = pool.acquire().await?;
    let opened = async {
        check_encoding(&mut conn, database).await?;
        match bring_up_to_date(&mut *conn, database, migrate).await {
            Ok(()) => Ok(()),
            Err(error) => Err(trouble(&mut conn, database, error).await),
        }
    };
    let opened = opened.await;
    drop(conn);
    if let Err(error) = opened {
        pool.close().await;
        return Err(error);
    }
    Ok(Pools::Postgres(pool))
}

/// People write signs that LATIN1 and the like do not have, and SQL_ASCII checks nothing: the
/// first such name would fail, or come back as another.
async fn check_encoding(conn: &mut PgConnection, database: &Database) -> Result<()> {
    let encoding: String = sqlx::query_scalar("SHOW server_encoding")
        .fetch_one(conn)
        .await?;
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(StoreError::WrongEncoding {
        database: database.describe(),
        encoding,
    })
}

fn unreachable(database: &Database, options: &PgConnectOptions, source: sqlx::Error) -> StoreError {
    if code(&source).as_deref() == Some(DENIED) {
        let user = quoted(options.get_username());
        let name = quoted(options.get_database().unwrap_or(options.get_username()));
        return StoreError::NotAllowed {
            database: database.describe(),
            denied: said(&source),
            remedy: format!("GRANT CONNECT ON DATABASE {name} TO {user}"),
        };
    }
    StoreError::Unreachable {
        database: database.describe(),
        source,
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    let error = error.as_database_error()?;
    error.code().map(|code| code.into_owned())
}

/// The same error, or, where the user is not allowed something, the statement that allows it.
pub(super) async fn trouble(
    conn: &mut PgConnection,
    database: &Database,
    error: StoreError,
) -> StoreError {
    let inner = match &error {
        StoreError::Database(inner)
        | StoreError::Migration(
            MigrateError::Execute(inner) | MigrateError::ExecuteMigration(inner, _),
        ) => inner,
        _ => return error,
    };
    if !matches!(code(inner).as_deref(), Some(DENIED | NO_SCHEMA)) {
        return error;
    }
    let denied = said(inner);
    match missing(conn).await {
        Ok(remedy) => StoreError::NotAllowed {
            database: database.describe(),
            denied,
            remedy,
        },
        Err(_) => error,
    }
}

/// The words of the database itself.
fn said(error: &sqlx::Error) -> String {
    match error.as_database_error() {
        Some(error) => error.message().to_owned(),
        None => error.to_string(),
    }
}

/// The right that this user lacks: to the schema, or to tables that belong to somebody else.
async fn missing(conn: &mut PgConnection) -> Result<String, sqlx::Error> {
    // Without USAGE on it a schema is not the current one, though it is in the search path.
    const LOOK: &str = "SELECT user::text, coalesce(current_schema()::text, 'public'), \
        has_schema_privilege(coalesce(current_schema()::text, 'public'), 'CREATE') \
        AND has_schema_privilege(coalesce(current_schema()::text, 'public'), 'USAGE')";
    let (user, schema, allowed): (String, String, bool) =
        sqlx::query_as(LOOK).fetch_one(&mut *conn).await?;
    let (user, shown) = (quoted(&user), quoted(&schema));
    if !allowed {
        return Ok(format!("GRANT USAGE, CREATE ON SCHEMA {shown} TO {user}"));
    }
    const OWNER: &str =
        "SELECT min(tableowner::text) FROM pg_tables WHERE schemaname = $1 AND tableowner <> user";
    let owner: Option<String> = sqlx::query_scalar(OWNER)
        .bind(&schema)
        .fetch_one(conn)
        .await?;
    let grant =
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {shown} TO {user}");
    Ok(match owner {
        Some(owner) => format!(
            "{grant}; `recado migrate` has to run as {}, whose tables they are",
            quoted(&owner)
        ),
        None => grant,
    })
}

/// As SQL has a name; plain ones as people write them.
fn quoted(name: &str) -> String {
    let plain = !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    match plain {
        true => name.to_owned(),
        false => format!("\"{}\"", name.replace('"', "\"\"")),
    }
}
