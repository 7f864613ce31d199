//! The timers of chats: after how long their messages disappear.

use recado_model::{Address, ChatId, InstanceId, Timestamp, message::Timer};

use crate::{accounts::AccountStore, error::Result, sql::sql};

impl AccountStore<'_> {
    /// Seconds; `None` where messages stay, or there is no such chat.
    pub async fn chat_timer(
        &mut self,
        instance: &InstanceId,
        address: &Address,
    ) -> Result<Option<u32>> {
        let Some(chat) = self.known_chat(instance, address).await? else {
            return Ok(None);
        };
        let row = sql("SELECT timer_secs FROM chat WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(&chat)
            .fetch_optional(self.conn)
            .await?;
        let seconds = row.map(|row| row.opt_i64("timer_secs")).transpose()?;
        let seconds = seconds.flatten().and_then(|n| u32::try_from(n).ok());
        Ok(seconds.filter(|seconds| *seconds > 0))
    }

    /// The later word counts; one of the future is of now.
    pub async fn set_chat_timer(
        &mut self,
        chat: &ChatId,
        timer: Timer,
        now: Timestamp,
    ) -> Result<()> {
        sql(
            "UPDATE chat SET timer_secs = $3, timer_since = $4 WHERE account_id = $1 AND id = $2 \
             AND COALESCE(timer_since, 0) <= $4 AND (timer_secs IS NULL OR timer_secs <> $3)",
        )
        .bind(&self.id)
        .bind(chat)
        .bind(i64::from(timer.seconds))
        .bind(timer.since.min(now))
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Of two chats that are one, the later word counts.
    pub(crate) async fn merge_timers(&mut self, gone: &ChatId, kept: &ChatId) -> Result<()> {
        sql(
            "UPDATE chat SET timer_secs = (SELECT o.timer_secs FROM chat o WHERE o.account_id = $1 AND o.id = $2), \
             timer_since = (SELECT o.timer_since FROM chat o WHERE o.account_id = $1 AND o.id = $2) \
             WHERE account_id = $1 AND id = $3 AND COALESCE(timer_since, 0) < \
             (SELECT COALESCE(o.timer_since, 0) FROM chat o WHERE o.account_id = $1 AND o.id = $2)",
        )
        .bind(&self.id)
        .bind(gone)
        .bind(kept)
        .execute(self.conn)
        .await?;
        Ok(())
    }
}
