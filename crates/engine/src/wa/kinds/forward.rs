//! Messages that are passed on as they are. Media stay where they lie at WhatsApp.

use recado_model::content::Forward;
use whatsapp_rust::{
    wacore::proto_helpers::MessageExt as _,
    waproto::{buffa::Message as _, whatsapp as wa},
};

use super::{super::payload, medium};

/// From so many times on, programs show "forwarded many times", and write it as this number.
const MANY: u32 = 5;
const MANY_TIMES: u32 = 127;

/// The message made ready: without its quote, its mentions and its secret. `None` of one that is to be seen once.
/// What `own` has written is not marked as forwarded, unless it was before.
pub(super) fn ready(proto: &[u8], own: bool) -> Option<Vec<u8>> {
    let mut message = wa::Message::decode_from_slice(proto).ok()?;
    if message.is_view_once() {
        return None;
    }
    let mut ready = *message.prepare_for_forward();
    let before = context(medium::inner(&mut message)).map(|context| Mark::of(context));
    if let Some(context) = context(medium::inner(&mut ready)) {
        before.unwrap_or_default().again(own).write(context);
        // The chat that it goes to has a timer of its own, or none.
        context.expiration = None;
        context.ephemeral_setting_timestamp = None;
    }
    payload::without_keys(&mut ready);
    Some(ready.encode_to_vec())
}

pub(super) fn make(forward: &Forward) -> wa::Message {
    // Encoded by `ready` a moment ago.
    wa::Message::decode_from_slice(&forward.proto).unwrap_or_default()
}

/// Whether a message shows that it was forwarded, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    shown: bool,
    times: u32,
}

impl Mark {
    fn of(context: &wa::ContextInfo) -> Self {
        let shown = context.is_forwarded.unwrap_or_default();
        let times = context.forwarding_score;
        Self {
            shown,
            times: times.unwrap_or(u32::from(shown)),
        }
    }

    /// As WhatsApp's own programs count it. The library leaves out what it was not marked with before; a program
    /// shows nothing of a message that was forwarded no times.
    fn again(self, own: bool) -> Self {
        let shown = self.shown || !own;
        let times = self.times.saturating_add(u32::from(shown));
        Self {
            shown,
            times: if times >= MANY { MANY_TIMES } else { times },
        }
    }

    fn write(self, context: &mut wa::ContextInfo) {
        context.is_forwarded = self.shown.then_some(true);
        context.forwarding_score = (self.times > 0).then_some(self.times);
    }
}

/// Of the content, in whichever kind it is. A bare text has none.
fn context(message: &mut wa::Message) -> Option<&mut wa::ContextInfo> {
    macro_rules! first_of {
        ($($field:ident),*) => {$(
            if let Some(content) = message.$field.as_option_mut() {
                return Some(content.context_info.get_or_insert_default());
            }
        )*};
    }
    first_of!(
        extended_text_message,
        image_message,
        video_message,
        ptv_message,
        audio_message,
        document_message,
        sticker_message,
        location_message,
        live_location_message,
        contact_message,
        contacts_array_message,
        poll_creation_message,
        poll_creation_message_v2,
        poll_creation_message_v3,
        buttons_message,
        list_message,
        template_message,
        interactive_message,
        product_message,
        order_message,
        group_invite_message,
        event_message
    );
    None
}

#[cfg(test)]
mod tests {
    use whatsapp_rust::waproto::{buffa::MessageField, whatsapp::message};

    use super::*;

    fn marked(shown: Option<bool>, times: Option<u32>) -> wa::ContextInfo {
        wa::ContextInfo {
            is_forwarded: shown,
            forwarding_score: times,
            stanza_id: Some("3EB0AA".into()),
            ..Default::default()
        }
    }

    fn passed_on(message: &wa::Message, own: bool) -> wa::Message {
        let ready = ready(&message.encode_to_vec(), own).expect("it can be");
        wa::Message::decode_from_slice(&ready).expect("decodes")
    }

    #[test]
    fn it_is_marked_and_counted_as_whatsapp_does() {
        for (shown, times, own, expected) in [
            (None, None, false, (Some(true), Some(1))),
            (None, None, true, (None, None)),
            (Some(true), None, false, (Some(true), Some(2))),
            (Some(true), Some(1), false, (Some(true), Some(2))),
            (Some(true), Some(1), true, (Some(true), Some(2))),
            (Some(true), Some(4), true, (Some(true), Some(127))),
            (Some(true), Some(127), false, (Some(true), Some(127))),
        ] {
            let message = wa::Message {
                location_message: MessageField::some(message::LocationMessage {
                    context_info: MessageField::some(marked(shown, times)),
                    ..Default::default()
                }),
                ..Default::default()
            };
            let ready = passed_on(&message, own);
            let place = ready.location_message.as_option().expect("a place");
            let context = place.context_info.as_option().expect("a context");
            let mark = (context.is_forwarded, context.forwarding_score);
            assert_eq!(mark, expected, "{shown:?} {times:?} own: {own}");
            assert_eq!(context.stanza_id, None, "what it answered");
        }
    }

    #[test]
    fn a_bare_text_and_a_wrapped_file_are_marked_too() {
        let text = wa::Message {
            conversation: Some("hello".into()),
            ..Default::default()
        };
        let ready = passed_on(&text, false);
        let text = ready.extended_text_message.as_option().expect("a text");
        let mark = text.context_info.as_option().map(Mark::of);
        let once = Mark {
            shown: true,
            times: 1,
        };
        assert_eq!(mark, Some(once));
        let file = wa::Message {
            document_with_caption_message: medium::wrapped(wa::Message {
                document_message: MessageField::some(message::DocumentMessage {
                    caption: Some("read this".into()),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let mut ready = passed_on(&file, false);
        let context = context(medium::inner(&mut ready)).expect("a context");
        assert_eq!(Mark::of(context), once);
    }
}
