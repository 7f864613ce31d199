//! A page that still shows what was there before the cookie became another's, and callers that name
//! nobody: each row of the table, with what it would really do.

use recado_api::{RouteRow, Surface, auth::Naming};
use recado_model::Role;
use serde_json::{Value, json};

use crate::browser::Names;
use crate::{
    call::{Answer, Call},
    gateway::{Bed, Made},
    people::{Browser, OWNER, OWNER_TOO, PASSWORD, text},
};

on_both! {
    with = crate::people::PROXY;
    after_a_switch_nothing_acts,
    after_somebody_else_signed_in_nothing_acts,
    who_names_nobody_hears_what_to_send,
    half_names_and_double_ones_are_refused,
    signing_out_ends_only_whom_the_page_shows,
}

const MEMBER: &str = "member@b.example";

/// What there is in the account where the cookie acts.
struct There {
    instance: Made,
    credential: String,
    member: String,
    invitation: String,
    session: String,
}

async fn there(bed: &Bed, browser: &mut Browser<'_>) -> There {
    let member = bed.member(&bed.b, MEMBER, Role::Viewer).await;
    let made = json!({"kind": "client", "label": "theirs"});
    let made = browser.post("/credentials", made).await.ok();
    let invited = json!({"email": "guest@b.example", "role": "viewer"});
    browser.post("/members/invite", invited).await.expect(200);
    let members = browser.get("/members").await.ok();
    let email = text(&browser.me().await, "/user/email");
    let other = Browser::of(bed, &email).await.me().await;
    There {
        instance: bed.create(&bed.b, json!({"name": "Theirs"})).await,
        credential: text(&made, "/id"),
        member: member.to_string(),
        invitation: text(&members, "/invitations/0/id"),
        session: text(&other, "/session_id"),
    }
}

impl There {
    fn path(&self, row: &RouteRow) -> String {
        row.path
            .replace("{id}", &self.instance.id)
            .replace("{cid}", &self.credential)
            .replace("{uid}", &self.member)
            .replace("{lid}", &self.invitation)
            .replace("{sid}", &self.session)
    }
}

/// Those that say whom they mean: the person and the account of a cookie.
fn rows() -> Vec<RouteRow> {
    let rows = recado_api::routes().into_iter();
    let rows: Vec<_> = rows
        .filter(|row| row.surface == Surface::Dashboard && row.rule.naming() != Naming::Never)
        .collect();
    assert!(rows.len() > 35, "only {}", rows.len());
    rows
}

/// What the row takes and would act on; a new row says it here.
fn body(row: &RouteRow, bed: &Bed) -> Option<Value> {
    if ["GET", "DELETE"].contains(&row.method.as_str()) {
        return None;
    }
    let below = row.path.strip_prefix("/dashboard/api/");
    Some(match (row.method.as_str(), below.unwrap_or(&row.path)) {
        ("PATCH", "me") => json!({"language": "es"}),
        ("PATCH", "account") => json!({"name": "Renamed"}),
        ("PATCH", "members/{uid}") => json!({"role": "developer"}),
        ("PATCH", "credentials/{cid}") => json!({"label": "renamed"}),
        (_, "confirm") => json!({"password": PASSWORD}),
        (_, "password") => json!({"password": "ample turnip sundial"}),
        (_, "email") => json!({"email": "moved@example.com"}),
        (_, "second-factor/confirm") => json!({"otp": "000000"}),
        (_, "account/switch") => json!({"account": bed.a.id.as_str()}),
        (_, "members/invite") => json!({"email": "more@b.example", "role": "viewer"}),
        (_, "credentials") => json!({"kind": "client", "label": "made"}),
        (_, "credentials/{cid}/rotate") => json!({"grace_seconds": 0}),
        (_, "instances") => json!({"name": "Planted"}),
        (_, "instances/{id}/pair-code") => json!({"phone": crate::gateway::SHOP}),
        (
            _,
            "/logout"
            | "token"
            | "sessions/end-others"
            | "second-factor"
            | "second-factor/recovery-codes"
            | "account/sign-out"
            | "credentials/{cid}/reveal"
            | "instances/{id}/disconnect"
            | "instances/{id}/token",
        ) => json!({}),
        (method, path) => panic!("say what {method} {path} takes"),
    })
}

