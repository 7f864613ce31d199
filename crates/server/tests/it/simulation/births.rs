//! What comes into the world: instances, credentials, tokens.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use recado_model::Timestamp;
use serde_json::{Value, json};

use super::{
    World,
    model::{self, Credential, Id, Instance, Jwt, Kind},
};

impl World<'_> {
    pub(super) fn add(&mut self, credential: Credential, id: &Value, token: &Value) -> Id {
        let text = |value: &Value| value.as_str().expect("text").to_owned();
        self.names.credentials.push((text(id), text(token)));
        self.model.credentials.push(credential);
        self.model.credentials.len() - 1
    }

    /// A client pair as an answer has it.
    pub(super) fn add_pair(&mut self, client: Credential, made: &Value) {
        let secret = Credential {
            kind: Kind::Secret,
            only: None,
            away: false,
            until: None,
            ..client.clone()
        };
        let parent = self.add(client, &made["id"], &made["client_token"]);
        let secret = Credential {
            parent: Some(parent),
            ..secret
        };
        self.add(secret, &made["client_secret_id"], &made["client_secret"]);
    }

    /// Perhaps an end, perhaps one instance, for a new credential.
    pub(super) fn terms(&mut self, account: usize) -> (Value, Option<i64>, Option<Id>) {
        let mut terms = json!({"label": "simulated"});
        let until = (self.chance.below(2) == 0).then(|| {
            // Half a minute past the minutes that the clock jumps by.
            self.now() + (self.chance.below(150) as i64 + 5) * 60_000 + 30_000
        });
        if let Some(until) = until {
            terms["expires_at"] = json!(Timestamp::from_millis(until).to_rfc3339());
        }
        let only = if self.chance.below(3) == 0 {
            self.an_instance(account)
        } else {
            None
        };
        if let Some(only) = only {
            terms["instances"] = json!([self.names.instances[only]]);
        }
        (terms, until, only)
    }

    pub(super) fn an_instance(&mut self, account: usize) -> Option<Id> {
        let all = self.model.instances.iter().enumerate();
        let own = all.filter(|(_, one)| one.account == account && !one.gone);
        let own: Vec<Id> = own.map(|(id, _)| id).collect();
        self.chance.one_of(&own)
    }

    pub(super) fn fresh(account: usize, kind: Kind) -> Credential {
        Credential {
            account,
            kind,
            parent: None,
            instance: None,
            only: None,
            away: false,
            until: None,
            ends: None,
            replaced: false,
        }
    }

    pub(super) async fn create_client(&mut self, account: usize) {
        let (mut body, until, only) = self.terms(account);
        body["kind"] = json!("client");
        let made = self
            .manage(account, "POST", "/account/credentials", body.clone())
            .await
            .ok();
        self.tell(format!("create {body} for {account}: {}", made["id"]));
        let client = Credential {
            until,
            only,
            ..Self::fresh(account, Kind::Client)
        };
        self.add_pair(client, &made);
    }

    pub(super) async fn create_api_token(&mut self, account: usize) {
        let (mut body, until, only) = self.terms(account);
        body["kind"] = json!("api_token");
        let made = self
            .manage(account, "POST", "/account/credentials", body.clone())
            .await
            .ok();
        self.tell(format!("create {body} for {account}: {}", made["id"]));
        let api = Credential {
            until,
            only,
            ..Self::fresh(account, Kind::Api)
        };
        self.add(api, &made["id"], &made["token"]);
    }

    /// The id of the one live credential of that kind of an instance.
    pub(super) async fn id_of(&mut self, account: usize, kind: &str, instance: &str) -> Value {
        let path = format!("/account/credentials?kind={kind}&instance={instance}");
        let jwt = self.bed.token_of(self.shop(account)).await;
        let listed = self.bed.get(&path).bearer(&jwt).send().await.ok();
        let all = listed["credentials"].as_array().expect("a list");
        assert_eq!(all.len(), 1, "{listed}");
        all[0]["id"].clone()
    }

    pub(super) async fn create_instance(&mut self, account: usize) {
        let made = self.manage(
            account,
            "PUT",
            "/instances/create",
            json!({"name": "Simulated"}),
        );
        let made = made.await.ok();
        self.add_instance(account, &made["id"]);
        let id = self
            .id_of(
                account,
                "instance_token",
                made["id"].as_str().expect("an id"),
            )
            .await;
        self.tell(format!(
            "create instance {} for {account}: {id}",
            made["id"]
        ));
        let instance = Some(self.model.instances.len() - 1);
        let token = Credential {
            instance,
            ..Self::fresh(account, Kind::Instance)
        };
        self.add(token, &id, &made["token"]);
    }

    pub(super) async fn create_session(&mut self, account: usize) {
        let token = self.shop(account).api_token.clone();
        let made = self
            .bed
            .post("/sessions")
            .bearer(&token)
            .json(json!({}))
            .send()
            .await
            .ok();
        self.add_instance(account, &made["id"]);
        let id = self
            .id_of(account, "session_key", made["id"].as_str().expect("an id"))
            .await;
        self.tell(format!("create session {} for {account}: {id}", made["id"]));
        let instance = Some(self.model.instances.len() - 1);
        let key = Credential {
            instance,
            ..Self::fresh(account, Kind::Session)
        };
        self.add(key, &id, &made["apiKey"]);
    }

    pub(super) fn add_instance(&mut self, account: usize, id: &Value) {
        self.names
            .instances
            .push(id.as_str().expect("an id").to_owned());
        self.model.instances.push(Instance {
            account,
            gone: false,
        });
    }

    /// A JWT by a pair that lives, if one does.
    pub(super) async fn log_in(&mut self) {
        let now = self.now();
        let pairs: Vec<(Id, Id)> = (0..self.model.credentials.len())
            .filter_map(|id| Some((self.model.credentials[id].parent?, id)))
            .filter(|(client, secret)| {
                let asked = model::Use::Token {
                    client: *client,
                    secret: *secret,
                };
                // Not one whose time is about to come.
                let passes = |at| self.model.verdict(asked, at) == model::Verdict::Pass;
                passes(now) && passes(now + 20_000)
            })
            .collect();
        let Some((client, secret)) = self.chance.one_of(&pairs) else {
            return;
        };
        let token = |id: Id| &self.names.credentials[id].1;
        let body = json!({"client_token": token(client), "client_secret": token(secret)});
        let answer = self.bed.post("/token").json(body).send().await;
        assert_eq!(answer.status, 200, "{answer:?}\n{}", self.tale());
        let jwt = answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(1).expect("claims"));
        let claims: Value = serde_json::from_slice(&claims.expect("base64url")).expect("JSON");
        let account = self.model.credentials[secret].account;
        self.tell(format!(
            "JWT {} by {}",
            self.names.jwts.len(),
            self.names.credentials[secret].0
        ));
        self.names.jwts.push(jwt);
        self.model.jwts.push(Jwt {
            secret,
            expires: claims["exp"].as_i64().expect("a time") * 1000,
            generation: self.model.generations[account],
            revoked: false,
        });
    }
}
