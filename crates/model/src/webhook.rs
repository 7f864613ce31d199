//! Webhooks: where events go, how they are signed and retried.

use crate::{
    clock::{Rng, Timestamp},
    credential::Secret,
    event::EventKind,
    id::{AccountId, DeliveryId, EventId, InstanceId, WebhookId},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    pub id: WebhookId,
    pub instance: InstanceId,
    pub url: String,
    pub events: Vec<EventKind>,
}

/// `whsec_` + base64 of 32 random bytes: the form Standard Webhooks libraries read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningSecret(pub Secret);

impl SigningSecret {
    pub const PREFIX: &'static str = "whsec_";

    pub fn random(rng: &dyn Rng, base64: impl Fn(&[u8]) -> String) -> Self {
        let mut bytes = [0u8; 32];
        rng.fill(&mut bytes);
        Self(Secret::new(format!("{}{}", Self::PREFIX, base64(&bytes))))
    }
}

/// Where a delivery stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// To be posted, for the first time or again.
    Pending,
    /// The receiver took it.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A claimed delivery: everything a worker needs for one attempt.
#[derive(Clone, Debug)]
pub struct DueDelivery {
    pub id: DeliveryId,
    pub account: AccountId,
    pub instance: InstanceId,
    pub event: EventId,
    pub event_kind: EventKind,
    pub created_at: Timestamp,
    /// The JSON text to post.
    pub body: String,
    pub url: String,
    pub secret: Secret,
    /// Attempts already made.
    pub attempts: u32,
}

/// The outcome of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptOutcome {
    pub at: Timestamp,
    pub duration_ms: i64,
    pub status: Option<u16>,
    /// Public text: why it failed, without addresses behind the guard or secrets.
    pub error: Option<String>,
    pub next: NextStep,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    Done,
    RetryAt(Timestamp),
    GiveUp,
}

/// Seconds to wait before attempt 2, 3, …; after the last one the delivery has failed for good.
/// The schedule of Standard Webhooks.
pub const RETRY_SCHEDULE_SECS: [i64; 9] =
    [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// When to try again after `attempts` attempts, with up to 20 % jitter; `None` = give up.
/// `retry_after_secs` is the receiver's wish, honoured up to a day.
pub fn next_attempt(
    attempts: u32,
    now: Timestamp,
    retry_after_secs: Option<i64>,
    rng: &dyn Rng,
) -> Option<Timestamp> {
    let wait = *RETRY_SCHEDULE_SECS.get(attempts.checked_sub(1)? as usize)?;
    let wait = retry_after_secs.map_or(wait, |wish| wait.max(wish.min(86_400)));
    let jitter = rng.below(wait as u64 * 200 + 1) as i64;
    Some(now.plus_secs(wait).plus_millis(jitter))
}
