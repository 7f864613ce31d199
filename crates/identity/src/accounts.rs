//! Making accounts. The first client pair and the `wz_` token come with each.

use recado_model::{
    AccountId, Clock, CredentialId, Error, Language, Result, Rng, Role, Secret, Timestamp, Token,
    TokenKind, UserId, account::AccountKind, credential::CredentialKind, text::require_seen,
};
use recado_store::{Conn, NewUser, Store, credentials::NewCredential};

use crate::{
    audit::Detail,
    credentials,
    email::parse_email,
    password::{self, Blocklist, Password},
};

/// The secrets that the person who made an account gets to see, once.
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

/// The rows that every new account needs.
pub(crate) struct New<'a> {
    pub name: &'a str,
    pub owner: &'a UserId,
    pub language: Language,
}

pub(crate) struct Made {
    pub id: AccountId,
    pub client_token: Secret,
    pub client_secret: Secret,
    pub api_token: Secret,
}

/// The name of an account as it is kept; `field` is what the caller calls it.
pub(crate) fn check_name(field: &'static str, name: &str) -> Result<String> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 255 {
        let text = format!("{field} must have 1 to 255 characters");
        return Err(Error::field(field, text));
    }
    require_seen(field, name)?;
    Ok(name.to_owned())
}

/// Account, owner's membership and first credentials. The caller commits.
pub(crate) async fn make(
    conn: &mut Conn,
    rng: &dyn Rng,
    new: New<'_>,
    by: Detail,
    now: Timestamp,
) -> Result<Made> {
    let id = AccountId::random(rng);
    conn.system()
        .create_account(&id, new.name, AccountKind::Full, None, now)
        .await?;
    let mut people = conn.people();
    people.add_member(&id, new.owner, Role::Owner, now).await?;
    let mut account = conn.account(&id);
    account.set_language(new.language).await?;
    let (client_token, client_secret) =
        credentials::issue_first_pair(&mut account, rng, "default", now).await?;
    let api_token = Token::random(TokenKind::Api, rng);
    let credential = NewCredential {
        label: Some("token_ext"),
        ..NewCredential::new(
            CredentialId::random(rng),
            &api_token,
            CredentialKind::ApiToken,
        )
    };
    account.issue(credential, now).await?;
    by.write(&mut account, "account.created", now).await?;
    Ok(Made {
        id,
        client_token,
        client_secret,
        api_token: api_token.into_secret(),
    })
}

/// As [`create_with`], where the operator has no list of passwords that nobody may have.
pub async fn create(
    store: &Store,
    clock: &dyn Clock,
    rng: &dyn Rng,
    new: NewAccount,
) -> Result<CreatedAccount> {
    create_with(store, clock, rng, new, &Blocklist::default()).await
}

/// Account, owner and first credentials, in one transaction. Called by the command line. The first user
/// of all runs the gateway.
pub async fn create_with(
    store: &Store,
    clock: &dyn Clock,
    rng: &dyn Rng,
    new: NewAccount,
    blocklist: &Blocklist,
) -> Result<CreatedAccount> {
    let name = check_name("name", &new.name)?;
    let email = parse_email(&new.owner_email)?;
    let generated = new.owner_password.is_none();
    let password = new
        .owner_password
        .unwrap_or_else(|| password::generate(rng));
    let context = [email.as_str(), name.as_str()];
    let chosen = Password::choose(password.expose(), &context, blocklist)?;
    let hash = password::hash(&chosen, rng).await?;

    let now = clock.now();
    let user = UserId::random(rng);
    let mut conn = store.write().await?;
    let mut people = conn.people();
    people.take_turn().await?;
    if people.user_by_email(&email).await?.is_some() {
        return Err(Error::field(
            "email",
            "a user with this e-mail exists already",
        ));
    }
    let new = NewUser {
        id: &user,
        email: &email,
        password_hash: &hash,
        operator: !people.any_user().await?,
        language: Language::default(),
    };
    people.create_user(&new, now).await?;
    let new = New {
        name: &name,
        owner: &user,
        language: Language::default(),
    };
    let made = make(&mut conn, rng, new, Detail::of_operator(), now).await?;
    conn.commit().await?;
    Ok(CreatedAccount {
        id: made.id,
        owner_email: email,
        owner_password: generated.then_some(password),
        client_token: made.client_token,
        client_secret: made.client_secret,
        api_token: made.api_token,
    })
}
