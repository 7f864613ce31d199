//! Proofs of the Direct API: an instance by its key or by its name, and a shop that claims a guest's.

use std::{net::IpAddr, sync::Arc};

use recado_model::{
    AccountId, Error, ErrorCode, Instance, InstanceId, Result, TokenKind, account::AccountKind,
};

use super::{
    Access, Presented,
    granted::{Calls, DirectKey, DirectName, Granted, ShopToken},
};

/// The owner that a new Direct API instance will have.
#[derive(Clone, Debug)]
pub enum ShopOrGuest {
    Shop(ShopToken),
    /// Somebody unknown: the instance gets an account of its own, for as long as nobody claims it.
    Guest {
        from: IpAddr,
    },
}

/// A Direct API instance, by either thing that finds it.
#[derive(Debug)]
pub enum DirectNamed {
    ByKey(Granted<DirectKey>),
    /// Enough to show a QR to pair with.
    ByName(Granted<DirectName>),
}

impl DirectNamed {
    pub fn instance(&self) -> &Instance {
        match self {
            Self::ByKey(granted) => granted.instance(),
            Self::ByName(granted) => granted.instance(),
        }
    }
}

/// A shop, and the Direct API instance that it may claim: proven by the shop's token and the instance's
/// key together.
#[derive(Debug)]
pub struct DirectClaim {
    shop: ShopToken,
    held: Granted<DirectKey>,
}

impl DirectClaim {
    pub fn shop(&self) -> &ShopToken {
        &self.shop
    }
    /// By its key: a guest's, or the shop's own already.
    pub fn held(&self) -> &Granted<DirectKey> {
        &self.held
    }
}

impl Access {
    /// `X-API-Key` on the Direct API.
    pub async fn direct_key(&self, presented: &Presented<'_>) -> Result<DirectKey> {
        let key = presented
            .api_key
            .ok_or_else(|| Error::new(ErrorCode::ApiKeyRequired, "API key requerida"))?;
        let (kind, from) = (TokenKind::DirectKey, presented.from);
        let found = self.credentials.find(kind, key, from).await?;
        let key = found.and_then(|known| DirectKey::new(&known.credential, from));
        key.ok_or_else(|| Error::new(ErrorCode::ApiKeyInvalid, "API key invalida"))
    }

    /// `X-API-Key`, and the instance that `key` (its name, or its id) means in that account.
    pub async fn direct_instance(
        &self,
        presented: &Presented<'_>,
        key: &str,
    ) -> Result<Granted<DirectKey>> {
        let by = self.direct_key(presented).await?;
        let found = self.direct_named(&by.caller().account, key).await?;
        match found.filter(|instance| by.caller().scope.allows(&instance.id)) {
            Some(instance) => Granted::new(by, instance),
            None => Err(self.not_yours(&by)),
        }
    }

    /// The shop's `wz_` and the key of the instance `key`, together: the instance is a guest's, or the
    /// shop's already. A third one's is no more than missing.
    pub async fn claim(&self, presented: &Presented<'_>, key: &str) -> Result<DirectClaim> {
        let shop = self.mcp(presented).await?;
        let holder = self.direct_key(presented).await?;
        let account = holder.caller().account.clone();
        let mut conn = self.store.read().await?;
        let held_by = conn.account(&account).account().await?;
        drop(conn);
        let is_guest = held_by.is_some_and(|account| account.kind == AccountKind::Guest);
        let found = match is_guest || account == shop.caller().account {
            true => self.direct_named(&account, key).await?,
            false => None,
        };
        // A guest's key opens that guest's one instance; a shop's, whatever its owner lets it.
        match found.filter(|instance| holder.caller().scope.allows(&instance.id)) {
            Some(instance) => Ok(DirectClaim {
                held: Granted::new(holder, instance)?,
                shop,
            }),
            None => Err(self.not_yours(&shop)),
        }
    }

    /// The open QR route: the unguessable name is all there is to prove.
    pub async fn direct_name(&self, key: &str) -> Result<Granted<DirectName>> {
        let missing = || {
            Error::new(
                ErrorCode::NotFound,
                "No such session. Use the key that POST /sessions answered.",
            )
        };
        let name = self.credentials.find(TokenKind::DirectName, key, None);
        let name = name.await?.ok_or_else(missing)?;
        let id = name.credential.instance.as_ref().ok_or_else(missing)?;
        let account = &name.credential.account;
        let found = self.instances.find(account, id, self.credentials.seen());
        let found = found.await?.ok_or_else(missing)?;
        Granted::new(DirectName::new(&found), found)
    }

    /// The instance that `key` names in the account. A name of another account leads nowhere.
    async fn direct_named(&self, account: &AccountId, key: &str) -> Result<Option<Arc<Instance>>> {
        let named = self.credentials.find(TokenKind::DirectName, key, None);
        let named = named.await?;
        let by_text;
        let id = match &named {
            Some(name) if name.credential.account == *account => match &name.credential.instance {
                Some(id) => id,
                None => return Ok(None),
            },
            Some(_) => return Ok(None),
            None => {
                by_text = InstanceId::from_text(key);
                &by_text
            }
        };
        let seen = self.credentials.seen();
        self.instances.find(account, id, seen).await
    }

    fn not_yours(&self, by: &dyn Calls) -> Error {
        self.refused(by.caller(), "foreign");
        Error::new(
            ErrorCode::InstanceNotYours,
            "Session does not belong to your shop",
        )
    }
}
