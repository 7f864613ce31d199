//! Creating, listing, reading and deleting instances.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use recado_app::InstanceView;
use recado_model::{
    ConnectionState, Error, EventKind, InstanceId, Scope,
    instance::{InstanceQuery, InstanceSort, NewInstance},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Shared,
    auth::{Owner, OwnerInstance},
    error::Fail,
    extract::{Json, Names},
};

use super::bare;

/// Largest page that the list answers.
const MAX_SIZE: i64 = 100;
const DEFAULT_SIZE: i64 = 20;

#[derive(Deserialize, JsonSchema)]
pub struct CreateBody {
    #[schemars(length(min = 3, max = 255))]
    name: String,
    #[serde(default, alias = "webhookURL", alias = "webhook_url")]
    #[schemars(extend("format" = "uri", "pattern" = "^https?://"))]
    webhook: Option<String>,
    #[serde(default, alias = "eventsSubscribe")]
    events_subscribe: Option<Names>,
    #[serde(default, alias = "rejectCalls")]
    reject_calls: bool,
    #[serde(default, alias = "autoReadMessages")]
    auto_read_messages: bool,
    #[serde(default)]
    labels: Map<String, Value>,
}

pub async fn create(
    Owner(caller): Owner,
    State(shared): State<Shared>,
    Json(body): Json<CreateBody>,
) -> Result<Response, Fail> {
    let new = NewInstance {
        name: body.name,
        labels: body.labels,
        reject_calls: body.reject_calls,
        auto_read_messages: body.auto_read_messages,
        webhook: body.webhook.filter(|url| !url.trim().is_empty()),
        events: match &body.events_subscribe {
            Some(Names(names)) => EventKind::parse_list(names.iter().map(String::as_str))?,
            None => Vec::new(),
        },
        trial_until: None,
    };
    let view = shared.app.instances().create(&caller, new).await?;
    Ok(bare(&Row::of(&view, &shared)))
}

#[derive(Deserialize, JsonSchema)]
pub struct ListBody {
    #[serde(default)]
    page: Option<i64>,
    #[serde(default, alias = "page_size", alias = "pageSize")]
    size: Option<i64>,
    #[serde(default)]
    filter: Option<Filter>,
    /// The older clients' place for `filter.query`.
    #[serde(default)]
    search: Option<String>,
    #[serde(default)]
    sort: Option<String>,
    #[serde(default, alias = "sortDesc")]
    sort_desc: Option<bool>,
}

#[derive(Default, Deserialize, JsonSchema)]
struct Filter {
    #[serde(default)]
    query: Option<String>,
}

