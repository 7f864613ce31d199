//! Bodies that do not belong in memory: media, which may have two gigabytes.
//!
//! The library asks for them from blocking threads of the runtime; there, waiting for the network blocks nobody
//! else.

use std::{
    io::{self, Cursor, Read},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::stream;
use reqwest::{Body, Response, header::CONTENT_LENGTH};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::Instant,
};
use whatsapp_rust::{
    anyhow::{self, Context as _, anyhow},
    http::{HttpRequest, HttpResponse},
    wacore::net::{StreamingHttpResponse, UploadBody},
};

use super::Http;

/// At once in the whole process, in either direction.
const MOST: usize = 16;
/// A stream may take as long as it needs, but not stand still.
pub(super) const STALLED: Duration = Duration::from_secs(30);
/// After its last byte the host looks at the whole upload before it answers.
const ANSWER: Duration = Duration::from_secs(120);
const PART: usize = 64 * 1024;
/// Parts of an upload that are read ahead of the network.
const AHEAD: usize = 2;
/// The most that is told once: more than the library takes.
const WHOLE: usize = 80 * 1024 * 1024;
/// The pauses before what is told once is tried again; they double.
const AGAIN_FIRST: Duration = Duration::from_millis(250);
const AGAIN_MOST: Duration = Duration::from_secs(30);
/// Each of them keeps a thread.
const WAITING: usize = 64;

pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MOST))
}

pub(super) fn waiting() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(WAITING))
}

/// Whether another try may end otherwise.
fn is_passing(answer: &anyhow::Result<HttpResponse>) -> bool {
    match answer {
        Err(_) => true,
        Ok(answer) => matches!(answer.status_code, 408 | 429 | 500..),
    }
}

/// An answer whose body comes part by part.
pub(in crate::wa) struct Incoming {
    response: Response,
    _place: OwnedSemaphorePermit,
}

impl Incoming {
    pub(in crate::wa) fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// As the host says.
    pub(in crate::wa) fn length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// `None` at the end.
    pub(in crate::wa) async fn part(&mut self) -> anyhow::Result<Option<Bytes>> {
        in_time(STALLED, self.response.chunk()).await
    }
}

/// Media URLs carry tokens in their query: no error has one.
async fn in_time<T>(
    limit: Duration,
    work: impl Future<Output = reqwest::Result<T>>,
) -> anyhow::Result<T> {
    let done = tokio::time::timeout(limit, work).await;
    let done = done.map_err(|_| anyhow!("the host did not answer in time"))?;
    Ok(done.map_err(reqwest::Error::without_url)?)
}

impl Http {
    /// Asks, and leaves the body where it is.
    pub(in crate::wa) async fn open(&self, request: HttpRequest) -> anyhow::Result<Incoming> {
        let place = self.streams.clone().acquire_owned().await?;
        let outgoing = self.outgoing(&request)?;
        let outgoing = match request.body {
            Some(body) => outgoing.body(body),
            None => outgoing,
        };
        Ok(Incoming {
            response: in_time(STALLED, outgoing.send()).await?,
            _place: place,
        })
    }

    /// What is told once: the whole answer, asked for again, for minutes, where there is none. So the library asks for
    /// frames of history, which do not come a second time, and for snapshots of settings. (Media have ways of their
    /// own.)
    pub(super) fn insist(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        let answer = Handle::try_current()?.block_on(self.insisted(request))?;
        Ok(StreamingHttpResponse {
            status_code: answer.status_code,
            body: Box::new(Cursor::new(answer.body)),
        })
    }

    async fn insisted(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let end = Instant::now() + self.patience;
        let mut pause = AGAIN_FIRST;
        loop {
            let answer = self.whole(request.clone()).await;
            if !is_passing(&answer) || Instant::now() + pause > end {
                return answer;
            }
            let Ok(_waits) = self.waiting.try_acquire() else {
                return answer;
            };
            metrics::counter!("recado_engine_downloads_again_total").increment(1);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(AGAIN_MOST);
        }
    }

