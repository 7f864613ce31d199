//! Jobs: what an instance still has to do, strictly in order. The head blocks the rest, also while it
//! waits for its next try, so that messages leave in the order in which they were accepted. A job
//! that is to run later is not in the line before its time, and then joins it at the end.
//!
//! The line is ordered by `first_due`, the time a job joins it, which never changes, and then `seq`.

use recado_model::{InstanceId, JobId, Timestamp};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    pub id: JobId,
    pub instance: InstanceId,
    pub kind: String,
    /// JSON, as the kind has it.
    pub payload: String,
    /// Tries already made.
    pub attempts: u32,
    pub run_at: Timestamp,
    pub created_at: Timestamp,
}

impl AccountStore<'_> {
    /// Puts a job at the end of the instance's line: now, or at `run_at` when that is later.
    pub async fn enqueue(
        &mut self,
        id: &JobId,
        instance: &InstanceId,
        kind: &str,
        payload: &str,
        run_at: Timestamp,
        now: Timestamp,
    ) -> Result<()> {
        let seq = self.next_seq(instance).await?;
        sql(
            // A job for now never joins before one that joined already: the clock may step back, and
            // the clocks of two processes differ.
            "INSERT INTO job (id, account_id, instance_id, seq, kind, payload, attempts, run_at, created_at, first_due) \
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, CASE WHEN $7 > $8 THEN $7 ELSE COALESCE( \
             (SELECT j.first_due FROM job j WHERE j.account_id = $2 AND j.instance_id = $3 AND j.first_due > $8 \
             AND (j.attempts > 0 OR j.run_at <= j.created_at) ORDER BY j.first_due DESC LIMIT 1), $8) END)",
        )
        .bind(id)
        .bind(&self.id)
        .bind(instance)
        .bind(seq)
        .bind(kind)
        .bind(payload)
        .bind(run_at)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// The head of the line, when it is due.
    pub async fn next_job(&mut self, instance: &InstanceId, now: Timestamp) -> Result<Option<Job>> {
        let head = sql(
            // The first of all, those not in the line included: when it is not in it, none is.
            "SELECT id, instance_id, kind, payload, attempts, run_at, created_at, first_due FROM job \
             WHERE account_id = $1 AND instance_id = $2 ORDER BY first_due, seq LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = head else {
            return Ok(None);
        };
        let due = due_at(&row)?;
        let job = Job {
            id: JobId::from_text(row.text("id")?),
            instance: InstanceId::from_text(row.text("instance_id")?),
            kind: row.text("kind")?,
            payload: row.text("payload")?,
            attempts: u32::try_from(row.i64("attempts")?).unwrap_or(u32::MAX),
            run_at: row.time("run_at")?,
            created_at: row.time("created_at")?,
        };
        Ok((due <= now).then_some(job))
    }

    /// When the head of the line is due, or the line gets one; `None` when there is no job.
    pub async fn next_due(&mut self, instance: &InstanceId) -> Result<Option<Timestamp>> {
        sql(
            "SELECT run_at, first_due FROM job WHERE account_id = $1 AND instance_id = $2 ORDER BY first_due, seq LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_optional(self.conn)
        .await?
        .map(|row| due_at(&row))
        .transpose()
    }

    /// Done, or given up: takes it out of the line. `false` when it was out already.
    pub async fn finish_job(&mut self, id: &JobId) -> Result<bool> {
        let deleted = sql("DELETE FROM job WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(id)
            .execute(self.conn)
            .await?;
        Ok(deleted > 0)
    }

    /// Keeps its place and tries again at `run_at`.
    pub async fn retry_job(&mut self, id: &JobId, run_at: Timestamp) -> Result<bool> {
        let changed = sql(
            "UPDATE job SET attempts = attempts + 1, run_at = $3 WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(run_at)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// Empties the line, because nothing of it can be done any more: takes out all jobs of the
    /// instance, and its messages that have not reached WhatsApp have failed with `reason`, a text
    /// for a person. The number of jobs.
    pub async fn drop_queue(
        &mut self,
        instance: &InstanceId,
        reason: &str,
        now: Timestamp,
    ) -> Result<u64> {
        let dropped = sql("DELETE FROM job WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        sql(
            "UPDATE message SET status = 'failed', reason = $3, updated_at = $4 \
             WHERE account_id = $1 AND instance_id = $2 AND direction = 'out' AND status IN ('queued', 'sending')",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(reason)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(dropped)
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

/// In the line, and not waiting for its next try.
fn due_at(row: &Row) -> Result<Timestamp> {
    Ok(row.time("first_due")?.max(row.time("run_at")?))
}
