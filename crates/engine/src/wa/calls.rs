//! The calls to a linked device, a noun a file. (Sending is `outbound`: a message has a queue, an id and
//! an acknowledgement of its own.)
//!
//! To add one: its line in `recado_model::call`, an arm in [`LinkCore::call`], and a file here.

mod chats;
mod groups;
mod history;
mod labels;
mod numbers;
mod pairing;
mod people;
mod presence;
mod profile;
mod reading;
mod ringing;
mod typing;

use std::time::Duration;

use recado_model::{Call, CallAnswer, Error, ErrorCode, Result};

use super::core::LinkCore;

/// How long WhatsApp may take to answer.
const ASK: Duration = Duration::from_secs(30);

impl LinkCore {
    pub(super) async fn call(&self, call: Call) -> Result<CallAnswer> {
        Ok(match call {
            Call::LookUp(call) => CallAnswer::LookUp(self.look_up(&call.phones).await?),
            Call::PairCode(call) => CallAnswer::PairCode(self.pair_code(&call.phone).await?),
            Call::MarkRead(call) => CallAnswer::MarkRead(self.mark_read(&call).await?),
            Call::Typing(call) => CallAnswer::Typing(self.show_typing(&call).await?),
            Call::Describe(call) => CallAnswer::Describe(self.describe(&call.people).await?),
            Call::FindPicture(call) => CallAnswer::FindPicture(self.find_picture(&call).await?),
            Call::ReadBusiness(call) => {
                CallAnswer::ReadBusiness(self.read_business(&call.of).await?)
            }
            Call::ReadBlocked(_) => CallAnswer::ReadBlocked(self.read_blocked().await?),
            Call::Block(call) => CallAnswer::Block(self.block(&call.who, call.blocks).await?),
            Call::WatchPresence(call) => {
                CallAnswer::WatchPresence(self.watch_presence(&call.who, call.watches).await?)
            }
            Call::ShowPresence(call) => {
                CallAnswer::ShowPresence(self.show_presence(call.available).await?)
            }
            Call::Rename(call) => CallAnswer::Rename(self.rename(&call.name).await?),
            Call::SetAbout(call) => CallAnswer::SetAbout(self.set_about(&call.about).await?),
            Call::SetPicture(call) => CallAnswer::SetPicture(self.set_picture(call.jpeg).await?),
            Call::RejectCall(call) => CallAnswer::RejectCall(self.reject_call(&call).await?),
            Call::ChangeChat(call) => CallAnswer::ChangeChat(self.change_chat(&call).await?),
            Call::SaveContact(call) => CallAnswer::SaveContact(self.save_contact(&call).await?),
            Call::FetchHistory(call) => CallAnswer::FetchHistory(self.fetch_history(&call).await?),
            Call::EditLabel(call) => CallAnswer::EditLabel(self.edit_label(&call).await?),
            Call::LabelChat(call) => CallAnswer::LabelChat(self.label_chat(&call).await?),
            Call::SetTimer(call) => CallAnswer::SetTimer(self.set_timer(&call).await?),
            other => return self.group_call(other).await,
        })
    }
}

impl LinkCore {
    /// Calls about groups.
    async fn group_call(&self, call: Call) -> Result<CallAnswer> {
        Ok(match call {
            Call::GroupList(_) => CallAnswer::GroupList(self.group_list().await?),
            Call::GroupLook(call) => CallAnswer::GroupLook(self.group_look(&call.group).await?),
            Call::GroupMake(call) => CallAnswer::GroupMake(self.group_make(&call).await?),
            Call::GroupAct(call) => CallAnswer::GroupAct(self.group_act(&call).await?),
            Call::GroupRename(call) => CallAnswer::GroupRename(self.group_rename(&call).await?),
            Call::GroupDescribe(call) => {
                CallAnswer::GroupDescribe(self.group_describe(&call).await?)
            }
            Call::GroupSet(call) => CallAnswer::GroupSet(self.group_set(&call).await?),
            Call::GroupPicture(call) => CallAnswer::GroupPicture(self.group_picture(&call).await?),
            Call::GroupLink(call) => CallAnswer::GroupLink(self.group_link(&call).await?),
            Call::GroupPreview(call) => {
                CallAnswer::GroupPreview(self.group_preview(&call.code).await?)
            }
            Call::GroupJoin(call) => CallAnswer::GroupJoin(self.group_join(&call.code).await?),
            Call::GroupRequests(call) => {
                CallAnswer::GroupRequests(self.group_requests(&call.group).await?)
            }
            Call::GroupLeave(call) => CallAnswer::GroupLeave(self.group_leave(&call.group).await?),
            other => return Err(Error::internal(format!("no call about groups: {other:?}"))),
        })
    }
}

/// For questions and signals, whose failures all mean the same to the caller.
async fn within<T, E>(
    limit: Duration,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> Result<T>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::new(
            ErrorCode::EngineUnavailable,
            "WhatsApp did not carry this out. Try again.",
        )
        .with_source(error)),
        Err(_) => Err(too_slow()),
    }
}

fn too_slow() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "WhatsApp did not answer in time. Try again; a repeated message is shown once.",
    )
}
