//! What comes in from WhatsApp: committed with its event and deliveries before it is acknowledged.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use async_trait::async_trait;
use recado_engine::{Notice, Sink};
use recado_model::{
    AccountId, EventKind, InstanceId, MessageStatus, Result,
    message::{InboundMessage, InboundReceipt, MessageId, ReceiptState},
    webhook::Webhook,
};
use tokio::sync::mpsc::UnboundedSender;

use crate::{Core, events, messages::Progress, supervisor::Command};

/// The receiving end of one link. State notices go on to the instance's actor.
pub(crate) struct Ingest {
    pub core: Arc<Core>,
    pub account: AccountId,
    pub instance: InstanceId,
    pub actor: UnboundedSender<Command>,
    pub auto_read: bool,
    /// Held while a message of ours goes out: its receipt may come back before its own commit, and
    /// subscribers should hear of the message first.
    pub sending: Arc<tokio::sync::Mutex<()>>,
    /// Guests: no content is stored before a shop claims the session. What comes in meanwhile is
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
        let now = self.core.clock.now();
        let mut fresh = Vec::new();
        let mut conn = self.core.store.write().await?;
        let mut account = conn.account(&self.account);
        for message in &batch {
            // Redelivered after a crash or a failed commit: the row is there, and so is its event.
            if !account.record_inbound(message, now).await? {
                continue;
            }
            let payload = events::message(message);
            let event = events::event(
                &*self.core.rng,
                &self.account,
                &self.instance,
                EventKind::Message,
                payload,
                now,
            );
            account.append(&event).await?;
            fresh.push(message);
        }
        conn.commit().await?;
        metrics::counter!("recado_messages_received_total").increment(fresh.len() as u64);
        metrics::counter!("recado_messages_duplicate_total")
            .increment((batch.len() - fresh.len()) as u64);
        self.core.deliveries.notify_one();
        if self.auto_read {
            for message in fresh.into_iter().filter(|message| !message.from_me) {
                // The actor being gone means the instance is stopping: nothing to mark then.
                let _ = self.actor.send(Command::MarkRead {
                    chat: message.chat.clone(),
                    sender: message.is_group.then(|| message.sender.clone()),
                    id: message.id.clone(),
                });
            }
        }
        Ok(())
    }

    async fn notice(&self, notice: Notice) -> Result<()> {
        match &notice {
            // Not taken is offered again.
            Notice::Receipt(receipt) => return self.receipt(receipt).await,
            Notice::ServerAck {
                id,
                refused: Some(reason),
            } => return self.refused(id, reason).await,
            Notice::ServerAck { .. } => {}
            Notice::Undecryptable { .. } => {
                metrics::counter!("recado_messages_undecryptable_total").increment(1);
            }
            Notice::Typing(typing) => {
                let payload = events::typing(typing);
                if let Err(error) = self.emit(EventKind::ChatPresence, payload).await {
                    metrics::counter!("recado_notices_dropped_total").increment(1);
                    tracing::warn!(
                        instance.id = %self.instance,
                        error = &error as &dyn std::error::Error,
                        "a presence could not be stored and is lost"
                    );
                }
            }
            _ => {
                // The actor being gone means the instance is stopping.
                let _ = self.actor.send(Command::Notice(notice));
            }
        }
        Ok(())
    }
}

impl Ingest {
    async fn receipt(&self, receipt: &InboundReceipt) -> Result<()> {
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        let _after_send = self.sending.lock().await;
        let now = self.core.clock.now();
        let status = match receipt.state {
            ReceiptState::Accepted => Some(MessageStatus::Sent),
            ReceiptState::Delivered => Some(MessageStatus::Delivered),
            ReceiptState::Read | ReceiptState::Played => Some(MessageStatus::Read),
            ReceiptState::ReadSelf => None,
        };
        let mut conn = self.core.store.write().await?;
        let mut account = conn.account(&self.account);
        for id in status.iter().flat_map(|_| &receipt.ids) {
            if let Some(status) = status {
                account
                    .raise_status(&self.instance, id, status, now)
                    .await?;
            }
        }
        if let Some(payload) = events::receipt(receipt) {
            let event = events::event(
                &*self.core.rng,
                &self.account,
                &self.instance,
                EventKind::ReadReceipt,
                payload,
                now,
            );
            account.append(&event).await?;
        }
        conn.commit().await?;
        self.core.deliveries.notify_one();
        if let Some(status) = status {
            for message in receipt.ids.iter().cloned() {
                // Nobody waiting is fine.
                let _ = self.core.progress.send(Progress {
                    instance: self.instance.clone(),
                    message,
                    status,
                });
            }
        }
        Ok(())
    }

    async fn refused(&self, id: &MessageId, reason: &str) -> Result<()> {
        let mut conn = self.core.store.write().await?;
        let reason = format!("WhatsApp refused the message ({reason})");
        conn.account(&self.account)
            .mark_failed(&self.instance, id, &reason, self.core.clock.now())
            .await?;
        conn.commit().await?;
        tracing::warn!(instance.id = %self.instance, message.id = %id, reason, "message refused");
        let _ = self.core.progress.send(Progress {
            instance: self.instance.clone(),
            message: id.clone(),
            status: MessageStatus::Failed,
        });
        Ok(())
    }

    async fn emit(&self, kind: EventKind, payload: serde_json::Value) -> Result<()> {
        if self.discard.load(Ordering::Relaxed) {
            return Ok(());
        }
        let now = self.core.clock.now();
        let event = events::event(
            &*self.core.rng,
            &self.account,
            &self.instance,
            kind,
            payload,
            now,
        );
        let mut conn = self.core.store.write_relaxed().await?;
        let mut account = conn.account(&self.account);
        // Anybody on WhatsApp can type at us: what no subscriber wants is not kept.
        let webhook = account.webhook(&self.instance).await?;
        let wanted =
            |webhook: &Webhook| !webhook.url.is_empty() && kind.is_wanted_by(&webhook.events);
        if !webhook.as_ref().is_some_and(wanted) {
            return Ok(());
        }
        account.append(&event).await?;
        conn.commit().await?;
        self.core.deliveries.notify_one();
        Ok(())
    }
}
