//! HTTP/1.1 over a kept-open TCP connection: just what the gateway answers, and little work of our own,
//! because both processes share the machine.

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A whole request, ready to be written.
pub type Request = Arc<[u8]>;

pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Request {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        let length = body.len();
        text.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {length}\r\n"
        ));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes().into()
}

pub fn get(path: &str, headers: &[(&str, &str)]) -> Request {
    request("GET", path, headers, "")
}

pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// Borrowed from the connection until its next call.
pub struct RawAnswer<'a> {
    pub status: u16,
    pub body: &'a [u8],
}

impl Connection {
    pub async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(8 * 1024),
        })
    }

    pub async fn call(&mut self, request: &[u8]) -> Result<RawAnswer<'_>> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
            self.read().await?;
        };
        let (status, length) = read_head(&self.buffer[..head])?;
        while self.buffer.len() < head + length {
            self.read().await?;
        }
        ensure!(
            self.buffer.len() == head + length,
            "the server said more than it announced"
        );
        Ok(RawAnswer {
            status,
            body: &self.buffer[head..],
        })
    }

    /// A call that must be answered 200 with JSON.
    pub async fn json(&mut self, request: &[u8]) -> Result<Value> {
        let answer = self.call(request).await?;
        let body = String::from_utf8_lossy(answer.body);
        ensure!(answer.status == 200, "answered {}: {body}", answer.status);
        serde_json::from_str(&body).with_context(|| format!("no JSON: {body}"))
    }

    async fn read(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection in the middle of an answer");
        }
        Ok(())
    }
}

/// Status and length of the body.
fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let text = std::str::from_utf8(head).context("the answer's head is no text")?;
    let mut lines = text.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok())
        .context("the answer has no status")?;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            return Ok((status, value.trim().parse()?));
        }
    }
    bail!("an answer ({status}) without a content-length")
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}
