//! Sessions of the Direct API: an instance, its `sk_` key and its unguessable name.

use recado_model::{
    AccountId, Caller, CredentialId, Error, ErrorCode, Instance, Proof, Result, Secret, Timestamp,
    Token, TokenKind,
    account::AccountKind,
    credential::CredentialKind,
    instance::{NewInstance, Origin},
};
use recado_store::credentials::NewCredential;

use crate::{App, Guests, guests, instances};

pub struct Direct<'a> {
    pub(crate) app: &'a App,
}

#[derive(Clone, Debug, Default)]
pub struct NewSession {
    pub label: Option<String>,
    pub webhook: Option<String>,
}

#[derive(Debug)]
pub struct CreatedSession {
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

impl Direct<'_> {
    /// In the shop that `caller` proved, or, without one, in a fresh guest account.
    pub async fn create(&self, caller: Option<&Caller>, new: NewSession) -> Result<CreatedSession> {
        let core = &self.app.core;
        let (rng, now) = (&*core.rng, core.clock.now());
        let name = new
            .label
            .map(|label| label.trim().to_owned())
            .filter(|label| !label.is_empty());
        if name.as_ref().is_some_and(|name| name.chars().count() > 255) {
            return Err(Error::field("label", "label has at most 255 characters"));
        }
        let webhook = match new.webhook.filter(|url| !url.trim().is_empty()) {
            Some(url) => Some(core.egress.check_url(&url)?.to_string()),
            None => None,
        };
        if caller.is_none() && core.config.guests == Guests::Off {
            return Err(Error::new(
                ErrorCode::GuestsOff,
                "This gateway takes sessions of known shops only: send Authorization: Bearer with your wz_ token.",
            ));
        }
        if caller.is_none() && webhook.is_some() && core.config.guests != Guests::Full {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "A guest session has no webhook. Send your wz_ token as Bearer to create the session in your shop.",
            ));
        }
        let mut conn = core.store.write().await?;
        let (account, expires_at) = match caller {
            Some(caller) => (caller.account.clone(), None),
            None => {
                if conn.system().guests().await? >= core.config.max_guests {
                    return Err(Error::new(
                        ErrorCode::RateLimited,
                        "Too many guest sessions are open. Try again later, or send your wz_ token as Bearer.",
                    )
                    .with_retry_after(60));
                }
                let account = AccountId::random(rng);
                let until = now.plus_millis(guests::UNPAIRED_MS);
                conn.system()
                    .create_account(&account, "Guest", AccountKind::Guest, Some(until), now)
                    .await?;
                (account, Some(until))
            }
        };
        let owner = caller.cloned().unwrap_or(Caller {
            account: account.clone(),
            proof: Proof::Guest,
        });
        let new = NewInstance {
            name: name.unwrap_or_else(|| "Direct session".into()),
            webhook,
            ..Default::default()
        };
        let (instance, _) =
            instances::insert(self.app, &mut conn, &owner, Origin::Direct, &new).await?;
        let key = Token::random(TokenKind::Session, rng);
        let public = Token::random(TokenKind::SessionName, rng);
        for (token, kind) in [
            (&key, CredentialKind::SessionKey),
            (&public, CredentialKind::SessionName),
        ] {
            let credential = NewCredential {
                id: CredentialId::random(rng),
                token,
                kind,
                label: None,
                instance: Some(&instance.id),
                parent: None,
                not_after: None,
            };
            conn.account(&account).issue(credential, now).await?;
        }
        conn.commit().await?;
        Ok(CreatedSession {
            instance,
            name: public.into_secret(),
            api_key: key.into_secret(),
            claimed: caller.is_some(),
            expires_at,
        })
    }

    /// The `:key` of a session of the caller's account.
    pub async fn name(&self, caller: &Caller, instance: &Instance) -> Result<Option<Secret>> {
        let mut conn = self.app.core.store.read().await?;
        let mut account = conn.account(&caller.account);
        Ok(account
            .reveal(CredentialKind::SessionName, Some(&instance.id))
            .await?)
    }

    /// Guests pair and look at themselves, no more, unless the operator runs a private network.
    pub async fn may_send(&self, caller: &Caller) -> Result<()> {
        if self.app.core.config.guests == Guests::Full {
            return Ok(());
        }
        let mut conn = self.app.core.store.read().await?;
        let account = conn
            .account(&caller.account)
            .account()
            .await?
            .ok_or_else(Error::unauthorized)?;
        match account.kind {
            AccountKind::Full => Ok(()),
            AccountKind::Guest => Err(Error::new(
                ErrorCode::Forbidden,
                "A guest session cannot send. Create the session with your shop's wz_ token as Bearer.",
            )),
        }
    }
}
