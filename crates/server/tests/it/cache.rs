//! What a proof costs the database: nothing on a hit, one query for each thing on a miss however many
//! wait; and what is remembered is never older than the last change.
//!
//! The program's workers ask the database now and then, so every count is the least of several tries: a
//! query per request would be in each of them.

use std::sync::Arc;

use futures_util::future::join_all;
use recado_identity::Presented;
use recado_model::{Clock as _, Role, Token, TokenKind, clock::OsRng};
use serde_json::{Value, json};
use tokio::{sync::Barrier, task::JoinSet};

use crate::{
    access::COOKIE,
    gateway::{Answer, Bed, Call, Made, SHOP},
    people_access::people::{OWNER_A, sign_in},
};

on_both! {
    a_hit_asks_the_database_nothing,
    a_miss_asks_once_however_many_wait,
    a_miss_for_nobody_asks_once,
    junk_asks_nothing_and_strangers_push_no_one_out,
    a_change_is_seen_by_the_next_request,
}

const TRIES: usize = 12;

/// One way to prove oneself, with the number of things that must be known for it.
struct Way {
    name: &'static str,
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<Value>,
    /// The status once the guard has let it pass.
    due: u16,
    queries: u64,
}

impl Way {
    fn call(&self, bed: &Bed) -> Call {
        let call = bed.call(self.method, &self.path);
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let call = call.headers(headers);
        match &self.body {
            Some(body) => call.json(body.clone()),
            None => call,
        }
    }
}

async fn ways(bed: &Bed, made: &Made) -> Vec<Way> {
    let created = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}))
        .send()
        .await
        .ok();
    let text = |name: &str| created[name].as_str().expect("text").to_owned();
    let (client, instance) = (bed.a.client_token.clone(), made.token.clone());
    let bearer = |token: &str| ("authorization", format!("Bearer {token}"));
    let pair = vec![("x-client-token", client), ("x-instance-token", instance)];
    let mut three = pair.clone();
    three.push(bearer(&bed.a.jwt));
    let key = vec![("x-api-key", text("apiKey"))];
    let way = |name, method, path, headers, queries| Way {
        name,
        method,
        path,
        headers,
        body: None,
        due: 200,
        queries,
    };
    // A body that no handler takes: what the guard costs, and no more.
    let send = |name, session: String, queries| Way {
        body: Some(json!([])),
        due: 400,
        ..way(
            name,
            "POST",
            format!("/sessions/{session}/messages"),
            key.clone(),
            queries,
        )
    };
    let status = || made.path("/session/status");
    let person = sign_in(bed, OWNER_A).await;
    vec![
        way(
            "person's JWT",
            "GET",
            status(),
            vec![bearer(&person.jwt)],
            2,
        ),
        Way {
            body: Some(json!([])),
            due: 400,
            ..way(
                "cookie",
                "POST",
                format!("/dashboard/api/instances/{}/disconnect", made.id),
                vec![
                    ("x-recado-account", person.names.account.clone()),
                    ("x-recado-user", person.names.user.clone()),
                    ("cookie", format!("{COOKIE}={}", person.cookie)),
                    ("origin", bed.gateway().base_url.clone()),
                ],
                2,
            )
        },
        way("JWT", "GET", status(), vec![bearer(&bed.a.jwt)], 2),
        way("header pair", "GET", status(), pair, 3),
        way("all three", "GET", status(), three, 4),
        send("session key, by name", text("key"), 3),
        send("session key, by id", text("id"), 2),
        Way {
            body: Some(json!({"jsonrpc": "2.0", "id": 1, "method": "ping"})),
            ..way(
                "wz_",
                "POST",
                "/api/mcp/".to_owned(),
                vec![bearer(&bed.a.api_token)],
                1,
            )
        },
    ]
}

fn statements(bed: &Bed) -> u64 {
    bed.gateway().store.statements()
}

