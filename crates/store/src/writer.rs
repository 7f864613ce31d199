//! SQLite's one write connection: how durable it is just now, how large its file may become, and when it
//! is thrown away.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};

use crate::error::{Result, StoreError};

/// The state of SQLite's one write connection.
#[derive(Default)]
pub(crate) struct Writer {
    /// Whether it may be at `synchronous=NORMAL`.
    pub relaxed: AtomicBool,
    /// It is to be closed and not used again; the pool opens another.
    pub spoilt: AtomicBool,
    /// How large the file may become; 0 is whatever SQLite allows.
    pub max_pages: AtomicU32,
}

impl Writer {
    /// The write connection, as durable as asked for.
    pub async fn take(&self, pool: &SqlitePool, relax: bool) -> Result<PoolConnection<Sqlite>> {
        let mut conn = pool.acquire().await?;
        if self.relaxed.load(Ordering::Relaxed) != relax {
            // Cannot change inside a transaction, so it is set before.
            // The caller may give up in the middle. The flag may then say relaxed of a connection
            // that is not, which costs one statement; never the other way, which costs data.
            let text = match relax {
                true => "PRAGMA synchronous = NORMAL",
                false => "PRAGMA synchronous = FULL",
            };
            if relax {
                self.relaxed.store(true, Ordering::Relaxed);
            }
            let done = sqlx::query(text).execute(&mut *conn).await;
            done.map_err(|error| self.failed(StoreError::from(error), Some(&mut conn)))?;
            if !relax {
                self.relaxed.store(false, Ordering::Relaxed);
            }
        }
        Ok(conn)
    }

    /// Sees to it that a connection on which such an error happened is not used again: the one that is
    /// handed in, or else the writer.
    pub fn failed(
        &self,
        error: StoreError,
        conn: Option<&mut PoolConnection<Sqlite>>,
    ) -> StoreError {
        if error.spoils_connection() {
            match conn {
                Some(conn) => conn.close_on_drop(),
                None => self.spoilt.store(true, Ordering::Relaxed),
            }
        }
        error
    }
}

/// Whether the connection is outside of any transaction, the rollback of one that was dropped done. After
/// some errors SQLite rolls back by itself; sqlx's own then fails, and the connection could never begin
/// anything again.
pub(crate) async fn is_outside(conn: &mut SqliteConnection) -> sqlx::Result<bool> {
    if conn.is_in_transaction() {
        // Answered when what was asked before is done.
        conn.ping().await?;
    }
    Ok(!conn.is_in_transaction())
}

/// How large the file may become; never less than it is.
pub(crate) async fn limit_pages(conn: &mut SqliteConnection, pages: u32) -> sqlx::Result<()> {
    let pragma = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
    sqlx::query(pragma).persistent(false).execute(conn).await?;
    Ok(())
}
