//! Pictures.

use recado_model::{ContentKind, MediaClass, MediaRef, content::Media, media::FilledMedia};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message::ImageMessage},
};

use super::{
    Read, context,
    medium::{self, Medium as _},
    some,
};

pub(super) fn make(media: &Media, context: Option<wa::ContextInfo>) -> wa::Message {
    let message = wa::Message {
        image_message: MessageField::some(ImageMessage {
            mimetype: Some(media.mime.clone()),
            caption: media.caption.clone(),
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

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let image = message.image_message.as_option()?;
    some(ContentKind::Image, image.caption.clone())
}

pub(super) fn named(message: &wa::Message) -> Option<MediaRef> {
    message.image_message.as_option()?.named(MediaClass::Image)
}

pub(super) fn fill(message: &mut wa::Message, medium: &FilledMedia) -> Option<()> {
    let image = message.image_message.as_option_mut()?;
    image.place(medium);
    (image.width, image.height) = medium::size(&medium.looks);
    image.jpeg_thumbnail.clone_from(&medium.looks.thumbnail);
    Some(())
}
