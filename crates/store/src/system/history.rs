//! Phones' past of all accounts: frames that wait, and instances of which nothing has come for a while.

use recado_model::{AccountId, InstanceId, Timestamp, history::Frame};

use super::System;
use crate::{
    error::Result,
    history::frame,
    sql::{Row, sql},
};

/// A frame that waits, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameOf {
    pub account: AccountId,
    pub instance: InstanceId,
    pub frame: Frame,
}

impl System<'_> {
    /// The frames that wait in the spool of `node`, the oldest first.
    pub async fn waiting_frames(&mut self, node: &str, limit: u32) -> Result<Vec<FrameOf>> {
        let rows = sql(
            "SELECT account_id, instance_id, name, digest, kind, chunk_order, progress, request FROM history_frame \
             WHERE state = 'waiting' AND node = $1 ORDER BY came_at, digest LIMIT $2",
        )
        .bind(node)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(of).collect()
    }

    /// The instances of which nothing has come since `before`, and of which nobody has looked what is missing.
    pub async fn history_to_settle(
        &mut self,
        before: Timestamp,
        limit: u32,
    ) -> Result<Vec<(AccountId, InstanceId)>> {
        let rows = sql(
            "SELECT account_id, instance_id FROM history_sync WHERE settled = 0 AND last_at <= $1 \
             ORDER BY last_at, instance_id LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        let pair = |row: &Row| {
            let account = AccountId::from_text(row.text("account_id")?);
            Ok((account, InstanceId::from_text(row.text("instance_id")?)))
        };
        rows.iter().map(pair).collect()
    }
}

fn of(row: &Row) -> Result<FrameOf> {
    Ok(FrameOf {
        account: AccountId::from_text(row.text("account_id")?),
        instance: InstanceId::from_text(row.text("instance_id")?),
        frame: frame(row)?,
    })
}
