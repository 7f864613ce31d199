//! A phone's end of the Signal protocol: sessions with companions and with other phones.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow, bail};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use wacore_libsignal::protocol::error::Result as SignalResult;
use wacore_libsignal::protocol::{
    CiphertextMessage, Direction, GenericSignedPreKey as _, IdentityChange, IdentityKey,
    IdentityKeyPair, IdentityKeyStore, KeyPair, PreKeyBundle, PreKeyId, PreKeyRecord,
    PreKeySignalMessage, PreKeyStore, PrivateKey, ProtocolAddress, PublicKey, SignalMessage,
    SignalProtocolError, SignedPreKeyId, SignedPreKeyRecord, SignedPreKeyStore, Timestamp,
    UsePQRatchet, message_decrypt, message_encrypt, process_prekey_bundle,
};

use crate::ambient;
use crate::blob::Blob;
use crate::bundle::Bundle;
use crate::state::{Addr, Phone};

/// The id of the one-time key in a phone's request to send again.
pub(crate) const SPARE_PRE_KEY: u32 = 0x00ff_ff01;

/// An encrypted body, as it goes into `<enc type>`.
pub(crate) struct Sealed {
    /// `pkmsg` while the session is new, `msg` afterwards.
    pub(crate) kind: &'static str,
    pub(crate) body: Vec<u8>,
}

fn address(addr: &Addr) -> ProtocolAddress {
    ProtocolAddress::new(&addr.to_string(), 0.into())
}

/// The stores below never wait, so neither do the protocol's functions over them.
fn ready<T>(future: impl Future<Output = SignalResult<T>>) -> Result<T> {
    match future.now_or_never() {
        Some(result) => result.map_err(|error| anyhow!("Signal: {error}")),
        None => bail!("Signal: an in-memory store had to wait"),
    }
}

struct Identities<'a> {
    own: IdentityKeyPair,
    registration_id: u32,
    known: &'a mut BTreeMap<String, Blob>,
}

#[async_trait]
impl IdentityKeyStore for Identities<'_> {
    async fn get_identity_key_pair(&self) -> SignalResult<IdentityKeyPair> {
        Ok(self.own.clone())
    }

    async fn get_local_registration_id(&self) -> SignalResult<u32> {
        Ok(self.registration_id)
    }

    async fn save_identity(
        &mut self,
        address: &ProtocolAddress,
        identity: &IdentityKey,
    ) -> SignalResult<IdentityChange> {
        let key = Blob(identity.serialize().to_vec());
        let old = self.known.insert(address.name().to_owned(), key.clone());
        Ok(match old {
            Some(old) if old != key => IdentityChange::ReplacedExisting,
            _ => IdentityChange::NewOrUnchanged,
        })
    }

    async fn is_trusted_identity(
        &self,
        _: &ProtocolAddress,
        _: &IdentityKey,
        _: Direction,
    ) -> SignalResult<bool> {
        // As the app does: a changed key is shown to the user, not refused.
        Ok(true)
    }

    async fn get_identity(&self, address: &ProtocolAddress) -> SignalResult<Option<IdentityKey>> {
        self.known
            .get(address.name())
            .map(|key| IdentityKey::decode(&key.0))
            .transpose()
    }
}

/// Phones hand out no one-time keys, but a request to send again has to name one: it is the
/// signed key under another id.
struct SparePreKey(KeyPair);

#[async_trait]
impl PreKeyStore for SparePreKey {
    async fn get_pre_key(&self, id: PreKeyId) -> SignalResult<PreKeyRecord> {
        if u32::from(id) == SPARE_PRE_KEY {
            Ok(PreKeyRecord::new(id, &self.0))
        } else {
            Err(SignalProtocolError::InvalidPreKeyId)
        }
    }

    async fn save_pre_key(&mut self, _: PreKeyId, _: &PreKeyRecord) -> SignalResult<()> {
        Ok(())
    }

    async fn remove_pre_key(&mut self, _: PreKeyId) -> SignalResult<()> {
        Ok(())
    }
}

struct SignedKey(SignedPreKeyRecord);

#[async_trait]
impl SignedPreKeyStore for SignedKey {
    async fn get_signed_pre_key(&self, id: SignedPreKeyId) -> SignalResult<SignedPreKeyRecord> {
        if self.0.id()? == id {
            Ok(self.0.clone())
        } else {
            Err(SignalProtocolError::InvalidSignedPreKeyId)
        }
    }

