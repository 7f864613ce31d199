//! The account's credentials, from birth to end.
//!
//! For the owner's JWT of a credential without restrictions. Ids resolve inside the account only, so a
//! foreign one is a missing one. Bodies are bare; a token is in the answer of the call that asks for
//! it, and nowhere else.

use axum::{
    body::Body,
    extract::{FromRequest, Request, State},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use recado_app::{
    audit::Actor,
    credentials::{Change, CredentialView, Filter, Issued, Makes, NewTerms},
};
use recado_model::{CredentialId, CredentialKind, Error, InstanceId, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{
    Shared,
    auth::AccountOwner,
    describe::{Describe, Described},
    error::Fail,
    extract::{self, Json, Names, Params, Segment},
};

use super::bare;

/// Where people get a credential, they read what to do with it.
const NOTE: &str = "Store it now, in a secret store or an environment variable. Never put it into version control or into code that runs in a browser.";
const NOTE_ONCE: &str = "Store both now: the client secret is not shown again. Keep them in a secret store or in environment variables, one pair per environment; never in version control or in code that runs in a browser.";

/// A credential without its token.
#[derive(Serialize)]
struct Row<'a> {
    id: &'a str,
    kind: &'static str,
    label: Option<&'a str>,
    hint: &'a str,
    instance_id: Option<&'a str>,
    parent_id: Option<&'a str>,
    created_at: String,
    age_days: i64,
    last_used_at: Option<String>,
    expires_at: Option<String>,
    grace_until: Option<String>,
    revoked_at: Option<String>,
    state: &'static str,
    /// `null` is anywhere.
    networks: Option<Vec<String>>,
    /// `null` is all of the account.
    instances: Option<Vec<String>>,
}

impl<'a> Row<'a> {
    fn of(view: &'a CredentialView) -> Self {
        let text = |at: Option<Timestamp>| at.map(Timestamp::to_rfc3339);
        Self {
            id: view.id.as_str(),
            kind: view.kind.as_str(),
            label: view.label.as_deref(),
            hint: &view.hint,
            instance_id: view.instance.as_ref().map(InstanceId::as_str),
            parent_id: view.parent.as_ref().map(CredentialId::as_str),
            created_at: view.created_at.to_rfc3339(),
            age_days: view.age_days,
            last_used_at: text(view.last_used_at),
            expires_at: text(view.expires_at),
            grace_until: text(view.grace_until),
            revoked_at: text(view.revoked_at),
            state: view.state.as_str(),
            networks: view.networks(),
            instances: view.instances(),
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    #[schemars(extend("enum" = ["client_token", "client_secret", "instance_token", "api_token", "session_key"]))]
    kind: Option<String>,
    instance: Option<String>,
    #[schemars(extend("enum" = ["live", "all"]))]
    state: Option<String>,
}

#[derive(Serialize)]
struct List<'a> {
    credentials: Vec<Row<'a>>,
}

pub async fn list(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Params(query): Params<ListQuery>,
) -> Result<Response, Fail> {
    let filter = Filter {
        kind: query.kind.as_deref().map(parse_kind).transpose()?,
        instance: query.instance.map(InstanceId::from_text),
        all: match query.state.as_deref() {
            None | Some("live") => false,
            Some("all") => true,
            Some(_) => return Err(Error::field("state", "state is live or all").into()),
        },
    };
    let credentials = shared.app.credentials();
    let found = credentials.list(&caller.account, &filter).await?;
    Ok(bare(&List {
        credentials: found.iter().map(Row::of).collect(),
    }))
}

fn parse_kind(text: &str) -> Result<CredentialKind, Error> {
    CredentialKind::parse(text)
        .filter(|kind| *kind != CredentialKind::SessionName)
        .ok_or_else(|| {
            Error::field(
                "kind",
                "kind is client_token, client_secret, instance_token, api_token or session_key",
            )
        })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBody {
    #[schemars(extend("enum" = ["client", "api_token", "instance_token", "session_key"]))]
    kind: String,
    /// Whose token it is: of instance tokens and session keys.
    #[serde(default)]
    instance: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 100))]
    label: Option<String>,
    /// RFC 3339, in the future.
    #[serde(default)]
    #[schemars(extend("format" = "date-time"))]
    expires_at: Option<String>,
    #[serde(default)]
    networks: Option<Names>,
    #[serde(default)]
    instances: Option<Names>,
}

/// A new credential: its row, its token under the name that its callers use, and what to do with it.
#[derive(Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    row: Row<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_id: Option<&'a str>,
    /// After a rotation: the predecessor, and until when it holds (`null`: it has ended).
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<Replaced<'a>>,
    note: &'static str,
}

#[derive(Serialize)]
struct Replaced<'a> {
    id: &'a str,
    grace_until: Option<String>,
}

