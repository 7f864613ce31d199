//! Sending.

use recado_app::{Accepted, Given, MessageView, SendMedia, SendMessage, SendOptions};
use recado_identity::{Calls, Granted, ShopToken};
use recado_model::{
    AccountId, ConnectionState, Content, Error, ErrorCode, Instance, MessageId, MessageStatus,
    Result,
    content::{ContactCard, Location, MediaForm, Text},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::extract::{decimal, name_in_url, number, some_number, text_or_number};

use super::{
    Effect, ToolAnswer, ToolCall, ToolEntry,
    confirm::{Asked, Words},
    tool,
};

/// How long a call waits for WhatsApp to take the message before it is answered `queued`.
const PATIENCE_MS: i64 = 4_000;
const KEY_OF_ANOTHER: &str =
    "idempotency_key was used for another message; give each message its own key";

/// What the contract's senders take beside ours, at one time or another, with what asks for nothing.
const LATER: [(&str, &str); 8] = [
    ("archive_after_send", ""),
    ("archive_policy", "never"),
    ("customer_locale", ""),
    ("direction", ""),
    ("from_phone", ""),
    ("marketing", ""),
    ("scheduled_at", ""),
    ("sender_role", "general"),
];

pub(super) fn tools() -> Vec<ToolEntry> {
    vec![
        tool(
            "send_whatsapp_message",
            "Enviar mensaje de WhatsApp",
            "Send a text, or a file by its public URL, to a phone. The answer says sent, or queued when it goes out a little later.",
            Effect::Mutation,
            send,
        )
        .confirmed(ask_send)
        .without(&LATER),
        tool(
            "send_whatsapp_location",
            "Enviar ubicacion de WhatsApp",
            "Send a place on the map to a phone. The answer says sent, or queued when it goes out a little later.",
            Effect::Mutation,
            send_location,
        )
        .confirmed(ask_location)
        .without(&LATER),
        tool(
            "send_whatsapp_contact",
            "Enviar contacto de WhatsApp",
            "Send a contact card (a name and a number) to a phone. The answer says sent, or queued when it goes out a little later.",
            Effect::Mutation,
            send_contact,
        )
        .confirmed(ask_contact)
        .without(&LATER),
        tool(
            "get_whatsapp_outbound_delivery_status",
            "Consultar entrega de un envio de WhatsApp",
            "Where the message of an idempotency_key stands. Only status sent with a message_id proves that WhatsApp has it.",
            Effect::Query,
            delivery_status,
        ),
        tool(
            "get_whatsapp_outbound_queue_status",
            "Consultar cola de envio de WhatsApp",
            "Where the message of a queue_id stands. Only status sent with a message_id proves that WhatsApp has it.",
            Effect::Query,
            queue_status,
        ),
    ]
}

#[derive(Deserialize, JsonSchema)]
struct SendArgs {
    /// International number with country code, for example +34600000000
    #[serde(deserialize_with = "text_or_number")]
    #[schemars(with = "String")]
    phone: String,
    /// The text; required unless media_url is given
    #[serde(default)]
    message: Option<String>,
    /// Send from this session (its numeric id); by default the first connected one
    #[serde(default, deserialize_with = "some_number")]
    session_id: Option<i64>,
    /// Logical sender; session_id wins over it. With several numbers connected, give session_id instead
    #[serde(default)]
    sender_role: Option<SenderRole>,
    /// Public URL of a file to send
    #[serde(default)]
    media_url: Option<String>,
    /// What the file is sent as; image by default
    #[serde(default)]
    media_type: Option<MediaKind>,
    /// Written under the file; message by default
    #[serde(default)]
    caption: Option<String>,
    /// Do not begin to send after this time (RFC 3339, for example 2026-01-31T12:00:00Z)
    #[serde(default)]
    valid_until: Option<String>,
    /// The same key never sends twice
    #[serde(default)]
    idempotency_key: Option<String>,
}

/// Arguments of a tool that sends: fields of its kind, and those that say to whom and how.
macro_rules! send_args {
    ($name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Deserialize, JsonSchema)]
        struct $name {
            /// International number with country code, for example +34600000000
            #[serde(deserialize_with = "text_or_number")]
            #[schemars(with = "String")]
            phone: String,
            $($(#[$attr])* $field: $type,)*
            /// Send from this session (its numeric id); by default the first connected one
            #[serde(default, deserialize_with = "some_number")]
            session_id: Option<i64>,
            /// Do not begin to send after this time (RFC 3339, for example 2026-01-31T12:00:00Z)
            #[serde(default)]
            valid_until: Option<String>,
            /// The same key never sends twice
            #[serde(default)]
            idempotency_key: Option<String>,
        }

        impl From<$name> for SendTo {
            fn from(args: $name) -> Self {
                Self {
                    phone: args.phone,
                    number: args.session_id,
                    valid_until: args.valid_until,
                    key: args.idempotency_key,
                }
            }
        }
    };
}

send_args!(LocationArgs {
    /// Degrees, -90 to 90
    #[serde(deserialize_with = "decimal")]
    latitude: f64,
    /// Degrees, -180 to 180
    #[serde(deserialize_with = "decimal")]
    longitude: f64,
    /// What the place is called
    #[serde(default)]
    name: Option<String>,
    /// Its address, for people to read
    #[serde(default)]
    address: Option<String>,
});

send_args!(ContactArgs {
    /// How the card names the person
    contact_name: String,
    /// The number on the card, with country code; it need not be on WhatsApp
    #[serde(deserialize_with = "text_or_number")]
    #[schemars(with = "String")]
    contact_phone: String,
});

/// Roles are not assigned to numbers: `general` is the first connected one, the others want the choice made.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SenderRole {
    General,
    Operations,
    Marketing,
}

