//! Every row of the route table against every credential, and pairs of them. What must come out is
//! worked out here from the design's rules alone, by a second, small hand.

use recado_api::{RouteRow, Surface, auth::Rule};
use recado_model::{
    CredentialId, Timestamp, Token, TokenKind, clock::OsRng, credential::CredentialKind,
};
use recado_store::credentials::NewCredential;
use serde_json::{Value, json};

use crate::harness::{Answer, Bed, Made, SHOP};

on_both! {
    every_row_against_every_credential,
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

/// What one header's value is worth in its slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Worth {
    /// Not a credential of this slot, or not live.
    Bad,
    /// Holds, for the first or the second shop.
    Shop(char),
    /// Holds, for one instance: shop and which of its instances.
    Instance(char, char),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Slot {
    Bearer,
    Client,
    Instance,
    Key,
}

impl Slot {
    fn header(self) -> &'static str {
        match self {
            Self::Bearer => "authorization",
            Self::Client => "x-client-token",
            Self::Instance => "x-instance-token",
            Self::Key => "x-api-key",
        }
    }
}

/// A value for a slot, with its worth as the instance API, MCP or the Direct API sees it.
#[derive(Clone, Debug)]
struct Card {
    name: String,
    slot: Slot,
    text: String,
    /// A bearer is worth something at one surface only.
    at: Option<Surface>,
    worth: Worth,
}

impl Card {
    fn worth(&self, surface: Surface) -> Worth {
        match self.at {
            Some(at) if at == surface || self.slot != Slot::Bearer => self.worth,
            Some(_) | None => Worth::Bad,
        }
    }
}

/// What is sent: cards in order (a slot twice is a duplicate).
#[derive(Clone, Debug)]
struct Hand {
    name: String,
    cards: Vec<Card>,
    extra: Vec<(&'static str, String)>,
}

impl Hand {
    fn of(cards: &[&Card]) -> Self {
        let names: Vec<_> = cards.iter().map(|card| card.name.as_str()).collect();
        Self {
            name: if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(" + ")
            },
            cards: cards.iter().map(|card| (*card).clone()).collect(),
            extra: Vec::new(),
        }
    }

    fn has(&self, slot: Slot) -> bool {
        self.cards.iter().any(|card| card.slot == slot)
    }

    fn repeated(&self) -> bool {
        let mut slots: Vec<_> = self.cards.iter().map(|card| card.slot).collect();
        slots.sort();
        slots.windows(2).any(|two| two[0] == two[1])
    }

    fn worth(&self, slot: Slot, surface: Surface) -> Option<Worth> {
        let card = self.cards.iter().find(|card| card.slot == slot)?;
        Some(card.worth(surface))
    }
}

/// Must come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    Pass,
    /// 400 `conflicting_credentials` in the words of the surface.
    Conflict,
    Unauthorized,
    Forbidden,
    /// The Direct API's 401 for a session that is not the caller's.
    NotYours,
}

fn shop_of(worth: Worth) -> Option<char> {
    match worth {
        Worth::Bad => None,
        Worth::Shop(shop) | Worth::Instance(shop, _) => Some(shop),
    }
}

/// The rules 1 to 5, for a row whose ids name the first shop's first instance and session.
fn due(rule: Rule, hand: &Hand) -> Due {
    match rule {
        Rule::Public => Due::Pass,
        Rule::Owner | Rule::OwnerInstance | Rule::Instance => due_instance(rule, hand),
        Rule::Mcp | Rule::McpOpenInitialize => due_mcp(hand),
        Rule::OptionalMcp | Rule::Session | Rule::SessionName => due_direct(rule, hand),
        // Its credentials are in the body; see `token`.
        Rule::ClientCredentials => Due::Pass,
    }
}

