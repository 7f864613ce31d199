//! Declining calls that ring.

use recado_model::{Error, Result, call::RejectCall};
use whatsapp_rust::Jid;

use super::{super::core::LinkCore, ASK, within};

impl LinkCore {
    pub(super) async fn reject_call(&self, call: &RejectCall) -> Result<()> {
        let client = self.online()?;
        let (from, creator) = (jid(&call.from)?, jid(&call.creator)?);
        let voip = client.voip();
        within(ASK, voip.reject_call(&call.id, &from, &creator)).await
    }
}

/// As a stanza wrote it.
fn jid(text: &str) -> Result<Jid> {
    text.parse().map_err(Error::internal)
}
