//! Messages out: accepted in one transaction with their place in the instance's queue.
//!
//! What becomes of them afterwards is in `life`; whether a number is on WhatsApp in `numbers`; what
//! callers read of them in `status`.

pub(crate) mod life;
pub(crate) mod numbers;
mod status;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use recado_model::{
    Caller, Error, ErrorCode, Instance, InstanceId, JobId, MessageStatus, PhoneNumber, Result,
    Timestamp,
    message::{MessageId, OutgoingText, QuotedMessage},
    text::{is_blank, shows_nothing},
};
use recado_store::{AccountStore, MessageRow, NewJob, NewMessage};
use sha2::{Digest, Sha256};

use self::life::Kept;
use crate::{App, instances::require_paired};

pub use status::MessageView;

pub struct Messages<'a> {
    pub(crate) app: &'a App,
}

/// A text as a caller gives it.
#[derive(Clone, Debug, Default)]
pub struct SendText {
    /// A number, or a full address (`…@g.us`).
    pub phone: String,
    pub message: String,
    /// The caller's own message id; repeating it repeats nothing.
    pub id: Option<String>,
    /// Wait before it is sent.
    pub delay_ms: Option<i64>,
    /// RFC 3339: after that it is not begun to be sent. Judged when its turn comes, and no part of what
    /// the id stands for.
    pub valid_until: Option<String>,
    pub mentioned_ids: Vec<String>,
    pub reply_to_message_id: Option<String>,
    /// The id stands for one message in the whole account, whichever number sends it.
    pub once_in_account: bool,
}

/// A message that is ours to bring to WhatsApp, or that was so before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub id: MessageId,
    /// Unique in the account. `None` of a guest's message in the shop that claimed it.
    pub queue_id: Option<i64>,
}

/// A message got further.
#[derive(Clone, Debug)]
pub struct Progress {
    pub instance: InstanceId,
    pub message: MessageId,
    pub status: MessageStatus,
}

/// The one kind of job so far: the finished message of that id is to reach WhatsApp.
pub(crate) const SEND: &str = "send";

/// WhatsApp's own limit on a text, in characters.
const TEXT_MAX: usize = 65_536;
const DELAY_MAX_MS: i64 = 24 * 3600 * 1000;
const MENTIONS_MAX: usize = 1024;

/// A text that passed every check that needs no database.
struct Checked {
    id: MessageId,
    to: String,
    mentioned: Vec<String>,
    delay_ms: i64,
    valid_until: Option<Timestamp>,
    quotes: Option<MessageId>,
    /// Of what the caller asked for: the same id with another digest is a conflict.
    digest: String,
    send: SendText,
}

