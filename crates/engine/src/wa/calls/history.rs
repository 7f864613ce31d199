//! Asking the phone for older messages of a chat.

use recado_model::{Result, call::FetchHistory};

use super::{
    super::{address::jid, core::LinkCore},
    ASK, within,
};

impl LinkCore {
    pub(super) async fn fetch_history(&self, call: &FetchHistory) -> Result<String> {
        let client = self.online()?;
        let chat = jid("phone", &call.chat)?;
        let (oldest, count) = (&call.oldest, i32::try_from(call.count).unwrap_or(i32::MAX));
        let asked = client.fetch_message_history(
            &chat,
            oldest.id.as_str(),
            oldest.from_me,
            oldest.at.0,
            count,
        );
        within(ASK, asked).await
    }
}
