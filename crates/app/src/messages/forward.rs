//! Passing a message on: one that is stored here, whoever wrote it, to another chat.

use recado_identity::Granted;
use recado_model::{
    Content, ContentKind, Error, ErrorCode, Result, content::Forward, message::Direction,
};

use super::{
    Accepted, Messages, Named, SendMessage, SendOptions, acts::require_there,
    changes::is_about_another,
};
use crate::instances::require_paired;

impl Messages<'_> {
    /// Accepts a message that is passed on to `to`: a new one, with an id of its own.
    pub async fn forward(
        &self,
        granted: &Granted,
        named: &Named,
        to: String,
        how: SendOptions,
    ) -> Result<Accepted> {
        require_paired(granted.instance())?;
        // Here `phone` is the one that gets it.
        let called = |error: Error| match error.field {
            Some("phone") => error.renamed("phone", "chat"),
            _ => error,
        };
        let row = self.named(granted, named, None).await.map_err(called)?;
        let wrong = |text| Error::field("message_id", text);
        if is_about_another(row.kind) {
            return Err(wrong(
                "message_id: this changes another message itself: name that one",
            ));
        }
        // The same again is judged by its own row alone: the source may be gone by now.
        let is_new = !self.is_known(granted, how.id.as_deref()).await?;
        let row = match is_new {
            true => self.once_sent(granted, row).await?,
            false => row,
        };
        let mut forward = Forward {
            source: row.id.clone(),
            chat: row.wire_chat.clone(),
            kind: row.kind,
            text: row.text.clone(),
            proto: Vec::new(),
        };
        if is_new {
            let gone = |text| Error::new(ErrorCode::Conflict, text).with_field("message_id");
            // Until it is sent, nobody can say where its medium lies.
            require_there(&row)?;
            if row.kind == ContentKind::Other {
                return Err(wrong(
                    "message_id: WhatsApp passes on no message of this kind",
                ));
            }
            let mut conn = self.app.core.store.read().await?;
            let proto = conn.account(granted.account()).proto(&row.key).await?;
            drop(conn);
            let proto = proto.ok_or_else(|| gone("message_id: nothing of this message is kept"))?;
            let ready = self
                .app
                .core
                .engine
                .forward(&proto, row.direction == Direction::Out);
            forward.proto = ready.ok_or_else(|| {
                wrong("message_id: this message is to be seen once, and not to be passed on")
            })?;
        }
        let content = Content::Forward(forward);
        self.send(granted, SendMessage { to, content, how }).await
    }
}
