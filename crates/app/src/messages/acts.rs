//! What callers do to earlier messages: react, edit, delete. Each act is a message of its own, and goes the way
//! of every other one; what is judged here is whether the message that it is about allows it.

use recado_identity::Granted;
use recado_model::{
    Address, AddressKind, ChatId, Content, ContentKind, Direction, Error, ErrorCode, Instance,
    MessageId, MessageStatus, PhoneNumber, Result, Timestamp,
    content::{Ballot, Edit, Reaction, Revoke, Target, Text, Vote, Voting},
    group::Rank,
};
use recado_store::{AccountStore, MessageRow};

use super::{
    Accepted, Messages, SendMessage, SendOptions,
    changes::{EDIT_WINDOW_MS, is_about_another},
    numbers, valid_until, votes,
};
use crate::instances::require_paired;

/// How long a message that is being sent is waited for.
const PATIENCE_MS: i64 = 2_000;
/// Before the id of one's own message, as clients of polls write it.
const OWN: &str = "me:";

/// The message that a caller names.
#[derive(Clone, Debug, Default)]
pub struct Named {
    pub message_id: String,
    /// Where it is; need not be given.
    pub chat: Option<String>,
    /// Who wrote it; need not be given, and is called `poll_sender`.
    pub sender: Option<String>,
    /// One of one's own, also without [`OWN`] before its id.
    pub own: bool,
}

/// What is done to it.
#[derive(Clone, Debug)]
pub enum Act {
    /// `""` takes an earlier sign back.
    React(String),
    Edit(Text),
    Delete,
    /// The options chosen of a poll; none take an earlier vote back. `field` is what the caller calls them.
    Vote {
        options: Vec<String>,
        field: &'static str,
    },
}

/// An act that was accepted.
#[derive(Clone, Debug)]
pub struct Acted {
    /// Of the act itself.
    pub id: MessageId,
    /// Of the message that it is about.
    pub target: MessageId,
    pub at: Timestamp,
}

