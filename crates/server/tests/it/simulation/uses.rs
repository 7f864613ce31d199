//! What was issued, used: the sample after each step, as requests and as the model sees them.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    World,
    model::{Id, Kind, Rule, Use, Verdict},
};
use crate::{call::Call, gateway::Answer};

impl World<'_> {
    /// So many uses of whatever there is; the newest as often as all the others.
    pub(super) async fn sample(&mut self, size: usize) {
        for _ in 0..size {
            let Some(what) = self.a_use() else {
                continue;
            };
            let before = self.model.verdict(what, self.now());
            let answer = self.call(what).send().await;
            let after = self.model.verdict(what, self.now());
            // The clock went past an end while the request was under way: either is right.
            if before != after {
                continue;
            }
            let got = verdict(what, &answer);
            self.seen(what, before);
            for rule in Rule::ALL {
                self.model.without.set(Some(rule));
                if self.model.verdict(what, self.now()) != before {
                    *self.mattered.entry(rule).or_default() += 1;
                }
            }
            self.model.without.set(None);
            assert_eq!(got, Some(before), "{what:?}: {answer:?}\n{}", self.tale());
        }
    }

    fn of_kind(&mut self, kind: Kind) -> Option<Id> {
        let all = self.model.credentials.iter().enumerate();
        let all: Vec<Id> = all
            .filter(|(_, one)| one.kind == kind)
            .map(|(id, _)| id)
            .collect();
        self.pick(&all)
    }

    fn pick(&mut self, all: &[Id]) -> Option<Id> {
        let newest = all.len().saturating_sub(3);
        match self.chance.below(2) {
            0 => self.chance.one_of(&all[newest..]),
            _ => self.chance.one_of(all),
        }
    }

    fn a_jwt(&mut self) -> Option<Id> {
        let all: Vec<Id> = (0..self.names.jwts.len()).collect();
        self.pick(&all)
    }

    fn a_client_of(&mut self, account: usize) -> Option<Id> {
        let all = self.model.credentials.iter().enumerate();
        let own = all.filter(|(_, one)| one.kind == Kind::Client && one.account == account);
        let own: Vec<Id> = own.map(|(id, _)| id).collect();
        self.pick(&own)
    }

    fn a_use(&mut self) -> Option<Use> {
        let anywhere = self.chance.below(self.names.instances.len());
        let any = self.chance.below(self.names.credentials.len());
        // Mostly what belongs together, else nearly all would be refused.
        let fits = self.chance.below(4) != 0;
        Some(match self.chance.below(18) {
            0..4 => {
                let instance = self.of_kind(Kind::Instance)?;
                let token = &self.model.credentials[instance];
                let (account, own) = (token.account, token.instance?);
                let client = if fits {
                    self.a_client_of(account)?
                } else {
                    self.of_kind(Kind::Client)?
                };
                Use::Pair {
                    client,
                    instance,
                    at: if fits { own } else { anywhere },
                }
            }
            4..7 => {
                let jwt = self.a_jwt()?;
                let account = self.model.credentials[self.model.jwts[jwt].secret].account;
                let own = if fits {
                    self.an_instance(account)
                } else {
                    None
                };
                Use::Jwt {
                    jwt,
                    at: own.unwrap_or(anywhere),
                }
            }
            7 => Use::JwtToList { jwt: self.a_jwt()? },
            8 => Use::JwtToManage { jwt: self.a_jwt()? },
            9..11 => {
                let (jwt, instance) = (self.a_jwt()?, self.of_kind(Kind::Instance)?);
                let token = &self.model.credentials[instance];
                let (account, own) = (token.account, token.instance?);
                let client = self.a_client_of(account)?;
                Use::Three {
                    jwt,
                    client,
                    instance,
                    at: if fits { own } else { anywhere },
                }
            }
            11..13 => {
                let secret = self.of_kind(Kind::Secret)?;
                let own = self.model.credentials[secret].parent?;
                let client = if fits {
                    own
                } else {
                    self.of_kind(Kind::Client)?
                };
                Use::Token { client, secret }
            }
            13 => Use::Mcp {
                api: self.of_kind(Kind::Api)?,
            },
            14..16 => {
                let key = self.of_kind(Kind::Session)?;
                let own = self.model.credentials[key].instance?;
                Use::Session {
                    key,
                    at: if fits { own } else { anywhere },
                }
            }
            16 => {
                if fits {
                    Use::AsJwt { any }
                } else {
                    Use::AsApi { any }
                }
            }
            _ => Use::JwtAsApi { jwt: self.a_jwt()? },
        })
    }

    fn call(&self, what: Use) -> Call {
        let bed = &self.bed;
        let token = |id: Id| self.names.credentials[id].1.as_str();
        let jwt = |id: Id| self.names.jwts[id].as_str();
        let status = |at: Id| {
            bed.get(&format!(
                "/instances/{}/session/status",
                self.names.instances[at]
            ))
        };
        let list = || bed.post("/instances/list").json(json!({}));
        let ping = || {
            bed.post("/api/mcp/")
                .json(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}))
        };
        let pair = |client, instance| {
            [
                ("x-client-token", token(client)),
                ("x-instance-token", token(instance)),
            ]
        };
        match what {
            Use::Pair {
                client,
                instance,
                at,
            } => status(at).headers(pair(client, instance)),
            Use::Jwt { jwt: id, at } => status(at).bearer(jwt(id)),
            Use::JwtToList { jwt: id } => list().bearer(jwt(id)),
            Use::JwtToManage { jwt: id } => bed.get("/account").bearer(jwt(id)),
            Use::Three {
                jwt: id,
                client,
                instance,
                at,
            } => status(at).headers(pair(client, instance)).bearer(jwt(id)),
            Use::Token { client, secret } => {
                let body = json!({"client_token": token(client), "client_secret": token(secret)});
                bed.post("/token").json(body)
            }
            Use::Mcp { api } => ping().bearer(token(api)),
            Use::Session { key, at } => {
                let path = format!("/sessions/{}", self.names.instances[at]);
                bed.get(&path).header("x-api-key", token(key))
            }
            Use::AsJwt { any } => list().bearer(token(any)),
            Use::AsApi { any } => ping().bearer(token(any)),
            Use::JwtAsApi { jwt: id } => ping().bearer(jwt(id)),
        }
    }

    /// Counts for [`World::was_worth_it`].
    fn seen(&mut self, what: Use, verdict: Verdict) {
        let shown = format!("{what:?}");
        let name = shown.split(' ').next().unwrap_or_default();
        *self
            .counts
            .entry(format!("{name} {verdict:?}"))
            .or_default() += 1;
    }

    /// A run in which hardly anything passed, or was refused, proves nothing.
    pub(super) fn was_worth_it(&self) {
        println!("{:#?}", self.counts);
        let of = |verdict: Verdict| {
            let ending = format!(" {verdict:?}");
            let all = self
                .counts
                .iter()
                .filter(|(name, _)| name.ends_with(&ending));
            all.map(|(_, count)| count).sum::<usize>()
        };
        let all: usize = self.counts.values().sum();
        for verdict in [Verdict::Pass, Verdict::Unauthorized, Verdict::Forbidden] {
            let count = of(verdict);
            assert!(
                count >= 5,
                "only {count} {verdict:?} of {all}: {:#?}",
                self.counts
            );
        }
        // In a short run some rules may not have come up.
        let may_idle = if all > 2_000 { 4 } else { 8 };
        let idle = Rule::ALL
            .iter()
            .filter(|rule| !self.mattered.contains_key(rule));
        let idle: Vec<_> = idle.collect();
        println!("answers that hung on one rule: {:#?}", self.mattered);
        assert!(idle.len() <= may_idle, "{idle:?} never made a difference");
    }
}

/// How often each use had each answer.
pub(super) type Counts = BTreeMap<String, usize>;

/// How often an answer would have been another without a rule.
pub(super) type Mattered = BTreeMap<Rule, usize>;

/// What an answer says of the proof. `None` is a fault in itself.
fn verdict(what: Use, answer: &Answer) -> Option<Verdict> {
    match answer.status {
        200 => Some(Verdict::Pass),
        401 => Some(Verdict::Unauthorized),
        403 if !matches!(what, Use::Session { .. } | Use::Mcp { .. }) => Some(Verdict::Forbidden),
        _ => None,
    }
}
