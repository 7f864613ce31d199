//! What a message would do, for whoever is asked before it goes out. Judged as a send is, as far as that goes
//! without doing anything; nothing is sent, and no URL is opened.

use recado_identity::Granted;
use recado_model::{Address, Content, Error, Result, content::Media};

use crate::{instances::require_paired, media::Given};

use super::{Messages, SendMedia, SendMessage, check};

/// Whom a message would reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    pub to: Address,
    /// As the address book, or they themselves, have it.
    pub name: Option<String>,
}

impl Messages<'_> {
    /// Judges a message without sending it.
    ///
    /// # Errors
    /// Those of [`Messages::send`], but for what only WhatsApp can say.
    pub async fn preview(&self, granted: &Granted, send: SendMessage) -> Result<Preview> {
        self.app.billing().require(granted.instance())?;
        require_paired(granted.instance())?;
        let to = check(send, &*self.app.core.rng)?.to;
        let name = self.name_of(granted, &to).await?;
        Ok(Preview { to, name })
    }

    /// The same with a medium.
    pub async fn preview_media(&self, granted: &Granted, send: SendMedia) -> Result<Preview> {
        let form = send.form;
        if let Given::Url(url) = &send.given {
            let judged = self.app.core.egress.check_url(url);
            judged.map_err(|error| {
                let field = form.field();
                Error::field(field, format!("{field}: {}", error.message))
            })?;
        }
        let media = Media::new(
            form,
            String::new(),
            send.caption,
            send.file_name,
            send.view_once,
        )?;
        let send = SendMessage {
            to: send.to,
            content: Content::Media(media),
            how: send.how,
        };
        self.preview(granted, send).await
    }

    /// As the address book, they themselves, or their group have it.
    async fn name_of(&self, granted: &Granted, to: &Address) -> Result<Option<String>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        if to.is_group() {
            let row = store.group(granted.id(), to).await?;
            return Ok(row.map(|row| row.group.name));
        }
        let row = store.contact_at(granted.id(), to).await?;
        let names = row.map(|row| row.names);
        Ok(names.and_then(|names| names.full.or(names.first).or(names.business).or(names.push)))
    }
}
