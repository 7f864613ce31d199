//! Webhooks; the signing secret of each is sealed.
//!
//! An instance may have several, and an account some of its own that get the events of all its instances. The
//! contract's routes know one of an instance: the first, at place 0.

use std::collections::HashMap;

use recado_model::{
    EventKind, InstanceId, Timestamp, WebhookId,
    webhook::{SigningSecret, Webhook},
};

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, built, placeholders, sql},
};

impl AccountStore<'_> {
    /// Those that get an event of this kind from the instance: its own and the account's.
    pub(crate) async fn subscribed(
        &mut self,
        instance: &InstanceId,
        kind: EventKind,
    ) -> Result<Vec<WebhookId>> {
        let rows = sql(
            "SELECT id, url, events FROM webhook WHERE account_id = $1 AND (instance_id = $2 OR instance_id IS NULL) ORDER BY id",
        )
        .bind(&self.id)
        .bind(instance)
        .fetch_all(self.conn)
        .await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in rows {
            // Events can be chosen before there is an address for them.
            if !row.text("url")?.is_empty() && kind.is_wanted_by(&events_of(&row)?) {
                ids.push(WebhookId::from_text(row.text("id")?));
            }
        }
        Ok(ids)
    }

    /// Whether anybody gets an event of this kind from the instance.
    pub async fn is_subscribed(&mut self, instance: &InstanceId, kind: EventKind) -> Result<bool> {
        Ok(!self.subscribed(instance, kind).await?.is_empty())
    }

    /// The first one of an instance.
    pub async fn webhook(&mut self, instance: &InstanceId) -> Result<Option<Webhook>> {
        sql("SELECT id, instance_id, url, events FROM webhook WHERE account_id = $1 AND instance_id = $2 AND place = 0")
            .bind(&self.id)
            .bind(instance)
            .fetch_optional(self.conn)
            .await?
            .map(|row| from_row(&row))
            .transpose()
    }

    /// Those of several instances, for a list.
    pub async fn webhooks(
        &mut self,
        instances: &[InstanceId],
    ) -> Result<HashMap<InstanceId, Webhook>> {
        let mut found = HashMap::with_capacity(instances.len());
        for part in instances.chunks(200) {
            let rows = built(format!(
                "SELECT id, instance_id, url, events FROM webhook WHERE account_id = $1 AND place = 0 AND instance_id IN ({})",
                placeholders(2, part.len())
            ))
            .bind(&self.id)
            .bind_all(part)
            .fetch_all(self.conn)
            .await?;
            for row in rows {
                let webhook = from_row(&row)?;
                found.insert(webhook.instance.clone(), webhook);
            }
        }
        Ok(found)
    }

    /// Makes or changes the first one of an instance. An existing one keeps its id and secret and, when `events` is `None`,
    /// what it subscribed to; a new one with `None` subscribes to `All`.
    pub async fn set_webhook(
        &mut self,
        id: &WebhookId,
        instance: &InstanceId,
        url: &str,
        events: Option<&[EventKind]>,
        new_secret: &SigningSecret,
        now: Timestamp,
    ) -> Result<(Webhook, SigningSecret)> {
        let names = EventKind::join(events.unwrap_or(&[EventKind::All]));
        let sealed = self
            .conn
            .seal_for(
                &self.id,
                "webhook",
                "sealed_secret",
                id.as_str(),
                new_secret.0.expose().as_bytes(),
            )
            .await?;
        let row = sql(
            "INSERT INTO webhook (id, account_id, instance_id, place, url, events, sealed_secret, created_at, updated_at) \
             VALUES ($1, $2, $3, 0, $4, $5, $6, $7, $7) \
             ON CONFLICT (instance_id, place) DO UPDATE SET url = excluded.url, updated_at = excluded.updated_at, \
             events = CASE WHEN $8 = 1 THEN excluded.events ELSE webhook.events END \
             WHERE webhook.account_id = $2 \
             RETURNING id, instance_id, url, events, sealed_secret",
        )
        .bind(id)
        .bind(&self.id)
        .bind(instance)
        .bind(url)
        .bind(&names)
        .bind(&sealed)
        .bind(now)
        .bind(events.is_some())
        .fetch_optional(self.conn)
        .await?
        // Only the row of another account's instance is passed over.
        .ok_or(crate::StoreError::NoParent)?;
        let webhook = from_row(&row)?;
        let secret = self
            .conn
            .unseal_for(
                &self.id,
                "webhook",
                "sealed_secret",
                webhook.id.as_str(),
                &row.blob("sealed_secret")?,
            )
            .await?;
        Ok((webhook, SigningSecret(secret)))
    }
}

fn from_row(row: &Row) -> Result<Webhook> {
    Ok(Webhook {
        id: WebhookId::from_text(row.text("id")?),
        instance: InstanceId::from_text(row.text("instance_id")?),
        url: row.text("url")?,
        events: events_of(row)?,
    })
}

fn events_of(row: &Row) -> Result<Vec<EventKind>> {
    row.parsed("events", |text| EventKind::parse_list(text.split(',')).ok())
}
