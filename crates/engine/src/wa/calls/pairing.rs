//! Linking by a code that is typed into the phone. (The QR way needs nothing here: the library shows
//! codes by itself as long as the device is not paired.)

use std::time::Duration;

use recado_model::{Error, ErrorCode, PhoneNumber, Result, instance::LinkingCode};
use tokio::time::Instant;
use whatsapp_rust::{
    pair_code::{PairCodeOptions, PairError},
    wacore::pair_code::{PairCodeError, PairCodeUtils},
};

use super::super::{codes::Given, core::LinkCore};

/// How long the server may take to be ready to pair.
const READY: Duration = Duration::from_secs(20);
/// How long WhatsApp accepts a link code, and a little for the phone's answer.
const CODE_VALID: Duration = Duration::from_secs(190);

impl LinkCore {
    pub(super) async fn pair_code(&self, phone: &PhoneNumber) -> Result<LinkingCode> {
        let mut given = self.codes.given.lock().await;
        let connection = self.connection().ok_or_else(closed)?;
        let client = &connection.client;
        if client.pn().is_some() {
            return Err(Error::new(
                ErrorCode::AlreadyConnected,
                "The instance is already linked to a phone. Log it out first.",
            ));
        }
        let mut pairable = self.parts.pairable.subscribe();
        let is_ready = {
            let ready = tokio::time::timeout(READY, pairable.wait_for(|ready| *ready)).await;
            matches!(ready, Ok(Ok(_)))
        };
        if !is_ready {
            return Err(Error::new(
                ErrorCode::EngineUnavailable,
                "WhatsApp could not be reached to link the instance. Try again in a minute.",
            )
            .with_retry_after(60));
        }
        let options = || PairCodeOptions {
            phone_number: phone.as_str().to_owned(),
            ..Default::default()
        };
        let mut outcome = client.pair_with_code(options()).await;
        // The library knows whether the last one still lives: it ends by its time, and by being typed.
        if let Err(PairError::PairCode(PairCodeError::CodeAlreadyOutstanding { remaining })) =
            &outcome
        {
            let same = |given: &&Given| given.epoch == connection.epoch && given.phone == *phone;
            if let Some(given) = given.as_ref().filter(same) {
                return Ok(shown(&given.code, *remaining));
            }
            // Of another number, which nobody wants to link any more.
            client.cancel_pair_code().await;
            outcome = client.pair_with_code(options()).await;
        }
        let code = outcome.map_err(refused)?;
        self.codes.lives_until(Instant::now() + CODE_VALID);
        let answer = shown(&code, PairCodeUtils::code_validity());
        *given = Some(Given {
            epoch: connection.epoch,
            phone: phone.clone(),
            code,
        });
        Ok(answer)
    }
}

fn shown(code: &str, remaining: Duration) -> LinkingCode {
    LinkingCode {
        code: dashed(code),
        valid_ms: i64::try_from(remaining.as_millis()).unwrap_or(i64::MAX),
    }
}

/// `ABCD-EFGH`, as phones show it.
fn dashed(code: &str) -> String {
    match (code.get(..4), code.get(4..)) {
        (Some(first), Some(rest)) if !rest.is_empty() && !code.contains('-') => {
            format!("{first}-{rest}")
        }
        _ => code.to_owned(),
    }
}

fn closed() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "The instance is not waiting to be linked any more. Ask for session/qr or a new link code.",
    )
    .with_retry_after(2)
}

fn refused(error: PairError) -> Error {
    match &error {
        PairError::PairCode(
            PairCodeError::PhoneNumberRequired
            | PairCodeError::PhoneNumberTooShort
            | PairCodeError::PhoneNumberNotInternational,
        ) => Error::new(
            ErrorCode::InvalidPhone,
            "phone must be the number of the phone to link, with its country code.",
        )
        .with_source(error),
        // WhatsApp answers alike to a wrong number and to too many attempts.
        _ => Error::new(
            ErrorCode::EngineUnavailable,
            "WhatsApp refused a link code for this number. Check the number; if it is right, wait a few minutes or scan the QR.",
        )
        .with_source(error)
        .with_retry_after(60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_shown_in_two_halves() {
        assert_eq!(dashed("ABCDEFGH"), "ABCD-EFGH");
        assert_eq!(dashed("ABCD-EFGH"), "ABCD-EFGH");
        assert_eq!(dashed("ABCD"), "ABCD");
    }
}
