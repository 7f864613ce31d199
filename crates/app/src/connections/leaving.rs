//! Beginning the connection anew, and ending the pairing.

use recado_identity::{Granted, audit::Detail};
use recado_model::{
    AccountId, ConnectionState, Error, ErrorCode, EventKind, Failure, InstanceId, Result,
    StateReason, failure,
};

use super::Connections;
use crate::{App, events, instances::unpaired, messages::life::Life};

impl Connections<'_> {
    /// Closes the connection and opens another one. The pairing stays, and so does what waits.
    pub async fn restart(&self, granted: &Granted) -> Result<()> {
        let instance = granted.instance();
        self.app.billing().require(instance)?;
        if !instance.paired {
            return Err(unpaired());
        }
        // On its own: a caller that hangs up must not leave it closed.
        let (app, account, id) = self.own(granted);
        let work = tokio::spawn(async move { restart(&app, &account, &id).await });
        work.await.map_err(Error::internal)?
    }

    /// Unlinks the number at WhatsApp and wipes the device's keys; chats, messages, tokens and webhooks stay. `false`:
    /// there was no pairing.
    pub async fn log_out(&self, granted: &Granted) -> Result<bool> {
        let detail = Detail::of(granted.by());
        let (app, account, id) = self.own(granted);
        let work = tokio::spawn(async move { log_out(&app, &account, &id, detail).await });
        work.await.map_err(Error::internal)?
    }

    fn own(&self, granted: &Granted) -> (App, AccountId, InstanceId) {
        let app = self.app.clone();
        (app, granted.account().clone(), granted.id().clone())
    }
}

async fn restart(app: &App, account: &AccountId, id: &InstanceId) -> Result<()> {
    app.supervisor.require_here(id).await?;
    let leaving = app.supervisor.leave_alone(id).ok_or_else(|| {
        let text = "The instance is being restarted, claimed or deleted already.";
        Error::new(ErrorCode::Conflict, text)
    })?;
    app.supervisor.pause(id).await?;
    let mut conn = app.core.store.write().await?;
    let now = app.core.clock.now();
    let mut store = conn.account(account);
    // It may have been logged out meanwhile: then there is nothing to open.
    if !store.instance(id).await?.is_some_and(|row| row.paired) {
        return Err(unpaired());
    }
    store.set_wanted(id, true, now).await?;
    conn.commit().await?;
    drop(leaving);
    app.supervisor.ensure(account, id).map(drop)
}

async fn log_out(app: &App, account: &AccountId, id: &InstanceId, detail: Detail) -> Result<bool> {
    app.supervisor.require_here(id).await?;
    let mut conn = app.core.store.read().await?;
    let row = conn.account(account).instance(id).await?;
    drop(conn);
    let row = row.ok_or_else(Error::forbidden)?;
    if row.paired && app.supervisor.handle(id).is_none() {
        // WhatsApp is told over a connection; one that its owner closed is opened for that.
        let mut conn = app.core.store.write().await?;
        let now = app.core.clock.now();
        conn.account(account).set_wanted(id, true, now).await?;
        conn.commit().await?;
        if let Err(error) = app.supervisor.online(account, id).await {
            let error = &error as &dyn std::error::Error;
            tracing::info!(instance.id = %id, error, "an instance is logged out without a connection; its entry on the phone fades by itself");
        }
    }
    let _leaving = app.supervisor.leave(id);
    // Unpaired first: a crash from here on leaves an instance that says so, not one that claims a pairing whose
    // device is gone.
    let paired = forget_pairing(app, account, id, detail).await?;
    app.supervisor.logout(id).await;
    app.core.engine.forget(account, id).await?;
    app.core.own.forget(id);
    Ok(paired)
}

/// One transaction: the row, what waited, the event, the audit.
async fn forget_pairing(
    app: &App,
    account: &AccountId,
    id: &InstanceId,
    detail: Detail,
) -> Result<bool> {
    let core = &app.core;
    let now = core.clock.now();
    let mut conn = core.store.write().await?;
    let mut store = conn.account(account);
    store.lock_instance(id).await?;
    let paired = store.instance(id).await?.is_some_and(|row| row.paired);
    if !paired {
        return Ok(false);
    }
    let (state, reason) = (ConnectionState::LoggedOut, StateReason::LoggedOutByOwner);
    store.set_unpaired(id, state, reason, now).await?;
    let life = Life {
        core,
        account,
        instance: id,
        now,
    };
    let failure = Failure::of(failure::LOGGED_OUT);
    for message in store.queued_messages(id).await? {
        life.failed(&mut store, &message, &failure).await?;
    }
    let payload = events::disconnected(reason);
    let kind = EventKind::Disconnected;
    let event = events::event(&*core.rng, account, id, kind, payload, now);
    store.append(&event).await?;
    detail
        .with("instance", id.as_str())
        .write(&mut store, "instance.logged_out", now)
        .await?;
    conn.commit().await?;
    Ok(true)
}
