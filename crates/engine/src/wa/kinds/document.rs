//! Files.

use recado_model::{ContentKind, MediaClass, MediaRef, content::Media, media::FilledMedia};
use whatsapp_rust::waproto::{
    buffa::MessageField,
    whatsapp::{self as wa, message::DocumentMessage},
};

use super::{
    Read, context,
    medium::{self, Medium as _},
    some,
};

/// One with a caption is in a wrapper: programs that know none would show the file without it.
pub(super) fn make(media: &Media, context: Option<wa::ContextInfo>) -> wa::Message {
    let message = wa::Message {
        document_message: MessageField::some(DocumentMessage {
            mimetype: Some(media.mime.clone()),
            title: media.file_name.clone(),
            file_name: media.file_name.clone(),
            caption: media.caption.clone(),
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    };
    if media.caption.is_some() {
        return wa::Message {
            document_with_caption_message: medium::wrapped(message),
            ..Default::default()
        };
    }
    message
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let document = message.document_message.as_option()?;
    let caption = document.caption.clone();
    some(
        ContentKind::Document,
        caption.or_else(|| document.file_name.clone()),
    )
}

pub(super) fn named(message: &wa::Message) -> Option<MediaRef> {
    let document = message.document_message.as_option()?;
    let medium = document.named(MediaClass::Document)?;
    let file_name = document.file_name.clone();
    Some(MediaRef {
        file_name: file_name.or_else(|| document.title.clone()),
        ..medium
    })
}

pub(super) fn fill(message: &mut wa::Message, medium: &FilledMedia) -> Option<()> {
    let document = message.document_message.as_option_mut()?;
    document.place(medium);
    document.jpeg_thumbnail.clone_from(&medium.looks.thumbnail);
    Some(())
}
