//! The messages that something is done to.

use std::collections::BTreeSet;

use waproto::whatsapp::sync_action_value::SyncActionMessageRange;

use super::ChatMessage;

/// The messages that an act on a chat is about: all before a second, and in it those that are named, or all. The
/// lines that nobody wrote have a second of their own, which they are in themselves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Range {
    /// `None`: all that there are.
    until: Option<i64>,
    ids: BTreeSet<String>,
    /// Of lines that nobody wrote.
    system: i64,
}

/// The kind of the line that says that a chat's messages disappear.
const TIMER: &str = "timer";

impl Range {
    pub(crate) fn of(range: Option<&SyncActionMessageRange>) -> Self {
        let until = range.and_then(|range| range.last_message_timestamp);
        let keys = range.into_iter().flat_map(|range| &range.messages);
        let ids = keys.filter_map(|message| message.key.as_option()?.id.clone());
        Self {
            until: until.filter(|until| *until > 0),
            ids: ids.collect(),
            system: range
                .and_then(|range| range.last_system_message_timestamp)
                .unwrap_or(0),
        }
    }

    pub(super) fn has(&self, message: &ChatMessage) -> bool {
        let Some(until) = self.until else {
            return true;
        };
        let second = message.timestamp / 1_000;
        if message.kind == TIMER && second <= self.system {
            return true;
        }
        second < until || self.ids.contains(&message.id) || second == until && self.ids.is_empty()
    }
}
