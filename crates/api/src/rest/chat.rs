//! What is sent into chats, and what is read of it. Links and menus are in `links`, media in `media`, polls in
//! `polls`, what a chat is told beside messages in `signals`, what is done to earlier messages in `acts`, what is
//! passed on in `forward`.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{Accepted, App, SendMessage, SendOptions};
use recado_model::{
    Address, Content, Error, MessageId,
    content::{ContactCard, ContactCards, Location, Text},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::Answer,
    error::Fail,
    extract::{Loose, Names, Segment, decimal, some_whole, text_or_number},
    shapes::message::no_such_message,
};

use super::{Envelope, enveloped};

/// A body of a send: fields of its kind, and those that every kind has.
macro_rules! send_body {
    ($name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Deserialize, JsonSchema)]
        pub struct $name {
            #[serde(deserialize_with = "text_or_number")]
            #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
            phone: String,
            $($(#[$attr])* $field: $type,)*
            /// The caller's own message id.
            #[serde(default)]
            id: Option<String>,
            /// Milliseconds.
            #[serde(default, deserialize_with = "some_whole")]
            #[schemars(range(min = 0, max = 86_400_000))]
            delay: Option<i64>,
            /// RFC 3339. A message whose first try has not begun by then is not sent any more: it has failed.
            #[serde(default, alias = "validUntil")]
            #[schemars(extend("format" = "date-time"))]
            valid_until: Option<String>,
            #[serde(default, alias = "mentionedIds")]
            mentioned_ids: Option<Names>,
            #[serde(default, alias = "replyToMessageId")]
            reply_to_message_id: Option<String>,
        }

        impl $name {
            /// To whom, and how.
            fn address(self) -> (String, SendOptions) {
                let how = SendOptions {
                    id: given(self.id),
                    delay_ms: self.delay,
                    valid_until: self.valid_until,
                    mentioned_ids: self.mentioned_ids.map(|Names(ids)| ids).unwrap_or_default(),
                    reply_to_message_id: given(self.reply_to_message_id),
                    once_in_account: false,
                };
                (self.phone, how)
            }
        }
    };
}

pub mod acts;
pub mod downloads;
pub mod forward;
pub mod links;
pub mod media;
pub mod polls;
pub mod signals;
mod status;

use status::StatusBody;

/// A message without a medium, of a body that was read.
fn send((to, how): (String, SendOptions), content: Content) -> SendMessage {
    SendMessage { to, content, how }
}

/// Clients send `""` for what was not given.
fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

send_body!(TextBody {
    #[schemars(length(min = 1, max = 65_536))]
    message: String,
});

send_body!(LocationBody {
    /// Degrees.
    #[serde(deserialize_with = "decimal")]
    #[schemars(range(min = -90, max = 90))]
    latitude: f64,
    /// Degrees.
    #[serde(deserialize_with = "decimal")]
    #[schemars(range(min = -180, max = 180))]
    longitude: f64,
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    name: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    address: Option<String>,
});

#[derive(Deserialize, JsonSchema)]
pub struct CardBody {
    /// How the card names the person.
    #[serde(default, alias = "contactName", alias = "name")]
    #[schemars(length(min = 1, max = 255))]
    contact_name: String,
    /// The number on the card; it need not be on WhatsApp.
    #[serde(
        default,
        alias = "contactPhone",
        alias = "phone",
        deserialize_with = "text_or_number"
    )]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    contact_phone: String,
}

send_body!(ContactBody {
    /// How the card names the person.
    #[serde(default, alias = "contactName")]
    #[schemars(length(min = 1, max = 255))]
    contact_name: String,
    /// The number on the card; it need not be on WhatsApp.
    #[serde(default, alias = "contactPhone", deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    contact_phone: String,
    /// Several cards in one message, in place of the one.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    contacts: Option<Vec<CardBody>>,
});

#[derive(Serialize, JsonSchema)]
pub struct Queued {
    message_id: String,
    #[serde(flatten)]
    to: To,
}

impl From<Accepted> for Queued {
    fn from(accepted: Accepted) -> Self {
        Self {
            message_id: accepted.id.as_str().to_owned(),
            to: To::from(&accepted.to),
        }
    }
}

/// Where a message goes.
#[derive(Serialize, JsonSchema)]
struct To {
    /// The address of the chat.
    chat: String,
    /// The number, as WhatsApp has it: it may be another form than the one given, where a country has changed its
    /// numbers. `null` of groups.
    phone: Option<String>,
}

impl From<&Address> for To {
    fn from(to: &Address) -> Self {
        Self {
            chat: to.as_str().to_owned(),
            phone: to.number().map(str::to_owned),
        }
    }
}

/// Queues a text message to a phone.
///
/// It is stored before this is answered, and then sent in order. `delay` holds it back, `valid_until`
/// gives it up.
#[operation]
pub async fn send_text(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<TextBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let text = Text::new(std::mem::take(&mut body.message))?;
    accept(&access, &app, send(body.address(), Content::Text(text))).await
}

/// Queues a place on the map to a phone.
///
/// Phones show it with its name and address, where they are given.
#[operation]
pub async fn send_location(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<LocationBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let (name, address) = (body.name.take(), body.address.take());
    let location = Location::new(body.latitude, body.longitude, name, address)?;
    accept(
        &access,
        &app,
        send(body.address(), Content::Location(location)),
    )
    .await
}

/// Queues a contact card, or several, to a phone.
///
/// Whoever gets one can keep it in the address book, or write to the number.
#[operation]
pub async fn send_contact(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<ContactBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let several = body.contacts.take().filter(|cards| !cards.is_empty());
    let content = match several {
        None => Content::Contact(ContactCard::new(&body.contact_name, &body.contact_phone)?),
        Some(_) if !body.contact_name.is_empty() || !body.contact_phone.is_empty() => {
            let text =
                "contacts: give the cards here, or one card by contact_name and contact_phone";
            return Err(Error::field("contacts", text).into());
        }
        Some(cards) => {
            let cards = cards.into_iter();
            let cards: Vec<_> = cards
                .map(|card| (card.contact_name, card.contact_phone))
                .collect();
            Content::Contacts(ContactCards::new(&cards)?)
        }
    };
    accept(&access, &app, send(body.address(), content)).await
}

async fn accept(
    access: &InstanceAccess<Developer>,
    app: &App,
    send: SendMessage,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let accepted = app.messages().send(&access.granted, send).await?;
    Ok(enveloped(accepted.into()))
}

/// Tells how far a message got, what it holds, and what was done to it.
#[operation]
pub async fn read_message(
    InstanceAccess { granted, .. }: InstanceAccess<Viewer>,
    State(app): State<App>,
    Segment((_, id)): Segment<(String, String)>,
) -> Result<Answer<Envelope<StatusBody>>, Fail> {
    let id = MessageId::from_wire(id);
    let found = app.messages().detail(&granted, &id).await?;
    let detail = found.ok_or_else(no_such_message)?;
    Ok(enveloped(detail.into()))
}
