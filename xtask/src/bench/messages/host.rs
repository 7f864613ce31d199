//! Large documents, and a host of this machine that has them under addresses.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use anyhow::{Context, Result};
use sha2::{Digest as _, Sha256};

/// A file and its name by content.
pub struct Document {
    pub bytes: Vec<u8>,
    /// Hexadecimal.
    pub sha256: String,
}

impl Document {
    /// Bytes that nothing can make smaller, others for each seed.
    pub fn random(seed: u64, length: usize) -> Self {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend_from_slice(&state.to_le_bytes());
        }
        bytes.truncate(length);
        let sha256 = hex(&Sha256::digest(&bytes));
        Self { bytes, sha256 }
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Gives the document of number N at `/N`, until this program ends.
pub struct Host {
    address: SocketAddr,
}

impl Host {
    pub fn start(documents: Arc<Vec<Document>>) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
        let address = listener.local_addr()?;
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let documents = Arc::clone(&documents);
                // One that breaks off is the other side's affair: it says so where it is measured.
                std::thread::spawn(move || give(stream, &documents));
            }
        });
        Ok(Self { address })
    }

    pub fn url(&self, number: usize) -> String {
        format!("http://{}/{number}", self.address)
    }
}

fn give(mut stream: TcpStream, documents: &[Document]) -> std::io::Result<()> {
    let mut head = BufReader::new(stream.try_clone()?);
    let mut asked = String::new();
    head.read_line(&mut asked)?;
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        line.clear();
    }
    let mut words = asked.split_whitespace();
    let method = words.next().unwrap_or_default();
    let number = words.next().and_then(|path| path.get(1..)?.parse().ok());
    let found = number.and_then(|number: usize| documents.get(number));
    let Some(document) = found else {
        return stream.write_all(
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
    };
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        document.bytes.len()
    );
    stream.write_all(head.as_bytes())?;
    if method != "HEAD" {
        stream.write_all(&document.bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_as_long_as_said_and_differ() {
        let [one, two] = [1, 2].map(|seed| Document::random(seed, 1_000_003));
        assert_eq!((one.bytes.len(), one.sha256.len()), (1_000_003, 64));
        assert_ne!(one.sha256, two.sha256);
        assert_eq!(one.sha256, Document::random(1, 1_000_003).sha256);
    }

    #[test]
    fn the_host_gives_what_it_has() {
        let documents = Arc::new(vec![Document::random(1, 100_000)]);
        let host = Host::start(Arc::clone(&documents)).expect("a host");
        let http = crate::http::Http::new(std::time::Duration::from_secs(10));
        let mut got = Vec::new();
        http.download(&host.url(0), &[], &mut got).expect("bytes");
        assert!(got == documents[0].bytes);
        assert_eq!(http.get(&host.url(1)).expect("an answer").status, 404);
    }
}
