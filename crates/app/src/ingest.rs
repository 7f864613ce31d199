//! Messages and notices from WhatsApp: committed with their events and deliveries before they are acknowledged.

mod calls;
mod history;
mod news;
mod people;

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use recado_engine::{Notice, Sink};
use recado_identity::faults;
use recado_model::{
    ContentKind, Direction, Event, EventKind, MessageStatus, Result, Timestamp,
    call::MarkRead,
    failure::{self, Remedy},
    media::MediaOrigin,
    message::{InboundMessage, InboundReceipt, MessageId, Party, ReceiptState},
};
use recado_store::{AccountStore, MessageRow};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

use crate::{
    Core,
    events::{self, Beside},
    held::Held,
    inbox::{Command, Verdict},
    media::arriving,
    messages::{
        by::By,
        changes::{self, is_about_another},
        life::Life,
        menus, votes,
    },
};

/// The receiving end of one link. State notices go on to the instance's actor.
pub(crate) struct Ingest {
    pub held: Held,
    pub actor: UnboundedSender<Command>,
    /// Guests: no content is stored before a shop claims the instance. A message that comes in meanwhile is
    /// acknowledged and forgotten; the link keeps nothing of it either (`LinkSpec::keep_inbound`).
    pub discard: Arc<AtomicBool>,
    /// How many messages that were, for the shop that claims it.
    pub not_kept: Arc<AtomicU64>,
}

#[async_trait]
impl Sink for Ingest {
    async fn messages(&self, batch: Vec<InboundMessage>) -> Result<()> {
        if self.discard.load(Ordering::Relaxed) {
            let n = batch.len() as u64;
            self.not_kept.fetch_add(n, Ordering::Relaxed);
            metrics::counter!("recado_guest_messages_not_kept_total").increment(n);
            return Ok(());
        }
        let now = self.core().clock.now();
        let (mut fresh, mut proven, mut due) = (Vec::new(), Vec::new(), false);
        let mut conn = self.held.write().await?;
        let mut account = conn.account(&self.held.account);
        let behaviour = account.behaviour(&self.held.instance).await?;
        let (settings, auto_read) = behaviour.unwrap_or_default();
        let rule = settings.media.unwrap_or(self.core().config.media.download);
        for message in &batch {
            // Redelivered after a crash or a failed commit: the row is there, and so is its event.
            let Some(row) = account.record_inbound(message, now).await? else {
                continue;
            };
            if let Some(id) = self.proven(&mut account, message, now).await? {
                proven.push(id);
            }
            if let Some(timer) = message.timer {
                let chat = account.chat(&message.instance, &message.chat, now).await?;
                account.set_chat_timer(&chat, timer, now).await?;
            }
            let beside = self.beside(&mut account, message, now).await?;
            let mut payload = events::message(message, &beside);
            let medium =
                arriving::note(self.core(), &mut account, message, &row.key, rule, now).await?;
            medium.put_into(&mut payload);
            due |= medium.due;
            let event = self.event(EventKind::Message, payload, now);
            account.append(&event).await?;
            fresh.push(message);
        }
        conn.commit().await?;
        for id in &proven {
            self.tell(id, Verdict::Done);
            self.got_further(id, MessageStatus::Sent);
        }
        if due {
            self.core().media.bell(MediaOrigin::WhatsApp).notify_one();
        }
        metrics::counter!("recado_messages_received_total").increment(fresh.len() as u64);
        metrics::counter!("recado_messages_duplicate_total")
            .increment((batch.len() - fresh.len()) as u64);
        if auto_read {
            for message in fresh.into_iter().filter(|message| !message.from_me) {
                self.mark_read(message);
            }
        }
        Ok(())
    }

    async fn has(&self, id: &MessageId) -> Result<bool> {
        if self.discard.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let mut conn = self.core().store.read().await?;
        let mut account = conn.account(&self.held.account);
        let row = account.message(&self.held.instance, id).await?;
        Ok(row.is_some())
    }

