//! Right signatures over wrong claims.

use recado_model::{CredentialId, clock::OsRng, credential::CredentialKind};
use serde_json::{Value, json};

use super::{Corpus, add};
use crate::{
    forged::forge::{CLAIMS, Forge, HEADER, without, written},
    gateway::Bed,
};

/// Every claim absent, null, of another type, twice; and more than there should be.
pub(super) fn claims_of_any_kind(forge: &Forge, all: &mut Corpus) {
    let header = written(&forge.header, HEADER);
    for name in forge.names() {
        add(
            all,
            format!("no {name}"),
            forge.sign(&forge.header, &without(&forge.claims, name)),
        );
        let genuine = &forge.claims[name];
        let mut wrong = vec![
            Value::Null,
            json!(true),
            json!([genuine]),
            json!({"value": genuine}),
            json!([]),
            json!({}),
        ];
        match genuine.as_i64() {
            Some(number) => wrong.extend([
                json!(number.to_string()),
                json!(number as f64 + 0.5),
                json!(""),
            ]),
            None => wrong.extend([
                json!(5),
                json!(""),
                json!(format!("{} ", genuine.as_str().expect("text"))),
            ]),
        }
        // Any `jti` is as good as another.
        wrong.retain(|wrong| name != "jti" || !wrong.is_string());
        for value in wrong {
            let claims = forge.claims_with(name, value.clone());
            add(
                all,
                format!("{name} is {value}"),
                forge.sign(&forge.header, &claims),
            );
        }
        let text = written(&forge.claims, CLAIMS);
        let twice = format!("{},\"{name}\":{genuine}}}", text.trim_end_matches('}'));
        add(
            all,
            format!("{name} twice"),
            forge.sign_text(&header, &twice),
        );
        let other = format!("{{\"{name}\":null,{}", text.trim_start_matches('{'));
        add(
            all,
            format!("{name} null, then right"),
            forge.sign_text(&header, &other),
        );
    }
    for (name, value) in [
        ("admin", json!(true)),
        ("role", json!("owner")),
        ("account", forge.foreign["sub"].clone()),
        ("account_id", json!("AC1")),
        ("azp", json!("x")),
        ("sid", json!("x")),
        ("act", json!({"sub": "x"})),
        ("cnf", json!({"jkt": "x"})),
        ("Sub", forge.foreign["sub"].clone()),
        ("", json!(1)),
        ("__proto__", json!({"admin": true})),
    ] {
        let claims = forge.claims_with(name, value);
        add(
            all,
            format!("a claim {name:?} more"),
            forge.sign(&forge.header, &claims),
        );
    }
    let in_order: Vec<_> = forge
        .names()
        .map(|name| forge.claims[name].clone())
        .collect();
    for text in [
        Value::Array(in_order).to_string(),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"\"".to_owned(),
        "0".to_owned(),
        String::new(),
        format!("{} x", written(&forge.claims, CLAIMS)),
        format!("\u{feff}{}", written(&forge.claims, CLAIMS)),
        "[".repeat(2000),
    ] {
        add(
            all,
            format!("claims {}", text.chars().take(60).collect::<String>()),
            forge.sign_text(&header, &text),
        );
    }
}
/// J-04, T-08: present, exact, one.
pub(super) fn issuer_audience_subject(forge: &Forge, all: &mut Corpus) {
    let text = |name: &str| forge.claims[name].as_str().expect("text").to_owned();
    let (iss, aud, sub) = (text("iss"), text("aud"), text("sub"));
    let account = sub
        .strip_prefix("account:")
        .expect("an account's subject")
        .to_owned();
    let foreign = forge.foreign["sub"].as_str().expect("text").to_owned();
    for (name, values) in [
        (
            "iss",
            vec![
                json!("https://evil.example"),
                json!(format!("{iss}/")),
                json!(iss.to_uppercase()),
                json!(iss.replacen("http://", "https://", 1)),
                json!(format!("{iss}.evil.example")),
                json!(format!("{iss}@evil.example")),
                json!(iss.trim_start_matches("http://")),
                json!([iss, "https://evil.example"]),
                json!(["https://evil.example", iss]),
            ],
        ),
        (
            "aud",
            vec![
                json!("recado:mcp"),
                json!("recado"),
                json!(""),
                json!("*"),
                json!(aud.to_uppercase()),
                json!(format!("{aud}/")),
                json!([aud, "other"]),
                json!(["other", aud]),
                json!([aud]),
                json!({"0": aud}),
            ],
        ),
        (
            "sub",
            vec![
                json!(foreign),
                json!(account),
                json!(format!("user:{account}")),
                json!("user:US1"),
                json!("account:"),
                json!(format!("Account:{account}")),
                json!(format!("account:{}", account.to_lowercase())),
                json!(format!("account:account:{account}")),
                json!(format!("account: {account}")),
                json!(format!("account:{account}/../{foreign}")),
                json!(format!("client:{account}")),
                json!("account:*"),
                json!("account:%"),
                json!([sub, foreign]),
            ],
        ),
        (
            "scope",
            vec![
                json!(""),
                json!("admin"),
                json!("instance-api admin"),
                json!("Instance-API"),
                json!("openid"),
                json!(["instance-api"]),
                json!("*"),
            ],
        ),
    ] {
        for value in values {
            if value == forge.claims[name] {
                continue;
            }
            let claims = forge.claims_with(name, value.clone());
            add(
                all,
                format!("{name} is {value}"),
                forge.sign(&forge.header, &claims),
            );
        }
    }
}
/// J-05: inside its window, and no longer than we ever give.
pub(super) fn times(forge: &Forge, all: &mut Corpus) {
    let number = |name: &str| forge.claims[name].as_i64().expect("a number");
    let (exp, iat) = (number("exp"), number("iat"));
    let header = written(&forge.header, HEADER);
    let with = |edits: &[(&str, Value)]| {
        let mut claims = forge.claims.clone();
        for (name, value) in edits {
            claims[*name] = value.clone();
        }
        claims
    };
    let at = |secs: i64| json!(iat + secs);
    for (name, edits) in [
        (
            "exp a second ago",
            vec![("exp", at(-1)), ("nbf", at(-3600)), ("iat", at(-3600))],
        ),
        (
            "exp 30 s ago",
            vec![("exp", at(-30)), ("nbf", at(-3600)), ("iat", at(-3600))],
        ),
        ("exp before iat", vec![("exp", at(-10))]),
        ("exp is iat", vec![("exp", at(0))]),
        ("exp 0", vec![("exp", json!(0))]),
        ("exp negative", vec![("exp", json!(-1))]),
        ("exp i64::MIN", vec![("exp", json!(i64::MIN))]),
        ("exp i64::MAX", vec![("exp", json!(i64::MAX))]),
        ("exp u64::MAX", vec![("exp", json!(u64::MAX))]),
        ("exp in milliseconds", vec![("exp", json!(exp * 1000))]),
        ("exp float", vec![("exp", json!(exp as f64))]),
        ("exp text", vec![("exp", json!(exp.to_string()))]),
        ("a second too long a life", vec![("exp", json!(exp + 1))]),
        ("a year of life", vec![("exp", at(365 * 86_400))]),
        (
            "a life that overflows",
            vec![
                ("exp", json!(i64::MAX)),
                ("iat", json!(i64::MIN)),
                ("nbf", json!(i64::MIN)),
            ],
        ),
        ("nbf in a minute", vec![("nbf", at(60))]),
        (
            "nbf in a minute, iat too",
            vec![("nbf", at(60)), ("iat", at(60)), ("exp", json!(exp + 60))],
        ),
        ("iat in a minute", vec![("iat", at(60))]),
        ("nbf before iat", vec![("nbf", at(-1))]),
        ("nbf 0", vec![("nbf", json!(0))]),
        ("nbf float", vec![("nbf", json!(iat as f64))]),
        ("nbf i64::MAX", vec![("nbf", json!(i64::MAX))]),
        ("iat negative", vec![("iat", json!(-1))]),
        ("iat float", vec![("iat", json!(iat as f64))]),
        ("iat 0", vec![("iat", json!(0)), ("nbf", json!(0))]),
    ] {
        add(all, name, forge.sign(&forge.header, &with(&edits)));
    }
    // Numbers that JSON allows and `json!` does not write.
    let text = written(&forge.claims, CLAIMS);
    for number in [
        "1e10",
        "1E400",
        "-0",
        "9223372036854775808",
        "99999999999999999999999999",
        "0x7fffffff",
        "NaN",
        "Infinity",
        "+1",
        "01",
    ] {
        let changed = text.replace(&format!("\"exp\":{exp}"), &format!("\"exp\":{number}"));
        add(
            all,
            format!("exp {number}"),
            forge.sign_text(&header, &changed),
        );
    }
    let point = text.replace(&format!("\"exp\":{exp}"), &format!("\"exp\":{exp}.0"));
    add(all, "exp with a point", forge.sign_text(&header, &point));
}
/// The credential that it says it came from, with its version and generation: J-11.
pub(super) async fn credential(bed: &Bed, forge: &Forge, all: &mut Corpus) {
    let now = recado_model::Clock::now(&*bed.clock);
    let (dead, _) = crate::access::issue(bed, CredentialKind::ClientSecret, None, None, None).await;
    let mut conn = bed.write().await;
    let revoked = conn.account(&bed.a.id).revoke(&dead, now).await;
    assert!(revoked.expect("revoked"));
    conn.commit().await.expect("commit");
    bed.gateway().app.access().invalidate();
    for (name, cid) in [
        ("unknown", CredentialId::random(&OsRng).to_string()),
        (
            "of another account",
            forge.foreign["cid"].as_str().expect("text").to_owned(),
        ),
        ("revoked", dead.to_string()),
        ("of an account", bed.a.id.to_string()),
        ("that is no id", "' OR 1=1 --".to_owned()),
        (
            "lower case",
            forge.claims["cid"].as_str().expect("text").to_lowercase(),
        ),
    ] {
        let mut claims = forge.claims_with("cid", json!(cid));
        // A token of its own: where this one is revoked, the genuine one is not meant.
        claims["jti"] = json!("FORGED");
        add(
            all,
            format!("cid {name}"),
            forge.sign(&forge.header, &claims),
        );
    }
    // Another account's credential under one's own name, and the reverse.
    let mut mixed = forge.foreign.clone();
    mixed["sub"] = forge.claims["sub"].clone();
    add(
        all,
        "foreign cid, own sub",
        forge.sign(&forge.header, &mixed),
    );
    for name in ["cv", "generation"] {
        let right = forge.claims[name].as_i64().expect("a number");
        for value in [right + 1, right - 1, right + 1000, i64::MAX, i64::MIN] {
            let claims = forge.claims_with(name, json!(value));
            add(
                all,
                format!("{name} {value}"),
                forge.sign(&forge.header, &claims),
            );
        }
    }
}
