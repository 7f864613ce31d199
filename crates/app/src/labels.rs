//! Labels, by which an account's owner sorts chats: made, changed, and put on chats on all devices of the account.
//!
//! As with chats the phone is who keeps them: what a caller does is told to it, and comes back as the devices' word.

use recado_identity::Granted;
use recado_model::{
    Error, ErrorCode, Result,
    call::{EditLabel, LabelChat},
    chat::Label,
    text::{is_blank, require_seen},
};

use crate::{App, instances::require_paired};

pub struct Labels<'a> {
    pub(crate) app: &'a App,
}

const NAME_MOST: usize = 100;
/// WhatsApp's programs know so many colours.
const COLORS: i32 = 20;

impl Labels<'_> {
    pub async fn list(&self, granted: &Granted) -> Result<Vec<Label>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        Ok(store.labels(granted.id()).await?)
    }

    pub async fn create(&self, granted: &Granted, name: &str, color: i64) -> Result<Label> {
        let (name, color) = (checked_name(name)?, checked_color(color)?);
        self.require_link(granted).await?;
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(granted.account());
        store.lock_instance(granted.id()).await?;
        let id = store.reserve_label(granted.id()).await?;
        conn.commit().await?;
        let label = Label { id, name, color };
        self.write(granted, &label.id, Some(&label)).await?;
        Ok(label)
    }

    /// What is not given stays.
    ///
    /// # Errors
    /// 404 where there is no such label.
    pub async fn change(
        &self,
        granted: &Granted,
        id: &str,
        (name, color): (Option<&str>, Option<i64>),
    ) -> Result<Label> {
        let name = name.map(checked_name).transpose()?;
        let color = color.map(checked_color).transpose()?;
        let mut label = self.find(granted, id).await?;
        label.name = name.unwrap_or(label.name);
        label.color = color.unwrap_or(label.color);
        self.require_link(granted).await?;
        self.write(granted, id, Some(&label)).await?;
        Ok(label)
    }

    /// # Errors
    /// 404 where there is no such label.
    pub async fn delete(&self, granted: &Granted, id: &str) -> Result<()> {
        self.find(granted, id).await?;
        self.require_link(granted).await?;
        self.write(granted, id, None).await
    }

    /// Puts a label on a chat, or takes it off.
    ///
    /// # Errors
    /// 404 where there is no such label, or chat.
    pub async fn put(&self, granted: &Granted, who: &str, id: &str, on: bool) -> Result<()> {
        let (account, instance) = (granted.account(), granted.id());
        let (chat, row) = self.app.chats().find(granted, who).await?;
        self.find(granted, id).await?;
        self.require_link(granted).await?;
        let call = LabelChat {
            chat: row.address,
            lid: row.lid,
            label: id.to_owned(),
            on,
        };
        self.app.exchange.ask(account, instance, call).await?;
        // The device's own word of it has come by now; should it be lost with its connection, this is the same.
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(account);
        store.lock_instance(instance).await?;
        store.label_chat(instance, (&chat, id), on).await?;
        conn.commit().await?;
        Ok(())
    }

    async fn write(&self, granted: &Granted, id: &str, label: Option<&Label>) -> Result<()> {
        let (account, instance) = (granted.account(), granted.id());
        let call = EditLabel {
            id: id.to_owned(),
            name: label.map(|label| label.name.clone()),
            color: label.map_or(0, |label| label.color),
        };
        self.app.exchange.ask(account, instance, call).await?;
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(account);
        store.lock_instance(instance).await?;
        let label = label.map(|label| (label.name.as_str(), label.color));
        store.put_label(instance, id, label).await?;
        conn.commit().await?;
        Ok(())
    }

    async fn require_link(&self, granted: &Granted) -> Result<()> {
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await
    }

    async fn find(&self, granted: &Granted, id: &str) -> Result<Label> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let found = store.label(granted.id(), id).await?;
        found.ok_or_else(|| {
            let text = "label_id: this instance has no such label. GET /instances/{id}/labels lists those that it has.";
            Error::new(ErrorCode::NotFound, text).with_field("label_id")
        })
    }
}

fn checked_name(name: &str) -> Result<String> {
    let name = name.trim();
    if is_blank(name) || name.chars().count() > NAME_MOST {
        let text = format!("name is required, at most {NAME_MOST} characters");
        return Err(Error::field("name", text));
    }
    require_seen("name", name)?;
    Ok(name.to_owned())
}

fn checked_color(color: i64) -> Result<i32> {
    let color = i32::try_from(color).ok();
    color
        .filter(|color| (0..COLORS).contains(color))
        .ok_or_else(|| Error::field("color", "color is 0 to 19"))
}