impl Messages<'_> {
    /// Accepts a text: from here on it is ours to bring to WhatsApp, over restarts. The same id with the
    /// same content is the same message: one that has failed, or of which nobody knows, is queued anew.
    pub async fn send_text(
        &self,
        caller: &Caller,
        instance: &Instance,
        send: SendText,
    ) -> Result<Accepted> {
        let core = &self.app.core;
        let mut checked = check(send, &*core.rng)?;
        if let Some(number) = checked.to.strip_suffix("@s.whatsapp.net") {
            let phone = PhoneNumber::parse(number)?;
            checked.to = numbers::address_of(self.app, caller, instance, &phone).await?;
        }
        let now = core.clock.now();
        let mut conn = core.store.write().await?;
        let mut store = conn.account(&caller.account);
        // Two calls at once may have chosen two numbers; the second to get here sends nothing.
        if checked.send.once_in_account
            && let Some(known) = store.find_message(&checked.id).await?
            && known.instance != instance.id
        {
            return Err(Error::new(
                ErrorCode::Conflict,
                "This key was used on another number of the account a moment ago.",
            ));
        }
        let known = self.known(&mut store, instance, &checked).await?;
        if let Some(row) = &known
            && !matches!(
                row.status,
                MessageStatus::Failed | MessageStatus::Unconfirmed
            )
        {
            return Ok(Accepted {
                id: checked.id,
                queue_id: row.queue_id,
            });
        }
        // Judged inside the transaction: it may have been logged out, or have come to the end of what
        // is paid, since the caller was proven. Dropping the transaction takes everything back.
        let current = store.instance(&instance.id).await?;
        let current = current.ok_or_else(Error::forbidden)?;
        self.app.billing().require(&current)?;
        require_paired(&current)?;
        let queue_id = match known {
            Some(row) => {
                self.queue_again(&mut store, &row, checked.valid_until, now)
                    .await?
            }
            None => self.queue_new(&mut store, &current, &checked, now).await?,
        };
        conn.commit().await?;
        self.app.supervisor.wake(&instance.id);
        Ok(Accepted {
            id: checked.id,
            queue_id,
        })
    }

    /// The message that has this id already. One of another content is a conflict.
    async fn known(
        &self,
        store: &mut AccountStore<'_>,
        instance: &Instance,
        checked: &Checked,
    ) -> Result<Option<MessageRow>> {
        let row = store.message(&instance.id, &checked.id).await?;
        let ours = row.filter(|row| row.direction == recado_model::Direction::Out);
        match ours {
            Some(row) if row.digest.as_deref() != Some(&checked.digest) => Err(Error::new(
                ErrorCode::Conflict,
                "This id was used for another message of this instance. Give each message its own id.",
            )),
            ours => Ok(ours),
        }
    }

    async fn queue_new(
        &self,
        store: &mut AccountStore<'_>,
        instance: &Instance,
        checked: &Checked,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let core = &self.app.core;
        let content = OutgoingText {
            id: checked.id.clone(),
            to: checked.to.clone(),
            text: checked.send.message.clone(),
            mentioned: checked.mentioned.clone(),
            reply_to: quoted(store, instance, checked.quotes.as_ref()).await?,
        };
        let row = NewMessage {
            instance: &instance.id,
            id: &checked.id,
            chat: &checked.to,
            sender: instance.jid.as_deref().unwrap_or_default(),
            is_group: checked.to.ends_with("@g.us"),
            kind: "text",
            text: Some(&checked.send.message),
            digest: &checked.digest,
        };
        if !store.insert_outgoing(&row, now).await? {
            // Another call with this id came in between the look and this, and is committed by now.
            let known = self.known(store, instance, checked).await?;
            return Ok(known.and_then(|row| row.queue_id));
        }
        let mut secret = [0; 32];
        core.rng.fill(&mut secret);
        let proto = core.engine.compose(&content, &secret);
        let kept = Kept::new(content, instance.push_name.clone(), &proto).write()?;
        store
            .keep_outgoing(&instance.id, &checked.id, &kept)
            .await?;
        let job = NewJob {
            id: &JobId::random(&*core.rng),
            instance: &instance.id,
            kind: SEND,
            message: &checked.id,
            chat: &checked.to,
            run_at: (checked.delay_ms > 0).then(|| now.plus_millis(checked.delay_ms)),
            valid_until: checked.valid_until,
        };
        store.enqueue(&job, now).await?;
        let queue_id = store.number_message(&instance.id, &checked.id).await?;
        Ok(Some(queue_id))
    }

    /// Byte for byte as before: only the place in the line is new. What may have been on the wire is
    /// never too late: the person may have it.
    async fn queue_again(
        &self,
        store: &mut AccountStore<'_>,
        row: &MessageRow,
        valid_until: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let queued = MessageStatus::Queued;
        store
            .move_message(&row.instance, &row.id, queued, None, now)
            .await?;
        let job = NewJob {
            id: &JobId::random(&*self.app.core.rng),
            instance: &row.instance,
            kind: SEND,
            message: &row.id,
            chat: &row.chat,
            run_at: None,
            valid_until: valid_until.filter(|_| !row.tried),
        };
        store.enqueue(&job, now).await?;
        Ok(row.queue_id)
    }
}

