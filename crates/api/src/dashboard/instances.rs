//! The account's instances: live state, pairing, token. Their tokens are in no list.

use std::collections::BTreeMap;

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, InstanceView, QrAnswer};
use recado_identity::{
    audit::Actor,
    credentials::{CredentialFilter, CredentialState},
};
use recado_model::{
    ConnectionState, CredentialKind, Error, ErrorCode, PhoneNumber, Scope, StateReason,
    instance::{InstanceQuery, InstanceSort, NewInstance},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{
        Anytime, Confirmed, Member, MemberInstance,
        least::{Admin, Developer, Viewer},
    },
    describe::{Answer, NoContent, Rfc3339},
    error::Fail,
    extract::{Params, Strict},
    qr::data_url,
    shapes::{
        connections::{states, whole_seconds},
        credentials::ShownToken,
    },
};

use super::Nothing;

#[derive(Serialize, JsonSchema)]
pub struct LiveInstance {
    id: String,
    name: String,
    /// The small integer that the MCP tools call `session_id`.
    session_id: i64,
    #[schemars(schema_with = "states")]
    state: &'static str,
    /// Why it is so, and what a person can do about it.
    reason: Option<&'static str>,
    hint: Option<&'static str>,
    paired: bool,
    phone: Option<String>,
    push_name: Option<String>,
    connected_at: Option<Rfc3339>,
    webhook: Option<String>,
    billing_status: &'static str,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

impl From<InstanceView> for LiveInstance {
    fn from(view: InstanceView) -> Self {
        let instance = view.instance;
        let webhook = view.webhook.map(|webhook| webhook.url);
        Self {
            id: instance.id.to_string(),
            name: instance.name,
            session_id: instance.number,
            state: instance.state.as_str(),
            reason: instance.reason.map(StateReason::as_str),
            hint: instance.reason.map(StateReason::what_to_do),
            paired: instance.paired,
            phone: instance.phone,
            push_name: instance.push_name,
            connected_at: instance.connected_at.map(Rfc3339),
            webhook: webhook.filter(|url| !url.is_empty()),
            billing_status: view.standing.status.as_str(),
            created_at: Rfc3339(instance.created_at),
            updated_at: Rfc3339(instance.updated_at),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InstancePageQuery {
    #[schemars(range(min = 1))]
    page: Option<u32>,
    #[schemars(range(min = 1, max = 100))]
    size: Option<u32>,
    /// Part of a name.
    query: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct LiveInstanceList {
    instances: Vec<LiveInstance>,
    total: u64,
    /// How many are in each state.
    summary: BTreeMap<&'static str, u64>,
}

/// Lists the instances of the account, newest first.
///
/// `summary` counts those of every page by state.
#[operation]
pub async fn list(
    Member { person, .. }: Member<Viewer>,
    State(app): State<App>,
    Params(query): Params<InstancePageQuery>,
) -> Result<Answer<LiveInstanceList>, Fail> {
    let text = query.query.map(|text| text.trim().to_owned());
    let query = InstanceQuery {
        page: query.page.filter(|page| *page > 0).unwrap_or(1),
        size: query.size.filter(|size| *size > 0).unwrap_or(50).min(100),
        query: text.filter(|text| !text.is_empty()),
        sort: InstanceSort::CreatedAt,
        descending: true,
        scope: Scope::All,
    };
    let found = app.instances().list(&person, query).await?;
    let none = ConnectionState::ALL.map(|state| (state.as_str(), 0));
    let mut summary = BTreeMap::from(none);
    for (state, n) in found.by_state {
        *summary.entry(state.as_str()).or_default() += n;
    }
    Ok(Answer(LiveInstanceList {
        instances: found.items.into_iter().map(LiveInstance::from).collect(),
        total: found.total,
        summary,
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameBody {
    #[schemars(length(min = 3, max = 255))]
    name: String,
}

/// Creates an instance.
#[operation]
pub async fn create(
    Member { person, .. }: Member<Developer>,
    State(app): State<App>,
    Strict(body): Strict<NameBody>,
) -> Result<Answer<LiveInstance>, Fail> {
    let new = NewInstance {
        name: body.name,
        ..NewInstance::default()
    };
    let view = app.instances().create(&person, new).await?;
    Ok(Answer(view.into()))
}

/// Shows one instance.
#[operation]
pub async fn read(
    MemberInstance { granted, .. }: MemberInstance<Viewer>,
    State(app): State<App>,
) -> Result<Answer<LiveInstance>, Fail> {
    let instances = app.instances();
    let view = instances.view(&granted).await?;
    Ok(Answer(view.into()))
}

/// Deletes an instance with its pairing and its tokens.
#[operation]
pub async fn delete(
    MemberInstance { granted, .. }: MemberInstance<Admin, Confirmed>,
    State(app): State<App>,
) -> Result<NoContent, Fail> {
    let instances = app.instances();
    instances.delete(&granted).await?;
    Ok(NoContent)
}

#[derive(Serialize, JsonSchema)]
pub struct ShownQr {
    #[schemars(extend("enum" = ["waiting", "connected"]))]
    status: &'static str,
    /// PNG data URL, while it waits.
    qr_image: Option<String>,
    /// The text in it: what a virtual phone is given.
    qr: Option<String>,
    /// Whole seconds until the next code takes its place.
    expires_in: Option<i64>,
}

/// Answers the QR to pair a phone with, and begins pairing.
#[operation]
pub async fn qr(
    MemberInstance { granted, .. }: MemberInstance<Developer, Anytime>,
    State(app): State<App>,
) -> Result<Answer<ShownQr>, Fail> {
    let connections = app.connections();
    Ok(Answer(match connections.qr(&granted).await? {
        QrAnswer::Waiting {
            code,
            expires_in_ms,
        } => ShownQr {
            status: "waiting",
            qr_image: Some(data_url(&code)?),
            qr: Some(code),
            expires_in: Some(whole_seconds(expires_in_ms)),
        },
        QrAnswer::Paired { .. } => ShownQr {
            status: "connected",
            qr_image: None,
            qr: None,
            expires_in: None,
        },
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PairBody {
    /// With country code; spaces and signs are ignored.
    phone: String,
}

#[derive(Serialize, JsonSchema)]
pub struct PairCode {
    /// To be typed on the phone.
    code: String,
    /// Whole seconds in which the phone takes it. Asking again within them answers the same code.
    expires_in: i64,
}

/// Answers a code to be typed on the phone, in place of the QR.
#[operation]
pub async fn pair_code(
    MemberInstance { granted, .. }: MemberInstance<Developer>,
    State(app): State<App>,
    Strict(body): Strict<PairBody>,
) -> Result<Answer<PairCode>, Fail> {
    let phone = PhoneNumber::parse(&body.phone)?;
    let connections = app.connections();
    let given = connections.pair_code(&granted, &phone).await?;
    Ok(Answer(PairCode {
        code: given.code,
        expires_in: whole_seconds(given.valid_ms),
    }))
}

/// Closes the connection and keeps the pairing.
#[operation]
pub async fn disconnect(
    MemberInstance { granted, .. }: MemberInstance<Developer>,
    State(app): State<App>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<NoContent, Fail> {
    let connections = app.connections();
    connections.disconnect(&granted).await?;
    Ok(NoContent)
}

/// Shows the newest live token of the instance.
///
/// The look is noted in the audit log.
#[operation]
pub async fn token(
    MemberInstance { granted, .. }: MemberInstance<Developer, Confirmed>,
    State(app): State<App>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<Answer<ShownToken>, Fail> {
    let credentials = app.credentials();
    let filter = CredentialFilter {
        kind: Some(CredentialKind::InstanceToken),
        instance: Some(granted.id().clone()),
        all: false,
    };
    let tokens = credentials.list(Actor::from(granted.by()), &filter).await?;
    // The newest that is not on its way out.
    let live = tokens
        .iter()
        .rev()
        .find(|token| token.state == CredentialState::Live);
    let token = live.ok_or_else(|| {
        Error::new(
            ErrorCode::NotFound,
            "This instance has no token that holds. Make one under Security.",
        )
    })?;
    let shown = credentials
        .reveal(Actor::from(granted.by()), &token.id)
        .await?;
    Ok(Answer(shown.into()))
}
