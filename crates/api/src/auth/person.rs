//! Guards of the dashboard's own API: people, by cookie.
//!
//! The cookie counts nowhere else, and no other credential counts here. A page of another site can make
//! a browser send the cookie, so whatever changes something must come from our own pages: `Origin`, or
//! where it is left out `Sec-Fetch-Site`, says so. And each call names the account and the person that
//! its page shows ([`super::named`]): whoever hands a person over has compared them.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use http::{header, request::Parts};
use recado_identity::{Calls, Granted, Person, users::Browser};
use recado_model::{Error, ErrorCode, InstanceId, Role};

use crate::{ApiState, again::Again, edge::ClientIp, error::Fail};

use super::{
    Accepts, Anytime, CredentialHeaders, Guard, Least, Rule,
    cookie::{cookie, cookies},
    named,
    named::Named,
    origin::{require_own_page, require_safe_cookies},
    presented::note,
    presented::path_param,
    roles::When,
};

/// More of ours than that are somebody's game.
const COOKIES: usize = 8;

/// Nobody yet, at a page of ours: signing up, opening a link.
pub struct Visitor {
    pub browser: Browser,
}

/// The same, where a session may begin: the cookie must be one that browsers keep.
pub struct Opener {
    pub browser: Browser,
    /// The person signed in so far, in this browser: that session is not left behind.
    pub before: Vec<Person>,
}

/// Nobody yet, with e-mail and password in the body: a page of ours, or a program.
pub struct LogIn {
    pub browser: Browser,
    /// As in [`Opener`].
    pub before: Vec<Person>,
}

/// A person who signs out: the cookie holds, or does not any more. Signing out must always be possible, so
/// here one that is there twice is no error: each that holds counts.
pub struct LogOut {
    pub people: Vec<Person>,
}

/// The person of the cookie: where a page that shows nobody yet asks. One that shows somebody names them
/// here, too.
pub struct Whoever {
    pub person: Person,
}

/// A person, in whatever account.
pub struct SignedIn<W = Anytime> {
    pub person: Person,
    when: PhantomData<W>,
}

/// A person who has at least the role `L` in the account that the session acts in.
pub struct Member<L, W = Anytime> {
    pub person: Person,
    least: PhantomData<(L, W)>,
}

/// The same, with one of that account's instances.
pub struct MemberInstance<L, W = Anytime> {
    pub granted: Granted<Person>,
    least: PhantomData<(L, W)>,
}

fn browser(parts: &Parts) -> Browser {
    let agent = parts.headers.get(header::USER_AGENT);
    Browser {
        from: parts.extensions.get::<ClientIp>().map(|ip| ip.0),
        agent: agent
            .and_then(|value| value.to_str().ok())
            .map(|text| text.chars().take(300).collect()),
    }
}

impl Guard for Visitor {
    const RULE: Rule = Rule::Visitor;
}

impl Guard for Opener {
    const RULE: Rule = Rule::Visitor;
}

impl Guard for LogIn {
    const RULE: Rule = Rule::LogIn;
}

impl Guard for LogOut {
    const RULE: Rule = Rule::LogOut;
}

impl Guard for Whoever {
    const RULE: Rule = Rule::Whoever;
    const LEAST: Option<Role> = Some(Role::Viewer);
}

impl<W: When> Guard for SignedIn<W> {
    const RULE: Rule = Rule::SignedIn;
    const LEAST: Option<Role> = Some(Role::Viewer);
    const CONFIRMED: bool = W::CONFIRMED;
}

impl<L: Least, W: When> Guard for Member<L, W> {
    const RULE: Rule = Rule::Member;
    const LEAST: Option<Role> = Some(L::ROLE);
    const CONFIRMED: bool = W::CONFIRMED;
}

impl<L: Least, W: When> Guard for MemberInstance<L, W> {
    const RULE: Rule = Rule::MemberInstance;
    const LEAST: Option<Role> = Some(L::ROLE);
    const CONFIRMED: bool = W::CONFIRMED;
}

impl FromRequestParts<ApiState> for Visitor {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        no_other_credential(parts)?;
        require_own_page(parts, state, false)?;
        let browser = browser(parts);
        Ok(Self { browser })
    }
}

impl FromRequestParts<ApiState> for Opener {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let (browser, before) = opener(parts, state, false).await?;
        Ok(Self { browser, before })
    }
}

