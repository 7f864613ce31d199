//! A signer of our own beside the program's, with the program's key.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

use crate::gateway::Bed;

/// What a genuine token is made of, in the order that the program writes it.
pub(super) struct Forge {
    pub(super) key: Vec<u8>,
    pub(super) header: Value,
    pub(super) claims: Value,
    /// The genuine token of the second shop, taken apart.
    pub(super) foreign: Value,
}

pub(super) fn encode(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(part: &str) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url")
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).expect("three parts");
    serde_json::from_slice(&decode(part)).expect("JSON")
}

/// The members of an object in the order in which a genuine token has them: maps of `serde_json` sort.
pub(super) fn written(value: &Value, order: &[&str]) -> String {
    let Value::Object(map) = value else {
        return value.to_string();
    };
    let at = |name: &str| order.iter().position(|one| *one == name);
    let mut names: Vec<_> = map.keys().collect();
    names.sort_by_key(|name| at(name).unwrap_or(usize::MAX));
    let members = names
        .into_iter()
        .map(|name| format!("{}:{}", Value::from(name.as_str()), map[name]));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

pub(super) const HEADER: &[&str] = &["typ", "alg", "kid"];
/// Of clients and of people, in the order of both.
pub(super) const CLAIMS: &[&str] = &[
    "iss",
    "aud",
    "sub",
    "exp",
    "nbf",
    "iat",
    "jti",
    "scope",
    "cid",
    "cv",
    "sid",
    "acc",
    "ug",
    "sw",
    "generation",
];

impl Forge {
    pub(super) async fn of(bed: &Bed) -> Self {
        let header = part(&bed.a.jwt, 0);
        let mut conn = bed.read().await;
        let keys = conn.system().jwt_keys().await.expect("the keys");
        let key = keys.iter().find(|key| header["kid"] == key.kid.as_str());
        Self {
            key: key.expect("the key that signed").secret.to_vec(),
            header,
            claims: part(&bed.a.jwt, 1),
            foreign: part(&bed.b.jwt, 1),
        }
    }

    /// A person's token, with that of another person as the foreign one.
    pub(super) async fn of_person(bed: &Bed, jwt: &str, foreign: &str) -> Self {
        Self {
            header: part(jwt, 0),
            claims: part(jwt, 1),
            foreign: part(foreign, 1),
            ..Self::of(bed).await
        }
    }

    /// The claims of the genuine token, in the order in which it has them.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        let has = |name: &&str| self.claims.get(*name).is_some();
        CLAIMS.iter().copied().filter(has)
    }

    /// With the right key.
    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_text(&written(header, HEADER), &written(claims, CLAIMS))
    }

    pub(super) fn sign_text(&self, header: &str, claims: &str) -> String {
        self.sign_bytes(header.as_bytes(), claims.as_bytes())
    }

    pub(super) fn sign_bytes(&self, header: &[u8], claims: &[u8]) -> String {
        self.sign_parts(&encode(header), &encode(claims))
    }

    /// The right signature over parts that are taken as they are.
    pub(super) fn sign_parts(&self, header: &str, claims: &str) -> String {
        let signed = format!("{header}.{claims}");
        let signature = encode(&hs256(&self.key, signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    pub(super) fn header_with(&self, name: &str, value: Value) -> Value {
        with(&self.header, name, value)
    }

    pub(super) fn claims_with(&self, name: &str, value: Value) -> Value {
        with(&self.claims, name, value)
    }

    /// The genuine header and claims as the parts of a token.
    pub(super) fn parts(&self) -> (String, String) {
        let header = encode(written(&self.header, HEADER).as_bytes());
        (header, encode(written(&self.claims, CLAIMS).as_bytes()))
    }
}

pub(super) fn with(object: &Value, name: &str, value: Value) -> Value {
    let mut object = object.clone();
    object[name] = value;
    object
}

pub(super) fn without(object: &Value, name: &str) -> Value {
    let map = object.as_object().expect("an object").clone();
    let kept = map.into_iter().filter(|(key, _)| key != name);
    Value::Object(kept.collect::<Map<_, _>>())
}

pub(super) fn hs256(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length fits");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hs384(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha384>::new_from_slice(key).expect("any length fits");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hs512(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha512>::new_from_slice(key).expect("any length fits");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

/// The character whose value differs from `c`'s in the lowest bit.
pub(super) fn neighbour(c: u8) -> u8 {
    const ORDER: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    match ORDER.iter().position(|one| *one == c) {
        Some(at) => ORDER[at ^ 1],
        None => b'_',
    }
}

/// A genuine token after a few edits: a character set, put in, taken out, or a part of another token.
pub(super) fn edited(genuine: &str, other: &str, edits: &[(u16, u8, u8)]) -> String {
    let mut text = genuine.as_bytes().to_vec();
    for (at, byte, what) in edits {
        let at = usize::from(*at) % text.len().max(1);
        match what {
            0 if at < text.len() => text[at] = byte & 0x7f,
            1 => text.insert(at, byte & 0x7f),
            2 if at < text.len() => drop(text.remove(at)),
            _ => {
                let parts = |text: &[u8]| -> Vec<Vec<u8>> {
                    text.split(|b| *b == b'.').map(<[u8]>::to_vec).collect()
                };
                let (mut mine, theirs) = (parts(&text), parts(other.as_bytes()));
                let which = usize::from(*byte) % mine.len();
                if let Some(part) = theirs.get(which) {
                    mine[which].clone_from(part);
                }
                text = mine.join(&b'.');
            }
        }
    }
    String::from_utf8(text).expect("ascii")
}
