//! What becomes of people, and of pictures.

use recado_model::{message::Party, person::PersonChange};
use serde_json::{Value, json};

use super::lid;

/// Somebody has another security code.
pub(crate) fn identity(change: &PersonChange) -> Value {
    json!({
        "event": {
            "from": change.who.shown,
            "phone": change.who.shown.number(),
            "lid": lid(&change.who),
            "timestamp": change.at.to_rfc3339(),
        }
    })
}

/// Somebody has another number.
pub(crate) fn number_changed(change: &PersonChange, now: &Party) -> Value {
    json!({
        "event": {
            "jid": now.shown,
            "phone": now.shown.number(),
            "lid": lid(now),
            "old_jid": change.who.shown,
            "old_phone": change.who.shown.number(),
            "old_lid": lid(&change.who),
            "timestamp": change.at.to_rfc3339(),
        }
    })
}

/// Somebody has another picture, or a group; without an id none any more.
pub(crate) fn picture(change: &PersonChange, id: Option<&str>, by: Option<&Party>) -> Value {
    let who = &change.who.shown;
    json!({
        "event": {
            "jid": who,
            "phone": who.number(),
            "lid": lid(&change.who),
            "is_group": who.is_group(),
            "picture_id": id,
            "removed": id.is_none(),
            // Of a group's.
            "author": by.map(|by| &by.shown),
            "timestamp": change.at.to_rfc3339(),
        }
    })
}
