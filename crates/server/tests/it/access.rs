//! Every row of the route table against every credential, and pairs of them. What must come out is
//! worked out here from the design's rules alone, by a second, small hand.

mod deck;
mod hands;
mod make;
mod rules;

pub(crate) use self::{
    deck::ROLES,
    make::{issue, unknown},
    rules::COOKIE,
};

use recado_api::{RouteRow, Surface, auth::Rule};
use recado_model::{TokenKind, clock::OsRng};
use serde_json::{Value, json};

use self::{
    deck::{Deck, deck, guest},
    hands::hands,
    rules::{Due, Hand, Slot, Whose, Worth, due, due_mcp},
};
use crate::gateway::{Answer, Bed, SHOP};

on_both! {
    every_row_against_every_credential,
    every_row_of_the_other_surfaces_too,
    foreign_and_missing_are_the_same_bytes,
    nothing_is_looked_up_before_the_proof,
    the_query_is_no_way_in,
}

#[test]
fn the_committed_matrix_is_the_programs() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/access-matrix.md");
    let committed = std::fs::read_to_string(path)
        .expect("docs/access-matrix.md exists: `recado docs` writes it");
    assert_eq!(
        committed,
        recado_api::access_matrix(),
        "run `recado docs` and look at what changed"
    );
}

fn conflict_is(surface: Surface, body: &Value) -> bool {
    match surface {
        Surface::Direct => body["error"]
            .as_str()
            .is_some_and(|text| text.contains("header")),
        Surface::Mcp => body["error"]["code"] == -32600,
        _ => body["error_code"] == "conflicting_credentials",
    }
}

fn check(row: &RouteRow, hand: &Hand, due: Due, answer: &Answer) -> Option<String> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let text = body["error"].as_str().unwrap_or_default();
    let challenged = answer.headers.contains_key("www-authenticate");
    let holds = match due {
        Due::Pass => {
            let conflict = answer.status == 400 && conflict_is(row.surface, &body);
            !conflict && !matches!(answer.status, 401 | 403 | 500..)
        }
        Due::Conflict => answer.status == 400 && conflict_is(row.surface, &body),
        Due::Unauthorized => {
            let words = match (row.surface, row.rule) {
                (Surface::Direct, Rule::OptionalMcp) => true,
                // The shop is asked for first.
                (Surface::Direct, Rule::DirectClaim)
                    if hand
                        .worth(Slot::Bearer, Surface::Mcp)
                        .is_none_or(|worth| worth == Worth::Bad) =>
                {
                    text.starts_with("Unauthorized: ")
                }
                (Surface::Direct, _) if hand.has(Slot::Key) => text == "API key invalida",
                (Surface::Direct, _) => text == "API key requerida",
                (Surface::Mcp, _) => body["error"]["code"] == -32000,
                _ => body["error_code"] == "unauthorized" && body["code"] == 401,
            };
            answer.status == 401 && challenged && words
        }
        Due::Forbidden if row.surface == Surface::Direct => {
            answer.status == 403 && !text.is_empty()
        }
        Due::Forbidden => answer.status == 403 && body["error_code"] == "forbidden",
        Due::RoleTooLow => answer.status == 403 && body["error_code"] == "role_too_low",
        Due::NotYours => {
            answer.status == 401 && body == json!({"error": "Session does not belong to your shop"})
        }
    };
    let traced = answer.header("x-request-id").starts_with("RQ");
    (!holds || !traced).then(|| {
        format!(
            "{} {} with {}: due {due:?}, got {answer:?}",
            row.method, row.path, hand.name
        )
    })
}

async fn every_row_against_every_credential(bed: &mut Bed) {
    every_row(bed, |surface| surface == Surface::Instance).await;
}

async fn every_row_of_the_other_surfaces_too(bed: &mut Bed) {
    every_row(bed, |surface| surface != Surface::Instance).await;
}

