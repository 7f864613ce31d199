//! Oneself: profile, sessions, second factor. Any role.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::{
    Person,
    users::{Me, MyAccount, MySession},
};
use recado_model::{AccountId, UserSessionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{Confirmed, SignedIn, Whoever},
    describe::{Answer, Exposed, NoContent, Rfc3339, Taken, WithCookie},
    error::Fail,
    extract::{Segment, Strict},
    qr,
};

use super::{Empty, Nothing, language, languages, roles, secret, with_session, with_session_of};

#[derive(Serialize, JsonSchema)]
pub struct MeBody {
    user: UserBody,
    /// The one that the session acts in.
    account: MyAccountBody,
    accounts: Vec<MyAccountBody>,
    session_id: String,
    /// Until then the password is not asked for again.
    proven_until: Option<Rfc3339>,
}

#[derive(Serialize, JsonSchema)]
pub struct UserBody {
    id: String,
    email: String,
    /// Runs the whole gateway.
    operator: bool,
    #[schemars(schema_with = "languages")]
    language: &'static str,
    second_factor: bool,
    recovery_codes_left: i64,
}

#[derive(Serialize, JsonSchema)]
pub struct MyAccountBody {
    id: String,
    name: String,
    #[schemars(schema_with = "roles")]
    role: &'static str,
    #[schemars(schema_with = "languages")]
    language: &'static str,
}

impl From<MyAccount> for MyAccountBody {
    fn from(account: MyAccount) -> Self {
        Self {
            id: account.id.to_string(),
            name: account.name,
            role: account.role.as_str(),
            language: account.language.as_str(),
        }
    }
}

impl From<Me> for MeBody {
    fn from(me: Me) -> Self {
        Self {
            user: UserBody {
                id: me.user.to_string(),
                email: me.email,
                operator: me.operator,
                language: me.language.as_str(),
                second_factor: me.second_factor,
                recovery_codes_left: me.recovery_codes_left,
            },
            accounts: me.accounts.into_iter().map(MyAccountBody::from).collect(),
            account: me.account.into(),
            session_id: me.session.to_string(),
            proven_until: me.proven_until.map(Rfc3339),
        }
    }
}

/// As the person stands now.
pub(super) async fn me_of(app: &App, person: &Person) -> Result<MeBody, Fail> {
    Ok(app.users().me(person).await?.into())
}

