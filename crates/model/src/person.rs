//! People on WhatsApp, as it tells of them; not the people who sign in here ([`crate::user`]).

use serde::{Deserialize, Serialize};

use crate::{Address, Timestamp, message::Party};

/// A person, by what they let others see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonInfo {
    /// The line below the name. `None` where they hide it.
    pub about: Option<String>,
    /// Another one for each picture. `None` where there is none, or they hide it.
    pub picture_id: Option<String>,
    /// Of a business that WhatsApp has verified.
    pub verified_name: Option<String>,
    /// The id that goes with a number.
    pub lid: Option<Address>,
    /// 0 is the phone, others are linked devices.
    pub devices: Vec<u16>,
}

/// Where a picture lies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PictureLink {
    pub id: String,
    /// For some days.
    pub url: String,
}

/// What a business says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessProfile {
    pub description: String,
    pub address: Option<String>,
    pub email: Option<String>,
    pub websites: Vec<String>,
    pub categories: Vec<BusinessCategory>,
    /// Of its opening hours.
    pub timezone: Option<String>,
    pub hours: Vec<BusinessHours>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessCategory {
    pub id: String,
    pub name: String,
}

/// When a business is open on a day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BusinessHours {
    /// `mon`, `tue`, …
    pub day: String,
    /// `open_24h`, `specific_hours` or `appointment_only`.
    pub mode: String,
    /// Minutes since midnight.
    pub opens: Option<u32>,
    pub closes: Option<u32>,
}

/// Somebody that this number has blocked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// As WhatsApp's list has them.
    pub address: Address,
    /// The number, where it is known.
    pub number: Option<Address>,
}

/// Somebody came or went.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundPresence {
    pub who: Party,
    pub available: bool,
    /// When they were last there, where they let others see it.
    pub last_seen: Option<Timestamp>,
}

/// Something became of a person, or of a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct PersonChange {
    /// Of a picture perhaps a group.
    pub who: Party,
    pub at: Timestamp,
    pub change: Changed,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Changed {
    /// Another security code: another phone, or WhatsApp installed anew.
    SecurityCode,
    /// Another number; the change's own party is who they were before.
    Number { now: Party },
    /// Another picture. Without an id it was taken away.
    Picture {
        id: Option<String>,
        by: Option<Party>,
    },
}

/// Somebody calls, or a call is over.
#[derive(Clone, Debug, PartialEq)]
pub struct InboundCall {
    pub id: String,
    pub who: Party,
    /// Who began it, as the call itself names them, with the device.
    pub creator: String,
    /// As its stanza named them: who is to be told that it is declined.
    pub from: String,
    pub video: bool,
    /// A call of a group.
    pub group: Option<Address>,
    pub at: Timestamp,
    pub step: CallStep,
}

/// The part of a call that is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallStep {
    /// It rings.
    Offer,
    /// It is over; WhatsApp's word for why, where it says one.
    End(Option<String>),
    /// It rang and was over before anybody here could hear of it.
    Missed,
}
