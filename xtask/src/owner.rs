//! Whoever runs a gateway of ours for a while: signs in, makes instances, links them to phones of the sandbox.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::http::{Http, Reply};
use crate::process::{Stop, wait_for};
use crate::program::{Addresses, Program};
use crate::tools;

const PATIENCE: Duration = Duration::from_secs(60);

pub struct Owner {
    addresses: Addresses,
    http: Http,
}

impl Owner {
    /// Makes an account of this name by the command line, and signs in as its owner.
    pub fn sign_in(gateway: &Program, mut addresses: Addresses, name: &str) -> Result<Self> {
        let http = Http::new(Duration::from_secs(10));
        let email = format!("{}@demo.example", name.to_lowercase());
        let mut create = gateway.command_line();
        create.args(["account", "create", "--json", "--name", name]);
        create.args(["--email", &email]);
        let account: Value = serde_json::from_str(&tools::output(&mut create)?)
            .context("`recado account create --json` printed no JSON")?;
        let proof = json!({"client_token": account["client_token"], "client_secret": account["client_secret"]});
        let token = http
            .post(&format!("{}/token", addresses.gateway), &proof)?
            .ok()?
            .json()?;
        let token = token["access_token"].as_str().context("no access_token")?;
        addresses.bearer = format!("Bearer {token}");
        Ok(Self { addresses, http })
    }

    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Reply> {
        let url = format!("{}{path}", self.addresses.gateway);
        let bearer = [("authorization", self.addresses.bearer.as_str())];
        self.http.call(method, &url, &bearer, body)
    }

    /// Makes a phone, unless there is one of this number.
    pub fn phone(&self, number: &str) -> Result<()> {
        let url = format!("{}/phones", self.addresses.network);
        self.http
            .post(&url, &json!({"number": number, "name": number}))?
            .ok()?;
        Ok(())
    }

    /// What the network shows of a phone.
    pub fn shown(&self, number: &str) -> Result<Value> {
        let url = format!("{}/phones/{number}", self.addresses.network);
        self.http.get(&url)?.ok()?.json()
    }

    /// Makes an instance of this body that tells the receiver of everything, and links it to this phone: its id.
    pub fn link(&self, body: &Value, number: &str, stop: &Stop) -> Result<String> {
        self.phone(number)?;
        let made = self
            .call("PUT", "/instances/create", Some(body))?
            .ok()?
            .json()?;
        let id = made["id"].as_str().context("create gave no id")?.to_owned();
        let hook =
            json!({"webhookURL": format!("{}/webhook", self.addresses.receiver), "events": "All"});
        self.call("POST", &format!("/instances/{id}/webhook"), Some(&hook))?
            .ok()?;
        let path = format!("/instances/{id}/session/qr?format=text");
        let code = wait_for("a QR code", PATIENCE, stop, || {
            let reply = self.call("GET", &path, None)?;
            Ok((reply.status == 200)
                .then(|| reply.text.trim().to_owned())
                .filter(|text| !text.is_empty()))
        })?;
        let scan = format!("{}/phones/{number}/scan", self.addresses.network);
        self.http.post(&scan, &json!({"qr": code}))?.ok()?;
        wait_for("the instance to be connected", PATIENCE, stop, || {
            let status = self.session(&id)?;
            Ok((status["connected"] == true).then_some(()))
        })?;
        Ok(id)
    }

    /// How an instance stands.
    pub fn session(&self, id: &str) -> Result<Value> {
        let status = self
            .call("GET", &format!("/instances/{id}/session/status"), None)?
            .ok()?
            .json()?;
        Ok(status["data"].clone())
    }
}
