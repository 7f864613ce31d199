//! What people keep secret is nowhere: not in the log, the audit log, the metrics, an error, a letter.

use std::sync::OnceLock;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use serde_json::{Value, json};

use super::{
    Browser, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows,
    second_factor::{begin, code, new_step, wrong_code},
    text,
};
use crate::{call::Answer, gateway::Bed, log::Log};

#[allow(dead_code, reason = "its other users need the rest")]
#[path = "../../program/search.rs"]
mod search;
use search::{Secret, found_in};

on_both! {
    with = super::PROXY;
    nowhere,
}

const CHOSEN: &str = "canary-turnip-sundial-harvest";
const GUESSED: &str = "canary-guess-of-a-stranger-77";
const NEW: &str = "canary@example.com";

fn ears() -> &'static (&'static Log, PrometheusHandle) {
    static EARS: OnceLock<(&Log, PrometheusHandle)> = OnceLock::new();
    EARS.get_or_init(|| {
        let metrics = PrometheusBuilder::new().install_recorder();
        (Log::of_process(), metrics.expect("a recorder"))
    })
}

/// Everything that was refused, head and body.
#[derive(Default)]
struct Errors(String);

impl Errors {
    #[track_caller]
    fn keep(&mut self, answer: &Answer) {
        assert!(answer.status >= 400, "{answer:?}");
        self.0
            .push_str(&format!("{:?} {}\n", answer.headers, answer.text()));
    }
}

