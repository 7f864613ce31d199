//! Sealing: AES-256-GCM, each value bound to its table, column, account and row.
//!
//! The master key wraps random data keys, of each account and of the system; those seal values.
//! A sealed value is `1 | key version (2 bytes, big-endian) | nonce (12) | ciphertext and tag`, so
//! that keys can be replaced one value at a time. Which keys a process holds is in `keys`.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use recado_model::Rng;
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Result, StoreError};

const KEY_LEN: usize = 32;
const FORMAT: u8 = 1;
const HEAD: usize = 1 + 2 + NONCE_LEN;

/// Accepts padding or none: people copy keys without the `=`.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// The key above all others: 32 bytes that the operator keeps apart from the database.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; KEY_LEN]>);

impl MasterKey {
    /// From base64 (either alphabet, padded or not) or 64 hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let bytes = Zeroizing::new(if text.len() == 2 * KEY_LEN {
            unhex(text)
        } else {
            GeneralPurpose::new(&STANDARD, LENIENT)
                .decode(text)
                .or_else(|_| GeneralPurpose::new(&URL_SAFE, LENIENT).decode(text))
                .ok()
        });
        let mut key = Zeroizing::new([0; KEY_LEN]);
        match bytes.as_deref() {
            Some(bytes) if bytes.len() == KEY_LEN => key.copy_from_slice(bytes),
            _ => return Err(StoreError::BadMasterKey),
        }
        Ok(Self(key))
    }

    /// A new one and its text (base64), which [`MasterKey::parse`] reads.
    pub fn generate(rng: &dyn Rng) -> (Self, String) {
        let key = random_key(rng);
        let text = base64::engine::general_purpose::STANDARD.encode(key.as_slice());
        (Self(key), text)
    }

    fn sealer(&self) -> Result<SealKey> {
        SealKey::new(0, self.0.as_slice())
    }

    /// Wraps a fresh data key for `owner` (an account id, or [`SYSTEM`]).
    pub(crate) fn new_data_key(&self, owner: &str, version: u16, rng: &dyn Rng) -> Result<Vec<u8>> {
        let key = random_key(rng);
        self.sealer()?.seal(
            &wrap_context(owner, &version.to_string()),
            key.as_slice(),
            rng,
        )
    }

    pub(crate) fn unwrap_data_key(
        &self,
        owner: &str,
        version: u16,
        wrapped: &[u8],
    ) -> Result<SealKey> {
        let text = version.to_string();
        let bytes = Zeroizing::new(self.sealer()?.open(&wrap_context(owner, &text), wrapped)?);
        SealKey::new(version, &bytes)
    }

    /// The same data key, wrapped by `new` instead of this one.
    pub(crate) fn rewrap(
        &self,
        new: &Self,
        owner: &str,
        version: u16,
        wrapped: &[u8],
        rng: &dyn Rng,
    ) -> Result<Vec<u8>> {
        let text = version.to_string();
        let context = wrap_context(owner, &text);
        let bytes = Zeroizing::new(self.sealer()?.open(&context, wrapped)?);
        new.sealer()?.seal(&context, &bytes, rng)
    }

    /// The record by which another key is told apart.
    pub(crate) fn check_record(&self, rng: &dyn Rng) -> Result<Vec<u8>> {
        self.sealer()?.seal(&check_context(), b"recado", rng)
    }

    pub(crate) fn matches(&self, record: &[u8]) -> Result<bool> {
        Ok(self.sealer()?.open(&check_context(), record).is_ok())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

/// Whose key wraps what belongs to no account.
pub(crate) const SYSTEM: &str = "system";

/// A wrapped key opens for its owner and version (as text) only.
fn wrap_context<'a>(owner: &'a str, version: &'a str) -> Context<'a> {
    Context::new("account_key", "wrapped", owner, version)
}

fn check_context() -> Context<'static> {
    Context::new("meta", "value", "", "key_check")
}

fn random_key(rng: &dyn Rng) -> Zeroizing<[u8; KEY_LEN]> {
    let mut key = Zeroizing::new([0; KEY_LEN]);
    rng.fill(key.as_mut_slice());
    key
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok())
        .collect()
}

/// Where a sealed value lives; it opens nowhere else. No part may contain `|`, but the last.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    table: &'static str,
    column: &'static str,
    account: &'a str,
    row: &'a str,
}

impl<'a> Context<'a> {
    pub fn new(table: &'static str, column: &'static str, account: &'a str, row: &'a str) -> Self {
        Self {
            table,
            column,
            account,
            row,
        }
    }

