//! Files.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp as wa;

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let document = message.document_message.as_option()?;
    let caption = document.caption.clone();
    some(
        ContentKind::Document,
        caption.or_else(|| document.file_name.clone()),
    )
}
