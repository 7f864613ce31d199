//! The connection's life: QR, pair code, status, disconnect. Asking for the QR starts it.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, QrAnswer};
use recado_model::{InstanceId, PhoneNumber, Timestamp, chat::SyncTrouble};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::{Answer, Rfc3339},
    error::Fail,
    extract::{Params, Segment},
    qr::data_url,
    shapes::{
        connections::{states, whole_seconds},
        qr::{QrAnswered, QrQuery},
    },
};

use super::{Envelope, enveloped, users::business::BusinessBody};

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
pub enum PairingQr {
    /// There is a code to scan.
    Waiting {
        /// PNG data URL.
        qr_code: String,
        /// The older spelling of the same.
        #[serde(rename = "QRCode")]
        qr_code_old: String,
        /// Whole seconds until the next code replaces this one.
        expires_in: i64,
        #[schemars(extend("const" = "waiting"))]
        pairing_status: &'static str,
        #[schemars(extend("const" = "qr_pending"))]
        status: &'static str,
    },
    /// A phone has paired already.
    Paired {
        #[schemars(schema_with = "states")]
        status: &'static str,
        phone: Option<String>,
        #[schemars(extend("const" = "connected"))]
        pairing_status: &'static str,
    },
}

/// Answers the QR to pair a phone with, and begins pairing.
///
/// With `format` the answer is the QR itself. A paired instance is connected again.
#[operation]
pub async fn qr(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Params(query): Params<QrQuery>,
) -> Result<QrAnswered<Envelope<PairingQr>>, Fail> {
    let format = query.format()?;
    let answer = app.connections().qr(&granted).await?;
    QrAnswered::of(answer, format, |answer| {
        Ok(enveloped(PairingQr::of(answer)?))
    })
}

impl PairingQr {
    fn of(answer: QrAnswer) -> Result<Self, Fail> {
        Ok(match answer {
            QrAnswer::Waiting {
                code,
                expires_in_ms,
            } => {
                let url = data_url(&code)?;
                Self::Waiting {
                    qr_code: url.clone(),
                    qr_code_old: url,
                    expires_in: whole_seconds(expires_in_ms),
                    pairing_status: "waiting",
                    status: "qr_pending",
                }
            }
            QrAnswer::Paired { phone, state } => Self::Paired {
                status: state.as_str(),
                phone,
                pairing_status: "connected",
            },
        })
    }
}

#[derive(Serialize, JsonSchema)]
pub struct LinkingCodeBody {
    linking_code: String,
    /// The older spelling of the same.
    #[serde(rename = "LinkingCode")]
    linking_code_old: String,
    /// Whole seconds in which the phone takes it. Asking again within them answers the same code.
    expires_in: i64,
}

/// Answers a code to be typed on the phone, in place of the QR.
#[operation]
pub async fn pair_code(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
) -> Result<Answer<Envelope<LinkingCodeBody>>, Fail> {
    let phone = PhoneNumber::parse(&phone)?;
    let given = app.connections().pair_code(&granted, &phone).await?;
    Ok(enveloped(LinkingCodeBody {
        linking_code: given.code.clone(),
        linking_code_old: given.code,
        expires_in: whole_seconds(given.valid_ms),
    }))
}

/// The contract's order; what is unknown is left out.
#[derive(Serialize, JsonSchema)]
pub struct ConnectionBody {
    connected: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    whatsapp_jid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    push_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    business_profile: Option<BusinessBody>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_picture_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_picture_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    website: Option<String>,
    /// What the phone does to chats and its address book that is not heard of; left out where all is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sync_troubles: Vec<SyncTroubleBody>,
}

/// One of WhatsApp's collections that does not follow.
#[derive(Serialize, JsonSchema)]
pub struct SyncTroubleBody {
    collection: String,
    #[schemars(extend("enum" = ["broken", "refused"]))]
    cause: &'static str,
    /// How often it was fetched anew.
    tries: u32,
    since: Rfc3339,
    what_to_do: &'static str,
}

