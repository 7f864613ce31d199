//! One frame: read part by part, each part a transaction of its own, so that messages of now get in between.

use recado_model::{
    ChatId, ContentKind, EventKind, History, MediaRule, Result, Timestamp,
    chat::{ChatAct, MessageRange, Mute},
    history::{
        ChatLooks, FrameEnd, FrameFault, HistoryChat, HistoryPart, OwnAddresses, PastMessage,
    },
    message::Party,
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
    let Some((own, wanted)) = look(core, of).await? else {
        // The link is over: so is what it brought.
        core.engine.drop_history(&of.instance, &of.frame.name);
        return Ok(());
    };
    let mut counts = Counts::default();
    let read = match wanted {
        true => take(core, of, own, &mut counts).await,
        false => Ok(FrameEnd::default()),
    };
    let (state, end) = match read {
        Ok(end) if end.skipped > 0 => (FrameState::Damaged, end),
        Ok(end) => (FrameState::Stored, end),
        Err(FrameFault::Damaged) => (FrameState::Damaged, FrameEnd::default()),
        Err(FrameFault::Gone) => (FrameState::Gone, FrameEnd::default()),
        Err(FrameFault::Failed(error)) => return Err(error),
    };
    finish(core, of, (state, end), wanted.then_some(&counts)).await?;
    core.engine.drop_history(&of.instance, &of.frame.name);
    Ok(())
}

/// The number's own addresses, and whether anybody wants its past. `None`: it has no number any more.
async fn look(core: &Core, of: &FrameOf) -> Result<Option<(OwnAddresses, bool)>> {
    let mut conn = core.store.read().await?;
    let row = conn.account(&of.account).instance(&of.instance).await?;
    Ok(row.and_then(|row| {
        let own = OwnAddresses {
            number: row.jid?,
            lid: row.lid,
        };
        Some((own, row.settings.history != History::Off))
    }))
}

async fn take(
    core: &Core,
    of: &FrameOf,
    own: OwnAddresses,
    counts: &mut Counts,
) -> Result<FrameEnd, FrameFault> {
    let (give, parts) = mpsc::channel(AHEAD);
    let reading = core
        .engine
        .read_history((&of.account, &of.instance), own, &of.frame, give);
    let (read, stored) = tokio::join!(reading, keep_all(core, of, parts, counts));
    stored.map_err(FrameFault::Failed)?;
    read
}

/// All parts; where one cannot be kept, nobody takes the others, and the reading ends.
async fn keep_all(
    core: &Core,
    of: &FrameOf,
    mut parts: mpsc::Receiver<HistoryPart>,
    counts: &mut Counts,
) -> Result<()> {
    // The chat whose parts are coming.
    let mut chat = None;
    while let Some(part) = parts.recv().await {
        keep(core, of, part, &mut chat, counts).await?;
        // Whoever waits for the database is next.
        tokio::task::yield_now().await;
    }
    Ok(())
}

/// A part in one transaction. A crash of the machine may undo it: then the frame is read again.
async fn keep(
    core: &Core,
    of: &FrameOf,
    part: HistoryPart,
    known: &mut Option<ChatId>,
    counts: &mut Counts,
) -> Result<()> {
    let now = core.clock.now();
    let mut conn = core.store.write_relaxed().await?;
    let mut store = conn.account(&of.account);
    store.lock_instance(&of.instance).await?;
    match part {
        HistoryPart::Names(names) => {
            counts.names += names.len();
            for (who, name) in &names {
                store.note_past_name(&of.instance, who, name, now).await?;
            }
        }
        HistoryPart::Chat(chat) => {
            keep_chat(core, of, (&mut store, now), &chat, known, counts).await?;
        }
    }
    Ok(conn.commit().await?)
}

async fn keep_chat(
    core: &Core,
    of: &FrameOf,
    (store, now): (&mut AccountStore<'_>, Timestamp),
    part: &HistoryChat,
    known: &mut Option<ChatId>,
    counts: &mut Counts,
) -> Result<()> {
    counts.messages += part.messages.len();
    if let Some(looks) = &part.looks {
        counts.chats += 1;
        let before = known_before(store, of, &part.chat).await?;
        let is_empty = part.messages.is_empty();
        *known = match before {
            Some(chat) => Some(chat),
            None if is_empty => None,
            None => {
                let chat = store.chat(&of.instance, &part.chat, now).await?;
                dress(store, of, (&chat, now), looks).await?;
                Some(chat)
            }
        };
        if let (Some(chat), Some(timer)) = (&known, looks.timer) {
            store.set_chat_timer(chat, timer, now).await?;
        }
    }
    for past in &part.messages {
        let at = (&mut *store, now);
        counts.fresh += usize::from(keep_message(core, of, at, past).await?);
    }
    Ok(())
}

/// By whichever of its addresses.
async fn known_before(
    store: &mut AccountStore<'_>,
    of: &FrameOf,
    chat: &Party,
) -> Result<Option<ChatId>> {
    for address in chat.addresses() {
        if let Some(chat) = store.known_chat(&of.instance, address).await? {
            return Ok(Some(chat));
        }
    }
    Ok(None)
}

/// A chat that was not known looks as the phone has it. Of one that was, what devices tell each other is newer.
async fn dress(
    store: &mut AccountStore<'_>,
    of: &FrameOf,
    (chat, now): (&ChatId, Timestamp),
    looks: &ChatLooks,
) -> Result<()> {
    let acts = [
        looks.archived.then_some(ChatAct::Archive(true)),
        looks.pinned.then_some(ChatAct::Pin(true)),
        (looks.mute != Mute::Off).then_some(ChatAct::Mute(looks.mute)),
        looks.marked_unread.then_some(ChatAct::Read(false)),
    ];
    let range = MessageRange {
        until: now,
        ids: Vec::new(),
    };
    for act in acts.into_iter().flatten() {
        store.apply_to_chat(&of.instance, chat, act, &range).await?;
    }
    Ok(())
}

/// Whether it was new.
async fn keep_message(
    core: &Core,
    of: &FrameOf,
    (store, now): (&mut AccountStore<'_>, Timestamp),
    past: &PastMessage,
) -> Result<bool> {
    let Some(row) = store.record_past(past, now).await? else {
        return Ok(false);
    };
    let message = &past.message;
    // Nobody waits for old media: they are fetched when somebody opens them.
    let rule = MediaRule::OnDemand;
    arriving::note(core, store, message, &row.key, rule, now).await?;
    let is_poll = message.kind == ContentKind::Poll;
    if !is_poll && !is_about_another(message.kind) {
        return Ok(true);
    }
    let instance = &of.instance;
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
        account: &of.account,
        instance,
        now,
    };
    life.pointless(store, done.waiting).await?;
    Ok(true)
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
