//! Everything that two shops hold, live and dead.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_api::{RouteRow, Surface};
use recado_model::{
    CredentialId, LinkId, Role, TokenKind, UserId, UserSessionId, clock::OsRng,
    credential::CredentialKind,
};
use serde_json::json;

use super::{
    make::{ELSEWHERE, issue, restrict, restricted, unknown},
    rules::{Card, PROXYS, Slot, Worth},
};
use crate::{
    gateway::{Bed, Made},
    people_access::people::{OWNER_A, OWNER_B, hire, sign_in},
};

pub(crate) const ROLES: [Role; 4] = [Role::Viewer, Role::Developer, Role::Admin, Role::Owner];

/// Everything that the two shops hold, live and dead.
pub(super) struct Deck {
    pub(super) cards: Vec<Card>,
    pub(super) a1: Made,
    pub(super) session_name: String,
    pub(super) guest: Guest,
    /// Of the first shop's owner.
    pub(super) cookie: String,
    /// Of a credential that nobody has.
    no_credential: CredentialId,
}

/// A session that belongs to nobody yet.
pub(super) struct Guest {
    pub(super) name: String,
    pub(super) key: String,
}

pub(super) async fn guest(bed: &Bed) -> Guest {
    let created = bed.post("/sessions").json(json!({})).send().await.ok();
    let text = |name: &str| created[name].as_str().expect("text").to_owned();
    Guest {
        name: text("key"),
        key: text("apiKey"),
    }
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
    pub(super) fn path(&self, row: &RouteRow, id: &str, session: &str) -> String {
        row.path
            .replace("{id}", id)
            .replace("{cid}", self.no_credential.as_str())
            .replace("{sid}", UserSessionId::random(&OsRng).as_str())
            .replace("{uid}", UserId::random(&OsRng).as_str())
            .replace("{lid}", LinkId::random(&OsRng).as_str())
            .replace("{phone}", "nonsense")
            .replace("{key}", session)
            .replace("{*path}", "somewhere")
    }
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
        (CredentialKind::DirectKey, Some(&session)),
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
    let early = sign_in(bed, OWNER_A).await;
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

    let only_a1 = restricted(bed, None, Some(&a1)).await;
    let only_a2 = restricted(bed, None, Some(&a2)).await;
    let elsewhere = restricted(bed, Some(ELSEWHERE), None).await;
    let mut kept = Vec::new();
    for (kind, instance, network, only) in [
        (CredentialKind::ApiToken, None, None, Some(&a1)),
        (CredentialKind::ApiToken, None, Some(ELSEWHERE), None),
        (
            CredentialKind::InstanceToken,
            Some(&a1),
            Some(ELSEWHERE),
            None,
        ),
        (
            CredentialKind::DirectKey,
            Some(&session),
            None,
            Some(&session),
        ),
        (CredentialKind::DirectKey, Some(&session), None, Some(&a1)),
        (
            CredentialKind::DirectKey,
            Some(&session),
            Some(ELSEWHERE),
            None,
        ),
    ] {
        let (id, token) = issue(bed, kind, instance, None, None).await;
        restrict(bed, &id, network, only).await;
        kept.push(token);
    }
    let guest = guest(bed).await;
    let mut people = Vec::new();
    for role in ROLES {
        let email = format!("{}@a.example", role.as_str());
        hire(bed, &bed.a.id, &email, role).await;
        people.push((role, sign_in(bed, &email).await));
    }
    let owner = sign_in(bed, OWNER_A).await;
    let owner_of_b = sign_in(bed, OWNER_B).await;
    let gone = sign_in(bed, OWNER_A).await;
    let bye = gone.ask(bed, "POST", "/logout").send().await;
    bye.expect(204);

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
    use Worth::{Bad, Instance, Only, Person, Shop};
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
    card(PROXYS, Slot::Bearer, "Basic YTpi".to_owned(), None, Bad);
    let ours = format!("{}:{}", bed.a.client_token, bed.a.client_secret);
    let ours = format!("Basic {}", BASE64_STANDARD.encode(ours));
    card("basic of ours", Slot::Bearer, ours, None, Bad);
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
        unknown(TokenKind::DirectKey),
        direct,
        Bad,
    );
    card("sk expired", Slot::Key, expired[3].clone(), direct, Bad);
    card("sk revoked", Slot::Key, revoked[3].1.clone(), direct, Bad);
    for (name, only, worth) in [
        ("only a1", &only_a1, Only('a', '1')),
        ("only a2", &only_a2, Only('a', '2')),
        ("elsewhere", &elsewhere, Bad),
    ] {
        let jwt = bearer(&only.jwt);
        card(&format!("jwt {name}"), Slot::Bearer, jwt, inst, worth);
        let client = only.client.clone();
        card(&format!("ct {name}"), Slot::Client, client, inst, worth);
    }
    let mut kept = kept.into_iter();
    for (name, slot, at, worth) in [
        ("wz only a1", Slot::Bearer, mcp, Only('a', '1')),
        ("wz elsewhere", Slot::Bearer, None, Bad),
        ("inst elsewhere", Slot::Instance, inst, Bad),
        ("sk only its own", Slot::Key, direct, Only('a', 's')),
        ("sk only a1", Slot::Key, direct, Only('a', '1')),
        ("sk elsewhere", Slot::Key, direct, Bad),
    ] {
        let token = kept.next().expect("one for each");
        let text = if slot == Slot::Bearer {
            bearer(&token)
        } else {
            token
        };
        card(name, slot, text, at, worth);
    }
    for (role, signed_in) in &people {
        let (name, jwt) = (format!("person {}", role.as_str()), bearer(&signed_in.jwt));
        card(&name, Slot::Bearer, jwt, inst, Person('a', *role));
    }
    let of_b = Person('b', Role::Owner);
    card(
        "person of b",
        Slot::Bearer,
        bearer(&owner_of_b.jwt),
        inst,
        of_b,
    );
    card(
        "person expired",
        Slot::Bearer,
        bearer(&early.jwt),
        None,
        Bad,
    );
    card("person gone", Slot::Bearer, bearer(&gone.jwt), None, Bad);
    let forms = ["unsigned", "bare", "cookie"];
    let texts = [
        bearer(&unsigned(&owner.jwt)),
        owner.jwt.clone(),
        bearer(&owner.cookie),
    ];
    for (form, text) in forms.into_iter().zip(texts) {
        card(&format!("person {form}"), Slot::Bearer, text, None, Bad);
    }
    card(
        "sk of guest",
        Slot::Key,
        guest.key.clone(),
        direct,
        Shop('g'),
    );
    Deck {
        cards,
        a1,
        session_name: sessions[0].1.clone(),
        guest,
        cookie: owner.cookie,
        no_credential: CredentialId::random(&OsRng),
    }
}

/// The same claims under `alg: none`.
pub(super) fn unsigned(jwt: &str) -> String {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = jwt.split('.').nth(1).expect("claims");
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt","kid":"x"}"#);
    format!("{header}.{claims}.")
}
