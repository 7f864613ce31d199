//! Failed proofs beyond the limit, from networks that a trusted proxy names (T-12, R-02).

use std::collections::BTreeMap;

use recado_model::{Token, TokenKind, clock::OsRng};
use serde_json::json;
use sfv::{BareItem, List, ListEntry, Parser};

use crate::{
    call::Call,
    gateway::{Answer, Bed},
};

const QUOTA: i64 = 5;
const SETTINGS: &str = "trusted_proxies = [\"127.0.0.1\"]\nlimits.failed_proofs_per_network = 5\nlimits.failed_proofs_per_client = 3\n";

on_both! {
    with = super::SETTINGS;
    after_the_allowance_every_surface_says_wait,
    who_holds_a_credential_always_passes,
    the_wait_doubles_and_ends,
    a_client_token_is_limited_over_all_networks,
    what_is_genuine_or_absent_is_no_failed_proof,
    a_made_up_address_beside_the_real_one_changes_nothing,
}

/// As it comes: nobody is trusted.
mod untrusted {
    use super::*;

    on_both! {
        with = "limits.failed_proofs_per_network = 5\nlimits.failed_proofs_per_client = 3\n";
        a_made_up_address_dodges_nothing,
    }

    async fn a_made_up_address_dodges_nothing(bed: &mut Bed) {
        let wait = close(bed, 8, |n| bad_bearer(bed).from(&format!("203.0.113.{n}"))).await;
        for n in 0..20 {
            let call = bad_bearer(bed).from(&format!("198.51.100.{n}"));
            let call = call.header("x-real-ip", &format!("192.0.2.{n}"));
            let call = call.header("forwarded", &format!("for=192.0.2.{n}"));
            let answer = call.send().await;
            assert_eq!(answer.status, 429, "{answer:?}");
            assert!(retry_after(&answer) <= wait);
        }
    }
}

mod defaults {
    use super::*;

    on_both! {
        with = "# failed_proofs_…: the program's own.\ntrusted_proxies = [\"127.0.0.1\"]\n";
        honest_bursts_never_meet_the_limits,
    }

    /// The program's own defaults, and a shop whose deployment sends a stale token for a while.
    async fn honest_bursts_never_meet_the_limits(bed: &mut Bed) {
        let made = bed.create(&bed.a, json!({"name": "Busy"})).await;
        for n in 0..60 {
            let answer = bad_bearer(bed).from("203.0.113.7").send().await;
            assert_eq!(answer.status, 401, "{n}: {answer:?}");
        }
        for _ in 0..200 {
            let call = bed.get(&made.path("/session/status")).bearer(&bed.a.jwt);
            call.from("203.0.113.7").send().await.expect(200);
        }
    }
}

fn junk(kind: TokenKind) -> String {
    Token::random(kind, &OsRng).expose().to_owned()
}

fn bad_bearer(bed: &Bed) -> Call {
    let call = bed.post("/instances/list").json(json!({}));
    call.bearer("eyJhbGciOiJIUzI1NiJ9.e30.AAAA")
}

fn bad_client(bed: &Bed, client_token: &str) -> Call {
    let body =
        json!({"client_token": client_token, "client_secret": junk(TokenKind::ClientSecret)});
    bed.post("/token").json(body)
}

pub fn ping(bed: &Bed, token: &str) -> Call {
    let message = json!({"jsonrpc": "2.0", "id": 7, "method": "ping"});
    bed.post("/api/mcp/").bearer(token).json(message)
}

fn bad_key(bed: &Bed) -> Call {
    let key = junk(TokenKind::DirectKey);
    bed.get("/sessions/some").header("x-api-key", &key)
}

fn retry_after(answer: &Answer) -> i64 {
    let text = answer.header("retry-after");
    text.parse()
        .unwrap_or_else(|_| panic!("no seconds in {answer:?}"))
}

