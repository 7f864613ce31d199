//! Polls, in every form that WhatsApp gave them.

use recado_model::{ContentKind, Timestamp, content::Poll};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{
        self as wa,
        message::{PollContentType, PollCreationMessage, poll_creation_message::Option as Choice},
    },
};

use super::{Read, context, some};

/// Nobody's program makes a poll with more; each is named in events.
const OPTIONS_MOST: usize = 100;

/// Of one choice and of several are two forms, as phones write them.
pub(super) fn make(poll: &Poll, context: Option<wa::ContextInfo>) -> wa::Message {
    let choice = |name: &String| Choice {
        option_name: Some(name.clone()),
        ..Default::default()
    };
    let made = MessageField::some(PollCreationMessage {
        name: Some(poll.name.clone()),
        options: poll.options.iter().map(choice).collect(),
        selectable_options_count: Some(poll.selectable),
        context_info: context::field(context),
        poll_content_type: Some(PollContentType::TEXT),
        end_time: poll.end_time.map(Timestamp::as_millis),
        hide_participant_name: poll.hide_participant_names.then_some(true),
        allow_add_option: poll.allow_add_option.then_some(true),
        ..Default::default()
    });
    let mut message = wa::Message::default();
    match poll.selectable {
        1 => message.poll_creation_message_v3 = made,
        _ => message.poll_creation_message = made,
    }
    message
}

/// The poll in a message without wrappers; one form has a wrapper of its own.
fn created(message: &wa::Message) -> Option<&PollCreationMessage> {
    let wrapped = message.poll_creation_message_v4.as_option();
    let wrapped = wrapped.and_then(|wrapper| wrapper.message.as_option());
    [Some(message), wrapped]
        .into_iter()
        .flatten()
        .find_map(bare)
}

fn bare(message: &wa::Message) -> Option<&PollCreationMessage> {
    let forms = [
        &message.poll_creation_message,
        &message.poll_creation_message_v2,
        &message.poll_creation_message_v3,
        &message.poll_creation_message_v5,
        &message.poll_creation_message_v6,
    ];
    forms.into_iter().find_map(|form| form.as_option())
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    some(ContentKind::Poll, created(message)?.name.clone())
}

/// What can be chosen of it.
pub(super) fn sheet(message: &wa::Message) -> Option<Poll> {
    let poll = created(message)?;
    let names = poll.options.iter().take(OPTIONS_MOST);
    Some(Poll {
        name: poll.name.clone().unwrap_or_default(),
        options: names
            .filter_map(|option| option.option_name.clone())
            .collect(),
        selectable: poll.selectable_options_count.unwrap_or_default(),
        hide_participant_names: poll.hide_participant_name.unwrap_or_default(),
        end_time: poll.end_time.filter(|end| *end > 0).map(Timestamp),
        allow_add_option: poll.allow_add_option.unwrap_or_default(),
    })
}
