//! Media on a phone: sealed and uploaded, fetched and opened, and uploaded again for a companion that asks.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use buffa::Message as _;
use sha2::{Digest as _, Sha256};
use wacore::crypto::hkdf_sha256_into;
use wacore::download::DownloadUtils;
use wacore::media_retry::decrypt_media_retry_notification;
use wacore::upload::encrypt_media_streaming_with_key;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use wacore_libsignal::crypto::aes_256_gcm_encrypt;
use waproto::whatsapp::{MediaRetryNotification, ServerErrorReceipt, media_retry_notification};

use crate::ambient;
use crate::content::{Family, Medium, Said};
use crate::core::{Core, child_bytes, text};
use crate::history::ChatMessage;
use crate::shelf::{Opened, Shelf};
use crate::state::Addr;

/// What the keys of both directions are expanded under.
const RETRY: &[u8] = b"WhatsApp Media Retry Notification";
const NOT_FOUND: u32 = 2;
const NOT_OPENED: u32 = 3;

/// Seals what a person sends, and uploads it.
///
/// # Errors
/// No base64, or a disk that does not take it.
pub(crate) fn upload(shelf: &Shelf, family: Family, medium: &Medium) -> Result<Medium> {
    let plain = BASE64_STANDARD
        .decode(&medium.data)
        .context("`data` is not base64")?;
    let key = ambient::bytes::<32>();
    let mut aside = shelf.aside()?;
    let info = encrypt_media_streaming_with_key(
        plain.as_slice(),
        BufWriter::new(aside.as_file_mut()),
        family.media_type(),
        Some(&key),
        None,
    )?;
    let sealed = hex::encode(info.file_enc_sha256);
    let direct_path = shelf.keep(aside, &sealed)?;
    Ok(Medium {
        data: String::new(),
        said: Some(Said {
            key: hex::encode(key),
            sha256: hex::encode(info.file_sha256),
            sealed_sha256: sealed,
            length: info.file_length,
            url: format!("https://mmg.whatsapp.net{direct_path}"),
            direct_path,
            sidecar: BASE64_STANDARD.encode(info.streaming_sidecar.unwrap_or_default()),
            at: ambient::now_secs(),
        }),
        ..medium.clone()
    })
}

/// Looks at the bytes of a message's medium, if it has one; with `bytes` shows them.
pub(crate) fn look(shelf: &Shelf, number: &str, message: &mut ChatMessage, bytes: bool) {
    let Some(family) = Family::parse(&message.kind) else {
        return;
    };
    let Some(medium) = &mut message.detail.media else {
        return;
    };
    let said = medium.said.clone().unwrap_or_default();
    let Some(file) = shelf.copy_of(number, &said.direct_path) else {
        let why = "the phone has no copy of it";
        medium.fault.get_or_insert_with(|| why.to_owned());
        return;
    };
    let nowhere = || open(&file, family, &said, &mut io::sink());
    match shelf.opened(&file, &said.key, nowhere) {
        Ok(opened) => {
            let is_said = opened.sha256 == said.sha256 && opened.length == said.length;
            medium.fault = (!is_said).then(|| "its message says other bytes".to_owned());
            (medium.sha256, medium.length) = (Some(opened.sha256), Some(opened.length));
        }
        Err(fault) => {
            medium.fault = Some(fault);
            return;
        }
    }
    if bytes {
        let mut plain = Vec::new();
        if open(&file, family, &said, &mut plain).is_ok() {
            medium.data = BASE64_STANDARD.encode(plain);
        }
    }
}

fn open(file: &Path, family: Family, said: &Said, to: &mut dyn Write) -> Result<Opened, String> {
    let mut opened = || {
        let key = hex::decode(&said.key)?;
        let mut to = BufWriter::new(Hashed {
            to,
            hash: Sha256::new(),
        });
        let sealed = std::fs::File::open(file)?;
        let kind = family.media_type();
        let length = DownloadUtils::decrypt_stream_to_writer(sealed, &key, kind, &mut to)?;
        to.flush()?;
        anyhow::Ok(Opened {
            sha256: hex::encode(to.get_ref().hash.clone().finalize()),
            length,
        })
    };
    opened().map_err(|error| format!("the phone cannot open it: {error:#}"))
}

