//! Everything that two shops hold, live and dead, and the hands that are dealt of it.

use recado_api::{RouteRow, Surface};
use recado_model::{
    CredentialId, Timestamp, Token, TokenKind, clock::OsRng, credential::CredentialKind,
};
use recado_store::credentials::NewCredential;
use serde_json::json;

use super::rules::{Card, Hand, Slot, Worth};
use crate::harness::{Bed, Made, SHOP};

/// Everything that the two shops hold, live and dead.
pub(super) struct Deck {
    pub(super) cards: Vec<Card>,
    pub(super) a1: Made,
    pub(super) session_name: String,
}

impl Deck {
    pub(super) fn get(&self, name: &str) -> &Card {
        let found = self.cards.iter().find(|card| card.name == name);
        found.unwrap_or_else(|| panic!("no card {name}"))
    }

    pub(super) fn text(&self, name: &str) -> &str {
        &self.get(name).text
    }

    /// The path of a row, its parameters filled with what is the first shop's.
    pub(super) fn path(&self, row: &RouteRow, id: &str) -> String {
        row.path
            .replace("{id}", id)
            .replace("{phone}", SHOP)
            .replace("{key}", &self.session_name)
            .replace("{*path}", "somewhere")
    }
}

pub(super) fn unknown(kind: TokenKind) -> String {
    Token::random(kind, &OsRng).expose().to_owned()
}

/// A further credential of shop A; `dead` says when its life ends.
pub(super) async fn issue(
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

pub(super) async fn deck(bed: &mut Bed) -> Deck {
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
pub(super) fn unsigned(jwt: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = jwt.split('.').nth(1).expect("claims");
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt","kid":"x"}"#);
    format!("{header}.{claims}.")
}

/// Each card alone, and every combination that tells rules apart.
pub(super) fn hands(deck: &Deck) -> Vec<Hand> {
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
