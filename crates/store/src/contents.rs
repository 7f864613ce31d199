//! Contents of messages: kind, readable text, and the protobuf, sealed.
//!
//! Of ours the protobuf is the finished message, kept from the acceptance on and repeated byte for byte on
//! each try. Of others' it is what they wrote, without wrappers: quotes, votes and media need it.

use recado_model::{
    AccountId, ContentKind, InstanceId, MessageId, MessageKey, content::MenuOption,
};
use zeroize::Zeroizing;

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    seal::Context,
    sql::{Row, sql},
};

const TABLE: &str = "message_content";
const COLUMN: &str = "proto";

/// The content of a message on its way into the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewContent<'a> {
    pub kind: ContentKind,
    pub text: Option<&'a str>,
    pub proto: &'a [u8],
    pub options: &'a [MenuOption],
    /// The earlier message whose words are in it.
    pub about: Option<&'a MessageId>,
}

impl AccountStore<'_> {
    pub(crate) async fn insert_content(
        &mut self,
        instance: &InstanceId,
        key: &MessageKey,
        content: &NewContent<'_>,
    ) -> Result<()> {
        let sealed = self.seal_proto(key, content.proto).await?;
        let options = match content.options {
            [] => None,
            options => {
                Some(serde_json::to_string(options).map_err(|_| StoreError::Column("options"))?)
            }
        };
        sql(
            "INSERT INTO message_content (message_key, account_id, instance_id, kind, text, proto, options, about) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        )
        .bind(key)
        .bind(&self.id)
        .bind(instance)
        .bind(content.kind.as_str())
        .bind(content.text)
        .bind(&sealed)
        .bind(options.as_deref())
        .bind(content.about)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    pub(crate) async fn seal_proto(&mut self, key: &MessageKey, proto: &[u8]) -> Result<Vec<u8>> {
        self.conn
            .seal_for(&self.id, TABLE, COLUMN, key.as_str(), proto)
            .await
    }

    /// From now on `proto` is what is sent. `false` when nothing is kept of the message.
    pub async fn replace_proto(&mut self, key: &MessageKey, proto: &[u8]) -> Result<bool> {
        let sealed = self.seal_proto(key, proto).await?;
        let replaced = sql(
            "UPDATE message_content SET proto = $3 WHERE account_id = $1 AND message_key = $2 AND proto IS NOT NULL",
        )
        .bind(&self.id)
        .bind(key)
        .bind(&sealed)
        .execute(self.conn)
        .await?;
        Ok(replaced > 0)
    }

    /// The protobuf of a message. `None` when it is not kept any more.
    pub async fn proto(&mut self, key: &MessageKey) -> Result<Option<Vec<u8>>> {
        let row = sql(
            "SELECT message_key, proto FROM message_content WHERE account_id = $1 AND message_key = $2",
        )
        .bind(&self.id)
        .bind(key)
        .fetch_optional(self.conn)
        .await?;
        self.opened(row).await
    }

    /// The finished message of one of ours, by its id.
    pub async fn finished(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
    ) -> Result<Option<Vec<u8>>> {
        let row = sql(
            "SELECT c.message_key, c.proto FROM message m JOIN message_content c ON c.message_key = m.key \
             WHERE m.account_id = $1 AND m.instance_id = $2 AND m.id = $3 AND m.direction = 'out'",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .fetch_optional(self.conn)
        .await?;
        self.opened(row).await
    }

    async fn opened(&mut self, row: Option<Row>) -> Result<Option<Vec<u8>>> {
        let Some(row) = row else {
            return Ok(None);
        };
        let Some(sealed) = row.opt_blob("proto")? else {
            return Ok(None);
        };
        let key = row.text("message_key")?;
        let ring = self.conn.ring_opening(&self.id, [&sealed]).await?;
        let context = Context::new(TABLE, COLUMN, self.id.as_str(), &key);
        ring.open(&context, &sealed).map(Some)
    }

    /// Seals what an instance's messages hold for this account: they were another's until now.
    pub(crate) async fn reseal_contents(
        &mut self,
        from: &AccountId,
        instance: &InstanceId,
    ) -> Result<()> {
        let rows = sql(
            "SELECT message_key, proto FROM message_content WHERE account_id = $1 AND instance_id = $2 AND proto IS NOT NULL",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        for row in rows {
            let key = MessageKey::from_text(row.text("message_key")?);
            let sealed = row.blob("proto")?;
            let old = self.conn.ring_opening(from, [&sealed]).await?;
            let context = Context::new(TABLE, COLUMN, from.as_str(), key.as_str());
            let plain = Zeroizing::new(old.open(&context, &sealed)?);
            let sealing = self
                .conn
                .seal_for(&self.id, TABLE, COLUMN, key.as_str(), &plain);
            let sealed = sealing.await?;
            sql("UPDATE message_content SET proto = $3 WHERE account_id = $1 AND message_key = $2")
                .bind(&self.id)
                .bind(&key)
                .bind(&sealed)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }
}
