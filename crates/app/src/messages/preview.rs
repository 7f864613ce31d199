//! What a message would do, for whoever is asked before it goes out. Judged as a send is, as far as that goes
//! without doing anything; nothing is sent, and no URL is opened.

use recado_identity::Granted;
use recado_model::{Address, Content, Error, ErrorCode, Result, content::Media};

use crate::{contacts::ListContacts, instances::require_paired, media::Given};

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

    /// From the chat with them, or from the people who are known.
    async fn name_of(&self, granted: &Granted, to: &Address) -> Result<Option<String>> {
        match self.app.chats().get(granted, to.as_str()).await {
            Ok(chat) => return Ok(chat.with.name().map(str::to_owned)),
            Err(error) if error.code == ErrorCode::NotFound => {}
            Err(error) => return Err(error),
        }
        let Some(number) = to.number() else {
            return Ok(None);
        };
        let list = ListContacts {
            search: Some(number.to_owned()),
            limit: 1,
            ..ListContacts::default()
        };
        let page = self.app.contacts().list(granted, &list).await?;
        let person = page.items.first();
        let same = person.filter(|person| person.phone() == Some(number));
        Ok(same.and_then(|person| person.name()).map(str::to_owned))
    }
}
