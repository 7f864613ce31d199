//! Guards: the first argument of every handler, and thereby its access rule.
//!
//! A guard collects what the request *presents*, refuses what does not belong to its surface, and
//! asks `recado_identity::Access`, where every rule of who may do what lives. It hands over what was
//! proven and loaded. Guards run before any body is read.
//!
//! To add a guard: a type with [`Access`] and an extractor impl, and its [`Rule`].

mod client;
pub(crate) mod named;
pub mod person;
mod presented;
mod rule;

use std::{marker::PhantomData, pin::Pin, sync::Arc};

use axum::extract::{FromRequestParts, OptionalFromRequestParts, RawPathParams};
use http::request::Parts;
use recado_identity::Claimed;
use recado_model::{Caller, Error, ErrorCode, Instance, InstanceId, Monotonic, Role};

use crate::{Shared, describe::Described, error::Fail};

#[cfg(feature = "fuzzing")]
pub(crate) use client::basic_pair;
pub use client::{ClientCredentials, TokenRequest};
pub use named::Naming;
pub use person::{
    Anytime, Confirmed, Least, LogIn, LogOut, Member, MemberInstance, Opener, SignedIn, Visitor,
    Whoever, least,
};
pub use presented::{Accepts, Credentials};
pub use rule::Rule;

/// An extractor that is an access rule.
pub trait Access {
    const RULE: Rule;
    /// The least role of a person who may; credentials have no role. `None` where no person comes.
    const LEAST: Option<Role> = None;
    /// Whether the person's password must have been asked for lately.
    const CONFIRMED: bool = false;
    /// What it reads of the request beside headers and path.
    fn describe(_: &mut Described) {}
}

/// The guard of a request once more. Guards judge before the body is read, and a body may take its time:
/// who lost a right meanwhile must not act on it. [`crate::extract`] asks when the body has come.
#[derive(Clone, Copy)]
pub(crate) struct Again {
    /// The state of the caches and the time at the first look.
    seen: u64,
    at: Monotonic,
    look: Look,
}

type Look = for<'a> fn(&'a mut Parts, &'a Shared) -> Looked<'a>;
type Looked<'a> = Pin<Box<dyn Future<Output = Result<(), Fail>> + Send + 'a>>;

impl Again {
    /// For a guard to leave behind when it has let somebody pass.
    pub(crate) fn note<G>(parts: &mut Parts, shared: &Shared)
    where
        G: FromRequestParts<Shared, Rejection = Fail>,
    {
        fn look<'a, G>(parts: &'a mut Parts, shared: &'a Shared) -> Looked<'a>
        where
            G: FromRequestParts<Shared, Rejection = Fail>,
        {
            Box::pin(async move { G::from_request_parts(parts, shared).await.map(|_| ()) })
        }
        let again = Self {
            seen: shared.app.access().seen(),
            at: shared.app.clock().monotonic(),
            look: look::<G>,
        };
        parts.extensions.insert(again);
    }

    /// Nothing when nothing can have changed: no credential, session or role did, and no time went by in
    /// which one may have ended.
    pub(crate) async fn look(parts: &mut Parts, shared: &Shared) -> Result<(), Fail> {
        let Some(again) = parts.extensions.get::<Self>().copied() else {
            return Ok(());
        };
        let went_by = shared.app.clock().monotonic().since(again.at);
        if again.seen == shared.app.access().seen() && went_by < STILL_MS {
            return Ok(());
        }
        (again.look)(parts, shared).await
    }
}

/// What a body may take before the guard looks again in any case.
const STILL_MS: i64 = 250;

/// No proof is asked for and none is looked at.
pub struct Public;

/// The account itself: creating, listing, paying. By a client's JWT, or by that of a person who has at
/// least the role `L` in it; so too the guards below that have an `L`.
pub struct Owner<L> {
    pub caller: Caller,
    least: PhantomData<L>,
}

/// The account itself, by a credential that opens all of it: managing credentials, reading the audit
/// log.
pub struct AccountOwner<L> {
    pub caller: Caller,
    least: PhantomData<L>,
}

