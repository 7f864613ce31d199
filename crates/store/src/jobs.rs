//! Jobs: the messages that an instance still has to bring to WhatsApp. A job lives until WhatsApp has
//! its message, or until that is given up.
//!
//! The line is ordered by `first_due`, the time a job joins it, which never changes, and then `seq`. A job
//! that is to run later is not in the line before its time, and then joins it at the end. Order holds in
//! a chat; whose turn it is among the chats is the caller's business.
//!
//! A job of a kind or form that this program does not know stands aside: it is in no line, its message
//! stays queued, and another node may take it.

use recado_model::{Address, ChatId, InstanceId, JobId, JobKind, MessageId, Timestamp};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

/// Chats that [`AccountStore::due_jobs`] can pass over.
pub const PASSED_OVER: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub instance: InstanceId,
    pub kind: JobKind,
    pub message: MessageId,
    pub chat: ChatId,
    /// To where it goes.
    pub to: Address,
    /// It may have been on the wire.
    pub tried: bool,
    /// Its number is looked up before its first try.
    pub asks: bool,
    /// The first try begins by then, or not at all.
    pub valid_until: Option<Timestamp>,
    /// Tries that ended with a fault or a refusal.
    pub attempts: u32,
    /// Tries that got no answer at all.
    pub silences: u32,
    /// WhatsApp's last refusal.
    pub code: Option<String>,
}

/// A job as it enters the line.
#[derive(Clone, Debug)]
pub struct NewJob<'a> {
    pub id: &'a JobId,
    pub instance: &'a InstanceId,
    pub kind: JobKind,
    pub message: &'a MessageId,
    pub chat: &'a ChatId,
    pub to: &'a Address,
    /// Nobody has said yet that the number is on WhatsApp, and in which form.
    pub asks: bool,
    /// By the wall clock; `None` is at once, whatever the clock does.
    pub run_at: Option<Timestamp>,
    /// By the wall clock: until when the first try must begin.
    pub valid_until: Option<Timestamp>,
}

/// The columns of a job, as they are read by [`from_row`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, instance_id, kind, message_id, chat_id, address, tried, asks, valid_until, attempts, silences, code FROM job ",
            $rest
        )
    };
}

