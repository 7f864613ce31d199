//! Who is calling, and may they: the rules of the design's "Identity and access".
//!
//! `api` only collects what a request presents ([`Presented`]); what it proves is decided here.
//! Credentials are judged before anything is looked up by an id that the caller chose, and an id is
//! resolved only inside the account that was proven.
//!
//! 401 = something presented does not hold (or nothing was). 403 = all hold, but they do not name
//! this account and instance; foreign and missing alike.

mod cache;
mod client;
mod direct;
mod granted;
mod jwt;
pub mod person;

use std::{net::IpAddr, sync::Arc, time::Duration};

use recado_model::{
    Caller, Clock, Error, ErrorCode, InstanceId, Proof, Result, Rng, Role, Scope, Secret, TokenKind,
};
use recado_store::{Conn, Store};
use tokio_util::sync::CancellationToken;

use self::{
    cache::{CredentialCache, InstanceCache, KnownCredential},
    jwt::{Behind, Jwts},
    person::SessionCache,
};
use crate::{
    Config, faults,
    usage::Usage,
    workers::{self, Outcome},
};

pub use client::{Introspection, ProvenClient};
pub use direct::{DirectClaim, DirectNamed, ShopOrGuest};
pub use granted::{Calls, DirectKey, DirectName, Granted, ShopToken};
pub use person::Person;

/// The credentials a request carries on its surface, as text, and where it comes from.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    pub bearer: Option<&'a str>,
    pub client_token: Option<&'a str>,
    pub instance_token: Option<&'a str>,
    pub api_key: Option<&'a str>,
    pub from: Option<IpAddr>,
}

/// The answer of `POST /token`.
#[derive(Debug)]
pub struct IssuedToken {
    pub access_token: Secret,
    /// Seconds.
    pub expires_in: i64,
}

pub struct Access {
    store: Store,
    clock: Arc<dyn Clock>,
    usage: Arc<Usage>,
    jwts: Jwts,
    credentials: CredentialCache,
    sessions: SessionCache,
    instances: InstanceCache,
}

impl Access {
    pub(crate) async fn new(
        store: &Store,
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
        config: &Config,
        usage: Arc<Usage>,
    ) -> Result<Self> {
        Ok(Self {
            store: store.clone(),
            clock: clock.clone(),
            jwts: Jwts::load(store, clock, rng, config).await?,
            credentials: CredentialCache::new(store.clone(), clock.clone(), usage.clone()),
            sessions: SessionCache::new(store.clone(), clock.clone()),
            instances: InstanceCache::new(store.clone(), clock.clone()),
            usage,
        })
    }

    /// 403 for a role below `least`; credentials have none and are judged by what they are.
    pub fn require_role(&self, by: &dyn Calls, least: Role) -> Result<()> {
        let caller = by.caller();
        match caller.role() {
            Some(role) if role < least => {
                self.refused(caller, "role");
                Err(Error::new(
                    ErrorCode::RoleTooLow,
                    format!(
                        "Your role in this account is {}; this needs {} or more. Ask an owner of the account.",
                        role.as_str(),
                        least.as_str()
                    ),
                ))
            }
            _ => Ok(()),
        }
    }

    /// Forgets what is cached; for changes that did not go through [`Access::commit`].
    pub fn invalidate(&self) {
        self.credentials.invalidate();
    }

    /// Changes whenever something that was proven may no longer hold.
    pub fn seen(&self) -> u64 {
        self.credentials.seen()
    }

