//! The one client for addresses that tenants choose.
//!
//! Refuses non-public addresses: literals when the URL is parsed, names when they resolve, and the
//! connection goes to the very address that was checked. No proxy, bounded time and answer size; a redirect is
//! followed only for what is fetched, and then checked like the first address.

pub mod tls;

use std::{
    error::Error as StdError,
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use ipnet::IpNet;
use recado_model::{Error, ErrorCode, Result};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use rustls::ClientConfig;
use tower::util::MapRequestLayer;
use url::{Host, Url};

use crate::Config;

/// So much of an answer is read; the rest is left on the wire.
const ANSWER_MAX: usize = 16 * 1024;
const URL_MAX: usize = 2048;

pub struct Egress {
    client: reqwest::Client,
    /// The same, with a new connection for each call.
    fresh: reqwest::Client,
    /// For what is fetched: it may take as long as it keeps coming.
    media: reqwest::Client,
    timeout: Duration,
    guard: Guard,
}

tokio::task_local! {
    /// Whether a connection was opened for the call of this task.
    static DIALLED: Arc<AtomicBool>;
}

/// A receiver's answer, as far as we care.
#[derive(Debug)]
pub struct HttpAnswer {
    pub status: u16,
    pub retry_after_secs: Option<i64>,
}

impl Egress {
    pub fn new(config: &Config) -> Result<Self> {
        let guard = Guard {
            allow: config.egress_allow.clone().into(),
        };
        let tls = tls::config(config.egress_ca_file.as_deref())?;
        let timeout = Duration::from_millis(config.webhooks.timeout_ms);
        let client = || builder(&guard, &tls, timeout);
        Ok(Self {
            client: client().build().map_err(Error::internal)?,
            fresh: client()
                .pool_max_idle_per_host(0)
                .build()
                .map_err(Error::internal)?,
            media: builder(&guard, &tls, timeout)
                .timeout(FETCH_WITHIN)
                // A connection of an earlier fetch may be closed just when it is used again.
                .pool_max_idle_per_host(0)
                .read_timeout(SILENT_FOR)
                .user_agent(concat!("Recado-Media/", env!("CARGO_PKG_VERSION")))
                .build()
                .map_err(Error::internal)?,
            timeout,
            guard,
        })
    }

    /// Parses a tenant's address and refuses what could never be reached.
    pub fn check_url(&self, text: &str) -> Result<Url> {
        let refused = |why: &'static str| Error::new(ErrorCode::InvalidUrl, why);
        let text = text.trim();
        if text.len() > URL_MAX {
            return Err(refused("the URL has at most 2048 characters"));
        }
        let url = Url::parse(text).map_err(|_| {
            refused("the URL must be complete, for example https://example.com/hook")
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("the URL must begin with https:// or http://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(
                "the URL must not carry a user name or password; put a secret in the path or query",
            ));
        }
        let allowed = match url.host() {
            None => return Err(refused("the URL has no host")),
            Some(Host::Ipv4(ip)) => self.guard.allows(ip.into()),
            Some(Host::Ipv6(ip)) => self.guard.allows(ip.into()),
            // Other names are judged by what they resolve to, when they do.
            Some(Host::Domain(name)) => {
                let name = name.trim_end_matches('.');
                let local = name.eq_ignore_ascii_case("localhost")
                    || name.to_ascii_lowercase().ends_with(".localhost");
                !local || self.guard.allows(Ipv4Addr::LOCALHOST.into())
            }
        };
        if !allowed {
            return Err(refused(
                "the URL points into a private network; only public addresses are called (the operator can allow subnets with egress.allow)",
            ));
        }
        Ok(url)
    }

    /// One POST. `Err` is a public sentence: what went wrong, without what lies behind the guard.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(&'static str, String)],
        body: String,
    ) -> std::result::Result<HttpAnswer, String> {
        // Checked again: the operator's list may have changed since it was stored.
        let url = self
            .check_url(url)
            .map_err(|error| error.message.into_owned())?;
        let call = async {
            match post(&self.client, &url, headers, &body).await {
                // The receiver closed a connection just when it was used again, which says nothing of the
                // receiver. It may have read the call: it knows that by `webhook-id`.
                Err(Failed { reused: true, .. }) => {
                    metrics::counter!("recado_deliveries_reconnected_total").increment(1);
                    post(&self.fresh, &url, headers, &body).await
                }
                done => done,
            }
        };
        // Both have the time of one.
        let mut answer = match tokio::time::timeout(self.timeout, call).await {
            Ok(answer) => answer.map_err(|failed| explain(&failed.error))?,
            Err(_) => return Err(LATE.into()),
        };
        let status = answer.status().as_u16();
        let retry_after_secs = answer
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok());
        let mut read = 0;
        // Read a little so that the connection can serve again; more than that is the receiver's affair.
        while read < ANSWER_MAX {
            match answer.chunk().await {
                Ok(Some(chunk)) => read += chunk.len(),
                Ok(None) | Err(_) => break,
            }
        }
        Ok(HttpAnswer {
            status,
            retry_after_secs,
        })
    }
}

