//! Links that are sent to people, each used once: set-up, sign-up, invitation, reset, new e-mail.
//!
//! The token is 256 random bits in the address' fragment, which browsers send to no server. It is never
//! in an answer or a log: it goes by mail, to a file of the operator's, or to a terminal.
//!
//! - `make`: a new link, an invitation, the one of the first start. `ask`: the two open forms.
//! - `look`: what a link is for.
//! - `spend`: using one, and what that takes: `enter` of those that sign in, `change` of those that
//!   change what a user signs in with.

mod ask;
mod change;
mod enter;
mod look;
mod make;
mod spend;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use recado_model::{Language, LinkKind, Rng, Role, Secret, Timestamp};
use recado_store::people::links::LinkRecord;
use sha2::{Digest, Sha256};

use super::{Browser, Opened};

pub(crate) use make::{Invited, Recipient, too_many_letters};

const MINUTE_MS: i64 = 60_000;
pub(super) const SETUP_MS: i64 = 60 * MINUTE_MS;
pub(super) const SHORT_MS: i64 = 30 * MINUTE_MS;

/// The use of a link, for the page that it opens.
#[derive(Clone, Debug)]
pub struct Link {
    pub kind: LinkKind,
    pub email: Option<String>,
    pub account_name: Option<String>,
    pub role: Option<Role>,
    /// There is a user with that e-mail: it is their password that is asked for, not a new one.
    pub known: bool,
    /// That user has a second factor, which no link skips.
    pub needs_otp: bool,
    pub expires_at: Timestamp,
}

/// The form that a person sends to use a link.
pub struct Use {
    pub token: Secret,
    pub email: Option<String>,
    pub account_name: Option<String>,
    pub password: Option<Secret>,
    pub otp: Option<Secret>,
    pub language: Option<Language>,
    pub browser: Browser,
}

/// The outcome.
pub enum Used {
    SignedIn(Opened),
    /// To be signed in with as ever.
    Done,
}

fn is_live(link: &LinkRecord, now: Timestamp) -> bool {
    link.alive && link.expires_at > now
}

/// The address of a new link, and the hash by which it is found.
pub(super) fn new_token(rng: &dyn Rng, public_url: &str) -> (Secret, [u8; 32]) {
    let mut bytes = [0u8; 32];
    rng.fill(&mut bytes);
    let token = URL_SAFE_NO_PAD.encode(bytes);
    let lookup = Sha256::digest(token.as_bytes()).into();
    (
        Secret::new(format!("{public_url}/dashboard/link#{token}")),
        lookup,
    )
}

fn lookup_of(token: &Secret) -> Option<[u8; 32]> {
    let token = token.expose().trim();
    let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    (token.len() == 43 && token.bytes().all(fits)).then(|| Sha256::digest(token.as_bytes()).into())
}
