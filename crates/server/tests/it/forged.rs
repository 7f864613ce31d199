//! Owner JWTs that nobody issued: every trick with algorithm, header, claims, encoding and size that we
//! know, with a wrong signature and, where only a claim is wrong, with the right key. None opens
//! anything; the genuine token beside them always does.

mod corpus;
mod forge;

use proptest::{
    prelude::{Strategy, any},
    test_runner::{Config, TestRunner},
};
use recado_identity::Presented;
use recado_model::{ErrorCode, Role, Token, TokenKind};
use serde_json::json;

use self::forge::Forge;
use crate::{
    access::ROLES,
    gateway::Bed,
    people_access::people::{OWNER_A, OWNER_B, hire, sign_in},
};

on_both! {
    no_forged_token_is_accepted,
    every_changed_character_is_noticed,
    no_forged_token_is_active_or_revokes,
    a_token_too_long_is_not_even_decoded,
    no_text_at_all_is_accepted,
    no_forged_token_of_a_person_is_accepted,
    a_scope_raises_nobody,
}

/// Headers carry visible ASCII. What cannot be sent is shown to the proof itself.
fn can_be_sent(token: &str) -> bool {
    let visible = token.bytes().all(|b| (0x21..0x7f).contains(&b));
    visible && !token.is_empty() && token.len() < 15_000
}

async fn is_accepted(bed: &Bed, token: &str) -> bool {
    let presented = Presented {
        bearer: Some(token),
        ..Presented::default()
    };
    match bed
        .gateway()
        .app
        .access()
        .owner(&presented, Role::Viewer)
        .await
    {
        Ok(_) => true,
        Err(error) => {
            assert_eq!(error.code, ErrorCode::Unauthorized, "{token}");
            false
        }
    }
}