/// The contract's kinds of files.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum MediaKind {
    Image,
    Video,
    Audio,
    Document,
}

/// The contract's fields.
#[derive(Serialize)]
struct Outcome<'a> {
    success: bool,
    accepted: bool,
    status: &'static str,
    queued: bool,
    queue_id: Option<i64>,
    scheduled_at: Option<&'a str>,
    /// Only once WhatsApp has it: that is how callers tell a physical send.
    message_id: Option<&'a str>,
    data: Details<'a>,
}

#[derive(Serialize)]
struct Details<'a> {
    session_id: i64,
    phone: &'a str,
    /// Fixed from the beginning; a queued message goes out under it.
    message_id: &'a str,
}

#[derive(Deserialize, JsonSchema)]
struct KeyArgs {
    /// The key that the send was given
    idempotency_key: String,
}

#[derive(Deserialize, JsonSchema)]
struct QueueArgs {
    /// The queue_id that the send answered
    #[serde(deserialize_with = "number")]
    queue_id: i64,
}

/// A send of before, as the ledger has it.
#[derive(Serialize)]
struct LedgerEntry<'a> {
    success: bool,
    /// `queued`, `retry_sending`, `sent_unconfirmed`, `sent` or `failed`.
    status: &'static str,
    queue_id: Option<i64>,
    /// Only once WhatsApp has it.
    message_id: Option<&'a str>,
    session_id: i64,
    /// How far it got beyond `sent`.
    delivery: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    what_to_do: Option<&'a str>,
    updated_at: String,
}

/// The ledger's word for where a message stands.
fn ledger(view: &MessageView) -> &'static str {
    match view.status {
        MessageStatus::Queued | MessageStatus::Sending if view.again => "retry_sending",
        MessageStatus::Queued | MessageStatus::Sending | MessageStatus::Received => "queued",
        MessageStatus::Unconfirmed => "sent_unconfirmed",
        MessageStatus::Sent | MessageStatus::Delivered | MessageStatus::Read => "sent",
        MessageStatus::Failed => "failed",
        MessageStatus::Cancelled => "cancelled",
    }
}

fn entry((granted, view): (Granted<ShopToken>, MessageView)) -> Result<ToolAnswer> {
    let failure = view.failure.as_ref();
    ToolAnswer::json(&LedgerEntry {
        success: !matches!(
            view.status,
            MessageStatus::Failed | MessageStatus::Cancelled
        ),
        status: ledger(&view),
        queue_id: view.queue_id,
        message_id: view.status.is_sent().then_some(view.id.as_str()),
        session_id: granted.instance().number,
        delivery: view.status.as_str(),
        code: failure.map(|failure| failure.code.as_str()),
        reason: failure.map(|failure| failure.meaning.as_str()),
        what_to_do: failure.map(|failure| failure.what_to_do),
        updated_at: view.updated_at.to_rfc3339(),
    })
}

