//! Is it a person? Asked where people sign in, sign up or forget a password; never at `/token`.
//!
//! [`Turnstile`] speaks Cloudflare's siteverify protocol. It fails closed: whatever keeps the answer
//! from being a clear yes refuses the caller. A fault that is the caller's to mend (no token, an old one, one
//! that was used) is 403 `human_check_failed`; when the question could not be put, 503 `unavailable`.
//!
//! A token counts once. The vendor says so too, but a lost answer and a race are easier to reason about
//! when the second use never leaves the house.

mod config;
mod seen;

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use recado_model::{Clock, Error, ErrorCode, Monotonic, Result, Rng, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use url::Url;

pub use config::TurnstileConfig;
use seen::Seen;

/// The vendor's limit on a token.
const TOKEN_MAX: usize = 2048;
/// A token counts so long after its challenge was solved; and how far the clocks may differ.
const LIFE_MS: i64 = 300_000;
const SKEW_MS: i64 = 5_000;
/// For the whole question, a second try included: somebody waits at a form.
const PATIENCE_MS: i64 = 5_000;
const PAUSE_MS: i64 = 200;
const RETRY_AFTER_SECS: u64 = 5;
const ANSWER_MAX: usize = 64 * 1024;
/// Questions under way at once; more wait within their patience.
const QUESTIONS: usize = 64;
/// While siteverify is down every log-in fails alike: one line so often says enough.
const WARN_EVERY_MS: i64 = 10_000;

/// Whether whoever calls is a person.
#[async_trait]
pub trait HumanCheck: Send + Sync + 'static {
    /// `token` is what the page's widget gave; `action` what it was rendered for (`login`, `signup`,
    /// `reset`). 403 `human_check_failed` or 503 `unavailable` when it does not hold.
    async fn check(&self, token: Option<&str>, from: Option<IpAddr>, action: &str) -> Result<()>;
}

/// The check that the operator configured.
pub fn human_check(
    config: Option<&TurnstileConfig>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Result<Arc<dyn HumanCheck>> {
    Ok(match config {
        None => Arc::new(Off),
        Some(config) => Arc::new(Turnstile::new(config, clock, rng)?),
    })
}

/// Nobody is asked.
pub struct Off;

#[async_trait]
impl HumanCheck for Off {
    async fn check(&self, _: Option<&str>, _: Option<IpAddr>, _: &str) -> Result<()> {
        Ok(())
    }
}

pub struct Turnstile {
    client: reqwest::Client,
    url: Url,
    secret: Secret,
    hostname: String,
    dummy: bool,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    seen: Mutex<Seen>,
    questions: Semaphore,
    warned: Mutex<Option<Monotonic>>,
}

/// The question; as JSON, which siteverify takes as well as a form.
#[derive(Serialize)]
struct Question<'a> {
    secret: &'a str,
    response: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remoteip: Option<String>,
    idempotency_key: &'a str,
}

#[derive(Deserialize)]
struct Siteverify {
    success: bool,
    #[serde(default, rename = "error-codes")]
    error_codes: Vec<String>,
    challenge_ts: Option<String>,
    hostname: Option<String>,
    action: Option<String>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    result_with_testing_key: bool,
}

