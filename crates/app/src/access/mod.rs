//! Who is calling, and may they: the rules of the design's "Identity and access".
//!
//! `api` only collects what a request presents ([`Presented`]); what it proves is decided here.
//! Credentials are judged before anything is looked up by an id that the caller chose, and an id is
//! resolved only inside the account that was proven.
//!
//! 401 = something presented does not hold (or nothing was). 403 = all hold, but they do not name
//! this account and instance; foreign and missing alike.

mod cache;
mod jwt;
pub mod password;

use std::sync::Arc;

use recado_model::{
    Caller, Clock, Error, ErrorCode, Instance, InstanceId, Proof, Result, Rng, Secret, TokenKind,
    credential::{CredentialKind, CredentialRef},
};
use recado_store::Store;
use tokio_util::sync::CancellationToken;

use self::{cache::Credentials, jwt::Jwts};
use crate::Config;

/// The credentials a request carries on its surface, as text.
#[derive(Clone, Copy, Default)]
pub struct Presented<'a> {
    pub bearer: Option<&'a str>,
    pub client_token: Option<&'a str>,
    pub instance_token: Option<&'a str>,
    pub api_key: Option<&'a str>,
}

/// What `POST /token` answers.
#[derive(Debug)]
pub struct IssuedToken {
    pub access_token: Secret,
    /// Seconds.
    pub expires_in: i64,
}

pub struct Access {
    store: Store,
    clock: Arc<dyn Clock>,
    jwts: Jwts,
    credentials: Credentials,
}

impl Access {
    pub(crate) async fn new(
        store: &Store,
        clock: &Arc<dyn Clock>,
        rng: &Arc<dyn Rng>,
        config: &Config,
    ) -> Result<Self> {
        Ok(Self {
            store: store.clone(),
            clock: clock.clone(),
            jwts: Jwts::load(store, clock, rng, config).await?,
            credentials: Credentials::new(store.clone(), clock.clone()),
        })
    }

    /// Forgets what is cached; called after a commit that changed a credential.
    pub fn invalidate(&self) {
        self.credentials.invalidate();
    }

    /// `POST /token`: an owner JWT for a client token and its secret.
    pub async fn token(&self, client_token: &str, client_secret: &str) -> Result<IssuedToken> {
        let refused = || {
            Error::new(
                ErrorCode::InvalidClient,
                "Unknown client_token or wrong client_secret. Both are managed under Security in the dashboard.",
            )
        };
        // Both are looked up whatever the first gives, so that time does not tell which one is wrong.
        let client = self
            .credentials
            .find(TokenKind::Client, client_token)
            .await?;
        let secret = self
            .credentials
            .find(TokenKind::ClientSecret, client_secret)
            .await?;
        let (Some(client), Some(secret)) = (client, secret) else {
            return Err(refused());
        };
        if secret.kind != CredentialKind::ClientSecret || secret.parent.as_ref() != Some(&client.id)
        {
            return Err(refused());
        }
        self.jwts.issue(&secret)
    }

    /// The owner JWT alone opens the route; what else is presented must hold and agree.
    pub async fn owner(&self, presented: &Presented<'_>) -> Result<Caller> {
        let proven = self.prove(presented).await?;
        let caller = proven.jwt.clone().ok_or_else(Error::unauthorized)?;
        proven.agree_on(&caller)?;
        Ok(caller)
    }

    /// The owner JWT, or client token with instance token; and the instance they open.
    pub async fn instance(
        &self,
        presented: &Presented<'_>,
        id: &InstanceId,
    ) -> Result<(Caller, Instance)> {
        let proven = self.prove(presented).await?;
        let caller = proven.caller()?;
        self.open(&proven, caller, id).await
    }

    /// As [`Access::instance`], by owner JWT only.
    pub async fn owner_instance(
        &self,
        presented: &Presented<'_>,
        id: &InstanceId,
    ) -> Result<(Caller, Instance)> {
        let proven = self.prove(presented).await?;
        let caller = proven.jwt.clone().ok_or_else(Error::unauthorized)?;
        self.open(&proven, caller, id).await
    }

    /// `token_ext` at the MCP endpoint.
    pub async fn mcp(&self, presented: &Presented<'_>) -> Result<Caller> {
        let token = presented.bearer.ok_or_else(Error::unauthorized)?;
        let found = self.credentials.find(TokenKind::Api, token).await?;
        let found = found.ok_or_else(Error::unauthorized)?;
        Ok(Caller {
            account: found.account.clone(),
            proof: Proof::ApiToken {
                credential: found.id.clone(),
            },
        })
    }

    /// `X-API-Key` on the Direct API.
    pub async fn session_key(&self, presented: &Presented<'_>) -> Result<Caller> {
        let key = presented
            .api_key
            .ok_or_else(|| Error::new(ErrorCode::ApiKeyRequired, "API key requerida"))?;
        let found = self.credentials.find(TokenKind::Session, key).await?;
        let invalid = || Error::new(ErrorCode::ApiKeyInvalid, "API key invalida");
        let found = found.ok_or_else(invalid)?;
        let instance = found.instance.clone().ok_or_else(invalid)?;
        Ok(Caller {
            account: found.account.clone(),
            proof: Proof::SessionKey {
                credential: found.id.clone(),
                instance,
            },
        })
    }

