//! Rows that are old enough to go, whoever's they are. In batches, so that nobody waits behind a long one.

use recado_model::Timestamp;

use super::System;
use crate::{error::Result, sql::sql};

impl System<'_> {
    /// Removes audit rows from before `before`, the oldest first, at most `limit`. The number removed.
    pub async fn prune_audit(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        sql(
            "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY at LIMIT $2)",
        )
        .bind(before)
        .bind(i64::from(limit))
        .execute(self.conn)
        .await
    }

    /// Removes credentials, with their children, that ended before `before` in whichever way, at most
    /// `limit`. The number removed. The epoch stays: nobody could use them any more.
    pub async fn prune_credentials(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        // Reads all: once a day, a batch at a time.
        sql(
            "DELETE FROM credential WHERE id IN (SELECT id FROM credential \
             WHERE revoked_at < $1 OR grace_until < $1 OR not_after < $1 ORDER BY id LIMIT $2)",
        )
        .bind(before)
        .bind(i64::from(limit))
        .execute(self.conn)
        .await
    }

    /// Removes receipts from before `before` of messages that never came, the oldest first, at most `limit`. The
    /// number removed.
    pub async fn prune_receipts(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        // Reads all: receipts of nothing alone: SQLite names no partial index that it goes by whole.
        sql(
            "DELETE FROM receipt WHERE unmatched = 1 AND (instance_id, message_id, chat_id, reader_id, state) IN \
             (SELECT r.instance_id, r.message_id, r.chat_id, r.reader_id, r.state FROM receipt r \
             WHERE r.unmatched = 1 AND r.at < $1 AND NOT EXISTS (SELECT 1 FROM message m WHERE m.instance_id = r.instance_id \
             AND m.id = r.message_id AND m.chat_id = r.chat_id) ORDER BY r.at LIMIT $2)",
        )
        .bind(before)
        .bind(i64::from(limit))
        .execute(self.conn)
        .await
    }
}