fn check(send: SendText, rng: &dyn recado_model::Rng) -> Result<Checked> {
    let to = address(&send.phone)?;
    if is_blank(&send.message) {
        return Err(Error::field(
            "message",
            match send.message.is_empty() {
                true => "message is required: the text to send",
                false => "message shows nothing: write a text that can be seen",
            },
        ));
    }
    if send.message.chars().count() > TEXT_MAX {
        return Err(Error::field(
            "message",
            "message has at most 65536 characters",
        ));
    }
    if send.mentioned_ids.len() > MENTIONS_MAX {
        return Err(Error::field("mentioned_ids", "at most 1024 mentions"));
    }
    let delay_ms = send.delay_ms.unwrap_or(0);
    if !(0..=DELAY_MAX_MS).contains(&delay_ms) {
        return Err(Error::field(
            "delay",
            "delay is in milliseconds, 0 to 86400000",
        ));
    }
    let valid_until = match send.valid_until.as_deref().map(str::trim) {
        None | Some("") => None,
        Some(text) => Some(Timestamp::parse_rfc3339(text).ok_or_else(|| {
            let text =
                "valid_until is a time with its zone by RFC 3339, for example 2026-01-31T12:00:00Z";
            Error::field("valid_until", text)
        })?),
    };
    let id = match send.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => MessageId::from_caller(id)
            .ok_or_else(|| Error::field("id", "id has 8 to 64 characters of A-Z a-z 0-9 - _ ."))?,
        None => MessageId::random(rng),
    };
    let mentioned: Vec<String> = send
        .mentioned_ids
        .iter()
        .map(|id| address(id).map_err(by_mention))
        .collect::<Result<_>>()?;
    let quotes = send
        .reply_to_message_id
        .as_deref()
        .filter(|id| !id.is_empty())
        .map(MessageId::from_wire);
    let asked = serde_json::json!([to, send.message, mentioned, quotes]);
    let digest = STANDARD_NO_PAD.encode(Sha256::digest(asked.to_string()));
    Ok(Checked {
        id,
        to,
        mentioned,
        delay_ms,
        valid_until,
        quotes,
        digest,
        send,
    })
}

/// The same about a person who is mentioned.
fn by_mention(error: Error) -> Error {
    let message = match error.message.strip_prefix("phone") {
        Some(rest) => format!("mentioned_ids{rest}"),
        None => format!("mentioned_ids: {}", error.message),
    };
    Error::new(error.code, message).with_field("mentioned_ids")
}

async fn quoted(
    store: &mut AccountStore<'_>,
    instance: &Instance,
    id: Option<&MessageId>,
) -> Result<Option<QuotedMessage>> {
    let Some(id) = id else {
        return Ok(None);
    };
    let row = store.message(&instance.id, id).await?.ok_or_else(|| {
        Error::field(
            "reply_to_message_id",
            "no message with this id is known on this instance",
        )
    })?;
    Ok(Some(QuotedMessage {
        id: id.clone(),
        sender: row.sender,
        text: row.text.unwrap_or_default(),
    }))
}

/// A number becomes a person's address; a full group or person address stays.
pub(crate) fn address(text: &str) -> Result<String> {
    let text: String = text.chars().filter(|c| !shows_nothing(*c)).collect();
    let text = text.trim();
    if let Some(group) = text.strip_suffix("@g.us") {
        let fits = !group.is_empty()
            && group.len() <= 64
            && group.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        return if fits {
            Ok(text.to_owned())
        } else {
            Err(Error::new(
                ErrorCode::InvalidPhone,
                "phone: a group address looks like 120363000000000000@g.us",
            )
            .with_field("phone"))
        };
    }
    if let Some(lid) = text.strip_suffix("@lid")
        && !lid.is_empty()
        && lid.len() <= 20
        && lid.bytes().all(|b| b.is_ascii_digit())
    {
        return Ok(text.to_owned());
    }
    Ok(format!("{}@s.whatsapp.net", PhoneNumber::parse(text)?))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses() {
        assert_eq!(
            address("+55 11 99999-9999").expect("number"),
            "5511999999999@s.whatsapp.net"
        );
        assert_eq!(
            address("120363000000000000@g.us").expect("group"),
            "120363000000000000@g.us"
        );
        assert_eq!(
            address("\u{202a}120363000000000000@g.us\u{202c}").expect("pasted"),
            "120363000000000000@g.us"
        );
        assert_eq!(
            address("12345678901234@lid").expect("lid"),
            "12345678901234@lid"
        );
        for bad in [
            "",
            "@g.us",
            "evil@g.us",
            "x@lid",
            "1@evil.example",
            "5511999999999@s.whatsapp.net@g.us",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
