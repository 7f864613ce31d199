//! Lives of credentials by chance: made, used on the right surface and the wrong one, rotated, revoked,
//! restricted, left to expire; the clock jumps, caches are dropped, the program restarts, another shop
//! interferes. After each step a sample of everything that was ever issued is used, and the answers are
//! those of a small model: nothing is accepted that it refuses, nor the reverse.
//!
//! `RECADO_SIM_SEED` repeats a run; the seed is printed.

mod births;
mod model;
mod uses;

use recado_model::{Clock as _, Rng as _, Timestamp, clock::OsRng};
use serde_json::{Value, json};

use self::model::{Credential, Id, Kind, Model};
use crate::gateway::{Answer, Bed, Shop};

// Tokens name their issuer: one that does not change lets them live through a restart.
on_both! { with = "public_url = \"https://gateway.example\"\n"; the_program_agrees_with_the_model }

/// A small generator (splitmix64): the same seed, the same life.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> Option<T> {
        (!all.is_empty()).then(|| all[self.below(all.len())])
    }
}

/// What the model does not need to know: texts and ids.
#[derive(Default)]
struct Names {
    /// Id and token of each credential.
    credentials: Vec<(String, String)>,
    jwts: Vec<String>,
    instances: Vec<String>,
}

struct World<'a> {
    bed: &'a mut Bed,
    chance: Chance,
    model: Model,
    names: Names,
    /// What was done, for whoever reads a failure.
    story: Vec<String>,
    counts: uses::Counts,
    mattered: uses::Mattered,
}

async fn the_program_agrees_with_the_model(bed: &mut Bed) {
    let seed = match std::env::var("RECADO_SIM_SEED") {
        Ok(text) => text.parse().expect("RECADO_SIM_SEED is a number"),
        Err(_) => OsRng.below(u64::MAX),
    };
    println!("RECADO_SIM_SEED={seed}");
    let steps = if bed.gateway().store.is_shared() {
        70
    } else {
        200
    };
    let mut world = World {
        bed,
        chance: Chance(seed),
        model: Model::default(),
        names: Names::default(),
        story: Vec::new(),
        counts: uses::Counts::new(),
        mattered: uses::Mattered::new(),
    };
    for account in [0, 1] {
        for _ in 0..2 {
            world.create_instance(account).await;
        }
        world.create_session(account).await;
        world.create_client(account).await;
        world.create_api_token(account).await;
        world.log_in().await;
    }
    world.sample(30).await;
    for _ in 0..steps {
        world.step().await;
        world.sample(14).await;
    }
    world.was_worth_it();
}