fn due_instance(rule: Rule, hand: &Hand) -> Due {
    let at = Surface::Instance;
    if hand.repeated() || hand.has(Slot::Key) {
        return Due::Conflict;
    }
    let [bearer, client, instance] =
        [Slot::Bearer, Slot::Client, Slot::Instance].map(|slot| hand.worth(slot, at));
    let shown: Vec<Worth> = [bearer, client, instance].into_iter().flatten().collect();
    let by_pair = rule == Rule::Instance && client.is_some() && instance.is_some();
    if shown.contains(&Worth::Bad) || (bearer.is_none() && !by_pair) {
        return Due::Unauthorized;
    }
    let one_shop = shown
        .iter()
        .all(|worth| shop_of(*worth) == shop_of(shown[0]));
    let here = shop_of(shown[0]) == Some('a')
        && instance.is_none_or(|worth| worth == Worth::Instance('a', '1'));
    match rule {
        // No instance is named: what is presented must only agree.
        Rule::Owner if one_shop => Due::Pass,
        _ if one_shop && here => Due::Pass,
        _ => Due::Forbidden,
    }
}

fn due_mcp(hand: &Hand) -> Due {
    let foreign = [Slot::Client, Slot::Instance, Slot::Key];
    if hand.repeated() || foreign.iter().any(|slot| hand.has(*slot)) {
        return Due::Conflict;
    }
    match hand.worth(Slot::Bearer, Surface::Mcp) {
        None | Some(Worth::Bad) => Due::Unauthorized,
        Some(_) => Due::Pass,
    }
}

fn due_direct(rule: Rule, hand: &Hand) -> Due {
    let mut foreign = vec![Slot::Client, Slot::Instance];
    if rule != Rule::OptionalMcp {
        foreign.push(Slot::Bearer);
    }
    if hand.repeated() || foreign.iter().any(|slot| hand.has(*slot)) {
        return Due::Conflict;
    }
    let bearer = hand.worth(Slot::Bearer, Surface::Mcp);
    let key = hand.worth(Slot::Key, Surface::Direct);
    if [bearer, key].contains(&Some(Worth::Bad)) {
        return Due::Unauthorized;
    }
    match (rule, bearer, key) {
        (Rule::OptionalMcp, Some(bearer), Some(key)) if shop_of(bearer) != shop_of(key) => {
            Due::NotYours
        }
        (Rule::OptionalMcp, ..) => Due::Pass,
        (Rule::SessionName, _, None) => Due::Pass,
        (_, _, None) => Due::Unauthorized,
        (_, _, Some(key)) if shop_of(key) == Some('a') => Due::Pass,
        _ => Due::NotYours,
    }
}

/// Everything that the two shops hold, live and dead.
struct Deck {
    cards: Vec<Card>,
    a1: Made,
    session_name: String,
}

impl Deck {
    fn get(&self, name: &str) -> &Card {
        let found = self.cards.iter().find(|card| card.name == name);
        found.unwrap_or_else(|| panic!("no card {name}"))
    }

    fn text(&self, name: &str) -> &str {
        &self.get(name).text
    }

    /// The path of a row, its parameters filled with what is the first shop's.
    fn path(&self, row: &RouteRow, id: &str) -> String {
        row.path
            .replace("{id}", id)
            .replace("{phone}", SHOP)
            .replace("{key}", &self.session_name)
            .replace("{*path}", "somewhere")
    }
}

fn unknown(kind: TokenKind) -> String {
    Token::random(kind, &OsRng).expose().to_owned()
}

/// A further credential of shop A; `dead` says when its life ends.
async fn issue(
    bed: &Bed,
    kind: CredentialKind,
    instance: Option<&Made>,
    parent: Option<&CredentialId>,
    not_after: Option<Timestamp>,
) -> (CredentialId, String) {
    let (id, token) = (
        CredentialId::random(&OsRng),
        Token::random(kind.token_kind(), &OsRng),
    );
    let instance = instance.map(Made::instance);
    let now = recado_model::Clock::now(&*bed.clock);
    let new = NewCredential {
        id: id.clone(),
        token: &token,
        kind,
        label: Some("extra"),
        instance: instance.as_ref(),
        parent,
        not_after,
    };
    let mut conn = bed.write().await;
    conn.account(&bed.a.id)
        .issue(new, now)
        .await
        .expect("issued");
    conn.commit().await.expect("commit");
    (id, token.expose().to_owned())
}

