//! Whether others see somebody at this number, and whether it hears of others.

use recado_model::{Address, Result};
use whatsapp_rust::PresenceError;

use super::{
    super::{address::jid, core::LinkCore},
    ASK, within,
};

impl LinkCore {
    pub(super) async fn watch_presence(&self, who: &Address, watches: bool) -> Result<()> {
        let client = self.online()?;
        let who = jid("phone", who)?;
        let presence = client.presence();
        match watches {
            true => within(ASK, presence.subscribe(who)).await,
            false => within(ASK, presence.unsubscribe(&who)).await,
        }
    }

    /// Without a name there is nothing to show: the library says it once it has learnt the name.
    pub(super) async fn show_presence(&self, available: bool) -> Result<()> {
        let client = self.online()?;
        let presence = client.presence();
        let shown = async {
            let shown = match available {
                true => presence.set_available().await,
                false => presence.set_unavailable().await,
            };
            match shown {
                Err(PresenceError::PushNameEmpty) => Ok(()),
                shown => shown,
            }
        };
        within(ASK, shown).await
    }
}
