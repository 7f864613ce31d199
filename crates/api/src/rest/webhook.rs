//! Where an instance's events go.

use axum::{extract::State, response::Response};
use recado_model::{Error, EventKind};
use serde::{Deserialize, Serialize};

use crate::{
    Shared,
    auth::InstanceAccess,
    error::Fail,
    extract::{Json, Names},
};

use super::enveloped;

/// `subscribe` is an array here and `events` a string in the answer of POST: the contract's own.
#[derive(Serialize)]
struct Current {
    webhook: String,
    subscribe: Vec<&'static str>,
}

pub async fn get(
    InstanceAccess { caller, instance }: InstanceAccess,
    State(shared): State<Shared>,
) -> Result<Response, Fail> {
    let webhook = shared.app.webhooks().get(&caller, &instance).await?;
    Ok(enveloped(&match webhook {
        Some(webhook) => Current {
            subscribe: webhook.events.iter().map(|kind| kind.as_str()).collect(),
            webhook: webhook.url,
        },
        None => Current {
            webhook: String::new(),
            subscribe: Vec::new(),
        },
    }))
}

#[derive(Deserialize)]
pub struct SetBody {
    #[serde(
        default,
        rename = "webhookURL",
        alias = "webhook_url",
        alias = "webhookUrl",
        alias = "webhook"
    )]
    url: Option<String>,
    /// Absent: the list stays as it is.
    #[serde(
        default,
        alias = "events_subscribe",
        alias = "eventsSubscribe",
        alias = "subscribe"
    )]
    events: Option<Names>,
}

#[derive(Serialize)]
struct Changed<'a> {
    webhook: &'a str,
    events: String,
    /// Checks the signature of what is posted; see the docs on events.
    signing_secret: &'a str,
}

pub async fn set(
    InstanceAccess { caller, instance }: InstanceAccess,
    State(shared): State<Shared>,
    Json(body): Json<SetBody>,
) -> Result<Response, Fail> {
    if body.url.is_none() && body.events.is_none() {
        return Err(Error::field("webhookURL", "webhookURL is required").into());
    }
    let events = match &body.events {
        Some(Names(names)) => Some(EventKind::parse_list(names.iter().map(String::as_str))?),
        None => None,
    };
    let url = body.url.as_deref().map(str::trim);
    let (webhook, secret) = shared
        .app
        .webhooks()
        .set(&caller, &instance, url, events)
        .await?;
    Ok(enveloped(&Changed {
        webhook: &webhook.url,
        events: EventKind::join(&webhook.events),
        signing_secret: secret.0.expose(),
    }))
}
