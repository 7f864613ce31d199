//! Guards: the first argument of every handler, and thereby its access rule.
//!
//! A guard collects what the request *presents*, refuses what does not belong to its surface, and
//! asks `recado_identity::Access`, where every rule of who may do what lives. It hands over what was
//! proven and loaded as one value, which the services take whole ([`recado_identity::Granted`]). Guards
//! run before any body is read.
//!
//! | file | holds |
//! |---|---|
//! | `owner` | guards of the instance API |
//! | `shop`, `direct` | guards of MCP and the Direct API |
//! | `client` | the guard of `/token`, `/introspect` and `/revoke`, which reads the body |
//! | [`person`] | guards of the dashboard's API, with [`cookie`], `origin` and [`named`] |
//! | `presented` | the credential headers of a request |
//! | `roles` | the least role of a person, and how fresh the proof must be |
//! | `rule` | the rules by name |
//!
//! To add a guard: a type with [`Guard`] and an extractor impl, and its [`Rule`].

mod client;
pub mod cookie;
mod direct;
pub(crate) mod named;
mod origin;
mod owner;
pub mod person;
mod presented;
mod roles;
mod rule;
mod shop;

use axum::extract::FromRequestParts;
use http::request::Parts;
use recado_model::Role;

use crate::{ApiState, describe::Described, error::Fail};

#[cfg(feature = "fuzzing")]
pub(crate) use client::basic_pair;
pub use client::{ClientCredentials, TokenRequest};
pub use direct::{DirectByName, DirectClaimant, DirectInstance, DirectOpener};
pub use named::Naming;
pub use owner::{AccountOwner, InstanceAccess, Owner, OwnerInstance};
pub use person::{LogIn, LogOut, Member, MemberInstance, Opener, SignedIn, Visitor, Whoever};
pub(crate) use presented::is_of_a_proxy;
pub use presented::{Accepts, CredentialHeaders};
pub use roles::{Anytime, Confirmed, Least, least};
pub use rule::Rule;
pub use shop::McpToken;

/// An extractor that is an access rule.
pub trait Guard {
    const RULE: Rule;
    /// The least role of a person who may; credentials have no role. `None` where no person comes.
    const LEAST: Option<Role> = None;
    /// Whether the person's password must have been asked for lately.
    const CONFIRMED: bool = false;
    /// The parts of the request that it reads beside headers and path.
    fn describe(_: &mut Described) {}
}

/// No proof is asked for and none is looked at.
pub struct Public;

impl Guard for Public {
    const RULE: Rule = Rule::Public;
}

impl FromRequestParts<ApiState> for Public {
    type Rejection = Fail;
    async fn from_request_parts(_: &mut Parts, _: &ApiState) -> Result<Self, Fail> {
        Ok(Self)
    }
}