    async fn whole(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let Incoming { response, _place } = self.open(request).await?;
        self.collect_most(response, WHOLE).await
    }

    /// WhatsApp's hosts take no chunked bodies: the length is said first, and a body that ends early is an error.
    pub(super) fn upload(
        &self,
        request: HttpRequest,
        body: UploadBody,
        length: u64,
    ) -> anyhow::Result<HttpResponse> {
        let runtime = Handle::try_current()?;
        let _place = runtime.block_on(self.streams.clone().acquire_owned())?;
        let (parts, waiting) = mpsc::channel::<io::Result<Bytes>>(AHEAD);
        let waiting = stream::unfold(waiting, |mut waiting| async move {
            waiting.recv().await.map(|part| (part, waiting))
        });
        let outgoing = self
            .outgoing(&request)?
            .header(CONTENT_LENGTH, length)
            .body(Body::wrap_stream(waiting))
            .send();
        let answer = runtime.spawn(outgoing);
        let gone = runtime.block_on(hand_over(body.take(length), parts));
        if let Err(error) = gone {
            answer.abort();
            return Err(error);
        }
        let answer = async {
            let joined = tokio::time::timeout(ANSWER, answer).await;
            let response = joined.context("the host did not answer in time")??;
            self.collect(response.map_err(reqwest::Error::without_url)?)
                .await
        };
        runtime.block_on(answer)
    }
}

