//! What is done to chats, and people in the address book, on all devices of the account.

use std::time::Duration;

use recado_model::{
    Address, Result,
    call::{ChangeChat, SaveContact, SetTimer},
    chat::{ChatAct, LastMessage, Mute},
};
use whatsapp_rust::{
    Client, Jid, SyncActionMessageRange,
    features::{message_key, message_range},
    wacore::time::now_secs,
};

use super::{
    super::{address::jid, core::LinkCore},
    ASK, within,
};

/// What came of it is in the sink a moment later.
const SETTLE: Duration = Duration::from_secs(5);

impl LinkCore {
    pub(super) async fn change_chat(&self, call: &ChangeChat) -> Result<()> {
        let client = self.online()?;
        let chat = self
            .chat_called(&client, (&call.chat, call.lid.as_ref()))
            .await?;
        let range = range(&chat, &call.last)?;
        within(ASK, act(&client, &chat, (call.act, range))).await?;
        self.told().await;
        Ok(())
    }

    /// Accounts that have moved to ids call their chats by those.
    pub(super) async fn chat_called(
        &self,
        client: &Client,
        (chat, lid): (&Address, Option<&Address>),
    ) -> Result<Jid> {
        let by_lid = match lid {
            Some(lid) if client.is_lid_migrated().await => Some(lid),
            _ => None,
        };
        jid("chat", by_lid.unwrap_or(chat))
    }

    pub(super) async fn save_contact(&self, call: &SaveContact) -> Result<()> {
        let client = self.online()?;
        let who = jid("phone", &Address::of_number(&call.phone))?;
        let (full, first) = (call.full_name.clone(), call.first_name.clone());
        let actions = client.chat_actions();
        let save = actions.save_contact(&who, Some(full), first, true);
        within(ASK, save).await?;
        self.told().await;
        Ok(())
    }

    pub(super) async fn set_timer(&self, call: &SetTimer) -> Result<()> {
        let client = self.online()?;
        let chat = jid("chat", &call.chat)?;
        match call.chat.is_group() {
            true => within(ASK, client.groups().set_ephemeral(&chat, call.seconds)).await,
            false => {
                let set = client.set_chat_disappearing_timer(chat, call.seconds);
                within(ASK, set).await.map(drop)
            }
        }
    }

    /// The library has fetched what it wrote, and noted it.
    pub(super) async fn told(&self) {
        if tokio::time::timeout(SETTLE, self.parts.journal.settled())
            .await
            .is_err()
        {
            tracing::debug!(instance.id = %self.parts.spec.instance, "what was done to a chat is taken later");
        }
    }
}

async fn act(
    client: &Client,
    chat: &Jid,
    (act, range): (ChatAct, SyncActionMessageRange),
) -> std::result::Result<(), whatsapp_rust::AppStateError> {
    let actions = client.chat_actions();
    let range = Some(range);
    match act {
        ChatAct::Archive(true) => actions.archive_chat(chat, range).await,
        ChatAct::Archive(false) => actions.unarchive_chat(chat, range).await,
        ChatAct::Pin(true) => actions.pin_chat(chat).await,
        ChatAct::Pin(false) => actions.unpin_chat(chat).await,
        ChatAct::Mute(Mute::Off) => actions.unmute_chat(chat).await,
        ChatAct::Mute(Mute::Forever) => actions.mute_chat(chat).await,
        ChatAct::Mute(Mute::Until(at)) => actions.mute_chat_until(chat, at.0).await,
        ChatAct::Read(read) => actions.mark_chat_as_read(chat, read, range).await,
        ChatAct::Clear { media } => actions.clear_chat(chat, true, media, range).await,
        ChatAct::Delete { media } => actions.delete_chat(chat, media, range).await,
    }
}

/// The messages that an act is about, as other stacks write it: all until now, and the newest by name. Lines that
/// nobody wrote, as of a timer, have no names here: of those all until now.
fn range(chat: &Jid, last: &[LastMessage]) -> Result<SyncActionMessageRange> {
    let mut keys = Vec::with_capacity(last.len());
    for message in last {
        let sender = message.sender.as_ref().filter(|_| !message.from_me);
        let sender = sender.map(|sender| jid("sender", sender)).transpose()?;
        let key = message_key(message.id.as_str(), chat, message.from_me, sender.as_ref());
        keys.push((key, message.at.0 / 1_000));
    }
    let newest = last.first().map_or(0, |message| message.at.0 / 1_000);
    let now = now_secs();
    Ok(message_range(newest.max(now), Some(now), keys))
}
