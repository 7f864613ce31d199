//! Instances of the Direct API (callers call them sessions): with an `sk_` key and an unguessable name. A shop
//! claims a guest's in `claim`.

mod claim;

use std::net::IpAddr;

use recado_identity::{Calls, DirectKey, DirectNamed, Granted, ShopOrGuest};
use recado_model::{
    AccountId, Caller, CredentialId, Error, ErrorCode, Instance, InstanceId, Proof, Result, Secret,
    Timestamp, Token, TokenKind,
    account::AccountKind,
    credential::CredentialKind,
    instance::{NewInstance, Origin},
    network::network_of,
    text::require_seen,
};
use recado_store::{Conn, GuestDoor, credentials::NewCredential};

use crate::{App, Guests, QrAnswer, instances};

pub use self::claim::ClaimedInstance;

pub struct Direct<'a> {
    pub(crate) app: &'a App,
}

#[derive(Clone, Debug, Default)]
pub struct NewDirectInstance {
    pub label: Option<String>,
    pub webhook: Option<String>,
}

#[derive(Debug)]
pub struct CreatedDirectInstance {
    pub instance: Instance,
    /// `:key` of the routes: unguessable, but no proof.
    pub name: Secret,
    /// `sk_`: what `X-API-Key` carries.
    pub api_key: Secret,
    /// Whether it belongs to a shop; a guest's does not.
    pub claimed: bool,
    /// When an unclaimed one ends.
    pub expires_at: Option<Timestamp>,
}

const FULL: &str =
    "Too many guest sessions are open. Try again later, or send your wz_ token as Bearer.";
const NETWORK_FULL: &str = "Too many guest sessions of your network are open. Claim them, try again later, or send your wz_ token as Bearer.";

