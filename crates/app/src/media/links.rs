//! Signed links to one medium: `<public_url>/media/<token>`.
//!
//! A token is `<medium>.<until, in seconds>.<HMAC-SHA256 of both>`, under a key of that medium alone: what ends
//! the medium ends its links.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use recado_model::{Error, MediaId, Result, Timestamp};
use sha2::Sha256;

/// Nothing else is signed under such a key, and this keeps it so.
const PURPOSE: &[u8] = b"recado medium link\0";

pub(crate) struct Token<'a> {
    pub id: MediaId,
    pub until: Timestamp,
    signed: &'a str,
    mac: Vec<u8>,
}

pub(crate) fn token(id: &MediaId, key: &[u8; 32], until: Timestamp) -> Result<String> {
    let signed = format!("{id}.{}", until.as_secs());
    let mac = mac(key, &signed)?.finalize().into_bytes();
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac)))
}

impl<'a> Token<'a> {
    /// Its parts, of which nothing is proven yet.
    pub fn read(text: &'a str) -> Option<Self> {
        let (signed, mac) = text.rsplit_once('.')?;
        let (id, until) = signed.split_once('.')?;
        let digits = !until.is_empty() && until.bytes().all(|b| b.is_ascii_digit());
        let secs: i64 = until.parse().ok().filter(|_| digits && until.len() <= 12)?;
        Some(Self {
            id: MediaId::from_text(id),
            until: Timestamp::from_millis(secs * 1000),
            signed,
            mac: URL_SAFE_NO_PAD.decode(mac).ok()?,
        })
    }

    /// In constant time.
    pub fn holds(&self, key: &[u8; 32]) -> bool {
        mac(key, self.signed).is_ok_and(|mac| mac.verify_slice(&self.mac).is_ok())
    }
}

fn mac(key: &[u8; 32], signed: &str) -> Result<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(Error::internal)?;
    mac.update(PURPOSE);
    mac.update(signed.as_bytes());
    Ok(mac)
}

#[cfg(test)]
mod tests {
    use recado_model::clock::OsRng;

    use super::*;

    #[test]
    fn a_token_holds_for_its_medium_and_time_alone() {
        let (id, until) = (
            MediaId::random(&OsRng),
            Timestamp::from_millis(1_800_000_000_000),
        );
        let made = token(&id, &[7; 32], until).expect("a token");
        let read = Token::read(&made).expect("reads");
        assert_eq!((&read.id, read.until), (&id, until));
        assert!(read.holds(&[7; 32]));
        assert!(!read.holds(&[8; 32]), "of another medium");
        let later = made.replacen("1800000000", "1900000000", 1);
        assert!(!Token::read(&later).expect("reads").holds(&[7; 32]));
        let mut broken = made.clone();
        broken.pop();
        assert!(Token::read(&broken).is_none_or(|read| !read.holds(&[7; 32])));
        for text in [
            "",
            ".",
            "..",
            "a.b.c",
            "a.-1.AA",
            "a.1",
            "a.99999999999999.AA",
        ] {
            assert!(
                Token::read(text).is_none_or(|read| !read.holds(&[7; 32])),
                "{text}"
            );
        }
    }
}
