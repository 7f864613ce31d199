//! Messages on their way in: WhatsApp's types to ours, and the hook that makes "acknowledged" mean
//! "committed".
//!
//! When the sink fails, or takes too long, the connection's gate is shut at once, the
//! acknowledgement is withheld, and WhatsApp delivers the message again at the next connection. By
//! then the library has written the decrypted message to the `pending` rows; if the ratchet's step is
//! written too, the library recognises the stanza and hands us the pending copy, and if it is not, the
//! message is decrypted anew. When even the pending row could not be written, the shut gate keeps the
//! ratchet's step from being written without it.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use recado_model::{
    Error, ErrorCode, InstanceId, Result,
    message::{InboundMessage, MessageId},
};
use whatsapp_rust::{
    Client, InboundDurabilityHook,
    anyhow::{self, anyhow},
    types::events::InboundMessage as WaMessage,
    wacore::types::message::MessageCategory,
    waproto::buffa::Message as _,
};

use super::{
    address,
    gate::{Gate, Trip},
    history,
    journal::Entry,
    kinds,
    parts::LinkParts,
    payload::{self, LONGEST_ID},
};

/// `None` for what no subscriber should see.
pub(super) async fn convert(
    client: &Client,
    instance: &InstanceId,
    item: &WaMessage,
) -> Result<Option<InboundMessage>> {
    let info = &item.info;
    if info.category == MessageCategory::Peer {
        return Ok(None);
    }
    let (message, wrapping) = payload::unwrap(&item.message);
    let Some(read) = kinds::read(message) else {
        return Ok(None);
    };
    if info.id.len() > LONGEST_ID {
        metrics::counter!("recado_messages_odd_total").increment(1);
        tracing::warn!(instance.id = %instance, bytes = info.id.len(), "a message with an id that nobody's program makes is left out");
        return Ok(None);
    }
    let mut content = message.clone();
    payload::without_keys(&mut content);
    payload::keep_secret(&item.message, &mut content);
    let addresses = address::of(client, &info.source).await?;
    Ok(Some(InboundMessage {
        instance: instance.clone(),
        id: MessageId::from_wire(info.id.clone()),
        chat: addresses.chat,
        sender: addresses.sender,
        from_me: info.source.is_from_me,
        push_name: Some(info.push_name.clone()).filter(|name| !name.is_empty()),
        kind: read.kind,
        text: read.text,
        tap: kinds::tap(&content),
        timer: kinds::timer(&content, payload::at(info)),
        about: kinds::changes(&content).and_then(|change| change.repeats().cloned()),
        at: payload::at(info),
        proto: content.encode_to_vec(),
        rendered: payload::stated(info, payload::render(&content)),
        arrival: payload::arrival(info, wrapping),
    }))
}

/// Hands a batch to the sink; `Ok` once it is committed.
pub(super) async fn deliver(link: &LinkParts, client: &Client, batch: &[WaMessage]) -> Result<()> {
    let _turn = link.delivering.lock().await;
    let mut messages = Vec::with_capacity(batch.len());
    for item in batch {
        messages.extend(convert(client, &link.spec.instance, item).await?);
    }
    if messages.is_empty() {
        return Ok(());
    }
    tokio::time::timeout(link.commit_within(), link.sink.messages(messages))
        .await
        .map_err(|_| too_slow())?
}

/// Notes which frames of history are to come: what becomes of one is told by nobody else.
async fn announced(link: &LinkParts, batch: &[WaMessage]) -> Result<()> {
    let Some(spool) = &link.spool else {
        return Ok(());
    };
    for item in batch.iter().filter(|item| history::is_announcement(item)) {
        spool.announced();
        spool.keep_key().await?;
        let id = item.info.id.clone();
        let noted = link.journal.note(Entry::HistoryAnnounced { id });
        noted.map_err(Error::internal)?;
    }
    Ok(())
}

/// Commits before WhatsApp hears of it. Weak: the client holds the hook, and the link the client.
pub(super) struct CommitHook {
    link: Weak<LinkParts>,
    gate: Gate,
}

impl CommitHook {
    pub(super) fn new(link: &Arc<LinkParts>, gate: Gate) -> Self {
        Self {
            link: Arc::downgrade(link),
            gate,
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
        // A message that a shut gate's client still decrypts comes again at the next connection.
        self.gate.check()?;
        announced(&link, batch).await.map_err(|error| {
            self.gate.trip(Trip::Journal);
            anyhow!("{error}")
        })?;
        deliver(&link, &client, batch).await.map_err(|error| {
            self.gate.trip(Trip::Commit);
            // The error's public text only: its source may quote what a database would not take.
            anyhow!("{error}")
        })
    }
}

/// The sink took too long: the commit is cancelled, and WhatsApp delivers again.
pub(super) fn too_slow() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "Storing incoming messages took too long; they are delivered again.",
    )
}