    fn aad(&self) -> Vec<u8> {
        [self.table, self.column, self.account, self.row]
            .join("|")
            .into_bytes()
    }
}

/// One data key.
pub(crate) struct SealKey {
    version: u16,
    key: LessSafeKey,
}

impl SealKey {
    fn new(version: u16, bytes: &[u8]) -> Result<Self> {
        let key = UnboundKey::new(&AES_256_GCM, bytes)
            .map_err(|_| StoreError::Sealed("a data key".into()))?;
        Ok(Self {
            version,
            key: LessSafeKey::new(key),
        })
    }

    fn seal(&self, context: &Context<'_>, plain: &[u8], rng: &dyn Rng) -> Result<Vec<u8>> {
        let failed = || StoreError::Sealed(format!("{}.{}", context.table, context.column));
        let mut nonce = [0; NONCE_LEN];
        rng.fill(&mut nonce);
        let mut text = plain.to_vec();
        let tag = self
            .key
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.aad()),
                &mut text,
            )
            .map_err(|_| failed())?;
        let mut sealed = Vec::with_capacity(HEAD + text.len() + tag.as_ref().len());
        sealed.push(FORMAT);
        sealed.extend_from_slice(&self.version.to_be_bytes());
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(&text);
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    fn open(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let failed = || StoreError::Sealed(format!("{}.{}", context.table, context.column));
        let (head, body) = sealed.split_at_checked(HEAD).ok_or_else(failed)?;
        let mut nonce = [0; NONCE_LEN];
        nonce.copy_from_slice(&head[3..]);
        if head[0] != FORMAT {
            return Err(failed());
        }
        let mut text = body.to_vec();
        let length = self
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context.aad()),
                &mut text,
            )
            .map_err(|_| failed())?
            .len();
        text[length..].zeroize();
        text.truncate(length);
        Ok(text)
    }
}

/// The data keys of an account (or the system), newest first: the first seals, all open.
pub(crate) struct KeyRing(Vec<SealKey>);

impl KeyRing {
    pub fn new(keys: Vec<SealKey>) -> Self {
        Self(keys)
    }

    pub fn seal(&self, context: &Context<'_>, plain: &[u8], rng: &dyn Rng) -> Result<Vec<u8>> {
        self.0
            .first()
            .ok_or_else(|| StoreError::Sealed("account_key".into()))?
            .seal(context, plain, rng)
    }

    pub fn open(&self, context: &Context<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let failed = || StoreError::Sealed(format!("{}.{}", context.table, context.column));
        let version = version_of(sealed).ok_or_else(failed)?;
        self.0
            .iter()
            .find(|key| key.version == version)
            .ok_or_else(failed)?
            .open(context, sealed)
    }

    /// The version that seals; 0 for a ring without a key.
    pub fn newest(&self) -> u16 {
        self.0.first().map_or(0, |key| key.version)
    }

    /// Whether the key that sealed it is here. A text that is no sealed value needs no key.
    pub fn has_key_of(&self, sealed: &[u8]) -> bool {
        version_of(sealed).is_none_or(|version| self.0.iter().any(|key| key.version == version))
    }
}

