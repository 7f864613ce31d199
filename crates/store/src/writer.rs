//! SQLite's one write connection: how large its file may become, and when it is thrown away.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection, pool::PoolConnection};

use crate::error::StoreError;

/// The state of SQLite's one write connection.
#[derive(Default)]
pub(crate) struct Writer {
    /// It is to be closed and not used again; the pool opens another.
    pub spoilt: AtomicBool,
    /// How large the file may become; 0 is whatever SQLite allows.
    pub max_pages: AtomicU32,
}

impl Writer {
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
