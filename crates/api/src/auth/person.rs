//! Guards of the dashboard's own API: people, by cookie.
//!
//! The cookie counts nowhere else, and no other credential counts here. A page of another site can make
//! a browser send the cookie, so whatever changes something must come from our own pages: `Origin`, or
//! where it is left out `Sec-Fetch-Site`, says so. And each call names the account and the person that
//! its page shows ([`super::named`]): whoever hands a person over has compared them.

use std::{marker::PhantomData, net::Ipv4Addr, sync::Arc};

use axum::extract::FromRequestParts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use recado_identity::Person;
use recado_model::{Error, ErrorCode, Instance, InstanceId, Role, Secret};
use url::{Host, Url};

use crate::{Shared, edge::ClientIp, error::Fail};

use super::{
    Accepts, Access, Again, Credentials, Rule, named, named::Named, note, path_param,
    presented::refuse_repeated,
};

/// The name of the cookie. The prefix makes browsers insist on HTTPS (or loopback) and on this host.
pub const COOKIE: &str = "__Host-recado";
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// More of ours than that are somebody's game.
const COOKIES: usize = 8;
/// 30 days, as long as the longest session.
const MAX_AGE_SECS: i64 = recado_identity::access::person::LONGEST_MS / 1000;

/// The least role that a row asks of a person.
pub trait Least: Send + Sync + 'static {
    const ROLE: Role;
}

/// Types for [`Least`].
pub mod least {
    use super::{Least, Role};

    macro_rules! roles {
        ($($name:ident),*) => {$(
            pub struct $name;
            impl Least for $name { const ROLE: Role = Role::$name; }
        )*};
    }
    roles!(Viewer, Developer, Admin, Owner);
}

/// Whether the password must have been asked for lately.
pub trait When: Send + Sync + 'static {
    const CONFIRMED: bool;
}

/// Signed in is enough.
pub struct Anytime;
/// The password was asked for in the last minutes: what shows or changes secrets.
pub struct Confirmed;

impl When for Anytime {
    const CONFIRMED: bool = false;
}

impl When for Confirmed {
    const CONFIRMED: bool = true;
}

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
    Credentials::collect(parts, Accepts::NONE).map(|_| ())
}

/// Our cookie's value; 400 when it is there twice, because which one counts would be anybody's guess.
fn cookie(headers: &HeaderMap) -> Result<Option<&str>, Fail> {
    let mut found = cookies(headers);
    let first = found.next();
    if found.next().is_some() {
        let text = format!("The cookie {COOKIE} is there twice. Delete it and sign in again.");
        return Err(Error::new(ErrorCode::ConflictingCredentials, text).into());
    }
    Ok(first)
}

/// The values of all cookies of that name, `""` for one that is no ASCII. Whatever bytes stand in those
/// beside it are their owners' business.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|b| *b == b';'));
    pairs.filter_map(|pair| {
        let value = trimmed(pair).strip_prefix(COOKIE.as_bytes())?;
        let value = value.strip_prefix(b"=")?;
        let text = std::str::from_utf8(value)
            .ok()
            .filter(|text| text.is_ascii());
        Some(text.unwrap_or_default())
    })
}