async fn every_row(bed: &mut Bed, of: impl Fn(Surface) -> bool) {
    let deck = deck(bed).await;
    let hands = hands(&deck);
    let mut wrong = Vec::new();
    let mut asked = 0;
    for row in recado_api::routes() {
        if !of(row.surface) {
            continue;
        }
        // Open rows look at no credential, and the dashboard's take none of these: a sample of the hands
        // is enough there.
        let sampled = row.rule == Rule::Public || row.surface == Surface::Dashboard;
        let every = if sampled { 8 } else { 1 };
        for hand in hands.iter().step_by(every) {
            // There it counts: see `people_access`.
            if row.surface == Surface::Dashboard && hand.has_our_cookie() {
                continue;
            }
            let both = [Whose::FirstShop, Whose::Guest];
            let sessions = if row.rule == Rule::DirectClaim { 2 } else { 1 };
            for whose in &both[..sessions] {
                let due = due(&row, hand, *whose);
                let asking = ask(bed, &deck, &row, hand, *whose, due == Due::Pass);
                let Some(answer) = asking.await else {
                    continue;
                };
                asked += 1;
                wrong.extend(check(&row, hand, due, &answer));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {asked} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(asked > 2_000, "only {asked} were asked");
}

fn headers_of(hand: &Hand) -> impl Iterator<Item = (&str, &str)> {
    let cards = hand
        .cards
        .iter()
        .map(|card| (card.slot.header(), card.text.as_str()));
    let extra = hand.extra.iter();
    cards.chain(extra.map(|(name, value)| (*name, value.as_str())))
}

/// `None` where a hand would do the same as another, expensively, or ends what the others need.
async fn ask(
    bed: &Bed,
    deck: &Deck,
    row: &RouteRow,
    hand: &Hand,
    whose: Whose,
    passes: bool,
) -> Option<Answer> {
    // `initialize` is open to who shows nothing; the endpoint's rows judge the rest.
    if row.path == "initialize" {
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"});
        let answer = bed
            .post("/api/mcp/")
            .headers(headers_of(hand))
            .json(hello)
            .send()
            .await;
        let due = match due_mcp(hand) {
            Due::Conflict => 400,
            Due::Unauthorized if hand.has(Slot::Bearer) => 401,
            _ => 200,
        };
        assert_eq!(answer.status, due, "{}: {answer:?}", hand.name);
        return None;
    }
    if row.method == "MCP" {
        // Through the gate is enough here: what tools do is `mcp`'s business.
        let message = match row.path.strip_prefix("tools/call ") {
            Some(tool) => json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call",
                "params": {"name": tool, "arguments": {"session_id": "not a number", "label": 5, "phone": {}}}}),
            None if row.path == "notifications/*" => {
                json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
            }
            None => json!({"jsonrpc": "2.0", "id": 7, "method": row.path}),
        };
        return Some(
            bed.post("/api/mcp/")
                .headers(headers_of(hand))
                .json(message)
                .send()
                .await,
        );
    }
    if row.rule == Rule::ClientCredentials {
        return None;
    }
    // What passes and cannot be undone gets an instance of its own, where its headers allow that.
    let mut id = deck.a1.id.clone();
    if passes && row.method == "DELETE" && row.path.contains("{id}") {
        if hand.has(Slot::Instance) || hand.restricted() {
            return None;
        }
        id = bed.create(&bed.a, json!({"name": "Short lived"})).await.id;
    }
    // Every JWT of the deck would be dead.
    if passes && row.path == "/account/sign-out" {
        return None;
    }
    let mut hand = hand.clone();
    let mut session = match whose {
        Whose::FirstShop => deck.session_name.clone(),
        Whose::Guest => deck.guest.name.clone(),
    };
    // Nor is a claim undone.
    if passes && whose == Whose::Guest {
        let fresh = guest(bed).await;
        session = fresh.name;
        let keys = hand.cards.iter_mut().filter(|card| card.slot == Slot::Key);
        keys.for_each(|card| card.text.clone_from(&fresh.key));
    }
    let hand = &hand;
    let headers = || headers_of(hand);
    let mut path = deck.path(row, &id, &session);
    if row.path.ends_with("/session/qr") {
        // Past the guard nobody needs to pair for this.
        path.push_str("?format=nonsense");
    }
    let call = bed.call(&row.method, &path).headers(headers());
    let call = match (row.surface, row.method.as_str()) {
        (Surface::Dashboard, _) => call.header("origin", &bed.gateway().base_url),
        (Surface::Mcp, "POST") => call.json(json!({"jsonrpc": "2.0", "id": 7, "method": "ping"})),
        // A body that no handler takes: the guard comes first, and nothing happens when it passes.
        (_, "POST" | "PUT") if row.path != "/sessions" => call.body("["),
        (_, "POST") => call.json(json!({"label": "x".repeat(300)})),
        _ => call,
    };
    Some(call.send().await)
}

type Bare = (u16, Vec<(String, Vec<u8>)>, Vec<u8>);

/// Status, headers and body, without what differs each time.
pub(crate) fn bare(answer: Answer) -> Bare {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    headers.sort();
    (answer.status, headers, answer.body)
}

async fn foreign_and_missing_are_the_same_bytes(bed: &mut Bed) {
    let mine = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let missing = recado_model::InstanceId::random(&OsRng).to_string();
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", mine.token.as_str()),
    ];
    let jwt = format!("Bearer {}", bed.a.jwt);
    let owner = [("authorization", jwt.as_str())];
    for row in recado_api::routes() {
        if row.surface != Surface::Instance || !row.path.contains("{id}") {
            continue;
        }
        let path = |id: &str| row.path.replace("{id}", id).replace("{phone}", SHOP);
        let mut proofs: Vec<&[(&str, &str)]> = vec![&owner];
        if row.rule == Rule::Instance {
            proofs.push(&pair);
        }
        for proof in proofs {
            let mut seen = Vec::new();
            for id in [
                theirs.id.as_str(),
                missing.as_str(),
                "nonsense",
                "%ff",
                "RC%00",
                "..%2f..",
            ] {
                let answer = bed
                    .call(&row.method, &path(id))
                    .headers(proof.iter().copied());
                seen.push(bare(answer.body("[").send().await));
            }
            assert_eq!(seen[0].0, 403, "{row:?}");
            assert!(seen.iter().all(|one| *one == seen[0]), "{row:?}: {seen:?}");
        }
    }
    // By an id in a body too.
    let mut bodies = Vec::new();
    for id in [theirs.id.as_str(), missing.as_str()] {
        let answer = bed
            .post("/instances/get")
            .bearer(&bed.a.jwt)
            .json(json!({"id": id}))
            .send()
            .await;
        bodies.push(bare(answer.expect(403)));
    }
    assert_eq!(bodies[0], bodies[1]);

    // The Direct API: 401 in the contract's words.
    let mut keys = Vec::new();
    for shop in [&bed.a, &bed.b] {
        let created = bed
            .post("/sessions")
            .bearer(&shop.api_token)
            .json(json!({}))
            .send()
            .await
            .ok();
        keys.push(created);
    }
    let key = keys[0]["apiKey"].as_str().expect("a key");
    let name = unknown(TokenKind::DirectName);
    for (method, below) in [("GET", ""), ("GET", "/qr"), ("POST", "/messages")] {
        let mut seen = Vec::new();
        for session in [
            keys[1]["key"].as_str().expect("a name"),
            keys[1]["id"].as_str().expect("an id"),
            theirs.id.as_str(),
            name.as_str(),
            missing.as_str(),
            "nonsense",
        ] {
            let call = bed.call(method, &format!("/sessions/{session}{below}"));
            seen.push(bare(call.header("x-api-key", key).send().await));
        }
        assert_eq!(seen[0].0, 401, "{method} {below}");
        assert_eq!(
            seen[0].2,
            br#"{"error":"Session does not belong to your shop"}"#
        );
        assert!(
            seen.iter().all(|one| *one == seen[0]),
            "{method} {below}: {seen:?}"
        );
    }
}

