//! Creating, listing, reading, changing and deleting instances. Their settings are in `settings`.

mod settings;

use std::borrow::Cow;

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, InstanceView};
use recado_model::{
    BillingStatus, Caller, ConnectionState, Error, EventKind, History, InstanceId, MediaRule,
    Scope, Settings, StateReason,
    instance::{InstanceChange, InstanceQuery, InstanceSort, NewInstance},
};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    auth::{
        Owner, OwnerInstance,
        least::{Admin, Developer, Viewer},
    },
    describe::{Answer, Exposed, NoContent, Rfc3339, one_of},
    error::Fail,
    extract::{Loose, Names, object_or_empty, some_object_or_empty, some_whole},
    shapes::connections::states,
};

use settings::with_settings;

/// Largest page that the list answers.
const MAX_SIZE: i64 = 100;
const DEFAULT_SIZE: i64 = 20;

with_settings!(CreateInstanceBody {
    #[schemars(length(min = 3, max = 255))]
    name: String,
    #[serde(
        default,
        alias = "webhookURL",
        alias = "webhook_url",
        alias = "webhookUrl",
        alias = "webhook_u_r_l"
    )]
    #[schemars(extend("format" = "uri", "pattern" = "^https?://"))]
    webhook: Option<String>,
    #[serde(default, alias = "eventsSubscribe")]
    events_subscribe: Option<Names>,
    /// Declines calls that come in.
    #[serde(default, alias = "rejectCalls")]
    reject_calls: bool,
    #[serde(default, alias = "autoReadMessages")]
    auto_read_messages: bool,
    #[serde(default, deserialize_with = "object_or_empty")]
    labels: Map<String, Value>,
});

fn kinds_of(Names(names): &Names) -> Result<Vec<EventKind>, Error> {
    let kinds = EventKind::parse_list(names.iter().map(String::as_str));
    kinds.map_err(|error| error.with_field("events_subscribe"))
}

/// Creates an instance.
#[operation]
pub async fn create(
    Owner { caller, .. }: Owner<Developer>,
    State(app): State<App>,
    Loose(body): Loose<CreateInstanceBody>,
) -> Result<Answer<InstanceBody>, Fail> {
    made(&caller, &app, body).await
}

/// Creates an instance, as `create` does: clients have both.
#[operation]
pub async fn provision(
    Owner { caller, .. }: Owner<Developer>,
    State(app): State<App>,
    Loose(body): Loose<CreateInstanceBody>,
) -> Result<Answer<InstanceBody>, Fail> {
    made(&caller, &app, body).await
}

async fn made(
    caller: &Caller,
    app: &App,
    body: CreateInstanceBody,
) -> Result<Answer<InstanceBody>, Fail> {
    let mut settings = Settings::default();
    settings.change(&body.settings()?)?;
    let new = NewInstance {
        name: body.name,
        settings,
        labels: body.labels,
        reject_calls: body.reject_calls,
        auto_read_messages: body.auto_read_messages,
        webhook: body.webhook.filter(|url| !url.trim().is_empty()),
        events: match &body.events_subscribe {
            Some(names) => kinds_of(names)?,
            None => Vec::new(),
        },
        trial_until: None,
    };
    let view = app.instances().create(caller, new).await?;
    Ok(Answer(InstanceBody::of(view, app)))
}

#[derive(Deserialize, JsonSchema)]
pub struct ListBody {
    #[serde(default, deserialize_with = "some_whole")]
    page: Option<i64>,
    #[serde(
        default,
        alias = "page_size",
        alias = "pageSize",
        deserialize_with = "some_whole"
    )]
    size: Option<i64>,
    #[serde(default, deserialize_with = "some_object_or_empty")]
    filter: Option<ListFilter>,
    /// The older clients' place for `filter.query`.
    #[serde(default, alias = "query")]
    search: Option<String>,
    #[serde(default)]
    sort: Option<String>,
    #[serde(default, alias = "sortDesc")]
    sort_desc: Option<bool>,
}

#[derive(Default, Deserialize, JsonSchema)]
struct ListFilter {
    #[serde(default)]
    query: Option<String>,
}

