//! Against real sockets, with limits short enough to wait for.
#![allow(
    clippy::disallowed_methods,
    reason = "how long a listener waits is real time"
)]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Instant,
};

use axum::routing::get;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

use super::*;

const SHORT: Duration = Duration::from_millis(400);
/// Far more than anything here takes.
const LONG: Duration = Duration::from_secs(20);
/// More than the system buffers between two sockets.
const BIG: usize = 32 * 1024 * 1024;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

fn limits() -> ConnectionLimits {
    ConnectionLimits {
        connections: 100,
        head: LONG,
        idle: LONG,
        stall: LONG,
        drain: LONG,
    }
}

struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

async fn bound() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

async fn start(limits: ConnectionLimits) -> Server {
    let (listener, address) = bound().await;
    start_on(listener, address, limits)
}

fn start_on(listener: impl Accept, address: SocketAddr, limits: ConnectionLimits) -> Server {
    let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
    let big = get(|| async { vec![b'x'; BIG] });
    let router = Router::new()
        .route("/", get(peer))
        .route("/big", big)
        .route(
            "/slow",
            get(|| async {
                sleep(SHORT * 2).await;
                "done"
            }),
        );
    let stop = CancellationToken::new();
    let task = serve(listener, router, limits, stop.clone());
    Server {
        address,
        stop,
        task,
    }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("it listens")
    }

    /// Stops it; how long that took.
    async fn stopped(self) -> Duration {
        let begun = Instant::now();
        self.stop.cancel();
        timeout(LONG * 2, self.task)
            .await
            .expect("it ends")
            .expect("no panic");
        begun.elapsed()
    }
}

/// One answer, as text; empty when the connection was closed instead.
async fn answer(stream: &mut TcpStream) -> String {
    let mut got = vec![0; 4096];
    let read = timeout(LONG, stream.read(&mut got)).await;
    let length = read.expect("something happens").unwrap_or(0);
    String::from_utf8_lossy(&got[..length]).into_owned()
}

async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(REQUEST).await.expect("sent");
    answer(stream).await
}

#[tokio::test]
async fn the_peer_is_told_to_the_handler() {
    let server = start(limits()).await;
    let mut stream = server.connect().await;
    let me = stream.local_addr().expect("an address").to_string();
    for _ in 0..2 {
        let answer = ask(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with(&me), "{answer}");
    }
    server.stopped().await;
}

#[tokio::test]
async fn who_is_slow_with_a_head_is_closed_and_others_are_served() {
    let server = start(ConnectionLimits {
        head: SHORT,
        ..limits()
    })
    .await;
    // Nothing at all; a first head byte by byte; a second head that never ends.
    let mut silent = server.connect().await;
    let mut slow = server.connect().await;
    let mut second = server.connect().await;
    assert!(ask(&mut second).await.starts_with("HTTP/1.1 200"));
    sleep(SHORT * 2).await;
    // Idle for longer than a head may take, which is fine; then the head begins.
    second.write_all(b"GET / HT").await.expect("sent");
    let begun = Instant::now();
    let dripping = tokio::spawn(async move {
        for byte in REQUEST.iter().cycle() {
            if slow.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(Duration::from_millis(30)).await;
        }
    });
    assert_eq!(answer(&mut second).await, "");
    assert!(begun.elapsed() >= SHORT, "{:?}", begun.elapsed());
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    assert_eq!(answer(&mut silent).await, "");
    timeout(LONG, dripping).await.expect("closed").expect("ran");
    let mut other = server.connect().await;
    assert!(ask(&mut other).await.starts_with("HTTP/1.1 200"));
    server.stopped().await;
}

#[tokio::test]
async fn a_slow_answer_and_a_slow_body_are_not_slow_heads() {
    let server = start(ConnectionLimits {
        head: SHORT,
        ..limits()
    })
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\na")
        .await
        .expect("sent");
    for byte in *b"bcd" {
        sleep(SHORT / 2).await;
        stream.write_all(&[byte]).await.expect("sent");
    }
    assert!(answer(&mut stream).await.ends_with("done"));
    server.stopped().await;
}

