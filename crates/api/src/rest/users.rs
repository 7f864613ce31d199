//! People on WhatsApp: who is there, what they let others see, whom this number blocks. What others see of this
//! number is in `profile`.

pub mod blocking;
pub mod business;
pub mod profile;

use std::collections::BTreeMap;

use axum::extract::State;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_api_macros::operation;
use recado_app::{App, CheckedNumber, Described};
use recado_model::{Address, Error};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Envelope, enveloped};
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{Loose, OneOrMany, text_or_number},
};

/// A person, by number or address.
#[derive(Deserialize, JsonSchema)]
pub struct PersonBody {
    /// A number, or the address of a person.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schemars(with = "String")]
    phone: String,
}

impl PersonBody {
    fn phone(&self) -> Result<&str, Error> {
        required(&self.phone)
    }
}

fn required(phone: &str) -> Result<&str, Error> {
    match phone.trim() {
        "" => Err(Error::field("phone", "phone is required: a number")),
        phone => Ok(phone),
    }
}

/// One person or several.
#[derive(Deserialize, JsonSchema)]
pub struct PeopleBody {
    /// A number, or a list of them.
    #[serde(default)]
    phone: OneOrMany,
}

#[derive(Serialize, JsonSchema)]
pub struct Checked {
    users: Vec<CheckedUser>,
}

/// A number, and whether it is on WhatsApp.
#[derive(Serialize, JsonSchema)]
struct CheckedUser {
    /// As it was asked for, in digits; an id as it is.
    phone: String,
    exists: bool,
    /// Where WhatsApp has it, which may be in a corrected form, and of an id the number, where it is known; `null`: nowhere.
    jid: Option<String>,
    /// The id that goes with it.
    lid: Option<String>,
}

impl CheckedUser {
    fn of(checked: CheckedNumber) -> Self {
        Self {
            phone: checked.asked,
            exists: checked.address.is_some(),
            jid: checked.address.map(String::from),
            lid: checked.lid.map(String::from),
        }
    }
}

/// Tells which numbers are on WhatsApp.
///
/// One or up to 5000, ids of people (`…@lid`) among them. An answer is remembered for a day, that a number is not there for an hour; the rest is asked for
/// 200 at a time, at a pace that does not risk the number.
#[operation]
pub async fn check(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<PeopleBody>,
) -> Result<Answer<Envelope<Checked>>, Fail> {
    let OneOrMany(phones) = body.phone;
    let people = app.people();
    let found = people.check(&access.granted, &phones).await?;
    let users = found.into_iter().map(CheckedUser::of).collect();
    Ok(enveloped(Checked { users }))
}

#[derive(Serialize, JsonSchema)]
pub struct People {
    /// By address. Who is not on WhatsApp is not in it.
    users: BTreeMap<String, Person>,
}

/// What a person lets others see.
#[derive(Serialize, JsonSchema)]
struct Person {
    /// Of a business that WhatsApp has verified.
    verified_name: Option<String>,
    /// The line below the name; `null` where they hide it.
    status: Option<String>,
    /// Another one for each picture; `null` where there is none, or they hide it.
    picture_id: Option<String>,
    /// Addresses of the phone and the linked devices.
    devices: Vec<String>,
    lid: Option<String>,
    phone: Option<String>,
}

impl Person {
    fn of(described: Described) -> (String, Self) {
        let Described { address, info } = described;
        let devices = info
            .devices
            .iter()
            .map(|device| device_of(&address, *device));
        let person = Self {
            devices: devices.collect(),
            verified_name: info.verified_name,
            status: info.about,
            picture_id: info.picture_id,
            lid: info.lid.map(String::from),
            phone: address.number().map(str::to_owned),
        };
        (String::from(address), person)
    }
}

/// `5511999999999:3@s.whatsapp.net`; the phone itself has no part of its own.
fn device_of(person: &Address, device: u16) -> String {
    match (device, person.as_str().split_once('@')) {
        (1.., Some((user, server))) => format!("{user}:{device}@{server}"),
        _ => person.to_string(),
    }
}

/// Shows what people let others see: up to 100 of them.
#[operation]
pub async fn info(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<PeopleBody>,
) -> Result<Answer<Envelope<People>>, Fail> {
    let OneOrMany(phones) = body.phone;
    let people = app.people();
    let told = people.describe(&access.granted, &phones).await?;
    let users = told.into_iter().map(Person::of).collect();
    Ok(enveloped(People { users }))
}

#[derive(Deserialize, JsonSchema)]
pub struct AvatarBody {
    /// A number, or the address of a person or group.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schemars(with = "String")]
    phone: String,
    /// The small picture.
    #[serde(default)]
    preview: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub struct AvatarAnswer {
    base64: String,
    mimetype: &'static str,
    /// Another one for each picture.
    picture_id: String,
}

/// Fetches the picture of a person or a group.
///
/// 404 where there is none, or this number may not see it.
#[operation]
pub async fn avatar(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<AvatarBody>,
) -> Result<Answer<Envelope<AvatarAnswer>>, Fail> {
    let phone = required(&body.phone)?;
    let preview = body.preview.unwrap_or(false);
    let people = app.people();
    let avatar = people.avatar(&access.granted, phone, preview).await?;
    Ok(enveloped(AvatarAnswer {
        base64: BASE64_STANDARD.encode(&avatar.bytes),
        mimetype: avatar.mime,
        picture_id: avatar.id,
    }))
}

#[derive(Deserialize, JsonSchema)]
pub struct WatchBody {
    /// A number, or the address of a person.
    #[serde(default, deserialize_with = "text_or_number")]
    #[schemars(with = "String")]
    phone: String,
    /// `false`: no longer.
    #[serde(default)]
    subscribe: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
pub struct Watched {
    #[schemars(with = "String")]
    jid: Address,
    subscribed: bool,
    details: &'static str,
}

/// Begins to hear when somebody comes and goes, or stops.
///
/// `Presence` events tell it, over reconnections and restarts. WhatsApp tells it only to numbers that show themselves:
/// set `presence: available` on the instance. Of up to 200 people.
#[operation]
pub async fn presence(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<WatchBody>,
) -> Result<Answer<Envelope<Watched>>, Fail> {
    let phone = required(&body.phone)?;
    let subscribed = body.subscribe.unwrap_or(true);
    let people = app.people();
    let (jid, shows) = people.watch(&access.granted, phone, subscribed).await?;
    let details = match (subscribed, shows) {
        (false, _) => "No more Presence events come of this person.",
        (true, true) => "Presence events come of this person.",
        (true, false) => {
            "WhatsApp tells it only to numbers that show themselves: set presence to available on the instance."
        }
    };
    Ok(enveloped(Watched {
        jid,
        subscribed,
        details,
    }))
}
