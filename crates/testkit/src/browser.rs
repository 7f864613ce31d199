//! A browser of the tests, the letters that arrive, and users who are there already.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
};

use serde_json::{Value, json};

use crate::{
    call::{Answer, Call},
    gateway::{Bed, until},
};

/// Of both shops' owners, and of whom [`Bed::member`] makes.
pub const PASSWORD: &str = "correct horse battery";
pub const NEW_PASSWORD: &str = "ample turnip sundial";
pub const OWNER: &str = "a@example.com";
pub const OWNER_TOO: &str = "b@example.com";
/// Addresses of callers as a proxy in front of us would name them.
pub const PROXY: &str = "trusted_proxies = [\"127.0.0.1\"]\n";

const COOKIE: &str = "__Host-recado";
const AGENT: &str = "Browser of the tests/1.0";

/// As a page learns them; of nobody at all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub account: String,
    pub user: String,
}

impl Names {
    pub fn headers(&self) -> [(&'static str, &str); 2] {
        [
            ("x-recado-account", self.account.as_str()),
            ("x-recado-user", self.user.as_str()),
        ]
    }
}

/// One person at one machine: keeps the cookie as browsers do.
pub struct Browser<'a> {
    pub bed: &'a Bed,
    pub cookie: Option<String>,
    pub from: String,
    /// Whom its page shows.
    pub names: Option<Names>,
}

impl<'a> Browser<'a> {
    pub fn new(bed: &'a Bed) -> Self {
        Self::at(bed, "198.51.100.1")
    }

    /// Where `from` is an address; it counts on beds with [`PROXY`] only.
    pub fn at(bed: &'a Bed, from: &str) -> Self {
        Self {
            bed,
            cookie: None,
            from: from.to_owned(),
            names: None,
        }
    }

    /// Signed in as `email`, whose password is the one of all.
    pub async fn of(bed: &'a Bed, email: &str) -> Self {
        let mut browser = Self::new(bed);
        browser.log_in(email, PASSWORD).await.expect(200);
        browser
    }

    /// The same, and the password was asked for again.
    pub async fn proven(bed: &'a Bed, email: &str) -> Self {
        let mut browser = Self::of(bed, email).await;
        browser.confirm().await;
        browser
    }

    /// Another one that shows the same cookie.
    pub fn with_cookie(&self, cookie: Option<&str>) -> Self {
        Self {
            bed: self.bed,
            cookie: cookie.map(str::to_owned),
            from: self.from.clone(),
            names: self.names.clone(),
        }
    }

    pub fn call(&self, method: &str, path: &str) -> Call {
        let call = self.bed.call(method, path);
        let call = call
            .header("origin", &self.bed.gateway().base_url)
            .header("user-agent", AGENT)
            .from(&self.from);
        let call = match &self.names {
            Some(names) => call.headers(names.headers()),
            None => call,
        };
        match &self.cookie {
            Some(cookie) => call.header("cookie", &format!("theme=dark; {COOKIE}={cookie}")),
            None => call,
        }
    }

    /// Sends, and does with `Set-Cookie` what browsers do; the page shows whose it is.
    pub async fn send(&mut self, call: Call) -> Answer {
        let answer = call.send().await;
        if let Some(cookie) = cookie_of(&answer) {
            self.cookie = Some(cookie).filter(|cookie| !cookie.is_empty());
            if let Some(cookie) = &self.cookie {
                self.names = self.bed.names(cookie).await;
            }
        }
        answer
    }

    pub async fn get(&mut self, below: &str) -> Answer {
        let call = self.call("GET", &format!("/dashboard/api{below}"));
        self.send(call).await
    }

    pub async fn post(&mut self, below: &str, body: Value) -> Answer {
        self.with_body("POST", below, body).await
    }

    pub async fn patch(&mut self, below: &str, body: Value) -> Answer {
        self.with_body("PATCH", below, body).await
    }

    async fn with_body(&mut self, method: &str, below: &str, body: Value) -> Answer {
        let call = self.call(method, &format!("/dashboard/api{below}"));
        self.send(call.json(body)).await
    }

    pub async fn delete(&mut self, below: &str) -> Answer {
        let call = self.call("DELETE", &format!("/dashboard/api{below}"));
        self.send(call).await
    }

    /// `POST /login` with whatever body.
    pub async fn login(&mut self, body: Value) -> Answer {
        let call = self.call("POST", "/login").json(body);
        self.send(call).await
    }

    pub async fn log_in(&mut self, email: &str, password: &str) -> Answer {
        self.login(json!({"email": email, "password": password}))
            .await
    }

