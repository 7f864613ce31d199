//! The dashboard's own API: people, by cookie. `POST /login` and `/logout` belong to it.
//!
//! | file | holds |
//! |---|---|
//! | [`login`] | signing in and out, the password again, a JWT for an hour |
//! | [`links`] | what the pages before signing in need: state, links, sign-up, reset |
//! | [`me`] | oneself: profile, sessions, second factor |
//! | [`account`] | the account: name, audit log, signing everybody out |
//! | [`members`] | who else is in it |
//! | [`credentials`] | its credentials, in the shapes of the instance API |
//! | [`instances`] | its instances: live state, pairing, token |
//!
//! Bodies are bare JSON objects; unknown fields are refused. A row's role is its guard's first type
//! parameter, `Confirmed` the second where the password must have been asked for lately: whatever shows
//! or makes a secret, or changes who may do what. To add a row: as in [`crate::rest`], with a guard of
//! [`crate::auth::person`].

pub mod account;
pub mod credentials;
pub mod instances;
pub mod links;
pub mod login;
pub mod me;
pub mod members;

use recado_app::App;
use recado_identity::{
    Person, faults,
    users::{Opened, parse_language},
};
use recado_model::{Error, Language, Role, Secret};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::{
    auth::cookie::set_cookie,
    describe::{Answer, WithCookie, one_of},
    error::Fail,
};

/// A body that says nothing.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// An answer that says nothing.
#[derive(Serialize, JsonSchema)]
pub struct Empty {}

/// The new session stands: that an old one could not be ended is no reason to keep its cookie back.
fn left(done: Result<(), Fail>) {
    if let Err(fail) = done {
        faults::warn(fail.error(), "could not end an old session");
    }
}

/// Ends the sessions whose cookies are overwritten: nobody could end them any more.
async fn leave(app: &App, before: &[Person]) -> Result<(), Fail> {
    for person in before {
        app.users().log_out(person).await?;
    }
    Ok(())
}

/// An answer with the cookie of a session that was just opened or renewed.
fn with_session<A>(opened: &Opened, answer: A) -> WithCookie<A> {
    WithCookie {
        cookie: set_cookie(&opened.cookie),
        answer,
    }
}

fn with_session_of<T>(opened: &Opened, body: T) -> WithCookie<Answer<T>> {
    with_session(opened, Answer(body))
}

fn secret(text: String) -> Secret {
    Secret::new(text)
}

fn language(text: Option<String>) -> Result<Option<Language>, Fail> {
    Ok(text.as_deref().map(parse_language).transpose()?)
}

fn role(text: &str) -> Result<Role, Fail> {
    let role = Role::parse(text);
    let text = "role is owner, admin, developer or viewer";
    Ok(role.ok_or_else(|| Error::field("role", text))?)
}

fn roles(_: &mut SchemaGenerator) -> Schema {
    one_of([Role::Owner, Role::Admin, Role::Developer, Role::Viewer].map(Role::as_str))
}

fn languages(_: &mut SchemaGenerator) -> Schema {
    one_of(Language::ALL.map(Language::as_str))
}
