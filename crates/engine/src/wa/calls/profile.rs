//! What others see of this number: its name, the line below it, its picture.

use recado_model::Result;

use super::{super::core::LinkCore, ASK, within};

impl LinkCore {
    pub(super) async fn rename(&self, name: &str) -> Result<()> {
        let client = self.online()?;
        within(ASK, client.profile().set_push_name(name)).await
    }

    pub(super) async fn set_about(&self, about: &str) -> Result<()> {
        let client = self.online()?;
        within(ASK, client.profile().set_status_text(about)).await
    }

    pub(super) async fn set_picture(&self, jpeg: Option<Vec<u8>>) -> Result<Option<String>> {
        let client = self.online()?;
        let profile = client.profile();
        match jpeg {
            Some(jpeg) => {
                let set = within(ASK, profile.set_profile_picture(jpeg)).await?;
                Ok(Some(set.id))
            }
            None => {
                within(ASK, profile.remove_profile_picture()).await?;
                Ok(None)
            }
        }
    }
}