impl ListBody {
    fn query(self) -> Result<InstanceQuery, Fail> {
        let sort = self.sort.filter(|sort| !sort.is_empty());
        let query = self.filter.and_then(|filter| filter.query).or(self.search);
        Ok(InstanceQuery {
            page: self.page.unwrap_or(1).clamp(1, i64::from(u32::MAX)) as u32,
            size: self.size.unwrap_or(DEFAULT_SIZE).clamp(1, MAX_SIZE) as u32,
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

#[derive(Serialize)]
struct Page<'a> {
    page: u32,
    size: u32,
    total: u64,
    total_pages: u64,
    content: Vec<Row<'a>>,
    /// How many instances are in each state.
    summary: Map<String, Value>,
}

pub async fn list(
    Owner(caller): Owner,
    State(shared): State<Shared>,
    Json(body): Json<ListBody>,
) -> Result<Response, Fail> {
    let query = body.query()?;
    let (page, size) = (query.page, query.size);
    let found = shared.app.instances().list(&caller, query).await?;
    Ok(bare(&Page {
        page,
        size,
        total: found.total,
        total_pages: found.total.div_ceil(u64::from(size)),
        content: found
            .items
            .iter()
            .map(|view| Row::of(view, &shared))
            .collect(),
        summary: summary(&found.by_state),
    }))
}

/// Every state is named, so that a client can read any without asking whether it is there.
fn summary(by_state: &[(ConnectionState, u64)]) -> Map<String, Value> {
    let count = |state| {
        by_state
            .iter()
            .filter(|(known, _)| *known == state)
            .map(|(_, n)| n)
            .sum()
    };
    ConnectionState::ALL
        .into_iter()
        .map(|state| {
            let count: u64 = count(state);
            (state.as_str().to_owned(), Value::from(count))
        })
        .collect()
}

#[derive(Deserialize, JsonSchema)]
pub struct GetBody {
    id: String,
}

pub async fn get(
    Owner(caller): Owner,
    State(shared): State<Shared>,
    Json(body): Json<GetBody>,
) -> Result<Response, Fail> {
    let id = InstanceId::from_text(body.id);
    let view = shared.app.instances().get(&caller, &id).await?;
    Ok(bare(&Row::of(&view, &shared)))
}

pub async fn read(
    OwnerInstance { caller, instance }: OwnerInstance,
    State(shared): State<Shared>,
) -> Result<Response, Fail> {
    let view = shared.app.instances().view(&caller, &instance).await?;
    Ok(bare(&Row::of(&view, &shared)))
}

pub async fn delete(
    OwnerInstance { caller, instance }: OwnerInstance,
    State(shared): State<Shared>,
) -> Result<Response, Fail> {
    shared.app.instances().delete(&caller, &instance).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// An instance as the contract shows it, then what we add.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    /// Its page in the dashboard.
    url: String,
    webhook: Option<&'a str>,
    /// Comma-joined, although it is sent as an array.
    events_subscribe: String,
    reject_calls: bool,
    auto_read_messages: bool,
    labels: &'a Map<String, Value>,
    connected: bool,
    connected_at: Option<String>,
    whatsapp_push_name: Option<&'a str>,
    whatsapp_jid: Option<&'a str>,
    phone: Option<&'a str>,
    billing_status: &'a str,
    status: &'static str,
    /// Why `status` is what it is, and what the person can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status_reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_hint: Option<&'static str>,
    /// The small integer that the MCP tools call `session_id`.
    session_id: i64,
    created_at: String,
    updated_at: String,
    cancel_at: Option<String>,
    expired_at: Option<String>,
}

impl<'a> Row<'a> {
    fn of(view: &'a InstanceView, shared: &Shared) -> Self {
        let instance = &view.instance;
        let public_url = &shared.app.config().public_url;
        let webhook = view.webhook.as_ref();
        Self {
            id: instance.id.as_str(),
            name: &instance.name,
            token: view.token.as_ref().map(|token| token.expose()),
            url: format!("{public_url}/dashboard/instances/{}", instance.id),
            webhook: webhook
                .map(|webhook| webhook.url.as_str())
                .filter(|url| !url.is_empty()),
            events_subscribe: webhook
                .map(|webhook| EventKind::join(&webhook.events))
                .unwrap_or_default(),
            reject_calls: instance.reject_calls,
            auto_read_messages: instance.auto_read_messages,
            labels: &instance.labels,
            connected: instance.paired,
            connected_at: instance.connected_at.map(|at| at.to_rfc3339()),
            whatsapp_push_name: instance.push_name.as_deref(),
            whatsapp_jid: instance.jid.as_deref(),
            phone: instance.phone.as_deref(),
            billing_status: view.standing.status.as_str(),
            status: instance.state.as_str(),
            status_reason: instance.reason.map(|reason| reason.as_str()),
            status_hint: instance.reason.map(|reason| reason.what_to_do()),
            session_id: instance.number,
            created_at: instance.created_at.to_rfc3339(),
            updated_at: instance.updated_at.to_rfc3339(),
            cancel_at: view.standing.cancel_at.map(|at| at.to_rfc3339()),
            expired_at: view.standing.expired_at.map(|at| at.to_rfc3339()),
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
