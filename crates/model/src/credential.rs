//! Tokens: `prefix_` + 30 random base62 + 6 base62 of the CRC-32 of everything before them.
//!
//! The checksum lets junk be refused without a look-up, and secret scanners find leaks without false
//! alarms. About 178 random bits.

use std::{net::IpAddr, sync::Arc};

use ipnet::IpNet;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::{
    caller::Scope,
    clock::{Rng, Timestamp},
    id::{AccountId, CredentialId, InstanceId, PepperId},
};

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const RANDOM: usize = 30;
const CHECK: usize = 6;

/// A string that never shows itself: `Debug` redacts, dropping wipes.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
    /// The plaintext, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The kinds of opaque token, by prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TokenKind {
    /// `ct_`: the account's client token.
    Client,
    /// `cs_`: its secret; shown once.
    ClientSecret,
    /// `inst_`: one instance.
    Instance,
    /// `wz_`: the MCP endpoint's `token_ext`.
    Api,
    /// `sk_`: the key of a Direct API instance.
    DirectKey,
    /// `qr_`: the unguessable name of a Direct API instance, in `GET /sessions/:key`; not a proof.
    DirectName,
}

impl TokenKind {
    pub const ALL: [Self; 6] = [
        Self::Client,
        Self::ClientSecret,
        Self::Instance,
        Self::Api,
        Self::DirectKey,
        Self::DirectName,
    ];

    pub fn prefix(self) -> &'static str {
        match self {
            Self::Client => "ct_",
            Self::ClientSecret => "cs_",
            Self::Instance => "inst_",
            Self::Api => "wz_",
            Self::DirectKey => "sk_",
            Self::DirectName => "qr_",
        }
    }
}

/// A well-formed token: right prefix, alphabet, length and checksum. Says nothing of being issued.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    kind: TokenKind,
    text: Secret,
}

impl Token {
    pub fn random(kind: TokenKind, rng: &dyn Rng) -> Self {
        let mut text = String::with_capacity(kind.prefix().len() + RANDOM + CHECK);
        text.push_str(kind.prefix());
        for _ in 0..RANDOM {
            text.push(BASE62[rng.below(62) as usize] as char);
        }
        let check = checksum(&text);
        text.push_str(&check);
        Self {
            kind,
            text: Secret::new(text),
        }
    }

    /// `None` for whatever cannot have been issued as `kind`.
    pub fn parse(kind: TokenKind, text: &str) -> Option<Self> {
        let rest = text.strip_prefix(kind.prefix())?;
        if rest.len() != RANDOM + CHECK || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        let (body, check) = text.split_at(text.len() - CHECK);
        (checksum(body) == check).then(|| Self {
            kind,
            text: Secret::new(text),
        })
    }

    pub fn kind(&self) -> TokenKind {
        self.kind
    }
    pub fn expose(&self) -> &str {
        self.text.expose()
    }
    pub fn into_secret(self) -> Secret {
        self.text
    }
    /// Enough to recognise it in a list: prefix and last four characters.
    pub fn hint(&self) -> String {
        let text = self.expose();
        format!("{}…{}", self.kind.prefix(), &text[text.len() - 4..])
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hint())
    }
}

fn checksum(body: &str) -> String {
    let mut n = crc32fast::hash(body.as_bytes());
    let mut out = [b'0'; CHECK];
    for slot in out.iter_mut().rev() {
        *slot = BASE62[(n % 62) as usize];
        n /= 62;
    }
    out.iter().map(|b| *b as char).collect()
}

/// The kind of a credential row. The label in the `kind` column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CredentialKind {
    ClientToken,
    ClientSecret,
    InstanceToken,
    ApiToken,
    DirectKey,
    /// The `:key` of a Direct API instance: finds it, proves nothing.
    DirectName,
}

impl CredentialKind {
    pub const ALL: [Self; 6] = [
        Self::ClientToken,
        Self::ClientSecret,
        Self::InstanceToken,
        Self::ApiToken,
        Self::DirectKey,
        Self::DirectName,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::ClientToken => "client_token",
            Self::ClientSecret => "client_secret",
            Self::InstanceToken => "instance_token",
            Self::ApiToken => "api_token",
            Self::DirectKey => "session_key",
            Self::DirectName => "session_name",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
    pub fn token_kind(self) -> TokenKind {
        match self {
            Self::ClientToken => TokenKind::Client,
            Self::ClientSecret => TokenKind::ClientSecret,
            Self::InstanceToken => TokenKind::Instance,
            Self::ApiToken => TokenKind::Api,
            Self::DirectKey => TokenKind::DirectKey,
            Self::DirectName => TokenKind::DirectName,
        }
    }
    /// Tokens that the contracts let an owner see again are also kept sealed; a client secret is not.
    pub fn is_shown_again(self) -> bool {
        !matches!(self, Self::ClientSecret)
    }
}

/// A credential as the store answers a look-up: just what the check needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialRef {
    /// The account's generation: "sign out everywhere" raises it, and JWTs of older ones die.
    pub generation: i64,
    pub id: CredentialId,
    pub account: AccountId,
    pub kind: CredentialKind,
    pub instance: Option<InstanceId>,
    /// The credential this one dies with (a client secret names its client token).
    pub parent: Option<CredentialId>,
    /// Rises with each change of the credential; JWTs carry it.
    pub version: i64,
    pub not_after: Option<Timestamp>,
    /// Rotated: it holds until then.
    pub grace_until: Option<Timestamp>,
    /// For good, whatever the clock says: clocks are set back, and nodes' differ.
    pub revoked: bool,
    /// Networks it may be used from; empty is any. A child has its parent's.
    pub networks: Arc<[IpNet]>,
    /// Instances it may be used for. A child has its parent's.
    pub scope: Scope,
    /// The pepper of its look-up hash, so that an old one can be replaced at the next use.
    pub pepper: PepperId,
}

impl CredentialRef {
    pub fn is_live(&self, now: Timestamp) -> bool {
        let before = |end: Option<Timestamp>| end.is_none_or(|at| now < at);
        !self.revoked && before(self.grace_until) && before(self.not_after)
    }

    /// Whether it may be used from there. An unknown address is in no network.
    pub fn may_come_from(&self, from: Option<IpAddr>) -> bool {
        self.networks.is_empty()
            || from.is_some_and(|from| self.networks.iter().any(|net| net.contains(&from)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::OsRng;

    #[test]
    fn tokens_round_trip_and_every_changed_character_is_refused() {
        for kind in TokenKind::ALL {
            let token = Token::random(kind, &OsRng);
            let text = token.expose().to_owned();
            assert_eq!(text.len(), kind.prefix().len() + 36);
            assert!(Token::parse(kind, &text).is_some());
            for (at, byte) in text.bytes().enumerate() {
                let mut other = text.clone().into_bytes();
                other[at] = if byte == b'a' { b'b' } else { b'a' };
                let other = String::from_utf8(other).expect("ascii");
                assert!(Token::parse(kind, &other).is_none(), "{other}");
            }
            assert!(Token::parse(kind, &text[..text.len() - 1]).is_none());
            for wrong in TokenKind::ALL.into_iter().filter(|other| *other != kind) {
                assert!(Token::parse(wrong, &text).is_none());
            }
            assert!(!format!("{token:?}").contains(&text[5..20]));
        }
    }
}