impl Messages<'_> {
    /// Accepts an act. Who reads this: the stored message changes once WhatsApp has the act.
    pub async fn act(
        &self,
        granted: &Granted,
        named: &Named,
        act: Act,
        mut how: SendOptions,
    ) -> Result<Acted> {
        require_paired(granted.instance())?;
        let mut row = self.named(granted, named, Some(&act)).await?;
        // The same act again is judged by its own row alone: it may have done its work.
        let is_new = !self.is_known(granted, how.id.as_deref()).await?;
        if is_new {
            row = self.once_sent(granted, row).await?;
            require_fit(&row, &act, self.app.core.clock.now())?;
            if matches!(act, Act::Delete) && row.direction == Direction::In {
                self.require_admin(granted, &row.wire_chat).await?;
            }
        }
        if matches!(act, Act::Edit(_)) {
            keep_in_window(&row, &mut how, self.app.core.clock.now())?;
        }
        let ballot = match &act {
            Act::Vote { options, field } if is_new => {
                self.ballot(granted, &row, (options, field)).await?
            }
            _ => Ballot::default(),
        };
        let target = Target {
            id: row.id.clone(),
            chat: row.wire_chat.clone(),
            sender: row.wire_sender,
            from_me: row.direction == Direction::Out,
        };
        let content = match act {
            Act::Vote { options, .. } => Content::Vote(Vote::new(target, &options, ballot)),
            Act::React(sign) => Content::Reaction(Reaction::new(target, &sign)?),
            Act::Edit(text) => Content::Edit(Edit { target, text }),
            Act::Delete => Content::Revoke(Revoke { target }),
        };
        let to = row.wire_chat.to_string();
        let at = self.app.core.clock.now();
        let send = SendMessage { to, content, how };
        let Accepted { id, .. } = self.send_into(granted, send).await?;
        Ok(Acted {
            id,
            target: row.id,
            at,
        })
    }

    /// The message that a caller names, to do this to it.
    pub(super) async fn named(
        &self,
        granted: &Granted,
        named: &Named,
        act: Option<&Act>,
    ) -> Result<MessageRow> {
        let (id, mut own) = match named.message_id.trim().strip_prefix(OWN) {
            Some(id) => (id, true),
            None => (named.message_id.trim(), named.own),
        };
        if id.is_empty() {
            let text = "message_id is required: the id of the message that this is about";
            return Err(Error::field("message_id", text));
        }
        let id = MessageId::from_wire(id);
        let chat = match &named.chat {
            Some(chat) => Some(self.chat(granted, chat).await?),
            None => None,
        };
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let mut found = found(&mut store, granted.instance(), chat.as_ref(), &id).await?;
        if let Some(sender) = &named.sender {
            let sender = Address::from_caller(sender)
                .map_err(|error| error.renamed("phone", "poll_sender"))?;
            found = written_by(&mut store, found, &sender).await?;
        }
        // Only ours can be changed: somebody else's with the same id is not meant.
        let ours = |row: &MessageRow| row.direction == Direction::Out;
        own |= matches!(act, Some(Act::Edit(_) | Act::Delete)) && found.iter().any(ours);
        // And only polls can be voted in.
        let is_poll = |row: &MessageRow| row.kind == ContentKind::Poll;
        if matches!(act, Some(Act::Vote { .. })) && found.iter().any(is_poll) {
            found.retain(is_poll);
        }
        found.retain(|row| !own || ours(row));
        match found.len() {
            0 => Err(unknown()),
            1 => Ok(found.remove(0)),
            _ => Err(Error::field(
                "message_id",
                "message_id: several messages have this id. Send phone as well; for one of your own write me: before its id",
            )),
        }
    }

    /// A vote for these options, as the poll's author will read it.
    async fn ballot(
        &self,
        granted: &Granted,
        row: &MessageRow,
        (options, field): (&[String], &'static str),
    ) -> Result<Ballot> {
        let unreadable = || {
            let text = "message_id: nothing is kept of this poll that one could vote by";
            Error::new(ErrorCode::Conflict, text).with_field("message_id")
        };
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let proto = store.proto(&row.key).await?.ok_or_else(unreadable)?;
        drop(conn);
        let engine = &self.app.core.engine;
        let poll = engine.poll(&proto).ok_or_else(unreadable)?;
        if poll
            .end_time
            .is_some_and(|end| end < self.app.core.clock.now())
        {
            let text = "message_id: this poll is over";
            return Err(Error::new(ErrorCode::Conflict, text).with_field("message_id"));
        }
        let options = poll.choose(options, field)?;
        let instance = granted.instance();
        let number = instance.jid.as_ref();
        let number = number.ok_or_else(|| Error::internal("a paired instance has no address"))?;
        let (creator, voter) = votes::namespace(row, (number, instance.lid.as_ref()));
        engine.seal_vote(
            &proto,
            &Voting {
                id: &row.id,
                creator: &creator,
                voter: &voter,
                options: &options,
            },
        )
    }

    /// Of a group that the number is in.
    async fn require_admin(&self, granted: &Granted, group: &Address) -> Result<()> {
        let group = self.app.groups().get(granted, group.as_str()).await?;
        let instance = granted.instance();
        let own = [instance.jid.as_ref(), instance.lid.as_ref()];
        let is_own = |address: Option<&Address>| address.is_some() && own.contains(&address);
        let me = group.members.iter().find(|member| {
            is_own(Some(&member.address))
                || is_own(member.number.as_ref())
                || is_own(member.lid.as_ref())
        });
        match me.is_some_and(|me| me.rank != Rank::Member) {
            true => Ok(()),
            false => {
                let text = "message_id: only admins of the group delete what others wrote there";
                Err(Error::field("message_id", text))
            }
        }
    }

    /// Where a caller says that it is.
    async fn chat(&self, granted: &Granted, chat: &str) -> Result<Address> {
        let chat = Address::from_caller(chat)?;
        match chat.number() {
            Some(number) => {
                let phone = PhoneNumber::parse(number)?;
                numbers::address_of(self.app, granted, &phone).await
            }
            None => Ok(chat),
        }
    }

    pub(super) async fn is_known(&self, granted: &Granted, id: Option<&str>) -> Result<bool> {
        let Some(id) = id
            .filter(|id| !id.is_empty())
            .and_then(MessageId::from_caller)
        else {
            return Ok(false);
        };
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let row = store.message(granted.id(), &id).await?;
        Ok(row.is_some_and(|row| row.direction == Direction::Out))
    }

    /// Callers act on what they have just sent: its acknowledgement is a moment away.
    pub(super) async fn once_sent(&self, granted: &Granted, row: MessageRow) -> Result<MessageRow> {
        if row.direction == Direction::In || row.status.is_settled() {
            return Ok(row);
        }
        self.wait_settled(granted, &row.id, PATIENCE_MS).await?;
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let row = store
            .message_by(granted.id(), &row.chat_id, &row.sender_id, &row.id)
            .await?;
        row.ok_or_else(unknown)
    }
}

