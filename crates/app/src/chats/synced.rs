//! What the account's devices tell each other of chats and people, done to the rows.

use recado_model::{
    InstanceId, Result, Timestamp,
    chat::{ChatUpdate, Synced},
};
use recado_store::AccountStore;

/// In the transaction of the caller, who holds the instance.
pub(crate) async fn apply(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    all: &[Synced],
    now: Timestamp,
) -> Result<()> {
    for synced in all {
        match synced {
            Synced::Chat(ChatUpdate { chat, act, range }) => {
                let chat = store.chat(instance, chat, now).await?;
                store.apply_to_chat(instance, &chat, *act, range).await?;
            }
            Synced::Contact(update) => store.save_names(instance, update, now).await?,
            Synced::Label(label) => {
                let as_told = Some((label.name.as_str(), label.color));
                store.put_label(instance, &label.id, as_told).await?;
            }
            Synced::LabelDeleted(id) => store.put_label(instance, id, None).await?,
            Synced::Labelled(told) => {
                let chat = store.chat(instance, &told.chat, now).await?;
                let labelled = (&chat, told.label.as_str());
                store.label_chat(instance, labelled, told.on).await?;
            }
        }
    }
    Ok(())
}
