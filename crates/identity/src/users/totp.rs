//! Codes of an authenticator app: RFC 6238 with SHA-1, 6 digits, 30 seconds, which every app can do.

#[cfg(test)]
mod tests;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use recado_model::{Rng, Secret, Timestamp};
use totp_rs::{Builder, Totp};
use zeroize::{Zeroize, ZeroizeOnDrop};

const STEP_SECS: i64 = 30;
const DIGITS: usize = 6;
/// A step that was used lies at most one ahead, and clocks of several nodes differ a little.
const AHEAD: i64 = 2;

/// RFC 3986's unreserved characters stay.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The secret that the gateway and the authenticator share: 160 random bits.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Seed(Vec<u8>);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed(…)")
    }
}

impl Seed {
    pub fn random(rng: &dyn Rng) -> Self {
        let mut bytes = vec![0; 20];
        rng.fill(&mut bytes);
        Self(bytes)
    }

    /// As it was sealed.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// For sealing.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As people type it into an authenticator that cannot scan: 32 characters.
    pub fn base32(&self) -> Secret {
        Secret::new(self.shared().to_base32())
    }

    /// The reverse of [`Seed::base32`].
    pub fn from_base32(text: &str) -> Option<Self> {
        let secret = totp_rs::Secret::try_from_base32(text).ok()?;
        Some(Self::from_bytes(secret.as_bytes()))
    }

    /// The text of the QR: `otpauth://totp/<issuer>:<email>?secret=…&issuer=…`, percent-encoded. Digits, period
    /// and algorithm are what every authenticator takes for granted.
    pub fn otpauth_url(&self, issuer: &str, email: &str) -> Secret {
        // A colon parts the two, even an encoded one, so neither may hold one.
        let [issuer, email] = [issuer, email].map(|text| text.replace(':', " "));
        let issuer = utf8_percent_encode(&issuer, ENCODED);
        let email = utf8_percent_encode(&email, ENCODED);
        let secret = self.base32();
        let secret = secret.expose();
        Secret::new(format!(
            "otpauth://totp/{issuer}:{email}?secret={secret}&issuer={issuer}"
        ))
    }

    /// The code that an authenticator shows at `at`.
    pub fn code(&self, at: Timestamp) -> Secret {
        let at = u64::try_from(at.as_secs()).unwrap_or(0);
        Secret::new(self.totp().generate(at).to_string())
    }

    fn totp(&self) -> Totp {
        // The defaults are SHA-1, 6 digits and 30 s. No skew: `matching_step` looks at each step by itself.
        Builder::new()
            .with_secret(self.shared())
            .with_skew(0)
            .build_noncompliant()
    }

    fn shared(&self) -> totp_rs::Secret {
        totp_rs::Secret::new(self.0.clone().into_boxed_slice())
    }
}

/// The step (half minutes since the epoch) whose code this is, for the caller to keep: that one and those
/// before it are used up. The step of `now` counts, and one to either side, for clocks that differ. None at
/// or before `last_step` does; 0 when none was used yet. One that lies further ahead than any code of now
/// was used while the clock was wrong: it says nothing of the codes of now, and must not shut their owner
/// out until then. Spaces in `code` are fine.
pub fn matching_step(seed: &Seed, code: &str, now: Timestamp, last_step: i64) -> Option<i64> {
    let code = digits(code)?;
    let totp = seed.totp();
    let step = now.as_secs().div_euclid(STEP_SECS);
    let used = |at: i64| at <= last_step && last_step <= step + AHEAD;
    // All are looked at, each compared in constant time, so that time does not tell which it was. The
    // latest wins: should two steps share a code, it is used up for both.
    (step - 1..=step + 1).fold(None, |found, step| {
        let at = u64::try_from(step * STEP_SECS);
        let equal = at.is_ok_and(|at| totp.check(&code, at).is_some());
        if equal & !used(step) {
            Some(step)
        } else {
            found
        }
    })
}

/// Six digits, with or without spaces: the form of a code.
pub(crate) fn digits(text: &str) -> Option<String> {
    // A megabyte of spaces is not worth a look.
    if text.len() > 64 {
        return None;
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    (text.len() == DIGITS && text.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}
