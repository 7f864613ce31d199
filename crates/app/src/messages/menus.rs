//! An answer to something that could be chosen from: which of it.

use recado_model::{
    ContentKind, InstanceId, MessageId, Result, Timestamp,
    content::{Choice, Menu, Tap},
    message::InboundMessage,
};
use recado_store::AccountStore;
use serde_json::Value;

/// What a message that came in chooses: by a tap, by a number, or, where it quotes the
/// menu, also by its words.
pub(crate) async fn choice(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    message: &InboundMessage,
    now: Timestamp,
) -> Result<Option<Choice>> {
    if message.from_me {
        return Ok(None);
    }
    if let Some(tap) = &message.tap {
        return tapped(store, instance, message, tap, now).await;
    }
    let Some(answer) = message.text.as_deref() else {
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

/// The id is the sender's word: it counts where that menu has such an option, in this chat.
async fn tapped(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    message: &InboundMessage,
    tap: &Tap,
    now: Timestamp,
) -> Result<Option<Choice>> {
    let chat = store.chat(instance, &message.chat, now).await?;
    let menu = store.menu_of(instance, &chat, Some(&tap.menu)).await?;
    Ok(menu.and_then(|(message, options)| {
        let mut options = options.into_iter();
        let option = options.find(|option| option.id == tap.option_id)?;
        Some(Choice { message, option })
    }))
}

fn quoted(message: &Value) -> Option<MessageId> {
    let id = &message["extended_text_message"]["context_info"]["stanza_id"];
    id.as_str().map(MessageId::from_wire)
}
