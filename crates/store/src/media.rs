//! Media: what is known of each, and which file holds its sealed bytes. The files are not the store's.

use recado_model::{
    AccountId, InstanceId, MediaClass, MediaId, MediaState, MessageId, MessageKey, Timestamp,
    media::{MediaOrigin, MediumSecret},
};
use zeroize::Zeroizing;

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    seal::Context,
    sql::{Row, sql},
};

const TABLE: &str = "medium";
const COLUMN: &str = "secret";

/// A medium as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediumRow {
    pub id: MediaId,
    pub instance: InstanceId,
    /// `None` of an upload: messages that name it have rows of their own.
    pub message: Option<MessageKey>,
    pub class: MediaClass,
    pub mime: String,
    pub file_name: Option<String>,
    pub state: MediaState,
    /// Of the plain bytes; of what is not kept, as its sender says.
    pub length: Option<u64>,
    /// The file with the sealed bytes.
    pub object: Option<String>,
    pub secret: MediumSecret,
    /// Why the bytes are not here.
    pub error: Option<String>,
    pub attempts: u32,
    /// When its bytes were last brought to WhatsApp.
    pub uploaded_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// When somebody last had to do with its bytes.
    pub used_at: Timestamp,
}

/// A medium on its way into the store.
#[derive(Clone, Debug)]
pub struct NewMedium<'a> {
    pub id: &'a MediaId,
    pub instance: &'a InstanceId,
    pub message: Option<&'a MessageKey>,
    pub class: MediaClass,
    pub mime: &'a str,
    pub file_name: Option<&'a str>,
    pub length: Option<u64>,
    /// With it the medium is `Kept`, without it `Awaited`.
    pub object: Option<&'a str>,
    pub secret: &'a MediumSecret,
    /// Of an awaited one: when its bytes are to be fetched; `None` is when somebody asks.
    pub next_at: Option<Timestamp>,
}

/// What has come of an awaited medium.
#[derive(Clone, Debug)]
pub struct KeptMedium<'a> {
    pub mime: &'a str,
    pub length: u64,
    pub object: &'a str,
    pub secret: &'a MediumSecret,
}

/// The columns of a medium, as they are read by [`AccountStore::medium_from`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT d.id, d.instance_id, d.message_key, d.class, d.mime, d.file_name, d.state, d.length, d.object, d.secret, \
             d.error, d.attempts, d.uploaded_at, d.created_at, d.used_at FROM medium d ",
            $rest
        )
    };
}