async fn delivery_status(call: ToolCall, args: KeyArgs) -> Result<ToolAnswer> {
    let key = &args.idempotency_key;
    if key.trim().is_empty() {
        let text = "idempotency_key is required: the key that the send was given";
        return Err(Error::field("idempotency_key", text));
    }
    let id = MessageId::from_wire(stable_id(&call.shop.caller().account, key));
    let messages = call.app.messages();
    let found = messages.find_anywhere(&call.shop, &id).await?;
    entry(found.ok_or_else(|| {
        let text = "no send with this idempotency_key is known in this shop";
        Error::new(ErrorCode::NotFound, text)
    })?)
}

async fn queue_status(call: ToolCall, args: QueueArgs) -> Result<ToolAnswer> {
    let messages = call.app.messages();
    let found = messages.find_in_queue(&call.shop, args.queue_id).await?;
    entry(found.ok_or_else(|| {
        let text = "no send with this queue_id is known in this shop";
        Error::new(ErrorCode::NotFound, text)
    })?)
}

async fn send(call: ToolCall, args: SendArgs) -> Result<ToolAnswer> {
    let (route, said) = routed(&call, args).await?;
    deliver(call, route, said).await
}

async fn ask_send(call: ToolCall, args: SendArgs) -> Result<Asked> {
    let (route, said) = routed(&call, args).await?;
    ask(call, route, said).await
}

async fn routed(call: &ToolCall, args: SendArgs) -> Result<(SendTo, Said)> {
    let said = match given(args.media_url) {
        None => Said::Content(Content::Text(Text::new(args.message.unwrap_or_default())?)),
        Some(url) => {
            let form = match args.media_type {
                None | Some(MediaKind::Image) => MediaForm::Image,
                Some(MediaKind::Video) => MediaForm::Video,
                Some(MediaKind::Audio) => MediaForm::Audio,
                Some(MediaKind::Document) => MediaForm::Document,
            };
            // Sounds have none, and models write a message all the same.
            let said = given(args.message).filter(|_| form != MediaForm::Audio);
            let caption = given(args.caption).or(said);
            Said::Medium { form, url, caption }
        }
    };
    let route = SendTo {
        phone: args.phone,
        number: args.session_id,
        valid_until: args.valid_until,
        key: args.idempotency_key,
    };
    match args.sender_role {
        Some(SenderRole::Operations | SenderRole::Marketing) if route.number.is_none() => {
            require_one_number(call).await?;
        }
        Some(SenderRole::General | SenderRole::Operations | SenderRole::Marketing) | None => {}
    }
    Ok((route, said))
}

/// Roles are not assigned to numbers here: where there is a choice, a role does not make it.
async fn require_one_number(call: &ToolCall) -> Result<()> {
    let all = call.app.instances().all(&call.shop).await?;
    let connected = all.iter().map(Granted::instance);
    let connected = connected.filter(|one| one.state == ConnectionState::Connected);
    let ids: Vec<String> = connected.map(|one| one.number.to_string()).collect();
    match ids.len() {
        0 | 1 => Ok(()),
        _ => {
            let text = format!(
                "sender_role is not assigned to a number here, and several are connected; say session_id, one of {}",
                ids.join(", ")
            );
            Err(Error::field("sender_role", text))
        }
    }
}

async fn send_location(call: ToolCall, args: LocationArgs) -> Result<ToolAnswer> {
    let (route, said) = place(args)?;
    deliver(call, route, said).await
}

async fn ask_location(call: ToolCall, args: LocationArgs) -> Result<Asked> {
    let (route, said) = place(args)?;
    ask(call, route, said).await
}

fn place(mut args: LocationArgs) -> Result<(SendTo, Said)> {
    let (name, address) = (args.name.take(), args.address.take());
    let location = Location::new(args.latitude, args.longitude, name, address)?;
    Ok((args.into(), Said::Content(Content::Location(location))))
}

async fn send_contact(call: ToolCall, args: ContactArgs) -> Result<ToolAnswer> {
    let (route, said) = card(args)?;
    deliver(call, route, said).await
}

