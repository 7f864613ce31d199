//! Instances: create, list, look at, change, delete.

use std::collections::HashMap;

use recado_identity::{Calls, Granted, access::require_unrestricted, audit::Detail};
use recado_model::{
    AccountId, Billing, Caller, ConnectionState, CredentialId, Error, ErrorCode, Instance,
    InstanceId, Proof, Result, Role, Secret, StateReason, Timestamp, Token, TokenKind, WebhookId,
    credential::CredentialKind,
    instance::{InstanceChange, InstanceQuery, NewInstance, Origin},
    text::require_seen,
    webhook::Webhook,
};
use recado_store::{Conn, StoreError, credentials::NewCredential};
use url::Url;

use crate::{App, BillingStanding, webhooks};

pub struct Instances<'a> {
    pub(crate) app: &'a App,
}

/// An instance as its owner sees it.
#[derive(Debug)]
pub struct InstanceView {
    pub instance: Instance,
    /// The instance token; to owner JWTs only, as the contract has it.
    pub token: Option<Secret>,
    pub webhook: Option<Webhook>,
    /// Whether it is paid for.
    pub standing: BillingStanding,
}

#[derive(Debug)]
pub struct InstanceList {
    pub items: Vec<InstanceView>,
    pub total: u64,
    pub by_state: Vec<(ConnectionState, u64)>,
}

pub const MAX_PAGE_SIZE: u32 = 100;