    /// `X-API-Key`, and the session that `key` (its name, or its id) means in that account.
    pub async fn session(
        &self,
        presented: &Presented<'_>,
        key: &str,
    ) -> Result<(Caller, Instance)> {
        let caller = self.session_key(presented).await?;
        let named = self.credentials.find(TokenKind::SessionName, key).await?;
        // A name of another account leads nowhere: the look-up below stays in the caller's.
        let id = match named {
            Some(name) if name.account == caller.account => name.instance.clone(),
            Some(_) => None,
            None => Some(InstanceId::from_text(key)),
        };
        let mut found = None;
        if let Some(id) = id {
            found = self
                .store
                .read()
                .await?
                .account(&caller.account)
                .instance(&id)
                .await?;
        }
        let instance = found.ok_or_else(|| {
            Error::new(
                ErrorCode::SessionNotYours,
                "Session does not belong to your shop",
            )
        })?;
        Ok((caller, instance))
    }

    /// The open QR route: the unguessable name is all there is to prove.
    pub async fn session_by_name(&self, key: &str) -> Result<Instance> {
        let missing = || {
            Error::new(
                ErrorCode::NotFound,
                "No such session. Use the key that POST /sessions answered.",
            )
        };
        let name = self
            .credentials
            .find(TokenKind::SessionName, key)
            .await?
            .ok_or_else(missing)?;
        let id = name.instance.clone().ok_or_else(missing)?;
        let found = self
            .store
            .read()
            .await?
            .account(&name.account)
            .instance(&id)
            .await?;
        found.ok_or_else(missing)
    }

    /// Judges every credential of the instance API that is presented; one that does not hold is 401.
    async fn prove(&self, presented: &Presented<'_>) -> Result<Proven> {
        if presented.api_key.is_some() {
            return Err(Error::new(
                ErrorCode::ConflictingCredentials,
                "X-API-Key belongs to the Direct API; the instance API takes an owner JWT, or X-Client-Token with X-Instance-Token.",
            ));
        }
        let mut proven = Proven::default();
        if let Some(text) = presented.bearer {
            let claims = self.jwts.verify(text)?;
            let live = self.credentials.by_id(&claims.cid).await?;
            let live = live.ok_or_else(Error::unauthorized)?;
            proven.jwt = Some(self.jwts.caller(&claims, &live)?);
        }
        if let Some(text) = presented.client_token {
            let found = self.credentials.find(TokenKind::Client, text).await?;
            proven.client = Some(found.ok_or_else(Error::unauthorized)?);
        }
        if let Some(text) = presented.instance_token {
            let found = self.credentials.find(TokenKind::Instance, text).await?;
            proven.instance = Some(found.ok_or_else(Error::unauthorized)?);
        }
        Ok(proven)
    }

    async fn open(
        &self,
        proven: &Proven,
        caller: Caller,
        id: &InstanceId,
    ) -> Result<(Caller, Instance)> {
        proven.agree_on(&caller)?;
        if let Some(token) = &proven.instance
            && token.instance.as_ref() != Some(id)
        {
            return Err(Error::forbidden());
        }
        let found = self
            .store
            .read()
            .await?
            .account(&caller.account)
            .instance(id)
            .await?;
        Ok((caller, found.ok_or_else(Error::forbidden)?))
    }
}

/// Credentials that hold, not yet held against each other.
#[derive(Default)]
struct Proven {
    jwt: Option<Caller>,
    client: Option<Arc<CredentialRef>>,
    instance: Option<Arc<CredentialRef>>,
}

impl Proven {
    /// The JWT when there is one, else the pair; half a pair proves nothing.
    fn caller(&self) -> Result<Caller> {
        if let Some(caller) = &self.jwt {
            return Ok(caller.clone());
        }
        let (Some(client), Some(instance)) = (&self.client, &self.instance) else {
            return Err(Error::unauthorized());
        };
        let id = instance.instance.clone().ok_or_else(Error::unauthorized)?;
        Ok(Caller {
            account: client.account.clone(),
            proof: Proof::InstancePair {
                client: client.id.clone(),
                instance: id,
            },
        })
    }

    fn agree_on(&self, caller: &Caller) -> Result<()> {
        let mut accounts = [&self.client, &self.instance].into_iter().flatten();
        if accounts.all(|credential| credential.account == caller.account) {
            Ok(())
        } else {
            Err(Error::forbidden())
        }
    }
}

/// Sees credential changes that another process made (command line, another node) within a second.
pub(crate) async fn watch_epoch(access: Arc<Access>, stop: CancellationToken) {
    const EVERY_MS: i64 = 500;
    let mut known = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = access.clock.sleep_ms(EVERY_MS) => {}
        }
        let epoch = async { access.store.read().await?.system().epoch().await }.await;
        match epoch {
            Ok(epoch) if known == Some(epoch) => {}
            Ok(epoch) => {
                known = Some(epoch);
                access.invalidate();
            }
            Err(error) => {
                // Not knowing whether something was revoked, nothing cached may be believed.
                access.invalidate();
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot read the credential epoch"
                );
            }
        }
    }
}
