//! What a phone sends of its past: `spool` keeps the frames until they are stored, `read` takes them apart, `message` and
//! `names` turn what is in them into our types.
//!
//! The phone is told that a frame has arrived before the library fetches it, and never sends one again. So the download is tried
//! for minutes (`http/streams.rs`), the frame is on the disk before the handler of its event returns, and each
//! announcement is noted, whatever becomes of its frame.

mod message;
mod names;
mod read;
mod spool;

use recado_model::History;
use whatsapp_rust::{
    types::events::InboundMessage as WaMessage,
    wacore::store::{DevicePropsOverride, device::default_history_sync_config},
    waproto::whatsapp::{
        device_props::{HistorySyncConfig, PlatformType},
        message::protocol_message::Type,
    },
};

use super::payload;

pub(super) use self::{
    read::{Reading, read},
    spool::{Spool, key_of, remove},
};

/// The days of a full history, as WhatsApp's own program asks for them.
const FULL_DAYS: u32 = 365;

/// Whether the phone says in it that a frame is to be fetched. The library has taken out where.
pub(super) fn is_announcement(item: &WaMessage) -> bool {
    let (message, _) = payload::unwrap(&item.message);
    let protocol = message.protocol_message.as_option();
    let kind = protocol.and_then(|protocol| protocol.r#type);
    item.info.source.is_from_me && kind == Some(Type::HISTORY_SYNC_NOTIFICATION)
}

/// What a new device says of itself: how much of its past the phone is to send goes by it. All of it is asked for in
/// the one form in which a program of WhatsApp's does so.
pub(super) fn props(name: &str, history: History) -> DevicePropsOverride {
    let props = DevicePropsOverride::new().with_os(name);
    match history {
        History::Off | History::Recent => props,
        History::Full => props
            .with_platform_type(PlatformType::UWP)
            .with_require_full_sync(true)
            .with_history_sync_config(HistorySyncConfig {
                full_sync_days_limit: Some(FULL_DAYS),
                on_demand_ready: Some(true),
                complete_on_demand_ready: Some(true),
                ..default_history_sync_config()
            }),
    }
}
