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
mod jwt;
pub mod person;

use std::{net::IpAddr, sync::Arc, time::Duration};

use recado_model::{
    Caller, Clock, Error, ErrorCode, Instance, InstanceId, Proof, Result, Rng, Role, Scope, Secret,
    TokenKind, account::AccountKind,
};
use recado_store::{Conn, Store};
use tokio_util::sync::CancellationToken;

use self::{
    cache::{Credentials, Instances, Known},
    jwt::{Behind, Jwts},
    person::Sessions,
};
use crate::{
    Config, faults,
    usage::Usage,
    workers::{self, Outcome},
};

pub use client::{Introspection, ProvenClient};
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

/// What `POST /token` answers.
#[derive(Debug)]
pub struct IssuedToken {
    pub access_token: Secret,
    /// Seconds.
    pub expires_in: i64,
}

/// A guest's session, and the shop that both credentials let claim it.
pub struct Claimed {
    pub shop: Caller,
    /// Whose it is by its key: a guest, or the shop itself already.
    pub holder: Caller,
    pub instance: Arc<Instance>,
}

pub struct Access {
    store: Store,
    clock: Arc<dyn Clock>,
    usage: Arc<Usage>,
    jwts: Jwts,
    credentials: Credentials,
    sessions: Sessions,
    instances: Instances,
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
            credentials: Credentials::new(store.clone(), clock.clone(), usage.clone()),
            sessions: Sessions::new(store.clone(), clock.clone()),
            instances: Instances::new(store.clone(), clock.clone()),
            usage,
        })
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
    ) -> Result<(Caller, Arc<Instance>)> {
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
    ) -> Result<(Caller, Arc<Instance>)> {
        let proven = self.prove(presented).await?;
        let caller = proven.jwt.clone().ok_or_else(Error::unauthorized)?;
        self.open(&proven, caller, id, least).await
    }

    /// `token_ext` at the MCP endpoint.
    pub async fn mcp(&self, presented: &Presented<'_>) -> Result<Caller> {
        let token = presented.bearer.ok_or_else(Error::unauthorized)?;
        let (kind, from) = (TokenKind::Api, presented.from);
        let found = self.credentials.find(kind, token, from).await?;
        let credential = &found.as_ref().ok_or_else(Error::unauthorized)?.credential;
        Ok(Caller {
            account: credential.account.clone(),
            proof: Proof::ApiToken {
                credential: credential.id.clone(),
            },
            scope: credential.scope.clone(),
            from,
        })
    }

    /// `X-API-Key` on the Direct API.
    pub async fn session_key(&self, presented: &Presented<'_>) -> Result<Caller> {
        let key = presented
            .api_key
            .ok_or_else(|| Error::new(ErrorCode::ApiKeyRequired, "API key requerida"))?;
        let (kind, from) = (TokenKind::Session, presented.from);
        let found = self.credentials.find(kind, key, from).await?;
        let invalid = || Error::new(ErrorCode::ApiKeyInvalid, "API key invalida");
        let credential = &found.as_ref().ok_or_else(invalid)?.credential;
        let instance = credential.instance.clone().ok_or_else(invalid)?;
        Ok(Caller {
            account: credential.account.clone(),
            proof: Proof::SessionKey {
                credential: credential.id.clone(),
                instance,
            },
            scope: credential.scope.clone(),
            from,
        })
    }

    /// `X-API-Key`, and the session that `key` (its name, or its id) means in that account.
    pub async fn session(
        &self,
        presented: &Presented<'_>,
        key: &str,
    ) -> Result<(Caller, Arc<Instance>)> {
        let caller = self.session_key(presented).await?;
        let found = self.named(&caller, key).await?;
        let found = found.filter(|instance| caller.scope.allows(&instance.id));
        match found {
            Some(instance) => Ok((caller, instance)),
            None => {
                self.refused(&caller, "foreign");
                Err(not_yours())
            }
        }
    }

    /// The shop's `wz_` and the key of the session `key`, together: the session is a guest's, or the
    /// shop's already. A third one's is no more than missing.
    pub async fn claim(&self, presented: &Presented<'_>, key: &str) -> Result<Claimed> {
        let shop = self.mcp(presented).await?;
        let holder = self.session_key(presented).await?;
        let mut conn = self.store.read().await?;
        let held_by = conn.account(&holder.account).account().await?;
        drop(conn);
        let is_guest = held_by.is_some_and(|account| account.kind == AccountKind::Guest);
        let found = match is_guest || holder.account == shop.account {
            true => self.named(&holder, key).await?,
            false => None,
        };
        // A guest's key opens that guest's one session; a shop's, whatever its owner lets it.
        let found = found.filter(|instance| holder.scope.allows(&instance.id));
        match found {
            Some(instance) => Ok(Claimed {
                shop,
                holder,
                instance,
            }),
            None => {
                self.refused(&shop, "foreign");
                Err(not_yours())
            }
        }
    }

    /// The open QR route: the unguessable name is all there is to prove.
    pub async fn session_by_name(&self, key: &str) -> Result<Arc<Instance>> {
        let missing = || {
            Error::new(
                ErrorCode::NotFound,
                "No such session. Use the key that POST /sessions answered.",
            )
        };
        let name = self.credentials.find(TokenKind::SessionName, key, None);
        let name = name.await?.ok_or_else(missing)?;
        let id = name.credential.instance.as_ref().ok_or_else(missing)?;
        let account = &name.credential.account;
        let found = self.instances.find(account, id, self.credentials.seen());
        found.await?.ok_or_else(missing)
    }

    /// What `key` names in the caller's account. A name of another account leads nowhere.
    async fn named(&self, caller: &Caller, key: &str) -> Result<Option<Arc<Instance>>> {
        let named = self.credentials.find(TokenKind::SessionName, key, None);
        let named = named.await?;
        let by_text;
        let id = match &named {
            Some(name) if name.credential.account == caller.account => {
                match &name.credential.instance {
                    Some(id) => id,
                    None => return Ok(None),
                }
            }
            Some(_) => return Ok(None),
            None => {
                by_text = InstanceId::from_text(key);
                &by_text
            }
        };
        let seen = self.credentials.seen();
        self.instances.find(&caller.account, id, seen).await
    }

    /// Judges every credential of the instance API that is presented; one that does not hold is 401.
    async fn prove(&self, presented: &Presented<'_>) -> Result<Proven> {
        if presented.api_key.is_some() {
            return Err(Error::new(
                ErrorCode::ConflictingCredentials,
                "X-API-Key belongs to the Direct API; the instance API takes an owner JWT, or X-Client-Token with X-Instance-Token.",
            ));
        }
        let (mut proven, from) = (Proven::default(), presented.from);
        if let Some(text) = presented.bearer {
            let proof = self
                .jwts
                .caller(&self.credentials, &self.sessions, text, from);
            let (caller, standing) = proof.await?;
            proven.stays = match &standing.behind {
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
        proven: &Proven,
        caller: Caller,
        id: &InstanceId,
        least: Role,
    ) -> Result<(Caller, Arc<Instance>)> {
        self.agree(proven, &caller)?;
        let named = proven.instance.as_ref();
        let named = named.is_none_or(|token| token.credential.instance.as_ref() == Some(id));
        if named && proven.allow(id) {
            let seen = self.credentials.seen();
            if let Some(found) = self.instances.find(&caller.account, id, seen).await? {
                // After the id: what is not theirs looks the same to every role.
                self.require_role(&caller, least)?;
                return Ok((caller, found));
            }
        }
        self.refused(&caller, "foreign");
        Err(Error::forbidden())
    }

    fn agree(&self, proven: &Proven, caller: &Caller) -> Result<()> {
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
pub fn require_unrestricted(caller: &Caller) -> Result<()> {
    if caller.scope.is_all() {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::Forbidden,
        "Your credential is restricted to certain instances, so it cannot do this for the whole account. Use one without that restriction.",
    ))
}

fn not_yours() -> Error {
    Error::new(
        ErrorCode::SessionNotYours,
        "Session does not belong to your shop",
    )
}

/// Credentials that hold, not yet held against each other.
#[derive(Default)]
struct Proven {
    jwt: Option<Caller>,
    /// Whether the JWT's credential was given no end.
    stays: bool,
    client: Option<Arc<Known>>,
    instance: Option<Arc<Known>>,
}

impl Proven {
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