impl AccountStore<'_> {
    /// Puts a job at the end of the instance's line: now, or when its time comes.
    pub async fn enqueue(&mut self, job: &NewJob<'_>, now: Timestamp) -> Result<()> {
        let seq = self.next_seq(job.instance).await?;
        sql(
            // A job for now never joins before one that joined already: the clock may step back, and
            // the clocks of two processes differ.
            "INSERT INTO job (id, account_id, instance_id, seq, kind, message_id, chat_id, tried, attempts, silences, run_at, valid_until, version, address, asks, created_at, first_due) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0, 0, $8, $10, $11, $12, $13, $9, CASE WHEN $8 > $9 THEN $8 ELSE COALESCE( \
             (SELECT j.first_due FROM job j WHERE j.account_id = $2 AND j.instance_id = $3 AND j.first_due > $9 \
             AND (j.tried = 1 OR j.run_at = 0) ORDER BY j.first_due DESC LIMIT 1), $9) END)",
        )
        .bind(job.id)
        .bind(&self.id)
        .bind(job.instance)
        .bind(seq)
        .bind(job.kind.as_str())
        .bind(job.message)
        .bind(job.chat)
        .bind(job.run_at.unwrap_or_default())
        .bind(now)
        .bind(job.valid_until)
        .bind(job.kind.version())
        .bind(job.to)
        .bind(job.asks)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Jobs that are due, in the order of the line, at most `limit`; nothing of the chats in `without`, of
    /// which the first [`PASSED_OVER`] count.
    pub async fn due_jobs(
        &mut self,
        instance: &InstanceId,
        now: Timestamp,
        without: &[&ChatId],
        limit: u32,
    ) -> Result<Vec<Job>> {
        let mut passed = [""; PASSED_OVER];
        for (slot, chat) in passed.iter_mut().zip(without) {
            *slot = chat.as_str();
        }
        let rows = sql(select!(
            "WHERE account_id = $1 AND instance_id = $2 AND run_at <= $3 AND kind = $17 AND version <= $18 \
             AND chat_id NOT IN ($5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
             ORDER BY first_due, seq LIMIT $4"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(now)
        .bind(i64::from(limit))
        .bind_all(passed)
        .bind(JobKind::Send.as_str())
        .bind(JobKind::Send.version())
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// How many jobs of the instance this program does not know: a newer one left them, and takes them.
    pub async fn unknown_jobs(&mut self, instance: &InstanceId) -> Result<i64> {
        sql("SELECT COUNT(*) AS n FROM job WHERE account_id = $1 AND instance_id = $2 AND (kind <> $3 OR version > $4)")
            .bind(&self.id)
            .bind(instance)
            .bind(JobKind::Send.as_str())
            .bind(JobKind::Send.version())
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }

    /// When the next job that waits for its time is due.
    pub async fn next_due(
        &mut self,
        instance: &InstanceId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        sql(
            "SELECT run_at FROM job WHERE account_id = $1 AND instance_id = $2 AND run_at > $3 ORDER BY run_at LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(now)
        .fetch_optional(self.conn)
        .await?
        .map(|row| row.time("run_at"))
        .transpose()
    }

    /// The job of a message, while it is in the line.
    pub async fn job_of(
        &mut self,
        instance: &InstanceId,
        message: &MessageId,
    ) -> Result<Option<Job>> {
        sql(select!(
            "WHERE account_id = $1 AND instance_id = $2 AND message_id = $3 AND kind = $4 AND version <= $5"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(message)
        .bind(JobKind::Send.as_str())
        .bind(JobKind::Send.version())
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// Whether a message is in the line or stands aside: also one that [`AccountStore::job_of`] does not know.
    pub async fn has_job(&mut self, instance: &InstanceId, message: &MessageId) -> Result<bool> {
        let row = sql(
            "SELECT id FROM job WHERE account_id = $1 AND instance_id = $2 AND message_id = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(message)
        .fetch_optional(self.conn)
        .await?;
        Ok(row.is_some())
    }

    /// Where a message goes that may have been on the wire and is not acknowledged.
    pub async fn tried_addresses(&mut self, instance: &InstanceId) -> Result<Vec<Address>> {
        let rows = sql(
            "SELECT DISTINCT address FROM job WHERE account_id = $1 AND instance_id = $2 AND tried = 1 ORDER BY address",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("address").map(Address::from_wire))
            .collect()
    }

    /// From now on it may have been on the wire.
    pub async fn try_job(&mut self, id: &JobId) -> Result<bool> {
        let changed = sql("UPDATE job SET tried = 1 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(id)
            .execute(self.conn)
            .await?;
        Ok(changed > 0)
    }

    /// A try ended with a fault or a refusal; the job keeps its place.
    pub async fn retry_job(&mut self, id: &JobId, code: Option<&str>) -> Result<bool> {
        let changed = sql(
            "UPDATE job SET attempts = attempts + 1, code = $3 WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(code)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// A try got no answer at all; the job keeps its place.
    pub async fn silent_job(&mut self, id: &JobId) -> Result<bool> {
        let changed =
            sql("UPDATE job SET silences = silences + 1 WHERE account_id = $1 AND id = $2")
                .bind(&self.id)
                .bind(id)
                .execute(self.conn)
                .await?;
        Ok(changed > 0)
    }

    /// Takes the job of a message out of the line. `false` when it was out already.
    pub async fn finish_job(&mut self, instance: &InstanceId, message: &MessageId) -> Result<bool> {
        let deleted =
            sql("DELETE FROM job WHERE account_id = $1 AND instance_id = $2 AND message_id = $3")
                .bind(&self.id)
                .bind(instance)
                .bind(message)
                .execute(self.conn)
                .await?;
        Ok(deleted > 0)
    }

    /// The messages in the line, in its order.
    pub async fn queued_messages(&mut self, instance: &InstanceId) -> Result<Vec<MessageId>> {
        let rows = sql(
            "SELECT message_id FROM job WHERE account_id = $1 AND instance_id = $2 ORDER BY first_due, seq",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| row.text("message_id").map(MessageId::from_wire))
            .collect()
    }

    pub async fn job_count(&mut self, instance: &InstanceId) -> Result<i64> {
        sql("SELECT COUNT(*) AS n FROM job WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }
}

fn from_row(row: &Row) -> Result<Job> {
    let count = |name| row.i64(name).map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    Ok(Job {
        id: JobId::from_text(row.text("id")?),
        instance: InstanceId::from_text(row.text("instance_id")?),
        kind: row.parsed("kind", JobKind::parse)?,
        message: MessageId::from_wire(row.text("message_id")?),
        chat: ChatId::from_text(row.text("chat_id")?),
        to: Address::from_wire(row.text("address")?),
        tried: row.bool("tried")?,
        asks: row.bool("asks")?,
        valid_until: row.opt_time("valid_until")?,
        attempts: count("attempts")?,
        silences: count("silences")?,
        code: row.opt_text("code")?,
    })
}
