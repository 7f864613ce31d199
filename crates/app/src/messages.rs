//! Messages out: accepted in one transaction with their place in the instance's queue.
//!
//! Their life afterwards is in `life`; whether a number is on WhatsApp in `numbers`; what
//! callers read of them in `status`, of those that wait in `queued`; what a chat is told beside messages in `signals`; what is done to earlier
//! messages in `acts` (by callers) and `changes` (to the stored ones); what an answer to a menu chooses in `menus`;
//! votes in polls in `votes`; what one would do, for whoever is asked first, in `preview`; what an instance writes by itself in `replies`; what is passed on in `forward`; those with a medium in `media`, and bytes that come later in
//! `fetching`.

mod acts;
pub(crate) mod by;
pub(crate) mod changes;
pub(crate) mod fetching;
mod forward;
pub(crate) mod life;
mod media;
pub(crate) mod menus;
pub(crate) mod numbers;
mod preview;
mod queued;
pub(crate) mod replies;
mod signals;
mod status;
pub(crate) mod votes;
mod wanted;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use recado_identity::Granted;
use recado_model::{
    Address, Content, Direction, Error, ErrorCode, Instance, InstanceId, JobId, JobKind,
    MessageStatus, PhoneNumber, Result, Timestamp,
    message::{Draft, MessageId, Party, Quoted},
};
use recado_store::{AccountStore, MessageRow, NewJob, NewMessage};
use sha2::{Digest, Sha256};

use crate::{App, instances::require_paired, media::given::Prepared};

pub use acts::{Act, Acted, Named};
pub use media::SendMedia;
pub use preview::Preview;
pub use queued::{Purged, QueuePage, QueuedView};
pub use status::{MessageDetail, MessageView, PollView, ReactionView, ReceiptView};

pub struct Messages<'a> {
    pub(crate) app: &'a App,
}

/// A message as a caller gives it.
#[derive(Clone, Debug)]
pub struct SendMessage {
    /// A number, or a full address (`…@g.us`).
    pub to: String,
    pub content: Content,
    pub how: SendOptions,
}

/// The options of a message of any kind.
#[derive(Clone, Debug, Default)]
pub struct SendOptions {
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
    /// Where it goes; of a number as WhatsApp has it, which may be another form than the one given.
    pub to: Address,
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

const DELAY_MAX_MS: i64 = 24 * 3600 * 1000;
const MENTIONS_MAX: usize = 1024;

/// A message that passed every check that needs no database.
struct Checked {
    id: MessageId,
    to: Address,
    /// The number as the caller wrote it, where WhatsApp has another form of it.
    given: Option<Address>,
    /// Nobody could say whether the number is on WhatsApp.
    asks: bool,
    content: Content,
    mentioned: Vec<Address>,
    delay_ms: i64,
    valid_until: Option<Timestamp>,
    quotes: Option<MessageId>,
    once_in_account: bool,
    /// Of what the caller asked for: the same id with another digest is a conflict.
    digest: String,
    medium: Option<Prepared>,
}

impl Messages<'_> {
    /// Accepts a message: from here on it is ours to bring to WhatsApp, over restarts. The same id with the
    /// same content is the same message: one that has failed, or of which nobody knows, is queued anew.
    pub async fn send(&self, granted: &Granted, send: SendMessage) -> Result<Accepted> {
        let mut checked = check(send, &*self.app.core.rng)?;
        self.locate(granted, &mut checked).await?;
        self.accept(granted, &checked).await
    }

    /// Takes the address that WhatsApp says a number has.
    async fn locate(&self, granted: &Granted, checked: &mut Checked) -> Result<()> {
        if let Some(number) = checked.to.number() {
            let phone = PhoneNumber::parse(number)?;
            let found = numbers::find(self.app, granted, &phone).await?;
            let given = std::mem::replace(&mut checked.to, found.address);
            checked.given = Some(given).filter(|given| *given != checked.to);
            checked.asks = found.asks;
        }
        Ok(())
    }

    /// The same for a chat that a message is in already: nobody asks WhatsApp for its number again, which
    /// might name another one.
    async fn send_into(&self, granted: &Granted, send: SendMessage) -> Result<Accepted> {
        let checked = check(send, &*self.app.core.rng)?;
        self.accept(granted, &checked).await
    }