/// A list of named numbers, by RFC 9651.
#[track_caller]
fn fields(answer: &Answer, header: &str) -> Vec<(String, BTreeMap<String, i64>)> {
    let text = answer.header(header);
    let list: List = Parser::new(text)
        .parse()
        .unwrap_or_else(|error| panic!("{header}: {text:?}: {error}"));
    let entries = list.into_iter().map(|entry| {
        let ListEntry::Item(item) = entry else {
            panic!("{header}: an inner list in {text:?}");
        };
        let BareItem::String(name) = item.bare_item else {
            panic!("{header}: no string in {text:?}");
        };
        let numbers = item.params.into_iter().map(|(key, value)| {
            let BareItem::Integer(n) = value else {
                panic!("{header}: no integer in {text:?}");
            };
            (key.as_str().to_owned(), i64::from(n))
        });
        (name.as_str().to_owned(), numbers.collect())
    });
    entries.collect()
}

/// What the headers say of one policy: what remains, and until when. Checks that they agree with each
/// other and with `Retry-After`.
#[track_caller]
fn standing(answer: &Answer, policy: &str, quota: i64) -> (i64, i64) {
    let policies = fields(answer, "ratelimit-policy");
    let standings = fields(answer, "ratelimit");
    let names = |all: &[(String, BTreeMap<String, i64>)]| {
        all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&policies), names(&standings));
    if answer.status == 429 {
        for (_, numbers) in standings.iter().filter(|(_, numbers)| numbers["r"] == 0) {
            assert!(retry_after(answer) >= numbers["t"], "{answer:?}");
        }
    }
    let find = |all: Vec<(String, BTreeMap<String, i64>)>| {
        let found = all.into_iter().find(|(name, _)| name == policy);
        found
            .unwrap_or_else(|| panic!("no {policy} in {answer:?}"))
            .1
    };
    assert_eq!(
        find(policies),
        BTreeMap::from([("q".to_owned(), quota), ("w".to_owned(), 60)])
    );
    let numbers = find(standings);
    assert_eq!(numbers.keys().collect::<Vec<_>>(), ["r", "t"]);
    (numbers["r"], numbers["t"])
}

/// Fails until a bucket is closed for at least so many seconds; the seconds. Short waits are jumped
/// over: a busy machine could sit them out unseen.
async fn close(bed: &Bed, at_least: i64, call: impl Fn(usize) -> Call) -> i64 {
    for n in 0..100 {
        let answer = call(n).send().await;
        let closed = fields(&answer, "ratelimit");
        let closed = closed.iter().filter(|(_, numbers)| numbers["r"] == 0);
        let Some(wait) = closed.map(|(_, numbers)| numbers["t"]).max() else {
            continue;
        };
        if wait >= at_least {
            return wait;
        }
        bed.clock.jump_secs(wait);
    }
    panic!("a hundred failures closed nothing");
}

