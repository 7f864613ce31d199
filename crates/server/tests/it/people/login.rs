//! Signing in: what is right, what is wrong, and that nobody learns from it who has an account here.

use recado_model::Role;
use serde_json::{Value, json};

use super::{Browser, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows, cookie_of, text};
use crate::{
    call::Answer,
    gateway::{Bed, until},
};

on_both! {
    with = super::PROXY;
    the_answer_is_a_token_and_a_cookie,
    whatever_is_wrong_is_one_answer,
    an_address_is_one_however_it_is_typed,
    look_alikes_are_other_users,
    members_of_several_accounts_choose,
    members_of_none_are_told_so,
    it_leaves_a_row,
    a_failure_leaves_a_row,
    bodies_that_do_not_fit,
}

async fn the_answer_is_a_token_and_a_cookie(bed: &mut Bed) {
    let mut browser = Browser::new(bed);
    let answer = browser.log_in(OWNER, PASSWORD).await.expect(200);
    answer.hygiene();
    let body = answer.json();
    let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["access_token", "expires_in", "token_type"]);
    assert_eq!(
        (&body["expires_in"], &body["token_type"]),
        (&json!(3600), &json!("Bearer"))
    );
    let jwt = text(&body, "/access_token");
    assert_eq!(bed.by_jwt(&jwt).await, 200);
    // P-08: the cookie, to the letter.
    let set: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(set.len(), 1);
    let line = answer.header("set-cookie");
    let mut parts = line.split("; ");
    let pair = parts.next().expect("a pair");
    let value = pair.strip_prefix("__Host-recado=").expect("its name");
    assert_eq!(value.len(), 43, "256 bits");
    let mut rest: Vec<&str> = parts.collect();
    rest.sort_unstable();
    let wanted = [
        "HttpOnly",
        "Max-Age=2592000",
        "Path=/",
        "SameSite=Strict",
        "Secure",
    ];
    assert_eq!(rest, wanted);
    assert!(!jwt.contains(value) && !answer.text().contains(value));
    // A program that sends no Origin may sign in, too.
    let bare = bed.post("/login");
    let bare = bare.json(json!({"email": OWNER, "password": PASSWORD}));
    let bare = bare.send().await.expect(200);
    assert_ne!(cookie_of(&bare).as_deref(), Some(value));
    // Signing in over a session gives another one; what was shown before is no part of it.
    let first = browser.cookie.clone();
    browser.log_in(OWNER, PASSWORD).await.expect(200);
    assert_ne!(browser.cookie, first);
    let chosen = browser.with_cookie(Some("A".repeat(43).as_str()));
    assert_eq!(chosen.alive().await, 401);
}

/// Status, body and headers, less what differs between any two answers.
fn shape(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let headers = answer.headers.iter();
    let mut headers: Vec<_> = headers
        .filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), format!("{value:?}")))
        .collect();
    headers.sort();
    (answer.status, answer.text(), headers)
}

async fn whatever_is_wrong_is_one_answer(bed: &mut Bed) {
    let user = bed.member(&bed.a, "locked@example.com", Role::Viewer).await;
    let mut conn = bed.write().await;
    // A hash that nobody can read, as of a row that was damaged.
    conn.people().set_password(&user, "").await.expect("set");
    conn.commit().await.expect("commit");
    bed.person("none@example.com").await;
    let mut answers = Vec::new();
    let long = format!("{}@example.com", "n".repeat(300));
    for (n, (email, password)) in [
        (OWNER, "incorrect horse battery"),
        (OWNER, "x"),
        (OWNER, "Correct horse battery"),
        (OWNER, "correct horse battery "),
        ("nobody@example.com", PASSWORD),
        ("nobody@example.com", "x"),
        ("none@example.com", "incorrect horse battery"),
        ("locked@example.com", PASSWORD),
        ("no address at all", PASSWORD),
        ("a@example.com\0", PASSWORD),
        ("' OR 1=1 --", PASSWORD),
        ("", PASSWORD),
        (&long, PASSWORD),
    ]
    .into_iter()
    .enumerate()
    {
        let mut browser = Browser::at(bed, &format!("203.0.113.{n}"));
        let before = bed.hashed();
        let answer = browser.log_in(email, password).await;
        assert_eq!(bed.hashed(), before + 1, "one hash, whoever it is: {email}");
        assert!(browser.cookie.is_none());
        answer.clone().refused(401, "login_failed");
        answers.push((email.to_owned(), shape(&answer)));
    }
    let (_, first) = &answers[0];
    assert!(!first.1.contains("example"), "{}", first.1);
    for (email, answer) in &answers {
        assert_eq!(answer, first, "{email}");
    }
}

