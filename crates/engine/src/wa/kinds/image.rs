//! Pictures.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp as wa;

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let image = message.image_message.as_option()?;
    some(ContentKind::Image, image.caption.clone())
}
