//! Cookies beside ours, ours twice, and sessions that are left behind.

use recado_identity::users::operator::Operator;
use recado_model::Clock;
use reqwest::header::HeaderValue;
use serde_json::json;
use std::sync::Arc;

use crate::{
    call::{Answer, Call},
    gateway::{Bed, rng},
    people::{Browser, OWNER, OWNER_TOO, PASSWORD, kinds_of, text},
};

on_both! {
    with = crate::people::PROXY;
    what_others_wrote_beside_it_is_no_matter,
    signing_out_works_with_the_cookie_twice,
    signing_in_ends_each_session_of_before,
    a_link_that_signs_in_ends_the_session_of_before,
}

const NEW: &str = "new@example.com";

fn cookie(browser: &Browser<'_>) -> String {
    let value = browser.cookie.as_deref().expect("a cookie");
    format!("__Host-recado={value}")
}

/// `Cookie` as it is, in bytes.
fn with_line(mut call: Call, line: &[u8]) -> Call {
    let line = HeaderValue::from_bytes(line).expect("a line");
    call.request = call.request.header("cookie", line);
    call
}

/// The token of a link by which [`NEW`] makes an account of their own.
async fn sign_up_link(bed: &Bed) -> String {
    let (clock, rng) = (bed.clock.clone() as Arc<dyn Clock>, rng());
    let operator = Operator {
        store: &bed.gateway().store,
        clock: &clock,
        rng: &rng,
        public_url: &bed.gateway().base_url,
    };
    let link = operator.sign_up_link(NEW, 3_600_000).await;
    let link = link.expect("a link");
    let (_, token) = link.expose().split_once('#').expect("a fragment");
    token.to_owned()
}

async fn what_others_wrote_beside_it_is_no_matter(bed: &mut Bed) {
    let browser = Browser::of(bed, OWNER).await;
    let nobody = browser.with_cookie(None);
    let ours = cookie(&browser);
    for (before, after) in [
        (&b"name=Jos\xe9; "[..], &b""[..]),
        (b"\xff\xfe=\xff;\t", b"\t; a=\xc3\xa9"),
        ("nome=João; ".as_bytes(), b";"),
    ] {
        let line = [before, ours.as_bytes(), after].concat();
        let answer = with_line(nobody.call("GET", "/dashboard/api/me"), &line);
        answer.send().await.expect(200);
    }
    // Ours itself is ASCII.
    let line = [ours.as_bytes(), b"\xe9"].concat();
    let answer = with_line(nobody.call("GET", "/dashboard/api/me"), &line);
    answer.send().await.refused(401, "unauthorized");
}

fn cleared(answer: &Answer) {
    let line = answer.header("set-cookie");
    assert!(line.starts_with("__Host-recado=; "), "{line}");
    assert!(line.contains("Max-Age=0"), "{line}");
}

async fn signing_out_works_with_the_cookie_twice(bed: &mut Bed) {
    let mut bystander = Browser::of(bed, OWNER).await;
    for dead in [false, true] {
        let (one, two) = (
            Browser::of(bed, OWNER).await,
            Browser::of(bed, OWNER_TOO).await,
        );
        let second = match dead {
            true => format!("__Host-recado={}", "x".repeat(43)),
            false => cookie(&two),
        };
        let line = format!("{second}; {}", cookie(&one));
        let nobody = one.with_cookie(None);
        // Which one counts is not decided elsewhere.
        let me = nobody.call("GET", "/dashboard/api/me");
        let me = me.header("cookie", &line).send().await;
        me.refused(400, "conflicting_credentials");
        let out = nobody.call("POST", "/logout").json(json!({}));
        let out = out.header("cookie", &line).send().await.expect(204);
        cleared(&out);
        assert_eq!(one.alive().await, 401);
        assert_eq!(two.alive().await, if dead { 200 } else { 401 });
    }
    // The same one twice is one.
    let line = format!("{0}; {0}", cookie(&bystander));
    let nobody = bystander.with_cookie(None);
    let out = nobody.call("POST", "/logout").json(json!({}));
    cleared(&out.header("cookie", &line).send().await.expect(204));
    assert_eq!(bystander.alive().await, 401);
    bystander.log_in(OWNER, PASSWORD).await.expect(200);
    let rows = crate::people::audit_rows(&mut bystander, "?kind=user.signed_out").await;
    assert_eq!(rows.len(), 3, "{rows:?}");
}

async fn signing_in_ends_each_session_of_before(bed: &mut Bed) {
    let (one, two) = (
        Browser::of(bed, OWNER).await,
        Browser::of(bed, OWNER_TOO).await,
    );
    let line = format!("{}; {}", cookie(&one), cookie(&two));
    let mut fresh = one.with_cookie(None);
    let call = fresh.call("POST", "/login").header("cookie", &line);
    let body = json!({"email": OWNER, "password": PASSWORD});
    fresh.send(call.json(body)).await.expect(200);
    let alive = [&one, &two, &fresh].map(Browser::alive);
    let [one, two, fresh] = alive;
    assert_eq!((one.await, two.await, fresh.await), (401, 401, 200));
}

async fn a_link_that_signs_in_ends_the_session_of_before(bed: &mut Bed) {
    let mut browser = Browser::of(bed, OWNER).await;
    let old = browser.with_cookie(browser.cookie.as_deref());
    let token = sign_up_link(bed).await;
    // What comes to nothing leaves everything as it is.
    let weak = json!({"account_name": "New", "password": "short"});
    let refused = browser.use_link(&token, weak).await;
    assert_eq!((refused.status, old.alive().await), (400, 200));
    let body = json!({"account_name": "New", "password": "ample turnip sundial"});
    let used = browser.use_link(&token, body).await.ok();
    assert_eq!(used["signed_in"], true);
    assert_eq!(text(&browser.me().await, "/user/email"), NEW);
    assert_eq!(old.alive().await, 401, "nobody could end it any more");
    let mut owner = Browser::of(bed, OWNER).await;
    let rows = crate::people::audit_rows(&mut owner, "?limit=2").await;
    assert_eq!(kinds_of(&rows), ["user.signed_in", "user.signed_out"]);
}

mod over_plain_http {
    use super::*;

    on_both! {
        with = "public_url = \"http://10.9.8.7\"\n";
        a_link_is_not_used_up,
    }

    async fn a_link_is_not_used_up(bed: &mut Bed) {
        let token = sign_up_link(bed).await;
        let ask = async |below: &str, body| {
            let call = bed.call("POST", &format!("/dashboard/api/links/{below}"));
            let call = call.header("origin", "http://10.9.8.7").json(body);
            call.send().await
        };
        let body = json!({
            "token": token, "account_name": "New", "password": "ample turnip sundial",
        });
        let refused = ask("use", body).await;
        assert_eq!(refused.header("set-cookie"), "");
        refused.refused(403, "https_required");
        let look = ask("look", json!({"token": token})).await.ok();
        assert_eq!(look["kind"], "signup", "it still holds");
        assert!(bed.find_user(NEW).await.is_none());
    }
}