fn trimmed(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// 403 for what a page of another site sent. `programs`: a request without any of the headers that
/// browsers set may pass, too.
fn require_own_page(parts: &Parts, shared: &Shared, programs: bool) -> Result<(), Fail> {
    for name in [&header::ORIGIN, &FETCH_SITE] {
        refuse_repeated(&parts.headers, name)?;
    }
    let text = |name| match parts.headers.get(name) {
        None => Ok(None),
        Some(value) => value.to_str().map(Some).map_err(|_| foreign(shared)),
    };
    let (origin, site) = (text(&header::ORIGIN)?, text(&FETCH_SITE)?);
    let reads = matches!(parts.method, Method::GET | Method::HEAD);
    let own = match (origin, site) {
        (Some(origin), _) => is_own(origin, &shared.app.config().public_url),
        (None, Some("same-origin")) => true,
        // An address that was typed.
        (None, Some("none")) => reads,
        (None, Some(_)) => false,
        (None, None) => reads || programs,
    };
    match own {
        true => Ok(()),
        false => Err(foreign(shared)),
    }
}

fn foreign(shared: &Shared) -> Fail {
    let text = format!(
        "This comes from a page of another site. Open the dashboard at {}/dashboard.",
        shared.app.config().public_url
    );
    Error::new(ErrorCode::ForeignOrigin, text).into()
}

/// Ours is where `public_url` is. On loopback its other names are ours as well: one port, one program.
fn is_own(origin: &str, public_url: &str) -> bool {
    let (Ok(theirs), Ok(ours)) = (Url::parse(origin), Url::parse(public_url)) else {
        return false;
    };
    if theirs.origin() == ours.origin() {
        return theirs.origin().is_tuple();
    }
    is_local(&theirs)
        && is_local(&ours)
        && theirs.scheme() == ours.scheme()
        && theirs.port_or_known_default() == ours.port_or_known_default()
}

/// The three names of one place. The others of 127.0.0.0/8 may be other programs'.
fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip == Ipv4Addr::LOCALHOST,
        _ => is_loopback(url),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

/// Browsers keep a `__Host-` cookie only when it came by HTTPS, or over loopback.
fn require_safe_cookies(shared: &Shared) -> Result<(), Fail> {
    let public_url = &shared.app.config().public_url;
    let safe = Url::parse(public_url).is_ok_and(|url| url.scheme() == "https" || is_loopback(&url));
    if safe {
        return Ok(());
    }
    let text = "Signing in needs HTTPS: the session cookie (__Host-) is not kept over plain HTTP off loopback. Put a TLS proxy in front and set public_url to its https:// address.";
    Err(Error::new(ErrorCode::HttpsRequired, text).into())
}

/// `Set-Cookie` of a session.
pub fn set_cookie(cookie: &Secret) -> Option<HeaderValue> {
    let text = format!(
        "{COOKIE}={}; Path=/; Max-Age={MAX_AGE_SECS}; Secure; HttpOnly; SameSite=Strict",
        cookie.expose()
    );
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// `Set-Cookie` that ends it.
pub fn clear_cookie() -> HeaderValue {
    HeaderValue::from_static("__Host-recado=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Strict")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_pages() {
        let ours = "https://wa.example.com";
        for (origin, own) in [
            ("https://wa.example.com", true),
            ("https://WA.example.com:443", true),
            ("http://wa.example.com", false),
            ("https://wa.example.com:8443", false),
            ("https://wa.example.com.evil.test", false),
            ("https://evil.test", false),
            ("null", false),
            ("", false),
            ("file://", false),
            ("http://127.0.0.1:443", false),
        ] {
            assert_eq!(is_own(origin, ours), own, "{origin}");
        }
        let ours = "http://127.0.0.1:8080";
        for (origin, own) in [
            ("http://127.0.0.1:8080", true),
            ("http://localhost:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost:8081", false),
            ("https://localhost:8080", false),
            ("http://localhost.evil.test:8080", false),
            ("http://192.168.0.1:8080", false),
        ] {
            assert_eq!(is_own(origin, ours), own, "{origin}");
        }
    }

    #[test]
    fn the_cookie_is_found_once() {
        let of = |lines: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::COOKIE, HeaderValue::from_static(line));
            }
            cookie(&headers).map(|found| found.map(str::to_owned))
        };
        let one = of(&["a=b; __Host-recado=abc;c=d"]);
        assert_eq!(one.ok().flatten().as_deref(), Some("abc"));
        assert_eq!(of(&["__host-recado=abc", "x"]).ok().flatten(), None);
        assert!(of(&["__Host-recado=a; __Host-recado=b"]).is_err());
        assert!(of(&["__Host-recado=a", "__Host-recado=a"]).is_err());
    }

    #[test]
    fn it_is_found_among_whatever_others_wrote() {
        let of = |line: &[u8]| {
            let mut headers = HeaderMap::new();
            let line = HeaderValue::from_bytes(line).expect("a line");
            headers.append(header::COOKIE, line);
            cookie(&headers).map(|found| found.map(str::to_owned))
        };
        for (line, found) in [
            (&b"name=Jos\xe9; __Host-recado=abc"[..], Some("abc")),
            (b"\xff=\xff;\t __Host-recado=abc \t; a", Some("abc")),
            (b"__Host-recado=a=b", Some("a=b")),
            // Ours, and nobody's.
            (b"__Host-recado=\xe9", Some("")),
            (b"__Host-recado=", Some("")),
            (b"__Host-recado", None),
            (b"__host-recado=abc", None),
            (b"__Host-recado2=abc; x__Host-recado=abc", None),
            (b"\xe9__Host-recado=abc; __Host-recado\xe9=abc", None),
            (b"a=\"__Host-recado=abc\"", None),
        ] {
            let got = of(line).ok().flatten();
            assert_eq!(got.as_deref(), found, "{}", line.escape_ascii());
        }
        assert!(of(b"__Host-recado=abc; x=\xe9; __Host-recado=\xe9").is_err());
    }
}
