//! The messages that something is done to.

use std::collections::BTreeSet;

use waproto::whatsapp::sync_action_value::SyncActionMessageRange;

use super::ChatMessage;

/// The messages that an act on a chat is about: all before a second, and in it those that are named, or all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Range {
    /// `None`: all that there are.
    until: Option<i64>,
    ids: BTreeSet<String>,
}

impl Range {
    pub(crate) fn of(range: Option<&SyncActionMessageRange>) -> Self {
        let until = range.and_then(|range| range.last_message_timestamp);
        let keys = range.into_iter().flat_map(|range| &range.messages);
        let ids = keys.filter_map(|message| message.key.as_option()?.id.clone());
        Self {
            until: until.filter(|until| *until > 0),
            ids: ids.collect(),
        }
    }

    pub(super) fn has(&self, message: &ChatMessage) -> bool {
        let Some(until) = self.until else {
            return true;
        };
        let second = message.timestamp / 1_000;
        second < until || self.ids.contains(&message.id) || second == until && self.ids.is_empty()
    }
}
