//! The life of credentials: made, listed, restricted, rotated, shown again, revoked.
//!
//! An owner manages them over the API, the operator at the command line, where no program runs around
//! them: so these functions need a store only, and the caches of this process where there are any.
//! Every change is one transaction with its audit row, and holds from the next request on. Its time is
//! read once it is its turn: read before, it could lie before the end that another change just set.
//!
//! - `makes`: what an owner may have made. `rules`: what must hold before anything changes.
//! - `terms`: what a credential may be restricted to, checked.
//! - `view`: credentials as their owner sees them.

mod makes;
mod rules;
mod terms;
mod view;

use recado_model::{
    AccountId, Clock, CredentialId, CredentialKind, Error, ErrorCode, InstanceId, Result, Rng,
    Scope, Secret, Timestamp, Token,
};
use recado_store::{AccountStore, Conn, NewCredential, Store};

use crate::{
    Access, Identity, ShopToken,
    access::require_unrestricted,
    audit::{Actor, Detail},
};

pub use makes::Makes;
pub use rules::{MAX_CHANGES, MAX_GRACE_SECS, MAX_IN_GRACE, MAX_LIVE, MAX_OF_INSTANCE};
pub use terms::{ChangeTerms, NewTerms};
pub use view::{CredentialFilter, CredentialState, CredentialView};

use rules::{find, is_calm, require_calm, require_live, require_place, require_room};
use terms::Terms;

pub struct Credentials<'a> {
    store: &'a Store,
    clock: &'a dyn Clock,
    rng: &'a dyn Rng,
    access: Option<&'a Access>,
}

/// A credential that was just made, with its token: the only time that a client secret is seen.
#[derive(Debug)]
pub struct Issued {
    pub view: CredentialView,
    pub token: Secret,
    /// Of a client token: the secret that goes with it, and its id.
    pub secret: Option<(CredentialId, Secret)>,
}

/// The result of a rotation.
#[derive(Debug)]
pub struct Rotated {
    pub issued: Issued,
    /// The one it takes the place of.
    pub old: CredentialId,
    /// Until when that one holds; `None` when it ended at once.
    pub grace_until: Option<Timestamp>,
}

impl Identity {
    pub fn credentials(&self) -> Credentials<'_> {
        Credentials {
            store: &self.core.store,
            clock: &*self.core.clock,
            rng: &*self.core.rng,
            access: Some(self.access()),
        }
    }
}

impl<'a> Credentials<'a> {
    /// On a database whose gateway, if one runs, is another process: it sees changes within a second.
    pub fn of_store(store: &'a Store, clock: &'a dyn Clock, rng: &'a dyn Rng) -> Self {
        Self {
            store,
            clock,
            rng,
            access: None,
        }
    }

    /// Oldest first. Names of Direct API instances are no credentials, and not among them.
    pub async fn list(
        &self,
        actor: Actor<'_>,
        filter: &CredentialFilter,
    ) -> Result<Vec<CredentialView>> {
        let mut conn = self.store.read().await?;
        let all = conn.account(actor.account()).credentials().await?;
        Ok(view::select(&all, filter, self.clock.now()))
    }

    pub async fn get(&self, actor: Actor<'_>, id: &CredentialId) -> Result<CredentialView> {
        let mut conn = self.store.read().await?;
        let (info, parent) = find(&mut conn.account(actor.account()), id).await?;
        Ok(CredentialView::of(info, parent.as_ref(), self.clock.now()))
    }

    /// A client pair, or another API token: one of [`MAX_LIVE`]. Or another token of an instance, or key of a
    /// Direct API instance: one of [`MAX_OF_INSTANCE`].
    pub async fn create(&self, actor: Actor<'_>, makes: Makes, new: NewTerms) -> Result<Issued> {
        let mut conn = self.store.write().await?;
        let mut account = conn.account(actor.account());
        account.hold_credentials().await?;
        let now = self.clock.now();
        require_calm(&mut account, actor, now).await?;
        let terms = new.check(&mut account, now).await?;
        let kind = makes.kind();
        match makes.instance() {
            None => require_room(&mut account, now).await?,
            Some(id) => require_place(&mut account, kind, id, &terms, now).await?,
        }
        let instance = makes.instance();
        let issued = issue(&mut account, self.rng, kind, instance, None, &terms, now).await?;
        detail_of_terms(actor, &issued.view)
            .write(&mut account, "credential.created", now)
            .await?;
        self.commit(conn).await?;
        Ok(issued)
    }

