//! Making accounts. The first client pair and the `wz_` token come with each.

use recado_model::{
    AccountId, Clock, CredentialId, Error, Result, Rng, Role, Secret, Token, TokenKind, UserId,
    account::AccountKind,
    credential::CredentialKind,
    text::{is_unseen, require_seen},
};
use recado_store::{Store, credentials::NewCredential};

use crate::{access::password, audit::Detail, credentials};

/// What the person who made an account gets to see, once.
#[derive(Debug)]
pub struct CreatedAccount {
    pub id: AccountId,
    pub owner_email: String,
    /// Only when it was generated.
    pub owner_password: Option<Secret>,
    pub client_token: Secret,
    pub client_secret: Secret,
    pub api_token: Secret,
}

#[derive(Debug)]
pub struct NewAccount {
    pub name: String,
    pub owner_email: String,
    pub owner_password: Option<Secret>,
}

/// Account, owner and first credentials, in one transaction. Called by the command line.
pub async fn create(
    store: &Store,
    clock: &dyn Clock,
    rng: &dyn Rng,
    new: NewAccount,
) -> Result<CreatedAccount> {
    let name = new.name.trim();
    if name.is_empty() || name.chars().count() > 255 {
        return Err(Error::field("name", "name must have 1 to 255 characters"));
    }
    require_seen("name", name)?;
    let email = new.owner_email.trim().to_lowercase();
    let form = email.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && (host.contains('.') || host == "localhost")
    });
    if !form || email.len() > 254 || email.contains(|c: char| c.is_whitespace() || is_unseen(c)) {
        return Err(Error::field(
            "email",
            "email must look like person@example.com",
        ));
    }
    let generated = new.owner_password.is_none();
    let password = new
        .owner_password
        .unwrap_or_else(|| password::generate(rng));
    if password.expose().chars().count() < 15 {
        return Err(Error::field(
            "password",
            "the password needs at least 15 characters",
        ));
    }
    let hash = password::hash(&password, rng).await?;

    let now = clock.now();
    let id = AccountId::random(rng);
    let user = UserId::random(rng);
    let mut conn = store.write().await?;
    if conn.system().user_by_email(&email).await?.is_some() {
        return Err(Error::field(
            "email",
            "a user with this e-mail exists already",
        ));
    }
    conn.system()
        .create_account(&id, name, AccountKind::Full, None, now)
        .await?;
    conn.system()
        .create_user(&user, &email, &hash, false, now)
        .await?;
    conn.system()
        .add_member(&id, &user, Role::Owner, now)
        .await?;
    let (client_token, client_secret) =
        credentials::issue_first_pair(&mut conn.account(&id), rng, "default", now).await?;
    let api_token = Token::random(TokenKind::Api, rng);
    conn.account(&id)
        .issue(
            NewCredential {
                label: Some("token_ext"),
                ..NewCredential::new(
                    CredentialId::random(rng),
                    &api_token,
                    CredentialKind::ApiToken,
                )
            },
            now,
        )
        .await?;
    Detail::of_operator()
        .write(&mut conn.account(&id), "account.created", now)
        .await?;
    conn.commit().await?;
    Ok(CreatedAccount {
        id,
        owner_email: email,
        owner_password: generated.then_some(password),
        client_token,
        client_secret,
        api_token: api_token.into_secret(),
    })
}
