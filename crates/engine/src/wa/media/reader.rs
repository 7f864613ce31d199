//! Parts of a sealed medium, opened from any block on.

use std::io::{self, Read};

use aes::Aes256;
use cbc::{
    Decryptor,
    cipher::{Block, BlockModeDecrypt as _, KeyIvInit as _},
};
use recado_model::{MediaClass, MediaKey};
use whatsapp_rust::wacore::download::DownloadUtils;

use super::{BLOCK, BUFFER, MAC, as_io, media_type};

/// What every sealed medium ends with: its padded block and its MAC. Nobody says where the end is, so that
/// much is always held back.
const END: usize = BLOCK + MAC;

pub(in crate::wa) fn reader(
    class: MediaClass,
    key: &MediaKey,
    from: u64,
    mut sealed: Box<dyn Read + Send>,
) -> io::Result<Box<dyn Read + Send>> {
    if !from.is_multiple_of(BLOCK as u64) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "a medium is opened from the beginning of a block",
        ));
    }
    let (mut before, cipher_key, _) =
        DownloadUtils::get_media_keys(&key.0, media_type(class)).map_err(as_io)?;
    if from > 0 {
        sealed.read_exact(&mut before)?;
    }
    Ok(Box::new(Opener {
        sealed,
        cipher: Decryptor::new(&cipher_key.into(), &before.into()),
        held: Vec::new(),
        open: Vec::new(),
        given: 0,
        ended: false,
    }))
}

struct Opener {
    sealed: Box<dyn Read + Send>,
    cipher: Decryptor<Aes256>,
    held: Vec<u8>,
    open: Vec<u8>,
    /// How much of `open` was read.
    given: usize,
    ended: bool,
}

impl Opener {
    fn more(&mut self) -> io::Result<()> {
        let held = self.held.len();
        self.held.resize(held + BUFFER, 0);
        let got = self.sealed.read(&mut self.held[held..]);
        self.held
            .truncate(held + got.as_ref().copied().unwrap_or_default());
        if got? == 0 {
            return self.end();
        }
        let whole = self.held.len().saturating_sub(END) / BLOCK * BLOCK;
        self.decrypt(whole);
        Ok(())
    }

    fn end(&mut self) -> io::Result<()> {
        if self.held.len() != END {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.decrypt(BLOCK);
        self.ended = true;
        let padding = usize::from(self.open[BLOCK - 1]);
        if !(1..=BLOCK).contains(&padding) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "a medium's padding is not right",
            ));
        }
        self.open.truncate(BLOCK - padding);
        Ok(())
    }

    /// Opens the first `count` bytes of what is held.
    fn decrypt(&mut self, count: usize) {
        self.open.clear();
        self.open.extend(self.held.drain(..count));
        self.given = 0;
        let (blocks, _) = Block::<Aes256>::slice_as_chunks_mut(&mut self.open);
        self.cipher.decrypt_blocks(blocks);
    }
}

impl Read for Opener {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.open.len() && !self.ended {
            self.more()?;
        }
        let rest = &self.open[self.given..];
        let count = to.len().min(rest.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}
