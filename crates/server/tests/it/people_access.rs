//! People on every surface: the dashboard's rows against every cookie, role and page; bodies; the table
//! of roles; what ends a session while it is in use.

mod bodies;
mod deck;
mod ends;
pub(crate) mod people;
mod races;
mod rules;
mod secrets;
mod table;

use recado_api::{RouteRow, Surface, auth::Rule};
use recado_model::{CredentialId, InstanceId, LinkId, UserId, UserSessionId, clock::OsRng};
use serde_json::{Value, json};

use self::{
    deck::{Card, Deck, Sender, deck, pages},
    people::{OWNER_A, OWNER_B, SignedIn, hire, sign_in},
    rules::{Due, Page, Worth, due},
};
use crate::{
    access::{COOKIE, ROLES, bare, unknown},
    gateway::{Answer, Bed},
};

on_both! {
    every_row_against_every_cookie,
    every_row_from_every_page,
    nothing_of_another_surface_beside_a_cookie,
    signing_out_is_always_possible,
    no_session_is_left_behind,
    foreign_and_missing_instances_are_the_same_bytes,
    foreign_and_missing_ids_are_the_same_bytes,
}

fn rows() -> impl Iterator<Item = RouteRow> {
    let all = recado_api::routes().into_iter();
    all.filter(|row| row.surface == Surface::Dashboard)
}

fn path_of(row: &RouteRow, id: &str) -> String {
    row.path
        .replace("{id}", id)
        .replace("{cid}", CredentialId::random(&OsRng).as_str())
        .replace("{sid}", UserSessionId::random(&OsRng).as_str())
        .replace("{uid}", UserId::random(&OsRng).as_str())
        .replace("{lid}", LinkId::random(&OsRng).as_str())
}

/// Asks for a row so that nothing happens even when the guard lets it pass: with a body that no handler
/// takes, for things that are not there.
async fn ask(
    bed: &Bed,
    deck: &Deck,
    row: &RouteRow,
    card: &Card,
    from: &Sender,
    beside: &[(&str, &str)],
    passes: bool,
) -> Answer {
    let mut id = deck.a1.id.clone();
    if passes && row.method == "DELETE" && row.path.contains("{id}") {
        id = bed.create(&bed.a, json!({"name": "Short lived"})).await.id;
    }
    let lines = card.lines.iter().map(|line| ("cookie", line.as_str()));
    let page = from.headers.iter();
    let call = bed
        .call(&row.method, &path_of(row, &id))
        .headers(lines)
        .headers(page.map(|(name, value)| (*name, value.as_str())))
        .headers(card.names.headers())
        .headers(beside.iter().copied());
    let call = match row.method.as_str() {
        "POST" | "PATCH" => call.json(json!([])),
        _ => call,
    };
    call.send().await
}

fn check(row: &RouteRow, what: &str, due: Due, answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let is = |status: u16, code: &str| {
        answer.status == status && body["error_code"] == code && body["code"] == status
    };
    let holds = match due {
        Due::Pass if row.rule == Rule::LogOut => answer.status == 204,
        Due::Pass => match row.method.as_str() {
            "GET" => answer.status == 200,
            "DELETE" => [204, 404, 409].contains(&answer.status),
            _ => is(400, "invalid_json"),
        },
        Due::Unauthorized => is(401, "unauthorized"),
        Due::Conflict => is(400, "conflicting_credentials"),
        Due::ForeignOrigin => is(403, "foreign_origin"),
        Due::Forbidden => is(403, "forbidden"),
        Due::RoleTooLow => is(403, "role_too_low"),
        Due::ProofRequired => is(403, "proof_required"),
    };
    let traced = answer.header("x-request-id").starts_with("RQ");
    (!holds || !traced).then(|| {
        format!(
            "{} {} with {what}: due {due:?}, got {answer:?}",
            row.method, row.path
        )
    })
}