impl ListBody {
    fn query(self) -> Result<InstanceQuery, Fail> {
        let sort = self.sort.filter(|sort| !sort.is_empty());
        let asked = self.filter.and_then(|filter| filter.query);
        let asked = asked.filter(|text| !text.trim().is_empty());
        let query = asked.or(self.search);
        // Clients that set nothing send 0.
        let size = self.size.filter(|size| *size > 0).unwrap_or(DEFAULT_SIZE);
        Ok(InstanceQuery {
            page: self.page.unwrap_or(1).clamp(1, i64::from(u32::MAX)) as u32,
            size: size.clamp(1, MAX_SIZE) as u32,
            query: query
                .map(|text| text.trim().to_owned())
                .filter(|text| !text.is_empty()),
            // Newest first, unless the caller asks for an order.
            descending: self.sort_desc.unwrap_or(sort.is_none()),
            sort: match sort {
                None => InstanceSort::default(),
                Some(name) => InstanceSort::parse(&name).ok_or_else(|| {
                    Error::field("sort", "sort is createdAt, updatedAt, name or status")
                })?,
            },
            // The service narrows it to what the caller may use.
            scope: Scope::All,
        })
    }
}

#[derive(Serialize, JsonSchema)]
pub struct InstancePage {
    page: u32,
    size: u32,
    total: u64,
    total_pages: u64,
    content: Vec<InstanceBody>,
    summary: Summary,
}

/// Lists the instances of the account, a page at a time.
///
/// Newest first, unless `sort` says otherwise. `summary` counts those of every page by state.
#[operation]
pub async fn list(
    Owner { caller, .. }: Owner<Viewer>,
    State(app): State<App>,
    Loose(body): Loose<ListBody>,
) -> Result<Answer<InstancePage>, Fail> {
    page(&caller, &app, body.query()?).await
}

/// Looks for instances of the account by name, phone or id, a page at a time.
///
/// `query`, at the top or in `filter`, is what is looked for; the answer is as that of `list`.
#[operation]
pub async fn search(
    Owner { caller, .. }: Owner<Viewer>,
    State(app): State<App>,
    Loose(body): Loose<ListBody>,
) -> Result<Answer<InstancePage>, Fail> {
    page(&caller, &app, body.query()?).await
}

async fn page(
    caller: &Caller,
    app: &App,
    query: InstanceQuery,
) -> Result<Answer<InstancePage>, Fail> {
    let (page, size) = (query.page, query.size);
    let found = app.instances().list(caller, query).await?;
    Ok(Answer(InstancePage {
        page,
        size,
        total: found.total,
        total_pages: found.total.div_ceil(u64::from(size)),
        summary: Summary::of(&found.by_state),
        content: found
            .items
            .into_iter()
            .map(|view| InstanceBody::of(view, app))
            .collect(),
    }))
}

/// How many instances are in each state. Every state is named, so that a client can read any without
/// asking whether it is there.
#[derive(Serialize)]
pub struct Summary(Map<String, Value>);

impl Summary {
    fn of(by_state: &[(ConnectionState, u64)]) -> Self {
        let count = |state| -> u64 {
            by_state
                .iter()
                .filter(|(known, _)| *known == state)
                .map(|(_, n)| n)
                .sum()
        };
        let named = |state: ConnectionState| (state.as_str().to_owned(), count(state).into());
        Self(ConnectionState::ALL.into_iter().map(named).collect())
    }
}

impl JsonSchema for Summary {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Summary".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names = ConnectionState::ALL.map(ConnectionState::as_str);
        let count = |name: &str| (name.to_owned(), json!({ "type": "integer", "minimum": 0 }));
        let properties: Map<String, Value> = names.into_iter().map(count).collect();
        json_schema!({
            "type": "object",
            "description": "How many instances are in each state.",
            "properties": properties,
            "required": names,
        })
    }
}

#[derive(Deserialize, JsonSchema)]
pub struct GetBody {
    id: String,
}

/// Shows one instance, by the id in the body.
#[operation]
pub async fn get(
    Owner { caller, .. }: Owner<Viewer>,
    State(app): State<App>,
    Loose(body): Loose<GetBody>,
) -> Result<Answer<InstanceBody>, Fail> {
    let id = InstanceId::from_text(body.id);
    let view = app.instances().get(&caller, &id).await?;
    Ok(Answer(InstanceBody::of(view, &app)))
}

/// Shows one instance.
#[operation]
pub async fn read(
    OwnerInstance { granted, .. }: OwnerInstance<Viewer>,
    State(app): State<App>,
) -> Result<Answer<InstanceBody>, Fail> {
    let view = app.instances().view(&granted).await?;
    Ok(Answer(InstanceBody::of(view, &app)))
}