impl Instances<'_> {
    fn checked_hook(&self, url: &str) -> Result<Url> {
        let checked = self.app.core.egress.check_url(url);
        checked.map_err(|error| error.with_field("webhook"))
    }

    pub async fn create(&self, by: &dyn Calls, mut new: NewInstance) -> Result<InstanceView> {
        let caller = by.caller();
        require_unrestricted(caller)?;
        new.name = checked_name(&new.name)?;
        if let Some(url) = new.webhook.take().filter(|url| !url.trim().is_empty()) {
            new.webhook = Some(self.checked_hook(&url)?.to_string());
        }
        let mut conn = self.app.core.store.write().await?;
        let (instance, token) = insert(self.app, &mut conn, caller, Origin::Api, &new).await?;
        let webhook = conn.account(&caller.account).webhook(&instance.id).await?;
        conn.commit().await?;
        Ok(InstanceView {
            standing: self.app.billing().standing(&instance),
            instance,
            token: Some(token),
            webhook,
        })
    }

    /// Changes what is given and leaves the rest. What the instance is doing goes on; sends and media that
    /// follow go by the new settings.
    pub async fn change(
        &self,
        granted: &Granted,
        mut change: InstanceChange,
    ) -> Result<InstanceView> {
        let core = &self.app.core;
        if let Some(name) = &mut change.name {
            *name = checked_name(name)?;
        }
        let url = change
            .webhook
            .as_deref()
            .filter(|url| !url.trim().is_empty());
        let url = url.map(|url| self.checked_hook(url)).transpose()?;
        let now = core.clock.now();
        let mut conn = core.store.write().await?;
        let mut account = conn.account(granted.account());
        // Of two changes at once the second one sees the first.
        account.lock_instance(granted.id()).await?;
        let instance = account.instance(granted.id()).await?;
        let mut instance = instance.ok_or_else(Error::forbidden)?;
        let before = instance.clone();
        instance.name = change.name.unwrap_or(instance.name);
        instance.labels = change.labels.unwrap_or(instance.labels);
        instance.reject_calls = change.reject_calls.unwrap_or(instance.reject_calls);
        let auto_read = change.auto_read_messages;
        instance.auto_read_messages = auto_read.unwrap_or(instance.auto_read_messages);
        instance.settings.change(&change.settings)?;
        let events = change.events.as_deref();
        let hook_changes = url.is_some() || events.is_some();
        if hook_changes {
            let kept = account.webhook(granted.id()).await?;
            let url = url.map(String::from).or(kept.map(|webhook| webhook.url));
            let (rng, url) = (&*core.rng, url.unwrap_or_default());
            let (id, secret) = (WebhookId::random(rng), webhooks::new_secret(rng));
            account
                .set_webhook(&id, granted.id(), &url, events, &secret, now)
                .await?;
        }
        if instance == before && !hook_changes {
            // Nothing is to be told of it, and nobody is to be woken.
            return self
                .view(&Granted::new(granted.caller().clone(), instance)?)
                .await;
        }
        if instance != before {
            account.change_instance(&instance, now).await?;
            instance.updated_at = now;
        }
        Detail::of(granted.by())
            .with("instance", instance.id.as_str())
            .with("name", instance.name.as_str())
            .write(&mut account, "instance.changed", now)
            .await?;
        conn.commit().await?;
        self.app.supervisor.wake(granted.id());
        if instance.settings.presence != before.settings.presence {
            self.app.supervisor.appear(granted.id());
        }
        self.view(&Granted::new(granted.caller().clone(), instance)?)
            .await
    }

    pub async fn list(&self, by: &dyn Calls, mut query: InstanceQuery) -> Result<InstanceList> {
        let caller = by.caller();
        query.page = query.page.max(1);
        query.size = query.size.clamp(1, MAX_PAGE_SIZE);
        query.scope = caller.scope.clone();
        let mut conn = self.app.core.store.read().await?;
        let page = conn.account(&caller.account).instances(&query).await?;
        let mut items = Vec::with_capacity(page.items.len());
        let mut tokens = tokens(&mut conn, caller, &page.items, self.app.core.clock.now()).await?;
        let ids: Vec<_> = page
            .items
            .iter()
            .map(|instance| instance.id.clone())
            .collect();
        let mut webhooks = conn.account(&caller.account).webhooks(&ids).await?;
        for instance in page.items {
            let webhook = webhooks.remove(&instance.id);
            let token = tokens.remove(&instance.id);
            items.push(InstanceView {
                standing: self.app.billing().standing(&instance),
                instance,
                token,
                webhook,
            });
        }
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(InstanceList {
            items,
            total: count(page.total),
            by_state: page
                .by_state
                .into_iter()
                .map(|(state, n)| (state, count(n)))
                .collect(),
        })
    }

    /// By an id from a body; foreign, missing and out of the caller's scope alike are forbidden.
    pub async fn get(&self, by: &dyn Calls, id: &InstanceId) -> Result<InstanceView> {
        let caller = by.caller();
        if !caller.scope.allows(id) {
            return Err(Error::forbidden());
        }
        let mut conn = self.app.core.store.read().await?;
        let found = conn.account(&caller.account).instance(id).await?;
        drop(conn);
        let found = found.ok_or_else(Error::forbidden)?;
        self.view(&Granted::new(caller.clone(), found)?).await
    }

    pub async fn view(&self, granted: &Granted) -> Result<InstanceView> {
        let (caller, instance) = (granted.caller(), granted.instance());
        let mut conn = self.app.core.store.read().await?;
        let token = tokens(
            &mut conn,
            caller,
            std::slice::from_ref(instance),
            self.app.core.clock.now(),
        )
        .await?
        .remove(&instance.id);
        let webhook = conn.account(&caller.account).webhook(&instance.id).await?;
        Ok(InstanceView {
            instance: instance.clone(),
            token,
            webhook,
            standing: self.app.billing().standing(instance),
        })
    }

    /// All that the caller may use, by number.
    pub async fn all<C: Calls + Clone>(&self, by: &C) -> Result<Vec<Granted<C>>> {
        let mut conn = self.app.core.store.read().await?;
        let all = conn.account(&by.caller().account).all_instances().await?;
        let mine = all.into_iter();
        Ok(mine
            .filter_map(|instance| Granted::new(by.clone(), instance).ok())
            .collect())
    }

    /// `None` also for one that the caller may not use.
    pub async fn by_number<C: Calls + Clone>(
        &self,
        by: &C,
        number: i64,
    ) -> Result<Option<Granted<C>>> {
        let mut conn = self.app.core.store.read().await?;
        let mut account = conn.account(&by.caller().account);
        let found = account.instance_by_number(number).await?;
        Ok(found.and_then(|instance| Granted::new(by.clone(), instance).ok()))
    }

    /// Logs the number out at WhatsApp (best effort) and erases everything below the instance.
    pub async fn delete(&self, granted: &Granted) -> Result<()> {
        // On its own: a caller that hangs up must not leave an instance half deleted.
        let (app, account, id) = (
            self.app.clone(),
            granted.account().clone(),
            granted.id().clone(),
        );
        let detail = Detail::of(granted.by());
        tokio::spawn(async move { delete_by(&app, &account, &id, detail).await })
            .await
            .map_err(Error::internal)?
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if !(3..=255).contains(&name.chars().count()) {
        let text = "name is required, 3 to 255 characters";
        return Err(Error::field("name", text));
    }
    require_seen("name", name)?;
    Ok(name.to_owned())
}

/// The gateway's own doing: the end of a guest.
pub(crate) async fn delete(app: &App, account: &AccountId, id: &InstanceId) -> Result<()> {
    delete_by(app, account, id, Detail::of_gateway()).await
}

async fn delete_by(app: &App, account: &AccountId, id: &InstanceId, detail: Detail) -> Result<()> {
    // Ending the pairing takes the link.
    app.supervisor.require_here(id).await?;
    let _leaving = app.supervisor.leave(id);
    // Unpaired first: a crash from here on leaves an instance that says so, not one that claims a
    // pairing whose device is gone.
    let now = app.core.clock.now();
    let mut conn = app.core.store.write().await?;
    let (state, reason) = (ConnectionState::LoggedOut, StateReason::LoggedOutByOwner);
    conn.account(account)
        .set_unpaired(id, state, reason, now)
        .await?;
    conn.commit().await?;
    app.supervisor.logout(id).await;
    app.core.engine.forget(account, id).await?;
    let mut conn = without_rows(app, account, id).await?;
    detail
        .with("instance", id.as_str())
        .write(
            &mut conn.account(account),
            "instance.deleted",
            app.core.clock.now(),
        )
        .await?;
    // Its tokens went with it.
    app.access().commit(conn).await
}