async fn deck(bed: &mut Bed) -> Deck {
    let a1 = bed.create(&bed.a, json!({"name": "A one"})).await;
    let a2 = bed.create(&bed.a, json!({"name": "A two"})).await;
    let b1 = bed.create(&bed.b, json!({"name": "B one"})).await;
    let mut sessions = Vec::new();
    for shop in [&bed.a, &bed.b] {
        let created = bed
            .post("/sessions")
            .bearer(&shop.api_token)
            .json(json!({}))
            .send()
            .await
            .ok();
        let text = |name: &str| created[name].as_str().expect("text").to_owned();
        sessions.push((text("id"), text("key"), text("apiKey")));
    }
    let session = Made {
        id: sessions[0].0.clone(),
        token: String::new(),
        number: 0,
    };

    // Credentials that are about to die: by time, and by the owner's hand.
    let soon = Some(recado_model::Clock::now(&*bed.clock).plus_secs(60));
    let kinds = [
        (CredentialKind::ClientToken, None),
        (CredentialKind::InstanceToken, Some(&a1)),
        (CredentialKind::ApiToken, None),
        (CredentialKind::SessionKey, Some(&session)),
    ];
    let (mut expired, mut revoked) = (Vec::new(), Vec::new());
    for (kind, instance) in kinds {
        expired.push(issue(bed, kind, instance, None, soon).await.1);
        revoked.push(issue(bed, kind, instance, None, None).await);
    }
    let (doomed, doomed_token) = issue(bed, CredentialKind::ClientToken, None, None, None).await;
    let (_, doomed_secret) =
        issue(bed, CredentialKind::ClientSecret, None, Some(&doomed), None).await;
    let old_jwt = bed.a.jwt.clone();
    bed.clock.jump_secs(3601);
    bed.log_in().await;
    let body = json!({"client_token": doomed_token, "client_secret": doomed_secret});
    let doomed_jwt = bed.post("/token").json(body).send().await.ok();
    let doomed_jwt = doomed_jwt["access_token"]
        .as_str()
        .expect("a token")
        .to_owned();
    bed.get(&a1.path(""))
        .bearer(&doomed_jwt)
        .send()
        .await
        .expect(200);
    let now = recado_model::Clock::now(&*bed.clock);
    let mut conn = bed.write().await;
    for id in revoked.iter().map(|(id, _)| id).chain([&doomed]) {
        assert!(
            conn.account(&bed.a.id)
                .revoke(id, now)
                .await
                .expect("revoked")
        );
    }
    conn.commit().await.expect("commit");
    bed.gateway().app.access().invalidate();

    let mut cards = Vec::new();
    let mut card = |name: &str, slot: Slot, text: String, at: Option<Surface>, worth: Worth| {
        cards.push(Card {
            name: name.to_owned(),
            slot,
            text,
            at,
            worth,
        });
    };
    use Worth::{Bad, Instance, Shop};
    let bearer = |token: &str| format!("Bearer {token}");
    let (inst, mcp, direct) = (
        Some(Surface::Instance),
        Some(Surface::Mcp),
        Some(Surface::Direct),
    );
    card("jwt", Slot::Bearer, bearer(&bed.a.jwt), inst, Shop('a'));
    card(
        "jwt lower",
        Slot::Bearer,
        format!("bearer {}", bed.a.jwt),
        inst,
        Shop('a'),
    );
    card(
        "jwt upper",
        Slot::Bearer,
        format!("BEARER {}", bed.a.jwt),
        inst,
        Shop('a'),
    );
    card(
        "jwt of b",
        Slot::Bearer,
        bearer(&bed.b.jwt),
        inst,
        Shop('b'),
    );
    card("jwt expired", Slot::Bearer, bearer(&old_jwt), None, Bad);
    card("jwt revoked", Slot::Bearer, bearer(&doomed_jwt), None, Bad);
    card(
        "jwt cut",
        Slot::Bearer,
        bearer(&bed.a.jwt[..bed.a.jwt.len() - 3]),
        None,
        Bad,
    );
    card(
        "jwt unsigned",
        Slot::Bearer,
        bearer(&unsigned(&bed.a.jwt)),
        None,
        Bad,
    );
    card("jwt bare", Slot::Bearer, bed.a.jwt.clone(), None, Bad);
    card("no token", Slot::Bearer, "Bearer".to_owned(), None, Bad);
    card("basic", Slot::Bearer, "Basic YTpi".to_owned(), None, Bad);
    card("wz", Slot::Bearer, bearer(&bed.a.api_token), mcp, Shop('a'));
    card(
        "wz lower",
        Slot::Bearer,
        format!("bearer {}", bed.a.api_token),
        mcp,
        Shop('a'),
    );
    card(
        "wz of b",
        Slot::Bearer,
        bearer(&bed.b.api_token),
        mcp,
        Shop('b'),
    );
    card("wz malformed", Slot::Bearer, bearer("wz_junk"), None, Bad);
    card(
        "wz unknown",
        Slot::Bearer,
        bearer(&unknown(TokenKind::Api)),
        None,
        Bad,
    );
    card("wz expired", Slot::Bearer, bearer(&expired[2]), None, Bad);
    card("wz revoked", Slot::Bearer, bearer(&revoked[2].1), None, Bad);
    card(
        "ct",
        Slot::Client,
        bed.a.client_token.clone(),
        inst,
        Shop('a'),
    );
    card(
        "ct of b",
        Slot::Client,
        bed.b.client_token.clone(),
        inst,
        Shop('b'),
    );
    card(
        "ct malformed",
        Slot::Client,
        "ct_junk".to_owned(),
        inst,
        Bad,
    );
    card("ct empty", Slot::Client, String::new(), inst, Bad);
    card(
        "ct unknown",
        Slot::Client,
        unknown(TokenKind::Client),
        inst,
        Bad,
    );
    card("ct expired", Slot::Client, expired[0].clone(), inst, Bad);
    card("ct revoked", Slot::Client, revoked[0].1.clone(), inst, Bad);
    card(
        "inst",
        Slot::Instance,
        a1.token.clone(),
        inst,
        Instance('a', '1'),
    );
    card(
        "inst of a2",
        Slot::Instance,
        a2.token.clone(),
        inst,
        Instance('a', '2'),
    );
    card(
        "inst of b",
        Slot::Instance,
        b1.token.clone(),
        inst,
        Instance('b', '1'),
    );
    card(
        "inst malformed",
        Slot::Instance,
        "inst_junk".to_owned(),
        inst,
        Bad,
    );
    card(
        "inst unknown",
        Slot::Instance,
        unknown(TokenKind::Instance),
        inst,
        Bad,
    );
    card(
        "inst expired",
        Slot::Instance,
        expired[1].clone(),
        inst,
        Bad,
    );
    card(
        "inst revoked",
        Slot::Instance,
        revoked[1].1.clone(),
        inst,
        Bad,
    );
    card("sk", Slot::Key, sessions[0].2.clone(), direct, Shop('a'));
    card(
        "sk of b",
        Slot::Key,
        sessions[1].2.clone(),
        direct,
        Shop('b'),
    );
    card("sk malformed", Slot::Key, "sk_junk".to_owned(), direct, Bad);
    card(
        "sk unknown",
        Slot::Key,
        unknown(TokenKind::Session),
        direct,
        Bad,
    );
    card("sk expired", Slot::Key, expired[3].clone(), direct, Bad);
    card("sk revoked", Slot::Key, revoked[3].1.clone(), direct, Bad);
    Deck {
        cards,
        a1,
        session_name: sessions[0].1.clone(),
    }
}

