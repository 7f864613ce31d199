//! A shop claims a guest's instance, before its time is over (`workers::guests` is what happens then).

use recado_identity::{Calls, DirectClaim, audit::Detail};
use recado_model::{
    ConnectionState, CredentialId, Error, ErrorCode, Instance, Result, Secret, Token, TokenKind,
    credential::CredentialKind,
};
use recado_store::{Adoption, credentials::NewCredential};

use super::{Direct, issue};
use crate::App;

/// How long an actor may take that was started for an account that has the instance no more.
const STRAY_WAIT_MS: i64 = 500;

/// An instance that was a guest's and is the shop's now.
#[derive(Debug)]
pub struct ClaimedInstance {
    pub instance: Instance,
    pub name: Secret,
    pub api_key: Secret,
}

impl Direct<'_> {
    /// Moves a guest's instance, proven by its key, to the shop: pairing and all, with new credentials
    /// that replace the old ones at once.
    ///
    /// 409 when it is the shop's already, 401 in the words for a foreign one when the guest's time is
    /// over, 503 when another node holds its link: only that one can close it.
    pub async fn claim(&self, claim: DirectClaim) -> Result<ClaimedInstance> {
        let shop = claim.shop().caller();
        if !shop.scope.is_all() {
            return Err(Error::new(
                ErrorCode::Forbidden,
                "This token is restricted to some of the shop's sessions. Claim with one that is not.",
            ));
        }
        if *claim.held().account() == shop.account {
            return Err(Error::new(
                ErrorCode::Conflict,
                "The session is your shop's already; its X-API-Key is all you need.",
            ));
        }
        // On its own: a caller that hangs up must not leave an instance without its link.
        let app = self.app.clone();
        tokio::spawn(async move { hand_over(&app, &claim).await })
            .await
            .map_err(Error::internal)?
    }
}

/// The link is the guest's until it is closed, and the shop's once the rows are. A crash in between
/// leaves one or the other whole, and the supervisor brings the link back for whoever has it.
async fn hand_over(app: &App, claim: &DirectClaim) -> Result<ClaimedInstance> {
    let (shop, held) = (claim.shop().caller(), claim.held());
    let (guest, id) = (held.account(), held.id());
    let Some(leaving) = app.supervisor.leave_alone(id) else {
        let mut conn = app.core.store.read().await?;
        let ends = conn.account(guest).expires_at().await?;
        return Err(match ends.is_some_and(|at| at > app.core.clock.now()) {
            true => Error::new(
                ErrorCode::Conflict,
                "The session is being claimed by another call. Look at it again in a moment.",
            ),
            // It ends, or the other call was the faster one.
            false => not_yours(),
        });
    };
    let moved = match app.supervisor.pause(id).await {
        Ok(paused) => move_rows(app, claim, paused.unwrap_or(0))
            .await
            .map_err(|error| (paused.is_some(), error)),
        Err(error) => Err((true, error)),
    };
    drop(leaving);
    let mut claimed = match moved {
        Ok(Some(claimed)) => claimed,
        Ok(None) => return Err(not_yours()),
        Err((ran, error)) => {
            // Nothing has moved, so the guest goes on. If the commit was lost on its way back, the
            // actor finds no row, and the supervisor starts the shop's.
            if ran && let Err(error) = app.supervisor.ensure(guest, id) {
                tracing::warn!(instance.id = %id, error = &error as &dyn std::error::Error, "the link of an unclaimed session did not come back");
            }
            return Err(error);
        }
    };
    tracing::info!(account.id = %shop.account, instance.id = %id, "guest session claimed");
    if claimed.instance.paired && claimed.instance.wanted {
        // The instance is the shop's whatever becomes of the link, so that is no error.
        let mut back = app.supervisor.online(&shop.account, id).await;
        if back.is_err() {
            // Started for the guest, by a list from before the move: that finds no row and ends.
            app.core.clock.sleep_ms(STRAY_WAIT_MS).await;
            back = app.supervisor.online(&shop.account, id).await;
        }
        match back {
            Ok(live) => claimed.instance.state = live.state,
            Err(error) => {
                tracing::warn!(instance.id = %id, error = &error as &dyn std::error::Error, "the link of a claimed session is not back yet");
            }
        }
        if claimed.instance.state != ConnectionState::Connected {
            app.supervisor.look_now();
        }
    }
    Ok(claimed)
}

/// One transaction: the instance with all below it, its new credentials, the shop's audit row. `None`
/// when there is no such guest any more.
async fn move_rows(
    app: &App,
    claim: &DirectClaim,
    not_kept: u64,
) -> Result<Option<ClaimedInstance>> {
    let (shop, held) = (claim.shop().caller(), claim.held());
    let (guest, id) = (held.account(), held.id());
    let (rng, now) = (&*app.core.rng, app.core.clock.now());
    let mut conn = app.core.store.write().await?;
    let mut account = conn.account(&shop.account);
    let trial = app.billing().trial(now);
    let node = &app.core.config.node;
    let instance = match account.adopt(guest, id, node, trial, now).await? {
        Adoption::Moved(instance) => *instance,
        Adoption::Gone => return Ok(None),
        Adoption::Held => {
            return Err(Error::new(
                ErrorCode::Unavailable,
                "Another node holds this session's connection. Try again in a moment.",
            )
            .with_retry_after(5));
        }
    };
    let token = Token::random(TokenKind::Instance, rng);
    let kind = CredentialKind::InstanceToken;
    let credential = NewCredential {
        instance: Some(id),
        ..NewCredential::new(CredentialId::random(rng), &token, kind)
    };
    account.issue(credential, now).await?;
    Detail::of(shop)
        .with("instance", id.as_str())
        .with("name", instance.name.as_str())
        .with("messages_not_kept", not_kept)
        .write(&mut account, "session.claimed", now)
        .await?;
    let (api_key, name) = issue(app, &mut conn, &shop.account, id).await?;
    // The old key is dead from here on.
    app.access().commit(conn).await?;
    Ok(Some(ClaimedInstance {
        instance,
        name,
        api_key,
    }))
}

/// The same words as for another shop's instance: whether there ever was one is nobody's business.
fn not_yours() -> Error {
    Error::new(
        ErrorCode::InstanceNotYours,
        "Session does not belong to your shop",
    )
}
