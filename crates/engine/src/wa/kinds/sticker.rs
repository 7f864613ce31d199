//! Stickers.

use recado_model::{ContentKind, MediaClass, MediaRef, content::Media, media::FilledMedia};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message::StickerMessage},
};

use super::{
    Read, context,
    medium::{self, Medium as _},
    some,
};

pub(super) fn make(media: &Media, context: Option<wa::ContextInfo>) -> wa::Message {
    wa::Message {
        sticker_message: MessageField::some(StickerMessage {
            mimetype: Some(media.mime.clone()),
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    message.sticker_message.as_option()?;
    some(ContentKind::Sticker, None)
}

pub(super) fn named(message: &wa::Message) -> Option<MediaRef> {
    let sticker = message.sticker_message.as_option()?;
    sticker.named(MediaClass::Sticker)
}

pub(super) fn fill(message: &mut wa::Message, medium: &FilledMedia) -> Option<()> {
    let sticker = message.sticker_message.as_option_mut()?;
    sticker.place(medium);
    (sticker.width, sticker.height) = medium::size(&medium.looks);
    sticker.is_animated = Some(medium.looks.animated);
    Some(())
}