    async fn notice(&self, notice: Notice) -> Result<()> {
        match &notice {
            // Not taken is offered again.
            Notice::Receipt(receipt) => return self.receipt(receipt).await,
            Notice::ServerAck { id, refused: None } => return self.acknowledged(id).await,
            Notice::ServerAck {
                id,
                refused: Some(code),
            } => return self.refused(id, code).await,
            Notice::Undecryptable { .. } => return self.undecryptable(&notice).await,
            Notice::Group(done) => return self.group(done).await,
            Notice::Synced(all) => return self.synced(all).await,
            Notice::History(news) => return self.history(news).await,
            Notice::Person(change) => return self.person(change).await,
            Notice::Unsynced(trouble) => return self.unsynced(trouble).await,
            Notice::SyncedAgain { collection } => return self.synced_again(collection).await,
            Notice::Typing(typing) => {
                let payload = events::typing(typing);
                self.passing(self.emit(EventKind::ChatPresence, payload).await);
            }
            Notice::Presence(presence) => {
                let payload = events::presence(presence);
                self.passing(self.emit(EventKind::Presence, payload).await);
            }
            Notice::Call(call) => self.passing(calls::rings(self, call).await),
            _ => {
                // The actor being gone means the instance is stopping.
                let _ = self.actor.send(Command::Notice(notice));
            }
        }
        Ok(())
    }
}

/// These messages of a chat were read by this device.
async fn note_read(held: &Held, chat: &Party, ids: &[MessageId]) -> Result<()> {
    let now = held.core.clock.now();
    let mut conn = held.write().await?;
    let mut store = conn.account(&held.account);
    store.lock_instance(&held.instance).await?;
    let chat = store.chat(&held.instance, chat, now).await?;
    store.read_messages(&held.instance, &chat, ids).await?;
    conn.commit().await?;
    Ok(())
}

impl Ingest {
    /// What is told once may be lost.
    fn passing(&self, told: Result<()>) {
        if let Err(error) = told {
            metrics::counter!("recado_notices_dropped_total").increment(1);
            faults::warn(
                &error,
                "something that is told once could not be stored and is lost",
            );
        }
    }

    /// Does to earlier messages what a new one says, and what they say to it. What is to be told beside it.
    async fn beside(
        &self,
        store: &mut AccountStore<'_>,
        message: &InboundMessage,
        now: Timestamp,
    ) -> Result<Beside> {
        let instance = &self.held.instance;
        let choice = menus::choice(store, instance, message, now).await?;
        let mut beside = Beside {
            choice,
            ..Beside::default()
        };
        let is_poll = message.kind == ContentKind::Poll;
        if !is_poll && !is_about_another(message.kind) {
            return Ok(beside);
        }
        let chat = store.chat(instance, &message.chat, now).await?;
        let sender = store.contact(instance, &message.sender, now).await?;
        if is_poll {
            let row = store
                .message_by(instance, &chat, &sender, &message.id)
                .await?;
            if let Some(row) = row {
                let poll = (instance, &row);
                beside.totals = votes::count_early(self.core(), store, poll).await?;
            }
            return Ok(beside);
        }
        let by = By {
            instance,
            chat: &chat,
            sender: &sender,
            id: &message.id,
            at: message.at,
        };
        let done = changes::apply(self.core(), store, &by, &message.proto).await?;
        self.life(now).pointless(store, done.waiting).await?;
        beside.vote = done.vote;
        Ok(beside)
    }

    /// The message of ours that our phone deletes or edits here: the phone has it, so WhatsApp has, whatever was
    /// heard of it so far. `None` where that was known.
    async fn proven(
        &self,
        store: &mut AccountStore<'_>,
        message: &InboundMessage,
        now: Timestamp,
    ) -> Result<Option<MessageId>> {
        let changes = matches!(message.kind, ContentKind::Edit | ContentKind::Revoke);
        if !message.from_me || !changes {
            return Ok(None);
        }
        let Some(change) = self.core().engine.change(&message.proto) else {
            return Ok(None);
        };
        let sent = MessageStatus::Sent;
        let proven = self.life(now).seen(store, &change.target, sent).await?;
        Ok(proven.then_some(change.target))
    }