impl World<'_> {
    fn now(&self) -> i64 {
        self.bed.clock.now().as_millis()
    }

    fn shop(&self, account: usize) -> &Shop {
        if account == 0 {
            &self.bed.a
        } else {
            &self.bed.b
        }
    }

    fn tell(&mut self, what: String) {
        self.story.push(what);
    }

    /// A call with a fresh JWT of the account's first pair, which nothing here touches.
    async fn manage(&mut self, account: usize, method: &str, path: &str, body: Value) -> Answer {
        let jwt = self.bed.token_of(self.shop(account)).await;
        let call = self.bed.call(method, path).bearer(&jwt);
        let answer = call.json(body).send().await;
        assert!(answer.status < 500, "{answer:?}\n{}", self.tale());
        answer
    }

    fn tale(&self) -> String {
        self.story.join("\n")
    }

    async fn step(&mut self) {
        match self.chance.below(100) {
            0..9 => {
                let account = self.chance.below(2);
                self.create_client(account).await;
            }
            9..13 => {
                let account = self.chance.below(2);
                self.create_api_token(account).await;
            }
            13..16 => {
                let account = self.chance.below(2);
                self.create_instance(account).await;
            }
            16..19 => {
                let account = self.chance.below(2);
                self.create_session(account).await;
            }
            19..35 => self.log_in().await,
            35..48 => self.rotate().await,
            48..54 => self.revoke().await,
            54..67 => self.change().await,
            67..73 => self.revoke_jwt().await,
            73..76 => self.sign_out().await,
            76..89 => self.wait(),
            89..93 => self.delete_instance().await,
            93..95 => {
                self.tell("drop caches".to_owned());
                self.bed.gateway().app.access().invalidate();
            }
            95..97 => self.interfere().await,
            _ => {
                self.tell("restart".to_owned());
                self.bed.restart().await;
            }
        }
    }

    fn a_credential(&mut self) -> Id {
        self.chance.below(self.model.credentials.len())
    }

    /// Whether a credential's life is the same for a while, so that an answer is no matter of luck.
    fn settled(&self, id: Id) -> Option<bool> {
        let now = self.now();
        let [before, after] = [now, now + 20_000].map(|at| self.model.lives(id, at));
        (before == after).then_some(before)
    }

    async fn rotate(&mut self) {
        let id = self.a_credential();
        let Some(lives) = self.settled(id) else {
            return;
        };
        let old = self.model.credentials[id].clone();
        let parent_replaced = old
            .parent
            .is_some_and(|id| self.model.credentials[id].replaced);
        let grace = if self.chance.below(2) == 0 {
            0
        } else {
            self.chance.below(90) as i64 * 60 + 30
        };
        let path = format!(
            "/account/credentials/{}/rotate",
            self.names.credentials[id].0
        );
        let before = self.now();
        let body = json!({"grace_seconds": grace});
        let answer = self.manage(old.account, "POST", &path, body).await;
        let after = self.now();
        self.tell(format!(
            "rotate {} with {grace} s: {}",
            self.names.credentials[id].0, answer.status
        ));
        if !lives || old.replaced || parent_replaced {
            let refused = matches!(answer.status, 404 | 409);
            assert!(refused, "{answer:?}\n{}", self.tale());
            return;
        }
        let made = answer.ok();
        let ends = match grace {
            0 => before,
            _ => {
                let text = made["replaces"]["grace_until"].as_str().expect("a time");
                let at = Timestamp::parse_rfc3339(text)
                    .expect("RFC 3339")
                    .as_millis();
                let due = before + grace * 1000 - 1000..=after + grace * 1000;
                assert!(due.contains(&at), "{made}");
                at
            }
        };
        self.model.end(id, ends);
        let successor = Credential {
            ends: None,
            replaced: false,
            ..old
        };
        match successor.kind {
            Kind::Client => self.add_pair(successor, &made),
            Kind::Secret => drop(self.add(successor, &made["id"], &made["client_secret"])),
            _ => drop(self.add(successor, &made["id"], &made["token"])),
        }
    }

    async fn revoke(&mut self) {
        let id = self.a_credential();
        let one = self.model.credentials[id].clone();
        let path = format!("/account/credentials/{}", self.names.credentials[id].0);
        let answer = self.manage(one.account, "DELETE", &path, json!({})).await;
        self.tell(format!(
            "revoke {}: {}",
            self.names.credentials[id].0, answer.status
        ));
        // With its instance it is gone altogether.
        let gone = one.instance.is_some_and(|id| self.model.instances[id].gone);
        assert_eq!(
            answer.status,
            if gone { 404 } else { 204 },
            "{answer:?}\n{}",
            self.tale()
        );
        self.model.end(id, self.now());
    }

    async fn change(&mut self) {
        let id = self.a_credential();
        let Some(lives) = self.settled(id) else {
            return;
        };
        let one = self.model.credentials[id].clone();
        let restricts = matches!(one.kind, Kind::Client | Kind::Api | Kind::Session);
        let mut changed = one.clone();
        let body = match self.chance.below(6) {
            0 if one.kind != Kind::Secret => {
                changed.away = true;
                json!({"networks": ["203.0.113.0/24", "2001:db8::/32"]})
            }
            1 if one.kind != Kind::Secret => {
                changed.away = false;
                json!({"networks": null})
            }
            2 if restricts => {
                let Some(only) = self.an_instance(one.account) else {
                    return;
                };
                changed.only = Some(only);
                json!({"instances": [self.names.instances[only]]})
            }
            3 if restricts => {
                changed.only = None;
                json!({"instances": null})
            }
            // Its end is its client token's, too.
            _ if one.kind == Kind::Secret => json!({"label": "renamed"}),
            4 => {
                let at = self.now() + (self.chance.below(200) as i64 + 5) * 60_000 + 30_000;
                changed.until = Some(at);
                json!({"expires_at": Timestamp::from_millis(at).to_rfc3339()})
            }
            _ => {
                changed.until = None;
                json!({"expires_at": null})
            }
        };
        let path = format!("/account/credentials/{}", self.names.credentials[id].0);
        let answer = self.manage(one.account, "PATCH", &path, body.clone()).await;
        self.tell(format!(
            "change {} to {body}: {}",
            self.names.credentials[id].0, answer.status
        ));
        if lives {
            assert_eq!(answer.status, 200, "{answer:?}\n{}", self.tale());
            self.model.credentials[id] = changed;
        } else {
            assert!(
                matches!(answer.status, 404 | 409),
                "{answer:?}\n{}",
                self.tale()
            );
        }
    }

    /// By any client of any account: only its own account's tokens die.
    async fn revoke_jwt(&mut self) {
        if self.names.jwts.is_empty() {
            return;
        }
        let newest = self.names.jwts.len().min(4);
        let id = self.names.jwts.len() - 1 - self.chance.below(newest);
        let account = self.chance.below(2);
        let shop = self.shop(account);
        let body = json!({
            "client_token": shop.client_token, "client_secret": shop.client_secret, "token": self.names.jwts[id],
        });
        self.bed.post("/revoke").json(body).send().await.expect(200);
        self.tell(format!("revoke JWT {id} as {account}"));
        let jwt = &mut self.model.jwts[id];
        jwt.revoked |= self.model.credentials[jwt.secret].account == account;
    }

    async fn sign_out(&mut self) {
        let account = self.chance.below(2);
        self.tell(format!("sign out {account}"));
        self.manage(account, "POST", "/account/sign-out", json!({}))
            .await
            .expect(200);
        self.model.generations[account] += 1;
    }

    fn wait(&mut self) {
        let minutes = [1, 5, 20, 61, 180][self.chance.below(5)];
        self.tell(format!("{minutes} minutes later"));
        self.bed.clock.jump_secs(minutes * 60);
    }

    async fn delete_instance(&mut self) {
        let account = self.chance.below(2);
        let Some(id) = self.an_instance(account) else {
            return;
        };
        let path = format!("/instances/{}", self.names.instances[id]);
        self.manage(account, "DELETE", &path, json!({}))
            .await
            .expect(204);
        self.tell(format!("delete instance {}", self.names.instances[id]));
        self.model.instances[id].gone = true;
    }

    /// The other account tries everything on a credential that is not its own.
    async fn interfere(&mut self) {
        let id = self.a_credential();
        let other = 1 - self.model.credentials[id].account;
        let path = format!("/account/credentials/{}", self.names.credentials[id].0);
        self.tell(format!(
            "{other} meddles with {}",
            self.names.credentials[id].0
        ));
        for (method, below, body) in [
            ("GET", "", json!({})),
            (
                "PATCH",
                "",
                json!({"networks": null, "instances": null, "expires_at": null}),
            ),
            ("POST", "/rotate", json!({})),
            ("POST", "/reveal", json!({})),
            ("DELETE", "", json!({})),
        ] {
            let path = format!("{path}{below}");
            self.manage(other, method, &path, body).await.expect(404);
        }
        let instance = self.chance.below(self.names.instances.len());
        if self.model.instances[instance].account != other {
            let body = json!({"kind": "client", "instances": [self.names.instances[instance]]});
            self.manage(other, "POST", "/account/credentials", body)
                .await
                .expect(400);
        }
    }
}