/// Shows who is signed in, and in which account.
#[operation]
pub async fn read(
    Whoever { person }: Whoever,
    State(app): State<App>,
) -> Result<Answer<MeBody>, Fail> {
    Ok(Answer(me_of(&app, &person).await?))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeMeBody {
    #[serde(default)]
    #[schemars(extend("enum" = ["en", "pt-BR", "es"]))]
    language: Option<String>,
}

/// Changes the language of the person who is signed in.
#[operation]
pub async fn change(
    SignedIn { person, .. }: SignedIn,
    State(app): State<App>,
    Strict(body): Strict<ChangeMeBody>,
) -> Result<Answer<MeBody>, Fail> {
    if let Some(language) = language(body.language)? {
        app.users().set_language(&person, language).await?;
    }
    Ok(Answer(me_of(&app, &person).await?))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchBody {
    account: String,
}

/// Goes on in another account of the same person.
#[operation]
pub async fn switch_account(
    SignedIn { person, .. }: SignedIn,
    State(app): State<App>,
    Strict(body): Strict<SwitchBody>,
) -> Result<WithCookie<Answer<MeBody>>, Fail> {
    let users = app.users();
    let account = AccountId::from_text(body.account);
    let Some(opened) = users.switch_account(&person, &account).await? else {
        return Ok(WithCookie {
            cookie: None,
            answer: Answer(me_of(&app, &person).await?),
        });
    };
    let there = app.access().person_of(&opened.session, &person);
    Ok(with_session_of(&opened, me_of(&app, &there).await?))
}

#[derive(Serialize, JsonSchema)]
pub struct SignInList {
    sessions: Vec<SignInBody>,
}

#[derive(Serialize, JsonSchema)]
pub struct SignInBody {
    id: String,
    current: bool,
    account_name: String,
    created_at: Rfc3339,
    /// To within some minutes.
    seen_at: Rfc3339,
    address: Option<String>,
    /// What the browser called itself.
    agent: Option<String>,
}

impl From<MySession> for SignInBody {
    fn from(session: MySession) -> Self {
        Self {
            id: session.id.to_string(),
            current: session.current,
            account_name: session.account_name,
            created_at: Rfc3339(session.created_at),
            seen_at: Rfc3339(session.seen_at),
            address: session.address,
            agent: session.agent,
        }
    }
}

/// Lists where the person is signed in.
#[operation]
pub async fn sessions(
    SignedIn { person, .. }: SignedIn,
    State(app): State<App>,
) -> Result<Answer<SignInList>, Fail> {
    let sessions = app.users().sessions(&person).await?;
    Ok(Answer(SignInList {
        sessions: sessions.into_iter().map(SignInBody::from).collect(),
    }))
}

/// Ends one of the person's sessions.
#[operation]
pub async fn end_session(
    SignedIn { person, .. }: SignedIn,
    State(app): State<App>,
    Segment(sid): Segment<UserSessionId>,
) -> Result<NoContent, Fail> {
    app.users().end_session(&person, &sid).await?;
    Ok(NoContent)
}

/// Ends all sessions of the person but this one.
#[operation]
pub async fn end_other_sessions(
    SignedIn { person, .. }: SignedIn,
    State(app): State<App>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<NoContent, Fail> {
    app.users().end_other_sessions(&person).await?;
    Ok(NoContent)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordBody {
    #[schemars(length(max = 1024))]
    password: String,
}

/// Sets a new password and ends the other sessions.
#[operation]
pub async fn set_password(
    SignedIn { person, .. }: SignedIn<Confirmed>,
    State(app): State<App>,
    Strict(body): Strict<PasswordBody>,
) -> Result<WithCookie<NoContent>, Fail> {
    let users = app.users();
    let opened = users.set_password(&person, &secret(body.password)).await?;
    Ok(with_session(&opened, NoContent))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailBody {
    #[schemars(length(max = 254))]
    email: String,
}

/// Asks to change the e-mail: a letter goes to the new address.
#[operation]
pub async fn ask_email(
    SignedIn { person, .. }: SignedIn<Confirmed>,
    State(app): State<App>,
    Strict(body): Strict<EmailBody>,
) -> Result<Taken<Empty>, Fail> {
    app.users().ask_email(&person, &body.email).await?;
    Ok(Taken(Empty {}))
}

#[derive(Serialize, JsonSchema)]
pub struct SecondFactorBody {
    /// Base32, to be typed.
    secret: Exposed,
    otpauth_url: Exposed,
    /// The same as a picture: a PNG data URL.
    qr_image: Exposed,
}

/// Begins a second factor: answers the secret for an authenticator.
#[operation]
pub async fn begin_second_factor(
    SignedIn { person, .. }: SignedIn<Confirmed>,
    State(app): State<App>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<Answer<SecondFactorBody>, Fail> {
    let begun = app.users().begin_second_factor(&person).await?;
    Ok(Answer(SecondFactorBody {
        qr_image: Exposed(secret(qr::data_url(begun.otpauth_url.expose())?)),
        secret: Exposed(begun.secret),
        otpauth_url: Exposed(begun.otpauth_url),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OtpBody {
    otp: String,
}

#[derive(Serialize, JsonSchema)]
pub struct RecoveryCodes {
    /// Shown this once; each is good once.
    recovery_codes: Vec<Exposed>,
}

/// Turns the second factor on and answers recovery codes.
#[operation]
pub async fn confirm_second_factor(
    SignedIn { person, .. }: SignedIn<Confirmed>,
    State(app): State<App>,
    Strict(body): Strict<OtpBody>,
) -> Result<WithCookie<Answer<RecoveryCodes>>, Fail> {
    let users = app.users();
    let (opened, codes) = users
        .confirm_second_factor(&person, &secret(body.otp))
        .await?;
    let recovery_codes = codes.into_iter().map(Exposed).collect();
    Ok(with_session_of(&opened, RecoveryCodes { recovery_codes }))
}

/// Turns the second factor off.
#[operation]
pub async fn remove_second_factor(
    SignedIn { person, .. }: SignedIn<Confirmed>,
    State(app): State<App>,
) -> Result<WithCookie<NoContent>, Fail> {
    let opened = app.users().remove_second_factor(&person).await?;
    Ok(with_session(&opened, NoContent))
}

/// Replaces the recovery codes.
#[operation]
pub async fn new_recovery_codes(
    SignedIn { person, .. }: SignedIn<Confirmed>,
    State(app): State<App>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<Answer<RecoveryCodes>, Fail> {
    let codes = app.users().new_recovery_codes(&person).await?;
    let recovery_codes = codes.into_iter().map(Exposed).collect();
    Ok(Answer(RecoveryCodes { recovery_codes }))
}