/// Why there was no clear yes.
enum No {
    /// The caller's: with what to tell them.
    Caller(&'static str),
    /// Worth a second try.
    Passing(String),
    /// Ours or the vendor's: what to tell the operator.
    Ours(String),
}

const EXPIRED: &str =
    "The check that you are a person has expired or was used already; do it again.";
const ELSEWHERE: &str =
    "The check that you are a person was made for another page; do it again on this one.";

impl Turnstile {
    #[expect(
        clippy::disallowed_methods,
        reason = "the operator chose this address, no tenant did"
    )]
    pub fn new(config: &TurnstileConfig, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Result<Self> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("Recado/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // Ours is the clock's; this one only ends what the clock's forgot.
            .timeout(Duration::from_secs(30))
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            client,
            url: Url::parse(&config.url).map_err(Error::internal)?,
            secret: config.secret.clone(),
            hostname: config.hostname.to_ascii_lowercase(),
            dummy: config.is_dummy(),
            clock,
            rng,
            seen: Mutex::default(),
            questions: Semaphore::new(QUESTIONS),
            warned: Mutex::default(),
        })
    }

    /// Both tries within one patience; with the same key siteverify takes them for one.
    async fn ask(
        &self,
        token: &str,
        from: Option<IpAddr>,
        action: &str,
        key: &str,
    ) -> std::result::Result<(), No> {
        let tries = async {
            let Ok(_permit) = self.questions.acquire().await else {
                return Err(No::Ours("the check is closed".to_owned()));
            };
            match self.once(token, from, action, key).await {
                Err(No::Passing(_)) => {
                    self.clock.sleep_ms(PAUSE_MS).await;
                    self.once(token, from, action, key).await
                }
                done => done,
            }
        };
        tokio::select! {
            done = tries => done,
            () = self.clock.sleep_ms(PATIENCE_MS) => {
                Err(No::Ours("siteverify did not answer in time".to_owned()))
            }
        }
    }

    async fn once(
        &self,
        token: &str,
        from: Option<IpAddr>,
        action: &str,
        key: &str,
    ) -> std::result::Result<(), No> {
        let question = Question {
            secret: self.secret.expose(),
            response: token,
            remoteip: from.map(|ip| ip.to_canonical().to_string()),
            idempotency_key: key,
        };
        let request = self.client.post(self.url.clone()).json(&question);
        let mut answer = request.send().await.map_err(|error| {
            No::Passing(match error.is_connect() {
                true => "could not connect to siteverify".to_owned(),
                false => "the connection to siteverify broke".to_owned(),
            })
        })?;
        let status = answer.status();
        if status.is_server_error() {
            return Err(No::Passing(format!("siteverify answered {status}")));
        }
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() > ANSWER_MAX => {
                    return Err(No::Ours("siteverify's answer is too large".to_owned()));
                }
                Ok(Some(chunk)) => body.extend_from_slice(&chunk),
                Ok(None) => break,
                Err(_) => {
                    return Err(No::Passing("siteverify's answer broke off".to_owned()));
                }
            }
        }
        let answer: Siteverify = serde_json::from_slice(&body).map_err(|_| {
            No::Ours(format!(
                "siteverify answered {status}, not in its documented JSON"
            ))
        })?;
        self.judge(status.as_u16(), &answer, action)
    }

    fn judge(&self, status: u16, answer: &Siteverify, action: &str) -> std::result::Result<(), No> {
        if !answer.success {
            return Err(refusal(&answer.error_codes));
        }
        if status != 200 {
            return Err(No::Ours(format!("siteverify said yes with {status}")));
        }
        let metadata = answer.metadata.as_ref();
        if metadata.is_some_and(|metadata| metadata.result_with_testing_key) {
            // Says whose keys were used: a dummy's yes is worth something only to who asked for it.
            return match self.dummy {
                true => Ok(()),
                false => Err(No::Ours(
                    "siteverify answered for a key for tests".to_owned(),
                )),
            };
        }
        let hostname = answer.hostname.as_deref().unwrap_or_default();
        if !hostname.eq_ignore_ascii_case(&self.hostname) {
            self.warn(&format!(
                "a token was made on {:?} and not on {:?}: if people sign in there, set turnstile.hostname; if not, take that host from the widget's list at Cloudflare",
                short(hostname),
                self.hostname
            ));
            return Err(No::Caller(ELSEWHERE));
        }
        if answer.action.as_deref() != Some(action) {
            return Err(No::Caller(ELSEWHERE));
        }
        let solved = answer.challenge_ts.as_deref();
        let Some(solved) = solved.and_then(Timestamp::parse_rfc3339) else {
            return Err(No::Ours(
                "siteverify does not say when the challenge was solved".to_owned(),
            ));
        };
        let age = self.clock.now().since(solved);
        if age > LIFE_MS + SKEW_MS {
            return Err(No::Caller(EXPIRED));
        }
        if age < -(LIFE_MS + SKEW_MS) {
            // So far off that the age of nothing can be told.
            return Err(No::Ours(format!(
                "a challenge was solved {} s in the future: this machine's clock is wrong",
                -age / 1000
            )));
        }
        Ok(())
    }

    fn warn(&self, why: &str) {
        let now = self.clock.monotonic();
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|last| now.since(last) >= WARN_EVERY_MS) {
            *warned = Some(now);
            tracing::warn!(why, "a person could not be told from a program");
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HumanCheck for Turnstile {
    async fn check(&self, token: Option<&str>, from: Option<IpAddr>, action: &str) -> Result<()> {
        let token = token.unwrap_or_default();
        if token.is_empty() {
            return Err(refused(
                "Complete the check that you are a person (turnstile_token), then send it again.",
            ));
        }
        if token.chars().count() > TOKEN_MAX {
            return Err(refused(
                "turnstile_token is not one of ours: it has at most 2048 characters. Do the check that you are a person again.",
            ));
        }
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let now = self.clock.monotonic();
        let fresh = uuid(&*self.rng);
        // The dummy token is the same for everybody, every time.
        let taken = match self.dummy {
            true => Some(fresh),
            false => self.seen().take(digest, now, LIFE_MS + SKEW_MS, fresh),
        };
        let Some(key) = taken else {
            count("replayed");
            return Err(refused(EXPIRED));
        };
        // A caller who hangs up during the question has used the token: it stays taken.
        match self.ask(token, from, action, &key).await {
            Ok(()) => {
                count("passed");
                Ok(())
            }
            Err(No::Caller(why)) => {
                count("refused");
                Err(refused(why))
            }
            Err(No::Passing(why) | No::Ours(why)) => {
                count("unavailable");
                self.seen().give_back(&digest);
                self.warn(&why);
                Err(Error::new(
                    ErrorCode::Unavailable,
                    "The check that you are a person could not be made just now. Try again in a few seconds; if it stays so, tell the operator.",
                )
                .with_retry_after(RETRY_AFTER_SECS))
            }
        }
    }
}

/// The meaning of the vendor's error codes, and for whom.
fn refusal(codes: &[String]) -> No {
    let known = |names: &[&str]| codes.iter().any(|code| names.contains(&code.as_str()));
    if known(&["missing-input-secret", "invalid-input-secret"]) {
        return No::Ours(format!(
            "siteverify does not take turnstile.secret ({}): copy it again from the widget's settings",
            shown(codes)
        ));
    }
    if known(&["internal-error"]) {
        return No::Passing("siteverify had an internal-error".to_owned());
    }
    if known(&[
        "timeout-or-duplicate",
        "invalid-input-response",
        "missing-input-response",
    ]) {
        return No::Caller(EXPIRED);
    }
    No::Ours(format!(
        "siteverify refused the question ({})",
        shown(codes)
    ))
}

fn shown(codes: &[String]) -> String {
    let codes: Vec<&str> = codes.iter().take(5).map(|code| short(code)).collect();
    match codes.is_empty() {
        true => "no error code".to_owned(),
        false => codes.join(", "),
    }
}

fn short(text: &str) -> &str {
    text.char_indices()
        .nth(100)
        .map_or(text, |(at, _)| &text[..at])
}

fn refused(why: &'static str) -> Error {
    Error::new(ErrorCode::HumanCheckFailed, why)
}

fn count(outcome: &'static str) {
    metrics::counter!("recado_human_checks_total", "outcome" => outcome).increment(1);
}

/// Version 4 (RFC 9562).
fn uuid(rng: &dyn Rng) -> String {
    let mut bytes = [0u8; 16];
    rng.fill(&mut bytes);
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let n = u128::from_be_bytes(bytes);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        n >> 96,
        (n >> 80) & 0xffff,
        (n >> 64) & 0xffff,
        (n >> 48) & 0xffff,
        n & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests;