    /// Changes label, end and restrictions; what `change` does not name stays.
    pub async fn change(
        &self,
        actor: Actor<'_>,
        id: &CredentialId,
        change: ChangeTerms,
    ) -> Result<CredentialView> {
        self.require(actor.account(), id).await?;
        let mut conn = self.store.write().await?;
        let mut account = conn.account(actor.account());
        account.hold_credentials().await?;
        let now = self.clock.now();
        let (info, parent) = find(&mut account, id).await?;
        require_live(&info, parent.as_ref(), now)?;
        require_calm(&mut account, actor, now).await?;
        let terms = change.check(&mut account, &info, now).await?;
        if terms == Terms::of(&info) {
            return Ok(CredentialView::of(info, parent.as_ref(), now));
        }
        if let Actor::Caller(caller) = actor {
            terms.keep_in(caller, &self.chain(&mut account, actor).await?, &info)?;
        }
        account
            .change_credential(
                id,
                terms.label.as_deref(),
                terms.not_after,
                &terms.networks,
                &terms.scope,
            )
            .await?;
        let (info, parent) = find(&mut account, id).await?;
        let view = CredentialView::of(info, parent.as_ref(), now);
        detail_of_terms(actor, &view)
            .write(&mut account, "credential.changed", now)
            .await?;
        self.commit(conn).await?;
        Ok(view)
    }

    /// A successor with the same label, restrictions and end; the old one holds for `grace_secs` more
    /// (0 = not at all, at most [`MAX_GRACE_SECS`]), and what came from it too.
    pub async fn rotate(
        &self,
        actor: Actor<'_>,
        id: &CredentialId,
        grace_secs: i64,
    ) -> Result<Rotated> {
        if !(0..=MAX_GRACE_SECS).contains(&grace_secs) {
            return Err(Error::field(
                "grace_seconds",
                format!("grace_seconds is from 0 to {MAX_GRACE_SECS} (30 days)"),
            ));
        }
        self.require(actor.account(), id).await?;
        let mut conn = self.store.write().await?;
        let mut account = conn.account(actor.account());
        account.hold_credentials().await?;
        let now = self.clock.now();
        let (info, parent) = find(&mut account, id).await?;
        require_live(&info, parent.as_ref(), now)?;
        require_calm(&mut account, actor, now).await?;
        if info.grace_until.is_some() {
            return Err(Error::new(
                ErrorCode::Conflict,
                "This credential was rotated already and is in its grace. Rotate its successor, or revoke this one.",
            ));
        }
        if grace_secs > 0 && account.count_in_grace(&info, now).await? >= MAX_IN_GRACE {
            return Err(Error::new(
                ErrorCode::Conflict,
                format!(
                    "{MAX_IN_GRACE} predecessors of this credential are in their grace, which is the most. Revoke one of them, or rotate with grace_seconds 0."
                ),
            ));
        }
        let counted = matches!(
            info.kind,
            CredentialKind::ClientToken | CredentialKind::ApiToken
        );
        if grace_secs > 0 && counted {
            require_room(&mut account, now).await?;
        }
        let terms = Terms::of(&info);
        let (instance, parent) = (info.instance.as_ref(), info.parent.as_ref());
        let issued = issue(
            &mut account,
            self.rng,
            info.kind,
            instance,
            parent,
            &terms,
            now,
        )
        .await?;
        let grace_until = (grace_secs > 0).then(|| now.plus_secs(grace_secs));
        match grace_until {
            Some(until) => account.set_grace(id, until).await?,
            None => account.revoke(id, now).await?,
        };
        let old = CredentialView::of(info.clone(), None, now);
        detail(actor, &old)
            .with("successor", issued.view.id.as_str())
            .with("successor_hint", issued.view.hint.as_str())
            .with("grace_until", grace_until.map(Timestamp::to_rfc3339))
            .write(&mut account, "credential.rotated", now)
            .await?;
        self.commit(conn).await?;
        Ok(Rotated {
            issued,
            old: id.clone(),
            grace_until,
        })
    }

    /// `token_ext` by itself: the token that the shop showed is replaced and ends at once. Not for one
    /// that is restricted to instances: others may use the same token for others.
    pub async fn regenerate(&self, shop: &ShopToken) -> Result<Rotated> {
        require_unrestricted(shop)?;
        self.rotate(Actor::from(shop), shop.credential(), 0).await
    }

    /// Ends it, and what hangs on it, at once. One that has ended already stays as it is.
    pub async fn revoke(&self, actor: Actor<'_>, id: &CredentialId) -> Result<CredentialView> {
        self.require(actor.account(), id).await?;
        let mut conn = self.store.write().await?;
        let mut account = conn.account(actor.account());
        account.hold_credentials().await?;
        let now = self.clock.now();
        let (info, parent) = find(&mut account, id).await?;
        let before = CredentialView::of(info, parent.as_ref(), now);
        if before.state == CredentialState::Revoked {
            return Ok(before);
        }
        account.revoke(id, now).await?;
        let (info, parent) = find(&mut account, id).await?;
        let view = CredentialView::of(info, parent.as_ref(), now);
        detail(actor, &view)
            .write(&mut account, "credential.revoked", now)
            .await?;
        self.commit(conn).await?;
        Ok(view)
    }

