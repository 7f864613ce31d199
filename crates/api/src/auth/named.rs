//! Whom a call of the dashboard means: the account and the person that its page shows.
//!
//! A browser's tabs share one cookie. Another tab may have switched the account, or signed in as
//! somebody else, while this one still shows what was there before. So each call names both, and
//! nothing acts when the session is another's.

use http::{HeaderMap, HeaderName, header::HeaderValue};
use recado_identity::{Calls, Person};
use recado_model::{Error, ErrorCode};

use super::presented::refuse_repeated;
use crate::error::Fail;

/// Both as `GET /dashboard/api/me` tells them.
const ACCOUNT: HeaderName = HeaderName::from_static("x-recado-account");
const USER: HeaderName = HeaderName::from_static("x-recado-user");

/// The headers' names for the OpenAPI document, and what they hold.
pub(crate) const HEADERS: [(&str, &str); 2] = [
    (
        "X-Recado-Account",
        "account.id of GET /dashboard/api/me: whom the call means",
    ),
    (
        "X-Recado-User",
        "user.id of GET /dashboard/api/me: whom the call means",
    ),
];

/// Whether the calls of a rule name an account and a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// There is nobody yet.
    Never,
    /// Where they do, they must be right.
    May,
    Must,
}

/// The person and account that a call names.
pub(super) struct Named<'a> {
    account: &'a HeaderValue,
    user: &'a HeaderValue,
}

impl<'a> Named<'a> {
    /// `None` for a call that names nobody; 400 for half a name, or one that is there twice.
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Option<Self>, Fail> {
        for name in [&ACCOUNT, &USER] {
            refuse_repeated(headers, name)?;
        }
        match (headers.get(&ACCOUNT), headers.get(&USER)) {
            (Some(account), Some(user)) => Ok(Some(Self { account, user })),
            (None, None) => Ok(None),
            _ => Err(missing()),
        }
    }

    pub(super) fn means(&self, person: &Person) -> bool {
        self.account.as_bytes() == person.caller().account.as_str().as_bytes()
            && self.user.as_bytes() == person.user().as_str().as_bytes()
    }
}

/// 400 for a call that does not say whom it means, 409 for one that means somebody else.
pub(super) fn require(headers: &HeaderMap, person: &Person) -> Result<(), Fail> {
    match Named::of(headers)? {
        Some(named) if named.means(person) => Ok(()),
        Some(_) => Err(changed()),
        None => Err(missing()),
    }
}

/// The same, where nobody need be named.
pub(super) fn check(headers: &HeaderMap, person: &Person) -> Result<(), Fail> {
    match Named::of(headers)? {
        Some(named) if !named.means(person) => Err(changed()),
        _ => Ok(()),
    }
}

pub(super) fn changed() -> Fail {
    let text = "Another account is open in this browser now than the one that this call names: somebody signed in or switched elsewhere. Nothing was done. Load the page again and look.";
    Error::new(ErrorCode::AccountChanged, text).into()
}

fn missing() -> Fail {
    let text = "Say whom this call means: send X-Recado-Account and X-Recado-User with account.id and user.id of GET /dashboard/api/me. In a browser, load the page again.";
    Error::new(ErrorCode::AccountNotNamed, text).into()
}
