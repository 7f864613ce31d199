//! Faults of the store, and what a person can do about each.

use std::path::PathBuf;

use recado_model::{Error, ErrorCode};

pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// `database` and `path` name the place, never a password. The texts of the first group reach the
/// operator's terminal, so each says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    #[error(
        "cannot write the database {}: {source}. Make its folder and the files in it writable for this user (chown), or choose another data folder.",
        path.display()
    )]
    Unwritable {
        path: PathBuf,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error(
        "{} is not a Recado database (it is not an SQLite file, or is damaged). Move it away, restore a backup, or choose another data folder.",
        path.display()
    )]
    NotADatabase { path: PathBuf },
    #[error(
        "{database} is newer than this program: it has migration {version}, which this program does not know. Run the newer program, or restore a backup from before the update."
    )]
    NewerSchema { database: String, version: i64 },
    #[error(
        "{database} has a migration {version} that differs from this program's. It was changed by another build; run the program that made it."
    )]
    ChangedSchema { database: String, version: i64 },
    #[error("{database} is older than this program. Run `recado migrate` first.")]
    PendingMigrations { database: String },
    #[error("{database} has no keys yet. Run `recado init` once to set it up.")]
    NotInitialised { database: String },
    #[error(
        "{database} was sealed under another master key. Start with the key file that belongs to it; a new key cannot open it."
    )]
    WrongMasterKey { database: String },
    #[error(
        "the master key was replaced, and this process cannot read the new one. Put the new key file where this process looks for it."
    )]
    MasterKeyReplaced,
    #[error(
        "the JWT key {kid} in the database is too weak to sign with (32 random bytes are needed). Restore a backup, or delete that row of jwt_key: tokens signed with it end."
    )]
    WeakJwtKey { kid: String },
    #[error("the master key is not 32 bytes as base64 (44 characters) or hexadecimal (64)")]
    BadMasterKey,
    #[error(
        "{0} is not a database: write postgres://USER:PASSWORD@HOST:5432/NAME (in a password @ is written %40, / is %2F), or sqlite:PATH"
    )]
    BadDatabaseUrl(String),
    #[error(
        "cannot reach {database}: {source}. Check that it runs, the address, the user and the password."
    )]
    Unreachable {
        database: String,
        source: sqlx::Error,
    },
    #[error(
        "{database} keeps text as {encoding}, and Recado needs UTF8: messages and names would fail or come back changed. Make another one and name it in database_url: CREATE DATABASE recado ENCODING 'UTF8' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )]
    WrongEncoding { database: String, encoding: String },
    /// `denied` is what the database says, `remedy` the statement that allows it.
    #[error("{database}: {denied}. Let its owner, or a superuser, run there: {remedy}")]
    NotAllowed {
        database: String,
        denied: String,
        remedy: String,
    },
    #[error("the migration failed: {0}")]
    Migration(#[source] sqlx::migrate::MigrateError),

    /// A row with that unique value exists; `constraint` as the database names it.
    #[error("a row with that value exists already ({constraint})")]
    Unique { constraint: String },
    /// The account, instance or other parent is not there (any more).
    #[error("what the row refers to does not exist")]
    NoParent,
    /// The transaction lost against another one; run it again.
    #[error("the transaction ran into another one")]
    Serialization,
    /// No connection came free, or the database stayed locked.
    #[error(
        "the database is busy. Try again in a moment; if it stays so, another process holds it."
    )]
    Busy,
    /// Another process has the instance now: whoever had it may write nothing more of it.
    #[error("another process has taken the instance")]
    Fenced,
    /// The disk (or what the database may use of it) is full.
    #[error(
        "no space left for the database: {0}. Free some where it is kept; a running gateway goes on by itself."
    )]
    Full(#[source] sqlx::Error),
    /// The database cannot read or write its files, or has no memory.
    #[error(
        "the database cannot use its files: {0}. Look at the disk where it is kept, and whether all its files there belong to this user; a running gateway goes on by itself once that works."
    )]
    Storage(#[source] sqlx::Error),
    /// The connection broke, or none could be made.
    #[error("the database does not answer: {0}. Check that it runs and can be reached.")]
    Unanswered(#[source] sqlx::Error),
    /// A statement that changes something on a connection from `read()`.
    #[error("a change on a read connection: {0}")]
    ReadOnly(&'static str),
    /// A sealed value does not open: damaged, moved to another row, or under another key.
    #[error(
        "a sealed value of {0} does not open: it was changed or moved outside of the program. Restore a backup."
    )]
    Sealed(String),
    /// A row holds what the program never writes.
    #[error(
        "unexpected value in column {0}: it was changed outside of the program. Restore a backup."
    )]
    Column(&'static str),
    /// The caller broke a rule of this crate.
    #[error("misuse of the store: {0}")]
    Misuse(&'static str),
    #[error("the database failed: {0}. The log of the database may say more.")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::PoolTimedOut => Self::Busy,
            sqlx::Error::Io(_)
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unanswered(error),
            sqlx::Error::Database(inner) => {
                if inner.is_unique_violation() {
                    // PostgreSQL names the constraint, SQLite says "UNIQUE constraint failed: t.c".
                    let constraint = inner.constraint().map_or_else(
                        || {
                            let text = inner.message();
                            text.rsplit_once(": ")
                                .map_or(text, |(_, columns)| columns)
                                .to_owned()
                        },
                        str::to_owned,
                    );
                    return Self::Unique { constraint };
                }
                if inner.is_foreign_key_violation() {
                    return Self::NoParent;
                }
                match inner.code().as_deref() {
                    Some("40001" | "40P01") => Self::Serialization,
                    // Statement or lock timeout, too many connections, shutting down.
                    Some("57014" | "55P03" | "53300" | "57P01" | "57P03") => Self::Busy,
                    Some("53100") => Self::Full(error),
                    // An I/O error, no memory, read-only after a change of servers.
                    Some("58030" | "53200" | "25006") => Self::Storage(error),
                    // The server crashed or is being restarted.
                    Some("57P02" | "08000" | "08003" | "08006") => Self::Unanswered(error),
                    Some(code) => match sqlite_primary_code(code) {
                        Some(BUSY | INTERRUPT) => Self::Busy,
                        Some(FULL) => Self::Full(error),
                        Some(IOERR | NOMEM | READONLY | CANTOPEN | PROTOCOL) => {
                            Self::Storage(error)
                        }
                        _ => Self::Database(error),
                    },
                    None => Self::Database(error),
                }
            }
            _ => Self::Database(error),
        }
    }
}

