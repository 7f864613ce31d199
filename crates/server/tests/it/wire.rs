//! Requests as bytes: what no client library would send.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Longest that an answer may take when only part of a request was sent.
const AT_ONCE: Duration = Duration::from_secs(10);

/// Status line, headers and body as text. The request may be incomplete: what counts is that the
/// answer comes anyway.
pub async fn exchange(address: &str, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(request).await.expect("sent");
    let mut answer = Vec::new();
    let read = async {
        let mut part = [0u8; 4096];
        loop {
            match stream.read(&mut part).await {
                Ok(0) | Err(_) => break,
                Ok(n) => answer.extend_from_slice(&part[..n]),
            }
            if is_whole(&answer) {
                break;
            }
        }
    };
    let in_time = tokio::time::timeout(AT_ONCE, read).await;
    let text = String::from_utf8_lossy(&answer).into_owned();
    assert!(in_time.is_ok(), "no whole answer at once; so far: {text}");
    text
}

/// Whether headers and the announced length are there.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse::<usize>().ok())?
    });
    length.is_some_and(|length| body.len() >= length)
}

pub fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).unwrap_or_default();
    code.parse()
        .unwrap_or_else(|_| panic!("no status in {answer:?}"))
}