    /// Nobody waits for it. The actor being gone means the instance is stopping: nothing to mark then. Once the
    /// sender has been told, it counts as read.
    fn mark_read(&self, message: &InboundMessage) {
        // As the message named them.
        let chat = message.chat.wire.clone();
        let call = MarkRead {
            sender: chat.is_group().then(|| message.sender.wire.clone()),
            chat,
            ids: vec![message.id.clone()],
        };
        let (reply, told) = oneshot::channel();
        let call = call.into();
        drop(self.actor.send(Command::Call { call, reply }));
        let (held, party, id) = (self.held.clone(), message.chat.clone(), message.id.clone());
        tokio::spawn(async move {
            if !matches!(told.await, Ok(Ok(_))) {
                return;
            }
            if let Err(error) = note_read(&held, &party, &[id]).await {
                faults::warn(&error, "a message that was read still counts as unread");
            }
        });
    }

    fn core(&self) -> &Core {
        &self.held.core
    }

    fn life(&self, now: Timestamp) -> Life<'_> {
        Life {
            core: &self.held.core,
            account: &self.held.account,
            instance: &self.held.instance,
            now,
        }
    }

    fn event(&self, kind: EventKind, payload: serde_json::Value, now: Timestamp) -> Event {
        let (account, instance) = (&self.held.account, &self.held.instance);
        events::event(&*self.core().rng, account, instance, kind, payload, now)
    }

    /// The actor being gone means that nothing is under way.
    fn tell(&self, id: &MessageId, verdict: Verdict) {
        let id = id.clone();
        drop(self.actor.send(Command::Answered { id, verdict }));
    }

    /// WhatsApp's server has it.
    async fn acknowledged(&self, id: &MessageId) -> Result<()> {
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        let sent = self
            .life(self.core().clock.now())
            .sent(&mut store, id)
            .await?;
        conn.commit().await?;
        self.tell(id, Verdict::Done);
        if sent {
            self.got_further(id, MessageStatus::Sent);
        }
        Ok(())
    }

    fn got_further(&self, id: &MessageId, status: MessageStatus) {
        metrics::counter!("recado_messages_sent_total", "outcome" => status.as_str()).increment(1);
        self.core().told_progress(&self.held.instance, id, status);
    }

    /// A receipt of a message that is not acknowledged yet is its acknowledgement: one transaction, the
    /// message's event before the receipt's.
    async fn receipt(&self, receipt: &InboundReceipt) -> Result<()> {
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.core().clock.now();
        let status = match receipt.state {
            ReceiptState::Accepted => Some(MessageStatus::Sent),
            ReceiptState::Delivered => Some(MessageStatus::Delivered),
            ReceiptState::Read | ReceiptState::Played => Some(MessageStatus::Read),
            ReceiptState::ReadSelf => None,
        };
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        let life = self.life(now);
        let mut further = Vec::new();
        let receipt = &self.believed(&mut store, receipt, now).await?;
        for id in &receipt.ids {
            if let Some(status) = status
                && life.seen(&mut store, id, status).await?
            {
                further.push((id, status));
            }
        }
        if let Some(name) = receipt.state.wire() {
            let (instance, held) = (&self.held.instance, receipt);
            let fresh = store.record_receipt(instance, held, name, now).await?;
            if receipt.state == ReceiptState::ReadSelf && receipt.from_me {
                let chat = store.chat(instance, &receipt.chat, now).await?;
                store.read_messages(instance, &chat, &receipt.ids).await?;
            }
            if let Some(payload) = events::receipt(receipt, &fresh).filter(|_| !fresh.is_empty()) {
                let event = self.event(EventKind::ReadReceipt, payload, now);
                store.append(&event).await?;
            }
        }
        conn.commit().await?;
        for id in receipt.ids.iter().filter(|_| status.is_some()) {
            self.tell(id, Verdict::Done);
        }
        for (id, status) in further {
            self.got_further(id, status);
        }
        Ok(())
    }

    /// Of a receipt what its sender can know: callers choose ids, and whoever guesses one of a message to somebody
    /// else has not seen that. Our own devices see all chats.
    async fn believed(
        &self,
        store: &mut AccountStore<'_>,
        receipt: &InboundReceipt,
        now: Timestamp,
    ) -> Result<InboundReceipt> {
        let instance = &self.held.instance;
        let mut believed = receipt.clone();
        if receipt.from_me {
            return Ok(believed);
        }
        let chat = store.receipt_chat(instance, receipt, now).await?;
        believed.ids.clear();
        for id in &receipt.ids {
            let row = store.message(instance, id).await?;
            let elsewhere =
                |row: MessageRow| row.direction == Direction::Out && row.chat_id != chat;
            if row.is_some_and(elsewhere) {
                tracing::warn!(instance.id = %instance, message.id = %id, "a receipt from another chat than its message's");
            } else {
                believed.ids.push(id.clone());
            }
        }
        Ok(believed)
    }

    /// A message could not be read: its chat counts it, and subscribers hear of it. One that shows nothing in a chat is no news.
    async fn undecryptable(&self, notice: &Notice) -> Result<()> {
        metrics::counter!("recado_messages_undecryptable_total").increment(1);
        let Notice::Undecryptable {
            chat,
            sender,
            from_me,
            id,
            at,
            unavailable,
            hidden: false,
        } = notice
        else {
            return Ok(());
        };
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.core().clock.now();
        let instance = &self.held.instance;
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        store.lock_instance(instance).await?;
        let with = store.chat(instance, chat, now).await?;
        store.note_unreadable(instance, &with, (id, now)).await?;
        let payload = events::undecryptable(&events::Unread {
            id,
            chat,
            sender,
            from_me: *from_me,
            at: *at,
            unavailable: *unavailable,
        });
        self.append_wanted(&mut store, EventKind::UndecryptableMessage, payload)
            .await?;
        Ok(conn.commit().await?)
    }

    /// An event that goes to those alone who name it, in the transaction of what it tells of.
    async fn append_wanted(
        &self,
        store: &mut AccountStore<'_>,
        kind: EventKind,
        payload: serde_json::Value,
    ) -> Result<()> {
        if store.is_subscribed(&self.held.instance, kind).await? {
            let event = self.event(kind, payload, self.core().clock.now());
            store.append(&event).await?;
        }
        Ok(())
    }

    /// WhatsApp's server does not take it: what follows is the catalogue's word.
    async fn refused(&self, id: &MessageId, code: &str) -> Result<()> {
        let now = self.core().clock.now();
        let instance = &self.held.instance;
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.held.account);
        let job = store.job_of(instance, id).await?;
        if job.is_none() && store.has_job(instance, id).await? {
            tracing::warn!(instance.id = %instance, message.id = %id, code, "WhatsApp refused a message of a newer program; it waits for it");
            return Ok(());
        }
        let before = job.as_ref().and_then(|job| job.code.as_deref());
        let verdict = match (failure::remedy(code, before), &job) {
            (Remedy::Fail, _) | (_, None) => Verdict::Done,
            (Remedy::Again, Some(job)) => Verdict::Again {
                attempts: job.attempts,
            },
            (Remedy::Slower, Some(job)) => Verdict::Slower {
                attempts: job.attempts,
            },
            (Remedy::RefreshGroup, Some(_)) => Verdict::Anew,
            (Remedy::NewConnection, Some(_)) => Verdict::NewConnection,
        };
        let failed = match (&job, verdict) {
            (Some(job), verdict) if verdict != Verdict::Done => {
                store.retry_job(&job.id, Some(code)).await?;
                false
            }
            _ => {
                let failure = failure::refused(code);
                self.life(now).failed(&mut store, id, &failure).await?
            }
        };
        conn.commit().await?;
        tracing::info!(instance.id = %instance, message.id = %id, code, ?verdict, "WhatsApp refused a message");
        self.tell(id, verdict);
        if failed {
            self.got_further(id, MessageStatus::Failed);
        }
        Ok(())
    }

    async fn emit(&self, kind: EventKind, payload: serde_json::Value) -> Result<()> {
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        let event = self.event(kind, payload, self.core().clock.now());
        let mut conn = self.held.write_relaxed().await?;
        let mut account = conn.account(&self.held.account);
        // Anybody on WhatsApp can type at us: what no subscriber wants is not kept.
        if !account.is_subscribed(&self.held.instance, kind).await? {
            return Ok(());
        }
        account.append(&event).await?;
        conn.commit().await?;
        Ok(())
    }
}