    /// Commits what changed credentials, and forgets what is cached: also when the caller gives up
    /// waiting, for it may be committed all the same.
    pub async fn commit(&self, conn: Conn) -> Result<()> {
        struct Forget<'a>(&'a Access);
        impl Drop for Forget<'_> {
            fn drop(&mut self) {
                self.0.invalidate();
            }
        }
        let _forget = Forget(self);
        Ok(conn.commit().await?)
    }

    /// The owner JWT alone opens the route; what else is presented must hold and agree. A person's JWT
    /// counts as far as the role reaches: `least` or more, here and below.
    pub async fn owner(&self, presented: &Presented<'_>, least: Role) -> Result<Caller> {
        let proven = self.prove(presented).await?;
        let caller = proven.jwt.clone().ok_or_else(Error::unauthorized)?;
        self.agree(&proven, &caller)?;
        self.require_role(&caller, least)?;
        Ok(caller)
    }

    /// As [`Access::owner`], of a credential that opens the whole account and stays: one that is
    /// restricted to some instances, or that ends, could otherwise make itself one that is not.
    /// Bound to networks is no matter: who calls from there is in the right place.
    pub async fn account_owner(&self, presented: &Presented<'_>, least: Role) -> Result<Caller> {
        let proven = self.prove(presented).await?;
        let caller = proven.jwt.clone().ok_or_else(Error::unauthorized)?;
        self.agree(&proven, &caller)?;
        self.require_role(&caller, least)?;
        if caller.scope.is_all() && proven.stays {
            return Ok(caller);
        }
        self.refused(&caller, "restricted");
        Err(Error::new(
            ErrorCode::Forbidden,
            "Forbidden: this credential is restricted to some instances, or expires; the account is managed with one that stays and opens all of it.",
        ))
    }

    /// The owner JWT, or client token with instance token; and the instance they open.
    pub async fn instance(
        &self,
        presented: &Presented<'_>,
        id: &InstanceId,
        least: Role,
    ) -> Result<Granted<Caller>> {
        let proven = self.prove(presented).await?;
        let caller = proven.caller(presented.from)?;
        self.open(&proven, caller, id, least).await
    }

    /// As [`Access::instance`], by owner JWT only.
    pub async fn owner_instance(
        &self,
        presented: &Presented<'_>,
        id: &InstanceId,
        least: Role,
    ) -> Result<Granted<Caller>> {
        let proven = self.prove(presented).await?;
        let caller = proven.jwt.clone().ok_or_else(Error::unauthorized)?;
        self.open(&proven, caller, id, least).await
    }

    /// `token_ext` at the MCP endpoint.
    pub async fn mcp(&self, presented: &Presented<'_>) -> Result<ShopToken> {
        let token = presented.bearer.ok_or_else(Error::unauthorized)?;
        let (kind, from) = (TokenKind::Api, presented.from);
        let found = self.credentials.find(kind, token, from).await?;
        let known = found.ok_or_else(Error::unauthorized)?;
        Ok(ShopToken::new(&known.credential, from))
    }

    /// Judges every credential of the instance API that is presented; one that does not hold is 401.
    async fn prove(&self, presented: &Presented<'_>) -> Result<ProvenTokens> {
        if presented.api_key.is_some() {
            return Err(Error::new(
                ErrorCode::ConflictingCredentials,
                "X-API-Key belongs to the Direct API; the instance API takes an owner JWT, or X-Client-Token with X-Instance-Token.",
            ));
        }
        let (mut proven, from) = (ProvenTokens::default(), presented.from);
        if let Some(text) = presented.bearer {
            let proof = self
                .jwts
                .caller(&self.credentials, &self.sessions, text, from);
            let (caller, jwt) = proof.await?;
            proven.stays = match &jwt.behind {
                Behind::Client(known) => known.credential.not_after.is_none(),
                // A membership stays until somebody ends it.
                Behind::Person(_) => true,
            };
            proven.jwt = Some(caller);
        }
        if let Some(text) = presented.client_token {
            let found = self.credentials.find(TokenKind::Client, text, from).await?;
            proven.client = Some(found.ok_or_else(Error::unauthorized)?);
        }
        if let Some(text) = presented.instance_token {
            let found = self.credentials.find(TokenKind::Instance, text, from);
            proven.instance = Some(found.await?.ok_or_else(Error::unauthorized)?);
        }
        Ok(proven)
    }

    async fn open(
        &self,
        proven: &ProvenTokens,
        caller: Caller,
        id: &InstanceId,
        least: Role,
    ) -> Result<Granted<Caller>> {
        self.agree(proven, &caller)?;
        let named = proven.instance.as_ref();
        let named = named.is_none_or(|token| token.credential.instance.as_ref() == Some(id));
        if named && proven.allow(id) {
            let seen = self.credentials.seen();
            if let Some(found) = self.instances.find(&caller.account, id, seen).await? {
                // After the id: what is not theirs looks the same to every role.
                self.require_role(&caller, least)?;
                return Granted::new(caller, found);
            }
        }
        self.refused(&caller, "foreign");
        Err(Error::forbidden())
    }

    fn agree(&self, proven: &ProvenTokens, caller: &Caller) -> Result<()> {
        if proven.tokens().all(|token| token.account == caller.account) {
            return Ok(());
        }
        self.refused(caller, "mixed");
        Err(Error::forbidden())
    }

    fn refused(&self, caller: &Caller, reason: &'static str) {
        let (account, from) = (&caller.account, caller.from);
        self.usage
            .refused(account, caller.credential(), reason, from);
    }
}

