//! Whom this number has blocked. The list is WhatsApp's; it is asked for each time.

use recado_identity::Granted;
use recado_model::{
    Address, Result,
    call::{Block, ReadBlocked},
    person::Blocked,
};

use super::People;

impl People<'_> {
    pub async fn blocked(&self, granted: &Granted) -> Result<Vec<Blocked>> {
        self.require_link(granted).await?;
        self.ask(granted, ReadBlocked {}).await
    }

    /// Blocks a person, or takes that back; under which address.
    pub async fn block(&self, granted: &Granted, phone: &str, blocks: bool) -> Result<Address> {
        let who = self.person(granted, phone).await?;
        let call = Block {
            who: who.clone(),
            blocks,
        };
        self.ask(granted, call).await?;
        Ok(who)
    }
}