/// What a caller's address began to give.
pub(crate) struct Opening {
    /// As it says itself.
    pub length: Option<u64>,
    pub body: BoxStream<'static, io::Result<Bytes>>,
}

/// Why an address gave nothing: a public sentence.
#[derive(Debug)]
pub(crate) enum NotOpened {
    /// It may another time.
    Again(String),
    Never(String),
}

impl NotOpened {
    pub fn into_text(self) -> String {
        match self {
            Self::Again(text) | Self::Never(text) => text,
        }
    }
}

impl Egress {
    /// One GET, redirects followed: each is checked like the first address. Bytes are asked for as they are;
    /// compressed ones are refused, for nobody knows how large they become.
    pub(crate) async fn open(&self, url: &str) -> std::result::Result<Opening, NotOpened> {
        let never = |text: String| NotOpened::Never(text);
        let check = |text: &str| {
            let checked = self.check_url(text);
            checked.map_err(|error| never(error.message.into_owned()))
        };
        let mut url = check(url)?;
        for _ in 0..=REDIRECTS_MOST {
            let asked = self
                .media
                .get(url.clone())
                .header("accept", "*/*")
                .header("accept-encoding", "identity");
            let answer = asked.send().await;
            let answer = answer.map_err(|error| NotOpened::Again(unreached(&error)))?;
            if answer.status().is_redirection() {
                let to = answer.headers().get("location");
                let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
                let joined = url.join(to);
                let joined = joined.map_err(|_| never("the URL leads nowhere".to_owned()))?;
                url = check(joined.as_str())?;
                continue;
            }
            return opened(answer);
        }
        Err(never("the URL leads from one place to the next".to_owned()))
    }
}

/// The words about receivers, where there is a URL.
fn unreached(error: &reqwest::Error) -> String {
    let text = explain(error);
    text.replace("the receiver's name", "its name")
        .replace(
            "the request to the receiver failed",
            "the URL did not answer as HTTP has it",
        )
        .replace("the receiver", "the URL's host")
}

fn opened(answer: reqwest::Response) -> std::result::Result<Opening, NotOpened> {
    let status = answer.status().as_u16();
    match status {
        200 => {}
        408 | 425 | 429 | 500..=599 => {
            return Err(NotOpened::Again(format!("the URL answered {status}")));
        }
        _ => return Err(NotOpened::Never(format!("the URL answered {status}"))),
    }
    let coding = answer.headers().get("content-encoding");
    if coding.is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        let text = "the URL gives its bytes compressed, which it was asked not to";
        return Err(NotOpened::Never(text.to_owned()));
    }
    Ok(Opening {
        length: answer.content_length(),
        body: answer.bytes_stream().map_err(io::Error::other).boxed(),
    })
}

/// All of a medium, and its longest silence.
const FETCH_WITHIN: Duration = Duration::from_secs(15 * 60);
const SILENT_FOR: Duration = Duration::from_secs(30);
const REDIRECTS_MOST: usize = 3;

const LATE: &str = "the receiver did not answer in time";

