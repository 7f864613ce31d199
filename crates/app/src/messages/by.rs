//! Who does something to an earlier message, and when.

use recado_model::{ChatId, ContactId, InstanceId, MessageId, Timestamp, change::Change};

/// How far somebody's clock may be ahead of ours before it is not believed.
const AHEAD_MS: i64 = 60_000;

/// Who did something, where and when.
pub(crate) struct By<'a> {
    pub instance: &'a InstanceId,
    pub chat: &'a ChatId,
    pub sender: &'a ContactId,
    /// The message that says so.
    pub id: &'a MessageId,
    pub at: Timestamp,
}

/// When it was done: by the clock of who did it, which may say anything, but no later than it came.
pub(crate) fn at_of(change: &Change, came: Timestamp) -> Timestamp {
    let latest = came.plus_millis(AHEAD_MS);
    let at = change.at;
    at.map_or(came, |at| at.max(Timestamp(0)).min(latest))
}