/// Of several messages those that this person wrote.
async fn written_by(
    store: &mut AccountStore<'_>,
    rows: Vec<MessageRow>,
    sender: &Address,
) -> Result<Vec<MessageRow>> {
    let mut theirs = Vec::with_capacity(rows.len());
    for row in rows {
        let known = store.addresses_of(&row.instance, &row.sender_id).await?;
        if known.contains(sender) {
            theirs.push(row);
        }
    }
    Ok(theirs)
}

async fn found(
    store: &mut AccountStore<'_>,
    instance: &Instance,
    chat: Option<&Address>,
    id: &MessageId,
) -> Result<Vec<MessageRow>> {
    let chat: Option<ChatId> = match chat {
        None => None,
        Some(chat) => match store.known_chat(&instance.id, chat).await? {
            Some(chat) => Some(chat),
            None => return Ok(Vec::new()),
        },
    };
    Ok(store
        .messages_with_id(&instance.id, chat.as_ref(), id)
        .await?)
}

fn unknown() -> Error {
    Error::new(
        ErrorCode::NotFound,
        "message_id: no such message is known here. Take the id as its event, or the answer to its send, has it.",
    )
    .with_field("message_id")
}

/// Whether this may be done to that message.
fn require_fit(row: &MessageRow, act: &Act, now: Timestamp) -> Result<()> {
    let wrong = |text| Err(Error::field("message_id", text));
    let late = |text| Err(Error::new(ErrorCode::Conflict, text).with_field("message_id"));
    let chat = row.wire_chat.kind();
    if !matches!(
        chat,
        AddressKind::Number | AddressKind::Lid | AddressKind::Group
    ) {
        return wrong("message_id: it was written neither to a person nor to a group");
    }
    if is_about_another(row.kind) {
        return wrong("message_id: this changes another message itself: name that one");
    }
    let ours = row.direction == Direction::Out;
    if matches!(act, Act::Vote { .. }) && row.kind != ContentKind::Poll {
        return wrong("message_id: this is no poll");
    }
    if !ours && matches!(act, Act::Edit(_)) {
        return wrong("message_id: only your own messages can be edited");
    }
    if !ours && matches!(act, Act::Delete) && chat != AddressKind::Group {
        return wrong(
            "message_id: only your own messages can be deleted, and in a group, by its admins, those of others",
        );
    }
    require_there(row)?;
    if !matches!(act, Act::Edit(_)) {
        return Ok(());
    }
    if !is_editable(row) {
        return wrong("message_id: only texts can be edited");
    }
    if now.since(row.sent_at.unwrap_or(row.at)) > EDIT_WINDOW_MS {
        return late("message_id: WhatsApp takes edits for 20 minutes after a message was sent");
    }
    Ok(())
}

/// Whether WhatsApp has the message still.
pub(super) fn require_there(row: &MessageRow) -> Result<()> {
    let text = match row.status {
        _ if row.deleted_at.is_some() => "message_id: this message was deleted already",
        status if row.direction == Direction::In || status.is_sent() => return Ok(()),
        MessageStatus::Failed | MessageStatus::Cancelled => "message_id: this message was not sent",
        _ => "message_id: WhatsApp does not have this message yet; try again once it is sent",
    };
    Err(Error::new(ErrorCode::Conflict, text).with_field("message_id"))
}

/// An edit that waits must not go out once phones pass it over.
fn keep_in_window(row: &MessageRow, how: &mut SendOptions, now: Timestamp) -> Result<()> {
    let end = row.sent_at.unwrap_or(row.at).plus_millis(EDIT_WINDOW_MS);
    if how
        .delay_ms
        .is_some_and(|delay| delay > end.since(now).max(0))
    {
        let text = "delay: WhatsApp takes edits for 20 minutes after a message was sent";
        return Err(Error::field("delay", text));
    }
    let given = valid_until(how.valid_until.as_deref())?;
    let until = given.map_or(end, |given| given.min(end));
    how.valid_until = Some(until.to_rfc3339());
    Ok(())
}

fn is_editable(row: &MessageRow) -> bool {
    row.kind == ContentKind::Text
}
