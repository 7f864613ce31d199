//! Messages on their way in: WhatsApp's types to ours, and the hook that makes "acknowledged" mean
//! "committed".
//!
//! What happens when the sink fails: the library has already written the decrypted message to the
//! `pending` rows, withholds the acknowledgement, and WhatsApp delivers the message again at the next
//! connection. The ratchet has moved on by then, so the library recognises the stanza and hands us
//! the pending copy instead. Hence the link reconnects after a failure, and a crash between the two
//! loses nothing. When even the pending row cannot be written, the backend's fence goes up: the
//! ratchet step is not written either, and the message can be decrypted anew.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use recado_model::{
    Error, ErrorCode, InstanceId,
    message::{InboundMessage, MessageId},
};
use whatsapp_rust::{
    Client, InboundDurabilityHook,
    anyhow::{self, anyhow},
    types::events::InboundMessage as WaMessage,
    wacore::types::message::MessageCategory,
};

use super::{address, content, link::LinkCore, payload};

/// `None` for what no subscriber should see.
pub(super) async fn convert(
    client: &Client,
    instance: &InstanceId,
    item: &WaMessage,
) -> Option<InboundMessage> {
    let info = &item.info;
    if info.category == MessageCategory::Peer {
        return None;
    }
    let (message, wrapping) = payload::unwrap(&item.message);
    let content = content::of(message)?;
    let addresses = address::of(client, &info.source).await;
    let body = payload::body(info, &addresses, message, wrapping);
    Some(InboundMessage {
        instance: instance.clone(),
        id: MessageId::from_wire(info.id.clone()),
        chat: addresses.chat,
        sender: addresses.sender,
        from_me: info.source.is_from_me,
        is_group: addresses.is_group,
        push_name: Some(info.push_name.clone()).filter(|name| !name.is_empty()),
        kind: content.kind.to_owned(),
        text: content.text,
        at: payload::at(info),
        body,
    })
}

/// Commits before WhatsApp hears of it. Weak: the client holds the hook, and the link the client.
pub(super) struct CommitHook {
    link: Weak<LinkCore>,
    epoch: u64,
}

impl CommitHook {
    pub(super) fn new(link: &Arc<LinkCore>, epoch: u64) -> Self {
        Self {
            link: Arc::downgrade(link),
            epoch,
        }
    }
}

#[async_trait]
impl InboundDurabilityHook for CommitHook {
    async fn on_messages(&self, client: Arc<Client>, batch: &[WaMessage]) -> anyhow::Result<()> {
        let link = self
            .link
            .upgrade()
            .ok_or_else(|| anyhow!("the link is gone; WhatsApp delivers again"))?;
        match link.deliver(&client, batch).await {
            Ok(()) => {
                link.delivered();
                Ok(())
            }
            Err(error) => {
                link.redeliver(self.epoch);
                // The error's public text only: its source may quote what a database would not take.
                Err(anyhow!("{error}"))
            }
        }
    }
}

/// The sink took too long: the commit is cancelled, and WhatsApp delivers again.
pub(super) fn too_slow() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "Storing incoming messages took too long; they are delivered again.",
    )
}
