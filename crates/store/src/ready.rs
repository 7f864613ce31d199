//! Whether the database answers, and takes a write.

use recado_model::id::random_base32;

use crate::{db::Store, error::Result, sql::sql};

impl Store {
    /// Whether the database answers; for `/readyz`.
    pub async fn ping(&self) -> Result<()> {
        let mut conn = self.read().await?;
        sql("SELECT n FROM meta WHERE name = 'epoch'")
            .fetch_optional(&mut conn)
            .await?;
        Ok(())
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
}
