//! The operator's own list of passwords that nobody may have.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::{MAX_BYTES, MIN_CHARS, folded};

/// Whole passwords, compared without regard to case. 16 bytes of memory for each.
/// A cheap clone.
#[derive(Clone, Debug, Default)]
pub struct Blocklist {
    /// The first half of SHA-256, sorted. A list of leaked passwords has millions of lines.
    digests: Arc<[[u8; 16]]>,
}

impl Blocklist {
    /// Reads a file with one password a line, UTF-8. Lines that no password can match are passed over: too
    /// short, too long, or in another encoding (published lists have some).
    ///
    /// # Errors
    /// The file cannot be read; the text names it.
    pub fn load(path: &Path) -> io::Result<Self> {
        File::open(path)
            .and_then(|file| Self::read(BufReader::new(file)))
            .map_err(|error| {
                io::Error::new(
                    error.kind(),
                    format!(
                        "cannot read the password blocklist {}: {error}",
                        path.display()
                    ),
                )
            })
    }

    fn read(mut lines: impl BufRead) -> io::Result<Self> {
        let mut digests = Vec::new();
        let mut line = Vec::new();
        loop {
            line.clear();
            // Twice what a password may have: folding can make it longer than it was. What is left of an
            // overlong line is read as further lines, which match nothing that anybody chooses.
            let limit = 2 * MAX_BYTES as u64;
            if lines.by_ref().take(limit).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let Ok(text) = std::str::from_utf8(&line) else {
                continue;
            };
            let text = folded(text.trim_end_matches(['\r', '\n']));
            if text.chars().count() >= MIN_CHARS {
                digests.push(digest(&text));
            }
        }
        digests.sort_unstable();
        digests.dedup();
        Ok(Self {
            digests: digests.into(),
        })
    }

    /// How many passwords it refuses.
    pub fn len(&self) -> usize {
        self.digests.len()
    }

    pub fn is_empty(&self) -> bool {
        self.digests.is_empty()
    }

    pub(super) fn holds(&self, password: &str) -> bool {
        self.digests
            .binary_search(&digest(&folded(password)))
            .is_ok()
    }
}

fn digest(folded: &str) -> [u8; 16] {
    let whole: [u8; 32] = Sha256::digest(folded.as_bytes()).into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}