async fn nowhere(bed: &mut Bed) {
    let (log, metrics) = ears();
    let mut inbox = bed.inbox();
    let mut errors = Errors::default();
    let mut secrets = vec![
        Secret::text("the password", PASSWORD),
        Secret::text("a chosen password", CHOSEN),
        Secret::text("a guess", GUESSED),
    ];
    let cookie = |browser: &Browser<'_>, name: &str| {
        Secret::text(name, browser.cookie.as_deref().expect("a cookie"))
    };

    // Signing in, well and badly.
    let mut stranger = Browser::at(bed, "203.0.113.66");
    errors.keep(&stranger.log_in(OWNER, GUESSED).await);
    errors.keep(&stranger.log_in("nobody@example.com", GUESSED).await);
    for body in [
        json!([PASSWORD, GUESSED]),
        json!({"email": PASSWORD, "password": [GUESSED]}),
        json!({"email": OWNER, "password": PASSWORD, "account": GUESSED}),
        json!({"email": OWNER, "password": PASSWORD, "otp": [GUESSED]}),
        json!({"email": OWNER, "passwort": CHOSEN, "password": PASSWORD}),
    ] {
        errors.keep(&stranger.login(body).await);
    }
    for body in [
        format!("{{\"password\": {PASSWORD}"),
        format!("\"{PASSWORD}\""),
    ] {
        let call = stranger.call("POST", "/login").body(body);
        let call = call.header("content-type", "application/json");
        errors.keep(&call.send().await);
    }
    let mut owner = Browser::new(bed);
    let jwt = text(&owner.log_in(OWNER, PASSWORD).await.ok(), "/access_token");
    secrets.push(Secret::jwt("a person's JWT", &jwt));
    secrets.push(cookie(&owner, "a cookie"));
    errors.keep(&owner.post("/confirm", json!({"password": GUESSED})).await);
    owner.confirm().await;

    // The second factor.
    let seed = begin(&mut owner).await;
    secrets.push(Secret::text("a seed", seed.base32().expose()));
    secrets.push(Secret::bytes("a seed's bytes", seed.as_bytes()));
    new_step(bed);
    let (wrong, first) = (wrong_code(bed, &seed), code(bed, &seed, 0));
    errors.keep(
        &owner
            .post("/second-factor/confirm", json!({"otp": wrong}))
            .await,
    );
    let on = owner
        .post("/second-factor/confirm", json!({"otp": first}))
        .await
        .ok();
    secrets.push(cookie(&owner, "a renewed cookie"));
    let codes: Vec<String> = on["recovery_codes"]
        .as_array()
        .expect("codes")
        .iter()
        .map(|code| code.as_str().expect("a code").to_owned())
        .collect();
    for (n, code) in codes.iter().enumerate() {
        secrets.push(Secret::text(&format!("recovery code {n}"), code));
        let bare = code.replace('-', "");
        secrets.push(Secret::text(
            &format!("recovery code {n} without dashes"),
            &bare,
        ));
    }
    let second = code(bed, &seed, 1);
    errors.keep(&stranger.log_in_with(OWNER, &first).await);
    owner.log_in_with(OWNER, &second).await.expect(200);
    owner.log_in_with(OWNER, &codes[0]).await.expect(200);
    errors.keep(&stranger.log_in_with(OWNER, &codes[0]).await);
    let proof = json!({"password": PASSWORD, "otp": codes[1]});
    owner.post("/confirm", proof).await.expect(200);

    // Letters, and what their links do.
    let mut visitor = Browser::at(bed, "203.0.113.5");
    let mut letters = Vec::new();
    let invite = json!({"email": NEW, "role": "viewer"});
    owner.post("/members/invite", invite).await.expect(200);
    letters.push(inbox.next(NEW, "invited").await);
    let joined = json!({"password": CHOSEN});
    visitor
        .use_link(&letters[0].token(), joined.clone())
        .await
        .expect(200);
    secrets.push(cookie(&visitor, "a member's cookie"));
    errors.keep(&visitor.use_link(&letters[0].token(), joined).await);
    visitor
        .post("/reset", json!({"email": OWNER}))
        .await
        .expect(202);
    letters.push(inbox.next(OWNER, "new password").await);
    let token = letters[1].token();
    let weak = json!({"password": "canary", "otp": codes[2]});
    errors.keep(&visitor.use_link(&token, weak).await);
    let bad = json!({"password": CHOSEN, "otp": wrong});
    errors.keep(&visitor.use_link(&token, bad).await);
    let path = format!("/dashboard/api/links/{token}");
    errors.keep(&visitor.call("GET", &path).send().await);
    errors.keep(&visitor.look(&format!("{token}x")).await);
    let email = json!({"email": "moved@example.com"});
    owner.post("/email", email).await.expect(202);
    letters.push(inbox.next("moved@example.com", "Confirm").await);
    let reset = json!({"password": CHOSEN, "otp": codes[2]});
    visitor.use_link(&token, reset).await.expect(200);
    errors.keep(&visitor.use_link(&letters[2].token(), json!({})).await);
    for (n, letter) in letters.iter().enumerate() {
        secrets.push(Secret::text(&format!("link {n}"), &letter.token()));
    }

    // Secrets in places that are not theirs.
    let session = visitor.cookie.clone().expect("a cookie");
    for path in [
        format!("/dashboard/api/me?cookie={session}"),
        format!("/dashboard/api/sessions/{session}"),
        format!("/dashboard/api/members/{CHOSEN}"),
        format!("/{CHOSEN}"),
    ] {
        let call = visitor.with_cookie(None).call("GET", &path);
        errors.keep(&call.bearer(&jwt).send().await);
    }
    let odd = visitor
        .call("POST", "/login")
        .header("x-client-token", CHOSEN);
    errors.keep(
        &odd.json(json!({"email": OWNER, "password": PASSWORD}))
            .send()
            .await,
    );
    visitor.log_out().await;

    // The logs of both accounts, read by those who may.
    let mut owner = Browser::new(bed);
    let back = json!({"email": OWNER, "password": CHOSEN, "otp": codes[3]});
    owner.login(back).await.expect(200);
    let mut other = Browser::of(bed, OWNER_TOO).await;
    bed.clock.jump_secs(61);
    bed.gateway().app.flush_usage().await.expect("written");
    let mut audit: Vec<Value> = audit_rows(&mut owner, "?limit=500").await;
    assert!(audit.len() >= 10, "{audit:?}");
    audit.extend(audit_rows(&mut other, "?limit=500").await);
    let log = log.text();
    assert!(
        log.contains("DEBUG") && log.contains("answered"),
        "the log is a talkative one"
    );
    let metrics = metrics.render();
    assert!(metrics.contains("/dashboard/api/links/use"), "{metrics}");

    let notices = inbox.unread();
    let notices: String = notices
        .iter()
        .map(|(_, letter)| letter.text.as_str())
        .collect();
    assert!(notices.contains("was changed"), "{notices}");
    let of_links: String = letters.iter().map(|letter| letter.text.as_str()).collect();
    let places = [
        ("the log", log.as_str()),
        ("the metrics", metrics.as_str()),
        ("the audit log", &json!(audit).to_string()),
        ("the errors", errors.0.as_str()),
        ("the notices", notices.as_str()),
    ];
    let mut found = Vec::new();
    for (place, text) in places {
        let here = found_in(&secrets, text.as_bytes());
        found.extend(here.into_iter().map(|what| format!("{what} in {place}")));
        for otp in [&wrong, &first, &second] {
            if place != "the metrics" && has_word(text, otp) {
                found.push(format!("a code in {place}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
    // Letters hold their link and nothing else; and the search finds what is there.
    let here = found_in(&secrets, of_links.as_bytes());
    let links = here.iter().all(|what| what.starts_with("link "));
    assert!(links && !here.is_empty(), "{here:?}");
}

/// Six digits on their own: longer numbers may have them in them.
fn has_word(text: &str, word: &str) -> bool {
    let parts: Vec<&str> = text.split(word).collect();
    parts.windows(2).any(|pair| {
        let apart = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        apart(pair[0].chars().next_back()) && apart(pair[1].chars().next())
    })
}
