//! Right signatures over the claims of people.

use recado_model::{AccountId, Role, UserId, UserSessionId, clock::OsRng};
use serde_json::{Value, json};

use super::{Corpus, add};
use crate::{
    forged::forge::{Forge, without},
    gateway::Bed,
    people_access::people::{OWNER_A, hire, join, sign_in},
};

fn client_claims(bed: &Bed) -> Value {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    let claims = bed.a.jwt.split('.').nth(1).expect("claims");
    let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    serde_json::from_slice(&claims).expect("JSON")
}

/// Half a client's and half a person's; the subject of the other kind; a member missing.
pub(super) async fn shapes(bed: &Bed, forge: &Forge, all: &mut Corpus) {
    let client = client_claims(bed);
    let mut sign = |name: String, claims: &Value| {
        add(all, name, forge.sign(&forge.header, claims));
    };
    let merged = |into: &Value, from: &Value, names: &[&str]| {
        let mut claims = into.clone();
        for name in names {
            claims[*name] = from[*name].clone();
        }
        claims
    };
    let (theirs, ours) = (["cid", "cv"], ["sid", "acc", "ug", "sw"]);
    for (name, names) in [
        ("cid", &theirs[..1]),
        ("cv", &theirs[1..]),
        ("both", &theirs[..]),
    ] {
        sign(
            format!("a person's with {name}"),
            &merged(&forge.claims, &client, names),
        );
    }
    for names in [
        &ours[..1],
        &ours[1..2],
        &ours[2..],
        &ours[..2],
        &ours[1..],
        &ours[..],
    ] {
        let claims = merged(&client, &forge.claims, names);
        sign(format!("a client's with {names:?}"), &claims);
    }
    for scope in ["scope", "sub"] {
        let claims = merged(&forge.claims, &client, &[scope]);
        sign(format!("a person's with a client's {scope}"), &claims);
        let claims = merged(&client, &forge.claims, &[scope]);
        sign(format!("a client's with a person's {scope}"), &claims);
    }
    let all_of_it = merged(&forge.claims, &client, &["sub", "scope", "generation"]);
    sign("a person's session for an account".to_owned(), &all_of_it);
    let mut bare = merged(&client, &forge.claims, &["sub", "scope"]);
    for name in theirs {
        bare = without(&bare, name);
    }
    sign("neither's".to_owned(), &bare);
    for name in theirs {
        let null = merged(&forge.claims, &json!({"cid": "", "cv": 0}), &[name]);
        sign(format!("a person's with an empty {name}"), &null);
    }
    for scope in [
        "",
        "role:",
        "role:root",
        "role:operator",
        "role:Owner",
        "role:owner ",
        " role:owner",
        "role:owner role:admin",
        "owner",
        "instance-api",
        "role:viewer instance-api",
        "*",
    ] {
        let claims = forge.claims_with("scope", json!(scope));
        sign(format!("scope {scope:?}"), &claims);
    }
}

/// Another's session, account, generation.
pub(super) async fn whose(bed: &Bed, forge: &Forge, all: &mut Corpus) {
    let text = |claims: &Value, name: &str| claims[name].as_str().expect("text").to_owned();
    // A colleague; oneself in another session that has ended, and in one of another account.
    hire(bed, &bed.a.id, "colleague@a.example", Role::Owner).await;
    let colleague = sign_in(bed, "colleague@a.example").await;
    let colleague = Forge::of_person(bed, &colleague.jwt, &colleague.jwt)
        .await
        .claims;
    let ended = sign_in(bed, OWNER_A).await;
    let bye = ended.ask(bed, "POST", "/logout").send().await;
    bye.expect(204);
    let ended = Forge::of_person(bed, &ended.jwt, &ended.jwt).await.claims;
    let me = text(&forge.claims, "sub");
    let me = me.strip_prefix("user:").expect("a user");
    join(bed, &bed.b.id, &UserId::from_text(me), Role::Owner).await;

    for (name, value) in [
        ("sid", text(&colleague, "sid")),
        ("sid", text(&forge.foreign, "sid")),
        ("sid", text(&ended, "sid")),
        ("sid", UserSessionId::random(&OsRng).to_string()),
        ("sid", text(&forge.claims, "sid").to_lowercase()),
        ("sid", text(&forge.claims, "acc")),
        ("sid", "' OR 1=1 --".to_owned()),
        // The second one although the user is a member there, too: the session acts here.
        ("acc", text(&forge.foreign, "acc")),
        ("acc", bed.b.id.to_string()),
        ("acc", AccountId::random(&OsRng).to_string()),
        ("acc", text(&forge.claims, "acc").to_lowercase()),
        ("acc", "*".to_owned()),
        ("sub", text(&colleague, "sub")),
        ("sub", text(&forge.foreign, "sub")),
        ("sub", format!("user:{}", UserId::random(&OsRng))),
        ("sub", "user:".to_owned()),
        ("sub", me.to_owned()),
        ("sub", format!("account:{}", bed.a.id)),
        ("sub", format!("account:{me}")),
        ("sub", format!("user:{}", bed.a.id)),
        ("sub", format!("user:user:{me}")),
        ("sub", format!("User:{me}")),
    ] {
        let mut claims = forge.claims_with(name, json!(value));
        claims["jti"] = json!("FORGED");
        add(
            all,
            format!("{name} {value}"),
            forge.sign(&forge.header, &claims),
        );
    }
    // The whole of another's but one member.
    for name in ["sub", "sid", "acc"] {
        let mut claims = forge.foreign.clone();
        claims[name] = forge.claims[name].clone();
        add(
            all,
            format!("another's with own {name}"),
            forge.sign(&forge.header, &claims),
        );
    }
    for name in ["ug", "sw", "generation"] {
        let right = forge.claims[name].as_i64().expect("a number");
        for value in [right + 1, right - 1, right + 1000, -1, i64::MAX, i64::MIN] {
            if value == right {
                continue;
            }
            let claims = forge.claims_with(name, json!(value));
            add(
                all,
                format!("{name} {value}"),
                forge.sign(&forge.header, &claims),
            );
        }
    }
}
