//! One frame: read part by part, each part a transaction of its own, so that messages of now get in between.

use recado_model::{
    ChatId, ContentKind, Error, ErrorCode, EventKind, History, MediaRule, Result, Timestamp,
    chat::{ChatAct, MessageRange, Mute},
    history::{
        ChatLooks, FrameEnd, FrameFault, HistoryChat, HistoryPart, OwnAddresses, PastMessage,
    },
};
use recado_store::{AccountStore, FrameOf, FrameState};
use tokio::sync::mpsc;

use crate::{
    Core,
    events::{self, Counts},
    media::arriving,
    messages::{
        by::By,
        changes::{self, is_about_another},
        life::Life,
        votes,
    },
    past::HistoryStanding,
};

/// Parts that are read ahead of the database.
const AHEAD: usize = 1;

/// Stores a frame, tells of it, and lets go of its bytes.
///
/// # Errors
/// Where it is to be tried again.
pub(crate) async fn store(core: &Core, of: &FrameOf) -> Result<()> {
    let (own, rule) = look(core, of).await?;
    let mut counts = Counts::default();
    let read = match rule {
        Some(rule) => Storing { core, of, rule }.take(own, &mut counts).await,
        None => Ok(FrameEnd::default()),
    };
    let (state, end) = match read {
        Ok(end) if end.skipped > 0 => (FrameState::Damaged, end),
        Ok(end) => (FrameState::Stored, end),
        Err(FrameFault::Damaged) => (FrameState::Damaged, FrameEnd::default()),
        Err(FrameFault::Gone) => (FrameState::Gone, FrameEnd::default()),
        Err(FrameFault::Failed(error)) => return Err(error),
    };
    let told = rule.map(|_| &counts);
    finish(core, of, (state, end), told).await?;
    core.engine.drop_history(&of.instance, &of.frame.name);
    Ok(())
}

/// The number's own addresses, and what becomes of media; `None` where nobody wants its past.
///
/// # Errors
/// It has no number: its pairing is being written down at the moment, or has just ended, and the frame's row with it.
async fn look(core: &Core, of: &FrameOf) -> Result<(OwnAddresses, Option<MediaRule>)> {
    let mut conn = core.store.read().await?;
    let row = conn.account(&of.account).instance(&of.instance).await?;
    let own = row.and_then(|row| {
        let own = OwnAddresses {
            number: row.jid?,
            lid: row.lid,
        };
        let wanted = row.settings.history != History::Off;
        let rule = row.settings.media.unwrap_or(core.config.media.download);
        Some((own, wanted.then_some(rule)))
    });
    let none = "the instance of a frame of history has no number";
    own.ok_or_else(|| Error::new(ErrorCode::Unavailable, none))
}

/// A frame on its way into the rows.
struct Storing<'a> {
    core: &'a Core,
    of: &'a FrameOf,
    rule: MediaRule,
}

/// The rows of a transaction, and its time.
type At<'s, 'c> = (&'s mut AccountStore<'c>, Timestamp);

