//! Passwords of people, by NIST SP 800-63B-4: length and a blocklist count, composition does not.
//!
//! - [`Password`]: the text as it is hashed, NFKC, so that the same letters typed on two keyboards are one
//!   password. [`Password::parse`] for one that is checked, [`Password::choose`] for one that is set.
//! - [`Blocklist`]: the passwords that the operator refuses.
//! - [`Hasher`]: Argon2id on a bounded pool. [`hash`]: the same for the command line.

mod blocklist;
mod guess;
mod hasher;
#[cfg(test)]
mod tests;

use recado_model::{Error, Result, Rng, Secret};
use unicode_normalization::UnicodeNormalization;

pub use self::{
    blocklist::Blocklist,
    hasher::{Hasher, HasherConfig, PasswordVerdict, hash},
};

/// Code points, after NFKC.
pub const MIN_CHARS: usize = 15;
/// As sent. More is refused: a password that is cut matches what its owner did not choose.
pub const MAX_BYTES: usize = 1024;

/// A password in the form that is hashed. Never shows itself; wiped when dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password(Secret);

impl Password {
    /// One that somebody signs in with. Says nothing of its strength: who chose it under other rules
    /// must still get in.
    ///
    /// # Errors
    /// `invalid_field` of `password`: empty, longer than [`MAX_BYTES`], or with control characters. None of
    /// these can have been set, so the answer tells nothing about the user.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(fault("Type the password."));
        }
        if text.len() > MAX_BYTES {
            return Err(fault(
                "The password may have at most 1024 bytes. Choose a shorter one.",
            ));
        }
        if text.chars().any(char::is_control) {
            return Err(fault(
                "The password holds a control character, such as a tab or a line break. Leave it out; \
                 spaces are fine.",
            ));
        }
        Ok(Self(Secret::new(text.nfkc().collect::<String>())))
    }

    /// One that somebody wants to have from now on. `context` is what an attacker knows of this user:
    /// e-mail address, names of businesses. Takes up to 50 ms on hostile input, 1 ms on common one:
    /// [`Hasher::choose`] does it off the async threads.
    ///
    /// # Errors
    /// `invalid_field` of `password` as for [`Password::parse`], and when it is shorter than [`MIN_CHARS`],
    /// on the blocklist, made of `context`, or among the first that an attacker tries.
    pub fn choose(text: &str, context: &[&str], blocked: &Blocklist) -> Result<Self> {
        let password = Self::parse(text)?;
        let text = password.expose();
        if text.chars().count() < MIN_CHARS {
            return Err(fault(
                "The password needs at least 15 characters. A phrase of several unrelated words is easy to \
                 remember.",
            ));
        }
        if blocked.holds(text) {
            return Err(fault(
                "This password is on a list of known passwords. Choose another: a phrase of several unrelated \
                 words, or one that a password manager makes.",
            ));
        }
        if guess::is_made_of(text, context) {
            return Err(fault(
                "This password is made of your e-mail address or the name of the business or of this \
                 product. Choose a phrase of several unrelated words, or let a password manager make one.",
            ));
        }
        if guess::is_tried_early(text, context) {
            return Err(fault(
                "This password is easy to guess. Choose a longer phrase of several unrelated words, or let a \
                 password manager make one.",
            ));
        }
        Ok(password)
    }

    /// The text that is hashed.
    pub(crate) fn expose(&self) -> &str {
        self.0.expose()
    }
}

fn fault(text: &'static str) -> Error {
    Error::field("password", text)
}

/// For comparing: neither case nor the way of typing a letter counts.
fn folded(text: &str) -> String {
    text.nfkc().flat_map(char::to_lowercase).collect()
}

/// A password nobody has to think up: 20 characters, about 116 bits, without look-alikes.
pub fn generate(rng: &dyn Rng) -> Secret {
    const CHARS: &[u8] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    Secret::new(
        (0..20)
            .map(|_| CHARS[rng.below(CHARS.len() as u64) as usize] as char)
            .collect::<String>(),
    )
}
