//! Whether a number is on WhatsApp, and under which address: asked before the first message to it.
//!
//! WhatsApp may know a number under a corrected form, and the address that it answers is the one to use.
//! An answer is remembered. Where nobody can answer (offline, or too slow) the message is accepted: the
//! failure is told later.

use quick_cache::sync::Cache;
use recado_identity::Granted;
use recado_model::{
    Address, ConnectionState, Error, ErrorCode, InstanceId, Monotonic, PhoneNumber, Result,
    call::{LookUp, Looked},
};

use crate::App;

/// A number that is not there may be there tomorrow; one that is there stays for longer.
const NO_MS: i64 = 3600 * 1000;
const YES_MS: i64 = 24 * 3600 * 1000;
/// Callers wait for the answer.
const PATIENCE_MS: i64 = 2_000;
const REMEMBERED: usize = 20_000;

#[derive(Clone)]
struct Known {
    /// `None`: not on WhatsApp.
    address: Option<Address>,
    at: Monotonic,
}

/// WhatsApp's answers of late.
pub(crate) struct Numbers {
    known: Cache<(InstanceId, String), Known>,
}

impl Default for Numbers {
    fn default() -> Self {
        Self {
            known: Cache::new(REMEMBERED),
        }
    }
}

impl Numbers {
    fn of(&self, instance: &InstanceId, phone: &PhoneNumber, now: Monotonic) -> Option<Known> {
        let key = (instance.clone(), phone.as_str().to_owned());
        self.known.get(&key).filter(|known| {
            let lives = match known.address {
                Some(_) => YES_MS,
                None => NO_MS,
            };
            now.since(known.at) < lives
        })
    }

    fn remember(
        &self,
        instance: &InstanceId,
        phone: &PhoneNumber,
        address: Option<Address>,
        at: Monotonic,
    ) {
        let key = (instance.clone(), phone.as_str().to_owned());
        self.known.insert(key, Known { address, at });
    }
}

/// The address to send to. [`ErrorCode::NotOnWhatsapp`], naming the field, when there is none.
pub(super) async fn address_of(
    app: &App,
    granted: &Granted,
    phone: &PhoneNumber,
) -> Result<Address> {
    let (core, instance) = (&app.core, granted.instance());
    let given = Address::of_number(phone);
    let now = core.clock.monotonic();
    if let Some(known) = core.numbers.of(&instance.id, phone, now) {
        return known.address.ok_or_else(|| not_there(phone));
    }
    if instance.state != ConnectionState::Connected {
        return Ok(given);
    }
    let mut conn = core.store.read().await?;
    let mut store = conn.account(granted.account());
    if store.knows_chat(&instance.id, &given).await? {
        return Ok(given);
    }
    drop(conn);
    let phones = vec![phone.clone()];
    let asked = app
        .exchange
        .ask(granted.account(), &instance.id, LookUp { phones });
    let found = tokio::select! {
        found = asked => found.ok(),
        () = core.clock.sleep_ms(PATIENCE_MS) => None,
    };
    let Some(Looked { address, .. }) = found.and_then(|found| found.into_iter().next()) else {
        return Ok(given);
    };
    core.numbers
        .remember(&instance.id, phone, address.clone(), now);
    address.ok_or_else(|| not_there(phone))
}

fn not_there(phone: &PhoneNumber) -> Error {
    Error::new(
        ErrorCode::NotOnWhatsapp,
        format!("phone {phone} is not on WhatsApp. Check the number with its country code."),
    )
    .with_field("phone")
}