/// A transaction in which the instance's rows are gone. Notes of how its credentials were used are written in
/// another order: of two that wait for each other PostgreSQL takes one back, which then goes second.
async fn without_rows(app: &App, account: &AccountId, id: &InstanceId) -> Result<Conn> {
    const TRIES: usize = 5;
    for _ in 1..TRIES {
        let mut conn = app.core.store.write().await?;
        match conn.account(account).delete_instance(id).await {
            Err(StoreError::Serialization) => {}
            gone => return gone.map(|_| conn).map_err(Error::from),
        }
    }
    let mut conn = app.core.store.write().await?;
    conn.account(account).delete_instance(id).await?;
    Ok(conn)
}

/// The rows of a new instance: itself, its token, its webhook. The caller commits.
pub(crate) async fn insert(
    app: &App,
    conn: &mut Conn,
    caller: &Caller,
    origin: Origin,
    new: &NewInstance,
) -> Result<(Instance, Secret)> {
    require_unrestricted(caller)?;
    let rng = &*app.core.rng;
    let now = app.core.clock.now();
    let id = InstanceId::random(rng);
    let token = Token::random(TokenKind::Instance, rng);
    let mut account = conn.account(&caller.account);
    // Nobody pays for what nobody owns yet; a shop that claims it gets the trial.
    let new = &NewInstance {
        trial_until: match caller.proof {
            Proof::Guest => Some(Billing::FOR_EVER),
            _ => app.billing().trial(now),
        },
        ..new.clone()
    };
    let instance = account.create_instance(&id, origin, new, now).await?;
    let credential = NewCredential {
        instance: Some(&id),
        ..NewCredential::new(
            CredentialId::random(rng),
            &token,
            CredentialKind::InstanceToken,
        )
    };
    account.issue(credential, now).await?;
    if new.webhook.is_some() || !new.events.is_empty() {
        // Events without an address wait for the address that POST webhook sets later.
        let url = new.webhook.as_deref().unwrap_or_default();
        let events = (!new.events.is_empty()).then_some(new.events.as_slice());
        let secret = webhooks::new_secret(rng);
        account
            .set_webhook(&WebhookId::random(rng), &id, url, events, &secret, now)
            .await?;
    }
    Detail::of(caller)
        .with("instance", id.as_str())
        .with("name", new.name.as_str())
        .write(&mut account, "instance.created", now)
        .await?;
    Ok((instance, token.into_secret()))
}

async fn tokens(
    conn: &mut Conn,
    caller: &Caller,
    instances: &[Instance],
    now: Timestamp,
) -> Result<HashMap<InstanceId, Secret>> {
    let sees = match caller.proof {
        Proof::ClientJwt { .. } => true,
        // The dashboard's cookie sees none: there each is asked for, behind the password.
        Proof::UserJwt { role, .. } => role >= Role::Developer,
        _ => false,
    };
    if !sees {
        return Ok(HashMap::new());
    }
    let ids: Vec<_> = instances
        .iter()
        .map(|instance| instance.id.clone())
        .collect();
    Ok(conn
        .account(&caller.account)
        .reveal_instance_tokens(&ids, now)
        .await?)
}

/// No phone has linked it.
pub(crate) fn unpaired() -> Error {
    Error::new(
        ErrorCode::InstanceNotConnected,
        "The instance is not connected to WhatsApp. Ask for its QR code and scan it with the phone: GET /instances/{id}/session/qr, or GET /sessions/{key}/qr.",
    )
}

/// An instance must be paired to send; the error says how to get there.
pub(crate) fn require_paired(instance: &Instance) -> Result<()> {
    let stuck = match (instance.state, instance.reason) {
        (ConnectionState::Blocked, reason) => reason,
        (_, reason @ Some(StateReason::StreamReplaced)) => reason,
        _ => None,
    };
    if let Some(reason) = stuck {
        return Err(Error::new(
            ErrorCode::InstanceNotConnected,
            format!(
                "The instance is not connected to WhatsApp. {}",
                reason.what_to_do()
            ),
        ));
    }
    if !instance.paired {
        return Err(unpaired());
    }
    if !instance.wanted {
        return Err(Error::new(
            ErrorCode::InstanceNotConnected,
            "The instance was disconnected by its owner. Asking for its QR code connects it again, without a new scan: GET /instances/{id}/session/qr, or GET /sessions/{key}/qr.",
        ));
    }
    Ok(())
}
