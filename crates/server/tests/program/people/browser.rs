//! The dashboard's API as a page of ours calls it: with its origin and the cookie. And the letters that
//! lie in the mail folder.

use std::{collections::BTreeSet, fs};

use recado_identity::{clock::SystemClock, users::totp::Seed};
use recado_model::Clock;
use reqwest::{Method, header::SET_COOKIE};
use serde_json::{Value, json};

use crate::support::{Answer, Home, client, wait_for};

const COOKIE: &str = "__Host-recado";

pub struct Browser {
    base: String,
    cookie: Option<String>,
    /// Account and person that the page shows.
    names: Option<(String, String)>,
    /// All that it was ever given.
    pub cookies: BTreeSet<String>,
}

impl Browser {
    pub fn new(home: &Home) -> Self {
        Self {
            base: home.base.clone(),
            cookie: None,
            names: None,
            cookies: BTreeSet::new(),
        }
    }

    pub async fn call(&mut self, method: Method, path: &str, body: Option<Value>) -> Answer {
        let mut request = client()
            .request(method, format!("{}{path}", self.base))
            .header("origin", &self.base);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("{COOKIE}={cookie}"));
        }
        if let Some((account, user)) = &self.names {
            request = request.header("x-recado-account", account);
            request = request.header("x-recado-user", user);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.expect("an answer");
        for set in response.headers().get_all(SET_COOKIE) {
            let set = set.to_str().expect("text");
            let (name, rest) = set.split_once('=').expect("a cookie");
            assert_eq!(name, COOKIE);
            let value = rest.split(';').next().unwrap_or_default();
            self.cookie = (!value.is_empty()).then(|| value.to_owned());
            self.cookies.extend(self.cookie.clone());
            self.names = None;
        }
        let status = response.status();
        let text = response.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Answer { status, body }
    }

    /// Whom the cookie stands for, once for each: a page asks before it shows anything.
    async fn look_who(&mut self) {
        if self.cookie.is_none() || self.names.is_some() {
            return;
        }
        let me = self.call(Method::GET, "/dashboard/api/me", None).await;
        let id = |pointer: &str| me.body.pointer(pointer)?.as_str().map(str::to_owned);
        self.names = id("/account/id").zip(id("/user/id"));
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.look_who().await;
        self.call(Method::GET, path, None).await
    }

    pub async fn post(&mut self, path: &str, body: Value) -> Answer {
        self.look_who().await;
        self.call(Method::POST, path, Some(body)).await
    }

    /// Below `/dashboard/api/`; must be a success.
    pub async fn done(&mut self, method: Method, path: &str, body: Value) -> Value {
        let path = format!("/dashboard/api/{path}");
        self.look_who().await;
        let answer = self.call(method, &path, Some(body)).await;
        assert!(answer.status.is_success(), "{path}: {}", answer.body);
        answer.body
    }

    pub async fn log_in(&mut self, email: &str, password: &str, otp: Option<&str>) -> Answer {
        let mut body = json!({"email": email, "password": password});
        if let Some(otp) = otp {
            body["otp"] = otp.into();
        }
        self.post("/login", body).await
    }

    pub async fn look(&mut self, token: &str) -> Answer {
        let body = json!({"token": token});
        self.post("/dashboard/api/links/look", body).await
    }

    pub async fn use_link(&mut self, body: Value) -> Answer {
        self.post("/dashboard/api/links/use", body).await
    }

    /// Whether the session holds.
    pub async fn is_in(&mut self) -> bool {
        let answer = self.get("/dashboard/api/me").await;
        assert!(
            answer.status == 200 || answer.status == 401,
            "{}",
            answer.body
        );
        answer.status == 200
    }
}

/// What an authenticator shows: `steps` half minutes from now.
pub fn code(secret: &str, steps: i64) -> String {
    let seed = Seed::from_base32(secret).expect("a seed in base32");
    let at = SystemClock.now().plus_millis(steps * 30_000);
    seed.code(at).expose().to_owned()
}

/// The token of the link in a letter to `to` that is not among `known`, and the letter.
pub async fn letter(home: &Home, to: &str, known: &[&str]) -> (String, String) {
    wait_for("a letter with a link", async || {
        let mine = letters(home)
            .into_iter()
            .filter(|letter| letter.contains(&format!("To: {to}\r\n")));
        for letter in mine {
            let Some((_, rest)) = letter.split_once("/dashboard/link#") else {
                continue;
            };
            let token = rest.get(..43).expect("a token");
            if !known.contains(&token) {
                return Some((token.to_owned(), letter.clone()));
            }
        }
        None
    })
    .await
}

/// All that are there, as whoever opens the file reads them: a link in pieces would be of no use.
pub fn letters(home: &Home) -> Vec<String> {
    let Ok(entries) = fs::read_dir(home.data().join("mail")) else {
        return Vec::new();
    };
    entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|kind| kind == "eml"))
        .map(|path| fs::read_to_string(path).expect("a letter"))
        .collect()
}
