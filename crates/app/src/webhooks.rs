//! Webhooks: where an instance's events go.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use recado_identity::{Granted, audit::Detail};
use recado_model::{
    Error, EventKind, Result, Rng, WebhookId,
    webhook::{SigningSecret, Webhook},
};

use crate::App;

pub struct Webhooks<'a> {
    pub(crate) app: &'a App,
}

pub(crate) fn new_secret(rng: &dyn Rng) -> SigningSecret {
    SigningSecret::random(rng, |bytes| STANDARD.encode(bytes))
}

impl Webhooks<'_> {
    pub async fn get(&self, granted: &Granted) -> Result<Option<Webhook>> {
        Ok(self
            .app
            .core
            .store
            .read()
            .await?
            .account(granted.account())
            .webhook(granted.id())
            .await?)
    }

    /// Sets URL, events or both; what is `None` stays as it is. The signing secret is made with the
    /// first URL and stays.
    pub async fn set(
        &self,
        granted: &Granted,
        url: Option<&str>,
        events: Option<Vec<EventKind>>,
    ) -> Result<(Webhook, SigningSecret)> {
        let core = &self.app.core;
        let mut conn = core.store.write().await?;
        let mut account = conn.account(granted.account());
        let known = account.webhook(granted.id()).await?;
        let url = match (url.map(str::trim).filter(|url| !url.is_empty()), known) {
            (Some(url), _) => core.egress.check_url(url)?.to_string(),
            (None, Some(known)) if !known.url.is_empty() => known.url,
            (None, _) => {
                return Err(Error::field(
                    "url",
                    "url is required: the address that events are posted to",
                ));
            }
        };
        let now = core.clock.now();
        let id = WebhookId::random(&*core.rng);
        let secret = new_secret(&*core.rng);
        let set = account
            .set_webhook(&id, granted.id(), &url, events.as_deref(), &secret, now)
            .await?;
        Detail::of(granted.by())
            .with("instance", granted.id().as_str())
            .write(&mut account, "webhook.set", now)
            .await?;
        conn.commit().await?;
        Ok(set)
    }
}