    pub async fn log_in_with(&mut self, email: &str, otp: &str) -> Answer {
        self.login(json!({"email": email, "password": PASSWORD, "otp": otp}))
            .await
    }

    pub async fn log_out(&mut self) {
        let call = self.call("POST", "/logout").json(json!({}));
        self.send(call).await.expect(204);
    }

    /// The fresh proof of a person without second factor.
    pub async fn confirm(&mut self) {
        self.post("/confirm", json!({"password": PASSWORD}))
            .await
            .expect(200);
    }

    pub async fn me(&mut self) -> Value {
        self.get("/me").await.ok()
    }

    /// The status of `GET /me`: 200 while the session lives.
    pub async fn alive(&self) -> u16 {
        self.call("GET", "/dashboard/api/me").send().await.status
    }

    pub async fn look(&mut self, token: &str) -> Answer {
        self.post("/links/look", json!({"token": token})).await
    }

    /// `POST /links/use` with the token in `body`.
    pub async fn use_link(&mut self, token: &str, body: Value) -> Answer {
        let mut body = body;
        body["token"] = json!(token);
        self.post("/links/use", body).await
    }
}

/// Our cookie in `Set-Cookie`; empty when it ends it.
pub fn cookie_of(answer: &Answer) -> Option<String> {
    let line = answer.header("set-cookie");
    let value = line.strip_prefix(COOKIE)?.strip_prefix('=')?;
    value.split(';').next().map(str::to_owned)
}

#[track_caller]
pub fn text(value: &Value, pointer: &str) -> String {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found
        .unwrap_or_else(|| panic!("no {pointer} in {value}"))
        .to_owned()
}

/// The newest rows of the account's log, newest first; the browser is an admin's.
pub async fn audit_rows(browser: &mut Browser<'_>, query: &str) -> Vec<Value> {
    let log = browser.get(&format!("/audit{query}")).await.ok();
    log["entries"].as_array().expect("entries").clone()
}

pub fn kinds_of(rows: &[Value]) -> Vec<String> {
    rows.iter().map(|row| text(row, "/kind")).collect()
}

/// The letters that were written so far, each read once.
pub struct Inbox {
    pub(crate) dir: PathBuf,
    pub(crate) read: HashSet<PathBuf>,
}

pub struct Letter {
    pub to: String,
    pub subject: String,
    pub text: String,
}

impl Letter {
    /// The token of the one link in it.
    #[track_caller]
    pub fn token(&self) -> String {
        let mut links = self.text.split("/dashboard/link#").skip(1);
        let link = links.next().unwrap_or_else(|| panic!("{}", self.text));
        assert!(links.next().is_none(), "one link: {}", self.text);
        let token: String = link.chars().take_while(|c| !c.is_whitespace()).collect();
        assert_eq!(token.len(), 43, "{token}");
        token
    }
}

impl Inbox {
    /// The next letter to `to` that was not read yet and whose subject has `about` in it.
    pub async fn next(&mut self, to: &str, about: &str) -> Letter {
        until(&format!("a letter to {to} about {about}"), async || {
            self.unread()
                .into_iter()
                .find(|(_, letter)| letter.to == to && letter.subject.contains(about))
        })
        .await
        .open(&mut self.read)
    }

    /// Those that nobody asked for with [`Inbox::next`].
    pub fn unread(&self) -> Vec<(PathBuf, Letter)> {
        let Ok(files) = std::fs::read_dir(&self.dir) else {
            return Vec::new();
        };
        let paths = files.map(|file| file.expect("a file").path());
        let ours = paths.filter(|path| path.extension().is_some_and(|end| end == "eml"));
        ours.filter(|path| !self.read.contains(path))
            .map(|path| {
                let text = std::fs::read_to_string(&path).expect("a letter");
                (path, letter(&text))
            })
            .collect()
    }

    pub fn unread_to(&self, to: &str) -> usize {
        let unread = self.unread();
        unread.iter().filter(|(_, letter)| letter.to == to).count()
    }
}

trait Open {
    fn open(self, read: &mut HashSet<PathBuf>) -> Letter;
}

impl Open for (PathBuf, Letter) {
    fn open(self, read: &mut HashSet<PathBuf>) -> Letter {
        read.insert(self.0);
        self.1
    }
}

fn letter(text: &str) -> Letter {
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let head: HashMap<&str, &str> = lines.collect();
    let of = |name: &str| head.get(name).copied().unwrap_or_default().to_owned();
    Letter {
        to: of("To"),
        subject: of("Subject"),
        text: body.to_owned(),
    }
}