async fn ask_contact(call: ToolCall, args: ContactArgs) -> Result<Asked> {
    let (route, said) = card(args)?;
    ask(call, route, said).await
}

fn card(args: ContactArgs) -> Result<(SendTo, Said)> {
    let card = ContactCard::new(&args.contact_name, &args.contact_phone)?;
    Ok((args.into(), Said::Content(Content::Contact(card))))
}

fn given(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// To whom, from which number, until when, and under which key.
struct SendTo {
    phone: String,
    number: Option<i64>,
    valid_until: Option<String>,
    key: Option<String>,
}

/// What is sent.
enum Said {
    Content(Content),
    Medium {
        form: MediaForm,
        url: String,
        caption: Option<String>,
    },
}

/// The number that a message goes out from, and what its key names.
struct Sender {
    granted: Granted<ShopToken>,
    key: Option<MessageId>,
}

/// A key's number before a number is chosen: the first connected one may be another by now, and a repeated key
/// still means the message that went out from the earlier one.
async fn sender(call: &ToolCall, route: &SendTo) -> Result<Sender> {
    let key = given(route.key.clone())
        .map(|key| MessageId::from_wire(stable_id(&call.shop.caller().account, &key)));
    let known = match &key {
        Some(id) => call.app.messages().find_anywhere(&call.shop, id).await?,
        None => None,
    };
    let granted = match (known, route.number) {
        (Some((granted, _)), _) => granted,
        (None, Some(number)) => call.instance(number).await?,
        (None, None) => first_connected(call).await?,
    };
    Ok(Sender { granted, key })
}

impl Said {
    /// As the services take it.
    fn into_send(self, route: &SendTo, key: Option<&MessageId>) -> Outgoing {
        let how = SendOptions {
            id: key.map(|id| id.as_str().to_owned()),
            valid_until: route.valid_until.clone(),
            once_in_account: key.is_some(),
            ..SendOptions::default()
        };
        let to = route.phone.clone();
        match self {
            Self::Content(content) => Outgoing::Plain(SendMessage { to, content, how }),
            Self::Medium { form, url, caption } => Outgoing::Medium(SendMedia {
                to,
                form,
                file_name: name_in_url(&url),
                given: Given::Url(url),
                caption,
                view_once: false,
                picture: None,
                how,
            }),
        }
    }
}

enum Outgoing {
    Plain(SendMessage),
    Medium(SendMedia),
}

/// The argument of the tool that a fault of the file is one of.
fn of_the_url(form: MediaForm) -> impl Fn(Error) -> Error {
    move |error| match error.field {
        Some(field) if field == form.field() => error.renamed(field, "media_url"),
        _ => error,
    }
}

/// Hands a message of any kind over, and waits a little for what becomes of it.
async fn deliver(call: ToolCall, route: SendTo, said: Said) -> Result<ToolAnswer> {
    let messages = call.app.messages();
    let Sender { granted, key } = sender(&call, &route).await?;
    // A known message is not sent again, only compared: a key of another one is a conflict.
    let accepted = match said.into_send(&route, key.as_ref()) {
        Outgoing::Plain(send) => messages.send(&granted, send).await,
        Outgoing::Medium(send) => {
            let form = send.form;
            let accepted = messages.send_media(&granted, send).await;
            accepted.map_err(of_the_url(form))
        }
    };
    let accepted = accepted.map_err(|error| match error.code {
        ErrorCode::Conflict if key.is_some() => Error::new(ErrorCode::Conflict, KEY_OF_ANOTHER),
        _ => error,
    })?;
    let settled = messages.wait_settled(&granted, &accepted.id, PATIENCE_MS);
    let view = settled.await?;
    outcome(granted.instance(), &route.phone, &accepted, view.as_ref())
}

const EFFECT: Words = [
    "A real WhatsApp message will be sent. It can be deleted afterwards, but not unread.",
    "Uma mensagem real será enviada pelo WhatsApp. Depois pode ser apagada, mas não deixa de ter sido lida.",
    "Se enviara un mensaje real por WhatsApp. Despues se puede borrar, pero no dejar de haberse leido.",
];

/// Whom a message of any kind would reach, from which number, and with what.
async fn ask(call: ToolCall, route: SendTo, said: Said) -> Result<Asked> {
    let messages = call.app.messages();
    let Sender { granted, key } = sender(&call, &route).await?;
    let what = described(&said);
    let preview = match said.into_send(&route, key.as_ref()) {
        Outgoing::Plain(send) => messages.preview(&granted, send).await?,
        Outgoing::Medium(send) => {
            let form = send.form;
            let preview = messages.preview_media(&granted, send).await;
            preview.map_err(of_the_url(form))?
        }
    };
    let number = preview.to.number().map(|number| format!("+{number}"));
    let number = number.unwrap_or_else(|| preview.to.to_string());
    let to = match preview.name {
        Some(name) => format!("{name} ({number})"),
        None => number,
    };
    let instance = granted.instance();
    let phone = instance.phone.as_deref().unwrap_or_default();
    let from = format!(
        "{} (session_id {}, +{phone})",
        instance.name, instance.number
    );
    let mut lines = vec![(["To", "Para", "Para"], to), (["From", "De", "De"], from)];
    lines.extend(what);
    Ok(Asked {
        effect: EFFECT,
        lines,
    })
}

/// The words, the file or the place, by name.
fn described(said: &Said) -> Vec<(Words, String)> {
    let text = ["Text", "Texto", "Texto"];
    match said {
        Said::Content(Content::Location(place)) => {
            let at = format!("{}, {}", place.latitude, place.longitude);
            let name = place.name.clone();
            let words = [name, place.address.clone(), Some(at)];
            let words: Vec<String> = words.into_iter().flatten().collect();
            vec![(["Place", "Lugar", "Lugar"], words.join(" — "))]
        }
        Said::Content(Content::Contact(card)) => {
            let shown = format!("{} ({})", card.name, card.phone);
            vec![(
                ["Contact card", "Cartão de contato", "Tarjeta de contacto"],
                shown,
            )]
        }
        Said::Content(content) => {
            let words = content.text().unwrap_or_default().to_owned();
            vec![(text, words)]
        }
        Said::Medium { form, url, caption } => {
            let file = (
                ["File", "Arquivo", "Archivo"],
                format!("{}: {url}", form.field()),
            );
            let caption = caption.clone().map(|words| (text, words));
            std::iter::once(file).chain(caption).collect()
        }
    }
}

fn outcome(
    instance: &Instance,
    phone: &str,
    accepted: &Accepted,
    view: Option<&MessageView>,
) -> Result<ToolAnswer> {
    if let Some(failure) = view.and_then(|view| view.failure.as_ref()) {
        let text = format!(
            "{} {} [code {}]",
            failure.meaning, failure.what_to_do, failure.code
        );
        return Err(Error::new(ErrorCode::EngineUnavailable, text));
    }
    let status = view.map_or("queued", ledger);
    let sent = view.is_some_and(|view| view.status.is_sent());
    ToolAnswer::json(&Outcome {
        success: true,
        accepted: true,
        status,
        queued: !sent,
        queue_id: accepted.queue_id,
        scheduled_at: None,
        message_id: sent.then_some(accepted.id.as_str()),
        data: Details {
            session_id: instance.number,
            phone,
            message_id: accepted.id.as_str(),
        },
    })
}

async fn first_connected(call: &ToolCall) -> Result<Granted<ShopToken>> {
    let mut refused = None;
    for granted in call.app.instances().all(&call.shop).await? {
        let instance = granted.instance();
        match call.app.billing().require(instance) {
            Ok(()) if instance.state == ConnectionState::Connected => return Ok(granted),
            Ok(()) => {}
            // The connection of an unpaid number is closed: paying is what brings it back.
            Err(unpaid) => refused = Some(unpaid),
        }
    }
    let offline = || Error::new(ErrorCode::InstanceNotConnected, "Session not connected");
    Err(refused.unwrap_or_else(offline))
}

/// The message id of a shop's key: the same each time, whichever number sends, so that a repeated
/// call is the same message. In the form of ordinary ids; the key cannot be read from it.
fn stable_id(account: &AccountId, key: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["recado idempotency", account.as_str(), key] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    format!("3EB0{}", hex::encode_upper(&hash.finalize()[..14]))
}
