//! Guards of the dashboard's own API: people, by cookie.
//!
//! The cookie counts nowhere else, and no other credential counts here. A page of another site can make
//! a browser send the cookie, so whatever changes something must come from our own pages: `Origin`, or
//! where it is left out `Sec-Fetch-Site`, says so. And each call names the account and the person that
//! its page shows ([`super::named`]): whoever hands a person over has compared them.

use std::{marker::PhantomData, sync::Arc};

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use recado_identity::Person;
use recado_model::{Error, ErrorCode, Instance, InstanceId, Role};

use crate::{Shared, again::Again, edge::ClientIp, error::Fail};

use super::{
    Accepts, Access, Anytime, CredentialHeaders, Least, Rule,
    cookie::{cookie, cookies},
    named,
    named::Named,
    origin::{require_own_page, require_safe_cookies},
    path_param,
    presented::note,
    roles::When,
};

/// More of ours than that are somebody's game.
const COOKIES: usize = 8;

/// Nobody yet, at a page of ours: signing up, opening a link.
pub struct Visitor {
    pub client: Client,
}

/// The same, where a session may begin: the cookie must be one that browsers keep.
pub struct Opener {
    pub client: Client,
    /// Who was signed in so far, in this browser: that session is not left behind.
    pub before: Vec<Person>,
}

/// Nobody yet, with e-mail and password in the body: a page of ours, or a program.
pub struct LogIn {
    pub client: Client,
    /// As in [`Opener`].
    pub before: Vec<Person>,
}

/// Whoever signs out: the cookie holds, or does not any more. Signing out must always be possible, so
/// here one that is there twice is no error: each that holds counts.
pub struct LogOut {
    pub people: Vec<Person>,
}

/// Whoever the cookie is: where a page that shows nobody yet asks. One that shows somebody names them
/// here, too.
pub struct Whoever {
    pub person: Person,
}

/// A person, in whatever account.
pub struct SignedIn<W = Anytime> {
    pub person: Person,
    pub client: Client,
    when: PhantomData<W>,
}

/// A person who has at least the role `L` in the account that the session acts in.
pub struct Member<L, W = Anytime> {
    pub person: Person,
    pub client: Client,
    least: PhantomData<(L, W)>,
}

/// The same, with one of that account's instances.
pub struct MemberInstance<L, W = Anytime> {
    pub person: Person,
    pub instance: Arc<Instance>,
    least: PhantomData<(L, W)>,
}

/// Where a person calls from, for the list of sessions.
#[derive(Clone, Debug)]
pub struct Client {
    pub from: Option<std::net::IpAddr>,
    /// What the browser calls itself; anybody may write anything.
    pub agent: Option<String>,
}

impl Client {
    fn of(parts: &Parts) -> Self {
        let agent = parts.headers.get(header::USER_AGENT);
        Self {
            from: parts.extensions.get::<ClientIp>().map(|ip| ip.0),
            agent: agent
                .and_then(|value| value.to_str().ok())
                .map(|text| text.chars().take(300).collect()),
        }
    }
}

impl Access for Visitor {
    const RULE: Rule = Rule::Visitor;
}

impl Access for Opener {
    const RULE: Rule = Rule::Visitor;
}

impl Access for LogIn {
    const RULE: Rule = Rule::LogIn;
}

impl Access for LogOut {
    const RULE: Rule = Rule::LogOut;
}

impl Access for Whoever {
    const RULE: Rule = Rule::Whoever;
    const LEAST: Option<Role> = Some(Role::Viewer);
}

impl<W: When> Access for SignedIn<W> {
    const RULE: Rule = Rule::SignedIn;
    const LEAST: Option<Role> = Some(Role::Viewer);
    const CONFIRMED: bool = W::CONFIRMED;
}

impl<L: Least, W: When> Access for Member<L, W> {
    const RULE: Rule = Rule::Member;
    const LEAST: Option<Role> = Some(L::ROLE);
    const CONFIRMED: bool = W::CONFIRMED;
}

impl<L: Least, W: When> Access for MemberInstance<L, W> {
    const RULE: Rule = Rule::MemberInstance;
    const LEAST: Option<Role> = Some(L::ROLE);
    const CONFIRMED: bool = W::CONFIRMED;
}

impl FromRequestParts<Shared> for Visitor {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        no_other_credential(parts)?;
        require_own_page(parts, shared, false)?;
        let client = Client::of(parts);
        Ok(Self { client })
    }
}

impl FromRequestParts<Shared> for Opener {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let (client, before) = opener(parts, shared, false).await?;
        Ok(Self { client, before })
    }
}

impl FromRequestParts<Shared> for LogIn {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let (client, before) = opener(parts, shared, true).await?;
        Ok(Self { client, before })
    }
}

