//! Sound, and voice notes.

use recado_model::ContentKind;
use whatsapp_rust::waproto::whatsapp as wa;

use super::{Read, some};

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    message.audio_message.as_option()?;
    some(ContentKind::Audio, None)
}
