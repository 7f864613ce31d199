//! The facts that the pages before signing in need: what this gateway is like, and the links that people were
//! sent.

use std::sync::Arc;

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::{
    Signup,
    users::{Link, Use, Used},
};
use recado_model::{LinkKind, Role};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{
    About,
    auth::{Opener, Visitor},
    describe::{Answer, Rfc3339, Taken, WithCookie, one_of},
    error::Fail,
    extract::Strict,
};

use super::{Empty, language, leave, left, roles, secret, with_session_of};

#[derive(Serialize, JsonSchema)]
pub struct DashboardState {
    version: String,
    #[schemars(extend("enum" = ["whatsapp", "sandbox"]))]
    network: &'static str,
    /// Where virtual phones are made, on the sandbox network.
    sandbox_url: Option<String>,
    /// Where the source of this program is, as its licence asks.
    source_url: String,
    public_url: String,
    /// Nobody has set this gateway up: the link of the first start is where the program said.
    setup_needed: bool,
    #[schemars(schema_with = "signups")]
    signup: &'static str,
    turnstile: Option<TurnstileBody>,
    /// Whether letters are sent, or left as files for the operator.
    #[schemars(extend("enum" = ["smtp", "file"]))]
    mail: &'static str,
}

#[derive(Serialize, JsonSchema)]
pub struct TurnstileBody {
    site_key: String,
}

fn signups(_: &mut SchemaGenerator) -> Schema {
    one_of([Signup::Closed, Signup::Invite, Signup::Open].map(Signup::as_str))
}

/// Tells the pages before signing in what this gateway is like.
#[operation]
pub async fn state(
    _: Visitor,
    State(app): State<App>,
    State(about): State<Arc<About>>,
) -> Result<Answer<DashboardState>, Fail> {
    let config = app.config();
    let users = &config.users;
    Ok(Answer(DashboardState {
        version: about.version.clone(),
        network: app.network(),
        sandbox_url: about.sandbox_url.clone(),
        source_url: about.source_url.clone(),
        public_url: config.public_url.clone(),
        setup_needed: app.users().setup_needed().await?,
        signup: users.signup.as_str(),
        turnstile: users.turnstile.as_ref().map(|turnstile| TurnstileBody {
            site_key: turnstile.site_key.clone(),
        }),
        mail: users.mail.kind(),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LookBody {
    token: String,
}

#[derive(Serialize, JsonSchema)]
pub struct LinkBody {
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    /// Whom it was sent to; of `email` the new address; `null` for set-up.
    email: Option<String>,
    account_name: Option<String>,
    #[schemars(schema_with = "maybe_roles")]
    role: Option<&'static str>,
    /// There is a user with that e-mail: ask for that password, not for a new one.
    known: bool,
    /// And for a code of the second factor.
    needs_otp: bool,
    expires_at: Rfc3339,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    one_of(LinkKind::ALL.map(LinkKind::as_str))
}

fn maybe_roles(generator: &mut SchemaGenerator) -> Schema {
    let roles = roles(generator);
    schemars::json_schema!({ "anyOf": [roles, { "type": "null" }] })
}

impl From<Link> for LinkBody {
    fn from(link: Link) -> Self {
        Self {
            kind: link.kind.as_str(),
            email: link.email,
            account_name: link.account_name,
            role: link.role.map(Role::as_str),
            known: link.known,
            needs_otp: link.needs_otp,
            expires_at: Rfc3339(link.expires_at),
        }
    }
}

/// Tells what a link of a letter is for, without using it up.
#[operation]
pub async fn look(
    _: Visitor,
    State(app): State<App>,
    Strict(body): Strict<LookBody>,
) -> Result<Answer<LinkBody>, Fail> {
    let link = app.users().look(&secret(body.token)).await?;
    Ok(Answer(link.into()))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct UseBody {
    token: String,
    /// Of set-up.
    #[serde(default)]
    email: Option<String>,
    /// Of set-up and sign-up.
    #[serde(default)]
    account_name: Option<String>,
    /// A new one, or that of the user whom the link knows; of all but `email`.
    #[serde(default)]
    #[schemars(length(max = 1024))]
    password: Option<String>,
    #[serde(default)]
    otp: Option<String>,
    #[serde(default)]
    #[schemars(extend("enum" = ["en", "pt-BR", "es"]))]
    language: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct UseAnswer {
    /// With its cookie; not after a reset, nor after a new e-mail.
    signed_in: bool,
}

/// Uses a link up: set-up, sign-up, invitation, reset or new e-mail.
#[operation]
pub async fn use_link(
    Opener { browser, before }: Opener,
    State(app): State<App>,
    Strict(body): Strict<UseBody>,
) -> Result<WithCookie<Answer<UseAnswer>>, Fail> {
    let used = Use {
        token: secret(body.token),
        email: body.email,
        account_name: body.account_name,
        password: body.password.map(secret),
        otp: body.otp.map(secret),
        language: language(body.language)?,
        browser,
    };
    Ok(match app.users().use_link(used).await? {
        Used::SignedIn(opened) => {
            left(leave(&app, &before).await);
            with_session_of(&opened, UseAnswer { signed_in: true })
        }
        Used::Done => WithCookie {
            cookie: None,
            answer: Answer(UseAnswer { signed_in: false }),
        },
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AskBody {
    #[schemars(length(max = 254))]
    email: String,
    #[serde(default)]
    turnstile_token: Option<String>,
    #[serde(default)]
    #[schemars(extend("enum" = ["en", "pt-BR", "es"]))]
    language: Option<String>,
}

/// Asks for a sign-up link by e-mail.
///
/// The same answer whoever asks about whom.
#[operation]
pub async fn sign_up(
    Visitor { browser }: Visitor,
    State(app): State<App>,
    Strict(body): Strict<AskBody>,
) -> Result<Taken<Empty>, Fail> {
    let language = language(body.language)?.unwrap_or_default();
    let token = body.turnstile_token.as_deref();
    let users = app.users();
    users
        .ask_sign_up(&body.email, language, token, browser.from)
        .await?;
    Ok(Taken(Empty {}))
}

/// Asks for a link to set a new password, by e-mail.
///
/// The same answer whoever asks about whom.
#[operation]
pub async fn reset(
    Visitor { browser }: Visitor,
    State(app): State<App>,
    Strict(body): Strict<AskBody>,
) -> Result<Taken<Empty>, Fail> {
    let token = body.turnstile_token.as_deref();
    let users = app.users();
    users.ask_reset(&body.email, token, browser.from).await?;
    Ok(Taken(Empty {}))
}