/// PF-8: a hundred requests, no statement.
async fn a_hit_asks_the_database_nothing(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Hot"})).await;
    for way in ways(bed, &made).await {
        way.call(bed).send().await.expect(way.due);
        let mut least = u64::MAX;
        for _ in 0..TRIES {
            let before = statements(bed);
            for _ in 0..100 {
                way.call(bed).send().await.expect(way.due);
            }
            least = least.min(statements(bed) - before);
            if least == 0 {
                break;
            }
        }
        assert_eq!(least, 0, "{}", way.name);
    }
}

/// Sends `call` from so many at once, and hands over every answer.
async fn crowd(size: usize, call: impl Fn() -> Call) -> Vec<Answer> {
    let gate = Arc::new(Barrier::new(size));
    let mut all = JoinSet::new();
    for _ in 0..size {
        let (call, gate) = (call(), gate.clone());
        all.spawn(async move {
            gate.wait().await;
            call.send().await
        });
    }
    all.join_all().await
}

async fn a_miss_asks_once_however_many_wait(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Cold"})).await;
    for way in ways(bed, &made).await {
        for size in [1, 200] {
            // Connections are opened, and whatever else is done once.
            crowd(size, || way.call(bed)).await;
            let (mut least, mut most) = (u64::MAX, 0);
            for _ in 0..TRIES {
                bed.gateway().app.access().invalidate();
                let before = statements(bed);
                for answer in crowd(size, || way.call(bed)).await {
                    answer.expect(way.due);
                }
                let asked = statements(bed) - before;
                (least, most) = (least.min(asked), most.max(asked));
            }
            assert_eq!(least, way.queries, "{} by {size}", way.name);
            assert!(most < way.queries + 50, "{} by {size}: {most}", way.name);
        }
    }
}

/// Unknown tokens are as good as known ones: nobody floods the database with one.
async fn a_miss_for_nobody_asks_once(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Cold"})).await;
    let mut least = [u64::MAX; 2];
    for _ in 0..TRIES {
        let unknown = Token::random(TokenKind::Instance, &OsRng)
            .expose()
            .to_owned();
        let pair = [
            ("x-client-token", bed.a.client_token.as_str()),
            ("x-instance-token", unknown.as_str()),
        ];
        let call = || bed.get(&made.path("/session/status")).headers(pair);
        let known = [
            ("x-client-token", bed.a.client_token.as_str()),
            ("x-instance-token", made.token.as_str()),
        ];
        bed.get(&made.path("/session/status"))
            .headers(known)
            .send()
            .await
            .expect(200);
        for least in &mut least {
            let before = statements(bed);
            for answer in crowd(50, call).await {
                answer.refused(401, "unauthorized");
            }
            *least = (*least).min(statements(bed) - before);
        }
    }
    assert_eq!(least, [1, 0]);
}

