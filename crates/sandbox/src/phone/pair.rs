//! Linking a device: by reading its QR code, or with a code that the user types.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use buffa::Message as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::oneshot;
use waproto::whatsapp::{ADVDeviceIdentity, ADVSignedDeviceIdentity, ADVSignedDeviceIdentityHMAC};

use crate::ambient;
use crate::core::Core;
use crate::state::Addr;

/// The first QR code is shown for 60 s, each further one for 20 s.
const FIRST_QR_MS: i64 = 60_000;
const NEXT_QR_MS: i64 = 20_000;
/// A code may be on its way into the scanner while the client turns to the next.
const QR_GRACE_MS: i64 = 15_000;

/// A phone's signature for a new companion.
pub(crate) struct Invitation {
    pub(crate) addr: Addr,
    pub(crate) key_index: u32,
    /// The signed identity, authenticated with the secret that the QR or link code carried.
    pub(crate) identity: Vec<u8>,
}

/// The content of a QR code.
struct ScannedQr {
    reference: String,
    noise_public: Vec<u8>,
    identity_public: Vec<u8>,
    secret: Vec<u8>,
}

fn parse_qr(qr: &str) -> Result<ScannedQr, String> {
    let qr = qr.trim();
    let body = qr.rsplit_once('#').map_or(qr, |(_, body)| body);
    let mut fields = body.split(',');
    let mut next = |what: &str| {
        fields
            .next()
            .filter(|field| !field.is_empty())
            .ok_or_else(|| format!("this is not a WhatsApp QR code: its {what} is missing"))
    };
    let reference = next("reference")?.to_owned();
    let mut key = |what: &str| {
        BASE64_STANDARD
            .decode(next(what)?)
            .map_err(|_| format!("this is not a WhatsApp QR code: its {what} is not base64"))
    };
    Ok(ScannedQr {
        reference,
        noise_public: key("noise key")?,
        identity_public: key("identity key")?,
        secret: key("secret")?,
    })
}

impl Core {
    /// The phone reads a QR code. `done` hears how it ended.
    pub(crate) fn scan(
        &mut self,
        number: &str,
        qr: &str,
        done: oneshot::Sender<Result<Addr, String>>,
    ) -> Result<(), String> {
        let qr = parse_qr(qr)?;
        let found = self.lobby.iter().find_map(|(conn, lobby)| {
            let at = lobby
                .refs
                .iter()
                .position(|reference| *reference == qr.reference)?;
            Some((*conn, i64::try_from(at).unwrap_or(i64::MAX / NEXT_QR_MS)))
        });
        let Some((conn, at)) = found else {
            return Err(
                "this QR code is not (or no longer) valid: scan the one that is shown now"
                    .to_owned(),
            );
        };
        let Some(lobby) = self.lobby.get(&conn) else {
            return Err("the client went away".to_owned());
        };
        let shown_until = lobby.opened_ms + FIRST_QR_MS + at * NEXT_QR_MS;
        if ambient::now_ms() > shown_until + QR_GRACE_MS {
            return Err("this QR code has expired: scan the one that is shown now".to_owned());
        }
        if lobby.candidate.noise_public != qr.noise_public
            || lobby.candidate.identity_public != qr.identity_public
        {
            return Err("the keys in this QR code are not those of its client".to_owned());
        }
        if lobby.proposal.is_some() {
            return Err("this client is being linked already".to_owned());
        }
        let invitation = self.invitation(number, conn, &qr.secret)?;
        self.invite(conn, invitation, done);
        Ok(())
    }

    /// Signs a new device into the account of `number`.
    pub(crate) fn invitation(
        &mut self,
        number: &str,
        conn: u64,
        secret: &[u8],
    ) -> Result<Invitation, String> {
        let damaged = || "the phone's keys are damaged".to_owned();
        let companion = self
            .lobby
            .get(&conn)
            .map(|lobby| lobby.candidate.identity_public.clone())
            .ok_or_else(|| "the client went away".to_owned())?;
        let phone = self
            .phones
            .get_mut(number)
            .ok_or_else(|| "no such phone".to_owned())?;
        if !phone.online {
            return Err("the phone is offline: bring it online to link a device".to_owned());
        }
        let device = phone.next_device;
        phone.next_device = device
            .checked_add(1)
            .ok_or_else(|| "this phone has linked too many devices".to_owned())?;
        let key_index = u32::from(device);
        let details = ADVDeviceIdentity {
            raw_id: Some(phone.adv_raw_id),
            timestamp: u64::try_from(ambient::now_secs()).ok(),
            key_index: Some(key_index),
            ..Default::default()
        }
        .encode_to_vec();
        let signature = phone
            .sign(&[&[6, 0], &details, &companion])
            .ok_or_else(damaged)?;
        let signed = ADVSignedDeviceIdentity {
            details: Some(details),
            account_signature_key: Some(phone.identity_public().ok_or_else(damaged)?),
            account_signature: Some(signature),
            ..Default::default()
        }
        .encode_to_vec();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret)
            .map_err(|_| "the client's secret is unusable".to_owned())?;
        mac.update(&signed);
        let identity = ADVSignedDeviceIdentityHMAC {
            hmac: Some(mac.finalize().into_bytes().to_vec()),
            details: Some(signed),
            ..Default::default()
        }
        .encode_to_vec();
        self.touch_phone(number);
        Ok(Invitation {
            addr: Addr::new(number, device),
            key_index,
            identity,
        })
    }
}
