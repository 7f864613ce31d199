//! What can be chosen of a message of ours, for whoever answers with a number.

use recado_model::{ChatId, InstanceId, MessageId, content::MenuOption};

use crate::{accounts::AccountStore, error::Result, sql::sql};

/// Messages of ours that somebody may have, and that are no acts.
macro_rules! of_ours {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, c.options FROM message m JOIN message_content c ON c.message_key = m.key \
             WHERE m.account_id = $1 AND m.instance_id = $2 AND m.direction = 'out' \
             AND m.status IN ('sending', 'unconfirmed', 'sent', 'delivered', 'read') \
             AND c.kind NOT IN ('reaction', 'edit', 'revoke', 'vote') ",
            $rest
        )
    };
}

impl AccountStore<'_> {
    /// What an answer in this chat is about: the message of ours that it quotes or, where it quotes none, the
    /// last one of ours there. `None` when nothing can be chosen of that.
    pub async fn menu_of(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        quoted: Option<&MessageId>,
    ) -> Result<Option<(MessageId, Vec<MenuOption>)>> {
        // Each by its own index: this is within the commit of what comes in.
        let row = match quoted {
            Some(id) => {
                sql(of_ours!("AND m.id = $4 AND m.chat_id = $3 LIMIT 1"))
                    .bind(&self.id)
                    .bind(instance)
                    .bind(chat)
                    .bind(id)
                    .fetch_optional(self.conn)
                    .await?
            }
            None => {
                sql(of_ours!(
                    "AND m.chat_id = $3 ORDER BY m.at DESC, m.key DESC LIMIT 1"
                ))
                .bind(&self.id)
                .bind(instance)
                .bind(chat)
                .fetch_optional(self.conn)
                .await?
            }
        };
        let Some(row) = row else {
            return Ok(None);
        };
        let Some(options) = row.opt_text("options")? else {
            return Ok(None);
        };
        let id = MessageId::from_wire(row.text("id")?);
        // What cannot be read must not hold up the answer, which WhatsApp would give again for ever.
        Ok(serde_json::from_str(&options)
            .ok()
            .map(|options| (id, options)))
    }
}
