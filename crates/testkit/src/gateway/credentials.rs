//! Credentials as their owner and their holders use them.

use serde_json::{Value, json};

use super::{Answer, Bed, Call, Made, Shop};

impl Bed {
    pub fn account_call(&self, shop: &Shop, method: &str, below: &str) -> Call {
        self.call(method, &format!("/account{below}"))
            .bearer(&shop.jwt)
    }

    /// A new credential of the first shop.
    pub async fn issue(&self, body: Value) -> Value {
        let call = self.account_call(&self.a, "POST", "/credentials");
        call.json(body).send().await.ok()
    }

    /// `POST /account/credentials/{id}/{verb}`.
    pub async fn act(&self, id: &str, verb: &str, body: Value) -> Answer {
        let below = format!("/credentials/{id}/{verb}");
        let call = self.account_call(&self.a, "POST", &below);
        call.json(body).send().await
    }

    pub async fn change_credential(&self, id: &str, body: Value) -> Answer {
        let below = format!("/credentials/{id}");
        let call = self.account_call(&self.a, "PATCH", &below);
        call.json(body).send().await
    }

    pub async fn revoke_credential(&self, id: &str) -> Answer {
        let below = format!("/credentials/{id}");
        self.account_call(&self.a, "DELETE", &below).send().await
    }

    pub async fn list_credentials(&self, query: &str) -> Vec<Value> {
        let below = format!("/credentials{query}");
        let list = self.account_call(&self.a, "GET", &below).send().await.ok();
        list["credentials"].as_array().expect("a list").clone()
    }

    /// The id of the first shop's first credential of `kind`.
    pub async fn first_of(&self, kind: &str) -> String {
        let list = self.list_credentials(&format!("?kind={kind}")).await;
        text(&list[0], "id")
    }

    pub async fn token_by(&self, client_token: &str, client_secret: &str) -> Answer {
        let body = json!({"client_token": client_token, "client_secret": client_secret});
        self.post("/token").json(body).send().await
    }

    /// The JWT of a pair that [`Bed::issue`] made.
    pub async fn jwt_of(&self, pair: &Value) -> String {
        let (token, secret) = (text(pair, "client_token"), text(pair, "client_secret"));
        let answer = self.token_by(&token, &secret).await;
        text(&answer.ok(), "access_token")
    }

    pub async fn by_jwt(&self, jwt: &str) -> u16 {
        let call = self.post("/instances/list").bearer(jwt);
        call.json(json!({})).send().await.status
    }

    pub async fn by_pair(&self, client_token: &str, made: &Made, token: &str) -> u16 {
        let pair = [
            ("x-client-token", client_token),
            ("x-instance-token", token),
        ];
        let call = self.get(&made.path("/session/status")).headers(pair);
        call.send().await.status
    }

    pub async fn by_api_token(&self, token: &str) -> u16 {
        let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let call = self.post("/api/mcp/").bearer(token);
        call.json(ping).send().await.status
    }

    pub async fn by_session_key(&self, session: &Value, key: &str) -> u16 {
        let path = format!("/sessions/{}", text(session, "key"));
        let call = self.get(&path).header("x-api-key", key);
        call.send().await.status
    }

    /// A Direct API session of the first shop: what `POST /sessions` answered.
    pub async fn new_session(&self) -> Value {
        let call = self.post("/sessions").bearer(&self.a.api_token);
        call.json(json!({})).send().await.ok()
    }

    /// `GET /account/audit`.
    pub async fn audit(&self, query: &str) -> Value {
        let below = format!("/audit{query}");
        self.account_call(&self.a, "GET", &below).send().await.ok()
    }
}

#[track_caller]
pub fn text(value: &Value, name: &str) -> String {
    let found = value[name].as_str();
    found
        .unwrap_or_else(|| panic!("no {name} in {value}"))
        .to_owned()
}