struct Hashed<'a> {
    to: &'a mut dyn Write,
    hash: Sha256,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hash.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

impl Core {
    /// The phone fetches the medium of a message, as apps do when it comes.
    pub(super) fn fetch(&self, number: &str, message: &mut ChatMessage) {
        let Some(medium) = &mut message.detail.media else {
            return;
        };
        let path = medium.said.as_ref().map(|said| said.direct_path.as_str());
        let fetched = self.shelf.copy(number, path.unwrap_or_default());
        medium.fault = fetched.err();
    }

    /// A companion cannot fetch a medium any more: the phone uploads its copy again, if it has one.
    pub(super) fn upload_again(&mut self, number: &str, to: &Addr, node: &Node) {
        let id = text(node, "id");
        let content = match self.answer(number, &id, node) {
            Ok(content) => content,
            Err(code) => NodeBuilder::new("error").attr("code", code).build(),
        };
        let rmr = node.get_optional_child("rmr").cloned();
        let notification = NodeBuilder::new("notification")
            .attr("from", Addr::phone(number).jid())
            .attr("type", "mediaretry")
            .attr("id", id)
            .attr("t", ambient::now_secs())
            .children(rmr.into_iter().chain([content]).collect::<Vec<_>>())
            .build();
        self.deliver(to, notification);
    }

    fn answer(&self, number: &str, id: &str, node: &Node) -> Result<Node, u32> {
        let phone = self.phones.get(number).ok_or(NOT_FOUND)?;
        let mut found = phone.history.with_id(id);
        let said = found.find_map(|message| message.detail.media.as_ref()?.said.as_ref());
        let said = said.ok_or(NOT_FOUND)?;
        let key = hex::decode(&said.key).map_err(|_| NOT_OPENED)?;
        asked(&key, id, node).map_err(|error| {
            tracing::warn!(
                number,
                id,
                error = format!("{error:#}"),
                "not asked as it should be"
            );
            NOT_OPENED
        })?;
        let path = self.shelf.upload_again(number, &said.direct_path);
        told(&key, id, path.ok_or(NOT_FOUND)?).map_err(|_| NOT_OPENED)
    }
}

/// Whether this is from somebody who has the key of that message.
fn asked(key: &[u8], id: &str, node: &Node) -> Result<()> {
    let sealed = node.get_optional_child("encrypt").context("no body")?;
    let body = child_bytes(sealed, "enc_p").context("no body")?;
    let iv = child_bytes(sealed, "enc_iv").context("no IV")?;
    // One key and one way for both directions.
    let plain = decrypt_media_retry_notification(key, id, iv, body)?;
    let receipt = ServerErrorReceipt::decode_from_slice(&plain)?;
    if receipt.stanza_id.as_deref() != Some(id) {
        bail!("it is about another message");
    }
    Ok(())
}

fn told(key: &[u8], id: &str, path: String) -> Result<Node> {
    let notification = MediaRetryNotification {
        stanza_id: Some(id.to_owned()),
        direct_path: Some(path),
        result: Some(media_retry_notification::ResultType::SUCCESS),
        ..Default::default()
    };
    let mut retry_key = [0; 32];
    hkdf_sha256_into(key, None, RETRY, &mut retry_key)?;
    let iv = ambient::bytes::<12>();
    let mut sealed = Vec::new();
    let plain = notification.encode_to_vec();
    aes_256_gcm_encrypt(&retry_key, &iv, id.as_bytes(), &plain, &mut sealed)?;
    let children = [
        NodeBuilder::new("enc_p").bytes(sealed).build(),
        NodeBuilder::new("enc_iv").bytes(iv.to_vec()).build(),
    ];
    Ok(NodeBuilder::new("encrypt").children(children).build())
}
