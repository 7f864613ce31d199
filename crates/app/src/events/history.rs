//! What a phone sent of its past, told frame by frame; and what is missing of it.

use recado_model::history::{Frame, FrameEnd};
use recado_store::FrameState;
use serde_json::{Value, json};

use crate::past::{Gap, HistoryStanding};

/// What was in a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub chats: usize,
    pub messages: usize,
    /// Of the messages those that were not here.
    pub fresh: usize,
    pub names: usize,
}

/// A frame is stored, or as much of it as could be read.
pub(crate) fn history(
    frame: &Frame,
    state: FrameState,
    end: FrameEnd,
    counts: &Counts,
    standing: &HistoryStanding,
) -> Value {
    json!({
        "event": {
            "sync_type": frame.kind.as_str(),
            "chunk_order": frame.chunk_order,
            "progress": frame.progress,
            "request_id": frame.request,
            "conversations": counts.chats,
            "messages": counts.messages,
            "new_messages": counts.fresh,
            "push_names": counts.names,
            "exhausted": end.exhausted,
            "damaged": state != FrameState::Stored,
            "gap": Value::Null,
            "history": stands(standing),
        }
    })
}

/// Nothing more comes, and not all of it has come.
pub(crate) fn history_gap(gap: &Gap, standing: &HistoryStanding) -> Value {
    json!({
        "event": {
            "sync_type": Value::Null,
            "chunk_order": Value::Null,
            "progress": standing.progress,
            "request_id": Value::Null,
            "conversations": 0,
            "messages": 0,
            "new_messages": 0,
            "push_names": 0,
            "exhausted": false,
            "damaged": false,
            "gap": {
                "missing": gap.missing,
                "left_out": gap.holes,
                "damaged": gap.damaged,
                "progress": gap.progress,
            },
            "history": stands(standing),
        }
    })
}

fn stands(standing: &HistoryStanding) -> Value {
    json!({
        "state": standing.state(),
        "announced": standing.announced,
        "received": standing.came,
        "waiting": standing.waiting,
        "progress": standing.progress,
    })
}
