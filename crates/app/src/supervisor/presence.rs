//! What others see of the number while it is connected, and whom it hears of: told to WhatsApp at each log-in, which
//! forgets both with the connection.

use std::sync::Arc;

use recado_engine::Link;
use recado_model::{
    Result,
    call::{ShowPresence, WatchPresence},
    settings::OwnPresence,
};

use super::actor::Actor;
use crate::{held::Held, people::WATCHED_MOST};

impl Actor {
    /// The library shows the number as available by itself, at each log-in and with each new name.
    pub(super) fn appear(&self) {
        let Some(link) = self.link.clone().filter(|_| self.online) else {
            return;
        };
        let held = self.held.clone();
        // On its own: WhatsApp may take its time, and the actor has other things to hear.
        tokio::spawn(async move {
            if let Err(error) = appear(&held, &link).await {
                let error = &error as &dyn std::error::Error;
                tracing::info!(instance.id = %held.instance, error, "the presence could not be told to WhatsApp");
            }
        });
    }

    /// By its phone or another device.
    pub(super) async fn is_renamed(&mut self, push_name: String) {
        let renamed = async {
            let mut conn = self.held.write_relaxed().await?;
            let now = self.core.clock.now();
            let mut store = conn.account(&self.account);
            store.set_push_name(&self.instance, &push_name, now).await?;
            Ok::<_, recado_model::Error>(conn.commit().await?)
        };
        if let Err(error) = renamed.await {
            self.log(&error, "the number's new name could not be stored");
        }
        self.push_name = Some(push_name);
        self.appear();
    }
}

async fn appear(held: &Held, link: &Arc<dyn Link>) -> Result<()> {
    let mut conn = held.core.store.read().await?;
    let mut store = conn.account(&held.account);
    let behaviour = store.behaviour(&held.instance).await?;
    let watched = store.watched(&held.instance, WATCHED_MOST).await?;
    drop(conn);
    let (settings, _) = behaviour.unwrap_or_default();
    let available = settings.presence == OwnPresence::Available;
    link.ask(ShowPresence { available }).await?;
    for who in watched {
        let watches = true;
        link.ask(WatchPresence { who, watches }).await?;
    }
    Ok(())
}
