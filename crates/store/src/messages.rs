//! Messages, in and out. A message is unique by instance, chat, sender and id, whichever addresses it
//! came under; one of ours also by instance and id alone. Its content is in `contents`.

use recado_model::{
    Address, ChatId, ContactId, ContentKind, Direction, Failure, InstanceId, MessageId, MessageKey,
    MessageStatus, Timestamp,
    content::MenuOption,
    history::PastMessage,
    message::{InboundMessage, Party},
};

use crate::{
    accounts::AccountStore,
    contents::NewContent,
    error::Result,
    sql::{Row, sql},
};

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageRow {
    pub key: MessageKey,
    pub instance: InstanceId,
    pub id: MessageId,
    pub chat_id: ChatId,
    /// By number, where it is known by now.
    pub chat: Address,
    pub sender_id: ContactId,
    pub sender: Address,
    /// As the message itself named them.
    pub wire_chat: Address,
    pub wire_sender: Address,
    pub direction: Direction,
    pub push_name: Option<String>,
    pub kind: ContentKind,
    pub text: Option<String>,
    pub status: MessageStatus,
    /// Why it failed: a code, and its meaning for a person.
    pub failure: Option<Failure>,
    /// Of ours: unique in the account.
    pub queue_id: Option<i64>,
    /// Of ours: of what the caller asked for.
    pub digest: Option<String>,
    /// Of ours: it may have been on the wire, whatever became of it.
    pub tried: bool,
    /// When it was accepted or, by WhatsApp's clock, sent by somebody else.
    pub at: Timestamp,
    /// Of ours: when WhatsApp's server took it.
    pub sent_at: Option<Timestamp>,
    pub edited_at: Option<Timestamp>,
    /// Gone for everybody, with its content.
    pub deleted_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A message of ours on its way into the store.
#[derive(Clone, Debug)]
pub struct NewMessage<'a> {
    pub instance: &'a InstanceId,
    pub id: &'a MessageId,
    pub chat: &'a Address,
    pub sender: &'a Address,
    /// The own name at this time.
    pub push_name: Option<&'a str>,
    pub kind: ContentKind,
    pub text: Option<&'a str>,
    /// The finished message.
    pub proto: &'a [u8],
    /// What can be chosen of it.
    pub options: &'a [MenuOption],
    /// The earlier message whose words are in it: they go when that is deleted.
    pub about: Option<&'a MessageId>,
    pub digest: &'a str,
}

/// The row of a message that was new.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inserted {
    pub key: MessageKey,
    pub chat: ChatId,
}

/// The columns of a message, as they are read by [`from_row`].
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT m.key, m.instance_id, m.id, m.chat_id, COALESCE(hc.address, h.address) AS chat, m.sender_id, s.address AS sender, \
             m.wire_chat, m.wire_sender, m.direction, m.push_name, c.kind, c.text, m.status, m.code, m.reason, m.queue_id, \
             m.digest, m.tried, m.at, m.sent_at, c.edited_at, c.deleted_at, m.created_at, m.updated_at \
             FROM message m JOIN message_content c ON c.message_key = m.key JOIN contact s ON s.id = m.sender_id \
             JOIN chat h ON h.id = m.chat_id LEFT JOIN contact hc ON hc.id = h.contact_id ",
            $rest
        )
    };
}
pub(crate) use select;

/// A row on its way in, of either direction.
pub(crate) struct Draft<'a> {
    instance: &'a InstanceId,
    id: &'a MessageId,
    chat: &'a Party,
    sender: &'a Party,
    direction: Direction,
    push_name: Option<&'a str>,
    status: MessageStatus,
    digest: Option<&'a str>,
    at: Timestamp,
    content: NewContent<'a>,
    past: Option<Past>,
}

/// What is different in a message of the past.
#[derive(Clone, Copy, Debug)]
struct Past {
    unread: bool,
    /// In place of now: among messages of one time it stands by this.
    since: Timestamp,
}