fn call(browser: &Browser<'_>, row: &RouteRow, there: &There) -> Call {
    let call = browser.call(&row.method, &there.path(row));
    match body(row, browser.bed) {
        Some(body) => call.json(body),
        None => call,
    }
}

/// All that one sees of an account, by somebody who only looks.
async fn picture(witness: &mut Browser<'_>) -> Vec<Value> {
    let mut seen = Vec::new();
    for below in [
        "/instances",
        "/credentials?state=all",
        "/members",
        "/audit?limit=100",
        "/me",
    ] {
        let mut answer = witness.get(below).await.ok();
        answer["proven_until"] = Value::Null;
        seen.push(answer);
    }
    seen
}

/// Sends every row from a page that shows `stale` with the cookie that `now` has, and looks whether
/// anything was done.
async fn nothing_acts(bed: &Bed, stale: &Names, now: &Browser<'_>, there: &There) {
    let mut here = Browser::of(bed, OWNER).await;
    let mut beyond = Browser::of(bed, OWNER_TOO).await;
    let before = (picture(&mut here).await, picture(&mut beyond).await);
    let mut page = now.with_cookie(now.cookie.as_deref());
    page.names = Some(stale.clone());
    for row in rows() {
        let answer = call(&page, &row, there).send().await;
        assert_eq!(answer.header("set-cookie"), "", "{answer:?}");
        answer.hygiene();
        let said = answer.refused(409, "account_changed").to_string();
        for theirs in [&bed.b.id.to_string(), "Shop B", &there.instance.id] {
            assert!(!said.contains(theirs), "{row:?}: {said}");
        }
    }
    let after = (picture(&mut here).await, picture(&mut beyond).await);
    assert_eq!(before, after);
    // The session is as it was, and whoever names it acts.
    let mut fresh = now.with_cookie(now.cookie.as_deref());
    let made = fresh.post("/instances", json!({"name": "Wanted"})).await;
    made.expect(200);
    let list = fresh.get("/instances").await.ok();
    assert_eq!(list["total"], 2, "theirs, and the one that was wanted");
}

async fn after_a_switch_nothing_acts(bed: &mut Bed) {
    let both = bed.user(OWNER).await.id;
    bed.join(&bed.b, &both, Role::Owner).await;
    let mut browser = Browser::proven(bed, OWNER).await;
    let first = browser.me().await;
    assert_eq!(text(&first, "/account/id"), bed.a.id.as_str());
    let stale = browser.names.clone().expect("names");
    let to_b = json!({"account": bed.b.id.as_str()});
    browser.post("/account/switch", to_b).await.expect(200);
    browser.confirm().await;
    assert_ne!(browser.names.as_ref(), Some(&stale));
    let there = there(bed, &mut browser).await;
    nothing_acts(bed, &stale, &browser, &there).await;
}

async fn after_somebody_else_signed_in_nothing_acts(bed: &mut Bed) {
    let first = Browser::proven(bed, OWNER).await;
    let stale = first.names.clone().expect("names");
    let mut browser = Browser::proven(bed, OWNER_TOO).await;
    let there = there(bed, &mut browser).await;
    nothing_acts(bed, &stale, &browser, &there).await;
    // The same account, and another person in it.
    let names = browser.names.clone().expect("names");
    let user = bed.user(MEMBER).await.id.to_string();
    let colleague = Names { user, ..names };
    let mut page = browser.with_cookie(browser.cookie.as_deref());
    page.names = Some(colleague);
    let made = page.post("/instances", json!({"name": "Planted"})).await;
    made.refused(409, "account_changed");
}

