//! SQLite's one write connection: how durable it is just now, how large its file may become, and when it
//! is thrown away. And the write that proves that there can be one.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use recado_model::id::random_base32;
use sqlx::{AssertSqlSafe, Connection, Sqlite, SqliteConnection, pool::PoolConnection};

use crate::{
    db::{Pools, Store},
    error::{Result, StoreError},
    sql::sql,
};

/// What is known of SQLite's one write connection.
#[derive(Default)]
pub(crate) struct Writer {
    /// Whether it may be at `synchronous=NORMAL`.
    pub relaxed: AtomicBool,
    /// It is to be closed and not used again; the pool opens another.
    pub spoilt: AtomicBool,
    /// How large the file may become; 0 is whatever SQLite allows.
    pub max_pages: AtomicU32,
}

impl Store {
    pub(crate) async fn sqlite_writer(&self, relax: bool) -> Result<PoolConnection<Sqlite>> {
        let Pools::Sqlite { write, writer, .. } = &self.inner.pools else {
            return Err(StoreError::Misuse("an SQLite writer of PostgreSQL"));
        };
        let relaxed = &writer.relaxed;
        let mut conn = write.acquire().await?;
        if relaxed.load(Ordering::Relaxed) != relax {
            // Cannot change inside a transaction, so it is set before.
            // Whoever called may give up in the middle. The flag may then say relaxed of a connection
            // that is not, which costs one statement; never the other way, which costs data.
            let text = match relax {
                true => "PRAGMA synchronous = NORMAL",
                false => "PRAGMA synchronous = FULL",
            };
            if relax {
                relaxed.store(true, Ordering::Relaxed);
            }
            let done = sqlx::query(text).execute(&mut *conn).await;
            done.map_err(|error| self.failed(StoreError::from(error), Some(&mut conn)))?;
            if !relax {
                relaxed.store(false, Ordering::Relaxed);
            }
        }
        Ok(conn)
    }

    /// Sees to it that a connection on which such an error happened is not used again: the one that is
    /// handed in, or else the writer.
    pub(crate) fn failed(
        &self,
        error: StoreError,
        conn: Option<&mut PoolConnection<Sqlite>>,
    ) -> StoreError {
        if let Pools::Sqlite { writer, .. } = &self.inner.pools
            && error.spoils_connection()
        {
            match conn {
                Some(conn) => conn.close_on_drop(),
                None => writer.spoilt.store(true, Ordering::Relaxed),
            }
        }
        error
    }

    /// Proves that something can be written: a row that takes room on the disk comes and goes in one
    /// transaction, which is on the disk when this answers. For `/readyz`.
    pub async fn prove_write(&self) -> Result<()> {
        // More than one page of SQLite, so that a file that may not grow says so. PostgreSQL keeps what was
        // deleted until it is vacuumed, and its log is on the same disk.
        let room = vec![0u8; if self.is_shared() { 1 } else { 16 * 1024 }];
        let name = format!("probe {}", random_base32(self.rng()));
        let mut conn = self.write().await?;
        sql("INSERT INTO meta (name, n, value) VALUES ($1, 0, $2)")
            .bind(name.as_str())
            .bind(&room)
            .execute(&mut conn)
            .await?;
        sql("DELETE FROM meta WHERE name = $1")
            .bind(name.as_str())
            .execute(&mut conn)
            .await?;
        conn.commit().await
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
        Ok(limit_pages(&mut conn, pages).await?)
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
