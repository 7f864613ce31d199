//! Every cookie that there may be, live and dead.

use recado_model::{Role, UserSessionId, clock::OsRng};
use serde_json::json;

use super::{
    people::{OWNER_A, OWNER_B, SignedIn, cookie_of, hire, join, sign_in},
    rules::{Page, Worth},
};
use crate::{
    access::{COOKIE, ROLES},
    browser::Names,
    gateway::{Bed, Made},
};

pub(super) const HOUR: i64 = 3600;

/// What is sent as `Cookie`: any number of lines.
pub(super) struct Card {
    pub(super) name: String,
    pub(super) lines: Vec<String>,
    pub(super) worth: Worth,
    /// Whom the page shows.
    pub(super) names: Names,
}

/// What is sent about the page.
pub(super) struct Sender {
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) page: Page,
}

pub(super) struct Deck {
    pub(super) cards: Vec<Card>,
    pub(super) a1: Made,
}

impl Deck {
    pub(super) fn get(&self, name: &str) -> &Card {
        let found = self.cards.iter().find(|card| card.name == name);
        found.unwrap_or_else(|| panic!("no card {name}"))
    }
}

/// Those whose time is over, or who were shown out, each in another way.
async fn dead(bed: &Bed) -> Vec<(&'static str, SignedIn)> {
    let mut dead = Vec::new();
    let hired = async |email: &str, role| hire(bed, &bed.a.id, email, role).await;
    let asked = async |who: &SignedIn, method: &str, path: &str, body| {
        let call = who.ask(bed, method, path).json(body);
        let answer = call.send().await;
        assert!([200, 204].contains(&answer.status), "{answer:?}");
        answer
    };
    let api = |below: &str| format!("/dashboard/api/{below}");

    // Time: unused for half a day; used all the time, for a month.
    let idle = sign_in(bed, OWNER_A).await;
    let absolute = sign_in(bed, OWNER_A).await;
    for _ in 0..(30 * 24 / 11) {
        bed.clock.jump_secs(11 * HOUR);
        absolute.me(bed).await.expect(200);
    }
    bed.clock.jump_secs(11 * HOUR);
    dead.extend([("idle", idle), ("a month old", absolute)]);

    let out = sign_in(bed, OWNER_A).await;
    out.ask(bed, "POST", "/logout").send().await.expect(204);
    dead.push(("signed out", out));
    let (one, other) = (sign_in(bed, OWNER_A).await, sign_in(bed, OWNER_A).await);
    let id = one.me(bed).await.ok()["session_id"].clone();
    let path = api(&format!("sessions/{}", id.as_str().expect("an id")));
    other.ask(bed, "DELETE", &path).send().await.expect(204);
    dead.push(("ended from elsewhere", one));
    let one = sign_in(bed, OWNER_A).await;
    asked(&other, "POST", &api("sessions/end-others"), json!({})).await;
    dead.push(("one of the others", one));

    // What changes people: as the owner, who has just given the password.
    let owner = other.confirmed(bed).await;
    for (name, email, method, body) in [
        ("raised", "raised@a.example", "PATCH", Some("owner")),
        ("lowered", "lowered@a.example", "PATCH", Some("viewer")),
        ("removed", "removed@a.example", "DELETE", None),
    ] {
        let user = hired(email, Role::Developer).await;
        let who = sign_in(bed, email).await;
        who.me(bed).await.expect(200);
        let path = api(&format!("members/{user}"));
        let mut call = owner.ask(bed, method, &path);
        if let Some(role) = body {
            call = call.json(json!({"role": role}));
        }
        call.send().await.expect(204);
        dead.push((name, who));
    }
    // One's own changes give a new cookie.
    hired("renewed@a.example", Role::Owner).await;
    let before = sign_in(bed, "renewed@a.example").await.confirmed(bed).await;
    let body = json!({"password": "another horse, another battery"});
    let answer = asked(&before, "POST", &api("password"), body).await;
    assert!(cookie_of(&answer).is_some_and(|new| new != before.cookie));
    dead.push(("before the new password", before));
    let moved = hired("moved@a.example", Role::Owner).await;
    join(bed, &bed.b.id, &moved, Role::Viewer).await;
    let before = sign_in(bed, "moved@a.example").await;
    let mine = before.me(bed).await.ok();
    let there = [&bed.a.id, &bed.b.id].map(recado_model::AccountId::as_str);
    let there = there.into_iter().find(|id| mine["account"]["id"] != *id);
    let body = json!({"account": there.expect("the other")});
    let answer = asked(&before, "POST", &api("account/switch"), body).await;
    assert!(cookie_of(&answer).is_some_and(|new| new != before.cookie));
    dead.push(("before the other account", before));
    // Everybody of the account.
    let everybody = sign_in(bed, OWNER_A).await;
    asked(&owner, "POST", &api("account/sign-out"), json!({})).await;
    dead.extend([
        ("signed out with all", everybody),
        ("who signed out all", owner),
    ]);
    dead
}

