//! Sound, and voice notes.

use recado_model::{
    ContentKind, MediaClass, MediaRef,
    content::{Media, MediaForm},
    media::FilledMedia,
};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message::AudioMessage},
};

use super::{
    Read, context,
    medium::{self, Medium as _},
    some,
};

/// A caption has no room in it: WhatsApp shows none under a sound.
pub(super) fn make(media: &Media, context: Option<wa::ContextInfo>) -> wa::Message {
    let message = wa::Message {
        audio_message: MessageField::some(AudioMessage {
            mimetype: Some(media.mime.clone()),
            ptt: Some(media.form == MediaForm::Voice),
            view_once: media.view_once.then_some(true),
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    };
    if media.view_once {
        return wa::Message {
            view_once_message_v2_extension: medium::wrapped(message),
            ..Default::default()
        };
    }
    message
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    message.audio_message.as_option()?;
    some(ContentKind::Audio, None)
}

pub(super) fn named(message: &wa::Message) -> Option<MediaRef> {
    message.audio_message.as_option()?.named(MediaClass::Audio)
}

pub(super) fn fill(message: &mut wa::Message, medium: &FilledMedia) -> Option<()> {
    let audio = message.audio_message.as_option_mut()?;
    audio.place(medium);
    audio.seconds = medium.looks.seconds;
    audio.waveform.clone_from(&medium.looks.waveform);
    audio.streaming_sidecar.clone_from(&medium.digest.sidecar);
    Some(())
}
