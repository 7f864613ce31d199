//! Chats as lists show them, and what phones keep of them: put away, pinned, silenced, read, cleared.
//!
//! The last message and the number of unread ones stand in the chat's row, so that a list reads no message but
//! those. They are kept in `state`: by whoever writes a message, and by what is done to a chat. A message that was read or cleared before it came, as the order of news may have it, counts as
//! such: `read_until` and `cleared_until` say up to which second.

mod state;

use recado_model::{
    Address, ChatId, ContactId, ContentKind, Direction, InstanceId, MessageId, MessageKey,
    Timestamp,
    chat::{LastMessage, Mute},
};

use crate::{
    accounts::AccountStore,
    error::Result,
    messages::{MessageRow, from_row},
    sql::{Row, built, sql},
};

/// A chat as lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatRow {
    pub id: ChatId,
    /// By number, where it is known.
    pub address: Address,
    /// The person's hidden id and username, where they are known.
    pub lid: Option<Address>,
    pub username: Option<Address>,
    pub names: Names,
    pub identity_changed_at: Option<Timestamp>,
    pub archived: bool,
    pub pinned: bool,
    pub mute: Mute,
    pub unread: i64,
    pub marked_unread: bool,
    /// Messages that came and could not be read, and did not come again.
    pub unreadable: i64,
    /// Seconds; `None` where messages stay.
    pub timer_secs: Option<i64>,
    /// Of the last message that ever was in it; 0 of none.
    pub last_at: Timestamp,
    pub last: Option<LastRow>,
}

/// What a person is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// In the phone's address book; of a group, its own.
    pub full: Option<String>,
    pub first: Option<String>,
    /// As they call themselves.
    pub push: Option<String>,
    pub business: Option<String>,
}

/// The last message of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastRow {
    pub id: MessageId,
    pub direction: Direction,
    pub kind: ContentKind,
    pub text: Option<String>,
    pub sender: Address,
    pub push_name: Option<String>,
}

/// Which chats a list shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChatQuery {
    /// Part of a name or number.
    pub search: Option<String>,
    pub archived: Option<bool>,
    pub unread: Option<bool>,
    pub groups: Option<bool>,
    /// The id of a label that they have.
    pub label: Option<String>,
    /// Only those behind this place: that of the last chat of a page.
    pub after: Option<(Timestamp, ChatId)>,
    pub skip: u32,
    pub limit: u32,
}

/// A page of a chat's messages begins behind this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessagePlace {
    pub at: Timestamp,
    pub created_at: Timestamp,
    pub key: MessageKey,
}

/// The kinds that a chat does not show by themselves.
macro_rules! acts {
    () => {
        "('reaction', 'edit', 'revoke', 'vote')"
    };
}

macro_rules! select_chat {
    () => {
        "SELECT h.id, COALESCE(p.address, h.address) AS address, \
         (SELECT MIN(a.address) FROM contact_alias a WHERE a.contact_id = h.contact_id AND a.address LIKE '%@lid') AS lid, \
         (SELECT MIN(a.address) FROM contact_alias a WHERE a.contact_id = h.contact_id AND a.address LIKE '@%') AS username, \
         COALESCE(p.full_name, g.name) AS full_name, p.first_name, p.push_name, p.business_name, p.identity_changed_at, h.archived, h.pinned, h.muted_until, h.unread, \
         h.marked_unread, (SELECT COUNT(*) FROM unreadable u WHERE u.instance_id = h.instance_id AND u.chat_id = h.id \
         AND NOT EXISTS (SELECT 1 FROM message w WHERE w.instance_id = u.instance_id AND w.id = u.message_id AND w.chat_id = u.chat_id)) AS unreadable, h.timer_secs, h.last_at, m.id AS last_id, m.direction AS last_direction, m.push_name AS last_push, \
         c.kind AS last_kind, c.text AS last_text, s.address AS last_sender \
         FROM chat h LEFT JOIN contact p ON p.id = h.contact_id LEFT JOIN message m ON m.key = h.last_key \
         LEFT JOIN message_content c ON c.message_key = m.key LEFT JOIN contact s ON s.id = m.sender_id \
         LEFT JOIN wa_group g ON g.instance_id = h.instance_id AND g.address = h.address \
         WHERE h.account_id = $1 AND h.instance_id = $2 AND h.listed = 1 "
    };
}