#[tokio::test]
async fn the_idle_are_closed() {
    let server = start(ConnectionLimits {
        idle: SHORT,
        ..limits()
    })
    .await;
    let mut stream = server.connect().await;
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
    let begun = Instant::now();
    assert_eq!(answer(&mut stream).await, "");
    assert!(begun.elapsed() < LONG / 2, "{:?}", begun.elapsed());
    server.stopped().await;
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_who_reads_slowly_is_not() {
    let server = start(ConnectionLimits {
        connections: 1,
        stall: SHORT,
        ..limits()
    })
    .await;
    const BIG_REQUEST: &[u8] = b"GET /big HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let mut deaf = server.connect().await;
    deaf.write_all(BIG_REQUEST).await.expect("sent");
    // There is one place, and the one who has it does nothing to leave it.
    let begun = Instant::now();
    let mut slow = server.connect().await;
    slow.write_all(BIG_REQUEST).await.expect("sent");
    let mut got = vec![0; 1024 * 1024];
    let mut all = timeout(LONG, slow.read(&mut got))
        .await
        .expect("a place comes free")
        .expect("an answer");
    assert!(begun.elapsed() >= SHORT, "{:?}", begun.elapsed());
    loop {
        sleep(SHORT / 10).await;
        match slow.read(&mut got).await.expect("the answer goes on") {
            0 => break,
            more => all += more,
        }
    }
    assert!(all > BIG, "{all} bytes with the head");
    assert!(begun.elapsed() >= SHORT * 3, "it was slow");
    server.stopped().await;
    drop(deaf);
}

#[test]
fn open_files_leave_room_for_so_many_connections() {
    use files::within;
    assert_eq!(within(10_000, None), 10_000);
    assert_eq!(within(10_000, Some(10_256)), 10_000);
    assert_eq!(within(10_000, Some(10_255)), 9_999);
    assert_eq!(within(10_000, Some(1_024)), 768);
    assert_eq!(within(10_000, Some(100)), 64);
    assert_eq!(within(5, Some(100)), 5);
}

#[test]
fn the_limit_on_open_files_is_raised() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    // Still more than the other tests of this process use.
    let low = Rlimit {
        current: Some(maximum.map_or(900, |maximum| maximum.min(900))),
        maximum,
    };
    setrlimit(Resource::Nofile, low).expect("lower than the hard one");
    assert!(files::room(10_000) <= 900 - 256);
    files::raise();
    assert_eq!(getrlimit(Resource::Nofile).current, maximum);
}

#[tokio::test]
async fn beyond_the_cap_they_wait_their_turn() {
    let server = start(ConnectionLimits {
        connections: 2,
        ..limits()
    })
    .await;
    let mut first = server.connect().await;
    let mut second = server.connect().await;
    for stream in [&mut first, &mut second] {
        assert!(ask(stream).await.starts_with("HTTP/1.1 200"));
    }
    let mut third = server.connect().await;
    third.write_all(REQUEST).await.expect("sent");
    let early = timeout(SHORT, answer(&mut third)).await;
    assert!(early.is_err(), "it waits: {early:?}");
    drop(first);
    assert!(answer(&mut third).await.starts_with("HTTP/1.1 200"));
    drop(second);
    server.stopped().await;
}

#[tokio::test]
async fn a_stop_waits_for_requests_and_for_nothing_else() {
    let server = start(limits()).await;
    let _silent = server.connect().await;
    let mut idle = server.connect().await;
    assert!(ask(&mut idle).await.starts_with("HTTP/1.1 200"));
    let mut busy = server.connect().await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n")
        .await
        .expect("sent");
    sleep(SHORT / 2).await;
    let address = server.address;
    let took = server.stopped().await;
    assert!(took < LONG / 2, "{took:?}");
    assert!(answer(&mut busy).await.ends_with("done"));
    assert_eq!(answer(&mut idle).await, "");
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_stop_ends_what_does_not_finish() {
    let server = start(ConnectionLimits {
        drain: SHORT,
        ..limits()
    })
    .await;
    let mut stuck = server.connect().await;
    stuck.write_all(b"GET / HTTP/1.1\r\n").await.expect("sent");
    sleep(SHORT / 2).await;
    let took = server.stopped().await;
    assert!((SHORT..LONG / 2).contains(&took), "{took:?}");
    assert_eq!(answer(&mut stuck).await, "");
}

/// A listener of a system that is out of file descriptors for a while.
struct Short {
    listener: TcpListener,
    failures: usize,
    asked: Arc<AtomicUsize>,
}

impl Accept for Short {
    async fn accept(&mut self) -> io::Result<(TcpStream, SocketAddr)> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match self.failures.checked_sub(1) {
            Some(left) => {
                self.failures = left;
                // EMFILE, then what a peer that went away causes.
                Err(match left {
                    0 => ErrorKind::ConnectionAborted.into(),
                    _ => io::Error::from_raw_os_error(24),
                })
            }
            None => self.listener.accept().await,
        }
    }
}

#[tokio::test]
async fn no_room_is_waited_out_without_spinning() {
    let (listener, address) = bound().await;
    let asked = Arc::new(AtomicUsize::new(0));
    let short = Short {
        listener,
        failures: 3,
        asked: asked.clone(),
    };
    let begun = Instant::now();
    let server = start_on(short, address, limits());
    let mut stream = server.connect().await;
    assert!(ask(&mut stream).await.starts_with("HTTP/1.1 200"));
    assert!(begun.elapsed() >= PAUSE * 2, "{:?}", begun.elapsed());
    // Three failures, this connection, and the wait for the next.
    assert!(asked.load(Ordering::Relaxed) <= 5);
    server.stopped().await;
}