pub(super) async fn deck(bed: &mut Bed) -> Deck {
    let mut cards = Vec::new();
    let mut card = |name: &str, lines: Vec<String>, worth: Worth, names: &Names| {
        let (name, names) = (name.to_owned(), names.clone());
        cards.push(Card {
            name,
            lines,
            worth,
            names,
        });
    };
    let ours = |value: &str| format!("{COOKIE}={value}");
    for (name, who) in dead(bed).await {
        card(name, vec![ours(&who.cookie)], Worth::Nobody, &who.names);
    }
    bed.log_in().await;
    let a1 = bed.create(&bed.a, json!({"name": "A one"})).await;

    // Proven long ago first: the clock jumps for that.
    let mut people = Vec::new();
    for role in ROLES {
        let email = format!("{}@a.example", role.as_str());
        hire(bed, &bed.a.id, &email, role).await;
        let stale = sign_in(bed, &email).await.confirmed(bed).await;
        people.push((
            format!("{} proven before", role.as_str()),
            stale,
            'a',
            role,
            false,
        ));
    }
    bed.clock.jump_secs(600);
    for role in ROLES {
        let email = format!("{}@a.example", role.as_str());
        let role_name = role.as_str();
        people.push((
            role_name.to_owned(),
            sign_in(bed, &email).await,
            'a',
            role,
            false,
        ));
        let proven = sign_in(bed, &email).await.confirmed(bed).await;
        people.push((format!("{role_name} proven"), proven, 'a', role, true));
    }
    let of_b = sign_in(bed, OWNER_B).await;
    people.push(("owner of b".to_owned(), of_b, 'b', Role::Owner, false));
    let of_b = sign_in(bed, OWNER_B).await.confirmed(bed).await;
    people.push(("owner of b proven".to_owned(), of_b, 'b', Role::Owner, true));
    for (name, who, shop, role, proven) in &people {
        let (shop, role, proven) = (*shop, *role, *proven);
        let worth = Worth::Person { shop, role, proven };
        card(name, vec![ours(&who.cookie)], worth, &who.names);
    }

    let named = |name: &str| {
        let found = people.iter().find(|(one, ..)| one == name);
        found.expect("a person").1.clone()
    };
    let (owner, viewer) = (named("owner proven"), named("viewer").cookie);
    let (good, names) = (owner.cookie, &owner.names);
    let worth = Worth::Person {
        shop: 'a',
        role: Role::Owner,
        proven: true,
    };
    card("no cookie", vec![], Worth::Nobody, names);
    for (name, line) in [
        ("empty", ours("")),
        ("cut", ours(&good[1..])),
        ("longer", ours(&format!("{good}A"))),
        ("of another alphabet", ours(&format!("{}!", &good[1..]))),
        ("padded", ours(&format!("{}=", &good[1..]))),
        ("in upper case", ours(&good.to_uppercase())),
        ("quoted", ours(&format!("\"{good}\""))),
        (
            "escaped",
            ours(&good.replacen(&good[..1], &format!("%{:02x}", good.as_bytes()[0]), 1)),
        ),
        ("unknown", ours(&unknown())),
        ("an id", ours(UserSessionId::random(&OsRng).as_str())),
        ("an SQL text", ours("' OR 1=1 --")),
        ("by another name", format!("recado={good}")),
        (
            "by a name in small letters",
            format!("__host-recado={good}"),
        ),
        ("by another prefix", format!("__Secure-recado={good}")),
        ("by a longer name", format!("x{COOKIE}={good}")),
        ("without a name", good.clone()),
        ("inside another", format!("a=\"{COOKIE}={good}\"")),
    ] {
        card(name, vec![line], Worth::Nobody, names);
    }
    let among = format!("a=b;{}; {COOKIE}2=x", ours(&good));
    card("among others", vec![among], worth, names);
    card(
        "in a second line",
        vec!["a=b".to_owned(), ours(&good)],
        worth,
        names,
    );
    for (name, lines) in [
        ("twice", vec![format!("{}; {}", ours(&good), ours(&good))]),
        ("two lines", vec![ours(&good), ours(&good)]),
        (
            "good, then another's",
            vec![format!("{}; {}", ours(&good), ours(&viewer))],
        ),
        (
            "dead, then good",
            vec![format!("{}; {}", ours("x"), ours(&good))],
        ),
        ("good, then empty", vec![ours(&good), ours("")]),
    ] {
        card(name, lines, Worth::Twice, names);
    }
    Deck { cards, a1 }
}

/// As ours look, and nobody's.
fn unknown() -> String {
    "Ab-_".repeat(10) + "abc"
}

/// Every way in which a request may say where it comes from.
pub(super) fn pages(bed: &Bed) -> Vec<Sender> {
    let own = bed.gateway().base_url.clone();
    let port = own.rsplit(':').next().expect("a port").to_owned();
    let mut pages = Vec::new();
    let mut page = |page: Page, headers: &[(&'static str, &str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        let headers = headers.collect();
        pages.push(Sender { headers, page });
    };
    const ORIGIN: &str = "origin";
    const SITE: &str = "sec-fetch-site";
    page(Page::Ours, &[(ORIGIN, &own)]);
    for alias in ["localhost", "[::1]"] {
        page(Page::Ours, &[(ORIGIN, &format!("http://{alias}:{port}"))]);
    }
    page(Page::Ours, &[(SITE, "same-origin")]);
    page(Page::Ours, &[(ORIGIN, &own), (SITE, "same-origin")]);
    page(Page::Typed, &[(SITE, "none")]);
    page(Page::Silent, &[]);
    for site in ["cross-site", "same-site", "", "Same-Origin", "nonsense"] {
        page(Page::Foreign, &[(SITE, site)]);
    }
    for origin in [
        "https://evil.example".to_owned(),
        "null".to_owned(),
        String::new(),
        "*".to_owned(),
        "file://".to_owned(),
        own.replace("http://", "https://"),
        format!("http://127.0.0.1:{}", if port == "1" { "2" } else { "1" }),
        "http://127.0.0.1".to_owned(),
        format!("http://localhost.evil.example:{port}"),
        format!("http://127.0.0.1.evil.example:{port}"),
        format!("http://{}@evil.example", own.trim_start_matches("http://")),
        format!("http://192.0.2.1:{port}"),
    ] {
        page(Page::Foreign, &[(ORIGIN, &origin)]);
        // One header does not make up for the other.
        page(Page::Foreign, &[(ORIGIN, &origin), (SITE, "same-origin")]);
    }
    pages
}