impl FromRequestParts<ApiState> for LogIn {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let (browser, before) = opener(parts, state, true).await?;
        Ok(Self { browser, before })
    }
}

/// The body is not looked at, so that it works whatever a page sends along.
impl FromRequestParts<ApiState> for LogOut {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        require_own_page(parts, state, true)?;
        no_other_credential(parts)?;
        let people = everybody(parts, state).await?;
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

impl FromRequestParts<ApiState> for Whoever {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        require_own_page(parts, state, false)?;
        let person = whoever(parts, state).await?;
        named::check(&parts.headers, &person)?;
        note(person.caller(), None);
        Ok(Self { person })
    }
}

impl<W: When> FromRequestParts<ApiState> for SignedIn<W> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let person = member(parts, state, Role::Viewer, W::CONFIRMED).await?;
        Again::note::<Self>(parts, state);
        Ok(Self {
            person,
            when: PhantomData,
        })
    }
}

impl<L: Least, W: When> FromRequestParts<ApiState> for Member<L, W> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        let person = member(parts, state, L::ROLE, W::CONFIRMED).await?;
        Again::note::<Self>(parts, state);
        Ok(Self {
            person,
            least: PhantomData,
        })
    }
}

impl<L: Least, W: When> FromRequestParts<ApiState> for MemberInstance<L, W> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Fail> {
        require_own_page(parts, state, false)?;
        let person = person(parts, state).await?;
        let id = InstanceId::from_text(path_param(parts, state, "id").await);
        let access = state.app.access();
        // The id first: what is not theirs looks the same to every role.
        let granted = access.members_instance(person, &id).await?;
        access.require_role(granted.by(), L::ROLE)?;
        if W::CONFIRMED {
            access.require_proof(granted.by())?;
        }
        note(granted.caller(), Some(granted.instance()));
        Again::note::<Self>(parts, state);
        Ok(Self {
            granted,
            least: PhantomData,
        })
    }
}

async fn member(
    parts: &mut Parts,
    state: &ApiState,
    least: Role,
    confirmed: bool,
) -> Result<Person, Fail> {
    require_own_page(parts, state, false)?;
    let person = person(parts, state).await?;
    let access = state.app.access();
    access.require_role(&person, least)?;
    if confirmed {
        access.require_proof(&person)?;
    }
    note(person.caller(), None);
    Ok(person)
}

/// Where a session may begin. `programs`: as in [`require_own_page`].
async fn opener(
    parts: &Parts,
    state: &ApiState,
    programs: bool,
) -> Result<(Browser, Vec<Person>), Fail> {
    no_other_credential(parts)?;
    require_own_page(parts, state, programs)?;
    require_safe_cookies(state)?;
    Ok((browser(parts), everybody(parts, state).await?))
}

/// All whose cookies hold, nobody twice: an old one, or a second, is no reason to refuse a new session,
/// nor the end of one.
async fn everybody(parts: &Parts, state: &ApiState) -> Result<Vec<Person>, Fail> {
    let mut people: Vec<Person> = Vec::new();
    for cookie in cookies(&parts.headers).take(COOKIES) {
        match of_cookie(parts, state, Some(cookie)).await {
            Ok(person) => {
                let is_new = |known: &Person| !known.is_same_session(&person);
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

/// The person of the cookie, whom the call means.
async fn person(parts: &Parts, state: &ApiState) -> Result<Person, Fail> {
    let person = whoever(parts, state).await?;
    named::require(&parts.headers, &person)?;
    Ok(person)
}

async fn whoever(parts: &Parts, state: &ApiState) -> Result<Person, Fail> {
    no_other_credential(parts)?;
    let cookie = cookie(&parts.headers)?;
    let person = of_cookie(parts, state, cookie).await;
    person.map_err(|error| Fail::of_proof(error, cookie.is_some()))
}

async fn of_cookie(parts: &Parts, state: &ApiState, cookie: Option<&str>) -> Result<Person, Error> {
    let from = parts.extensions.get::<ClientIp>().map(|ip| ip.0);
    state.app.access().person(cookie, from).await
}

fn no_other_credential(parts: &Parts) -> Result<(), Fail> {
    CredentialHeaders::collect(parts, Accepts::NONE).map(|_| ())
}
