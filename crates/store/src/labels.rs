//! The labels of an account, and which chats have them. They are kept as devices tell of them.

use std::collections::HashMap;

use recado_model::{ChatId, InstanceId, chat::Label};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, built, placeholders, sql},
};

/// No id of the phone's own is as large; those beyond are no numbers to count on from.
const NUMBER_MOST: i64 = 1_000_000;

impl AccountStore<'_> {
    /// In the order of their ids.
    pub async fn labels(&mut self, instance: &InstanceId) -> Result<Vec<Label>> {
        let rows = sql(
            "SELECT id, name, color FROM chat_label WHERE account_id = $1 AND instance_id = $2 AND listed = 1 ORDER BY number, id",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(label).collect()
    }

    pub async fn label(&mut self, instance: &InstanceId, id: &str) -> Result<Option<Label>> {
        sql("SELECT id, name, color FROM chat_label WHERE account_id = $1 AND instance_id = $2 AND id = $3 AND listed = 1")
            .bind(&self.id)
            .bind(instance)
            .bind(id)
            .fetch_optional(self.conn)
            .await?
            .map(|row| label(&row))
            .transpose()
    }

    /// The id of a new label, which nobody else gets. The caller holds the instance.
    pub async fn reserve_label(&mut self, instance: &InstanceId) -> Result<String> {
        let row = sql(
            "SELECT COALESCE(MAX(number), 0) AS n FROM chat_label WHERE account_id = $1 AND instance_id = $2 AND number < $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(NUMBER_MOST)
        .fetch_one(self.conn)
        .await?;
        let id = (row.i64("n")? + 1).to_string();
        self.write_label(instance, &id, None).await?;
        Ok(id)
    }

    /// A device has made, changed or (`None`) deleted a label. The caller holds the instance.
    pub async fn put_label(
        &mut self,
        instance: &InstanceId,
        id: &str,
        label: Option<(&str, i32)>,
    ) -> Result<()> {
        self.write_label(instance, id, label).await?;
        if label.is_none() {
            sql("DELETE FROM chat_labelled WHERE account_id = $1 AND instance_id = $2 AND label_id = $3")
                .bind(&self.id)
                .bind(instance)
                .bind(id)
                .execute(self.conn)
                .await?;
        }
        Ok(())
    }

    async fn write_label(
        &mut self,
        instance: &InstanceId,
        id: &str,
        label: Option<(&str, i32)>,
    ) -> Result<()> {
        let (name, color) = label.unwrap_or_default();
        sql(
            "INSERT INTO chat_label (account_id, instance_id, id, number, name, color, listed) VALUES ($1, $2, $3, $4, $5, $6, $7) \
             ON CONFLICT (instance_id, id) DO UPDATE SET name = excluded.name, color = excluded.color, listed = excluded.listed \
             WHERE chat_label.account_id = excluded.account_id",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(id.parse().unwrap_or(0_i64).max(0))
        .bind(name)
        .bind(i64::from(color))
        .bind(label.is_some())
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// A device has put a label on a chat, or taken it off. The caller holds the instance.
    pub async fn label_chat(
        &mut self,
        instance: &InstanceId,
        (chat, label): (&ChatId, &str),
        on: bool,
    ) -> Result<()> {
        if !on {
            sql("DELETE FROM chat_labelled WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND label_id = $4")
                .bind(&self.id)
                .bind(instance)
                .bind(chat)
                .bind(label)
                .execute(self.conn)
                .await?;
            return Ok(());
        }
        sql("INSERT INTO chat_labelled (account_id, instance_id, chat_id, label_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .bind(label)
            .execute(self.conn)
            .await?;
        sql("UPDATE chat SET listed = 1 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(chat)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// The labels of these chats, each in the order of their ids.
    pub async fn labels_of(
        &mut self,
        instance: &InstanceId,
        chats: &[ChatId],
    ) -> Result<HashMap<ChatId, Vec<Label>>> {
        let mut found: HashMap<ChatId, Vec<Label>> = HashMap::new();
        if chats.is_empty() {
            return Ok(found);
        }
        let rows = built(format!(
            "SELECT c.chat_id, l.id, l.name, l.color FROM chat_labelled c \
             JOIN chat_label l ON l.instance_id = c.instance_id AND l.id = c.label_id AND l.listed = 1 \
             WHERE c.account_id = $1 AND c.instance_id = $2 AND c.chat_id IN ({}) ORDER BY l.number, l.id",
            placeholders(3, chats.len())
        ))
        .uncached()
        .bind(&self.id)
        .bind(instance)
        .bind_all(chats)
        .fetch_all(self.conn)
        .await?;
        for row in &rows {
            let chat = ChatId::from_text(row.text("chat_id")?);
            found.entry(chat).or_default().push(label(row)?);
        }
        Ok(found)
    }

    /// Of two chats that are one.
    pub(crate) async fn merge_labels(
        &mut self,
        instance: &InstanceId,
        gone: &ChatId,
        kept: &ChatId,
    ) -> Result<()> {
        sql(
            "INSERT INTO chat_labelled (account_id, instance_id, chat_id, label_id) \
             SELECT account_id, instance_id, $4, label_id FROM chat_labelled \
             WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 ON CONFLICT DO NOTHING",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(gone)
        .bind(kept)
        .execute(self.conn)
        .await?;
        sql(
            "DELETE FROM chat_labelled WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(gone)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// They were another phone's.
    pub async fn drop_labels(&mut self, instance: &InstanceId) -> Result<()> {
        sql("DELETE FROM chat_labelled WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        sql("DELETE FROM chat_label WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        Ok(())
    }
}

fn label(row: &Row) -> Result<Label> {
    Ok(Label {
        id: row.text("id")?,
        name: row.text("name")?,
        color: i32::try_from(row.i64("color")?).unwrap_or_default(),
    })
}