async fn an_address_is_one_however_it_is_typed(bed: &mut Bed) {
    let id = text(&Browser::of(bed, OWNER).await.me().await, "/user/id");
    for typed in ["A@Example.COM", "  a@example.com\t", "a@EXAMPLE.com "] {
        let mut browser = Browser::new(bed);
        browser.log_in(typed, PASSWORD).await.expect(200);
        let me = browser.me().await;
        assert_eq!(
            (text(&me, "/user/id"), text(&me, "/user/email")),
            (id.clone(), OWNER.into())
        );
    }
}

/// Who looks like another is another: has a session, a role and failures of their own.
async fn look_alikes_are_other_users(bed: &mut Bed) {
    const ALIKE: [&str; 6] = [
        "ana@example.com",
        // Cyrillic а, full-width a, a letter with a dot below that is no part of it.
        "\u{430}na@example.com",
        "\u{ff41}na@example.com",
        "a\u{323}na@example.com",
        "ana+shop@example.com",
        "ana@example.com.",
    ];
    let mut ids = Vec::new();
    for email in ALIKE {
        bed.member(&bed.b, email, Role::Viewer).await;
        let me = Browser::of(bed, email).await.me().await;
        assert_eq!(text(&me, "/user/email"), email);
        ids.push(text(&me, "/user/id"));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), ALIKE.len());
    // Closed is the one that failed, and none that looks like it. From one network.
    for (n, closed) in ALIKE.iter().enumerate() {
        let from = format!("203.0.113.{n}");
        let mut browser = Browser::at(bed, &from);
        for _ in 0..10 {
            let wrong = browser.log_in(closed, "incorrect horse battery").await;
            wrong.refused(401, "login_failed");
        }
        bed.slam(&from, closed);
        for email in ALIKE {
            let due = if email == *closed { 429 } else { 200 };
            let answer = browser.log_in(email, PASSWORD).await;
            assert_eq!(answer.status, due, "{closed} closes {email}: {answer:?}");
        }
    }
}

async fn members_of_several_accounts_choose(bed: &mut Bed) {
    let user = bed.member(&bed.b, "both@example.com", Role::Viewer).await;
    bed.join(&bed.a, &user, Role::Developer).await;
    let body = |account: &str| json!({"email": "both@example.com", "password": PASSWORD, "account": account});
    let mut browser = Browser::new(bed);
    // Without a word it is the first by name.
    browser
        .log_in("both@example.com", PASSWORD)
        .await
        .expect(200);
    let me = browser.me().await;
    assert_eq!(text(&me, "/account/id"), bed.a.id.as_str());
    assert_eq!(me["accounts"].as_array().map(Vec::len), Some(2));
    for (shop, role) in [(&bed.a, "developer"), (&bed.b, "viewer")] {
        let answer = browser.login(body(shop.id.as_str())).await.ok();
        let me = browser.me().await;
        assert_eq!(
            (text(&me, "/account/id"), text(&me, "/account/role")),
            (shop.id.to_string(), role.to_owned())
        );
        // The JWT is of that account, in that role.
        let jwt = text(&answer, "/access_token");
        let made = bed.call("PUT", "/instances/create").bearer(&jwt);
        let made = made.json(json!({"name": "By a person"})).send().await;
        assert_eq!(
            made.status,
            if role == "developer" { 200 } else { 403 },
            "{made:?}"
        );
    }
    // One that is not theirs, and none at all: the same, and no session.
    let mut seen = Vec::new();
    for account in ["AC00000000000000000000000000", "", "x"] {
        let mut browser = Browser::new(bed);
        let refused = browser.login(body(account)).await;
        assert!(browser.cookie.is_none(), "{refused:?}");
        seen.push(refused.refused(403, "forbidden"));
    }
    let mut owner = Browser::new(bed);
    let foreign = json!({"email": OWNER, "password": PASSWORD, "account": bed.b.id});
    let foreign = owner.login(foreign).await;
    assert!(owner.cookie.is_none());
    seen.push(foreign.refused(403, "forbidden"));
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
}