#[track_caller]
fn none_wrong(wrong: &[String], asked: usize, least: usize) {
    let (n, all) = (wrong.len(), wrong.join("\n"));
    assert!(wrong.is_empty(), "{n} of {asked} are wrong:\n{all}");
    assert!(asked >= least, "only {asked} were asked");
}

async fn every_row_against_every_cookie(bed: &mut Bed) {
    let deck = deck(bed).await;
    let pages = pages(bed);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for row in rows() {
        for card in &deck.cards {
            let due = due(&row, card.worth, Page::Ours, false);
            // It would end the session that the others need; see `signing_out_is_always_possible`.
            if row.rule == Rule::LogOut && card.worth != Worth::Nobody {
                continue;
            }
            let passes = due == Due::Pass;
            let answer = ask(bed, &deck, &row, card, &pages[0], &[], passes).await;
            asked += 1;
            wrong.extend(check(&row, &card.name, due, &answer));
        }
    }
    none_wrong(&wrong, asked, 2_000);
}

async fn every_row_from_every_page(bed: &mut Bed) {
    let deck = deck(bed).await;
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for row in rows() {
        for name in ["owner proven", "no cookie"] {
            let card = deck.get(name);
            for from in pages(bed) {
                let due = due(&row, card.worth, from.page, false);
                let is_out = row.rule == Rule::LogOut && card.worth != Worth::Nobody;
                if is_out && due == Due::Pass {
                    continue;
                }
                let passes = due == Due::Pass;
                let answer = ask(bed, &deck, &row, card, &from, &[], passes).await;
                asked += 1;
                let what = format!("{name} from {:?}", from.headers);
                wrong.extend(check(&row, &what, due, &answer));
            }
        }
    }
    none_wrong(&wrong, asked, 2_500);
}

async fn nothing_of_another_surface_beside_a_cookie(bed: &mut Bed) {
    let deck = deck(bed).await;
    let jwt = format!("Bearer {}", bed.a.jwt);
    let person = format!("Bearer {}", sign_in(bed, OWNER_A).await.jwt);
    let wz = format!("Bearer {}", bed.a.api_token);
    let sk = unknown(recado_model::TokenKind::DirectKey);
    let others = [
        ("authorization", jwt.as_str()),
        ("authorization", person.as_str()),
        ("authorization", wz.as_str()),
        ("authorization", ""),
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", deck.a1.token.as_str()),
        ("x-api-key", sk.as_str()),
        ("x-api-key", ""),
    ];
    let pages = pages(bed);
    let silent = pages.iter().find(|from| from.page == Page::Silent);
    let (mut wrong, mut asked) = (Vec::new(), 0);
    for row in rows() {
        for name in ["owner proven", "no cookie", "idle"] {
            for from in [&pages[0], silent.expect("a silent one")] {
                for other in &others {
                    let card = deck.get(name);
                    let due = due(&row, card.worth, from.page, true);
                    let answer = ask(bed, &deck, &row, card, from, &[*other], false).await;
                    asked += 1;
                    let what = format!("{name} beside {}, {:?}", other.0, from.page);
                    wrong.extend(check(&row, &what, due, &answer));
                }
            }
        }
    }
    none_wrong(&wrong, asked, 2_000);
}

/// By whom it may be, from whatever page of ours, and the cookie is taken back.
async fn signing_out_is_always_possible(bed: &mut Bed) {
    for role in ROLES {
        let email = format!("{}@a.example", role.as_str());
        hire(bed, &bed.a.id, &email, role).await;
        for from in pages(bed) {
            if [Page::Foreign, Page::Typed].contains(&from.page) {
                continue;
            }
            let who = sign_in(bed, &email).await;
            let page = from.headers.iter();
            let cookie = format!("{COOKIE}={}", who.cookie);
            let call = bed
                .post("/logout")
                .header("cookie", &cookie)
                .headers(page.map(|(name, value)| (*name, value.as_str())));
            let answer = call.send().await.expect(204);
            let set = answer.header("set-cookie");
            assert!(set.starts_with(&format!("{COOKIE}=;")), "{set}");
            assert!(set.contains("Max-Age=0"), "{set}");
            who.me(bed).await.refused(401, "unauthorized");
            who.account(bed).await.refused(401, "unauthorized");
        }
    }
    // A page of another site cannot.
    let who = sign_in(bed, OWNER_A).await;
    let call = bed.post("/logout").header("origin", "https://evil.example");
    let call = call.header("cookie", &format!("{COOKIE}={}", who.cookie));
    call.send().await.refused(403, "foreign_origin");
    who.me(bed).await.expect(200);
}