// SQLite's primary result codes.
const BUSY: i32 = 5;
const NOMEM: i32 = 7;
pub(crate) const READONLY: i32 = 8;
const INTERRUPT: i32 = 9;
const IOERR: i32 = 10;
pub(crate) const FULL: i32 = 13;
pub(crate) const CANTOPEN: i32 = 14;
const PROTOCOL: i32 = 15;

impl StoreError {
    /// Whether this is no fault of one call: every other would meet the same, until somebody frees space,
    /// or the database is back.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::Full(_) | Self::Storage(_) | Self::Unanswered(_) | Self::Busy
        )
    }

    /// Whether an SQLite connection on which it happened is done with: SQLite may have rolled back by
    /// itself, which sqlx does not notice, and what it keeps in memory may not be what is on the disk.
    pub(crate) fn spoils_connection(&self) -> bool {
        match self {
            Self::Full(_) | Self::Storage(_) | Self::Unanswered(_) => true,
            Self::Database(error) => error
                .as_database_error()
                .and_then(|error| sqlite_primary_code(error.code()?.as_ref()))
                .is_some_and(|code| matches!(code, CORRUPT | NOTADB)),
            _ => false,
        }
    }
}

pub(crate) const CORRUPT: i32 = 11;
pub(crate) const NOTADB: i32 = 26;

/// SQLite's extended codes carry the primary one in the low byte. Its texts are plain numbers below
/// 10000, which no SQLSTATE that we look at is.
pub(crate) fn sqlite_primary_code(code: &str) -> Option<i32> {
    if code.len() >= 5 {
        return None;
    }
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unique { .. } => {
                Self::new(ErrorCode::Conflict, "That exists already.").with_source(error)
            }
            StoreError::NoParent => Self::new(
                ErrorCode::NotFound,
                "What this refers to does not exist any more.",
            )
            .with_source(error),
            StoreError::Busy => Self::new(
                ErrorCode::Unavailable,
                "The gateway's database is busy: no connection to it came free in time, or it was locked for too long. Try again in a moment; if it stays so, tell the operator.",
            )
            .with_source(error)
            .with_retry_after(1),
            StoreError::Serialization => Self::new(
                ErrorCode::Unavailable,
                "Another change to the same data was made in the same moment, and this one was taken back. Try again.",
            )
            .with_source(error)
            .with_retry_after(1),
            StoreError::MasterKeyReplaced => Self::new(
                ErrorCode::Unavailable,
                "The gateway's keys were replaced, and this process waits for the new ones. Try again in a moment; if it stays so, tell the operator.",
            )
            .with_source(error)
            .with_retry_after(1),
            StoreError::Fenced => Self::new(
                ErrorCode::Unavailable,
                "Another process of the gateway has this instance now. Try again in a moment.",
            )
            .with_source(error)
            .with_retry_after(1),
            StoreError::Full(_) | StoreError::Storage(_) | StoreError::Unanswered(_) => Self::new(
                ErrorCode::Unavailable,
                match error {
                    StoreError::Full(_) => {
                        "The gateway cannot store anything just now: its database has no space left. Try again in a few seconds; if it stays so, tell the operator."
                    }
                    StoreError::Storage(_) => {
                        "The gateway cannot store anything just now: its database cannot use its files. Try again in a few seconds; if it stays so, tell the operator."
                    }
                    _ => {
                        "The gateway cannot store anything just now: its database does not answer. Try again in a few seconds; if it stays so, tell the operator."
                    }
                },
            )
            .with_source(error)
            .with_retry_after(5),
            _ => Self::internal(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_503_names_what_is_busy() {
        let io = || sqlx::Error::Io(std::io::Error::other("broken"));
        for (error, what) in [
            (StoreError::Busy, "database is busy"),
            (StoreError::Serialization, "Another change"),
            (StoreError::MasterKeyReplaced, "keys were replaced"),
            (StoreError::Fenced, "Another process"),
            (StoreError::Full(io()), "no space left"),
            (StoreError::Storage(io()), "cannot use its files"),
            (StoreError::Unanswered(io()), "does not answer"),
        ] {
            let told = Error::from(error);
            assert_eq!(told.code, ErrorCode::Unavailable);
            assert!(told.message.contains(what), "{}", told.message);
            assert!(told.retry_after_secs.is_some(), "{what}");
        }
    }
}
