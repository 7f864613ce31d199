//! Sealing: AES-256-GCM, each value bound to its table, column, account and row.
//!
//! The master key wraps one random data key per account and one for the system; those seal values.
//! A sealed value is `1 | key version (2 bytes, big-endian) | nonce (12) | ciphertext and tag`, so
//! that keys can be replaced one value at a time.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use recado_model::{AccountId, Rng};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    db::Conn,
    error::{Result, StoreError},
    sql::sql,
};

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

    /// Wraps a fresh data key for `owner` (an account id, or `system`).
    pub(crate) fn new_data_key(&self, owner: &str, rng: &dyn Rng) -> Result<Vec<u8>> {
        let key = random_key(rng);
        self.sealer()?
            .seal(&wrap_context(owner), key.as_slice(), rng)
    }

    pub(crate) fn unwrap_data_key(
        &self,
        owner: &str,
        version: u16,
        wrapped: &[u8],
    ) -> Result<SealKey> {
        let bytes = Zeroizing::new(self.sealer()?.open(&wrap_context(owner), wrapped)?);
        SealKey::new(version, &bytes)
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

fn wrap_context(owner: &str) -> Context<'_> {
    Context::new("account_key", "wrapped", owner, "")
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
        let version = match sealed {
            [FORMAT, high, low, ..] => u16::from_be_bytes([*high, *low]),
            _ => {
                return Err(StoreError::Sealed(format!(
                    "{}.{}",
                    context.table, context.column
                )));
            }
        };
        self.0
            .iter()
            .find(|key| key.version == version)
            .ok_or_else(|| StoreError::Sealed(format!("{}.{}", context.table, context.column)))?
            .open(context, sealed)
    }
}

impl Conn {
    /// The account's data keys, from memory or from its rows (also those of this transaction).
    pub(crate) async fn account_ring(&mut self, account: &AccountId) -> Result<Arc<KeyRing>> {
        if let Some(ring) = self.store.inner.account_keys.get(account) {
            return Ok(ring);
        }
        let rows = sql(
            "SELECT version, wrapped FROM account_key WHERE account_id = $1 ORDER BY version DESC",
        )
        .bind(account)
        .fetch_all(self)
        .await?;
        if rows.is_empty() {
            return Err(StoreError::NoParent);
        }
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let version =
                u16::try_from(row.i64("version")?).map_err(|_| StoreError::Column("version"))?;
            let master = &self.store.inner.master;
            keys.push(master.unwrap_data_key(account.as_str(), version, &row.blob("wrapped")?)?);
        }
        let ring = Arc::new(KeyRing::new(keys));
        self.store
            .inner
            .account_keys
            .insert(account.clone(), ring.clone());
        Ok(ring)
    }

    /// Seals `plain` under the account's key for the row and column that it is going to.
    pub(crate) async fn seal_for(
        &mut self,
        account: &AccountId,
        table: &'static str,
        column: &'static str,
        row: &str,
        plain: &[u8],
    ) -> Result<Vec<u8>> {
        let ring = self.account_ring(account).await?;
        let context = Context::new(table, column, account.as_str(), row);
        ring.seal(&context, plain, self.store.rng())
    }

    /// The text that was sealed for that row and column.
    pub(crate) async fn unseal_for(
        &mut self,
        account: &AccountId,
        table: &'static str,
        column: &'static str,
        row: &str,
        sealed: &[u8],
    ) -> Result<recado_model::Secret> {
        let ring = self.account_ring(account).await?;
        let plain = ring.open(&Context::new(table, column, account.as_str(), row), sealed)?;
        String::from_utf8(plain)
            .map(recado_model::Secret::new)
            .map_err(|_| StoreError::Sealed(format!("{table}.{column}")))
    }
}

#[cfg(test)]
mod tests {
    use recado_model::clock::OsRng;

    use super::*;

    fn ring(master: &MasterKey, owner: &str) -> KeyRing {
        let wrapped = master.new_data_key(owner, &OsRng).expect("wraps");
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
        let wrapped = master.new_data_key("AC1", &OsRng).expect("wraps");
        assert!(master.unwrap_data_key("AC1", 1, &wrapped).is_ok());
        assert!(master.unwrap_data_key("AC2", 1, &wrapped).is_err());
        assert!(other.unwrap_data_key("AC1", 1, &wrapped).is_err());
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