async fn members_of_none_are_told_so(bed: &mut Bed) {
    bed.person("none@example.com").await;
    let mut browser = Browser::new(bed);
    let refused = browser.log_in("none@example.com", PASSWORD).await;
    let refused = refused.refused(403, "forbidden");
    assert!(text(&refused, "/error").contains("invite"), "{refused}");
    assert!(browser.cookie.is_none());
}

async fn it_leaves_a_row(bed: &mut Bed) {
    let mut browser = Browser::at(bed, "203.0.113.77");
    browser.log_in(OWNER, PASSWORD).await.expect(200);
    let me = browser.me().await;
    let rows = audit_rows(&mut browser, "?kind=user.signed_in").await;
    let detail = &rows[0]["detail"];
    assert_eq!(detail["by"]["user"], me["user"]["id"]);
    assert_eq!(detail["from"], "203.0.113.77");
    assert_eq!(detail["agent"], "Browser of the tests/1.0");
    assert_eq!(detail["session"], me["session_id"]);
    browser.log_out().await;
    browser.log_in(OWNER, PASSWORD).await.expect(200);
    let rows = audit_rows(&mut browser, "?kind=user.signed_out").await;
    assert_eq!(rows[0]["detail"]["by"]["user"], me["user"]["id"]);
    // The others' account hears nothing of it.
    let mut other = Browser::of(bed, OWNER_TOO).await;
    let rows = audit_rows(&mut other, "?kind=user.signed_in").await;
    assert_eq!(rows.len(), 1, "{rows:?}");
}

async fn a_failure_leaves_a_row(bed: &mut Bed) {
    let mut stranger = Browser::at(bed, "203.0.113.66");
    for _ in 0..3 {
        stranger
            .log_in(OWNER, "incorrect horse battery")
            .await
            .expect(401);
    }
    let mut owner = Browser::of(bed, OWNER).await;
    let row: Value = until("the refusals", async || {
        // Aggregated: the minute has to be over.
        bed.clock.jump_secs(61);
        bed.gateway().app.flush_usage().await.expect("written");
        let rows = owner.call("GET", "/dashboard/api/audit?kind=access.refused");
        let rows = rows.send().await.ok();
        rows["entries"].as_array().expect("rows").first().cloned()
    })
    .await;
    assert_eq!(row["detail"]["network"], "203.0.113.66/32", "{row}");
    assert_eq!(row["detail"]["reason"], "wrong_password", "{row}");
    owner.log_out().await;
}

async fn bodies_that_do_not_fit(bed: &mut Bed) {
    let mut browser = Browser::new(bed);
    let before = bed.hashed();
    for (status, body) in [
        (400, json!([OWNER, PASSWORD])),
        (400, json!({"email": OWNER})),
        (400, json!({"password": PASSWORD})),
        (400, json!({"email": OWNER, "password": ""})),
        (400, json!({"email": OWNER, "password": [PASSWORD]})),
        (400, json!({"email": {"$ne": ""}, "password": PASSWORD})),
        (400, json!({"email": OWNER, "password": "p".repeat(1025)})),
        (
            400,
            json!({"email": OWNER, "password": "correct\nhorse battery"}),
        ),
        (
            400,
            json!({"email": OWNER, "password": PASSWORD, "role": "owner"}),
        ),
        (
            400,
            json!({"email": OWNER, "password": PASSWORD, "remember_me": true}),
        ),
        (413, json!({"email": OWNER, "password": "p".repeat(70_000)})),
    ] {
        let answer = browser.login(body).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(!answer.text().contains("correct"), "{answer:?}");
    }
    let twice = format!(r#"{{"email":"{OWNER}","password":"x","password":"{PASSWORD}"}}"#);
    let twice = browser.call("POST", "/login").body(twice);
    let twice = twice
        .header("content-type", "application/json")
        .send()
        .await;
    assert_eq!(twice.status, 400, "{twice:?}");
    let form = browser.call("POST", "/login").body("email=a&password=b");
    let form = form.header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.send().await.status, 415);
    let bare = browser.call("POST", "/login").body("{}").send().await;
    assert_eq!(bare.status, 415);
    assert_eq!(bed.hashed(), before, "nothing of this is hashed");
    assert!(browser.cookie.is_none());
}
