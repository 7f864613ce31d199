//! The status of a message, for callers: how far it got, and why it did not get further.

use recado_identity::{Calls, Granted};
use recado_model::{
    Address, ContentKind, Direction, InstanceId, MessageId, MessageStatus, Result, Timestamp,
    content::Poll, failure, message::ReceiptState,
};
use recado_store::{AccountStore, MessageRow, ReactionRow, ReceiptRow};

use super::{Messages, votes};

/// A message as its status is told, the same on every surface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageView {
    pub id: MessageId,
    pub instance: InstanceId,
    pub chat: Address,
    pub kind: ContentKind,
    /// Sent by the instance's number, by us or by its phone.
    pub from_me: bool,
    pub status: MessageStatus,
    /// Set when it failed.
    pub failure: Option<FailureView>,
    /// It is being sent again: a try before ended without WhatsApp taking it.
    pub again: bool,
    pub queue_id: Option<i64>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// A message with what it holds, and what was done to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageDetail {
    pub view: MessageView,
    /// What a person reads of it by now.
    pub text: Option<String>,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub reactions: Vec<ReactionView>,
    pub receipts: Vec<ReceiptView>,
    /// Of a poll that was not deleted.
    pub poll: Option<PollView>,
}

/// What can be chosen of a poll, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PollView {
    pub poll: Poll,
    /// How many have chosen each option, in their order.
    pub totals: Vec<(String, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReactionView {
    pub sender: Address,
    pub sign: String,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiptView {
    pub reader: Address,
    /// `delivered`, `read` or `read_self`.
    pub state: &'static str,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureView {
    pub code: String,
    pub meaning: String,
    pub what_to_do: &'static str,
}

impl MessageView {
    /// Code, meaning and what to do of one that failed; nothing of any other.
    pub fn why(&self) -> (Option<String>, Option<String>, Option<&'static str>) {
        match &self.failure {
            Some(failure) => (
                Some(failure.code.clone()),
                Some(failure.meaning.clone()),
                Some(failure.what_to_do),
            ),
            None => (None, None, None),
        }
    }
}

impl Messages<'_> {
    /// One message of an instance.
    pub async fn find(&self, granted: &Granted, id: &MessageId) -> Result<Option<MessageView>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        match store.message(granted.id(), id).await? {
            Some(row) => view(&mut store, row).await.map(Some),
            None => Ok(None),
        }
    }

    /// One message of an instance, with what it holds.
    pub async fn detail(&self, granted: &Granted, id: &MessageId) -> Result<Option<MessageDetail>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let Some(row) = store.message(granted.id(), id).await? else {
            return Ok(None);
        };
        let receipts = store.receipts(&row).await?;
        let reactions = match row.deleted_at {
            Some(_) => Vec::new(),
            None => store.reactions(&row).await?,
        };
        let poll = self.poll(&mut store, &row).await?;
        let (text, edited_at, deleted_at) = (row.text.clone(), row.edited_at, row.deleted_at);
        Ok(Some(MessageDetail {
            view: view(&mut store, row).await?,
            text,
            edited_at,
            deleted_at,
            reactions: reactions.into_iter().map(reaction).collect(),
            receipts: receipts.into_iter().filter_map(receipt).collect(),
            poll,
        }))
    }

    async fn poll(
        &self,
        store: &mut AccountStore<'_>,
        row: &MessageRow,
    ) -> Result<Option<PollView>> {
        if row.kind != ContentKind::Poll {
            return Ok(None);
        }
        let proto = store.proto(&row.key).await?;
        let Some(poll) = proto.and_then(|proto| self.app.core.engine.poll(&proto)) else {
            return Ok(None);
        };
        let totals = votes::totals(store, row, &poll).await?;
        Ok(Some(PollView { poll, totals }))
    }

    /// One of the account's own by its id, whichever instance sends it. `None` also for one of an
    /// instance that the caller may not use: sending the id anew is a conflict then.
    pub async fn find_anywhere<C: Calls + Clone>(
        &self,
        by: &C,
        id: &MessageId,
    ) -> Result<Option<(Granted<C>, MessageView)>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(&by.caller().account);
        let row = store.find_message(id).await?;
        allowed(&mut store, by, row).await
    }

    /// One of the account's own by its queue number.
    pub async fn find_in_queue<C: Calls + Clone>(
        &self,
        by: &C,
        queue_id: i64,
    ) -> Result<Option<(Granted<C>, MessageView)>> {
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(&by.caller().account);
        let row = store.message_in_queue(queue_id).await?;
        allowed(&mut store, by, row).await
    }

    /// Waits until the message is settled, at most `max_ms`; answers where it stands then.
    pub async fn wait_settled(
        &self,
        granted: &Granted,
        id: &MessageId,
        max_ms: i64,
    ) -> Result<Option<MessageView>> {
        // Listening before the first look, so that nothing falls between the two.
        let mut progress = self.app.core.progress.subscribe();
        let deadline = self.app.core.clock.sleep_ms(max_ms);
        tokio::pin!(deadline);
        loop {
            let view = self.find(granted, id).await?;
            if view.as_ref().is_none_or(|view| view.status.is_settled()) {
                return Ok(view);
            }
            loop {
                tokio::select! {
                    () = &mut deadline => return Ok(view),
                    step = progress.recv() => match step {
                        Ok(step) if step.instance == *granted.id() && step.message == *id => break,
                        Ok(_) => {}
                        // Missed some: look at the row again.
                        Err(_) => break,
                    }
                }
            }
        }
    }
}

fn reaction(row: ReactionRow) -> ReactionView {
    ReactionView {
        sender: row.sender,
        sign: row.sign,
        at: row.at,
    }
}

/// Rows have the words of events.
fn receipt(row: ReceiptRow) -> Option<ReceiptView> {
    let states = [
        (ReceiptState::Delivered, "delivered"),
        (ReceiptState::Read, "read"),
        (ReceiptState::ReadSelf, "read_self"),
    ];
    let known = states
        .into_iter()
        .find(|(state, _)| state.wire() == Some(&row.state));
    known.map(|(_, state)| ReceiptView {
        reader: row.reader,
        state,
        at: row.at,
    })
}

async fn allowed<C: Calls + Clone>(
    store: &mut AccountStore<'_>,
    by: &C,
    row: Option<MessageRow>,
) -> Result<Option<(Granted<C>, MessageView)>> {
    let Some(row) = row.filter(|row| by.caller().scope.allows(&row.instance)) else {
        return Ok(None);
    };
    let Some(instance) = store.instance(&row.instance).await? else {
        return Ok(None);
    };
    let granted = Granted::new(by.clone(), instance)?;
    Ok(Some((granted, view(store, row).await?)))
}

async fn view(store: &mut AccountStore<'_>, row: MessageRow) -> Result<MessageView> {
    let job = match row.status.is_settled() {
        true => None,
        false => store.job_of(&row.instance, &row.id).await?,
    };
    Ok(MessageView {
        again: job.is_some_and(|job| job.attempts + job.silences > 0),
        from_me: row.direction == Direction::Out,
        failure: row.failure.map(|failure| FailureView {
            what_to_do: failure::what_to_do(&failure.code),
            code: failure.code,
            meaning: failure.reason,
        }),
        id: row.id,
        instance: row.instance,
        chat: row.chat,
        kind: row.kind,
        status: row.status,
        queue_id: row.queue_id,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}