/// The account itself, and one of its instances.
pub struct OwnerInstance<L> {
    pub caller: Caller,
    pub instance: Arc<Instance>,
    least: PhantomData<L>,
}

/// Whoever may use one instance: its owner, or the holder of both of its tokens. 402 when it is not
/// paid for, which only they learn.
pub struct InstanceAccess<L> {
    pub caller: Caller,
    pub instance: Arc<Instance>,
    least: PhantomData<L>,
}

/// A shop by its `wz_`, proven by headers alone.
pub struct McpToken(pub Caller);

/// A shop by its `wz_`, or nobody.
pub struct MaybeMcpToken(pub Option<Caller>);

/// A Direct API session of the caller's account.
pub struct SessionAccess {
    pub caller: Caller,
    pub instance: Arc<Instance>,
}

/// A session, and the shop that takes it over: proven by the shop's token and the session's key.
pub struct Claim {
    pub shop: Caller,
    /// The guest whose session it is, or the shop itself already.
    pub holder: Caller,
    pub instance: Arc<Instance>,
}

/// A Direct API session found by its name: enough to show its QR, nothing else.
pub struct NamedSession {
    pub caller: Caller,
    pub instance: Arc<Instance>,
    /// The key was shown too, so more than looking is allowed.
    pub proven: bool,
}

macro_rules! rules {
    ($($guard:ident => $rule:ident),* $(,)?) => {$(
        impl Access for $guard { const RULE: Rule = Rule::$rule; }
    )*};
}

rules! {
    Public => Public,
    McpToken => Mcp,
    MaybeMcpToken => OptionalMcp,
    SessionAccess => Session,
    Claim => Claim,
    NamedSession => SessionName,
}

macro_rules! rules_of_roles {
    ($($guard:ident => $rule:ident),* $(,)?) => {$(
        impl<L: Least> Access for $guard<L> {
            const RULE: Rule = Rule::$rule;
            const LEAST: Option<Role> = Some(L::ROLE);
        }
    )*};
}

rules_of_roles! {
    Owner => Owner,
    AccountOwner => AccountOwner,
    OwnerInstance => OwnerInstance,
    InstanceAccess => Instance,
}

impl Access for ClientCredentials {
    const RULE: Rule = Rule::ClientCredentials;
    fn describe(into: &mut Described) {
        into.body = Some(ClientCredentials::schema());
    }
}

impl Access for TokenRequest {
    const RULE: Rule = Rule::ClientCredentials;
    fn describe(into: &mut Described) {
        ClientCredentials::describe(into);
    }
}

impl FromRequestParts<Shared> for Public {
    type Rejection = Fail;
    async fn from_request_parts(_: &mut Parts, _: &Shared) -> Result<Self, Fail> {
        Ok(Self)
    }
}

impl<L: Least> FromRequestParts<Shared> for Owner<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::INSTANCE)?;
        let access = shared.app.access();
        let proof = access.owner(&shown.presented(), L::ROLE).await;
        let caller = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<Shared> for AccountOwner<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::INSTANCE)?;
        let access = shared.app.access();
        let proof = access.account_owner(&shown.presented(), L::ROLE).await;
        let caller = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<Shared> for OwnerInstance<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::INSTANCE)?;
        let id = InstanceId::from_text(path_param(parts, shared, "id").await);
        let proof = shared
            .app
            .access()
            .owner_instance(&shown.presented(), &id, L::ROLE)
            .await;
        let (caller, instance) = shown.judge(proof.map_err(owner_words))?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            instance,
            least: PhantomData,
        })
    }
}

impl<L: Least> FromRequestParts<Shared> for InstanceAccess<L> {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::INSTANCE)?;
        let id = InstanceId::from_text(path_param(parts, shared, "id").await);
        let access = shared.app.access();
        let proof = access.instance(&shown.presented(), &id, L::ROLE).await;
        let (caller, instance) = shown.judge(proof)?;
        shared.app.billing().require(&instance)?;
        Again::note::<Self>(parts, shared);
        Ok(Self {
            caller,
            instance,
            least: PhantomData,
        })
    }
}