/// A browser has one cookie of ours: what it overwrites or clears could be ended by nobody any more.
async fn no_session_is_left_behind(bed: &mut Bed) {
    let both = |one: &SignedIn, two: &SignedIn| {
        let names = [&one.cookie, &two.cookie].map(|cookie| format!("{COOKIE}={cookie}"));
        names.join("; ")
    };
    for path in ["/logout", "/login"] {
        let (one, two) = (sign_in(bed, OWNER_A).await, sign_in(bed, OWNER_B).await);
        let other = sign_in(bed, OWNER_A).await;
        let call = bed.post(path).header("origin", &people::own_origin(bed));
        let call = call.header("cookie", &both(&one, &two));
        let body = json!({"email": OWNER_A, "password": people::PASSWORD});
        let answer = call.json(body).send().await;
        assert!([200, 204].contains(&answer.status), "{answer:?}");
        for gone in [&one, &two] {
            gone.me(bed).await.refused(401, "unauthorized");
            gone.account(bed).await.refused(401, "unauthorized");
        }
        other.me(bed).await.expect(200);
        if path == "/login" {
            let cookie = people::cookie_of(&answer).expect("a cookie");
            let new = SignedIn {
                cookie,
                ..other.clone()
            };
            new.me(bed).await.expect(200);
        }
    }
    // A log-in that fails ends nothing.
    let who = sign_in(bed, OWNER_A).await;
    let call = bed.post("/login").header("cookie", &both(&who, &who));
    let body = json!({"email": OWNER_A, "password": "not the password of anybody"});
    call.json(body).send().await.refused(401, "login_failed");
    who.me(bed).await.expect(200);
}

async fn foreign_and_missing_instances_are_the_same_bytes(bed: &mut Bed) {
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let missing = InstanceId::random(&OsRng).to_string();
    let ids = [
        theirs.id.as_str(),
        &missing,
        "nonsense",
        "%ff",
        "RC%00",
        "..%2f..",
    ];
    let mut all = Vec::new();
    for role in ROLES {
        let email = format!("{}@a.example", role.as_str());
        hire(bed, &bed.a.id, &email, role).await;
        let who = sign_in(bed, &email).await;
        let proven = sign_in(bed, &email).await.confirmed(bed).await;
        for (who, row) in [&who, &proven]
            .into_iter()
            .flat_map(|who| rows().map(move |row| (who, row)))
            .filter(|(_, row)| row.path.contains("{id}"))
        {
            for id in ids {
                let path = row.path.replace("{id}", id);
                let answer = who.ask(bed, &row.method, &path).body("[").send().await;
                assert_eq!(answer.status, 403, "{answer:?}");
                all.push(bare(answer));
            }
        }
        // By JWT on the instance API, too.
        for row in recado_api::routes() {
            if row.surface != Surface::Instance || !row.path.contains("{id}") {
                continue;
            }
            let mut seen = Vec::new();
            for id in ids {
                let path = row
                    .path
                    .replace("{id}", id)
                    .replace("{phone}", "5511999990001");
                let call = bed.call(&row.method, &path).bearer(&who.jwt);
                seen.push(bare(call.body("[").send().await));
            }
            assert_eq!(seen[0].0, 403, "{row:?}");
            assert!(seen.iter().all(|one| *one == seen[0]), "{row:?}: {seen:?}");
        }
    }
    assert!(all.len() > 200, "{}", all.len());
    assert!(
        all.iter().all(|one| *one == all[0]),
        "of every role, on every row"
    );
    bed.look(&bed.b, &theirs).await;
}