/// Beside the latest of all times, with which no row is compared further.
const ANY: &str = "";

impl AccountStore<'_> {
    /// A page of chats, the newest first.
    pub async fn chats(
        &mut self,
        instance: &InstanceId,
        query: &ChatQuery,
    ) -> Result<Vec<ChatRow>> {
        let mut text = String::from(select_chat!());
        // Words of ours alone: each of them is a text of its own, for its index.
        text.push_str(match query.archived {
            Some(true) => "AND h.archived = 1 ",
            Some(false) => "AND h.archived = 0 ",
            None => "",
        });
        text.push_str(match query.unread {
            Some(true) => "AND (h.unread > 0 OR h.marked_unread = 1) ",
            Some(false) => "AND h.unread = 0 AND h.marked_unread = 0 ",
            None => "",
        });
        text.push_str(match query.label {
            Some(_) => {
                "AND EXISTS (SELECT 1 FROM chat_labelled b WHERE b.instance_id = h.instance_id AND b.chat_id = h.id AND b.label_id = $8) "
            }
            None => "",
        });
        text.push_str(match query.groups {
            Some(true) => "AND h.address LIKE '%@g.us' ",
            Some(false) => "AND h.contact_id IS NOT NULL ",
            None => "",
        });
        text.push_str(
            "AND h.last_at <= $3 AND (h.last_at < $3 OR h.id < $4) \
             AND ($5 IS NULL OR p.saved_lower LIKE $5 ESCAPE '!' OR p.push_lower LIKE $5 ESCAPE '!' OR h.address LIKE $5 ESCAPE '!' OR LOWER(g.name) LIKE $5 ESCAPE '!' \
             OR EXISTS (SELECT 1 FROM contact_alias a WHERE a.contact_id = h.contact_id AND a.address LIKE $5 ESCAPE '!')) \
             ORDER BY h.last_at DESC, h.id DESC LIMIT $6 OFFSET $7",
        );
        let pattern = query.search.as_deref().map(pattern);
        let (at, id) = match &query.after {
            Some((at, id)) => (*at, id.as_str()),
            None => (Timestamp(i64::MAX), ANY),
        };
        let rows = built(text)
            .bind(&self.id)
            .bind(instance)
            .bind(at)
            .bind(id)
            .bind(pattern.as_deref())
            .bind(i64::from(query.limit))
            .bind(i64::from(query.skip))
            .bind_all(query.label.as_deref())
            .fetch_all(self.conn)
            .await?;
        rows.iter().map(chat_row).collect()
    }

    /// One chat, where it is in the list.
    pub async fn listed_chat(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
    ) -> Result<Option<ChatRow>> {
        sql(concat!(select_chat!(), "AND h.id = $3"))
            .bind(&self.id)
            .bind(instance)
            .bind(chat)
            .fetch_optional(self.conn)
            .await?
            .map(|row| chat_row(&row))
            .transpose()
    }

    /// What a chat shows, the newest first: a page behind `before`.
    pub async fn messages_of_chat(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        before: Option<&MessagePlace>,
        limit: u32,
    ) -> Result<Vec<MessageRow>> {
        let (at, created, key) = match before {
            Some(place) => (place.at, place.created_at, place.key.as_str()),
            None => (Timestamp(i64::MAX), Timestamp(i64::MAX), ANY),
        };
        let rows = sql(concat!(
            crate::messages::select!(
                "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.chat_id = $3 AND m.hidden = 0 AND m.at >= h.cleared_until \
                 AND (m.at, m.created_at, m.key) < ($4, $5, $6) AND c.kind NOT IN "
            ),
            acts!(),
            " ORDER BY m.at DESC, m.created_at DESC, m.key DESC LIMIT $7"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(at)
        .bind(created)
        .bind(key)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }

    /// The newest messages of a chat that WhatsApp has.
    pub async fn last_messages(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        limit: u32,
    ) -> Result<Vec<LastMessage>> {
        let rows = sql(
            "SELECT m.id, m.direction, m.wire_chat, m.wire_sender, m.at FROM message m \
             WHERE m.account_id = $1 AND m.instance_id = $2 AND m.chat_id = $3 AND m.hidden = 0 \
             AND m.status IN ('received', 'sent', 'delivered', 'read') \
             ORDER BY m.at DESC, m.created_at DESC, m.key DESC LIMIT $4",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        let read = rows.iter().map(|row| {
            let chat = Address::from_wire(row.text("wire_chat")?);
            let sender = Address::from_wire(row.text("wire_sender")?);
            Ok(LastMessage {
                id: MessageId::from_wire(row.text("id")?),
                from_me: row.parsed("direction", Direction::parse)? == Direction::Out,
                sender: chat.is_group().then_some(sender),
                at: row.time("at")?,
            })
        });
        read.collect()
    }

    /// Those that nobody has read yet, the oldest first.
    pub async fn unread_messages(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        limit: u32,
    ) -> Result<Vec<MessageRow>> {
        let rows = sql(crate::messages::select!(
            "WHERE m.account_id = $1 AND m.instance_id = $2 AND m.chat_id = $3 AND m.unread = 1 \
             ORDER BY m.at, m.created_at, m.key LIMIT $4"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }
}

/// For LIKE, with `!` before what means something there.
pub(crate) fn pattern(search: &str) -> String {
    let lower = search.trim().to_lowercase();
    let mut pattern = String::with_capacity(lower.len() + 2);
    pattern.push('%');
    for c in lower.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

pub(crate) fn names(row: &Row) -> Result<Names> {
    Ok(Names {
        full: row.opt_text("full_name")?,
        first: row.opt_text("first_name")?,
        push: row.opt_text("push_name")?,
        business: row.opt_text("business_name")?,
    })
}

pub(crate) fn opt_address(row: &Row, column: &'static str) -> Result<Option<Address>> {
    Ok(row.opt_text(column)?.map(Address::from_wire))
}

fn chat_row(row: &Row) -> Result<ChatRow> {
    let last = match row.opt_text("last_id")? {
        None => None,
        Some(id) => Some(LastRow {
            id: MessageId::from_wire(id),
            direction: row.parsed("last_direction", Direction::parse)?,
            kind: row.parsed("last_kind", ContentKind::parse)?,
            text: row.opt_text("last_text")?,
            sender: Address::from_wire(row.text("last_sender")?),
            push_name: row.opt_text("last_push")?,
        }),
    };
    Ok(ChatRow {
        id: ChatId::from_text(row.text("id")?),
        address: Address::from_wire(row.text("address")?),
        lid: opt_address(row, "lid")?,
        username: opt_address(row, "username")?,
        names: names(row)?,
        identity_changed_at: row.opt_time("identity_changed_at")?,
        archived: row.bool("archived")?,
        pinned: row.bool("pinned")?,
        mute: Mute::of_code(row.i64("muted_until")?),
        unread: row.i64("unread")?,
        marked_unread: row.bool("marked_unread")?,
        unreadable: row.i64("unreadable")?,
        timer_secs: row.opt_i64("timer_secs")?.filter(|secs| *secs > 0),
        last_at: row.time("last_at")?,
        last,
    })
}

/// A person as lists show them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    pub id: ContactId,
    /// By number, where it is known.
    pub address: Address,
    pub lid: Option<Address>,
    pub username: Option<Address>,
    pub names: Names,
    pub identity_changed_at: Option<Timestamp>,
}
