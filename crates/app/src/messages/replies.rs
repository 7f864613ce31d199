//! What an instance writes by itself: to those whose calls it declines.

use quick_cache::sync::Cache;
use recado_model::{
    Address, Content, Instance, InstanceId, JobId, JobKind, MessageId, Monotonic, Result,
    Timestamp, content::Text, message::Draft,
};
use recado_store::{AccountStore, NewJob, NewMessage};
use sha2::{Digest as _, Sha256};

use super::digest_of;
use crate::Core;

/// Whoever calls again and again is answered once in so much time.
const ONCE_IN_MS: i64 = 60 * 60 * 1000;
const REMEMBERED: usize = 10_000;

/// Who was answered of late.
pub(crate) struct Answered {
    at: Cache<(InstanceId, Address), Monotonic>,
}

impl Default for Answered {
    fn default() -> Self {
        Self {
            at: Cache::new(REMEMBERED),
        }
    }
}

impl Answered {
    /// Whether it is this one's turn again; from now on it is not.
    pub fn may(&self, instance: &InstanceId, who: &Address, now: Monotonic) -> bool {
        let key = (instance.clone(), who.clone());
        let last = self.at.get(&key);
        if last.is_some_and(|last| now.since(last) < ONCE_IN_MS) {
            return false;
        }
        self.at.insert(key, now);
        true
    }
}

/// Of a call, whose every message is one.
pub(crate) fn id_for(call: &str) -> MessageId {
    let digest = Sha256::digest(call);
    MessageId::from_wire(format!("3EB0{}", hex::encode_upper(&digest[..14])))
}

/// Puts a text into the line, in the caller's transaction. `false`: it is there already.
pub(crate) async fn queue_text(
    core: &Core,
    store: &mut AccountStore<'_>,
    instance: &Instance,
    (to, id, text): (&Address, &MessageId, &str),
    now: Timestamp,
) -> Result<bool> {
    let Some(own) = &instance.jid else {
        return Ok(false);
    };
    let draft = Draft {
        content: Content::Text(Text::new(text.to_owned())?),
        mentioned: Vec::new(),
        reply_to: None,
        expires: store.chat_timer(&instance.id, to).await?,
        at: now,
    };
    let mut secret = [0; 32];
    core.rng.fill(&mut secret);
    let nothing = serde_json::Value::Null;
    let asked = serde_json::json!([to, draft.content, draft.mentioned, nothing]);
    let row = NewMessage {
        instance: &instance.id,
        id,
        chat: to,
        sender: own,
        push_name: instance.push_name.as_deref(),
        kind: draft.content.kind(),
        text: draft.content.text(),
        proto: &core.engine.compose(&draft, &secret),
        options: &[],
        about: None,
        digest: &digest_of(&asked.to_string()),
    };
    let Some(inserted) = store.insert_outgoing(&row, now).await? else {
        return Ok(false);
    };
    let job = NewJob {
        id: &JobId::random(&*core.rng),
        instance: &instance.id,
        kind: JobKind::Send,
        message: id,
        chat: &inserted.chat,
        to,
        asks: false,
        run_at: None,
        valid_until: None,
    };
    store.enqueue(&job, now).await?;
    store.number_message(&instance.id, id).await?;
    Ok(true)
}