async fn who_names_nobody_hears_what_to_send(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER_TOO).await;
    let there = there(bed, &mut browser).await;
    let before = picture(&mut browser).await;
    let mut program = browser.with_cookie(browser.cookie.as_deref());
    program.names = None;
    for row in rows() {
        if row.rule.naming() != Naming::Must {
            continue;
        }
        let said = call(&program, &row, &there).send().await;
        let said = text(&said.refused(400, "account_not_named"), "/error");
        for part in ["X-Recado-Account", "X-Recado-User", "/dashboard/api/me"] {
            assert!(said.contains(part), "{said}");
        }
    }
    assert_eq!(picture(&mut browser).await, before);
    // What it says is to be had, and works.
    let me = program.me().await;
    let made = program.call("POST", "/dashboard/api/instances");
    let made = made.headers([
        ("X-Recado-Account", text(&me, "/account/id").as_str()),
        ("X-Recado-User", text(&me, "/user/id").as_str()),
    ]);
    made.json(json!({"name": "By a program"}))
        .send()
        .await
        .expect(200);
    // Nobody is told before the cookie holds.
    let mut stranger = program.with_cookie(Some("A".repeat(43).as_str()));
    let refused = stranger
        .post("/instances", json!({"name": "Planted"}))
        .await;
    refused.refused(401, "unauthorized");
}

async fn half_names_and_double_ones_are_refused(bed: &mut Bed) {
    let browser = Browser::of(bed, OWNER).await;
    let Names { account, user } = browser.names.clone().expect("names");
    let mut page = browser.with_cookie(browser.cookie.as_deref());
    page.names = None;
    let ask = async |headers: &[(&str, &str)]| -> Answer {
        let call = page.call("GET", "/dashboard/api/sessions");
        call.headers(headers.iter().copied()).send().await
    };
    let (a, u) = (("x-recado-account", &*account), ("x-recado-user", &*user));
    ask(&[a, u]).await.expect(200);
    for half in [&[a][..], &[u]] {
        ask(half).await.refused(400, "account_not_named");
    }
    for double in [&[a, a, u][..], &[a, u, u]] {
        ask(double).await.refused(400, "conflicting_credentials");
    }
    let small = account.to_lowercase();
    let crossed = [("x-recado-account", &*user), ("x-recado-user", &*account)];
    for other in [
        &[("x-recado-account", ""), u][..],
        &[a, ("x-recado-user", "")],
        &[("x-recado-account", &*small), u],
        &[("x-recado-account", "*"), u],
        &crossed,
    ] {
        ask(other).await.refused(409, "account_changed");
    }
}

async fn signing_out_ends_only_whom_the_page_shows(bed: &mut Bed) {
    let first = Browser::of(bed, OWNER).await;
    let other = Browser::of(bed, OWNER_TOO).await;
    let out = async |names: Option<&Names>, cookie: Option<&str>| -> Answer {
        let mut page = other.with_cookie(cookie);
        page.names = names.cloned();
        page.call("POST", "/logout").json(json!({})).send().await
    };
    let stale = first.names.as_ref();
    let refused = out(stale, other.cookie.as_deref()).await;
    assert_eq!(refused.header("set-cookie"), "");
    refused.refused(409, "account_changed");
    assert_eq!(other.alive().await, 200);
    // Where nobody is signed in any more, nobody is in the way.
    out(stale, None).await.expect(204);
    out(stale, Some("A".repeat(43).as_str())).await.expect(204);
    assert_eq!(other.alive().await, 200);
    // A program names nobody; a page whom it shows.
    let named = other.names.as_ref();
    out(named, other.cookie.as_deref()).await.expect(204);
    assert_eq!(other.alive().await, 401);
    out(None, first.cookie.as_deref()).await.expect(204);
    assert_eq!(first.alive().await, 401);
}
