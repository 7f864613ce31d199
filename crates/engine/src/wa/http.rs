//! The HTTP client that all links share: WhatsApp's version and media. Large bodies are in `streams`.

mod pictures;
mod streams;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::{
    sync::{Mutex, Semaphore},
    time::Instant,
};
use url::Url;
use whatsapp_rust::{
    anyhow::{self, Context as _, anyhow},
    http::{HttpClient, HttpRequest, HttpResponse},
    wacore::{
        net::{StreamingHttpResponse, UploadBody},
        store::Device,
        version::parse_sw_js,
    },
};

const VERSION_URL: &str = "https://web.whatsapp.com/sw.js";
const VERSION_FRESH: Duration = Duration::from_secs(24 * 60 * 60);
/// After a failure, so that a thousand links that start together ask once.
const VERSION_RETRY: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Of an exchange that fits in memory. (Streams have no such limit, and `reqwest`'s own for reading would count
/// from the first byte of an upload to the answer.)
const TOTAL_TIMEOUT: Duration = Duration::from_secs(180);
/// What is larger is streamed.
const MAX_BODY: usize = 8 * 1024 * 1024;

/// `reqwest` behind the library's trait. Cloning shares everything.
#[derive(Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    /// In the sandbox every URL leads here instead of to `https://{host}`.
    loopback: Option<Url>,
    version: Arc<Mutex<VersionCache>>,
    streams: Arc<Semaphore>,
    /// How long what is told once is tried, and how many may wait for their next try.
    patience: Duration,
    waiting: Arc<Semaphore>,
}

#[derive(Default)]
struct VersionCache {
    document: Option<(Vec<u8>, Instant)>,
    failed_at: Option<Instant>,
}

impl Http {
    pub(super) fn new(loopback: Option<Url>, patience: Duration) -> Result<Self, reqwest::Error> {
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(4);
        // The sandbox program reaches loopback and nothing else: no proxy, no redirect.
        let builder = match loopback {
            Some(_) => builder
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none()),
            None => builder.redirect(reqwest::redirect::Policy::limited(3)),
        };
        Ok(Self {
            client: builder.build()?,
            loopback,
            version: Arc::default(),
            streams: streams::places(),
            patience,
            waiting: streams::waiting(),
        })
    }

    fn target(&self, url: &str) -> anyhow::Result<Url> {
        let url = Url::parse(url).context("the URL of a request is not one")?;
        let Some(loopback) = &self.loopback else {
            return Ok(url);
        };
        let mut target = loopback.clone();
        target.set_path(url.path());
        target.set_query(url.query());
        Ok(target)
    }

    /// A request without its body.
    fn outgoing(&self, request: &HttpRequest) -> anyhow::Result<reqwest::RequestBuilder> {
        let target = self.target(&request.url)?;
        let method = reqwest::Method::from_bytes(request.method.as_bytes())?;
        let mut outgoing = self.client.request(method, target);
        for (name, value) in &request.headers {
            outgoing = outgoing.header(name, value);
        }
        Ok(outgoing)
    }

    async fn exchange(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let mut outgoing = self.outgoing(&request)?.timeout(TOTAL_TIMEOUT);
        if let Some(body) = request.body {
            outgoing = outgoing.body(body);
        }
        // Media URLs carry tokens in their query: the error goes to logs without the URL.
        let response = outgoing.send().await.map_err(reqwest::Error::without_url)?;
        self.collect(response).await
    }

    /// The whole answer.
    async fn collect(&self, response: reqwest::Response) -> anyhow::Result<HttpResponse> {
        self.collect_most(response, MAX_BODY).await
    }

    async fn collect_most(
        &self,
        mut response: reqwest::Response,
        most: usize,
    ) -> anyhow::Result<HttpResponse> {
        let status_code = response.status().as_u16();
        let mut body = Vec::new();
        loop {
            let next = tokio::time::timeout(streams::STALLED, response.chunk()).await;
            let next = next.context("the answer of a host stood still")?;
            let Some(chunk) = next.map_err(reqwest::Error::without_url)? else {
                return Ok(HttpResponse { status_code, body });
            };
            if body.len() + chunk.len() > most {
                return Err(anyhow!("the answer is larger than {most} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// WhatsApp's version document: one look-up a day for the whole process. Every link asks at its
    /// first connection and daily, and holding the lock over the exchange makes the others wait for it.
    async fn version_document(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        let mut cache = self.version.lock().await;
        let ok = |body: &[u8]| HttpResponse {
            status_code: 200,
            body: body.to_vec(),
        };
        if let Some((document, at)) = &cache.document
            && at.elapsed() < VERSION_FRESH
        {
            return Ok(ok(document));
        }
        if cache
            .failed_at
            .is_none_or(|at| at.elapsed() >= VERSION_RETRY)
        {
            match self.exchange(request).await {
                Ok(response)
                    if response.status_code == 200
                        && std::str::from_utf8(&response.body)
                            .ok()
                            .and_then(parse_sw_js)
                            .is_some() =>
                {
                    // Only the number is needed later, and the document is large.
                    let document = document_of(&response);
                    cache.document = Some((document.clone(), Instant::now()));
                    cache.failed_at = None;
                    return Ok(ok(&document));
                }
                Ok(response) => {
                    tracing::warn!(
                        status = response.status_code,
                        "WhatsApp's version document could not be read; using the last known version"
                    );
                }
                Err(error) => {
                    tracing::warn!(%error, "WhatsApp's version could not be asked for; using the last known version");
                }
            }
            cache.failed_at = Some(Instant::now());
        }
        Ok(match &cache.document {
            Some((document, _)) => ok(document),
            None => ok(&built_in_document()),
        })
    }
}

fn document_of(response: &HttpResponse) -> Vec<u8> {
    std::str::from_utf8(&response.body)
        .ok()
        .and_then(parse_sw_js)
        .map_or_else(built_in_document, |(_, _, revision)| {
            revision_document(revision)
        })
}

/// The version that the library was made for: better than not connecting at all.
fn built_in_document() -> Vec<u8> {
    revision_document(Device::new().app_version_tertiary)
}

fn revision_document(revision: u32) -> Vec<u8> {
    format!(r#"{{"client_revision":{revision}}}"#).into_bytes()
}

#[async_trait]
impl HttpClient for Http {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        if self.loopback.is_none() && request.url == VERSION_URL {
            return self.version_document(request).await;
        }
        self.exchange(request).await
    }

    fn supports_streaming(&self) -> bool {
        true
    }

    fn supports_upload_streaming(&self) -> bool {
        true
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        self.insist(request)
    }

    fn execute_upload(
        &self,
        request: HttpRequest,
        body: UploadBody,
        content_length: u64,
    ) -> anyhow::Result<HttpResponse> {
        self.upload(request, body, content_length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sandbox_leads_every_host_to_loopback() {
        let loopback = Url::parse("http://127.0.0.1:4242/").expect("a URL");
        let http = Http::new(Some(loopback), Duration::ZERO).expect("a client");
        let target = http
            .target("https://media.example.net/mms/image/abc?auth=x&token=y")
            .expect("a target");
        assert_eq!(
            target.as_str(),
            "http://127.0.0.1:4242/mms/image/abc?auth=x&token=y"
        );
    }

    #[test]
    fn the_built_in_version_is_readable() {
        let document = String::from_utf8(built_in_document()).expect("text");
        let (major, minor, revision) = parse_sw_js(&document).expect("a version");
        assert_eq!((major, minor), (2, 3000));
        assert!(revision > 1_000_000);
    }
}