    async fn accept(&self, granted: &Granted, checked: &Checked) -> Result<Accepted> {
        let (core, instance) = (&self.app.core, granted.instance());
        let now = core.clock.now();
        let mut conn = core.store.write().await?;
        let mut store = conn.account(granted.account());
        // Whoever moves a message on holds the instance first; so two never wait for each other.
        store.lock_instance(&instance.id).await?;
        // Two calls at once may have chosen two numbers; the second to get here sends nothing.
        require_once(&mut store, instance, checked).await?;
        let known = self.known(&mut store, instance, checked).await?;
        if let Some(row) = &known
            && !matches!(
                row.status,
                MessageStatus::Failed | MessageStatus::Unconfirmed | MessageStatus::Cancelled
            )
        {
            return Ok(Accepted {
                id: checked.id.clone(),
                to: checked.to.clone(),
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
                self.give_medium_again(&mut store, &row, checked, now)
                    .await?;
                self.queue_again(&mut store, &row, checked, now).await?
            }
            None => self.queue_new(&mut store, &current, checked, now).await?,
        };
        // And once more: the numbers of the queue are given to one call of the account at a time, so the
        // second one sees by now what the first one left.
        require_once(&mut store, instance, checked).await?;
        conn.commit().await?;
        self.app.supervisor.wake(&instance.id);
        Ok(Accepted {
            id: checked.id.clone(),
            to: checked.to.clone(),
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
        let ours = row.filter(|row| row.direction == Direction::Out);
        match ours {
            Some(row) if row.digest.as_deref() != Some(&checked.digest) => Err(Error::new(
                ErrorCode::Conflict,
                "id: it was used for another message of this instance. Give each message its own id.",
            )
            .with_field("id")),
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
        if let Some(given) = &checked.given {
            // Both forms lead to the chat from now on, whether or not anybody can be asked.
            let party = Party {
                alt: Some(given.clone()),
                ..Party::only(checked.to.clone())
            };
            store.chat(&instance.id, &party, now).await?;
        }
        let draft = Draft {
            content: checked.content.clone(),
            mentioned: checked.mentioned.clone(),
            reply_to: quoted(store, instance, checked).await?,
            expires: store.chat_timer(&instance.id, &checked.to).await?,
            at: now,
        };
        let mut secret = [0; 32];
        core.rng.fill(&mut secret);
        let own = instance.jid.as_ref();
        let row = NewMessage {
            instance: &instance.id,
            id: &checked.id,
            chat: &checked.to,
            sender: own.ok_or_else(|| Error::internal("a paired instance has no address"))?,
            push_name: instance.push_name.as_deref(),
            kind: draft.content.kind(),
            text: draft.content.text(),
            proto: &core.engine.compose(&draft, &secret),
            options: draft.content.options(),
            about: draft.content.repeats(),
            digest: &checked.digest,
        };
        let Some(inserted) = store.insert_outgoing(&row, now).await? else {
            // Another call with this id came in between the look and this, and is committed by now.
            let known = self.known(store, instance, checked).await?;
            let known = known.ok_or_else(|| {
                let text =
                    "Another message with this id is in this chat. Give each message its own id.";
                Error::new(ErrorCode::Conflict, text)
            })?;
            return Ok(known.queue_id);
        };
        self.put_medium(store, instance, checked, &inserted.key, now)
            .await?;
        let job = NewJob {
            id: &JobId::random(&*core.rng),
            instance: &instance.id,
            kind: JobKind::Send,
            message: &checked.id,
            chat: &inserted.chat,
            to: &checked.to,
            asks: checked.asks,
            run_at: (checked.delay_ms > 0).then(|| now.plus_millis(checked.delay_ms)),
            valid_until: checked.valid_until,
        };
        store.enqueue(&job, now).await?;
        let queue_id = store.number_message(&instance.id, &checked.id).await?;
        Ok(Some(queue_id))
    }

    /// Byte for byte as before: only the place in the line is new. A message that may have been on the wire is
    /// never too late: the person may have it.
    async fn queue_again(
        &self,
        store: &mut AccountStore<'_>,
        row: &MessageRow,
        checked: &Checked,
        now: Timestamp,
    ) -> Result<Option<i64>> {
        let queued = MessageStatus::Queued;
        store
            .move_message(&row.instance, &row.id, queued, None, now)
            .await?;
        let job = NewJob {
            id: &JobId::random(&*self.app.core.rng),
            instance: &row.instance,
            kind: JobKind::Send,
            message: &row.id,
            chat: &row.chat_id,
            to: &row.wire_chat,
            asks: !row.tried && (checked.asks || checked.to != row.wire_chat),
            run_at: None,
            valid_until: checked.valid_until.filter(|_| !row.tried),
        };
        store.enqueue(&job, now).await?;
        Ok(row.queue_id)
    }
}

fn check(send: SendMessage, rng: &dyn recado_model::Rng) -> Result<Checked> {
    let SendMessage { to, content, how } = send;
    let to = Address::from_caller(&to)?;
    if how.mentioned_ids.len() > MENTIONS_MAX {
        return Err(Error::field("mentioned_ids", "at most 1024 mentions"));
    }
    let delay_ms = how.delay_ms.unwrap_or(0);
    if !(0..=DELAY_MAX_MS).contains(&delay_ms) {
        return Err(Error::field(
            "delay",
            "delay is in milliseconds, 0 to 86400000",
        ));
    }
    let id = match how.id.as_deref().filter(|id| !id.is_empty()) {
        Some(id) => MessageId::from_caller(id)
            .ok_or_else(|| Error::field("id", "id has 8 to 64 characters of A-Z a-z 0-9 - _ ."))?,
        None => MessageId::random(rng),
    };
    let mentioned: Vec<Address> = how
        .mentioned_ids
        .iter()
        .map(|id| Address::from_caller(id).map_err(|error| error.renamed("phone", "mentioned_ids")))
        .collect::<Result<_>>()?;
    let quotes = how
        .reply_to_message_id
        .as_deref()
        .filter(|id| !id.is_empty())
        .map(MessageId::from_wire);
    let asked = serde_json::json!([to, content, mentioned, quotes]);
    let digest = digest_of(&asked.to_string());
    Ok(Checked {
        id,
        to,
        given: None,
        asks: false,
        content,
        mentioned,
        delay_ms,
        valid_until: valid_until(how.valid_until.as_deref())?,
        quotes,
        once_in_account: how.once_in_account,
        digest,
        medium: None,
    })
}

fn digest_of(asked: &str) -> String {
    STANDARD_NO_PAD.encode(Sha256::digest(asked))
}

fn valid_until(text: Option<&str>) -> Result<Option<Timestamp>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match Timestamp::parse_rfc3339(text) {
        Some(until) => Ok(Some(until)),
        None => Err(Error::field(
            "valid_until",
            "valid_until is a time with its zone by RFC 3339, for example 2026-01-31T12:00:00Z",
        )),
    }
}

/// A key of the account that another of its numbers has used is a conflict.
async fn require_once(
    store: &mut AccountStore<'_>,
    instance: &Instance,
    checked: &Checked,
) -> Result<()> {
    if checked.once_in_account && store.is_sent_elsewhere(&instance.id, &checked.id).await? {
        return Err(Error::new(
            ErrorCode::Conflict,
            "This key was used on another number of the account a moment ago.",
        ));
    }
    Ok(())
}

async fn quoted(
    store: &mut AccountStore<'_>,
    instance: &Instance,
    checked: &Checked,
) -> Result<Option<Quoted>> {
    let Some(id) = &checked.quotes else {
        return Ok(None);
    };
    let wrong = |text| Error::field("reply_to_message_id", text);
    // Of this chat: whoever writes to us chooses the ids, and may choose one of somebody else's.
    let row = store.message_of_chat(&instance.id, &checked.to, id).await?;
    let row = row.ok_or_else(|| wrong("no message with this id is known in this chat"))?;
    if changes::is_about_another(row.kind) {
        return Err(wrong("this changes another message: reply to that one"));
    }
    if row.deleted_at.is_some() {
        return Err(wrong("this message was deleted"));
    }
    if matches!(row.status, MessageStatus::Cancelled | MessageStatus::Failed) {
        return Err(wrong("this message was not sent"));
    }
    Ok(Some(Quoted {
        id: id.clone(),
        sender: row.wire_sender,
        proto: store.proto(&row.key).await?,
        text: row.text.unwrap_or_default(),
    }))
}
