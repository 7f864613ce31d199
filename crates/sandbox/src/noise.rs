//! The answering side of the Noise handshake: XX for new clients, IK for those that know our key,
//! XXfallback when what they know is stale.

use anyhow::{Context as _, Result, anyhow};
use buffa::{Message as _, MessageField};
use wacore_binary::consts::{
    NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK, WA_CONN_HEADER,
};
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::{NoiseCipher, NoiseHandshake};
use waproto::whatsapp::cert_chain::{NoiseCertificate, noise_certificate::Details};
use waproto::whatsapp::handshake_message::{ClientHello, ServerHello};
use waproto::whatsapp::{CertChain, ClientPayload, HandshakeMessage};

use crate::ambient;

const TEN_YEARS: u64 = 10 * 365 * 86_400;
const ONE_DAY: u64 = 86_400;

/// A finished handshake.
pub(crate) struct Channel {
    /// Encrypts what we send.
    pub(crate) write: NoiseCipher,
    /// Decrypts what we receive.
    pub(crate) read: NoiseCipher,
    /// The client's static key: proves which companion it is.
    pub(crate) client_key: Vec<u8>,
    pub(crate) payload: ClientPayload,
}

/// Where a handshake stands after the client's hello.
pub(crate) enum Step {
    /// XX: send `hello`, then feed the client's finish to [`Pending::finish`].
    Continue { hello: Vec<u8>, pending: Pending },
    /// IK: send `hello`; all is known already.
    Done { hello: Vec<u8>, channel: Channel },
}

/// An XX handshake that waits for the client's finish.
pub(crate) struct Pending {
    noise: NoiseHandshake,
    ephemeral: KeyPair,
}

/// Answers a client's hello.
pub(crate) fn answer(key: &KeyPair, frame: &[u8]) -> Result<Step> {
    let hello = HandshakeMessage::decode_from_slice(frame)
        .context("the first frame is not a handshake message")?
        .client_hello
        .into_option()
        .ok_or_else(|| anyhow!("the first frame is not a client hello"))?;
    let client_ephemeral = hello
        .ephemeral
        .clone()
        .ok_or_else(|| anyhow!("the client hello has no ephemeral key"))?;
    if hello.r#static.is_none() {
        return start_xx(key, NOISE_PATTERN_XX, &client_ephemeral);
    }
    match resume(key, &hello, &client_ephemeral) {
        Ok(step) => Ok(step),
        Err(error) => {
            tracing::debug!(%error, "the client resumes with a key that is not ours; starting anew");
            start_xx(key, NOISE_PATTERN_XXFALLBACK, &client_ephemeral)
        }
    }
}

fn start_xx(key: &KeyPair, pattern: &str, client_ephemeral: &[u8]) -> Result<Step> {
    let mut noise = NoiseHandshake::new(pattern, &WA_CONN_HEADER)?;
    noise.authenticate(client_ephemeral);
    let ephemeral = KeyPair::generate(&mut ambient::rng());
    noise.authenticate(ephemeral.public_key.public_key_bytes());
    noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
    let sealed_static = noise.encrypt(key.public_key.public_key_bytes())?;
    noise.mix_shared_secret(key.private_key.serialize(), client_ephemeral)?;
    let certificate = noise.encrypt(&certificate(key))?;
    let hello = server_hello(&ephemeral, Some(sealed_static), certificate);
    Ok(Step::Continue {
        hello,
        pending: Pending { noise, ephemeral },
    })
}

fn resume(key: &KeyPair, hello: &ClientHello, client_ephemeral: &[u8]) -> Result<Step> {
    let (Some(sealed_static), Some(sealed_payload)) = (&hello.r#static, &hello.payload) else {
        return Err(anyhow!("the client hello is incomplete"));
    };
    let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, &WA_CONN_HEADER)?;
    noise.authenticate(key.public_key.public_key_bytes());
    noise.authenticate(client_ephemeral);
    noise.mix_shared_secret(key.private_key.serialize(), client_ephemeral)?;
    let client_key = noise.decrypt(sealed_static)?;
    noise.mix_shared_secret(key.private_key.serialize(), &client_key)?;
    let payload = noise.decrypt(sealed_payload)?;

    let ephemeral = KeyPair::generate(&mut ambient::rng());
    noise.authenticate(ephemeral.public_key.public_key_bytes());
    noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
    noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_key)?;
    let certificate = noise.encrypt(&certificate(key))?;
    let hello = server_hello(&ephemeral, None, certificate);
    let channel = channel(noise, client_key, &payload)?;
    Ok(Step::Done { hello, channel })
}

impl Pending {
    /// Reads the client's finish.
    pub(crate) fn finish(mut self, frame: &[u8]) -> Result<Channel> {
        let finish = HandshakeMessage::decode_from_slice(frame)
            .context("the second frame is not a handshake message")?
            .client_finish
            .into_option()
            .ok_or_else(|| anyhow!("the second frame is not a client finish"))?;
        let (Some(sealed_static), Some(sealed_payload)) = (finish.r#static, finish.payload) else {
            return Err(anyhow!("the client finish is incomplete"));
        };
        let client_key = self.noise.decrypt(&sealed_static)?;
        self.noise
            .mix_shared_secret(self.ephemeral.private_key.serialize(), &client_key)?;
        let payload = self.noise.decrypt(&sealed_payload)?;
        channel(self.noise, client_key, &payload)
    }
}

fn channel(noise: NoiseHandshake, client_key: Vec<u8>, payload: &[u8]) -> Result<Channel> {
    let payload = ClientPayload::decode_from_slice(payload).context("bad client payload")?;
    // `finish` names the ciphers from the initiator's point of view; we are the other side.
    let (read, write) = noise.finish()?;
    Ok(Channel {
        write,
        read,
        client_key,
        payload,
    })
}

fn server_hello(ephemeral: &KeyPair, sealed_static: Option<Vec<u8>>, payload: Vec<u8>) -> Vec<u8> {
    HandshakeMessage {
        server_hello: MessageField::some(ServerHello {
            ephemeral: Some(ephemeral.public_key.public_key_bytes().to_vec()),
            r#static: sealed_static,
            payload: Some(payload),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

/// A certificate chain with the right names and empty signatures: only a client that does not
/// verify the chain accepts it, which is the point of the gateway's `sandbox` feature.
fn certificate(key: &KeyPair) -> Vec<u8> {
    let now = u64::try_from(ambient::now_secs()).unwrap_or_default();
    let public = key.public_key.public_key_bytes().to_vec();
    let details = |serial: u32, issuer: u32| Details {
        serial: Some(serial),
        issuer_serial: Some(issuer),
        key: Some(public.clone()),
        not_before: Some(now.saturating_sub(ONE_DAY)),
        not_after: Some(now + TEN_YEARS),
    };
    let certificate = |details: Details| {
        MessageField::some(NoiseCertificate {
            details: Some(details.encode_to_vec()),
            signature: Some(vec![0; 64]),
        })
    };
    CertChain {
        intermediate: certificate(details(1, 0)),
        leaf: certificate(details(2, 1)),
    }
    .encode_to_vec()
}
