//! How passwords are hashed, and how many at once (P-05).

use recado_model::Secret;
use serde_json::json;

use super::{Browser, OWNER, OWNER_TOO, PASSWORD};
use crate::gateway::Bed;

on_both! {
    with = "trusted_proxies = [\"127.0.0.1\"]\nusers.password_threads = 1\n";
    an_older_hash_is_renewed_at_the_next_log_in,
    when_all_hash_at_once_most_hear_wait,
}

/// [`PASSWORD`] with eight mebibytes and one pass.
const OLDER: &str = "$argon2id$v=19$m=8192,t=1,p=1$c2l4dGVlbiBieXRlIHNhbA$BG2ZOrA2YkKJL1n3cNQFE1ovbwirg1193G946dDKLXU";

async fn hash(bed: &Bed) -> Secret {
    bed.user(OWNER).await.password_hash
}

async fn an_older_hash_is_renewed_at_the_next_log_in(bed: &mut Bed) {
    let mut before = Browser::of(bed, OWNER).await;
    let user = bed.user(OWNER).await;
    let mut conn = bed.write().await;
    let kept = user.password_hash.expose();
    let mut people = conn.people();
    let set = people.upgrade_password_hash(&user.id, kept, OLDER).await;
    assert!(set.expect("an answer"));
    conn.commit().await.expect("commit");
    // A wrong one renews nothing.
    let wrong = Browser::new(bed)
        .log_in(OWNER, "incorrect horse battery")
        .await;
    wrong.refused(401, "login_failed");
    assert_eq!(hash(bed).await.expose(), OLDER);
    Browser::of(bed, OWNER).await;
    let renewed = hash(bed).await;
    assert!(
        renewed
            .expose()
            .starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "the parameters of today"
    );
    // Nobody notices: sessions go on, the password is the same.
    assert_eq!(before.alive().await, 200);
    before.confirm().await;
    Browser::of(bed, OWNER).await;
    assert_eq!(hash(bed).await.expose(), renewed.expose(), "once");
    assert_eq!(bed.user(OWNER).await.generation, user.generation);
}

/// One thread here, and a queue of eight. Callers with API credentials do not hash, and go on.
async fn when_all_hash_at_once_most_hear_wait(bed: &mut Bed) {
    // A door that is closed says so whatever goes on: 429, never 503.
    let closed = "closed@example.com";
    for _ in 0..10 {
        let from = "198.51.100.1".parse().ok();
        bed.gateway().app.limits().login_failed(from, closed);
    }
    bed.slam("198.51.100.1", closed);
    let flood: Vec<_> = (0..48)
        .map(|n| {
            let browser = Browser::at(bed, &format!("203.0.113.{n}"));
            let body = json!({"email": "nobody@example.com", "password": PASSWORD});
            tokio::spawn(browser.call("POST", "/login").json(body).send())
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(bed.by_jwt(&bed.a.jwt).await, 200);
        let told = Browser::new(bed).log_in(closed, PASSWORD).await;
        told.refused(429, "rate_limited");
    }
    let (mut hashed, mut put_off) = (0, 0);
    for answer in flood {
        let answer = answer.await.expect("no panic");
        match answer.status {
            401 => hashed += 1,
            _ => {
                put_off += 1;
                let secs = answer.header("retry-after").parse::<u64>();
                assert!(secs.is_ok_and(|secs| secs >= 1), "{answer:?}");
                answer.refused(503, "unavailable");
            }
        }
    }
    assert!(hashed >= 1 && put_off >= 1, "{hashed} {put_off}");
    // Nothing of it counts against anybody, and all is well again.
    Browser::of(bed, OWNER).await;
    Browser::of(bed, OWNER_TOO).await;
    let mut browser = Browser::proven(bed, OWNER).await;
    browser.post("/token", json!({})).await.expect(200);
}