with_settings!(ChangeInstanceBody {
    #[serde(default)]
    #[schemars(length(min = 3, max = 255))]
    name: Option<String>,
    #[serde(
        default,
        alias = "webhookURL",
        alias = "webhook_url",
        alias = "webhookUrl",
        alias = "webhook_u_r_l"
    )]
    #[schemars(extend("format" = "uri", "pattern" = "^https?://"))]
    webhook: Option<String>,
    #[serde(default, alias = "eventsSubscribe")]
    events_subscribe: Option<Names>,
    /// Declines calls that come in.
    #[serde(default, alias = "rejectCalls")]
    reject_calls: Option<bool>,
    #[serde(default, alias = "autoReadMessages")]
    auto_read_messages: Option<bool>,
    /// Takes the place of those that it has.
    #[serde(default, deserialize_with = "some_object_or_empty")]
    labels: Option<Map<String, Value>>,
});

/// Changes an instance: its name, labels, webhook and settings.
///
/// What is left out, and what is `null` or `""`, stays as it is. The connection goes on; what is sent and comes in
/// from then on goes by the new settings.
#[operation]
pub async fn update(
    OwnerInstance { granted, .. }: OwnerInstance<Developer>,
    State(app): State<App>,
    Loose(body): Loose<ChangeInstanceBody>,
) -> Result<Answer<InstanceBody>, Fail> {
    let settings = body.settings()?;
    let events = body
        .events_subscribe
        .filter(|Names(names)| !names.is_empty());
    let events = events.as_ref().map(kinds_of);
    let change = InstanceChange {
        name: body.name.filter(|name| !name.is_empty()),
        labels: body.labels,
        reject_calls: body.reject_calls,
        auto_read_messages: body.auto_read_messages,
        settings,
        webhook: body.webhook,
        events: events.transpose()?,
    };
    let before = granted.instance().settings.history;
    let view = app.instances().change(&granted, change).await?;
    let (history, linked) = (view.instance.settings.history, view.instance.paired);
    let mut body = InstanceBody::of(view, &app);
    if linked && history != before {
        body.history_note = Some(history_note(history));
    }
    Ok(Answer(body))
}

/// What a phone sends was settled when it was linked.
fn history_note(history: History) -> &'static str {
    match history {
        History::Off => {
            "From now on nothing of the past is kept. What is here stays; what the phone is asked for changes with the next link."
        }
        History::Recent | History::Full => {
            "What the phone is asked for was settled when it was linked: this counts from the next link. POST /instances/{id}/chats/{phone}/history asks it for older messages of one chat."
        }
    }
}

/// Deletes an instance with its pairing and its tokens.
#[operation]
pub async fn delete(
    OwnerInstance { granted, .. }: OwnerInstance<Admin>,
    State(app): State<App>,
) -> Result<NoContent, Fail> {
    app.instances().delete(&granted).await?;
    Ok(NoContent)
}

/// An instance as the contract shows it, then what we add.
#[derive(Serialize, JsonSchema)]
pub struct InstanceBody {
    #[schemars(with = "String")]
    id: InstanceId,
    name: String,
    /// The instance token: to owners of the whole account.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<Exposed>,
    /// Its page in the dashboard.
    url: String,
    webhook: Option<String>,
    /// Comma-joined, although it is sent as an array.
    events_subscribe: String,
    /// Whether calls that come in are declined.
    reject_calls: bool,
    auto_read_messages: bool,
    /// What becomes of buttons and lists.
    #[schemars(extend("enum" = ["text", "native", "refuse"]))]
    interactive: &'static str,
    /// When media that come in are fetched; `null`: as the operator has it.
    #[schemars(extend("enum" = ["off", "on_demand", "always", null]))]
    media: Option<&'static str>,
    /// Milliseconds between the starts of two sends; `null`: as the operator has it.
    send_interval_ms: Option<i64>,
    /// At most so many milliseconds come on top, by chance; `null`: a quarter of the interval.
    send_jitter_ms: Option<i64>,
    /// Whether others see the number as online while it is connected.
    #[schemars(extend("enum" = ["unavailable", "available"]))]
    presence: &'static str,
    /// How much of its past a phone sends when it is linked.
    #[schemars(extend("enum" = ["off", "recent", "full"]))]
    history: &'static str,
    /// In the answer to a change of `history` where a phone is linked: since when it counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    history_note: Option<&'static str>,
    /// Written to those whose calls are declined.
    reject_calls_message: Option<String>,
    labels: Map<String, Value>,
    /// Whether a phone has paired; `status` tells whether there is a connection.
    connected: bool,
    connected_at: Option<Rfc3339>,
    whatsapp_push_name: Option<String>,
    whatsapp_jid: Option<String>,
    phone: Option<String>,
    #[schemars(schema_with = "billing_statuses")]
    billing_status: &'static str,
    #[schemars(schema_with = "states")]
    status: &'static str,
    /// Why `status` is what it is, and what the person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_hint: Option<&'static str>,
    /// The small integer that the MCP tools call `session_id`.
    session_id: i64,
    created_at: Rfc3339,
    updated_at: Rfc3339,
    cancel_at: Option<Rfc3339>,
    expired_at: Option<Rfc3339>,
}