/// Ends early and well where nobody takes the parts any more: the host has answered already, or the request has
/// failed, and either is what the caller is to hear.
async fn hand_over(
    mut body: impl Read,
    parts: mpsc::Sender<io::Result<Bytes>>,
) -> anyhow::Result<()> {
    loop {
        let mut part = vec![0; PART];
        let got = match body.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(got) => got,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error).context("the body of an upload cannot be read"),
        };
        part.truncate(got);
        let sent = tokio::time::timeout(STALLED, parts.send(Ok(part.into()))).await;
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(anyhow!("the host stopped taking an upload")),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };
    use url::Url;
    use whatsapp_rust::http::HttpClient as _;

    use super::*;

    /// A host that does one thing to one connection.
    async fn host<F>(serve: impl FnOnce(TcpStream) -> F + Send + 'static) -> Http
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("a connection");
            serve(stream).await;
        });
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        Http::new(Some(url), Duration::ZERO).expect("a client")
    }

    /// The head of a request, and what came with it.
    async fn head(stream: &mut TcpStream) -> (String, Vec<u8>) {
        let mut got = Vec::new();
        loop {
            let mut part = [0; 1024];
            let count = stream.read(&mut part).await.expect("a request");
            assert!(count > 0, "the request ends early");
            got.extend_from_slice(&part[..count]);
            if let Some(at) = got.windows(4).position(|end| end == b"\r\n\r\n") {
                let body = got.split_off(at + 4);
                return (String::from_utf8(got).expect("text"), body);
            }
        }
    }

    async fn say(stream: &mut TcpStream, status: &str, body: &str) {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
        let said = stream.write_all(answer.as_bytes()).await;
        said.expect("said");
    }

    async fn upload(http: Http, body: Vec<u8>, length: u64) -> anyhow::Result<HttpResponse> {
        let request = HttpRequest::post("https://media.example.net/mms/image/a?token=secret");
        let work = move || http.execute_upload(request, Box::new(Cursor::new(body)), length);
        tokio::task::spawn_blocking(work).await.expect("no panic")
    }

    const LONG: usize = 1_000_003;

    #[tokio::test(flavor = "multi_thread")]
    async fn an_upload_says_its_length_first() {
        let http = host(|mut stream| async move {
            let (head, mut body) = head(&mut stream).await;
            let head = head.to_ascii_lowercase();
            assert!(
                head.contains(&format!("content-length: {LONG}\r\n")),
                "{head}"
            );
            assert!(!head.contains("transfer-encoding"), "{head}");
            let mut rest = vec![0; LONG - body.len()];
            stream.read_exact(&mut rest).await.expect("the body");
            body.extend_from_slice(&rest);
            assert!(body == vec![7; LONG]);
            say(&mut stream, "200 OK", "{}").await;
        })
        .await;
        // What the reader has beyond the length is left in it.
        let answer = upload(http, vec![7; LONG + 5], LONG as u64).await;
        let answer = answer.expect("an answer");
        assert_eq!((answer.status_code, &answer.body[..]), (200, &b"{}"[..]));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_host_may_answer_before_it_has_all() {
        let http = host(|mut stream| async move {
            head(&mut stream).await;
            say(&mut stream, "413 Content Too Large", "no").await;
            // Whatever still comes is taken, or the answer might be lost with the connection.
            let taken = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            drop(taken);
        })
        .await;
        let long = 20 * LONG;
        let answer = upload(http, vec![7; long], long as u64).await;
        assert_eq!(answer.expect("an answer").status_code, 413);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_body_that_ends_early_is_no_upload() {
        let http = host(|mut stream| async move {
            let taken = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
            drop(taken);
        })
        .await;
        let error = upload(http, vec![7; 10], 11).await.expect_err("too short");
        let text = format!("{error:?}");
        assert!(!text.contains("secret") && !text.contains("mms"), "{text}");
    }

    async fn download(http: Http) -> anyhow::Result<(u16, io::Result<Vec<u8>>)> {
        let request = HttpRequest::get("https://media.example.net/v/a?token=secret");
        let work = move || {
            let mut answer = http.execute_streaming(request)?;
            let mut body = Vec::new();
            let read = answer.body.read_to_end(&mut body).map(|_| body);
            Ok((answer.status_code, read))
        };
        tokio::task::spawn_blocking(work).await.expect("no panic")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_download_comes_whole() {
        let http = host(|mut stream| async move {
            head(&mut stream).await;
            say(&mut stream, "206 Partial Content", &"x".repeat(LONG)).await;
        })
        .await;
        assert!(http.supports_streaming());
        let (status, body) = download(http).await.expect("an answer");
        assert_eq!(status, 206);
        assert!(body.expect("whole") == vec![b'x'; LONG]);
    }

    /// A host that does these things, one to each connection.
    async fn moody(answers: &'static [(&'static str, &'static str)]) -> Http {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            for (status, body) in answers {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                head(&mut stream).await;
                say(&mut stream, status, body).await;
            }
        });
        let url = Url::parse(&format!("http://{address}/")).expect("a URL");
        Http::new(Some(url), Duration::from_secs(20)).expect("a client")
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_host_that_is_down_is_asked_again() {
        let http = moody(&[
            ("503 Service Unavailable\r\nconnection: close", "no"),
            ("503 Service Unavailable\r\nconnection: close", "no"),
            ("200 OK\r\nconnection: close", "here"),
        ]);
        let (status, body) = download(http.await).await.expect("an answer");
        assert_eq!((status, body.expect("whole")), (200, b"here".to_vec()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_gone_is_not_asked_for_again() {
        let http = moody(&[("410 Gone\r\nconnection: close", "")]).await;
        let (status, _) = download(http).await.expect("an answer");
        assert_eq!(status, 410);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_download_that_is_cut_is_an_error_without_its_address() {
        let http = host(|mut stream| async move {
            head(&mut stream).await;
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this";
            stream.write_all(answer.as_bytes()).await.expect("said");
        })
        .await;
        let text = format!("{:?}", download(http).await.expect_err("cut"));
        assert!(!text.contains("secret"), "{text}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn so_many_streams_run_at_once() {
        let http = host(|mut stream| async move {
            head(&mut stream).await;
            say(&mut stream, "200 OK", "").await;
        })
        .await;
        let all = u32::try_from(MOST).expect("few");
        let places = http.streams.clone().acquire_many_owned(all).await;
        let waiting = tokio::spawn(download(http));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished(), "no place is free");
        drop(places);
        let (status, _) = waiting.await.expect("no panic").expect("an answer");
        assert_eq!(status, 200);
    }
}