async fn after_the_allowance_every_surface_says_wait(bed: &mut Bed) {
    type Fails = fn(&Bed) -> Call;
    let surfaces: [(&str, Fails); 4] = [
        ("203.0.113.1", bad_bearer),
        ("203.0.113.2", |bed| {
            bad_client(bed, &junk(TokenKind::Client))
        }),
        ("203.0.113.3", |bed| ping(bed, &junk(TokenKind::Api))),
        ("203.0.113.4", bad_key),
    ];
    for (ip, fails) in surfaces {
        let fails = || fails(bed).from(ip);
        for remaining in (0..QUOTA).rev() {
            let answer = fails().send().await.expect(401);
            let (r, t) = standing(&answer, "failed-proofs", QUOTA);
            assert_eq!(r, remaining, "{answer:?}");
            assert!((1..=60).contains(&t), "{answer:?}");
            assert!(!answer.headers.contains_key("retry-after"), "{answer:?}");
            assert!(
                answer.headers.contains_key("www-authenticate"),
                "{answer:?}"
            );
        }
        bed.clock.jump_secs(1);
        close(bed, 8, |_| fails()).await;
        let answer = fails().send().await.expect(429);
        let (r, t) = standing(&answer, "failed-proofs", QUOTA);
        assert!(r == 0 && (1..=8).contains(&t), "{answer:?}");
        assert!((1..=8).contains(&retry_after(&answer)), "{answer:?}");
        assert!(
            !answer.headers.contains_key("www-authenticate"),
            "{answer:?}"
        );
        answer.hygiene();
        let body = answer.json();
        let text = match ip {
            "203.0.113.1" => {
                assert_eq!(
                    (&body["code"], &body["error_code"]),
                    (&json!(429), &json!("rate_limited"))
                );
                assert_eq!(body["success"], false);
                &body["error"]
            }
            "203.0.113.2" => {
                assert_eq!(body["error"], "temporarily_unavailable");
                &body["error_description"]
            }
            "203.0.113.3" => {
                assert_eq!((&body["jsonrpc"], &body["id"]), (&json!("2.0"), &json!(7)));
                assert_eq!(body["error"]["code"], -32000);
                &body["error"]["message"]
            }
            _ => {
                assert_eq!(body.as_object().map(|body| body.len()), Some(1));
                &body["error"]
            }
        };
        assert!(
            text.as_str().is_some_and(|text| text.contains("Wait")),
            "{body}"
        );
    }
}

async fn who_holds_a_credential_always_passes(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    let session = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}));
    let session = session.send().await.ok();
    let ip = "203.0.113.9";
    close(bed, 32, |_| bad_bearer(bed).from(ip)).await;
    bad_bearer(bed).from(ip).send().await.expect(429);
    let (name, key) = (&session["key"], &session["apiKey"]);
    let path = format!("/sessions/{}", name.as_str().expect("a name"));
    let secret = json!({"client_token": bed.a.client_token, "client_secret": bed.a.client_secret});
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"});
    for _ in 0..3 {
        for call in [
            bed.get(&made.path("")).bearer(&bed.a.jwt),
            bed.get(&made.path("/session/status"))
                .header("x-client-token", &bed.a.client_token)
                .header("x-instance-token", &made.token),
            bed.post("/token").json(secret.clone()),
            ping(bed, &bed.a.api_token),
            bed.post("/api/mcp/").json(hello.clone()),
            bed.get(&path)
                .header("x-api-key", key.as_str().expect("a key")),
            bed.get("/health"),
        ] {
            let answer = call.from(ip).send().await.expect(200);
            assert!(!answer.headers.contains_key("ratelimit"), "{answer:?}");
        }
        // What fails beside them still waits: success opens nothing.
        bad_key(bed).from(ip).send().await.expect(429);
    }
    let other = bad_bearer(bed)
        .from("203.0.113.10")
        .send()
        .await
        .expect(401);
    assert_eq!(
        standing(&other, "failed-proofs", QUOTA).0,
        QUOTA - 1,
        "another network"
    );
}

async fn the_wait_doubles_and_ends(bed: &mut Bed) {
    let fail = || bad_bearer(bed).from("2001:db8:7:7::1");
    let neighbour = || bad_bearer(bed).from("2001:db8:7:7:ffff::2");
    for _ in 1..QUOTA {
        fail().send().await.expect(401);
    }
    for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
        let answer = fail().send().await.expect(401);
        assert_eq!(standing(&answer, "failed-proofs", QUOTA), (0, wait));
        if wait >= 16 {
            let held = neighbour().send().await.expect(429);
            assert!(
                (wait - 5..=wait).contains(&retry_after(&held)),
                "it does not grow: {held:?}"
            );
        }
        bed.clock.jump_secs(wait);
    }
    bed.clock.jump_secs(15 * 60);
    let answer = fail().send().await.expect(401);
    assert_eq!(
        standing(&answer, "failed-proofs", QUOTA).0,
        QUOTA - 1,
        "forgotten"
    );
}

