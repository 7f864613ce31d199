//! Polls, and votes in them.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{Act, App, Named, SendOptions};
use recado_model::{
    Content, Error, Result,
    content::{NewPoll, Poll},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{
    Queued, accept,
    acts::{Done, done},
    given, send,
};
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{Loose, Names, some_whole, text_or_number},
    rest::Envelope,
};

send_body!(PollBody {
    /// The question.
    #[serde(default)]
    #[schemars(length(min = 1, max = 255))]
    name: String,
    /// 2 to 12, each another one.
    #[serde(default)]
    #[schemars(length(min = 2, max = 12), inner(length(min = 1, max = 100)), extend("uniqueItems" = true))]
    options: Vec<String>,
    /// How many of them one person may choose, 1 by default; 0 is any number.
    #[serde(default, alias = "selectableOptionsCount", deserialize_with = "some_whole")]
    #[schemars(range(min = 0, max = 12))]
    selectable_options_count: Option<i64>,
    /// Whether participants are not shown who has chosen what.
    #[serde(default, alias = "hideParticipantNames")]
    hide_participant_names: Option<bool>,
    /// RFC 3339. No vote counts after it.
    #[serde(default, alias = "endTime")]
    #[schemars(extend("format" = "date-time"))]
    end_time: Option<String>,
    /// Whether participants may add options.
    #[serde(default, alias = "allowAddOption")]
    allow_add_option: Option<bool>,
});

/// Queues a poll to a phone or a group.
///
/// Each vote comes as a `Message` event with what was chosen, and how the poll stands. Whether a phone heeds
/// `end_time`, `hide_participant_names` and `allow_add_option` is its program's business.
#[operation]
pub async fn send_poll(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<PollBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let new = NewPoll {
        name: std::mem::take(&mut body.name),
        options: std::mem::take(&mut body.options),
        selectable: body.selectable_options_count,
        hide_participant_names: body.hide_participant_names.unwrap_or_default(),
        end_time: body.end_time.take(),
        allow_add_option: body.allow_add_option.unwrap_or_default(),
    };
    let poll = Poll::new(new, app.clock().now())?;
    accept(&access, &app, send(body.address(), Content::Poll(poll))).await
}

#[derive(Deserialize, JsonSchema)]
pub struct VoteBody {
    /// Where the poll is. Need not be given: it is known by its id.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schemars(with = "Option<String>")]
    phone: String,
    /// Of the poll. `me:` before it: one of your own.
    #[serde(default, alias = "messageId")]
    #[schemars(length(min = 1))]
    message_id: String,
    /// The words of an option, or a list of them. Ignored where `selected_options` names any.
    #[serde(default)]
    #[schemars(with = "Option<Names>")]
    vote: Option<Value>,
    /// The words of the options; `[]` takes your vote back.
    #[serde(default, alias = "selectedOptions")]
    selected_options: Option<Vec<String>>,
    /// Who made the poll, where several of this chat have its id.
    #[serde(default, alias = "pollSender")]
    poll_sender: Option<String>,
    /// It is one of your own.
    #[serde(default, alias = "fromMe")]
    from_me: Option<bool>,
    /// The caller's own id for this vote.
    #[serde(default)]
    id: Option<String>,
    /// Milliseconds.
    #[serde(default, deserialize_with = "some_whole")]
    #[schemars(range(min = 0, max = 86_400_000))]
    delay: Option<i64>,
    /// RFC 3339. A vote whose first try has not begun by then is not sent any more: it has failed.
    #[serde(default, alias = "validUntil")]
    #[schemars(extend("format" = "date-time"))]
    valid_until: Option<String>,
}

/// Votes in a poll, yours or another's.
///
/// There is one vote of this number in each poll: another takes its place, and one without options takes it back.
#[operation]
pub async fn vote(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<VoteBody>,
) -> Result<Answer<Envelope<Done>>, Fail> {
    // An empty list beside a vote is one that was left as it was, not a wish to take the vote back.
    let (options, field) = match (body.selected_options, body.vote) {
        (Some(options), None) => (options, "selected_options"),
        (Some(options), Some(_)) if !options.is_empty() => (options, "selected_options"),
        (_, vote) => (words(vote)?, "vote"),
    };
    let details = match options.is_empty() {
        true => "The vote is being taken back.",
        false => "The vote is being sent.",
    };
    let named = Named {
        message_id: body.message_id,
        chat: given(Some(body.phone)),
        sender: given(body.poll_sender),
        own: body.from_me.unwrap_or_default(),
    };
    let how = SendOptions {
        id: given(body.id),
        delay_ms: body.delay,
        valid_until: body.valid_until,
        ..Default::default()
    };
    let messages = app.messages();
    let act = Act::Vote { options, field };
    let acted = messages.act(&access.granted, &named, act, how).await?;
    Ok(done(acted, details))
}

/// The options of `vote`: text or number, one or a list. `""` is none.
fn words(vote: Option<Value>) -> Result<Vec<String>> {
    let one = |value: Value| match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(Error::field(
            "vote",
            "vote is the words of an option, or a list of them",
        )),
    };
    match vote {
        None => Err(Error::field(
            "selected_options",
            "selected_options is required: the words of the options, or [] to take your vote back",
        )),
        Some(Value::String(text)) if text.is_empty() => Ok(Vec::new()),
        Some(Value::Array(all)) => all.into_iter().map(one).collect(),
        Some(value) => Ok(vec![one(value)?]),
    }
}
