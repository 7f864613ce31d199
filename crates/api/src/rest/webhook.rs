//! Where an instance's events go.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_model::{Error, ErrorCode, EventKind};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::{Answer, Exposed, one_of},
    error::Fail,
    extract::{Loose, Names},
};

use super::{Envelope, enveloped};

/// `subscribe` is an array here and `events` a string in the answer of POST: the contract's own.
#[derive(Serialize, JsonSchema)]
pub struct Current {
    /// Empty where there is none.
    webhook: String,
    #[schemars(schema_with = "kinds")]
    subscribe: Vec<&'static str>,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "array", "items": one_of(EventKind::ALL.map(EventKind::as_str)) })
}

/// Shows where the events of an instance go.
#[operation]
pub async fn get(
    InstanceAccess { granted, .. }: InstanceAccess<Viewer>,
    State(app): State<App>,
) -> Result<Answer<Envelope<Current>>, Fail> {
    let webhook = app.webhooks().get(&granted).await?;
    Ok(enveloped(match webhook {
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

#[derive(Deserialize, JsonSchema)]
pub struct SetBody {
    #[serde(
        default,
        rename = "webhookURL",
        alias = "webhook_url",
        alias = "webhookUrl",
        alias = "webhook_u_r_l",
        alias = "url",
        alias = "webhook"
    )]
    #[schemars(extend("format" = "uri", "pattern" = "^https?://"))]
    url: Option<String>,
    /// Absent or empty: the list stays as it is. Read as "none", an empty field of a form would
    /// silence the webhook, while the same in create means all.
    #[serde(
        default,
        alias = "events_subscribe",
        alias = "eventsSubscribe",
        alias = "subscribe"
    )]
    events: Option<Names>,
}

/// The list that a caller asks for, if any.
fn asked(events: Option<&Names>) -> Result<Option<Vec<EventKind>>, Error> {
    let Some(Names(names)) = events else {
        return Ok(None);
    };
    let kinds = EventKind::parse_list(names.iter().map(String::as_str))
        .map_err(|error| error.with_field("events"))?;
    Ok(Some(kinds).filter(|kinds| !kinds.is_empty()))
}

#[derive(Serialize, JsonSchema)]
pub struct Changed {
    webhook: String,
    /// Comma-joined.
    events: String,
    /// Checks the signature of what is posted; see the docs on events.
    signing_secret: Exposed,
}

/// Sets where the events of an instance go, and which.
///
/// What is left out stays as it is. `signing_secret` checks the signature of what is posted.
#[operation]
pub async fn set(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<SetBody>,
) -> Result<Answer<Envelope<Changed>>, Fail> {
    let events = asked(body.events.as_ref())?;
    let url = body.url.as_deref().map(str::trim);
    let url = url.filter(|url| !url.is_empty());
    if url.is_none() && events.is_none() {
        return Err(Error::field("webhookURL", "webhookURL is required").into());
    }
    let (webhook, secret) = app
        .webhooks()
        .set(&granted, url, events)
        .await
        .map_err(|error| match error.field {
            Some("url") => error.renamed("url", "webhookURL"),
            None if error.code == ErrorCode::InvalidUrl => error.with_field("webhookURL"),
            _ => error,
        })?;
    Ok(enveloped(Changed {
        events: EventKind::join(&webhook.events),
        webhook: webhook.url,
        signing_secret: Exposed(secret.0),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_list_of_events_is_none_at_all() {
        let read = |body: &str| {
            let body: SetBody = crate::extract::parse(body.as_bytes()).expect("a body");
            asked(body.events.as_ref())
        };
        for body in [
            "{}",
            r#"{"events":null}"#,
            r#"{"events":""}"#,
            r#"{"events":" , "}"#,
            r#"{"events":[]}"#,
            r#"{"subscribe":[""]}"#,
        ] {
            assert_eq!(read(body).expect("read"), None, "{body}");
        }
        let some = read(r#"{"events":"Message,"}"#).expect("read");
        assert_eq!(some, Some(vec![EventKind::Message]));
        let lower = read(r#"{"events":["message"]}"#).expect("read");
        assert_eq!(lower, Some(vec![EventKind::Message]));
        assert!(read(r#"{"events":["Receipt"]}"#).is_err());
    }
}