impl Direct<'_> {
    /// In the shop that was proven, or in a fresh guest account of the network that the guest comes from.
    pub async fn create(
        &self,
        whose: ShopOrGuest,
        new: NewDirectInstance,
    ) -> Result<CreatedDirectInstance> {
        let core = &self.app.core;
        let new = self.check(new)?;
        let now = core.clock.now();
        if let ShopOrGuest::Guest { from } = &whose {
            self.require_guests(&new)?;
            // Whoever is refused costs no write: strangers call this.
            let mut conn = core.store.read().await?;
            let (origin, caps) = self.door(*from);
            if let Some(door) = conn.system().guests(&origin, caps, now).await? {
                enter(door, now)?;
            }
        }
        let mut conn = core.store.write().await?;
        let (owner, expires_at) = match whose {
            ShopOrGuest::Shop(shop) => (shop.caller().clone(), None),
            ShopOrGuest::Guest { from } => {
                let account = AccountId::random(&*core.rng);
                let until = now.plus_millis(Guests::UNPAIRED_MS);
                let (origin, caps) = self.door(from);
                let mut system = conn.system();
                let door = system.open_guest(&account, &origin, caps, until, now);
                enter(door.await?, now)?;
                let guest = Caller {
                    from: Some(from),
                    ..Caller::new(account, Proof::Guest)
                };
                (guest, Some(until))
            }
        };
        let (instance, _) =
            instances::insert(self.app, &mut conn, &owner, Origin::Direct, &new).await?;
        let (api_key, name) = issue(self.app, &mut conn, &owner.account, &instance.id).await?;
        conn.commit().await?;
        Ok(CreatedDirectInstance {
            instance,
            name,
            api_key,
            claimed: expires_at.is_none(),
            expires_at,
        })
    }

    fn check(&self, new: NewDirectInstance) -> Result<NewInstance> {
        let name = new
            .label
            .map(|label| label.trim().to_owned())
            .filter(|label| !label.is_empty());
        if name.as_ref().is_some_and(|name| name.chars().count() > 255) {
            return Err(Error::field("label", "label has at most 255 characters"));
        }
        require_seen("label", name.as_deref().unwrap_or_default())?;
        let webhook = match new.webhook.filter(|url| !url.trim().is_empty()) {
            Some(url) => Some(self.app.core.egress.check_url(&url)?.to_string()),
            None => None,
        };
        Ok(NewInstance {
            name: name.unwrap_or_else(|| "Direct session".into()),
            webhook,
            ..Default::default()
        })
    }

    /// What the operator lets guests have.
    fn require_guests(&self, new: &NewInstance) -> Result<()> {
        let guests = self.app.core.config.guests;
        if guests == Guests::Off {
            return Err(Error::new(
                ErrorCode::GuestsOff,
                "This gateway takes sessions of known shops only: send Authorization: Bearer with your wz_ token.",
            ));
        }
        if new.webhook.is_some() && guests != Guests::Full {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "A guest session has no webhook. Send your wz_ token as Bearer to create the session in your shop.",
            ));
        }
        Ok(())
    }

    /// A guest's network, and how many guests there may be: of all networks, and of one.
    fn door(&self, from: IpAddr) -> (String, (i64, i64)) {
        let config = &self.app.core.config;
        let caps = (config.max_guests, config.max_guests_per_network);
        (network_of(from).to_string(), caps)
    }

    /// A QR to pair with, to whoever knows the name. Asking for that of a paired one connects it again: a
    /// name alone is not enough for that.
    pub async fn qr(&self, named: &DirectNamed) -> Result<QrAnswer> {
        match named {
            DirectNamed::ByName(granted) if granted.instance().paired => Ok(QrAnswer::Paired {
                phone: None,
                state: granted.instance().state,
            }),
            DirectNamed::ByName(granted) => self.app.connections().qr(granted).await,
            DirectNamed::ByKey(granted) => self.app.connections().qr(granted).await,
        }
    }

    /// The `:key` of an instance of the caller's account.
    pub async fn name(&self, granted: &Granted<DirectKey>) -> Result<Option<Secret>> {
        let mut conn = self.app.core.store.read().await?;
        let mut account = conn.account(granted.account());
        Ok(account
            .reveal(
                CredentialKind::DirectName,
                Some(granted.id()),
                self.app.core.clock.now(),
            )
            .await?)
    }

    /// Guests pair and look at themselves, no more, unless the operator runs a private network.
    pub async fn may_send(&self, granted: &Granted<DirectKey>) -> Result<()> {
        if self.app.core.config.guests == Guests::Full {
            return Ok(());
        }
        let mut conn = self.app.core.store.read().await?;
        let account = conn
            .account(granted.account())
            .account()
            .await?
            .ok_or_else(Error::unauthorized)?;
        match account.kind {
            AccountKind::Full => Ok(()),
            AccountKind::Guest => Err(Error::new(
                ErrorCode::Forbidden,
                "A guest session cannot send. Claim it first: POST /sessions/{key}/claim with this X-API-Key and your shop's wz_ token as Bearer.",
            )),
        }
    }
}

/// The key and the name of an instance: new ones, in that order. The caller commits.
async fn issue(
    app: &App,
    conn: &mut Conn,
    account: &AccountId,
    instance: &InstanceId,
) -> Result<(Secret, Secret)> {
    let (rng, now) = (&*app.core.rng, app.core.clock.now());
    let key = Token::random(TokenKind::DirectKey, rng);
    let name = Token::random(TokenKind::DirectName, rng);
    for (token, kind) in [
        (&key, CredentialKind::DirectKey),
        (&name, CredentialKind::DirectName),
    ] {
        let credential = NewCredential {
            instance: Some(instance),
            ..NewCredential::new(CredentialId::random(rng), token, kind)
        };
        conn.account(account).issue(credential, now).await?;
    }
    Ok((key.into_secret(), name.into_secret()))
}

fn enter(door: GuestDoor, now: Timestamp) -> Result<()> {
    match door {
        GuestDoor::Opened => Ok(()),
        GuestDoor::Full(ends) => Err(too_many(FULL, ends, now)),
        GuestDoor::NetworkFull(ends) => Err(too_many(NETWORK_FULL, ends, now)),
    }
}

/// When the first of those in the way ends there is room again, at the latest.
fn too_many(text: &'static str, ends: Timestamp, now: Timestamp) -> Error {
    let wait = ends.since(now).clamp(1_000, Guests::PAIRED_MS);
    let secs = u64::try_from((wait + 999) / 1_000).unwrap_or(1);
    Error::new(ErrorCode::RateLimited, text).with_retry_after(secs)
}
