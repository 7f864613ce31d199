//! Whether a number is on WhatsApp, and under which address: asked before the first message to it.
//!
//! WhatsApp may know a number under a corrected form, and the address that it answers is the one to use.
//! An answer is remembered. Where nobody can answer (offline, or too slow) the message is accepted, and its
//! number is looked up before its first try (`supervisor/look_ups.rs`).

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
    lid: Option<Address>,
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
    /// The last answer of late: `Some(None)` is that the number is not on WhatsApp.
    pub fn answer(
        &self,
        instance: &InstanceId,
        phone: &PhoneNumber,
        now: Monotonic,
    ) -> Option<Option<Address>> {
        self.of(instance, phone, now).map(|known| known.address)
    }

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

    /// The same, whole.
    pub fn looked(
        &self,
        instance: &InstanceId,
        phone: &PhoneNumber,
        now: Monotonic,
    ) -> Option<Looked> {
        let Known { address, lid, .. } = self.of(instance, phone, now)?;
        Some(Looked {
            phone: phone.clone(),
            address,
            lid,
        })
    }

    pub fn remember(&self, instance: &InstanceId, looked: &Looked, at: Monotonic) {
        let key = (instance.clone(), looked.phone.as_str().to_owned());
        let known = Known {
            address: looked.address.clone(),
            lid: looked.lid.clone(),
            at,
        };
        self.known.insert(key, known);
    }
}

/// Where a number is.
pub(super) struct Found {
    pub address: Address,
    /// Nobody could be asked: the address is the number as it was given.
    pub asks: bool,
}

/// The address to send to. [`ErrorCode::NotOnWhatsapp`], naming the field, when there is none.
pub(crate) async fn address_of(
    app: &App,
    granted: &Granted,
    phone: &PhoneNumber,
) -> Result<Address> {
    find(app, granted, phone).await.map(|found| found.address)
}

/// The same, and whether it is sure.
pub(super) async fn find(app: &App, granted: &Granted, phone: &PhoneNumber) -> Result<Found> {
    let sure = |address| Found {
        address,
        asks: false,
    };
    let (core, instance) = (&app.core, granted.instance());
    let given = Address::of_number(phone);
    let now = core.clock.monotonic();
    if let Some(known) = core.numbers.of(&instance.id, phone, now) {
        return known.address.map(sure).ok_or_else(|| not_there(phone));
    }
    let mut conn = core.store.read().await?;
    let mut store = conn.account(granted.account());
    if store.knows_chat(&instance.id, &given).await? {
        return Ok(sure(given));
    }
    drop(conn);
    let unsure = Found {
        address: given,
        asks: true,
    };
    // Whoever asks about too many too fast is asked later, with others.
    let may_ask = instance.state == ConnectionState::Connected
        && core.asking.may(&instance.id, core.clock.monotonic());
    if !may_ask {
        return Ok(unsure);
    }
    let phones = vec![phone.clone()];
    let asked = app
        .exchange
        .ask(granted.account(), &instance.id, LookUp { phones });
    let found = tokio::select! {
        found = asked => found.ok(),
        () = core.clock.sleep_ms(PATIENCE_MS) => None,
    };
    let Some(looked) = found.and_then(|found| found.into_iter().next()) else {
        return Ok(unsure);
    };
    core.numbers.remember(&instance.id, &looked, now);
    looked.address.map(sure).ok_or_else(|| not_there(phone))
}

pub(crate) fn not_there(phone: &PhoneNumber) -> Error {
    Error::new(
        ErrorCode::NotOnWhatsapp,
        format!("phone {phone} is not on WhatsApp. Check the number with its country code."),
    )
    .with_field("phone")
}