async fn a_client_token_is_limited_over_all_networks(bed: &mut Bed) {
    const CLIENT: &str = "failed-proofs-client";
    let shown = &bed.a.client_token;
    let from = |n: usize| format!("198.51.100.{n}");
    for left in [2, 1] {
        let answer = bad_client(bed, shown).from(&from(left)).send().await;
        assert_eq!(standing(&answer.expect(401), CLIENT, 3).0, left as i64);
    }
    close(bed, 16, |n| bad_client(bed, shown).from(&from(10 + n))).await;
    let answer = bad_client(bed, shown)
        .from("192.0.2.1")
        .send()
        .await
        .expect(429);
    assert_eq!(standing(&answer, CLIENT, 3).0, 0);
    assert_eq!(standing(&answer, "failed-proofs", QUOTA).0, QUOTA - 1);
    let body = answer.json();
    assert_eq!(body["error"], "temporarily_unavailable");
    assert!(!answer.text().contains(shown));
    // By Basic it is the same client.
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let pair = format!("{shown}:{}", junk(TokenKind::ClientSecret));
    let basic = format!("Basic {}", BASE64_STANDARD.encode(pair));
    let call = bed.post("/token").header("authorization", &basic);
    call.from("192.0.2.2").send().await.expect(429);
    // Its owner is not locked out, and other clients are not touched.
    let secret = json!({"client_token": shown, "client_secret": bed.a.client_secret});
    bed.post("/token")
        .json(secret)
        .from("192.0.2.1")
        .send()
        .await
        .expect(200);
    let other = bad_client(bed, &bed.b.client_token).from("192.0.2.3");
    assert_eq!(standing(&other.send().await.expect(401), CLIENT, 3).0, 2);
    // One that does not exist is counted like one that does.
    let unknown = junk(TokenKind::Client);
    for (n, left) in [(50, 2), (51, 1), (52, 0)] {
        let answer = bad_client(bed, &unknown).from(&from(n)).send().await;
        assert_eq!(standing(&answer.expect(401), CLIENT, 3).0, left);
    }
}

async fn what_is_genuine_or_absent_is_no_failed_proof(bed: &mut Bed) {
    let theirs = bed.create(&bed.b, json!({"name": "Foreign"})).await;
    let session = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}));
    let session = session.send().await.ok();
    let key = session["apiKey"].as_str().expect("a key");
    let ip = "203.0.113.77";
    for _ in 0..3 * QUOTA {
        for (call, status) in [
            (bed.get(&theirs.path("")).bearer(&bed.a.jwt), 403),
            (
                bed.get(&format!("/sessions/{}", theirs.id))
                    .header("x-api-key", key),
                401,
            ),
            (bed.get(&theirs.path("")), 401),
            (bed.get("/sessions/some"), 401),
            (bed.post("/token").json(json!({"client_token": "ct"})), 400),
        ] {
            let answer = call.from(ip).send().await.expect(status);
            assert!(!answer.headers.contains_key("ratelimit"), "{answer:?}");
        }
    }
    let first = bad_bearer(bed).from(ip).send().await.expect(401);
    assert_eq!(standing(&first, "failed-proofs", QUOTA).0, QUOTA - 1);
}

async fn a_made_up_address_beside_the_real_one_changes_nothing(bed: &mut Bed) {
    let real = "203.0.113.50";
    close(bed, 16, |n| {
        bad_bearer(bed).from(&format!("192.0.2.{n}, {real}"))
    })
    .await;
    let two_lines = bad_bearer(bed).from("192.0.2.200").from(real);
    two_lines.send().await.expect(429);
    let victim = bad_bearer(bed).from("192.0.2.1").send().await.expect(401);
    assert_eq!(
        standing(&victim, "failed-proofs", QUOTA).0,
        QUOTA - 1,
        "nobody else pays"
    );
}
