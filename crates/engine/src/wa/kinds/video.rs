//! Films, those that play again and again without a sound, and the round ones that are video notes.

use recado_model::{
    ContentKind, MediaClass, MediaRef,
    content::{Media, MediaForm},
    media::FilledMedia,
};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message::VideoMessage},
};

use super::{
    Read, context,
    medium::{self, Medium as _},
    some,
};

pub(super) fn make(media: &Media, context: Option<wa::ContextInfo>) -> wa::Message {
    let message = wa::Message {
        video_message: MessageField::some(VideoMessage {
            mimetype: Some(media.mime.clone()),
            caption: media.caption.clone(),
            gif_playback: (media.form == MediaForm::Gif).then_some(true),
            view_once: media.view_once.then_some(true),
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    };
    if media.view_once {
        return wa::Message {
            view_once_message_v2: medium::wrapped(message),
            ..Default::default()
        };
    }
    message
}

fn video(message: &wa::Message) -> Option<&VideoMessage> {
    let fields = [&message.video_message, &message.ptv_message];
    fields.into_iter().find_map(|field| field.as_option())
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    some(ContentKind::Video, video(message)?.caption.clone())
}

pub(super) fn named(message: &wa::Message) -> Option<MediaRef> {
    video(message)?.named(MediaClass::Video)
}

pub(super) fn fill(message: &mut wa::Message, medium: &FilledMedia) -> Option<()> {
    let video = message.video_message.as_option_mut()?;
    video.place(medium);
    (video.width, video.height) = medium::size(&medium.looks);
    video.seconds = medium.looks.seconds;
    video.jpeg_thumbnail.clone_from(&medium.looks.thumbnail);
    video.streaming_sidecar.clone_from(&medium.digest.sidecar);
    Some(())
}
