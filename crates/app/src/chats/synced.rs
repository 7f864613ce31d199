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
        }
    }
    Ok(())
}
