//! Looking for a secret in a heap of bytes, in every disguise that programs give to secrets.

use std::collections::{BTreeSet, HashMap};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};

/// Something that must be nowhere, and the forms to look for.
pub struct Secret {
    pub name: String,
    pub forms: Vec<(String, Vec<u8>)>,
}

impl Secret {
    /// A token or password, as text.
    pub fn text(name: &str, secret: &str) -> Self {
        let mut made = Self::bytes(name, secret.as_bytes());
        let start = &secret[..secret.len().min(12)];
        made.push("first 12 characters", start);
        made.push(
            "url-encoded",
            percent_encode(secret.as_bytes(), NON_ALPHANUMERIC).to_string(),
        );
        made
    }

    /// A JWT: its head is the same for all of them, so the start that counts is the signature's.
    pub fn jwt(name: &str, secret: &str) -> Self {
        let mut made = Self::bytes(name, secret.as_bytes());
        for part in secret.split('.').skip(1) {
            made.push("start of a part", &part[..12]);
            made.push("a part", part);
        }
        made
    }

    /// A key, as bytes.
    pub fn bytes(name: &str, secret: &[u8]) -> Self {
        let mut made = Self {
            name: name.to_owned(),
            forms: vec![("raw".to_owned(), secret.to_vec())],
        };
        for shift in 0..3 {
            for (kind, engine) in [
                ("base64", &STANDARD_NO_PAD),
                ("url-safe base64", &URL_SAFE_NO_PAD),
            ] {
                let coded = engine.encode([&vec![0; shift][..], secret].concat());
                // Only the characters that no neighbour has a part in.
                let first = (shift * 8).div_ceil(6);
                let last = (shift + secret.len()) * 8 / 6;
                made.push(&format!("{kind} at {shift}"), &coded[first..last]);
            }
        }
        made.push("hex", hex::encode(secret));
        made.push("HEX", hex::encode_upper(secret));
        // As `{:?}` writes bytes.
        let numbers: Vec<String> = secret.iter().take(12).map(u8::to_string).collect();
        made.push("numbers", numbers.join(", "));
        made.push("tight numbers", numbers.join(","));
        made
    }

    pub fn push(&mut self, kind: &str, form: impl AsRef<[u8]>) {
        self.forms.push((kind.to_owned(), form.as_ref().to_vec()));
    }
}

/// Where every form that is looked for starts with: each place is read once, for all of them.
const START: usize = 8;

/// Names and forms of the secrets that are in `place`.
pub fn found_in<'a>(
    secrets: impl IntoIterator<Item = &'a Secret>,
    place: &[u8],
) -> BTreeSet<String> {
    type Form<'a> = (&'a Secret, &'a str, &'a [u8]);
    let mut starts: HashMap<&[u8], Vec<Form<'_>>> = HashMap::new();
    for secret in secrets {
        for (kind, form) in &secret.forms {
            assert!(form.len() >= START, "too short to mean anything");
            let known = starts.entry(&form[..START]).or_default();
            known.push((secret, kind, form));
        }
    }
    let mut found = BTreeSet::new();
    for (at, window) in place.windows(START).enumerate() {
        for (secret, kind, form) in starts.get(window).into_iter().flatten() {
            if place[at..].starts_with(form) {
                found.insert(format!("{} ({kind})", secret.name));
            }
        }
    }
    found
}

/// The search itself, in each disguise.
#[test]
fn the_search_finds() {
    let token = "sk_abcdefghijklmnopqrstuvwxyz0123456789";
    let secret = Secret::text("token", token);
    let key: Vec<u8> = (0..32).map(|n| n * 7 + 3).collect();
    let bytes = Secret::bytes("key", &key);
    let is_found = |secret: &Secret, place: &[u8]| {
        let place = [b"before ", place, b" after"].concat();
        !found_in([secret], &place).is_empty()
    };
    assert!(is_found(&secret, token.as_bytes()));
    assert!(is_found(&secret, &token.as_bytes()[..12]));
    for shift in 0..7 {
        let around = [&vec![b'x'; shift][..], &key, b"yyyy"].concat();
        assert!(
            is_found(&bytes, STANDARD_NO_PAD.encode(&around).as_bytes()),
            "{shift}"
        );
        assert!(
            is_found(&bytes, URL_SAFE_NO_PAD.encode(&around).as_bytes()),
            "{shift}"
        );
    }
    assert!(is_found(&bytes, hex::encode(&key).as_bytes()));
    assert!(is_found(&bytes, hex::encode_upper(&key).as_bytes()));
    assert!(is_found(&bytes, format!("{key:?}").as_bytes()));
    assert!(is_found(
        &bytes,
        serde_json::to_string(&key).expect("JSON").as_bytes()
    ));
    assert!(
        !is_found(&secret, b"sk_abcdefgh and nothing more") && !is_found(&bytes, token.as_bytes())
    );
}
