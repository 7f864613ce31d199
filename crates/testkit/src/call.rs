//! A request of the tests, and its answer with what every answer must hold.

use std::fmt;

use reqwest::{RequestBuilder, header::HeaderMap};
use serde_json::Value;

/// A request on its way. Headers add up: the same name twice goes out twice.
pub struct Call {
    pub shown: String,
    pub request: RequestBuilder,
}

impl Call {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    pub fn headers<'a>(self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let add = |call: Self, (name, value)| call.header(name, value);
        pairs.into_iter().fold(self, add)
    }

    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// As a trusted proxy in front of us would pass it on.
    pub fn from(self, ip: &str) -> Self {
        self.header("x-forwarded-for", ip)
    }

    pub fn json(mut self, body: Value) -> Self {
        self.request = self.request.json(&body);
        self
    }

    pub fn body(mut self, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.body(body);
        self
    }

    pub async fn send(self) -> Answer {
        let sent = self.request.send().await;
        let response = sent.unwrap_or_else(|error| panic!("{}: {error:?}", self.shown));
        Answer {
            shown: self.shown,
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.bytes().await.expect("a body").to_vec(),
        }
    }
}

#[derive(Clone)]
pub struct Answer {
    pub shown: String,
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {} {}", self.shown, self.status, self.text())
    }
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The body of a 200.
    #[track_caller]
    pub fn ok(self) -> Value {
        self.expect(200).json()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("visible text"))
    }

    /// An error of the instance API: every field of the contract, and the status in the body too.
    #[track_caller]
    pub fn refused(self, status: u16, code: &str) -> Value {
        let answer = self.expect(status);
        let body = answer.json();
        assert_eq!(body["error_code"], code, "{answer:?}");
        assert_eq!(body["code"], status, "{answer:?}");
        assert_eq!(body["success"], false, "{answer:?}");
        assert!(body["error"].is_string(), "{answer:?}");
        assert_eq!(body["error"], body["message"], "{answer:?}");
        answer.hygiene();
        body
    }

    /// The headers that no answer goes without.
    #[track_caller]
    pub fn hygiene(&self) {
        assert!(self.header("x-request-id").starts_with("RQ"), "{self:?}");
        assert_eq!(self.header("x-content-type-options"), "nosniff");
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        assert_eq!(self.header("cache-control"), "no-store", "{self:?}");
    }
}
