//! A medium that comes in: written down in the transaction of its message, and fetched afterwards.

use recado_model::{
    MediaId, MediaRef, MediaRule, MessageKey, Result, Timestamp,
    content::found_name,
    media::{MediaSource, MediumSecret},
    message::InboundMessage,
    text::is_unseen,
};
use recado_store::{AccountStore, NewMedium};
use serde_json::{Value, json};

use super::links;
use crate::Core;

const DAY_MS: i64 = 24 * 3600 * 1000;

/// What an event says of its medium, beside its message.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub url: Option<String>,
    /// Why the bytes are not fetched, or not yet.
    pub error: Option<String>,
    /// Somebody is to fetch it now.
    pub due: bool,
}

impl Told {
    pub fn put_into(&self, payload: &mut Value) {
        if let Some(url) = &self.url {
            payload["media_url"] = json!(url);
        }
        if let Some(error) = &self.error {
            payload["media_error"] = json!(error);
        }
    }
}

pub(crate) async fn note(
    core: &Core,
    store: &mut AccountStore<'_>,
    message: &InboundMessage,
    key: &MessageKey,
    rule: MediaRule,
    now: Timestamp,
) -> Result<Told> {
    let Some(named) = core.engine.media(&message.proto) else {
        return Ok(Told::default());
    };
    let config = &core.config.media;
    let refused = |why: String| Told {
        error: Some(why),
        ..Told::default()
    };
    if rule == MediaRule::Off {
        return Ok(refused(
            "media are not fetched here (media.download)".into(),
        ));
    }
    let most = config.most.largest();
    if named.length.is_some_and(|length| length > most) {
        let why =
            format!("the medium is larger than the {most} bytes that are fetched here at all");
        return Ok(refused(why));
    }
    let large = named
        .length
        .filter(|length| *length > config.download_most)
        .map(|_| config.download_most);
    let due = rule == MediaRule::Always && large.is_none();
    let id = MediaId::random(&*core.rng);
    let secret = secret_of(core, &named, now);
    let mime = plain(named.mime.as_deref(), 255);
    let file_name = named.file_name.as_deref();
    let file_name = file_name.and_then(found_name);
    let new = NewMedium {
        id: &id,
        instance: &message.instance,
        message: Some(key),
        class: named.class,
        mime: &mime,
        file_name: file_name.as_deref().filter(|name| !name.is_empty()),
        length: named.length,
        object: None,
        secret: &secret,
        next_at: due.then_some(now),
    };
    store.insert_medium(&new, now).await?;
    let until = now.plus_millis(config.link_days * DAY_MS);
    let token = links::token(&id, &secret.link_key, until)?;
    Ok(Told {
        url: Some(format!("{}/media/{token}", core.config.public_url)),
        error: large
            .map(|most| format!("larger than {most} bytes: fetched when its link is first opened")),
        due,
    })
}

fn secret_of(core: &Core, named: &MediaRef, now: Timestamp) -> MediumSecret {
    let mut secret = MediumSecret::new(named.key.clone(), &*core.rng, now);
    secret.source = Some(MediaSource::WhatsApp {
        direct_path: named.direct_path.clone(),
        sha256: named.sha256,
        sealed_sha256: named.sealed_sha256,
        length: named.length,
    });
    secret
}

/// Strangers write these: what nobody sees goes, and so does what is too long.
fn plain(text: Option<&str>, most: usize) -> String {
    let seen = text.unwrap_or_default().chars().filter(|c| !is_unseen(*c));
    let mut kept = String::new();
    for c in seen {
        if kept.len() + c.len_utf8() > most {
            break;
        }
        kept.push(c);
    }
    kept
}