/// The schema of `billing_status`.
fn billing_statuses(_: &mut SchemaGenerator) -> Schema {
    one_of(BillingStatus::ALL.map(BillingStatus::as_str))
}

impl InstanceBody {
    fn of(view: InstanceView, app: &App) -> Self {
        let InstanceView {
            instance,
            token,
            webhook,
            standing,
        } = view;
        let public_url = &app.config().public_url;
        Self {
            url: format!("{public_url}/dashboard/instances/{}", instance.id),
            id: instance.id,
            name: instance.name,
            token: token.map(Exposed),
            events_subscribe: webhook
                .as_ref()
                .map(|webhook| EventKind::join(&webhook.events))
                .unwrap_or_default(),
            webhook: webhook
                .map(|webhook| webhook.url)
                .filter(|url| !url.is_empty()),
            reject_calls: instance.reject_calls,
            auto_read_messages: instance.auto_read_messages,
            interactive: instance.settings.interactive.as_str(),
            media: instance.settings.media.map(MediaRule::as_str),
            send_interval_ms: instance.settings.send_interval_ms,
            send_jitter_ms: instance.settings.send_jitter_ms,
            presence: instance.settings.presence.as_str(),
            history: instance.settings.history.as_str(),
            history_note: None,
            reject_calls_message: instance.settings.reject_calls_message,
            labels: instance.labels,
            connected: instance.paired,
            connected_at: instance.connected_at.map(Rfc3339),
            whatsapp_push_name: instance.push_name,
            whatsapp_jid: instance.jid.map(String::from),
            phone: instance.phone,
            billing_status: standing.status.as_str(),
            status: instance.state.as_str(),
            status_reason: instance.reason.map(StateReason::as_str),
            status_hint: instance.reason.map(StateReason::what_to_do),
            session_id: instance.number,
            created_at: Rfc3339(instance.created_at),
            updated_at: Rfc3339(instance.updated_at),
            cancel_at: standing.cancel_at.map(Rfc3339),
            expired_at: standing.expired_at.map(Rfc3339),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract;

    fn query(text: &str) -> InstanceQuery {
        extract::parse::<ListBody>(text.as_bytes())
            .and_then(ListBody::query)
            .expect(text)
    }

    #[test]
    fn the_shapes_that_clients_send() {
        let python = query(
            r#"{"page":1,"size":20,"filter":{"query":" shop "},"sort":null,"sort_desc":null}"#,
        );
        assert_eq!((python.page, python.size), (1, 20));
        assert_eq!(python.query.as_deref(), Some("shop"));
        assert!(python.descending);

        let curl = query(r#"{"page":2,"size":5,"filter":{},"sort":"createdAt","sortDesc":true}"#);
        assert_eq!((curl.page, curl.size, curl.descending), (2, 5, true));
        assert_eq!(curl.query, None);

        let old = query(r#"{"page_size":500,"search":"x","page":0,"sort":"name"}"#);
        assert_eq!((old.page, old.size, old.descending), (1, 100, false));
        assert_eq!(
            (old.sort, old.query.as_deref()),
            (InstanceSort::Name, Some("x"))
        );

        assert_eq!(query("").page, 1);
        let refused = extract::parse::<ListBody>(br#"{"sort":"token"}"#).and_then(ListBody::query);
        assert!(refused.is_err());
    }
}
