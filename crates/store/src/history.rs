//! What phones send of their past: the frames that came, those that were announced, and the messages in them.
//!
//! A frame is kept once, by its digest, however often it comes. The bytes of one that waits are in its node's spool.

use recado_model::{
    ChatId, InstanceId, Timestamp,
    history::{Frame, FrameKind, PastMessage},
    message::Party,
};

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    messages::{Inserted, MessageRow, from_row},
    sql::{Row, sql},
};

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameState {
    Waiting,
    Stored,
    /// Not all of it could be read.
    Damaged,
    /// Its bytes are lost.
    Gone,
}

impl FrameState {
    pub const ALL: [Self; 4] = [Self::Waiting, Self::Stored, Self::Damaged, Self::Gone];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Stored => "stored",
            Self::Damaged => "damaged",
            Self::Gone => "gone",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A frame as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameRow {
    pub frame: Frame,
    pub state: FrameState,
    /// How often it came.
    pub times: i64,
}

/// How an instance stands with its phone's past.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryRow {
    /// In the order in which they came.
    pub frames: Vec<FrameRow>,
    /// How many were announced.
    pub announced: i64,
    /// When anything of it came last. `None`: nothing ever did.
    pub last_at: Option<Timestamp>,
    /// Nothing has come for a while.
    pub settled: bool,
    /// What was told to be missing last.
    pub told: String,
}

impl AccountStore<'_> {
    /// The phone has said that a frame is to be fetched.
    pub async fn note_history_announced(
        &mut self,
        instance: &InstanceId,
        id: &str,
        now: Timestamp,
    ) -> Result<()> {
        let noted = sql(
            "INSERT INTO history_notice (account_id, instance_id, id, at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(now)
        .execute(self.conn)
        .await?;
        match noted {
            0 => Ok(()),
            _ => self.touch_history(instance, now).await,
        }
    }

    /// A frame came, and waits in the spool of `node`. `false`: it had come before, and nobody needs these bytes.
    pub async fn keep_frame(
        &mut self,
        instance: &InstanceId,
        node: &str,
        frame: &Frame,
        now: Timestamp,
    ) -> Result<bool> {
        let row = sql(
            "INSERT INTO history_frame (account_id, instance_id, digest, node, name, kind, chunk_order, progress, request, state, came_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
             ON CONFLICT (instance_id, digest) DO UPDATE SET times = history_frame.times + CASE WHEN history_frame.name = $5 THEN 0 ELSE 1 END \
             RETURNING name, state",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(&frame.digest)
        .bind(node)
        .bind(&frame.name)
        .bind(frame.kind.as_str())
        .bind(frame.chunk_order)
        .bind(frame.progress)
        .bind(frame.request.as_deref())
        .bind(FrameState::Waiting.as_str())
        .bind(now)
        .fetch_one(self.conn)
        .await?;
        self.touch_history(instance, now).await?;
        let waits = row.text("state")? == FrameState::Waiting.as_str();
        Ok(waits && row.text("name")? == frame.name)
    }

    async fn touch_history(&mut self, instance: &InstanceId, now: Timestamp) -> Result<()> {
        sql(
            "INSERT INTO history_sync (account_id, instance_id, last_at) VALUES ($1, $2, $3) \
             ON CONFLICT (instance_id) DO UPDATE SET last_at = $3, settled = 0",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// A frame waits no more. `false`: it did not, or it is not there.
    pub async fn end_frame(
        &mut self,
        instance: &InstanceId,
        digest: &str,
        state: FrameState,
    ) -> Result<bool> {
        let ended = sql(
            "UPDATE history_frame SET state = $4 WHERE account_id = $1 AND instance_id = $2 AND digest = $3 AND state = 'waiting'",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(digest)
        .bind(state.as_str())
        .execute(self.conn)
        .await?;
        Ok(ended > 0)
    }

    pub async fn history(&mut self, instance: &InstanceId) -> Result<HistoryRow> {
        let rows = sql(
            "SELECT name, digest, kind, chunk_order, progress, request, state, times FROM history_frame \
             WHERE account_id = $1 AND instance_id = $2 ORDER BY came_at, digest",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        let frames = rows.iter().map(frame_row).collect::<Result<_>>()?;
        let announced = sql(
            "SELECT COUNT(*) AS n FROM history_notice WHERE account_id = $1 AND instance_id = $2",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_one(self.conn)
        .await?
        .i64("n")?;
        let stands = sql(
            "SELECT last_at, settled, told FROM history_sync WHERE account_id = $1 AND instance_id = $2",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_optional(self.conn)
        .await?;
        let mut history = HistoryRow {
            frames,
            announced,
            ..HistoryRow::default()
        };
        if let Some(row) = stands {
            history.last_at = Some(row.time("last_at")?);
            history.settled = row.bool("settled")?;
            history.told = row.text("told")?;
        }
        Ok(history)
    }

    /// Nothing has come since `last_at`, so that what is missing is; `told` is what is told of it. `false`: something
    /// has.
    pub async fn settle_history(
        &mut self,
        instance: &InstanceId,
        last_at: Timestamp,
        told: &str,
    ) -> Result<bool> {
        let settled = sql(
            "UPDATE history_sync SET settled = 1, told = $4 WHERE account_id = $1 AND instance_id = $2 AND last_at = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(last_at)
        .bind(told)
        .execute(self.conn)
        .await?;
        Ok(settled > 0)
    }

    /// The link is over, and what the next one brings has nothing to do with it.
    pub async fn forget_history(&mut self, instance: &InstanceId) -> Result<()> {
        sql("DELETE FROM history_frame WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        sql("DELETE FROM history_notice WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        sql("DELETE FROM history_sync WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// A message of the past. `None`: it is here already.
    pub async fn record_past(
        &mut self,
        past: &PastMessage,
        now: Timestamp,
    ) -> Result<Option<Inserted>> {
        self.insert_message(&past.into(), now).await
    }

    /// What somebody called themselves once: of whom nothing newer is known, it is their name.
    pub async fn note_past_name(
        &mut self,
        instance: &InstanceId,
        who: &Party,
        name: &str,
        now: Timestamp,
    ) -> Result<()> {
        let contact = self.contact(instance, who, now).await?;
        self.note_first_name(&contact, name).await
    }

    /// The oldest message of a chat that WhatsApp has.
    pub async fn oldest_message(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
    ) -> Result<Option<MessageRow>> {
        sql(crate::messages::select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.chat_id = $3 AND m.hidden = 0 \
             AND m.status IN ('received', 'sent', 'delivered', 'read') ORDER BY m.at, m.created_at, m.key LIMIT 1"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }
}

pub(crate) fn frame(row: &Row) -> Result<Frame> {
    Ok(Frame {
        name: row.text("name")?,
        kind: row.parsed("kind", FrameKind::parse)?,
        chunk_order: row.opt_i64("chunk_order")?,
        progress: row.opt_i64("progress")?,
        request: row.opt_text("request")?,
        digest: row.text("digest")?,
    })
}

fn frame_row(row: &Row) -> Result<FrameRow> {
    Ok(FrameRow {
        frame: frame(row)?,
        state: FrameState::parse(&row.text("state")?).ok_or(StoreError::Column("state"))?,
        times: row.i64("times")?,
    })
}
