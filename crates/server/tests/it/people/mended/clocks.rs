//! Clocks that are set, and JWTs that must not outlive what they came from.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use recado_model::Role;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    gateway::Bed,
    people::{Browser, OWNER, PASSWORD, second_factor, text},
};

on_both! {
    with = crate::people::PROXY;
    a_jwt_does_not_come_back_with_its_account,
    a_clock_that_was_ahead_locks_no_second_factor,
    a_small_correction_signs_nobody_out,
    nobody_stays_for_longer_by_a_wrong_clock,
}

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

async fn a_jwt_does_not_come_back_with_its_account(bed: &mut Bed) {
    let id = bed.user(OWNER).await.id;
    bed.join(&bed.b, &id, Role::Viewer).await;
    let mut browser = Browser::new(bed);
    let login = browser.log_in(OWNER, PASSWORD).await.ok();
    let old = text(&login, "/access_token");
    assert_eq!(bed.by_jwt(&old).await, 200);
    for account in [&bed.b.id, &bed.a.id] {
        let switch = json!({"account": account});
        browser.post("/account/switch", switch).await.expect(200);
        assert_eq!(bed.by_jwt(&old).await, 401);
    }
    browser.confirm().await;
    let new = text(
        &browser.post("/token", json!({})).await.ok(),
        "/access_token",
    );
    assert_eq!((bed.by_jwt(&new).await, bed.by_jwt(&old).await), (200, 401));
}

async fn a_clock_that_was_ahead_locks_no_second_factor(bed: &mut Bed) {
    let (seed, _) = second_factor::with_second_factor(bed).await;
    let sign_in = async |otp: &str| {
        let mut browser = Browser::new(bed);
        browser.log_in_with(OWNER, otp).await
    };
    bed.clock.jump_secs(2 * HOUR);
    second_factor::new_step(bed);
    sign_in(&second_factor::code(bed, &seed, 0))
        .await
        .expect(200);
    bed.clock.jump_secs(-2 * HOUR);
    second_factor::new_step(bed);
    let otp = second_factor::code(bed, &seed, 0);
    sign_in(&otp).await.expect(200);
    // And from here on as ever: good once, with all before it.
    sign_in(&otp).await.refused(401, "otp_invalid");
    let before = second_factor::code(bed, &seed, -1);
    sign_in(&before).await.refused(401, "otp_invalid");
}

async fn a_small_correction_signs_nobody_out(bed: &mut Bed) {
    let mut browser = Browser::of(bed, OWNER).await;
    bed.clock.jump_secs(-HOUR);
    assert_eq!(browser.alive().await, 200);
    let list = browser.get("/sessions").await.ok();
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(1), "{list}");
    // Its half day counts from now on.
    bed.clock.jump_secs(12 * HOUR + 1);
    assert_eq!(browser.alive().await, 401);
}

async fn nobody_stays_for_longer_by_a_wrong_clock(bed: &mut Bed) {
    bed.clock.jump_secs(40 * DAY);
    let browser = Browser::of(bed, OWNER).await;
    assert_eq!(browser.alive().await, 200);
    bed.clock.jump_secs(-40 * DAY);
    assert_eq!(browser.alive().await, 401, "it would live for 70 days");
    let mut now = Browser::of(bed, OWNER).await;
    let list = now.get("/sessions").await.ok();
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(1), "{list}");
}

mod of_clients_longer {
    use super::*;

    on_both! {
        with = "jwt.ttl_secs = 10800\n";
        a_persons_jwt_lives_an_hour_all_the_same,
    }

    fn part(token: &str, at: usize) -> Value {
        let part = token.split('.').nth(at).expect("three parts");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// The claims under the program's own key.
    async fn sign(bed: &Bed, header: &Value, claims: &Value) -> String {
        let mut conn = bed.read().await;
        let keys = conn.system().jwt_keys().await.expect("the keys");
        let key = keys.iter().find(|key| header["kid"] == key.kid.as_str());
        let key = key.expect("the key that signed").secret.to_vec();
        let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("a key");
        mac.update(signed.as_bytes());
        let mac = BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        format!("{signed}.{mac}")
    }

    async fn a_persons_jwt_lives_an_hour_all_the_same(bed: &mut Bed) {
        let mut browser = Browser::new(bed);
        let login = browser.log_in(OWNER, PASSWORD).await.ok();
        assert_eq!(login["expires_in"], HOUR);
        let jwt = text(&login, "/access_token");
        let (header, claims) = (part(&jwt, 0), part(&jwt, 1));
        // With our own key, and longer than we ever give a person.
        let mut longer = claims.clone();
        longer["exp"] = json!(claims["exp"].as_i64().expect("a time") + 1);
        let forged = sign(bed, &header, &longer).await;
        let genuine = sign(bed, &header, &claims).await;
        assert_eq!(bed.by_jwt(&genuine).await, 200);
        assert_eq!(bed.by_jwt(&forged).await, 401);
        let clients = part(&bed.a.jwt, 1);
        let lifetime = clients["exp"].as_i64().zip(clients["iat"].as_i64());
        assert_eq!(lifetime.map(|(exp, iat)| exp - iat), Some(3 * HOUR));
        bed.clock.jump_secs(HOUR + 1);
        assert_eq!(bed.by_jwt(&jwt).await, 401);
        assert_eq!(bed.by_jwt(&bed.a.jwt).await, 200);
    }
}
