//! Messages with a medium: it is judged and kept before they are accepted.

use recado_identity::Granted;
use recado_model::{
    Content, Instance, MediaId, MessageKey, MessageStatus, Result, Timestamp,
    content::{Media, MediaForm},
};
use recado_store::{AccountStore, MessageRow, NewMedium};

use super::{Accepted, Checked, Messages, SendMessage, SendOptions, check, digest_of, fetching};
use crate::{
    instances::require_paired,
    media::given::{self, Given, Prepared, Rest},
};

/// A message with a medium, as a caller gives it.
#[derive(Debug)]
pub struct SendMedia {
    /// A number, or a full address (`…@g.us`).
    pub to: String,
    pub form: MediaForm,
    pub given: Given,
    pub caption: Option<String>,
    pub file_name: Option<String>,
    pub view_once: bool,
    /// Of films: a small JPEG.
    pub picture: Option<Vec<u8>>,
    pub how: SendOptions,
}

impl Messages<'_> {
    /// The same as [`Messages::send`] with a medium. One at a URL is opened before this returns; its body
    /// follows, and a fault in it is the message's.
    pub async fn send_media(&self, granted: &Granted, send: SendMedia) -> Result<Accepted> {
        require_paired(granted.instance())?;
        let core = &self.app.core;
        let SendMedia {
            to,
            form,
            given,
            caption,
            file_name,
            view_once,
            picture,
            how,
        } = send;
        let mut media = Media::new(form, String::new(), caption, file_name, view_once)?;
        let send = |media: &Media| SendMessage {
            to: to.clone(),
            content: Content::Media(media.clone()),
            how: how.clone(),
        };
        // Whatever is wrong beside the medium is told before anything is done for it.
        check(send(&media), &*core.rng)?;
        let name = media.file_name.clone();
        let given = given::prepare(self.app, granted, form, name.as_deref(), given);
        let (prepared, rest) = given.await?;
        media.mime = prepared.mime.clone();
        let mut checked = check(send(&media), &*core.rng)?;
        let own = picture.as_deref().map(given::picture_means);
        let means = [Some(checked.digest), Some(prepared.means.clone()), own];
        let means: Vec<String> = means.into_iter().flatten().collect();
        checked.digest = digest_of(&means.join(" "));
        let (object, is_new) = (prepared.object.clone(), prepared.is_new);
        checked.medium = Some(with_picture(prepared, picture));
        let done = self.accept_media(granted, &mut checked, rest).await;
        if let Some(object) = object.filter(|_| is_new) {
            self.forget_unless_used(&object).await;
        }
        done
    }

    async fn accept_media(
        &self,
        granted: &Granted,
        checked: &mut Checked,
        rest: Option<Rest>,
    ) -> Result<Accepted> {
        self.locate(granted, checked).await?;
        let accepted = self.accept(granted, checked).await?;
        if let Some(rest) = rest {
            let (app, account) = (self.app.clone(), granted.account().clone());
            let (instance, id) = (granted.id().clone(), accepted.id.clone());
            let own = checked.medium.as_ref().map(|medium| medium.secret.link_key);
            self.app.core.media.go_on(async move {
                let row = async {
                    let mut conn = app.core.store.read().await.ok()?;
                    let mut store = conn.account(&account);
                    store.outgoing_medium(&instance, &id).await.ok()?
                };
                // Another call with the same id may have been first; its own stream goes on then.
                let row = row.await;
                let row = row.filter(|row| Some(row.secret.link_key) == own);
                if let Some(row) = row {
                    fetching::follow(&app, &account, &row.id, rest).await;
                }
            });
        }
        Ok(accepted)
    }

    /// A message that was known already, or was refused, leaves its file to nobody.
    pub(super) async fn forget_unless_used(&self, object: &str) {
        let core = &self.app.core;
        let used = async {
            let mut conn = core.store.read().await?;
            conn.system().is_media_object(object).await
        };
        // What stays by a fault goes with the next look for files that no row names.
        if let Ok(false) = used.await
            && let Err(error) = core.media.files.remove(object).await
        {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a file of no message stays for now"
            );
        }
    }

    pub(super) async fn put_medium(
        &self,
        store: &mut AccountStore<'_>,
        instance: &Instance,
        checked: &Checked,
        message: &MessageKey,
        now: Timestamp,
    ) -> Result<()> {
        if let Some(medium) = &checked.medium {
            let id = MediaId::random(&*self.app.core.rng);
            let new = new_medium(&id, instance, checked, medium, message, now);
            store.insert_medium(&new, now).await?;
        }
        Ok(())
    }

    /// For a message that is queued again: its medium may have been the reason that it failed, or is not fetched
    /// any more because it was cancelled.
    pub(super) async fn give_medium_again(
        &self,
        store: &mut AccountStore<'_>,
        row: &MessageRow,
        checked: &Checked,
        now: Timestamp,
    ) -> Result<()> {
        let over = matches!(row.status, MessageStatus::Failed | MessageStatus::Cancelled);
        if let Some(medium) = checked.medium.as_ref().filter(|_| over) {
            let id = MediaId::random(&*self.app.core.rng);
            let found = store.instance(&row.instance).await?;
            if let Some(instance) = found {
                let new = new_medium(&id, &instance, checked, medium, &row.key, now);
                store.give_medium_again(&row.key, &new, now).await?;
            }
        }
        Ok(())
    }
}

fn with_picture(mut prepared: Prepared, picture: Option<Vec<u8>>) -> Prepared {
    if picture.is_some() {
        prepared.secret.looks.thumbnail = picture;
    }
    prepared
}

fn new_medium<'a>(
    id: &'a MediaId,
    instance: &'a Instance,
    checked: &'a Checked,
    medium: &'a Prepared,
    message: &'a MessageKey,
    now: Timestamp,
) -> NewMedium<'a> {
    let (class, file_name) = match &checked.content {
        Content::Media(media) => (media.form.class(), media.file_name.as_deref()),
        _ => (recado_model::MediaClass::Document, None),
    };
    NewMedium {
        id,
        instance: &instance.id,
        message: Some(message),
        class,
        mime: &medium.mime,
        file_name,
        length: medium.length,
        object: medium.object.as_deref(),
        secret: &medium.secret,
        // Its stream is open: others begin only when that did not come to its end.
        next_at: match medium.object {
            Some(_) => None,
            None => Some(now.plus_millis(fetching::HOLD_MS)),
        },
    }
}