    async fn save_signed_pre_key(
        &mut self,
        _: SignedPreKeyId,
        record: &SignedPreKeyRecord,
    ) -> SignalResult<()> {
        self.0 = record.clone();
        Ok(())
    }
}

fn public(bytes: &[u8]) -> Result<PublicKey> {
    PublicKey::from_djb_public_key_bytes(bytes).map_err(|error| anyhow!("bad public key: {error}"))
}

impl Phone {
    pub(crate) fn has_session(&self, with: &Addr) -> bool {
        self.ratchets.knows(&with.to_string())
    }

    fn own_identity(&self) -> Result<IdentityKeyPair> {
        let pair = self
            .identity()
            .context("the phone's identity key is damaged")?;
        Ok(IdentityKeyPair::new(
            IdentityKey::new(pair.public_key),
            pair.private_key,
        ))
    }

    /// Opens a session from the other device's bundle, replacing an older one.
    pub(crate) fn open_session(&mut self, with: &Addr, bundle: &Bundle) -> Result<()> {
        let own = self.own_identity()?;
        let prekey = bundle
            .prekey
            .as_ref()
            .map(|key| Ok::<_, anyhow::Error>((PreKeyId::from(key.id), public(&key.public)?)))
            .transpose()?;
        let bundle = PreKeyBundle::new(
            bundle.registration_id,
            u32::from(with.device).into(),
            prekey,
            bundle.signed.id.into(),
            public(&bundle.signed.public.0)?,
            bundle.signed.signature.0.clone(),
            IdentityKey::new(public(&bundle.identity)?),
        )
        .map_err(|error| anyhow!("bad bundle: {error}"))?;
        ready(process_prekey_bundle(
            &address(with),
            &mut self.ratchets,
            &mut Identities {
                own,
                registration_id: self.registration_id,
                known: &mut self.identities,
            },
            &bundle,
            &mut ambient::rng(),
            UsePQRatchet::No,
        ))?;
        Ok(())
    }

    /// Encrypts for a device with which a session is open.
    pub(crate) fn seal(&mut self, to: &Addr, plaintext: &[u8]) -> Result<Sealed> {
        let own = self.own_identity()?;
        let message = ready(message_encrypt(
            plaintext,
            &address(to),
            &mut self.ratchets,
            &mut Identities {
                own,
                registration_id: self.registration_id,
                known: &mut self.identities,
            },
        ))?;
        match message {
            CiphertextMessage::PreKeySignalMessage(message) => Ok(Sealed {
                kind: "pkmsg",
                body: message.serialized().to_vec(),
            }),
            CiphertextMessage::SignalMessage(message) => Ok(Sealed {
                kind: "msg",
                body: message.serialized().to_vec(),
            }),
            _ => bail!("Signal: unexpected kind of message"),
        }
    }

    /// Decrypts what a device sent. `kind` is the `type` of its `<enc>`.
    pub(crate) fn open(&mut self, from: &Addr, kind: &str, body: &[u8]) -> Result<Vec<u8>> {
        let message = match kind {
            "pkmsg" => CiphertextMessage::PreKeySignalMessage(
                PreKeySignalMessage::try_from(body).map_err(|error| anyhow!("Signal: {error}"))?,
            ),
            "msg" => CiphertextMessage::SignalMessage(
                SignalMessage::try_from(body).map_err(|error| anyhow!("Signal: {error}"))?,
            ),
            other => bail!("cannot decrypt `{other}`"),
        };
        let own = self.own_identity()?;
        let private = PrivateKey::deserialize(&self.signed_prekey_private.0)
            .map_err(|error| anyhow!("the phone's signed pre-key is damaged: {error}"))?;
        let pair = KeyPair::new(public(&self.signed_prekey.public.0)?, private);
        let signed = SignedKey(SignedPreKeyRecord::new(
            self.signed_prekey.id.into(),
            Timestamp::from_epoch_millis(0),
            &pair,
            &self.signed_prekey.signature.0,
        ));
        let opened = ready(message_decrypt(
            &message,
            &address(from),
            &mut self.ratchets,
            &mut Identities {
                own,
                registration_id: self.registration_id,
                known: &mut self.identities,
            },
            &mut SparePreKey(pair),
            &signed,
            &mut ambient::rng(),
            UsePQRatchet::No,
        ))?;
        Ok(opened.plaintext)
    }
}
