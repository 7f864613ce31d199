//! The labels of the account, made and put on chats on all its devices.

use recado_model::{
    Result,
    call::{EditLabel, LabelChat},
};

use super::{super::core::LinkCore, ASK, within};

impl LinkCore {
    pub(super) async fn edit_label(&self, call: &EditLabel) -> Result<()> {
        let client = self.online()?;
        let labels = client.labels();
        match &call.name {
            Some(name) => within(ASK, labels.create_label(&call.id, name, call.color)).await?,
            None => within(ASK, labels.delete_label(&call.id)).await?,
        }
        self.told().await;
        Ok(())
    }

    pub(super) async fn label_chat(&self, call: &LabelChat) -> Result<()> {
        let client = self.online()?;
        let chat = self
            .chat_called(&client, (&call.chat, call.lid.as_ref()))
            .await?;
        let labels = client.labels();
        match call.on {
            true => within(ASK, labels.add_chat_label(&call.label, &chat)).await?,
            false => within(ASK, labels.remove_chat_label(&call.label, &chat)).await?,
        }
        self.told().await;
        Ok(())
    }
}
