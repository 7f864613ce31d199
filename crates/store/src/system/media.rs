//! Media of all accounts: which are to be fetched, which are old, what their files take.

use recado_model::{AccountId, InstanceId, MediaId, Timestamp, media::MediaOrigin};

use super::System;
use crate::{
    error::Result,
    sql::{Row, sql},
};

/// So many accounts can be left aside when media are claimed.
pub const FULL_MOST: usize = 4;

/// A medium, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediumOf {
    pub account: AccountId,
    pub instance: InstanceId,
    pub id: MediaId,
}

impl System<'_> {
    /// Takes the medium whose bytes are to be fetched next, until `until`; whoever dies over it loses it then.
    /// `full`: the accounts that have their share, at most [`FULL_MOST`] of them.
    pub async fn claim_medium(
        &mut self,
        origin: MediaOrigin,
        full: &[AccountId],
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<MediumOf>> {
        let [a, b, c, d] = padded(full);
        sql(
            "UPDATE medium SET next_at = $2 WHERE id IN (SELECT d.id FROM medium d WHERE d.state = 'awaited' \
             AND d.origin = $3 AND d.next_at IS NOT NULL AND d.next_at <= $1 AND d.account_id NOT IN ($4, $5, $6, $7) \
             ORDER BY d.next_at, d.id LIMIT 1) AND state = 'awaited' AND next_at <= $1 RETURNING id, account_id, instance_id",
        )
        .bind(now)
        .bind(until)
        .bind(origin.as_str())
        .bind(a)
        .bind(b)
        .bind(c)
        .bind(d)
        .fetch_optional(self.conn)
        .await?
        .map(|row| of(&row))
        .transpose()
    }

    /// Every awaited medium is to be fetched now: whoever held one may be gone. Two that fetch one at a time keep
    /// the same bytes.
    pub async fn release_media(&mut self, now: Timestamp) -> Result<u64> {
        sql(
            "UPDATE medium SET next_at = $1 WHERE state = 'awaited' AND next_at IS NOT NULL AND next_at > $1 \
             AND origin IN ('url', 'whatsapp')",
        )
        .bind(now)
        .execute(self.conn)
        .await
    }

    /// When the next medium is to be fetched, those of `full` aside.
    pub async fn next_medium_due(
        &mut self,
        origin: MediaOrigin,
        full: &[AccountId],
    ) -> Result<Option<Timestamp>> {
        let [a, b, c, d] = padded(full);
        sql(
            "SELECT MIN(next_at) AS due FROM medium WHERE state = 'awaited' AND origin = $1 AND next_at IS NOT NULL \
             AND account_id NOT IN ($2, $3, $4, $5)",
        )
        .bind(origin.as_str())
        .bind(a)
        .bind(b)
        .bind(c)
        .bind(d)
        .fetch_one(self.conn)
        .await?
        .opt_time("due")
    }

    /// Whose a medium is, for whoever has a link to it. The id alone proves nothing.
    pub async fn owner_of_medium(&mut self, id: &MediaId) -> Result<Option<MediumOf>> {
        sql("SELECT id, account_id, instance_id FROM medium WHERE id = $1")
            .bind(id)
            .fetch_optional(self.conn)
            .await?
            .map(|row| of(&row))
            .transpose()
    }

    /// Media that nobody has had to do with since `before`, the oldest first. Those of messages that are
    /// still to be sent are not among them.
    pub async fn unused_media(&mut self, before: Timestamp, limit: u32) -> Result<Vec<MediumOf>> {
        let rows = sql(
            "SELECT d.id, d.account_id, d.instance_id FROM medium d WHERE d.object IS NOT NULL AND d.used_at < $1 \
             AND NOT EXISTS (SELECT 1 FROM message m JOIN job j ON j.instance_id = m.instance_id AND j.message_id = m.id \
             WHERE m.key = d.message_key) ORDER BY d.used_at, d.id LIMIT $2",
        )
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(of).collect()
    }

    /// Accounts whose kept media take more than `most` bytes, and how many they take.
    pub async fn accounts_full_of_media(&mut self, most: u64) -> Result<Vec<(AccountId, u64)>> {
        // Reads all: a quota is counted over all media, once an hour.
        let rows = sql(
            "SELECT account_id, CAST(SUM(length) AS BIGINT) AS bytes FROM \
             (SELECT DISTINCT account_id, object, length FROM medium WHERE object IS NOT NULL) objects \
             GROUP BY account_id HAVING SUM(length) > $1 ORDER BY account_id",
        )
        .bind(i64::try_from(most).unwrap_or(i64::MAX))
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                let bytes = u64::try_from(row.i64("bytes")?).unwrap_or_default();
                Ok((AccountId::from_text(row.text("account_id")?), bytes))
            })
            .collect()
    }

    /// The kept media of an account, those first that were unused for longest, with their lengths.
    pub async fn oldest_media(
        &mut self,
        account: &AccountId,
        limit: u32,
    ) -> Result<Vec<(MediumOf, u64)>> {
        let rows = sql(
            "SELECT d.id, d.account_id, d.instance_id, COALESCE(d.length, 0) AS length FROM medium d \
             WHERE d.account_id = $1 AND d.object IS NOT NULL AND NOT EXISTS (SELECT 1 FROM message m \
             JOIN job j ON j.instance_id = m.instance_id AND j.message_id = m.id WHERE m.key = d.message_key) \
             ORDER BY d.used_at, d.id LIMIT $2",
        )
        .bind(account)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                let length = u64::try_from(row.i64("length")?).unwrap_or_default();
                Ok((of(row)?, length))
            })
            .collect()
    }

    /// Whether any medium lies in this file.
    pub async fn is_media_object(&mut self, object: &str) -> Result<bool> {
        let row = sql("SELECT id FROM medium WHERE object = $1 LIMIT 1")
            .bind(object)
            .fetch_optional(self.conn)
            .await?;
        Ok(row.is_some())
    }
}

/// The ids for a statement that has room for [`FULL_MOST`]; no account has the empty one.
fn padded(full: &[AccountId]) -> [&str; FULL_MOST] {
    let mut ids = [""; FULL_MOST];
    for (id, account) in ids.iter_mut().zip(full) {
        *id = account.as_str();
    }
    ids
}

fn of(row: &Row) -> Result<MediumOf> {
    Ok(MediumOf {
        account: AccountId::from_text(row.text("account_id")?),
        instance: InstanceId::from_text(row.text("instance_id")?),
        id: MediaId::from_text(row.text("id")?),
    })
}
