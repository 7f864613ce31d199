//! The clock and the randomness of this crate: the only place that reaches for either.
//!
//! The WhatsApp crates take `rand` generators, so the network uses one kind throughout.

use rand::RngExt as _;
use rand::rngs::StdRng;

/// A generator seeded by the operating system.
pub(crate) fn rng() -> StdRng {
    rand::make_rng::<StdRng>()
}

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut out = [0u8; N];
    rng().fill(&mut out);
    out
}

/// Upper-case hex of 16 random bytes: the shape of a message id that a phone makes.
pub(crate) fn message_id() -> String {
    hex::encode_upper(bytes::<16>())
}

/// A short id for stanzas that the network itself starts.
pub(crate) fn stanza_id() -> String {
    hex::encode(bytes::<8>())
}

/// Milliseconds since the Unix epoch.
pub(crate) fn now_ms() -> i64 {
    wacore::time::now_millis()
}

/// Seconds since the Unix epoch.
pub(crate) fn now_secs() -> i64 {
    wacore::time::now_secs()
}