/// The ids of sessions, members, invitations, credentials and accounts.
async fn foreign_and_missing_ids_are_the_same_bytes(bed: &mut Bed) {
    let mine = sign_in(bed, OWNER_A).await.confirmed(bed).await;
    let theirs = sign_in(bed, OWNER_B).await.confirmed(bed).await;
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let me = theirs.me(bed).await.ok();
    let (user, session) = (text(&me["user"]["id"]), text(&me["session_id"]));
    let call = theirs.ask(bed, "POST", "/dashboard/api/members/invite");
    let body = json!({"email": "guest@b.example", "role": "viewer"});
    let invitation = text(&call.json(body).send().await.ok()["id"]);
    let list = async |who: &SignedIn| {
        let call = who.ask(bed, "GET", "/dashboard/api/credentials");
        call.send().await.ok()["credentials"].clone()
    };
    let before = list(&theirs).await;
    let credential = text(&before[0]["id"]);
    let account = bed.b.id.to_string();
    for (method, path, foreign, missing, body) in [
        (
            "DELETE",
            "sessions/$id",
            &session,
            UserSessionId::random(&OsRng).to_string(),
            None,
        ),
        (
            "DELETE",
            "members/invitations/$id",
            &invitation,
            LinkId::random(&OsRng).to_string(),
            None,
        ),
        (
            "DELETE",
            "members/$id",
            &user,
            UserId::random(&OsRng).to_string(),
            None,
        ),
        (
            "PATCH",
            "members/$id",
            &user,
            UserId::random(&OsRng).to_string(),
            Some(json!({"role": "viewer"})),
        ),
        (
            "DELETE",
            "credentials/$id",
            &credential,
            CredentialId::random(&OsRng).to_string(),
            None,
        ),
        (
            "PATCH",
            "credentials/$id",
            &credential,
            CredentialId::random(&OsRng).to_string(),
            Some(json!({"label": "x"})),
        ),
        (
            "POST",
            "credentials/$id/rotate",
            &credential,
            CredentialId::random(&OsRng).to_string(),
            Some(json!({"grace_seconds": 0})),
        ),
        (
            "POST",
            "credentials/$id/reveal",
            &credential,
            CredentialId::random(&OsRng).to_string(),
            Some(json!({})),
        ),
        (
            "POST",
            "account/switch",
            &account,
            recado_model::AccountId::random(&OsRng).to_string(),
            Some(json!({"account": "$id"})),
        ),
    ] {
        let mut seen = Vec::new();
        for id in [foreign.as_str(), missing.as_str()] {
            let path = format!("/dashboard/api/{}", path.replace("$id", id));
            let mut call = mine.ask(bed, method, &path);
            if let Some(body) = &body {
                let body = body.to_string().replace("$id", id);
                call = call.header("content-type", "application/json").body(body);
            }
            seen.push(call.send().await);
        }
        assert!([403, 404].contains(&seen[0].status), "{:?}", seen[0]);
        let shown = format!("{seen:?}");
        let [foreign, missing] = [seen.remove(0), seen.remove(0)].map(bare);
        assert_eq!(foreign, missing, "{shown}");
    }
    // Signing in to it, with the right password.
    let mut seen = Vec::new();
    for id in [account, recado_model::AccountId::random(&OsRng).to_string()] {
        let body = json!({"email": OWNER_A, "password": people::PASSWORD, "account": id});
        let answer = people::log_in(bed, body).await;
        assert_eq!(people::cookie_of(&answer), None);
        seen.push(bare(answer.expect(403)));
    }
    assert_eq!(seen[0], seen[1]);

    // Nothing happened to any of them.
    let now = theirs.me(bed).await.ok();
    assert_eq!(
        (&now["session_id"], &now["account"]["role"]),
        (&me["session_id"], &json!("owner"))
    );
    assert_eq!(list(&theirs).await, before);
    let call = theirs.ask(bed, "GET", "/dashboard/api/members");
    let members = call.send().await.ok();
    assert_eq!(members["invitations"][0]["id"], invitation.as_str());
}