    /// The token itself, of a kind that may be seen again. That it was seen is kept.
    pub async fn reveal(&self, actor: Actor<'_>, id: &CredentialId) -> Result<Secret> {
        let now = self.clock.now();
        let mut conn = self.store.write().await?;
        let mut account = conn.account(actor.account());
        let (info, parent) = find(&mut account, id).await?;
        if !info.kind.is_shown_again() {
            return Err(Error::new(
                ErrorCode::Conflict,
                "A client secret is shown once, when it is made. Rotate it to get a new one: POST /account/credentials/{id}/rotate.",
            ));
        }
        require_live(&info, parent.as_ref(), now)?;
        require_calm(&mut account, actor, now).await?;
        let token = account.reveal_credential(id).await?;
        let token = token.ok_or_else(|| Error::internal("a token that should be kept is not"))?;
        detail(actor, &CredentialView::of(info, parent.as_ref(), now))
            .write(&mut account, "credential.shown", now)
            .await?;
        conn.commit().await?;
        Ok(token)
    }

    /// Ends every JWT of the account.
    pub async fn sign_out(&self, actor: Actor<'_>) -> Result<()> {
        let mut conn = self.store.write().await?;
        let mut account = conn.account(actor.account());
        account.hold_credentials().await?;
        let now = self.clock.now();
        account.raise_generation().await?;
        // Always possible, as revoking is; beyond the limit it is only not written down each time.
        if is_calm(&mut account, actor, now).await? {
            Detail::of(actor)
                .write(&mut account, "credential.signed_out", now)
                .await?;
        }
        self.commit(conn).await?;
        Ok(())
    }

    /// A call that changed nothing is not committed and forgets nothing: one account's mistakes would cost all
    /// others their caches.
    async fn commit(&self, conn: Conn) -> Result<()> {
        match self.access {
            Some(access) => access.commit(conn).await,
            None => Ok(conn.commit().await?),
        }
    }

    /// Asked before the one writer is: who names nothing holds up nobody.
    async fn require(&self, account: &AccountId, id: &CredentialId) -> Result<()> {
        let mut conn = self.store.read().await?;
        find(&mut conn.account(account), id).await.map(|_| ())
    }

    /// The credential that the caller showed, and the one that it hangs on.
    async fn chain(
        &self,
        account: &mut AccountStore<'_>,
        actor: Actor<'_>,
    ) -> Result<Vec<CredentialId>> {
        let Some(own) = actor.credential() else {
            return Ok(Vec::new());
        };
        let parent = account.credential(own).await?.and_then(|own| own.parent);
        Ok([Some(own.clone()), parent].into_iter().flatten().collect())
    }
}

/// A token of `kind` and its row; of a client token its secret too.
async fn issue(
    account: &mut AccountStore<'_>,
    rng: &dyn Rng,
    kind: CredentialKind,
    instance: Option<&InstanceId>,
    parent: Option<&CredentialId>,
    terms: &Terms,
    now: Timestamp,
) -> Result<Issued> {
    let token = Token::random(kind.token_kind(), rng);
    let id = CredentialId::random(rng);
    let new = NewCredential {
        label: terms.label.as_deref(),
        instance,
        parent,
        not_after: terms.not_after,
        networks: &terms.networks,
        scope: terms.scope.clone(),
        ..NewCredential::new(id.clone(), &token, kind)
    };
    account.issue(new, now).await?;
    let mut secret = None;
    if kind == CredentialKind::ClientToken {
        // Its restrictions are its parent's.
        let kind = CredentialKind::ClientSecret;
        let made = Token::random(kind.token_kind(), rng);
        let made_id = CredentialId::random(rng);
        let new = NewCredential {
            label: terms.label.as_deref(),
            parent: Some(&id),
            scope: Scope::All,
            ..NewCredential::new(made_id.clone(), &made, kind)
        };
        account.issue(new, now).await?;
        secret = Some((made_id, made.into_secret()));
    }
    let (info, parent) = find(account, &id).await?;
    Ok(Issued {
        view: CredentialView::of(info, parent.as_ref(), now),
        token: token.into_secret(),
        secret,
    })
}

/// The first pair of an account, which nobody has restricted yet.
pub(crate) async fn issue_first_pair(
    account: &mut AccountStore<'_>,
    rng: &dyn Rng,
    label: &str,
    now: Timestamp,
) -> Result<(Secret, Secret)> {
    let terms = Terms::unrestricted(Some(label.to_owned()));
    let kind = CredentialKind::ClientToken;
    let issued = issue(account, rng, kind, None, None, &terms, now).await?;
    let secret = issued.secret.map(|(_, secret)| secret);
    let secret = secret.ok_or_else(|| Error::internal("a client token without its secret"))?;
    Ok((issued.token, secret))
}

/// With what it may do: nobody should have to guess later how it was born.
fn detail_of_terms(actor: Actor<'_>, of: &CredentialView) -> Detail {
    detail(actor, of)
        .with("expires_at", of.expires_at.map(Timestamp::to_rfc3339))
        .with("networks", of.networks())
        .with("instances", of.instances())
}

fn detail(actor: Actor<'_>, of: &CredentialView) -> Detail {
    Detail::of(actor)
        .with("credential", of.id.as_str())
        .with("credential_kind", of.kind.as_str())
        .with("hint", of.hint.as_str())
        .with("label", of.label.clone())
        .with("instance", of.instance.as_ref().map(InstanceId::as_str))
}
