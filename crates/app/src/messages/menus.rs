//! An answer to something that could be chosen from: which of it.

use recado_model::{
    ContentKind, InstanceId, MessageId, Result, Timestamp,
    content::{Choice, Menu},
    message::InboundMessage,
};
use recado_store::AccountStore;
use serde_json::Value;

/// What a message that came in chooses: by a number, or, where it quotes the menu, also by its words.
pub(crate) async fn choice(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    message: &InboundMessage,
    now: Timestamp,
) -> Result<Option<Choice>> {
    let Some(answer) = message.text.as_deref().filter(|_| !message.from_me) else {
        return Ok(None);
    };
    let quoted = quoted(&message.rendered.message);
    if message.kind != ContentKind::Text || quoted.is_none() && !Menu::is_number(answer) {
        return Ok(None);
    }
    let chat = store.chat(instance, &message.chat, now).await?;
    let menu = store.menu_of(instance, &chat, quoted.as_ref()).await?;
    Ok(menu.and_then(|(message, options)| {
        let option = Menu::chosen(&options, answer)?.clone();
        Some(Choice { message, option })
    }))
}

fn quoted(message: &Value) -> Option<MessageId> {
    let id = &message["extended_text_message"]["context_info"]["stanza_id"];
    id.as_str().map(MessageId::from_wire)
}
