//! Signing in and out, the password again, a JWT for an hour.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_identity::{IssuedToken, users::LogInAttempt};
use recado_model::{AccountId, Error, ErrorCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    RefusalHold,
    auth::{Confirmed, LogIn, LogOut, SignedIn, cookie::clear_cookie},
    describe::{Answer, Exposed, NoContent, Rfc3339, WithCookie},
    error::Fail,
    extract::Strict,
};

use super::{Nothing, leave, left, secret, with_session_of};

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginBody {
    #[schemars(length(max = 254))]
    email: String,
    #[schemars(length(max = 1024))]
    password: String,
    /// A code of the second factor, or a recovery code.
    #[serde(default)]
    otp: Option<String>,
    /// Which account to act in, for members of several.
    #[serde(default)]
    account: Option<String>,
    /// What the Turnstile widget gave, where one is configured.
    #[serde(default)]
    turnstile_token: Option<String>,
}

/// As `POST /token` answers.
#[derive(Serialize, JsonSchema)]
pub struct LoginAnswer {
    access_token: Exposed,
    /// Seconds.
    expires_in: i64,
    #[schemars(extend("const" = "Bearer"))]
    token_type: &'static str,
}

impl From<IssuedToken> for LoginAnswer {
    fn from(token: IssuedToken) -> Self {
        Self {
            access_token: Exposed(token.access_token),
            expires_in: token.expires_in,
            token_type: "Bearer",
        }
    }
}

/// Signs a person in: sets the cookie and answers an owner JWT.
///
/// Wrong and unknown are one answer.
#[operation]
pub async fn log_in(
    LogIn { browser, before }: LogIn,
    State(app): State<App>,
    State(hold): State<RefusalHold>,
    Strict(body): Strict<LoginBody>,
) -> Result<WithCookie<Answer<LoginAnswer>>, Fail> {
    let shown = LogInAttempt {
        email: body.email,
        password: secret(body.password),
        otp: body.otp.map(secret),
        account: body.account.map(AccountId::from_text),
        turnstile_token: body.turnstile_token,
        browser,
    };
    let users = app.users();
    let (opened, token) = match users.log_in(shown).await {
        Ok(opened) => opened,
        Err(error) => return Err(held(hold, error).await),
    };
    left(leave(&app, &before).await);
    Ok(with_session_of(&opened, token.into()))
}

/// A caller who is told to wait is made to: a flood of log-ins that are refused at once would cost more than
/// the hashing that it is refused for.
#[expect(
    clippy::disallowed_methods,
    reason = "what a flood costs is real time, whatever the product's clock says"
)]
async fn held(RefusalHold(hold): RefusalHold, error: Error) -> Fail {
    if matches!(
        error.code,
        ErrorCode::RateLimited | ErrorCode::Unavailable | ErrorCode::HumanCheckFailed
    ) {
        tokio::time::sleep(hold).await;
    }
    error.into()
}

/// Signs the person out and clears the cookie.
///
/// It works whether the session still holds or not.
#[operation]
pub async fn log_out(
    LogOut { people }: LogOut,
    State(app): State<App>,
) -> Result<WithCookie<NoContent>, Fail> {
    leave(&app, &people).await?;
    Ok(WithCookie {
        cookie: Some(clear_cookie()),
        answer: NoContent,
    })
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfirmBody {
    #[schemars(length(max = 1024))]
    password: String,
    #[serde(default)]
    otp: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct ConfirmAnswer {
    /// Until then nothing asks again.
    proven_until: Rfc3339,
}

/// Takes the password again, for what asks for a fresh proof.
#[operation]
pub async fn confirm(
    SignedIn { person, .. }: SignedIn,
    State(app): State<App>,
    Strict(body): Strict<ConfirmBody>,
) -> Result<Answer<ConfirmAnswer>, Fail> {
    let otp = body.otp.map(secret);
    let users = app.users();
    let until = users
        .confirm(&person, &secret(body.password), otp.as_ref())
        .await?;
    Ok(Answer(ConfirmAnswer {
        proven_until: Rfc3339(until),
    }))
}

/// Answers an owner JWT for the person who is signed in.
#[operation]
pub async fn token(
    SignedIn { person, .. }: SignedIn<Confirmed>,
    State(app): State<App>,
    Strict(Nothing {}): Strict<Nothing>,
) -> Result<Answer<LoginAnswer>, Fail> {
    let token = app.users().token(&person).await?;
    Ok(Answer(token.into()))
}