/// A credential of chosen instances makes no others: it could not use what it made.
pub fn require_unrestricted(by: &dyn Calls) -> Result<()> {
    if by.caller().scope.is_all() {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Forbidden,
        "Your credential is restricted to certain instances, so it cannot do this for the whole account. Use one without that restriction.",
    ))
}

/// Credentials that hold, not yet held against each other.
#[derive(Default)]
struct ProvenTokens {
    jwt: Option<Caller>,
    /// Whether the JWT's credential was given no end.
    stays: bool,
    client: Option<Arc<KnownCredential>>,
    instance: Option<Arc<KnownCredential>>,
}

impl ProvenTokens {
    /// The JWT when there is one, else the pair; half a pair proves nothing.
    fn caller(&self, from: Option<IpAddr>) -> Result<Caller> {
        if let Some(caller) = &self.jwt {
            return Ok(caller.clone());
        }
        let (Some(client), Some(instance)) = (&self.client, &self.instance) else {
            return Err(Error::unauthorized());
        };
        let (client, instance) = (&client.credential, &instance.credential);
        let id = instance.instance.clone().ok_or_else(Error::unauthorized)?;
        Ok(Caller {
            account: client.account.clone(),
            proof: Proof::InstancePair {
                client: client.id.clone(),
                instance: id.clone(),
            },
            scope: Scope::Only([id].into()),
            from,
        })
    }

    fn tokens(&self) -> impl Iterator<Item = &recado_model::credential::CredentialRef> {
        let tokens = [&self.client, &self.instance].into_iter().flatten();
        tokens.map(|known| &known.credential)
    }

    /// Whether every credential that is shown may be used for that instance.
    fn allow(&self, id: &InstanceId) -> bool {
        self.jwt.iter().all(|caller| caller.scope.allows(id))
            && self.tokens().all(|token| token.scope.allows(id))
    }
}

/// Sees what another process changed (command line, another node) within a second: credentials, keys,
/// what is paid; and, by `changed`, that another node gave its instances back.
pub(crate) async fn watch_epoch(
    access: &Access,
    stop: CancellationToken,
    changed: impl Fn() + Send,
) {
    const EVERY_MS: i64 = 500;
    const PATIENCE: Duration = Duration::from_millis(400);
    let mut known = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = access.clock.sleep_ms(EVERY_MS) => {}
        }
        let read = async { access.store.read().await?.system().epoch().await };
        // Waiting for an answer is not knowing, too.
        let epoch = match tokio::time::timeout(PATIENCE, read).await {
            Ok(epoch) => epoch.map_err(Error::from),
            Err(_) => Err(Error::new(
                ErrorCode::Timeout,
                "the database does not answer in time",
            )),
        };
        let seen: Result<()> = match epoch {
            Ok(epoch) if known == Some(epoch) => Ok(()),
            Ok(epoch) => {
                // Nothing cached may be believed before the keys are known to be the right ones, and
                // keys that cannot be read now are tried again.
                access.invalidate();
                match access.reload_keys().await {
                    Ok(()) => {
                        known = Some(epoch);
                        access.invalidate();
                        changed();
                        Ok(())
                    }
                    Err(error) => Err(error),
                }
            }
            Err(error) => {
                // Not knowing whether something was revoked, nothing cached may be believed.
                access.invalidate();
                Err(error)
            }
        };
        let outcome = match seen {
            Ok(()) => Outcome::Done,
            Err(error) => {
                faults::warn(
                    &error,
                    "cannot see what other processes changed; trying again",
                );
                Outcome::Again
            }
        };
        workers::ran("epoch", outcome, access.clock.now());
    }
}

impl Access {
    async fn reload_keys(&self) -> Result<()> {
        self.store.reload_keys().await?;
        self.jwts.reload().await
    }
}