impl<'a> Made<'a> {
    fn of(issued: &'a Issued) -> Self {
        let token = issued.token.expose();
        let kind = issued.view.kind;
        let secret = issued.secret.as_ref();
        let is = |wanted| (kind == wanted).then_some(token);
        let once = kind == CredentialKind::ClientSecret || secret.is_some();
        Self {
            row: Row::of(&issued.view),
            client_token: is(CredentialKind::ClientToken),
            client_secret: secret
                .map(|(_, secret)| secret.expose())
                .or(is(CredentialKind::ClientSecret)),
            client_secret_id: secret.map(|(id, _)| id.as_str()),
            token: Some(token).filter(|_| !once),
            replaces: None,
            note: if once { NOTE_ONCE } else { NOTE },
        }
    }
}

pub async fn create(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Json(body): Json<CreateBody>,
) -> Result<Response, Fail> {
    let makes = Makes::parse(&body.kind, body.instance.as_deref())?;
    let terms = NewTerms {
        label: body.label,
        expires_at: body.expires_at,
        networks: body.networks.map(|Names(names)| names),
        instances: body.instances.map(|Names(names)| names),
    };
    let credentials = shared.app.credentials();
    let issued = credentials
        .create(Actor::from(&caller), makes, terms)
        .await?;
    Ok(bare(&Made::of(&issued)))
}

pub async fn get(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
) -> Result<Response, Fail> {
    let credentials = shared.app.credentials();
    let view = credentials.get(&caller.account, &cid).await?;
    Ok(bare(&Row::of(&view)))
}

/// `null` clears, absent keeps.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeBody {
    #[serde(default, deserialize_with = "present")]
    label: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    expires_at: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    networks: Option<Option<Names>>,
    #[serde(default, deserialize_with = "present")]
    instances: Option<Option<Names>>,
    #[serde(default)]
    only_own_session: Option<bool>,
}

fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// A JSON object in which `null` says something. Everything else as [`Json`] has it.
pub struct WithNulls<T>(T);

impl<T: JsonSchema> Describe for WithNulls<T> {
    fn describe(into: &mut Described) {
        <Json<T> as Describe>::describe(into);
    }
}

impl<T: DeserializeOwned> FromRequest<Shared> for WithNulls<T> {
    type Rejection = Fail;
    async fn from_request(request: Request, shared: &Shared) -> Result<Self, Fail> {
        let (parts, body): (_, Body) = request.into_parts();
        extract::require_json(&parts.headers)?;
        let bytes = extract::read(&parts.headers, body, shared.options.body_limit).await?;
        // Refuses what is no plain object; then once more, for the nulls that it drops.
        let without = extract::object(&bytes)?;
        let map = match serde_json::from_slice(&bytes) {
            Ok(Value::Object(map)) => map,
            _ => without,
        };
        Ok(Self(extract::typed(map)?))
    }
}

pub async fn change(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
    WithNulls(body): WithNulls<ChangeBody>,
) -> Result<Response, Fail> {
    let names = |list: Option<Option<Names>>| list.map(|list| list.map(|Names(names)| names));
    let change = Change {
        label: body.label,
        expires_at: body.expires_at,
        networks: names(body.networks),
        instances: names(body.instances),
        only_own_session: body.only_own_session,
    };
    let credentials = shared.app.credentials();
    let view = credentials
        .change(Actor::from(&caller), &cid, change)
        .await?;
    Ok(bare(&Row::of(&view)))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RotateBody {
    #[serde(default)]
    #[schemars(range(min = 0, max = 2_592_000))]
    grace_seconds: i64,
}

pub async fn rotate(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
    Json(body): Json<RotateBody>,
) -> Result<Response, Fail> {
    let credentials = shared.app.credentials();
    let rotated = credentials
        .rotate(Actor::from(&caller), &cid, body.grace_seconds)
        .await?;
    let mut made = Made::of(&rotated.issued);
    made.replaces = Some(Replaced {
        id: rotated.old.as_str(),
        grace_until: rotated.grace_until.map(Timestamp::to_rfc3339),
    });
    Ok(bare(&made))
}

pub async fn revoke(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
) -> Result<Response, Fail> {
    let credentials = shared.app.credentials();
    credentials.revoke(Actor::from(&caller), &cid).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

#[derive(Serialize)]
struct Shown<'a> {
    token: &'a str,
    note: &'static str,
}

pub async fn reveal(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
    Segment(cid): Segment<CredentialId>,
) -> Result<Response, Fail> {
    let credentials = shared.app.credentials();
    let token = credentials.reveal(Actor::from(&caller), &cid).await?;
    Ok(bare(&Shown {
        token: token.expose(),
        note: NOTE,
    }))
}

#[derive(Serialize)]
struct Done {
    status: &'static str,
}

pub async fn sign_out(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
) -> Result<Response, Fail> {
    let credentials = shared.app.credentials();
    credentials.sign_out(Actor::from(&caller)).await?;
    Ok(bare(&Done { status: "ok" }))
}