/// The same claims under `alg: none`.
fn unsigned(jwt: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = jwt.split('.').nth(1).expect("claims");
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt","kid":"x"}"#);
    format!("{header}.{claims}.")
}

/// Each card alone, and every combination that tells rules apart.
fn hands(deck: &Deck) -> Vec<Hand> {
    let of = |names: &[&str]| {
        let cards: Vec<_> = names.iter().map(|name| deck.get(name)).collect();
        Hand::of(&cards)
    };
    let mut hands = vec![of(&[])];
    hands.extend(deck.cards.iter().map(|card| Hand::of(&[card])));
    for names in [
        // The pair, and what may be wrong with it.
        vec!["ct", "inst"],
        vec!["ct of b", "inst of b"],
        vec!["ct", "inst of b"],
        vec!["ct of b", "inst"],
        vec!["ct", "inst of a2"],
        vec!["ct", "inst unknown"],
        vec!["ct", "inst expired"],
        vec!["ct", "inst revoked"],
        vec!["ct", "inst malformed"],
        vec!["ct unknown", "inst"],
        vec!["ct expired", "inst"],
        vec!["ct revoked", "inst"],
        vec!["ct empty", "inst"],
        // With a JWT: all must hold and agree.
        vec!["jwt", "ct", "inst"],
        vec!["jwt", "ct"],
        vec!["jwt", "inst"],
        vec!["jwt", "ct of b"],
        vec!["jwt", "inst of b"],
        vec!["jwt", "inst of a2"],
        vec!["jwt of b", "ct", "inst"],
        vec!["jwt", "ct of b", "inst of b"],
        vec!["jwt of b", "ct of b", "inst of b"],
        vec!["jwt expired", "ct", "inst"],
        vec!["jwt revoked", "ct", "inst"],
        vec!["jwt", "ct unknown", "inst"],
        vec!["jwt", "ct", "inst revoked"],
        vec!["wz", "ct", "inst"],
        // Other surfaces' credentials beside good ones.
        vec!["jwt", "sk"],
        vec!["ct", "inst", "sk"],
        vec!["wz", "sk"],
        vec!["wz", "sk of b"],
        vec!["wz of b", "sk"],
        vec!["wz unknown", "sk"],
        vec!["wz", "sk revoked"],
        vec!["wz", "ct"],
        vec!["wz", "inst"],
        vec!["sk", "ct"],
        vec!["sk", "inst"],
        // Given twice: equal, good then bad, bad then good.
        vec!["jwt", "jwt"],
        vec!["jwt", "jwt expired"],
        vec!["jwt expired", "jwt"],
        vec!["jwt", "wz"],
        vec!["ct", "ct", "inst"],
        vec!["ct", "ct of b", "inst"],
        vec!["ct", "inst", "inst"],
        vec!["ct", "inst", "inst unknown"],
        vec!["wz", "wz"],
        vec!["wz", "wz unknown"],
        vec!["sk", "sk"],
        vec!["sk", "sk unknown"],
        vec!["sk unknown", "sk"],
    ] {
        hands.push(of(&names));
    }
    // Good tokens where none is looked for: a cookie is as nothing.
    let mut cookies = of(&[]);
    cookies.name = "cookies only".to_owned();
    let all = ["jwt", "wz", "ct", "inst", "sk"].map(|name| {
        let text = deck.text(name).trim_start_matches("Bearer ").to_owned();
        format!("{}={text}", deck.get(name).slot.header())
    });
    cookies.extra.push(("cookie", all.join("; ")));
    hands.push(cookies);
    hands
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

fn check(row: &RouteRow, hand: &Hand, answer: &Answer) -> Option<String> {
    let due = due(row.rule, hand);
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let text = body["error"].as_str().unwrap_or_default();
    let challenged = answer.headers.contains_key("www-authenticate");
    let holds = match due {
        Due::Pass => {
            !matches!(answer.status, 401 | 403 | 500..)
                && !(answer.status == 400 && conflict_is(row.surface, &body))
        }
        Due::Conflict => answer.status == 400 && conflict_is(row.surface, &body),
        Due::Unauthorized => {
            let words = match (row.surface, row.rule) {
                (Surface::Direct, Rule::OptionalMcp) => true,
                (Surface::Direct, _) if hand.has(Slot::Key) => text == "API key invalida",
                (Surface::Direct, _) => text == "API key requerida",
                (Surface::Mcp, _) => body["error"]["code"] == -32000,
                _ => body["error_code"] == "unauthorized" && body["code"] == 401,
            };
            answer.status == 401 && challenged && words
        }
        Due::Forbidden => answer.status == 403 && body["error_code"] == "forbidden",
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

async fn every_row_against_every_credential(mut bed: Bed) {
    let deck = deck(&mut bed).await;
    let hands = hands(&deck);
    let mut wrong = Vec::new();
    let mut asked = 0;
    for row in recado_api::routes() {
        // Open rows look at no credential: a sample of the hands is enough there.
        let every = if row.rule == Rule::Public { 8 } else { 1 };
        for hand in hands.iter().step_by(every) {
            let passes = due(row.rule, hand) == Due::Pass;
            let Some(answer) = ask(&bed, &deck, &row, hand, passes).await else {
                continue;
            };
            asked += 1;
            wrong.extend(check(&row, hand, &answer));
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

/// `None` where a hand would do the same as another, expensively, or ends what the others need.
async fn ask(bed: &Bed, deck: &Deck, row: &RouteRow, hand: &Hand, passes: bool) -> Option<Answer> {
    // `initialize` is open and looks at no bearer's worth; the endpoint's rows judge the rest.
    if row.path == "initialize" {
        let cards = hand
            .cards
            .iter()
            .map(|card| (card.slot.header(), card.text.as_str()));
        let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize"});
        let answer = bed
            .post("/api/mcp/")
            .headers(cards)
            .json(hello)
            .send()
            .await;
        let conflict = due_mcp(hand) == Due::Conflict;
        assert_eq!(
            answer.status,
            if conflict { 400 } else { 200 },
            "{}: {answer:?}",
            hand.name
        );
        return None;
    }
    let headers = || {
        let cards = hand
            .cards
            .iter()
            .map(|card| (card.slot.header(), card.text.as_str()));
        cards.chain(
            hand.extra
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        )
    };
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
                .headers(headers())
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
    if passes && row.method == "DELETE" && row.surface == Surface::Instance {
        if hand.has(Slot::Instance) {
            return None;
        }
        id = bed.create(&bed.a, json!({"name": "Short lived"})).await.id;
    }
    let call = bed
        .call(&row.method, &deck.path(row, &id))
        .headers(headers());
    let call = match (row.surface, row.method.as_str()) {
        (Surface::Mcp, "POST") => call.json(json!({"jsonrpc": "2.0", "id": 7, "method": "ping"})),
        // A body that no handler takes: the guard comes first, and nothing happens when it passes.
        (_, "POST" | "PUT") if row.path != "/sessions" => call.body("[]"),
        (_, "POST") => call.json(json!({"label": "x".repeat(300)})),
        _ => call,
    };
    Some(call.send().await)
}

async fn foreign_and_missing_are_the_same_bytes(bed: Bed) {
    let mine = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let theirs = bed.create(&bed.b, json!({"name": "Theirs"})).await;
    let missing = recado_model::InstanceId::random(&OsRng).to_string();
    let bare = |answer: Answer| {
        let mut headers: Vec<_> = answer
            .headers
            .iter()
            .filter(|(name, _)| !["x-request-id", "date"].contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
            .collect();
        headers.sort();
        (answer.status, headers, answer.body)
    };
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
    let name = unknown(TokenKind::SessionName);
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

async fn nothing_is_looked_up_before_the_proof(bed: Bed) {
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

async fn the_query_is_no_way_in(bed: Bed) {
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
