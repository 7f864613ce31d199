//! What others see of an instance's own number, and changing it.

use recado_identity::Granted;
use recado_model::{
    Address, Error, Result,
    call::{Rename, SetAbout, SetPicture},
    text::{is_blank, require_seen},
};

use crate::{
    App,
    instances::require_paired,
    own::{self, OwnProfile},
};

/// WhatsApp's own limits, in characters.
const NAME_MOST: usize = 25;
const ABOUT_MOST: usize = 139;
/// Phones send them far smaller; in base64 a body has no room for more.
const PICTURE_MOST: usize = 700 * 1024;

pub struct Profiles<'a> {
    pub(crate) app: &'a App,
}

/// A change of the own profile; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ProfileChange {
    pub name: Option<String>,
    /// `""` takes it away.
    pub about: Option<String>,
}

impl Profiles<'_> {
    /// As WhatsApp tells it now.
    pub async fn read(&self, granted: &Granted) -> Result<OwnProfile> {
        let own = self.require_link(granted).await?;
        let core = &self.app.core;
        core.asking.wait(&*core.clock, granted.id()).await?;
        own::read(self.app, granted.account(), granted.id(), own).await
    }

    pub async fn change(&self, granted: &Granted, change: ProfileChange) -> Result<()> {
        if let Some(name) = &change.name {
            require_name(name)?;
        }
        if let Some(about) = &change.about
            && about.chars().count() > ABOUT_MOST
        {
            let text = format!("about has at most {ABOUT_MOST} characters");
            return Err(Error::field("about", text));
        }
        if change.name.is_none() && change.about.is_none() {
            return Err(Error::field("name", "name or about is required"));
        }
        self.require_link(granted).await?;
        let (account, id) = (granted.account(), granted.id());
        if let Some(name) = change.name {
            let name = name.trim().to_owned();
            let call = Rename { name: name.clone() };
            self.app.exchange.ask(account, id, call).await?;
            let now = self.app.core.clock.now();
            let mut conn = self.app.core.store.write().await?;
            let mut store = conn.account(account);
            store.set_push_name(id, &name, now).await?;
            conn.commit().await?;
        }
        if let Some(about) = change.about {
            let about = about.trim().to_owned();
            let call = SetAbout { about };
            self.app.exchange.ask(account, id, call).await?;
        }
        self.app.core.own.forget(id);
        Ok(())
    }

    /// A JPEG; `None` takes the picture away. Answers its id.
    pub async fn set_picture(
        &self,
        granted: &Granted,
        jpeg: Option<Vec<u8>>,
    ) -> Result<Option<String>> {
        if let Some(jpeg) = &jpeg {
            require_jpeg(jpeg)?;
        }
        self.require_link(granted).await?;
        let (account, id) = (granted.account(), granted.id());
        let set = self.app.exchange.ask(account, id, SetPicture { jpeg });
        let set = set.await?;
        self.app.core.own.forget(id);
        Ok(set)
    }

    async fn require_link(&self, granted: &Granted) -> Result<Address> {
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await?;
        let own = granted.instance().jid.clone();
        own.ok_or_else(|| Error::internal("a paired instance has no address"))
    }
}

fn require_name(name: &str) -> Result<()> {
    if is_blank(name) || name.trim().chars().count() > NAME_MOST {
        let text = format!("name has 1 to {NAME_MOST} characters");
        return Err(Error::field("name", text));
    }
    require_seen("name", name)
}

fn require_jpeg(jpeg: &[u8]) -> Result<()> {
    let wrong = |text: &'static str| Err(Error::field("image", text));
    match jpeg {
        [] => wrong("image is required: a JPEG, as base64 or a data URL"),
        [0xff, 0xd8, 0xff, ..] if jpeg.len() <= PICTURE_MOST => Ok(()),
        [0xff, 0xd8, 0xff, ..] => {
            wrong("image has at most 700 KiB; WhatsApp shows 640 by 640 pixels")
        }
        _ => wrong("image is a JPEG: WhatsApp takes nothing else for a profile"),
    }
}