async fn nothing_is_looked_up_before_the_proof(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    let missing = recado_model::InstanceId::random(&OsRng).to_string();
    let pair_of_b = [
        ("x-client-token", "ct_junk"),
        ("x-instance-token", made.token.as_str()),
    ];
    for headers in [&[][..], &pair_of_b] {
        let mut bodies = Vec::new();
        for id in [made.id.as_str(), &missing] {
            let path = format!("/instances/{id}/session/status");
            let answer = bed.get(&path).headers(headers.iter().copied()).send().await;
            bodies.push(answer.expect(401).body);
        }
        assert_eq!(bodies[0], bodies[1]);
    }
    // Nor is the body read: junk, or nothing at all of ten gigabytes, is 401 like anything else.
    let junk = bed
        .post(&made.path("/chat/send/text"))
        .body("{")
        .send()
        .await;
    junk.refused(401, "unauthorized");
    let request = format!(
        "POST /instances/{}/chat/send/text HTTP/1.1\r\nhost: x\r\ncontent-length: 10000000000\r\n\r\n{{",
        made.id
    );
    let answer = crate::wire::exchange(bed.address(), request.as_bytes()).await;
    assert_eq!(crate::wire::status(&answer), 401, "{answer}");
}

async fn the_query_is_no_way_in(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Here"})).await;
    let created = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}))
        .send()
        .await
        .ok();
    let (name, key) = (
        created["key"].as_str().expect("a name"),
        created["apiKey"].as_str().expect("a key"),
    );
    let query = format!(
        "?access_token={}&authorization=Bearer%20{}&client_token={}&instance_token={}&x-client-token={}&x-instance-token={}&api_key={key}&x-api-key={key}&token={}",
        bed.a.jwt,
        bed.a.jwt,
        bed.a.client_token,
        made.token,
        bed.a.client_token,
        made.token,
        bed.a.api_token,
    );
    for (method, path) in [
        ("GET", made.path("/session/status")),
        ("GET", made.path("")),
        ("POST", "/instances/list".to_owned()),
        ("GET", format!("/sessions/{name}")),
        ("DELETE", "/api/mcp/".to_owned()),
    ] {
        let answer = bed.call(method, &format!("{path}{query}")).send().await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(!answer.text().contains(&bed.a.jwt), "{answer:?}");
    }
    // The route is judged by its parsed path, whatever the query spells.
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    for path in [
        format!("/instances/list?{}", made.path("/session/status")),
        format!("/instances/list?x=/instances/{}/webhook", made.id),
    ] {
        bed.post(&path)
            .headers(pair)
            .json(json!({}))
            .send()
            .await
            .refused(401, "unauthorized");
    }
}