/// The body is not looked at, so that it works whatever a page sends along.
impl FromRequestParts<Shared> for LogOut {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        require_own_page(parts, shared, true)?;
        no_other_credential(parts)?;
        let people = everybody(parts, shared).await?;
        // A page that shows somebody else ends nobody's session.
        if let Some(named) = Named::of(&parts.headers)?
            && !people.is_empty()
            && !people.iter().any(|person| named.means(person))
        {
            return Err(named::changed());
        }
        Ok(Self { people })
    }
}

impl FromRequestParts<Shared> for Whoever {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        require_own_page(parts, shared, false)?;
        let person = whoever(parts, shared).await?;
        named::check(&parts.headers, &person)?;
        note(&person.caller, None);
        Ok(Self { person })
    }
}

impl<W: When> FromRequestParts<Shared> for SignedIn<W> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let person = member(parts, shared, Role::Viewer, W::CONFIRMED).await?;
        let client = Client::of(parts);
        Again::note::<Self>(parts, shared);
        Ok(Self {
            person,
            client,
            when: PhantomData,
        })
    }
}

impl<L: Least, W: When> FromRequestParts<Shared> for Member<L, W> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let person = member(parts, shared, L::ROLE, W::CONFIRMED).await?;
        let client = Client::of(parts);
        Again::note::<Self>(parts, shared);
        Ok(Self {
            person,
            client,
            least: PhantomData,
        })
    }
}

impl<L: Least, W: When> FromRequestParts<Shared> for MemberInstance<L, W> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        require_own_page(parts, shared, false)?;
        let person = person(parts, shared).await?;
        let id = InstanceId::from_text(path_param(parts, shared, "id").await);
        let access = shared.app.access();
        // The id first: what is not theirs looks the same to every role.
        let instance = access.members_instance(&person, &id).await?;
        access.require_role(&person.caller, L::ROLE)?;
        if W::CONFIRMED {
            access.require_proof(&person)?;
        }
        note(&person.caller, Some(&instance));
        Again::note::<Self>(parts, shared);
        Ok(Self {
            person,
            instance,
            least: PhantomData,
        })
    }
}

async fn member(
    parts: &mut Parts,
    shared: &Shared,
    least: Role,
    confirmed: bool,
) -> Result<Person, Fail> {
    require_own_page(parts, shared, false)?;
    let person = person(parts, shared).await?;
    let access = shared.app.access();
    access.require_role(&person.caller, least)?;
    if confirmed {
        access.require_proof(&person)?;
    }
    note(&person.caller, None);
    Ok(person)
}

/// Where a session may begin. `programs`: as in [`require_own_page`].
async fn opener(
    parts: &Parts,
    shared: &Shared,
    programs: bool,
) -> Result<(Client, Vec<Person>), Fail> {
    no_other_credential(parts)?;
    require_own_page(parts, shared, programs)?;
    require_safe_cookies(shared)?;
    Ok((Client::of(parts), everybody(parts, shared).await?))
}

/// All whose cookies hold, nobody twice: an old one, or a second, is no reason to refuse a new session,
/// nor the end of one.
async fn everybody(parts: &Parts, shared: &Shared) -> Result<Vec<Person>, Fail> {
    let mut people: Vec<Person> = Vec::new();
    for cookie in cookies(&parts.headers).take(COOKIES) {
        match of_cookie(parts, shared, Some(cookie)).await {
            Ok(person) => {
                let is_new = |known: &Person| known.record().id != person.record().id;
                if people.iter().all(is_new) {
                    people.push(person);
                }
            }
            Err(error) if error.code == ErrorCode::Unauthorized => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(people)
}

/// Who the cookie is, and the call means.
async fn person(parts: &Parts, shared: &Shared) -> Result<Person, Fail> {
    let person = whoever(parts, shared).await?;
    named::require(&parts.headers, &person)?;
    Ok(person)
}

async fn whoever(parts: &Parts, shared: &Shared) -> Result<Person, Fail> {
    no_other_credential(parts)?;
    let cookie = cookie(&parts.headers)?;
    let person = of_cookie(parts, shared, cookie).await;
    person.map_err(|error| Fail::of_proof(error, cookie.is_some()))
}

async fn of_cookie(parts: &Parts, shared: &Shared, cookie: Option<&str>) -> Result<Person, Error> {
    let from = parts.extensions.get::<ClientIp>().map(|ip| ip.0);
    shared.app.access().person(cookie, from).await
}

fn no_other_credential(parts: &Parts) -> Result<(), Fail> {
    CredentialHeaders::collect(parts, Accepts::NONE).map(|_| ())
}
