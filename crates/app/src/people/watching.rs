//! Whose coming and going this number hears of. WhatsApp forgets that with the connection, so it is kept, and asked
//! for again at each log-in.

use recado_identity::Granted;
use recado_model::{Address, Error, ErrorCode, Result, call::WatchPresence, settings::OwnPresence};

use super::People;

/// Of one instance: each is a question at every log-in.
pub(crate) const WATCHED_MOST: u32 = 200;

impl People<'_> {
    /// Begins to hear of a person, or stops. Whether WhatsApp tells anything: it does so only to who shows
    /// himself.
    pub async fn watch(
        &self,
        granted: &Granted,
        phone: &str,
        watches: bool,
    ) -> Result<(Address, bool)> {
        let who = self.person(granted, phone).await?;
        let (core, id) = (&self.app.core, granted.id());
        if watches {
            self.require_room(granted, &who).await?;
        }
        let call = WatchPresence {
            who: who.clone(),
            watches,
        };
        self.tell(granted, call).await?;
        let now = core.clock.now();
        let mut conn = core.store.write().await?;
        let mut store = conn.account(granted.account());
        match watches {
            true => store.watch(id, &who, now).await?,
            false => store.unwatch(id, &who).await?,
        };
        conn.commit().await?;
        let shows = granted.instance().settings.presence == OwnPresence::Available;
        Ok((who, shows))
    }

    async fn require_room(&self, granted: &Granted, who: &Address) -> Result<()> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let watched = store.watched(granted.id(), WATCHED_MOST).await?;
        if watched.len() < WATCHED_MOST as usize || watched.contains(who) {
            return Ok(());
        }
        let text = format!(
            "{WATCHED_MOST} people are watched already. Send subscribe: false for one of them first."
        );
        Err(Error::new(ErrorCode::Conflict, text))
    }
}