impl SyncTroubleBody {
    fn of((trouble, since): (SyncTrouble, Timestamp)) -> Self {
        Self {
            cause: trouble.cause.as_str(),
            what_to_do: trouble.cause.what_to_do(),
            collection: trouble.collection,
            tries: trouble.tries,
            since: Rfc3339(since),
        }
    }
}

/// Tells whether the instance is connected, and as whom.
///
/// What others see of the number is as WhatsApp told it in the last minutes; it comes with a later call where it is not
/// known yet.
#[operation]
pub async fn status(
    InstanceAccess { granted, .. }: InstanceAccess<Viewer>,
    State(app): State<App>,
) -> Result<Answer<Envelope<ConnectionBody>>, Fail> {
    let status = app.connections().status(&granted).await?;
    // Not paired is exactly `{"connected": false}`, whatever is still remembered.
    let shown = |text: Option<String>| text.filter(|text| status.connected && !text.is_empty());
    let phone = shown(status.phone);
    let own = status
        .profile
        .filter(|_| status.connected)
        .unwrap_or_default();
    let business = own.business.as_ref();
    Ok(enveloped(ConnectionBody {
        connected: status.connected,
        profile_url: phone.as_ref().map(|phone| format!("https://wa.me/{phone}")),
        phone,
        whatsapp_jid: shown(status.jid.map(String::from)),
        push_name: shown(status.push_name),
        business_name: shown(status.business_name),
        business_profile: business.map(BusinessBody::of),
        website: business.and_then(|business| business.websites.first().cloned()),
        profile_picture_id: own.picture_id,
        profile_picture_url: own.picture_url,
        verified_name: own.verified_name,
        about: own.about,
        sync_troubles: status
            .troubles
            .into_iter()
            .map(SyncTroubleBody::of)
            .collect(),
    }))
}

#[derive(Serialize, JsonSchema)]
pub struct ActionDone {
    #[schemars(with = "String")]
    instance_id: InstanceId,
    #[schemars(extend("enum" = ["disconnected", "connecting", "logged_out"]))]
    status: &'static str,
    details: &'static str,
}

/// Closes the connection and keeps the pairing.
#[operation]
pub async fn disconnect(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
) -> Result<Answer<ActionDone>, Fail> {
    let paired = app.connections().disconnect(&granted).await?;
    Ok(Answer(ActionDone {
        instance_id: granted.id().clone(),
        status: "disconnected",
        details: match paired {
            true => {
                "The connection is closed and the pairing is kept. Ask for session/qr to connect again."
            }
            false => {
                "There is no pairing: no phone is linked to this instance. Ask for session/qr or a link code to link one."
            }
        },
    }))
}

/// Closes the connection and opens another one.
///
/// The pairing stays, and what waits is sent afterwards. 409 where no phone is linked.
#[operation]
pub async fn restart(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
) -> Result<Answer<ActionDone>, Fail> {
    app.connections().restart(&granted).await?;
    Ok(Answer(ActionDone {
        instance_id: granted.id().clone(),
        status: "connecting",
        details: "The connection is being opened anew.",
    }))
}

/// Unlinks the phone and wipes the keys of this device.
///
/// Chats, messages, tokens and webhooks stay; what waits to be sent has failed. Another scan links a phone again.
#[operation]
pub async fn log_out(
    InstanceAccess { granted, .. }: InstanceAccess<Developer>,
    State(app): State<App>,
) -> Result<Answer<ActionDone>, Fail> {
    let paired = app.connections().log_out(&granted).await?;
    Ok(Answer(ActionDone {
        instance_id: granted.id().clone(),
        status: "logged_out",
        details: match paired {
            true => "The phone is unlinked. Ask for session/qr to link one again.",
            false => "There was no pairing. Ask for session/qr to link a phone.",
        },
    }))
}
