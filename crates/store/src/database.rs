//! Which database: what an address means, and how it may be shown.

use std::path::PathBuf;

use recado_model::Secret;

use crate::error::{Result, StoreError};

/// Which database.
#[derive(Clone, Debug)]
pub enum Database {
    /// One file, made when it does not exist, with its `-wal` and `-shm` beside it.
    Sqlite { path: PathBuf },
    /// `postgres://user:password@host:5432/name`.
    Postgres { url: Secret },
}

impl Database {
    /// `postgres://…` or `postgresql://…`; `sqlite:PATH` (also `sqlite://PATH`), or what can be nothing but
    /// a path: a wrong form of an address would be a new and empty database of that name.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            // The text may hold a password: it must not reach the error.
            text.parse::<sqlx::postgres::PgConnectOptions>()
                .map_err(|_| {
                    StoreError::BadDatabaseUrl("'postgres://…', which does not parse,".into())
                })?;
            return Ok(Self::Postgres {
                url: Secret::new(text),
            });
        }
        let path = match text.strip_prefix("sqlite:") {
            Some(rest) => rest.strip_prefix("//").unwrap_or(rest),
            None if is_path(text) => text,
            None => return Err(StoreError::BadDatabaseUrl(no_database(text))),
        };
        let wrong = match path {
            "" => "an empty path",
            // Each connection would have one of its own.
            path if path.contains(":memory:") => "SQLite in memory",
            path if path.contains('?') => "a path with parameters",
            _ => return Ok(Self::Sqlite { path: path.into() }),
        };
        Err(StoreError::BadDatabaseUrl(wrong.to_owned()))
    }

    /// For logs and errors: the path, or host, port and name without user and password.
    pub fn describe(&self) -> String {
        match self {
            Self::Sqlite { path } => path.display().to_string(),
            Self::Postgres { url } => url
                .expose()
                .parse::<sqlx::postgres::PgConnectOptions>()
                .map_or_else(
                    |_| "postgres://…".to_owned(),
                    |options| {
                        format!(
                            "postgres://{}:{}/{}",
                            options.get_host(),
                            options.get_port(),
                            options.get_database().unwrap_or_default()
                        )
                    },
                ),
        }
    }

    pub fn is_sqlite(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }
}

/// Whether it is a path without being marked as one.
fn is_path(text: &str) -> bool {
    let rooted = ["/", "./", "../"]
        .iter()
        .any(|start| text.starts_with(start));
    let named = [".db", ".sqlite", ".sqlite3"]
        .iter()
        .any(|end| text.ends_with(end));
    rooted || named && !text.contains(['=', '@', ':'])
}

/// Its looks: the text itself may hold a password.
fn no_database(text: &str) -> String {
    let is_scheme = |scheme: &str| {
        let known = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        !scheme.is_empty() && scheme.chars().all(known)
    };
    match text.split_once("://") {
        Some((scheme, _)) if is_scheme(scheme) => format!("'{scheme}://…'"),
        _ if text.contains('=') => "a list of key=value".to_owned(),
        _ => "what is there".to_owned(),
    }
}