impl FromRequestParts<Shared> for McpToken {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::MCP)?;
        let caller = shown.judge(shared.app.access().mcp(&shown.presented()).await)?;
        Again::note::<Self>(parts, shared);
        Ok(Self(caller))
    }
}

impl OptionalFromRequestParts<Shared> for McpToken {
    type Rejection = Fail;
    /// `None` only when nothing is presented: what is presented must hold.
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Option<Self>, Fail> {
        let shown = Credentials::collect(parts, Accepts::MCP)?;
        if !shown.any() {
            return Ok(None);
        }
        let caller = shown.judge(shared.app.access().mcp(&shown.presented()).await)?;
        Ok(Some(Self(caller)))
    }
}

impl FromRequestParts<Shared> for MaybeMcpToken {
    type Rejection = Fail;
    /// A key that is shown without need must hold all the same, and name the same account.
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::DIRECT_CREATE)?;
        let access = shared.app.access();
        let by_token = match shown.bearer_only() {
            Some(bearer) => Some(shown.judge(access.mcp(&bearer).await)?),
            None => None,
        };
        let by_key = match shown.api_key_only() {
            Some(key) => Some(shown.judge(access.session_key(&key).await)?),
            None => None,
        };
        if let (Some(token), Some(key)) = (&by_token, &by_key)
            && token.account != key.account
        {
            let error = Error::new(ErrorCode::SessionNotYours, "The key is another account's.");
            return Err(Fail::of_proof(error, true));
        }
        Again::note::<Self>(parts, shared);
        Ok(Self(by_token))
    }
}

impl FromRequestParts<Shared> for SessionAccess {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::DIRECT)?;
        let key = path_param(parts, shared, "key").await;
        let proof = shared.app.access().session(&shown.presented(), &key).await;
        let (caller, instance) = shown.judge(proof)?;
        shared.app.billing().require(&instance)?;
        Again::note::<Self>(parts, shared);
        Ok(Self { caller, instance })
    }
}

impl FromRequestParts<Shared> for Claim {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::DIRECT_CREATE)?;
        let key = path_param(parts, shared, "key").await;
        let proof = shared.app.access().claim(&shown.presented(), &key).await;
        Again::note::<Self>(parts, shared);
        let Claimed {
            shop,
            holder,
            instance,
        } = shown.judge(proof)?;
        Ok(Self {
            shop,
            holder,
            instance,
        })
    }
}

impl FromRequestParts<Shared> for NamedSession {
    type Rejection = Fail;
    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, Fail> {
        let shown = Credentials::collect(parts, Accepts::DIRECT)?;
        let name = path_param(parts, shared, "key").await;
        let access = shared.app.access();
        let key = shown.api_key_only();
        let proven = key.is_some();
        let (caller, instance) = match key {
            Some(key) => shown.judge(access.session(&key, &name).await)?,
            None => {
                let instance = access.session_by_name(&name).await?;
                (presented::named_caller(&instance), instance)
            }
        };
        note(&caller, Some(&instance));
        shared.app.billing().require(&instance)?;
        Ok(Self {
            caller,
            instance,
            proven,
        })
    }
}

/// The general text also names the pair of tokens, which does not open these routes.
fn owner_words(mut error: Error) -> Error {
    if error.code == ErrorCode::Unauthorized {
        error.message =
            "Unauthorized: send a valid owner JWT from POST /token or POST /login.".into();
    }
    error
}

/// A path parameter, `""` when it is absent or not UTF-8: that names nothing, and the guard says so
/// in the words for a missing thing, after the proof.
async fn path_param(parts: &mut Parts, shared: &Shared, name: &str) -> String {
    match RawPathParams::from_request_parts(parts, shared).await {
        Ok(params) => params
            .iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .unwrap_or_default(),
        Err(_) => String::new(),
    }
}

/// Puts the proven account and instance on the request's span.
fn note(caller: &Caller, instance: Option<&Instance>) {
    let span = tracing::Span::current();
    span.record("account", caller.account.as_str());
    if let Some(instance) = instance {
        span.record("instance", instance.id.as_str());
    }
}
