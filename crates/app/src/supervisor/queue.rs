//! The send queue of one instance: in order, paced, at least once to WhatsApp and once to the phone.
//!
//! A crash between the send and its commit sends again with the same message id, and the phone drops
//! the second copy.

use recado_model::{
    Error, ErrorCode, EventKind, MessageStatus, Result,
    message::{MessageId, OutgoingText},
};

use super::actor::Actor;
use crate::{
    events,
    messages::{Progress, SEND_TEXT},
};

/// Tries of one message before it has failed.
const TRIES: u32 = 8;
const SEND_TIMEOUT_MS: i64 = 60_000;
const RETRY_FIRST_MS: i64 = 2_000;

impl Actor {
    /// Sends the head of the queue, if it is due, and says when to look again.
    pub(super) async fn send_next(&mut self) -> Result<()> {
        let Some(link) = self.link.clone().filter(|_| self.online) else {
            self.send_at = None;
            return Ok(());
        };
        let now = self.core.clock.now();
        let mut conn = self.core.store.read().await?;
        let mut store = conn.account(&self.account);
        let Some(job) = store.next_job(&self.instance, now).await? else {
            self.send_at = store.next_due(&self.instance).await?;
            return Ok(());
        };
        drop(conn);
        let text: OutgoingText = match serde_json::from_str(&job.payload) {
            Ok(text) if job.kind == SEND_TEXT => text,
            Ok(_) | Err(_) => {
                // Written by a newer program: it cannot be sent by this one, and must not block the rest.
                tracing::error!(instance.id = %self.instance, job.id = %job.id, kind = job.kind, "a queued job is not understood and is dropped");
                let mut conn = self.core.store.write().await?;
                conn.account(&self.account).finish_job(&job.id).await?;
                conn.commit().await?;
                return Ok(());
            }
        };
        let order = self.sending.clone();
        let _before_receipts = order.lock().await;
        let sent = tokio::select! {
            sent = link.send_text(&text) => sent,
            () = self.core.clock.sleep_ms(SEND_TIMEOUT_MS) => {
                Err(Error::new(ErrorCode::Timeout, "WhatsApp did not take the message in time"))
            }
        };
        let mut conn = self.core.store.write().await?;
        let now = self.core.clock.now();
        let mut store = conn.account(&self.account);
        let outcome = match sent {
            Ok(()) => {
                store.finish_job(&job.id).await?;
                store
                    .raise_status(&self.instance, &text.id, MessageStatus::Sent, now)
                    .await?;
                let payload = events::sent(&text, &self.own_jid, self.push_name.as_deref(), now);
                let event = events::event(
                    &*self.core.rng,
                    &self.account,
                    &self.instance,
                    EventKind::Message,
                    payload,
                    now,
                );
                store.append(&event).await?;
                Some(MessageStatus::Sent)
            }
            // The connection went away under it: no fault of the message.
            Err(error) if error.code == ErrorCode::InstanceNotConnected => {
                self.send_at = None;
                return Ok(());
            }
            Err(error) if error.is_callers_fault() || job.attempts + 1 >= TRIES => {
                tracing::warn!(instance.id = %self.instance, message.id = %text.id, error = &error as &dyn std::error::Error, "message failed");
                store.finish_job(&job.id).await?;
                store
                    .mark_failed(&self.instance, &text.id, &error.message, now)
                    .await?;
                Some(MessageStatus::Failed)
            }
            Err(error) => {
                let wait = RETRY_FIRST_MS << job.attempts.min(6);
                tracing::warn!(instance.id = %self.instance, message.id = %text.id, error = &error as &dyn std::error::Error, wait_ms = wait, "message not sent; trying again");
                store.retry_job(&job.id, now.plus_millis(wait)).await?;
                None
            }
        };
        conn.commit().await?;
        if let Some(status) = outcome {
            metrics::counter!("recado_messages_sent_total", "outcome" => status.as_str())
                .increment(1);
            self.core.deliveries.notify_one();
            self.told_progress(text.id, status);
        }
        let pause = self.core.config.send_interval_ms;
        let jitter = self.core.rng.below(pause.max(4) as u64 / 4) as i64;
        self.send_at = Some(now.plus_millis(if pause == 0 { 0 } else { pause + jitter }));
        Ok(())
    }

    fn told_progress(&self, message: MessageId, status: MessageStatus) {
        // Nobody waiting is fine.
        let _ = self.core.progress.send(Progress {
            instance: self.instance.clone(),
            message,
            status,
        });
    }
}