#[expect(clippy::disallowed_methods, reason = "this is the one client")]
fn builder(guard: &Guard, tls: &ClientConfig, timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("Recado-Webhooks/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .connect_timeout(timeout.min(Duration::from_secs(10)))
        .timeout(timeout)
        .dns_resolver(Arc::new(guard.clone()))
        .tls_backend_preconfigured(tls.clone())
        .connector_layer(MapRequestLayer::new(dialling))
}

/// Called for each connection that is opened.
fn dialling<R>(request: R) -> R {
    // A connection that is opened for no call is nobody's.
    let _ = DIALLED.try_with(|dialled| dialled.store(true, Ordering::Relaxed));
    request
}

struct Failed {
    error: reqwest::Error,
    /// It broke on a connection of an earlier call, before an answer.
    reused: bool,
}

async fn post(
    client: &reqwest::Client,
    url: &Url,
    headers: &[(&'static str, String)],
    body: &str,
) -> std::result::Result<reqwest::Response, Failed> {
    let mut request = client
        .post(url.clone())
        .header("content-type", "application/json")
        .body(body.to_owned());
    for (name, value) in headers {
        request = request.header(*name, value);
    }
    let dialled = Arc::new(AtomicBool::new(false));
    let sent = DIALLED.scope(dialled.clone(), request.send()).await;
    sent.map_err(|error| Failed {
        reused: !dialled.load(Ordering::Relaxed) && error.is_request() && !error.is_timeout(),
        error,
    })
}

fn explain(error: &reqwest::Error) -> String {
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.is::<NotPublic>() {
            return NotPublic.to_string();
        }
        source = inner.source();
    }
    if let Some(fault) = tls::fault(error) {
        fault.into()
    } else if error.is_timeout() {
        LATE.into()
    } else if error.is_connect() {
        "could not connect to the receiver".into()
    } else {
        "the request to the receiver failed".into()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the receiver's name leads into a private network")]
struct NotPublic;

#[derive(Clone)]
struct Guard {
    allow: Arc<[IpNet]>,
}

impl Guard {
    fn allows(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        is_public(ip) || self.allow.iter().any(|net| net.contains(&ip))
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // All or nothing: a name with one public and one private address is a trick.
            if found.is_empty() || !found.iter().all(|addr| guard.allows(addr.ip())) {
                return Err(NotPublic.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Reachable over the public internet, by the registries of special-purpose addresses.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    let special = ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_documentation()
        || ip.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19))
        // Public by the registries, yet it answers from inside: a cloud's host agent.
        || ip.octets() == [168, 63, 129, 16];
    !special
}

fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, ..] = ip.segments();
    // Only global unicast is ever public; inside it, the ways to smuggle an IPv4 address are not.
    let global = (a & 0xe000) == 0x2000;
    let special =
        a == 0x2002 || (a == 0x2001 && (b < 0x200 || b == 0xdb8)) || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(allow: &[&str]) -> Egress {
        let egress_allow = allow
            .iter()
            .map(|net| net.parse().expect("subnet"))
            .collect();
        Egress::new(&Config {
            egress_allow,
            ..Config::default()
        })
        .expect("client")
    }

    #[test]
    fn every_spelling_of_a_private_address_is_refused() {
        let egress = egress(&[]);
        for host in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "017700000001",
            "127.1",
            "0",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "127.0.0.1.",
            "①②⑦.0.0.1",
            "localhost",
            "LOCALHOST.",
            "a.localhost",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "168.63.129.16",
            "100.64.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::1]",
            "[::]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd00:ec2::254]",
            "[64:ff9b::7f00:1]",
            "[2002:7f00:1::]",
            "[2001::1]",
            "[2001:db8::1]",
            "[ff02::1]",
            "[3fff::1]",
        ] {
            let url = format!("http://{host}/x");
            assert!(egress.check_url(&url).is_err(), "{url}");
        }
        for url in [
            "ftp://example.com",
            "file:///etc/passwd",
            "//example.com",
            "example.com",
            "http://u:p@example.com/",
            "http://127.0.0.1@10.0.0.1/",
            "javascript:alert(1)",
        ] {
            assert!(egress.check_url(url).is_err(), "{url}");
        }
        for url in [
            "https://example.com/hook?k=v",
            "http://93.184.216.34:8080/",
            "https://[2606:4700::1111]/",
        ] {
            assert!(egress.check_url(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn the_operator_can_allow_a_subnet() {
        let egress = egress(&["127.0.0.0/8"]);
        assert!(egress.check_url("http://127.0.0.1:9/x").is_ok());
        assert!(egress.check_url("http://localhost:9/x").is_ok());
        assert!(egress.check_url("http://[::ffff:127.0.0.1]:9/x").is_ok());
        assert!(egress.check_url("http://10.0.0.1/").is_err());
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_resolves_to() {
        let refused = egress(&["203.0.113.0/24"])
            .post_json("http://localhost./x", &[], String::new())
            .await;
        assert!(refused.is_err());
        let guard = Guard {
            allow: Arc::new([]),
        };
        let found = guard.resolve("localhost".parse().expect("name")).await;
        assert!(found.is_err_and(|error| error.is::<NotPublic>()));
    }
}
