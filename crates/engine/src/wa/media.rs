//! Media: sealed and opened. What brings them to WhatsApp's hosts and fetches them from there is `hosts`, beside this.
//!
//! A sealed medium is AES-256-CBC with PKCS #7 padding, and the first ten bytes of an HMAC-SHA256 behind it.

mod reader;
#[cfg(test)]
mod tests;

use std::io::{self, BufWriter, Read, Write};

use recado_model::{MediaClass, MediaDigest, MediaKey};
use sha2::{Digest as _, Sha256};
use whatsapp_rust::{
    anyhow,
    wacore::{
        download::{DownloadUtils, MediaType},
        upload::encrypt_media_streaming_with_key,
    },
};

pub(super) use self::reader::reader;

const BLOCK: usize = 16;
const MAC: usize = 10;
/// The library writes a block at a time.
const BUFFER: usize = 64 * 1024;

pub(super) fn media_type(class: MediaClass) -> MediaType {
    match class {
        MediaClass::Image => MediaType::Image,
        MediaClass::Video => MediaType::Video,
        MediaClass::Audio => MediaType::Audio,
        MediaClass::Document => MediaType::Document,
        MediaClass::Sticker => MediaType::Sticker,
    }
}

pub(super) fn seal(
    class: MediaClass,
    key: &MediaKey,
    plain: &mut dyn Read,
    sealed: &mut dyn Write,
) -> io::Result<MediaDigest> {
    let sealed = BufWriter::with_capacity(BUFFER, sealed);
    let kind = media_type(class);
    let info =
        encrypt_media_streaming_with_key(plain, sealed, kind, Some(&key.0), None).map_err(as_io)?;
    Ok(MediaDigest {
        sha256: info.file_sha256,
        sealed_sha256: info.file_enc_sha256,
        length: info.file_length,
        sidecar: info.streaming_sidecar,
    })
}

pub(super) fn open(
    class: MediaClass,
    key: &MediaKey,
    sealed: &mut dyn Read,
    plain: &mut dyn Write,
) -> io::Result<MediaDigest> {
    let mut sealed = Counted::new(sealed);
    let mut plain = BufWriter::with_capacity(BUFFER, Counted::new(plain));
    let kind = media_type(class);
    DownloadUtils::decrypt_stream_to_writer(&mut sealed, &key.0, kind, &mut plain)
        .map_err(as_io)?;
    plain.flush()?;
    let plain = plain.into_inner().map_err(io::Error::from)?;
    Ok(MediaDigest {
        sha256: plain.hash.finalize().into(),
        sealed_sha256: sealed.hash.finalize().into(),
        length: plain.count,
        sidecar: None,
    })
}

/// A fault of the reader or the writer stays what it is; any other means that the bytes are not right.
fn as_io(error: anyhow::Error) -> io::Error {
    match error.downcast::<io::Error>() {
        Ok(error) => error,
        Err(error) => io::Error::new(io::ErrorKind::InvalidData, error.to_string()),
    }
}

/// Hashes and counts what passes.
struct Counted<T> {
    inner: T,
    hash: Sha256,
    count: u64,
}

impl<T> Counted<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            count: 0,
        }
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.count += bytes.len() as u64;
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(to)?;
        self.pass(&to[..count]);
        Ok(count)
    }
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.pass(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