/// Malformed tokens cost nothing, well-formed random ones a look-up each; what is in use stays known.
async fn junk_asks_nothing_and_strangers_push_no_one_out(bed: &mut Bed) {
    // Well beyond what the cache holds. The same guards as over HTTP, without its cost.
    const STRANGERS: u64 = 80_000;
    // At once: they wait for the database together.
    const CROWD: u64 = 20;
    // Late enough that the first of them have filled what there is.
    const PASSING: u64 = 60_000;
    const JUNK: u64 = 20_000;
    let made = bed.create(&bed.a, json!({"name": "Hot"})).await;
    let access = bed.gateway().app.access();
    let hot = || Presented {
        client_token: Some(&bed.a.client_token),
        instance_token: Some(&made.token),
        ..Presented::default()
    };
    let id = made.instance();
    let use_hot = async || {
        access
            .instance(&hot(), &id, Role::Viewer)
            .await
            .expect("it holds");
    };
    use_hot().await;
    let before = statements(bed);
    for number in 0..JUNK {
        let mut text = Token::random(TokenKind::Api, &OsRng).expose().to_owned();
        let last = text.pop().expect("a character");
        text.push(if last == 'a' { 'b' } else { 'a' });
        let presented = Presented {
            bearer: Some(&text),
            ..Presented::default()
        };
        access.mcp(&presented).await.expect_err("a wrong checksum");
        access
            .owner(&presented, Role::Viewer)
            .await
            .expect_err("no JWT");
        if number % 1000 == 0 {
            use_hot().await;
        }
    }
    let asked = statements(bed) - before;
    assert!(asked < JUNK / 20, "{asked} statements for junk");

    let before = statements(bed);
    let knock = async |token: &Token| {
        let presented = Presented {
            bearer: Some(token.expose()),
            ..Presented::default()
        };
        access.mcp(&presented).await.expect_err("nobody has it");
    };
    let mut passing = Vec::new();
    for crowd in 0..STRANGERS / CROWD {
        let all: Vec<Token> = (0..CROWD)
            .map(|_| Token::random(TokenKind::Api, &OsRng))
            .collect();
        join_all(all.iter().map(&knock)).await;
        if crowd % 10 == 0 {
            use_hot().await;
        }
        if (PASSING..PASSING + 1000).contains(&(crowd * CROWD)) {
            passing.extend(all);
        }
    }
    let asked = statements(bed) - before;
    assert!(
        (STRANGERS..STRANGERS + STRANGERS / 20).contains(&asked),
        "{asked}"
    );
    // What is remembered has an end: of those that only came by hardly one is known still.
    let before = statements(bed);
    for token in &passing {
        knock(token).await;
    }
    let asked = statements(bed) - before;
    assert!(asked > 900, "only {asked} of a thousand were forgotten");
    let mut least = u64::MAX;
    for _ in 0..TRIES {
        let before = statements(bed);
        for _ in 0..100 {
            use_hot().await;
        }
        least = least.min(statements(bed) - before);
    }
    assert_eq!(least, 0, "the hot one is still known");
}

async fn a_change_is_seen_by_the_next_request(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Before"})).await;
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    let status = async || {
        bed.get(&made.path("/session/status"))
            .headers(pair)
            .send()
            .await
    };
    assert_eq!(status().await.ok()["data"]["connected"], false);
    // The phone links it: what the other side changed, a commit of an actor.
    bed.scan(&bed.a, &made, SHOP).await;
    assert_eq!(status().await.ok()["data"]["connected"], true);
    // A credential that is new, on the first request; one that is dead, on the next.
    let now = bed.clock.now();
    let (id, token) = crate::access::issue(
        bed,
        recado_model::credential::CredentialKind::InstanceToken,
        Some(&made),
        None,
        None,
    )
    .await;
    let second = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", token.as_str()),
    ];
    let by_second = async || {
        bed.get(&made.path("/session/status"))
            .headers(second)
            .send()
            .await
    };
    by_second().await.expect(200);
    let mut conn = bed.write().await;
    assert!(
        conn.account(&bed.a.id)
            .revoke(&id, now)
            .await
            .expect("revoked")
    );
    conn.commit().await.expect("commit");
    bed.gateway().app.access().invalidate();
    by_second().await.refused(401, "unauthorized");
    status().await.expect(200);
    // By time alone, nobody having changed anything.
    let soon = Some(bed.clock.now().plus_secs(600));
    let (_, token) = crate::access::issue(
        bed,
        recado_model::credential::CredentialKind::InstanceToken,
        Some(&made),
        None,
        soon,
    )
    .await;
    let third = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", token.as_str()),
    ];
    let by_third = async || {
        bed.get(&made.path("/session/status"))
            .headers(third)
            .send()
            .await
    };
    by_third().await.expect(200);
    bed.clock.jump_secs(601);
    by_third().await.refused(401, "unauthorized");
    // Logged out on the phone, then deleted.
    let jwt = bed.token_of(&bed.a).await;
    let owner = async || {
        bed.get(&made.path("/session/status"))
            .bearer(&jwt)
            .send()
            .await
    };
    owner().await.expect(200);
    bed.call("DELETE", &made.path(""))
        .bearer(&jwt)
        .send()
        .await
        .expect(204);
    owner().await.refused(403, "forbidden");
    status().await.refused(401, "unauthorized");
}