impl<'a> From<&'a InboundMessage> for Draft<'a> {
    fn from(message: &'a InboundMessage) -> Self {
        let (direction, status) = if message.from_me {
            (Direction::Out, MessageStatus::Sent)
        } else {
            (Direction::In, MessageStatus::Received)
        };
        Self {
            instance: &message.instance,
            id: &message.id,
            chat: &message.chat,
            sender: &message.sender,
            direction,
            push_name: message.push_name.as_deref(),
            status,
            digest: None,
            at: message.at,
            content: NewContent {
                kind: message.kind,
                text: message.text.as_deref(),
                proto: &message.proto,
                options: &[],
                about: message.about.as_ref(),
            },
            past: None,
        }
    }
}

impl<'a> From<&'a PastMessage> for Draft<'a> {
    fn from(past: &'a PastMessage) -> Self {
        let draft = Self::from(&past.message);
        Self {
            status: match draft.direction {
                Direction::Out => past.status,
                Direction::In => draft.status,
            },
            past: Some(Past {
                unread: past.unread,
                since: past.since(),
            }),
            ..draft
        }
    }
}

impl Draft<'_> {
    /// Whether the chat shows it by itself.
    fn shows(&self) -> bool {
        !matches!(
            self.content.kind,
            ContentKind::Reaction | ContentKind::Edit | ContentKind::Revoke | ContentKind::Vote
        )
    }
}

