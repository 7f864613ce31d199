//! A small JSON client for loopback: every answer is data, whatever its status.

use std::io::{Read as _, Write};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use ureq::http;

/// Talks to the gateway and the sandbox. Never through a proxy: all addresses are on this machine.
pub struct Http {
    agent: ureq::Agent,
}

/// An answer, read whole.
pub struct Reply {
    /// HTTP status code.
    pub status: u16,
    /// The body as text.
    pub text: String,
    what: String,
}

impl Http {
    /// A client whose calls end after `timeout`, answered or not.
    pub fn new(timeout: Duration) -> Self {
        let config = ureq::Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .timeout_global(Some(timeout))
            // A restarted server must not be met through a dead connection.
            .max_idle_connections(0)
            .build();
        Self {
            agent: config.into(),
        }
    }

    /// Sends one request. `body` makes it a JSON request.
    pub fn call(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply> {
        let what = format!("{method} {url}");
        let mut request = http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = match body {
            Some(json) => {
                let request = request
                    .header("content-type", "application/json")
                    .body(json.to_string())?;
                self.agent.run(request)
            }
            // An empty body and not none: a POST without a length is refused by some servers.
            None if method == "POST" || method == "PUT" => {
                self.agent.run(request.body(String::new())?)
            }
            None => self.agent.run(request.body(())?),
        };
        let mut response = sent.with_context(|| format!("{what}: no answer"))?;
        let status = response.status().as_u16();
        let text = response
            .body_mut()
            .with_config()
            .limit(64 * 1024 * 1024)
            .read_to_string()
            .with_context(|| format!("{what}: the answer broke off"))?;
        Ok(Reply { status, text, what })
    }

    /// `POST` of a form: texts, and the bytes of its part `file`.
    pub fn upload(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        texts: &[(&str, &str)],
        (name, bytes): (&str, &[u8]),
    ) -> Result<Reply> {
        const EDGE: &str = "a-line-that-no-file-has-3f9c1d7e";
        let mut body = Vec::with_capacity(bytes.len() + 4096);
        let part = format!("--{EDGE}\r\ncontent-disposition: form-data; name=");
        for (key, text) in texts {
            write!(body, "{part}\"{key}\"\r\n\r\n{text}\r\n")?;
        }
        write!(body, "{part}\"file\"; filename=\"{name}\"\r\n\r\n")?;
        body.extend_from_slice(bytes);
        write!(body, "\r\n--{EDGE}--\r\n")?;
        let what = format!("POST {url}");
        let kind = format!("multipart/form-data; boundary={EDGE}");
        let mut request = http::Request::post(url).header("content-type", kind);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = self.agent.run(request.body(body.as_slice())?);
        let mut response = sent.with_context(|| format!("{what}: no answer"))?;
        let status = response.status().as_u16();
        let text = response.body_mut().read_to_string()?;
        Ok(Reply { status, text, what })
    }

    /// `GET` of a body of any length, which must be answered 200. Gives how many bytes it had.
    pub fn download(&self, url: &str, headers: &[(&str, &str)], to: &mut dyn Write) -> Result<u64> {
        let mut request = self.agent.get(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut response = request
            .call()
            .with_context(|| format!("GET {url}: no answer"))?;
        if response.status() != 200 {
            let said = response.body_mut().read_to_string().unwrap_or_default();
            bail!("GET {url} answered {}: {said}", response.status());
        }
        let mut body = response.body_mut().as_reader();
        let mut part = vec![0; 64 * 1024];
        let mut length = 0;
        loop {
            let count = body
                .read(&mut part)
                .with_context(|| format!("GET {url}: the answer broke off"))?;
            if count == 0 {
                return Ok(length);
            }
            to.write_all(&part[..count])?;
            length += count as u64;
        }
    }

    /// `GET` without credentials.
    pub fn get(&self, url: &str) -> Result<Reply> {
        self.call("GET", url, &[], None)
    }

    /// `POST` of a JSON body without credentials.
    pub fn post(&self, url: &str, body: &Value) -> Result<Reply> {
        self.call("POST", url, &[], Some(body))
    }
}

impl Reply {
    /// The reply itself when its status is 2xx; otherwise an error with what the server said.
    pub fn ok(self) -> Result<Self> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let mut said = self.text.trim().to_owned();
        if let Some((cut, _)) = said.char_indices().nth(600) {
            said.truncate(cut);
        }
        bail!("{} answered {}: {said}", self.what, self.status)
    }

    /// The body as JSON.
    pub fn json(&self) -> Result<Value> {
        serde_json::from_str(&self.text)
            .with_context(|| format!("{} answered no JSON: {}", self.what, self.text))
    }
}
