//! Places on the map, and where somebody is right now.

use recado_model::{ContentKind, content::Location};
use whatsapp_rust::waproto::{buffa::MessageField, whatsapp as wa};

use super::{Read, context, some};

pub(super) fn make(location: &Location, context: Option<wa::ContextInfo>) -> wa::Message {
    wa::Message {
        location_message: MessageField::some(wa::message::LocationMessage {
            degrees_latitude: Some(location.latitude),
            degrees_longitude: Some(location.longitude),
            name: location.name.clone(),
            address: location.address.clone(),
            context_info: context::field(context),
            ..Default::default()
        }),
        ..Default::default()
    }
}

pub(super) fn read(message: &wa::Message) -> Option<Read> {
    if let Some(location) = message.location_message.as_option() {
        let name = location.name.clone();
        return some(
            ContentKind::Location,
            name.or_else(|| location.address.clone()),
        );
    }
    let live = message.live_location_message.as_option()?;
    some(ContentKind::Location, live.caption.clone())
}
