//! Linking with a code: the companion shows eight characters, the user types them on the phone.

use tokio::sync::oneshot;
use wacore::crypto::hkdf_sha256_into;
use wacore::pair_code::PairCodeUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::aes_256_gcm_decrypt;
use wacore_libsignal::protocol::{KeyPair, PublicKey};

use crate::ambient;
use crate::core::{Core, TypedCode};
use crate::state::{Addr, Phone};

/// How long the server accepts a code.
const CODE_VALID_MS: i64 = 180_000;
const WRONG_CODE: &str = "this code is wrong: type the one that the client shows";

/// The slow half of typing a code, done without holding the network.
pub(crate) struct CodeKeys {
    ephemeral: KeyPair,
    companion_ephemeral: [u8; 32],
    wrapped: Vec<u8>,
}

/// Upper case, without the dash and the spaces that people type.
pub(crate) fn normalise(code: &str) -> Result<String, String> {
    let code: String = code
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .map(|c| c.to_ascii_uppercase())
        .collect();
    if PairCodeUtils::validate_code(&code) {
        Ok(code)
    } else {
        Err("a link code has eight characters, as the client shows it (ABCD-1234)".to_owned())
    }
}

/// Derives the keys from the code. Takes a tenth of a second of processor time.
pub(crate) fn code_keys(code: &str, wrapped_companion_key: &[u8]) -> Result<CodeKeys, String> {
    let companion_ephemeral =
        PairCodeUtils::decrypt_primary_ephemeral_pub(wrapped_companion_key, code)
            .map_err(|error| error.to_string())?;
    let ephemeral = KeyPair::generate(&mut ambient::rng());
    let public: [u8; 32] = ephemeral
        .public_key
        .public_key_bytes()
        .try_into()
        .map_err(|_| "bad key".to_owned())?;
    let wrapped = PairCodeUtils::encrypt_ephemeral_pub(&public, code).to_vec();
    Ok(CodeKeys {
        ephemeral,
        companion_ephemeral,
        wrapped,
    })
}

impl Core {
    /// What the companion sent along when it asked for a code for this number.
    pub(crate) fn outstanding_code(&self, number: &str) -> Result<Vec<u8>, String> {
        self.codes
            .get(number)
            .filter(|code| ambient::now_ms() - code.asked_ms <= CODE_VALID_MS)
            .map(|code| code.wrapped_companion_key.clone())
            .ok_or_else(|| {
                "no client has asked for a link code for this number (or it has expired)".to_owned()
            })
    }

    /// The user has typed the code: greet the companion.
    pub(crate) fn primary_hello(
        &mut self,
        number: &str,
        keys: CodeKeys,
        done: oneshot::Sender<Result<Addr, String>>,
    ) -> Result<(), String> {
        let phone = self
            .phones
            .get(number)
            .ok_or_else(|| "no such phone".to_owned())?;
        if !phone.online {
            return Err("the phone is offline: bring it online to link a device".to_owned());
        }
        let identity = phone
            .identity_public()
            .ok_or_else(|| "the phone's keys are damaged".to_owned())?;
        let gone = || "the client went away".to_owned();
        let code = self.codes.get_mut(number).ok_or_else(gone)?;
        let lobby = self.lobby.get(&code.conn).ok_or_else(gone)?;
        let hello = NodeBuilder::new("link_code_companion_reg")
            .attr("stage", "primary_hello")
            .children([
                NodeBuilder::new("link_code_pairing_wrapped_primary_ephemeral_pub")
                    .bytes(keys.wrapped)
                    .build(),
                NodeBuilder::new("primary_identity_pub")
                    .bytes(identity)
                    .build(),
                NodeBuilder::new("link_code_pairing_ref")
                    .bytes(code.reference.clone())
                    .build(),
            ])
            .build();
        code.typed = Some(TypedCode {
            ephemeral: keys.ephemeral,
            companion_ephemeral: keys.companion_ephemeral,
            done,
        });
        let notification = NodeBuilder::new("notification")
            .attr("from", wacore_binary::SERVER_JID)
            .attr("id", ambient::stanza_id())
            .attr("type", "link_code_companion_reg")
            .attr("t", ambient::now_secs())
            .children([hello])
            .build();
        Self::send_to_conn(&lobby.out, notification);
        Ok(())
    }
}

impl Phone {
    /// Opens the companion's key bundle and derives the secret that authenticates the pairing.
    pub(crate) fn open_key_bundle(
        &self,
        typed: &TypedCode,
        bundle: &[u8],
        companion_identity: &[u8],
    ) -> Result<Vec<u8>, String> {
        let wrong = || WRONG_CODE.to_owned();
        let agree = |own: &KeyPair, theirs: &[u8]| {
            PublicKey::from_djb_public_key_bytes(theirs)
                .and_then(|theirs| own.calculate_agreement(&theirs))
                .map_err(|_| wrong())
        };
        let shared = agree(&typed.ephemeral, &typed.companion_ephemeral)?;
        let (salt, rest) = bundle.split_at_checked(32).ok_or_else(wrong)?;
        let (nonce, sealed) = rest.split_first_chunk::<12>().ok_or_else(wrong)?;
        let mut key = [0u8; 32];
        hkdf_sha256_into(
            &shared,
            Some(salt),
            b"link_code_pairing_key_bundle_encryption_key",
            &mut key,
        )
        .map_err(|error| error.to_string())?;
        let mut opened = Vec::with_capacity(96);
        aes_256_gcm_decrypt(&key, nonce, b"", sealed, &mut opened).map_err(|_| wrong())?;
        let own = self.identity().ok_or_else(wrong)?;
        let own_public = own.public_key.public_key_bytes();
        if opened.len() != 96
            || &opened[..32] != companion_identity
            || &opened[32..64] != own_public
        {
            return Err("the client's key bundle does not fit the code".to_owned());
        }
        let identity_shared = agree(&own, companion_identity)?;
        let combined = [&shared[..], &identity_shared[..], &opened[64..]].concat();
        let mut secret = [0u8; 32];
        hkdf_sha256_into(&combined, None, b"adv_secret", &mut secret)
            .map_err(|error| error.to_string())?;
        Ok(secret.to_vec())
    }
}
