//! A receiver that closes its connections.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::json;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
};

use super::delivered;
use crate::gateway::{Bed, until};

on_both! {
    a_reused_connection_that_was_closed_is_tried_again_at_once,
    a_new_connection_that_is_closed_is_tried_later,
}

/// What a receiver does with a request.
#[derive(Clone, Copy)]
enum Does {
    Answers,
    /// Reads it, and closes the connection.
    Closes,
}

#[derive(Clone, Default)]
struct Receiver {
    script: Arc<Mutex<VecDeque<Does>>>,
    connections: Arc<AtomicUsize>,
    requests: Arc<AtomicUsize>,
}

impl Receiver {
    async fn start(script: &[Does]) -> (Self, String) {
        let receiver = Self::default();
        receiver.next().extend(script);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let all = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                all.connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(all.clone().serve(stream));
            }
        });
        (receiver, url)
    }

    fn next(&self) -> std::sync::MutexGuard<'_, VecDeque<Does>> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn serve(self, stream: tokio::net::TcpStream) {
        let mut stream = BufReader::new(stream);
        while read_request(&mut stream).await.is_some() {
            self.requests.fetch_add(1, Ordering::Relaxed);
            let does = self.next().pop_front().unwrap_or(Does::Answers);
            if matches!(does, Does::Closes) {
                return;
            }
            let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }

    fn seen(&self) -> (usize, usize) {
        let count = |of: &AtomicUsize| of.load(Ordering::Relaxed);
        (count(&self.connections), count(&self.requests))
    }
}

/// One request, to its end; `None` when there is none any more.
async fn read_request(stream: &mut BufReader<tokio::net::TcpStream>) -> Option<()> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(())
}

async fn a_reused_connection_that_was_closed_is_tried_again_at_once(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let script = [Does::Answers, Does::Closes, Does::Answers];
    let (receiver, url) = Receiver::start(&script).await;
    bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    let first = delivered(bed, &made).await;
    assert_eq!((first.state.as_str(), first.attempts), ("delivered", 1));
    // The second goes over the connection of the first, which the receiver closes just then.
    let second = delivered(bed, &made).await;
    assert_eq!(
        (second.state.as_str(), second.attempts),
        ("delivered", 1),
        "{second:?}"
    );
    assert_eq!(receiver.seen(), (2, 3));
}

async fn a_new_connection_that_is_closed_is_tried_later(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hooks"})).await;
    let (receiver, url) = Receiver::start(&[Does::Closes]).await;
    bed.subscribe_at(&bed.a, &made, &url, json!("All")).await;
    let row = delivered(bed, &made).await;
    assert_eq!(
        (row.state.as_str(), row.attempts),
        ("pending", 1),
        "{row:?}"
    );
    assert_eq!(receiver.seen(), (1, 1), "once for each try");
    bed.clock.jump_secs(10);
    until("the next try", async || {
        (receiver.seen() == (2, 2)).then_some(())
    })
    .await;
}