impl AccountStore<'_> {
    pub async fn insert_medium(&mut self, new: &NewMedium<'_>, now: Timestamp) -> Result<()> {
        let secret = self.seal_medium(new.id, new.secret).await?;
        let state = match new.object {
            Some(_) => MediaState::Kept,
            None => MediaState::Awaited,
        };
        sql(
            "INSERT INTO medium (id, account_id, instance_id, message_key, class, mime, file_name, state, length, object, secret, \
             attempts, next_at, created_at, used_at, origin) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, $13, $13, $14)",
        )
        .bind(new.id)
        .bind(&self.id)
        .bind(new.instance)
        .bind(new.message)
        .bind(new.class.as_str())
        .bind(new.mime)
        .bind(new.file_name)
        .bind(state.as_str())
        .bind(new.length.map(bounded))
        .bind(new.object)
        .bind(&secret)
        .bind(new.next_at)
        .bind(now)
        .bind(new.secret.origin().map(MediaOrigin::as_str))
        .execute(self.conn)
        .await?;
        Ok(())
    }

    pub async fn medium(&mut self, id: &MediaId) -> Result<Option<MediumRow>> {
        let row = sql(select!("WHERE d.account_id = $1 AND d.id = $2"))
            .bind(&self.id)
            .bind(id)
            .fetch_optional(self.conn)
            .await?;
        self.medium_from(row).await
    }

    /// The medium of a message.
    pub async fn medium_of(&mut self, message: &MessageKey) -> Result<Option<MediumRow>> {
        let row = sql(select!("WHERE d.account_id = $1 AND d.message_key = $2"))
            .bind(&self.id)
            .bind(message)
            .fetch_optional(self.conn)
            .await?;
        self.medium_from(row).await
    }

    /// The medium of a message of ours.
    pub async fn outgoing_medium(
        &mut self,
        instance: &InstanceId,
        message: &MessageId,
    ) -> Result<Option<MediumRow>> {
        let row = sql(select!(
            "JOIN message m ON m.key = d.message_key \
             WHERE m.account_id = $1 AND m.instance_id = $2 AND m.id = $3 AND m.direction = 'out'"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(message)
        .fetch_optional(self.conn)
        .await?;
        self.medium_from(row).await
    }

    /// The medium of a message of ours as its caller gives it once more: what is kept stays as it is, for the
    /// message may be at its phone already. `false`: there was nothing to replace.
    pub async fn give_medium_again(
        &mut self,
        message: &MessageKey,
        new: &NewMedium<'_>,
        now: Timestamp,
    ) -> Result<bool> {
        let replaced = sql(
            "DELETE FROM medium WHERE account_id = $1 AND message_key = $2 AND state <> 'kept'",
        )
        .bind(&self.id)
        .bind(message)
        .execute(self.conn)
        .await?;
        if replaced == 0 {
            return Ok(false);
        }
        self.insert_medium(new, now).await?;
        Ok(true)
    }

    /// The bytes of an awaited medium have come. `false`: it is awaited no more.
    pub async fn keep_medium(&mut self, id: &MediaId, kept: &KeptMedium<'_>) -> Result<bool> {
        let secret = self.seal_medium(id, kept.secret).await?;
        let changed = sql(
            "UPDATE medium SET state = 'kept', mime = $3, length = $4, object = $5, secret = $6, error = NULL, next_at = NULL \
             WHERE account_id = $1 AND id = $2 AND state = 'awaited'",
        )
        .bind(&self.id)
        .bind(id)
        .bind(kept.mime)
        .bind(bounded(kept.length))
        .bind(kept.object)
        .bind(&secret)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// Its bytes are not to be had, or are no more.
    pub async fn end_medium(
        &mut self,
        id: &MediaId,
        state: MediaState,
        error: Option<&str>,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE medium SET state = $3, error = $4, object = NULL, next_at = NULL WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(state.as_str())
        .bind(error)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// A message of ours is over: what it still waits for is not fetched any more. `false`: it waited for nothing.
    pub async fn end_awaited(&mut self, message: &MessageKey, why: &str) -> Result<bool> {
        let changed = sql(
            "UPDATE medium SET state = 'failed', error = $3, next_at = NULL \
             WHERE account_id = $1 AND message_key = $2 AND state = 'awaited'",
        )
        .bind(&self.id)
        .bind(message)
        .bind(why)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// A try to fetch its bytes ended with a fault: the next one is at `next_at`.
    pub async fn retry_medium(
        &mut self,
        id: &MediaId,
        error: &str,
        next_at: Option<Timestamp>,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE medium SET attempts = attempts + 1, error = $3, next_at = $4 \
             WHERE account_id = $1 AND id = $2 AND state = 'awaited'",
        )
        .bind(&self.id)
        .bind(id)
        .bind(error)
        .bind(next_at)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// From where its bytes come has changed: WhatsApp put them elsewhere.
    pub async fn move_medium(&mut self, id: &MediaId, secret: &MediumSecret) -> Result<bool> {
        let secret = self.seal_medium(id, secret).await?;
        let changed = sql("UPDATE medium SET secret = $3 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(id)
            .bind(&secret)
            .execute(self.conn)
            .await?;
        Ok(changed > 0)
    }

    /// Somebody asks for its bytes: they are to be fetched now, where nobody does it yet.
    pub async fn want_medium(&mut self, id: &MediaId, now: Timestamp) -> Result<bool> {
        let changed = sql(
            "UPDATE medium SET next_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'awaited' AND next_at IS NULL",
        )
        .bind(&self.id)
        .bind(id)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// Whoever fetches its bytes has until `until`, or until now gives it up.
    pub async fn hold_medium(&mut self, id: &MediaId, until: Timestamp) -> Result<bool> {
        let changed = sql(
            "UPDATE medium SET next_at = $3 WHERE account_id = $1 AND id = $2 AND state = 'awaited'",
        )
        .bind(&self.id)
        .bind(id)
        .bind(until)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// A message of ours was brought to WhatsApp with its medium: from now on `proto` is what is sent.
    pub async fn fill_message(
        &mut self,
        medium: &MediumRow,
        proto: &[u8],
        now: Timestamp,
    ) -> Result<bool> {
        let Some(message) = &medium.message else {
            return Ok(false);
        };
        let filled = self.replace_proto(message, proto).await?;
        sql("UPDATE medium SET uploaded_at = $3, used_at = $3 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(&medium.id)
            .bind(now)
            .execute(self.conn)
            .await?;
        Ok(filled)
    }

    /// Somebody had to do with its bytes: they are kept for as long as anew.
    pub async fn use_medium(&mut self, id: &MediaId, now: Timestamp) -> Result<()> {
        sql("UPDATE medium SET used_at = $3 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(id)
            .bind(now)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn seal_medium(&mut self, id: &MediaId, secret: &MediumSecret) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(secret).map_err(|_| StoreError::Column(COLUMN))?;
        let plain = Zeroizing::new(plain);
        self.conn
            .seal_for(&self.id, TABLE, COLUMN, id.as_str(), &plain)
            .await
    }

    async fn medium_from(&mut self, row: Option<Row>) -> Result<Option<MediumRow>> {
        let Some(row) = row else {
            return Ok(None);
        };
        let id = row.text("id")?;
        let sealed = row.blob("secret")?;
        let ring = self.conn.ring_opening(&self.id, [&sealed]).await?;
        let context = Context::new(TABLE, COLUMN, self.id.as_str(), &id);
        let plain = Zeroizing::new(ring.open(&context, &sealed)?);
        let secret = serde_json::from_slice(&plain)
            .map_err(|_| StoreError::Sealed(format!("{TABLE}.{COLUMN}")))?;
        Ok(Some(MediumRow {
            id: MediaId::from_text(id),
            instance: InstanceId::from_text(row.text("instance_id")?),
            message: row.opt_text("message_key")?.map(MessageKey::from_text),
            class: row.parsed("class", MediaClass::parse)?,
            mime: row.text("mime")?,
            file_name: row.opt_text("file_name")?,
            state: row.parsed("state", MediaState::parse)?,
            length: row
                .opt_i64("length")?
                .map(|length| u64::try_from(length).unwrap_or_default()),
            object: row.opt_text("object")?,
            secret,
            error: row.opt_text("error")?,
            attempts: u32::try_from(row.i64("attempts")?).unwrap_or(u32::MAX),
            uploaded_at: row.opt_time("uploaded_at")?,
            created_at: row.time("created_at")?,
            used_at: row.time("used_at")?,
        }))
    }

    /// Seals what is known of an instance's media for this account: they were another's until now.
    pub(crate) async fn reseal_media(
        &mut self,
        from: &AccountId,
        instance: &InstanceId,
    ) -> Result<()> {
        let rows = sql("SELECT id, secret FROM medium WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .fetch_all(self.conn)
            .await?;
        for row in rows {
            let (id, sealed) = (row.text("id")?, row.blob("secret")?);
            let old = self.conn.ring_opening(from, [&sealed]).await?;
            let context = Context::new(TABLE, COLUMN, from.as_str(), &id);
            let plain = Zeroizing::new(old.open(&context, &sealed)?);
            let sealed = self
                .conn
                .seal_for(&self.id, TABLE, COLUMN, &id, &plain)
                .await?;
            sql("UPDATE medium SET secret = $3 WHERE account_id = $1 AND id = $2")
                .bind(&self.id)
                .bind(&id)
                .bind(&sealed)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }
}

/// A length as a column has it.
fn bounded(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