/// J-01, J-02, J-04, J-05, J-06, J-07, J-08, J-09, T-08.
async fn no_forged_token_is_accepted(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Wanted"})).await;
    let status = made.path("/session/status");
    let forge = Forge::of(bed).await;
    let control = async |token: &str| bed.get(&status).bearer(token).send().await.status;
    assert_eq!(control(&bed.a.jwt).await, 200);
    // The forge can forge: with nothing wrong, what it signs is as good as the program's own.
    assert_eq!(forge.sign(&forge.header, &forge.claims), bed.a.jwt);
    let mut other = forge.claims.clone();
    other["jti"] = json!("ANOTHERONE");
    assert_eq!(control(&forge.sign(&forge.header, &other)).await, 200);

    let corpus = corpus::all(bed, &forge).await;
    assert!(corpus.len() > 200, "{}", corpus.len());
    let mut accepted = Vec::new();
    for (name, token) in &corpus {
        assert_ne!(*token, bed.a.jwt, "{name} is no forgery");
        if is_accepted(bed, token).await {
            accepted.push(name.clone());
        }
        if !can_be_sent(token) {
            continue;
        }
        let answer = bed.get(&status).bearer(token).send().await;
        if answer.status != 401 {
            accepted.push(format!("{name}: {answer:?}"));
            continue;
        }
        answer.refused(401, "unauthorized");
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
    assert_eq!(control(&bed.a.jwt).await, 200);
}

async fn every_changed_character_is_noticed(bed: &mut Bed) {
    let forge = Forge::of(bed).await;
    let genuine = bed.a.jwt.as_str();
    assert!(is_accepted(bed, genuine).await);
    for at in 0..genuine.len() {
        let old = genuine.as_bytes()[at];
        // The neighbour in base64's order: of the last character it differs in bits that no byte
        // has, so a lenient decoder would read the same signature.
        for new in [forge::neighbour(old), b'A', b'.', b'='] {
            if new == old {
                continue;
            }
            let mut changed = genuine.as_bytes().to_vec();
            changed[at] = new;
            let changed = String::from_utf8(changed).expect("ascii");
            assert!(!is_accepted(bed, &changed).await, "at {at}: {changed}");
        }
        let mut cut = genuine.to_owned();
        cut.remove(at);
        assert!(!is_accepted(bed, &cut).await, "without {at}");
    }
    // Bits of the signature's bytes, encoded properly.
    let (signed, signature) = genuine.rsplit_once('.').expect("a signature");
    let signature = forge::decode(signature);
    for bit in 0..signature.len() * 8 {
        let mut flipped = signature.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let flipped = format!("{signed}.{}", forge::encode(&flipped));
        assert!(!is_accepted(bed, &flipped).await, "bit {bit}");
    }
    assert!(is_accepted(bed, &forge.sign(&forge.header, &forge.claims)).await);
}

/// The same tokens where they are asked about and revoked: T-10, T-11.
async fn no_forged_token_is_active_or_revokes(bed: &mut Bed) {
    let forge = Forge::of(bed).await;
    for (name, token) in corpus::all(bed, &forge).await {
        // Of an opaque token it is said that it is revoked elsewhere; see `tokens`.
        let is_opaque = |kind| Token::parse(kind, &token).is_some();
        if TokenKind::ALL.into_iter().any(is_opaque) {
            continue;
        }
        let body = json!({
            "client_token": bed.a.client_token, "client_secret": bed.a.client_secret, "token": token,
        });
        let told = bed.post("/introspect").json(body.clone()).send().await;
        // An empty value counts as absent.
        if token.is_empty() {
            assert_eq!(told.status, 400, "{name}");
            continue;
        }
        assert_eq!(
            (told.status, told.text().as_str()),
            (200, r#"{"active":false}"#),
            "{name}"
        );
        let gone = bed.post("/revoke").json(body).send().await;
        assert_eq!(gone.status, 200, "{name}: {gone:?}");
    }
    assert!(is_accepted(bed, &bed.a.jwt).await, "none of them named it");
}

/// J-09.
async fn a_token_too_long_is_not_even_decoded(bed: &mut Bed) {
    let forge = Forge::of(bed).await;
    let mut long = forge.claims.clone();
    let padded = |length: usize| {
        let mut padded = long.clone();
        padded["jti"] = json!("J".repeat(length));
        forge.sign(&forge.header, &padded)
    };
    // The control: rightly signed and just short enough.
    let most = (1..4096)
        .rev()
        .map(padded)
        .find(|token| token.len() <= 4096);
    let most = most.expect("one that fits");
    assert!(
        most.len() > 4090 && is_accepted(bed, &most).await,
        "{}",
        most.len()
    );
    long["jti"] = json!("J".repeat(4096));
    for length in [4_097, 8_000, 1_000_000, 8_000_000] {
        let mut claims = forge.claims.clone();
        claims["jti"] = json!("J".repeat(length));
        assert!(
            !is_accepted(bed, &forge.sign(&forge.header, &claims)).await,
            "{length}"
        );
    }
    // On the wire: refused as a token, and beyond the cap of a head before it is looked at.
    let header = |length: usize| format!("Bearer {}", "a".repeat(length));
    for (length, due) in [(4_096, 401), (5_000, 401), (15_000, 401), (40_000, 431)] {
        let call = bed
            .post("/instances/list")
            .header("authorization", &header(length));
        let answer = call.json(json!({})).send().await;
        assert_eq!(answer.status, due, "{length}: {answer:?}");
    }
}

/// Arbitrary texts, and the genuine token after any few edits.
async fn no_text_at_all_is_accepted(bed: &mut Bed) {
    let genuine = bed.a.jwt.clone();
    let other = bed.b.jwt.clone();
    let handle = tokio::runtime::Handle::current();
    let accepted = |token: &str| handle.block_on(is_accepted(bed, token));
    // Seeded by the runner itself; a failing case is shown and minimised.
    let config = Config {
        cases: 1500,
        failure_persistence: None,
        ..Config::default()
    };
    tokio::task::block_in_place(|| {
        let mut runner = TestRunner::new(config.clone());
        let texts = proptest::string::string_regex("(?s).{0,300}").expect("a pattern");
        runner
            .run(&texts, |text| {
                assert!(!accepted(&text), "{text:?}");
                Ok(())
            })
            .expect("no arbitrary text");

        let mut runner = TestRunner::new(config.clone());
        let shaped = "[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,200}\\.[A-Za-z0-9_-]{0,50}";
        let shaped = proptest::string::string_regex(shaped).expect("a pattern");
        runner
            .run(&shaped, |text| {
                assert!(!accepted(&text), "{text:?}");
                Ok(())
            })
            .expect("no text in the form of a token");

        let mut runner = TestRunner::new(config);
        let edits = proptest::collection::vec((any::<u16>(), any::<u8>(), 0..4u8), 1..5);
        runner
            .run(
                &edits.prop_map(|edits| forge::edited(&genuine, &other, &edits)),
                |text| {
                    let is_forged = text != genuine && text != other;
                    assert!(!is_forged || !accepted(&text), "{text:?}");
                    Ok(())
                },
            )
            .expect("no edit of a genuine token");
    });
    assert!(is_accepted(bed, &genuine).await);
}

/// J-11, for people: the session that it says it came from, whose that is, where it acts, since when.
async fn no_forged_token_of_a_person_is_accepted(bed: &mut Bed) {
    let who = sign_in(bed, OWNER_A).await;
    let foreign = sign_in(bed, OWNER_B).await;
    let forge = Forge::of_person(bed, &who.jwt, &foreign.jwt).await;
    assert_eq!(forge.sign(&forge.header, &forge.claims), who.jwt);
    let mut other = forge.claims.clone();
    other["jti"] = json!("ANOTHERONE");
    assert!(is_accepted(bed, &forge.sign(&forge.header, &other)).await);

    let corpus = corpus::of_person(bed, &forge).await;
    assert!(corpus.len() > 150, "{}", corpus.len());
    let mut accepted = Vec::new();
    for (name, token) in &corpus {
        assert_ne!(*token, who.jwt, "{name} is no forgery");
        let mut opened = is_accepted(bed, token).await;
        if can_be_sent(token) {
            let answer = bed.get("/account").bearer(token).send().await;
            opened |= answer.status != 401;
        }
        if opened {
            accepted.push(name);
        }
        // Clients cannot ask about people's tokens, let alone end them.
        let body = json!({
            "client_token": bed.a.client_token, "client_secret": bed.a.client_secret, "token": token,
        });
        let told = bed.post("/introspect").json(body.clone()).send().await;
        assert!(!told.text().contains("true"), "{name}: {told:?}");
        bed.post("/revoke").json(body).send().await;
    }
    assert!(accepted.is_empty(), "{accepted:#?}");
    who.account(bed).await.expect(200);
    for (shop, token) in [(&bed.a, &who.jwt), (&bed.b, &who.jwt)] {
        let body = json!({
            "client_token": shop.client_token, "client_secret": shop.client_secret, "token": token,
        });
        let told = bed.post("/introspect").json(body.clone()).send().await;
        assert_eq!(told.text(), r#"{"active":false}"#);
        bed.post("/revoke").json(body).send().await.expect(200);
    }
    who.account(bed).await.expect(200);
}

/// Rightly signed, the role in it is not asked: it is read anew.
async fn a_scope_raises_nobody(bed: &mut Bed) {
    let foreign = sign_in(bed, OWNER_B).await;
    for (at, role) in ROLES.into_iter().enumerate() {
        let email = format!("{}@a.example", role.as_str());
        hire(bed, &bed.a.id, &email, role).await;
        let who = sign_in(bed, &email).await;
        let forge = Forge::of_person(bed, &who.jwt, &foreign.jwt).await;
        assert_eq!(forge.claims["scope"], format!("role:{}", role.as_str()));
        for scope in ROLES {
            let scope = format!("role:{}", scope.as_str());
            let token = forge.sign(&forge.header, &forge.claims_with("scope", json!(scope)));
            // One row for each role: open to those from `least` on, whatever the token says.
            for (least, method, path) in [
                (0, "GET", "/account"),
                (1, "PUT", "/instances/create"),
                (2, "GET", "/account/credentials"),
            ] {
                let answer = bed.call(method, path).bearer(&token).body("[").send().await;
                let low = answer.json()["error_code"] == "role_too_low";
                assert_eq!(low, at < least, "{scope} for {role:?}: {answer:?}");
                assert!([200, 400, 403].contains(&answer.status), "{answer:?}");
            }
        }
    }
}