/// Which key sealed it; `None` for what is no sealed value.
pub(crate) fn version_of(sealed: &[u8]) -> Option<u16> {
    match sealed {
        [FORMAT, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// Every value sealed under an older version is less than this, byte by byte.
pub(crate) fn prefix_of(version: u16) -> [u8; 3] {
    let [high, low] = version.to_be_bytes();
    [FORMAT, high, low]
}

#[cfg(test)]
mod tests {
    use recado_model::clock::OsRng;

    use super::*;

    fn ring(master: &MasterKey, owner: &str) -> KeyRing {
        let wrapped = master.new_data_key(owner, 1, &OsRng).expect("wraps");
        let key = master.unwrap_data_key(owner, 1, &wrapped).expect("unwraps");
        KeyRing::new(vec![key])
    }

    #[test]
    fn a_value_opens_only_where_it_was_sealed() {
        let (master, _) = MasterKey::generate(&OsRng);
        let keys = ring(&master, "AC1");
        let here = Context::new("credential", "sealed", "AC1", "CR1");
        let sealed = keys.seal(&here, b"secret", &OsRng).expect("seals");
        assert_eq!(keys.open(&here, &sealed).expect("opens"), b"secret");
        assert!(!sealed.windows(6).any(|part| part == b"secret"));
        for elsewhere in [
            Context::new("webhook", "sealed", "AC1", "CR1"),
            Context::new("credential", "label", "AC1", "CR1"),
            Context::new("credential", "sealed", "AC2", "CR1"),
            Context::new("credential", "sealed", "AC1", "CR2"),
        ] {
            assert!(keys.open(&elsewhere, &sealed).is_err(), "{elsewhere:?}");
        }
        assert!(ring(&master, "AC1").open(&here, &sealed).is_err());
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[at] ^= 1;
            assert!(keys.open(&here, &damaged).is_err(), "byte {at}");
            assert!(keys.open(&here, &sealed[..at]).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn a_data_key_unwraps_only_for_its_owner_and_master_key() {
        let (master, _) = MasterKey::generate(&OsRng);
        let (other, _) = MasterKey::generate(&OsRng);
        let wrapped = master.new_data_key("AC1", 1, &OsRng).expect("wraps");
        assert!(master.unwrap_data_key("AC1", 1, &wrapped).is_ok());
        assert!(master.unwrap_data_key("AC1", 2, &wrapped).is_err());
        assert!(master.unwrap_data_key("AC2", 1, &wrapped).is_err());
        assert!(other.unwrap_data_key("AC1", 1, &wrapped).is_err());
    }

    #[test]
    fn a_rewrapped_key_opens_what_it_sealed_and_only_under_the_new_master_key() {
        let (old, _) = MasterKey::generate(&OsRng);
        let (new, _) = MasterKey::generate(&OsRng);
        let wrapped = old.new_data_key("AC1", 7, &OsRng).expect("wraps");
        let unwrap = |master: &MasterKey, wrapped: &[u8]| {
            let key = master.unwrap_data_key("AC1", 7, wrapped)?;
            Ok::<_, StoreError>(KeyRing::new(vec![key]))
        };
        let here = Context::new("credential", "sealed", "AC1", "CR1");
        let before = unwrap(&old, &wrapped).expect("the old one");
        let sealed = before.seal(&here, b"secret", &OsRng).expect("seals");
        let again = old
            .rewrap(&new, "AC1", 7, &wrapped, &OsRng)
            .expect("rewraps");
        let after = unwrap(&new, &again).expect("the new one");
        assert_eq!(after.open(&here, &sealed).expect("opens"), b"secret");
        assert!(unwrap(&old, &again).is_err());
        assert!(old.rewrap(&new, "AC2", 7, &wrapped, &OsRng).is_err());
    }

    #[test]
    fn older_versions_sort_below() {
        let (master, _) = MasterKey::generate(&OsRng);
        let here = Context::new("credential", "sealed", "AC1", "CR1");
        let sealed = |version: u16| {
            let wrapped = master.new_data_key("AC1", version, &OsRng).expect("wraps");
            let key = master.unwrap_data_key("AC1", version, &wrapped);
            let ring = KeyRing::new(vec![key.expect("unwraps")]);
            ring.seal(&here, b"secret", &OsRng).expect("seals")
        };
        for (older, newer) in [(1, 2), (9, 10), (255, 256), (256, 512), (65_534, 65_535)] {
            assert!(sealed(older).as_slice() < prefix_of(newer).as_slice());
            assert!(sealed(newer).as_slice() > prefix_of(newer).as_slice());
            assert_eq!(version_of(&sealed(newer)), Some(newer));
        }
    }

    #[test]
    fn a_million_values_have_a_million_nonces() {
        let keys = ring(&MasterKey::generate(&OsRng).0, "AC1");
        let here = Context::new("device", "value", "AC1", "RC1/session/1");
        let mut seen = std::collections::HashSet::with_capacity(1_000_000);
        for _ in 0..1_000_000 {
            let sealed = keys.seal(&here, b"x", &OsRng).expect("seals");
            let nonce: [u8; NONCE_LEN] = sealed[3..HEAD].try_into().expect("a nonce");
            assert!(seen.insert(nonce), "a nonce came twice");
        }
    }

    #[test]
    fn master_keys_are_read_in_every_usual_form() {
        let (master, text) = MasterKey::generate(&OsRng);
        let hex: String = master.0.iter().map(|byte| format!("{byte:02x}")).collect();
        let url = text.replace('+', "-").replace('/', "_");
        for form in [
            text.clone(),
            format!(" {text}\n"),
            text.trim_end_matches('=').to_owned(),
            url,
            hex.clone(),
            hex.to_uppercase(),
        ] {
            let read = MasterKey::parse(&form).expect("parses");
            assert_eq!(read.0.as_slice(), master.0.as_slice());
        }
        for bad in ["", "short", &text[..40], &hex[..62], &format!("{hex}00")] {
            assert!(MasterKey::parse(bad).is_err());
        }
        assert!(!format!("{master:?}").contains(&text[..8]));
    }
}
