//! Jobs: what an instance still has to do, strictly in order. The head blocks the rest, so that
//! messages leave in the order in which they were accepted.

use recado_model::{InstanceId, JobId, Timestamp};

use crate::{accounts::AccountStore, error::Result, sql::sql};

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
    /// Puts a job at the end of the instance's line; not before `run_at`.
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
            "INSERT INTO job (id, account_id, instance_id, seq, kind, payload, attempts, run_at, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8)",
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
            "SELECT id, instance_id, kind, payload, attempts, run_at, created_at FROM job \
             WHERE account_id = $1 AND instance_id = $2 ORDER BY seq LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = head else {
            return Ok(None);
        };
        let job = Job {
            id: JobId::from_text(row.text("id")?),
            instance: InstanceId::from_text(row.text("instance_id")?),
            kind: row.text("kind")?,
            payload: row.text("payload")?,
            attempts: u32::try_from(row.i64("attempts")?).unwrap_or(u32::MAX),
            run_at: row.time("run_at")?,
            created_at: row.time("created_at")?,
        };
        Ok((job.run_at <= now).then_some(job))
    }

    /// When the head of the line is due; `None` when there is no job.
    pub async fn next_due(&mut self, instance: &InstanceId) -> Result<Option<Timestamp>> {
        sql("SELECT run_at FROM job WHERE account_id = $1 AND instance_id = $2 ORDER BY seq LIMIT 1")
            .bind(&self.id)
            .bind(instance)
            .fetch_optional(self.conn)
            .await?
            .map(|row| row.time("run_at"))
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

    pub async fn job_count(&mut self, instance: &InstanceId) -> Result<i64> {
        sql("SELECT COUNT(*) AS n FROM job WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }
}
