//! A siteverify on loopback that answers as Cloudflare documents it
//! (developers.cloudflare.com/turnstile/get-started/server-side-validation), or as a script says.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use recado_identity::clock::SystemClock;
use recado_model::{Clock as _, Timestamp};
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub const SITE_KEY: &str = "0x4AAAAAAAdouble";
pub const SECRET: &str = "0x4AAAAAAAdouble-hunter2";
pub const HOST: &str = "wa.example.com";
/// What the vendor's dummy site keys give every page.
pub const DUMMY_TOKEN: &str = "XXXX.DUMMY.TOKEN.XXXX";

/// One answer that is not the documented one.
#[derive(Clone)]
pub enum Say {
    Status(u16, String),
    /// As a good gateway in front of it would: moved elsewhere.
    Redirect(String),
    /// The question counts, the answer gets lost.
    Lose,
    Hang,
}

impl Say {
    pub fn json(value: &Value) -> Self {
        Self::Status(200, value.to_string())
    }
}

/// A cheap clone; all clones are one.
#[derive(Clone)]
pub struct Double {
    pub url: String,
    state: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    tokens: HashMap<String, Token>,
    script: VecDeque<Say>,
    asked: Vec<Value>,
}

struct Token {
    hostname: String,
    action: String,
    solved: Timestamp,
    /// The idempotency key it was redeemed with.
    redeemed: Option<Option<String>>,
}

impl Double {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let double = Self {
            url: format!("http://{address}/turnstile/v0/siteverify"),
            state: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        double
    }

    fn with<T>(&self, look: impl FnOnce(&mut Inner) -> T) -> T {
        look(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A widget on a page of `HOST`, rendered for `action`, was solved just now.
    pub fn solve(&self, action: &str) -> String {
        self.solve_at(HOST, action, SystemClock.now())
    }

    pub fn solve_at(&self, hostname: &str, action: &str, solved: Timestamp) -> String {
        self.with(|inner| {
            let token = format!("0.token-{}", inner.tokens.len());
            let kept = Token {
                hostname: hostname.to_owned(),
                action: action.to_owned(),
                solved,
                redeemed: None,
            };
            inner.tokens.insert(token.clone(), kept);
            token
        })
    }

    /// The next answers; after them the documented ones come again.
    pub fn script(&self, says: impl IntoIterator<Item = Say>) {
        self.with(|inner| inner.script.extend(says));
    }

    /// Every question so far.
    pub fn asked(&self) -> Vec<Value> {
        self.with(|inner| inner.asked.clone())
    }
}

async fn answer(State(double): State<Double>, headers: HeaderMap, body: Bytes) -> Response {
    let is_json = headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/json");
    let question: Option<Value> = serde_json::from_slice(&body).ok().filter(|_| is_json);
    let Some(question) = question else {
        return json_of(&fail("bad-request"));
    };
    let say = double.with(|inner| {
        inner.asked.push(question.clone());
        inner.script.pop_front()
    });
    match say {
        None => json_of(&double.with(|inner| documented(inner, &question))),
        Some(Say::Lose) => {
            double.with(|inner| documented(inner, &question));
            StatusCode::BAD_GATEWAY.into_response()
        }
        Some(Say::Status(status, text)) => {
            let status = StatusCode::from_u16(status).expect("a status");
            (status, [(CONTENT_TYPE, "application/json")], text).into_response()
        }
        Some(Say::Redirect(to)) => (StatusCode::FOUND, [("location", to)]).into_response(),
        Some(Say::Hang) => std::future::pending().await,
    }
}

fn json_of(value: &Value) -> Response {
    ([(CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn fail(code: &str) -> Value {
    json!({"success": false, "error-codes": [code], "messages": []})
}

/// What a yes looks like.
pub fn yes(hostname: &str, action: &str, solved: Timestamp) -> Value {
    json!({
        "success": true,
        "challenge_ts": solved.to_rfc3339(),
        "hostname": hostname,
        "error-codes": [],
        "action": action,
        "cdata": "",
        "metadata": {"interactive": false},
    })
}

fn documented(inner: &mut Inner, question: &Value) -> Value {
    let text = |name: &str| question[name].as_str().unwrap_or_default();
    match text("secret") {
        "" => return fail("missing-input-secret"),
        SECRET => {}
        dummy => return of_dummy(dummy),
    }
    if text("response").is_empty() {
        return fail("missing-input-response");
    }
    let Some(token) = inner.tokens.get_mut(text("response")) else {
        return fail("invalid-input-response");
    };
    let key = question["idempotency_key"].as_str().map(str::to_owned);
    let again = match &token.redeemed {
        None => true,
        Some(redeemed) => redeemed.is_some() && *redeemed == key,
    };
    let age = SystemClock.now().since(token.solved);
    if !again || age > 300_000 {
        return fail("timeout-or-duplicate");
    }
    token.redeemed = Some(key);
    yes(&token.hostname, &token.action, token.solved)
}

/// The three secrets for tests look at no token.
fn of_dummy(secret: &str) -> Value {
    let mut said = match secret {
        "1x0000000000000000000000000000000AA" => json!({
            "success": true,
            "challenge_ts": SystemClock.now().to_rfc3339(),
            "hostname": "example.com",
            "error-codes": [],
        }),
        "2x0000000000000000000000000000000AA" => fail("invalid-input-response"),
        "3x0000000000000000000000000000000AA" => fail("timeout-or-duplicate"),
        _ => return fail("invalid-input-secret"),
    };
    said["metadata"] = json!({"result_with_testing_key": true});
    said
}
