//! What the other side sees beside messages: that somebody writes, and that a message was read. Told at once
//! or not at all, so nothing of it is queued.

use recado_identity::Granted;
use recado_model::{
    Address, Direction, Error, ErrorCode, Instance, MessageId, PhoneNumber, Result,
    call::{MarkRead, Typing},
    message::{Party, TypingState},
};
use recado_store::{AccountStore, MessageRow};

use super::{Messages, numbers};
use crate::instances::require_paired;

/// In one call.
const MOST_READ: usize = 1_000;

impl Messages<'_> {
    /// Shows the chat that this number writes or records, or has stopped.
    pub async fn show_typing(&self, granted: &Granted, to: &str, state: TypingState) -> Result<()> {
        let mut chat = Address::from_caller(to)?;
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await?;
        if let Some(number) = chat.number() {
            let phone = PhoneNumber::parse(number)?;
            chat = numbers::address_of(self.app, granted, &phone).await?;
        }
        self.app
            .exchange
            .ask(granted.account(), granted.id(), Typing { chat, state })
            .await
    }

    /// Tells senders that these messages of theirs were read.
    pub async fn mark_read(
        &self,
        granted: &Granted,
        chat: &str,
        sender: Option<&str>,
        ids: &[String],
    ) -> Result<()> {
        if ids.is_empty() || ids.len() > MOST_READ {
            return Err(Error::field(
                "id",
                "id is required: the ids of the messages that were read, 1 to 1000",
            ));
        }
        let renamed = |name| move |error: Error| error.renamed("phone", name);
        let chat = Address::from_caller(chat).map_err(renamed("chat"))?;
        let sender = sender.map(|sender| Address::from_caller(sender).map_err(renamed("sender")));
        let sender = sender.transpose()?;
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await?;
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let mut calls: Vec<MarkRead> = Vec::new();
        for id in ids {
            let row = received(&mut store, granted.instance(), &chat, id).await?;
            if let Some(sender) = &sender {
                require_sender(&mut store, &row, sender).await?;
            }
            put(&mut calls, row);
        }
        drop(conn);
        for call in calls {
            let (chat, read) = (call.chat.clone(), call.ids.clone());
            self.app
                .exchange
                .ask(granted.account(), granted.id(), call)
                .await?;
            self.note_read(granted, chat, &read).await?;
        }
        Ok(())
    }

    /// They count as read from now on.
    async fn note_read(&self, granted: &Granted, chat: Address, ids: &[MessageId]) -> Result<()> {
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        store.lock_instance(granted.id()).await?;
        let chat = store.chat(granted.id(), &Party::only(chat), now).await?;
        store.read_messages(granted.id(), &chat, ids).await?;
        conn.commit().await?;
        Ok(())
    }
}

/// Somebody else's message of this chat.
async fn received(
    store: &mut AccountStore<'_>,
    instance: &Instance,
    chat: &Address,
    id: &str,
) -> Result<MessageRow> {
    let id = MessageId::from_wire(id);
    let row = store.message_of_chat(&instance.id, chat, &id).await?;
    match row {
        Some(row) if row.direction == Direction::In => Ok(row),
        Some(_) => Err(Error::field(
            "id",
            format!("id: {id} was sent by this number itself; only what others wrote can be read"),
        )),
        None => Err(Error::new(
            ErrorCode::NotFound,
            "id: no such message is known in this chat. Take chat and id as their event has them.",
        )
        .with_field("id")),
    }
}

async fn require_sender(
    store: &mut AccountStore<'_>,
    row: &MessageRow,
    sender: &Address,
) -> Result<()> {
    if row.sender == *sender
        || row.wire_sender == *sender
        || store
            .is_one_person(&row.instance, &row.sender, sender)
            .await?
    {
        return Ok(());
    }
    let text = format!("sender: {} was written by somebody else", row.id);
    Err(Error::field("sender", text))
}

/// One call for each sender; chat and sender as the message itself named them.
fn put(calls: &mut Vec<MarkRead>, row: MessageRow) {
    let sender = row.wire_chat.is_group().then_some(row.wire_sender);
    let known = calls
        .iter_mut()
        .find(|call| call.chat == row.wire_chat && call.sender == sender);
    match known {
        Some(call) if call.ids.contains(&row.id) => {}
        Some(call) => call.ids.push(row.id),
        None => calls.push(MarkRead {
            chat: row.wire_chat,
            sender,
            ids: vec![row.id],
        }),
    }
}