impl AccountStore<'_> {
    /// A message to send, `Queued`: its row and its chat. `None`: this instance has sent (or queued) that id
    /// before.
    pub async fn insert_outgoing(
        &mut self,
        message: &NewMessage<'_>,
        now: Timestamp,
    ) -> Result<Option<Inserted>> {
        let draft = Draft {
            instance: message.instance,
            id: message.id,
            chat: &Party::only(message.chat.clone()),
            sender: &Party::only(message.sender.clone()),
            direction: Direction::Out,
            push_name: message.push_name,
            status: MessageStatus::Queued,
            digest: Some(message.digest),
            at: now,
            past: None,
            content: NewContent {
                kind: message.kind,
                text: message.text,
                proto: message.proto,
                options: message.options,
                about: message.about,
            },
        };
        self.insert_message(&draft, now).await
    }

    /// A message that arrived, or one of our own sent from the phone. `None`: it is here already.
    pub async fn record_inbound(
        &mut self,
        message: &InboundMessage,
        now: Timestamp,
    ) -> Result<Option<Inserted>> {
        self.insert_message(&message.into(), now).await
    }

    pub(crate) async fn insert_message(
        &mut self,
        new: &Draft<'_>,
        now: Timestamp,
    ) -> Result<Option<Inserted>> {
        self.lock_instance(new.instance).await?;
        // The sender first: what is learned of them may merge the chat that is looked up next.
        self.contact(new.instance, new.sender, now).await?;
        let chat = self.chat(new.instance, new.chat, now).await?;
        let sender = self.contact(new.instance, new.sender, now).await?;
        let key = MessageKey::random(self.conn.store.rng());
        let unread = new.past.is_none_or(|past| past.unread);
        let counts = unread && new.direction == Direction::In && new.shows();
        // Read on another device before it was written here: the two come by ways of their own.
        let inserted = sql(
            "INSERT INTO message (key, account_id, instance_id, id, chat_id, sender_id, wire_chat, wire_sender, direction, push_name, status, digest, at, created_at, updated_at, past, unread) \
             SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, $16, CASE WHEN $15 = 1 \
             AND NOT EXISTS (SELECT 1 FROM chat h WHERE h.account_id = $2 AND h.id = $5 AND h.read_until > $13) \
             AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.account_id = $2 AND r.instance_id = $3 AND r.message_id = $4 \
             AND r.chat_id = $5 AND r.state = 'ReadSelf') THEN 1 ELSE 0 END WHERE 1 = 1 ON CONFLICT DO NOTHING RETURNING unread",
        )
        .bind(&key)
        .bind(&self.id)
        .bind(new.instance)
        .bind(new.id)
        .bind(&chat)
        .bind(&sender)
        .bind(&new.chat.wire)
        .bind(&new.sender.wire)
        .bind(new.direction.as_str())
        .bind(new.push_name)
        .bind(new.status.as_str())
        .bind(new.digest)
        .bind(new.at)
        .bind(new.past.map_or(now, |past| past.since))
        .bind(counts)
        .bind(new.past.is_some())
        .fetch_optional(self.conn)
        .await?;
        let Some(inserted) = inserted else {
            let came = new.past.is_none() && new.digest.is_none();
            let key = match came {
                true => self.now_told(new, (&chat, &sender)).await?,
                false => None,
            };
            return Ok(key.map(|key| Inserted { key, chat }));
        };
        let unread = inserted.bool("unread")?;
        self.insert_content(new.instance, &key, &new.content)
            .await?;
        if new.shows() {
            self.note_in_chat(&chat, &key, new.at, unread).await?;
        }
        if let Some(name) = new.push_name.filter(|_| new.direction == Direction::In) {
            match new.past {
                None => self.note_push_name(&sender, name).await?,
                Some(_) => self.note_first_name(&sender, name).await?,
            }
        }
        Ok(Some(Inserted { key, chat }))
    }

    /// The message that was of the past alone until now, of which nobody has been told.
    async fn now_told(
        &mut self,
        new: &Draft<'_>,
        (chat, sender): (&ChatId, &ContactId),
    ) -> Result<Option<MessageKey>> {
        let row = sql(
            "UPDATE message SET past = 0 WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 AND sender_id = $4 \
             AND id = $5 AND past = 1 RETURNING key",
        )
        .bind(&self.id)
        .bind(new.instance)
        .bind(chat)
        .bind(sender)
        .bind(new.id)
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let key = MessageKey::from_text(row.text("key")?);
        // What is told of it has a link of its own.
        sql("DELETE FROM medium WHERE account_id = $1 AND message_key = $2")
            .bind(&self.id)
            .bind(&key)
            .execute(self.conn)
            .await?;
        Ok(Some(key))
    }

    /// Gives a message of ours the account's next queue number. Last in its transaction: whoever
    /// takes the next one waits for the commit.
    pub async fn number_message(&mut self, instance: &InstanceId, id: &MessageId) -> Result<i64> {
        let last = sql(
            "INSERT INTO queue_number (account_id, last) VALUES ($1, 1) \
             ON CONFLICT (account_id) DO UPDATE SET last = queue_number.last + 1 RETURNING last",
        )
        .bind(&self.id)
        .fetch_one(self.conn)
        .await?
        .i64("last")?;
        sql(
            "UPDATE message SET queue_id = $4 WHERE account_id = $1 AND instance_id = $2 AND id = $3 AND direction = 'out'",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(last)
        .execute(self.conn)
        .await?;
        Ok(last)
    }

    /// By id; ours before one of somebody else that happens to have the same id.
    pub async fn message(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
    ) -> Result<Option<MessageRow>> {
        sql(select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.id = $3 ORDER BY m.direction DESC, m.created_at LIMIT 1"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    pub async fn message_with_key(&mut self, key: &MessageKey) -> Result<Option<MessageRow>> {
        sql(select!("WHERE m.account_id = $1 AND m.key = $2"))
            .bind(&self.id)
            .bind(key)
            .fetch_optional(self.conn)
            .await?
            .map(|row| from_row(&row))
            .transpose()
    }

    /// The message of this chat with this id; ours before the other side's.
    pub async fn message_of_chat(
        &mut self,
        instance: &InstanceId,
        chat: &Address,
        id: &MessageId,
    ) -> Result<Option<MessageRow>> {
        let Some(chat) = self.known_chat(instance, chat).await? else {
            return Ok(None);
        };
        sql(select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.chat_id = $3 AND m.id = $4 ORDER BY m.direction DESC, m.created_at LIMIT 1"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(&chat)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// Whether another instance of the account has sent (or queued) a message with this id.
    pub async fn is_sent_elsewhere(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
    ) -> Result<bool> {
        let row = sql(
            "SELECT id FROM message WHERE account_id = $1 AND id = $2 AND direction = 'out' AND instance_id <> $3 LIMIT 1",
        )
        .bind(&self.id)
        .bind(id)
        .bind(instance)
        .fetch_optional(self.conn)
        .await?;
        Ok(row.is_some())
    }

    /// One of our own by its id alone, whichever instance of the account it is of; the newest when
    /// two instances gave the same id.
    pub async fn find_message(&mut self, id: &MessageId) -> Result<Option<MessageRow>> {
        sql(select!(
            "WHERE m.account_id = $1 AND m.id = $2 AND m.direction = 'out' ORDER BY m.created_at DESC, m.instance_id LIMIT 1"
        ))
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// One of our own by its queue number.
    pub async fn message_in_queue(&mut self, queue_id: i64) -> Result<Option<MessageRow>> {
        sql(select!("WHERE m.account_id = $1 AND m.queue_id = $2"))
            .bind(&self.id)
            .bind(queue_id)
            .fetch_optional(self.conn)
            .await?
            .map(|row| from_row(&row))
            .transpose()
    }

    /// Whether the instance has had to do with this chat before, and it worked under this address: a number
    /// whose person is shown by another one is an older form of that, or was theirs.
    pub async fn knows_chat(&mut self, instance: &InstanceId, address: &Address) -> Result<bool> {
        let Some(chat) = self.known_chat(instance, address).await? else {
            return Ok(false);
        };
        if address.number().is_some() && !self.is_shown(instance, address).await? {
            return Ok(false);
        }
        let row = sql(
            "SELECT id FROM message WHERE account_id = $1 AND instance_id = $2 AND chat_id = $3 \
             AND status IN ('sent', 'delivered', 'read', 'received') LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(&chat)
        .fetch_optional(self.conn)
        .await?;
        Ok(row.is_some())
    }

    /// Moves one of our messages to `status`, with the failure that goes with it. `false` when it is
    /// not ours, or may not come there from where it is ([`MessageStatus::reached_from`]): a late
    /// answer changes nothing.
    pub async fn move_message(
        &mut self,
        instance: &InstanceId,
        id: &MessageId,
        status: MessageStatus,
        failure: Option<&Failure>,
        now: Timestamp,
    ) -> Result<bool> {
        // Filled up by repeating, so that one text serves all.
        let from = status.reached_from();
        let Some(first) = from.first() else {
            return Ok(false);
        };
        let slots = (0..6).map(|at| from.get(at).unwrap_or(first).as_str());
        let changed = sql(
            "UPDATE message SET status = $4, code = $5, reason = $6, updated_at = $7, \
             sent_at = CASE WHEN $15 = 1 THEN COALESCE(sent_at, $7) ELSE sent_at END, \
             tried = CASE WHEN $14 = 1 THEN 1 ELSE tried END WHERE account_id = $1 AND instance_id = $2 \
             AND id = $3 AND direction = 'out' AND status IN ($8, $9, $10, $11, $12, $13)",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(id)
        .bind(status.as_str())
        .bind(failure.map(|failure| failure.code.as_str()))
        .bind(failure.map(|failure| failure.reason.as_str()))
        .bind(now)
        .bind_all(slots)
        .bind(status == MessageStatus::Sending)
        .bind(status.is_sent())
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }
}

pub(crate) fn from_row(row: &Row) -> Result<MessageRow> {
    let address = |column| row.text(column).map(Address::from_wire);
    Ok(MessageRow {
        key: MessageKey::from_text(row.text("key")?),
        instance: InstanceId::from_text(row.text("instance_id")?),
        id: MessageId::from_wire(row.text("id")?),
        chat_id: ChatId::from_text(row.text("chat_id")?),
        chat: address("chat")?,
        sender_id: ContactId::from_text(row.text("sender_id")?),
        sender: address("sender")?,
        wire_chat: address("wire_chat")?,
        wire_sender: address("wire_sender")?,
        direction: row.parsed("direction", Direction::parse)?,
        push_name: row.opt_text("push_name")?,
        kind: row.parsed("kind", ContentKind::parse)?,
        text: row.opt_text("text")?,
        status: row.parsed("status", MessageStatus::parse)?,
        failure: match (row.opt_text("code")?, row.opt_text("reason")?) {
            (Some(code), reason) => Some(Failure {
                code,
                reason: reason.unwrap_or_default(),
            }),
            (None, _) => None,
        },
        queue_id: row.opt_i64("queue_id")?,
        digest: row.opt_text("digest")?,
        tried: row.bool("tried")?,
        at: row.time("at")?,
        sent_at: row.opt_time("sent_at")?,
        edited_at: row.opt_time("edited_at")?,
        deleted_at: row.opt_time("deleted_at")?,
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
