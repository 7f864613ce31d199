//! Films, and the round ones that are video notes.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp as wa;

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    let fields = [&message.video_message, &message.ptv_message];
    let video = fields.into_iter().find_map(|field| field.as_option())?;
    some(ContentKind::Video, video.caption.clone())
}