impl Storing<'_> {
    async fn take(&self, own: OwnAddresses, counts: &mut Counts) -> Result<FrameEnd, FrameFault> {
        let (give, parts) = mpsc::channel(AHEAD);
        let whose = (&self.of.account, &self.of.instance);
        let engine = &self.core.engine;
        let reading = engine.read_history(whose, own, &self.of.frame, give);
        let (read, stored) = tokio::join!(reading, self.keep_all(parts, counts));
        stored.map_err(FrameFault::Failed)?;
        read
    }

    /// All parts; where one cannot be kept, nobody takes the others, and the reading ends.
    async fn keep_all(
        &self,
        mut parts: mpsc::Receiver<HistoryPart>,
        counts: &mut Counts,
    ) -> Result<()> {
        // The chat whose parts are coming.
        let mut chat = None;
        while let Some(part) = parts.recv().await {
            self.keep(part, &mut chat, counts).await?;
            // Whoever waits for the database is next.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// A part in one transaction. A crash of the machine may undo it: then the frame is read again.
    async fn keep(
        &self,
        part: HistoryPart,
        known: &mut Option<ChatId>,
        counts: &mut Counts,
    ) -> Result<()> {
        let (now, instance) = (self.core.clock.now(), &self.of.instance);
        let mut conn = self.core.store.write_relaxed().await?;
        let mut store = conn.account(&self.of.account);
        store.lock_instance(instance).await?;
        match part {
            HistoryPart::Names(names) => {
                counts.names += names.len();
                for (who, name) in &names {
                    store.note_past_name(instance, who, name, now).await?;
                }
            }
            HistoryPart::Chat(part) => {
                self.keep_chat((&mut store, now), &part, known, counts)
                    .await?;
            }
        }
        Ok(conn.commit().await?)
    }

    async fn keep_chat(
        &self,
        (store, now): At<'_, '_>,
        part: &HistoryChat,
        known: &mut Option<ChatId>,
        counts: &mut Counts,
    ) -> Result<()> {
        counts.messages += part.messages.len();
        if let Some(looks) = &part.looks {
            counts.chats += 1;
            *known = self.found((&mut *store, now), part, looks).await?;
            if let (Some(chat), Some(timer)) = (&*known, looks.timer) {
                store.set_chat_timer(chat, timer, now).await?;
            }
        }
        for past in &part.messages {
            let fresh = self.keep_message((&mut *store, now), past).await?;
            counts.fresh += usize::from(fresh);
        }
        Ok(())
    }

    /// The chat; one that was not known is made as the phone has it, unless there is nothing in it. Of one that was, what
    /// devices tell each other is newer.
    async fn found(
        &self,
        (store, now): At<'_, '_>,
        part: &HistoryChat,
        looks: &ChatLooks,
    ) -> Result<Option<ChatId>> {
        let instance = &self.of.instance;
        for address in part.chat.addresses() {
            if let Some(chat) = store.known_chat(instance, address).await? {
                return Ok(Some(chat));
            }
        }
        if part.messages.is_empty() {
            return Ok(None);
        }
        let chat = store.chat(instance, &part.chat, now).await?;
        let range = MessageRange {
            until: now,
            ids: Vec::new(),
        };
        for act in acts(looks) {
            store.apply_to_chat(instance, &chat, act, &range).await?;
        }
        Ok(Some(chat))
    }

    /// Whether it was new.
    async fn keep_message(&self, (store, now): At<'_, '_>, past: &PastMessage) -> Result<bool> {
        let Some(row) = store.record_past(past, now).await? else {
            return Ok(false);
        };
        let (core, instance, message) = (self.core, &self.of.instance, &past.message);
        // Nobody waits for old media: they are fetched when somebody opens them.
        let rule = match self.rule {
            MediaRule::Off => MediaRule::Off,
            MediaRule::OnDemand | MediaRule::Always => MediaRule::OnDemand,
        };
        arriving::note(core, store, message, &row.key, rule, now).await?;
        let is_poll = message.kind == ContentKind::Poll;
        if !is_poll && !is_about_another(message.kind) {
            return Ok(true);
        }
        let sender = store.contact(instance, &message.sender, now).await?;
        if is_poll {
            let poll = store
                .message_by(instance, &row.chat, &sender, &message.id)
                .await?;
            if let Some(poll) = poll {
                votes::count_early(core, store, (instance, &poll)).await?;
            }
            return Ok(true);
        }
        let by = By {
            instance,
            chat: &row.chat,
            sender: &sender,
            id: &message.id,
            at: message.at,
        };
        let done = changes::apply(core, store, &by, &message.proto).await?;
        let life = Life {
            core,
            account: &self.of.account,
            instance,
            now,
        };
        life.pointless(store, done.waiting).await?;
        Ok(true)
    }
}

/// What its owner has done to a chat that looks so.
fn acts(looks: &ChatLooks) -> impl Iterator<Item = ChatAct> {
    let acts = [
        looks.archived.then_some(ChatAct::Archive(true)),
        looks.pinned.then_some(ChatAct::Pin(true)),
        (looks.mute != Mute::Off).then_some(ChatAct::Mute(looks.mute)),
        looks.marked_unread.then_some(ChatAct::Read(false)),
    ];
    acts.into_iter().flatten()
}

/// The frame waits no more, and subscribers hear of it; in one transaction.
async fn finish(
    core: &Core,
    of: &FrameOf,
    (state, end): (FrameState, FrameEnd),
    counts: Option<&Counts>,
) -> Result<()> {
    let now = core.clock.now();
    let mut conn = core.store.write().await?;
    let mut store = conn.account(&of.account);
    let ended = store.end_frame(&of.instance, &of.frame.digest, state);
    if !ended.await? {
        return Ok(());
    }
    if let Some(counts) = counts {
        let row = store.history(&of.instance).await?;
        let standing = HistoryStanding::of(&row);
        let payload = events::history(&of.frame, state, end, counts, &standing);
        let kind = EventKind::HistorySync;
        let event = events::event(&*core.rng, &of.account, &of.instance, kind, payload, now);
        store.append(&event).await?;
        let (outcome, fresh) = (state.as_str(), counts.fresh as u64);
        metrics::counter!("recado_history_frames_total", "outcome" => outcome).increment(1);
        metrics::counter!("recado_history_messages_total").increment(fresh);
    }
    Ok(conn.commit().await?)
}
