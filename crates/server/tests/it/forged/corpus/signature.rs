//! Algorithms, keys and headers.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Corpus, add};
use crate::{
    forged::forge::{CLAIMS, Forge, HEADER, encode, hs256, hs384, hs512, without, written},
    gateway::Bed,
};

/// J-01: one algorithm per key.
pub(super) fn algorithms(forge: &Forge, all: &mut Corpus) {
    for alg in [
        "none", "None", "NONE", "nOnE", "", "hs256", "HS256 ", "HS-256", "HS384", "HS512", "RS256",
        "RS512", "PS256", "ES256", "ES384", "ES256K", "EdDSA", "Ed25519", "HMAC", "dir", "A256KW",
    ] {
        let header = forge.header_with("alg", json!(alg));
        let signed = forge.sign(&header, &forge.claims);
        let (unsigned, _) = signed.rsplit_once('.').expect("three parts");
        add(
            all,
            format!("alg {alg:?}, right HS256 signature"),
            signed.clone(),
        );
        add(
            all,
            format!("alg {alg:?}, empty signature"),
            format!("{unsigned}."),
        );
        add(
            all,
            format!("alg {alg:?}, no signature"),
            unsigned.to_owned(),
        );
    }
    for (alg, mac) in [
        ("HS384", hs384 as fn(&[u8], &[u8]) -> Vec<u8>),
        ("HS512", hs512),
    ] {
        for named in [alg, "HS256"] {
            let header = written(&forge.header_with("alg", json!(named)), HEADER);
            let text = format!("{}.{}", encode(header.as_bytes()), forge.parts().1);
            let signature = encode(&mac(&forge.key, text.as_bytes()));
            add(
                all,
                format!("{alg} with the same key, named {named}"),
                format!("{text}.{signature}"),
            );
        }
    }
    for alg in [
        Value::Null,
        json!(256),
        json!(["HS256"]),
        json!({"alg": "HS256"}),
        json!(true),
    ] {
        let header = forge.header_with("alg", alg.clone());
        add(
            all,
            format!("alg {alg}"),
            forge.sign(&header, &forge.claims),
        );
    }
}
/// J-02: a signature by any other key, or none at all.
pub(super) fn keys(bed: &Bed, forge: &Forge, all: &mut Corpus) {
    let (header, claims) = forge.parts();
    let text = format!("{header}.{claims}");
    let kid = forge.header["kid"].as_str().expect("a kid");
    let hex: String = forge.key.iter().map(|byte| format!("{byte:02x}")).collect();
    let reversed: Vec<u8> = forge.key.iter().rev().copied().collect();
    let keys: Vec<(&str, Vec<u8>)> = vec![
        ("nothing", Vec::new()),
        ("zeros", vec![0; 32]),
        ("'secret'", b"secret".to_vec()),
        ("'recado'", b"recado".to_vec()),
        ("the kid", kid.as_bytes().to_vec()),
        ("the issuer", bed.gateway().base_url.clone().into_bytes()),
        (
            "the client secret",
            bed.a.client_secret.clone().into_bytes(),
        ),
        ("the client token", bed.a.client_token.clone().into_bytes()),
        ("the API token", bed.a.api_token.clone().into_bytes()),
        ("half the key", forge.key[..16].to_vec()),
        ("the key in hex", hex.into_bytes()),
        (
            "the key in base64",
            BASE64_STANDARD.encode(&forge.key).into_bytes(),
        ),
        ("the key backwards", reversed),
    ];
    for (name, key) in keys {
        let signature = encode(&hs256(&key, text.as_bytes()));
        add(
            all,
            format!("signed by {name}"),
            format!("{text}.{signature}"),
        );
    }
    let right = hs256(&forge.key, text.as_bytes());
    let mut longer = right.clone();
    longer.push(0);
    let hex: String = right.iter().map(|byte| format!("{byte:02x}")).collect();
    for (name, signature) in [
        ("of zeros", vec![0; 32]),
        ("of ones", vec![255; 32]),
        ("cut to 31 bytes", right[..31].to_vec()),
        ("cut to 16 bytes", right[..16].to_vec()),
        ("cut to a byte", right[..1].to_vec()),
        ("with a byte more", longer),
        ("twice", [right.clone(), right.clone()].concat()),
        ("in hex", hex.into_bytes()),
        (
            "over the claims alone",
            hs256(&forge.key, claims.as_bytes()),
        ),
        (
            "over the header alone",
            hs256(&forge.key, header.as_bytes()),
        ),
        (
            "over the plain JSON",
            hs256(&forge.key, written(&forge.claims, CLAIMS).as_bytes()),
        ),
        ("that is the key", forge.key.clone()),
    ] {
        add(
            all,
            format!("a signature {name}"),
            format!("{text}.{}", encode(&signature)),
        );
    }
}
/// J-06, J-07, J-08: the header names our type and key, and holds nothing else.
pub(super) fn headers(forge: &Forge, all: &mut Corpus) {
    for typ in [
        json!("JWT"),
        json!("AT+JWT"),
        json!("at+JWT"),
        json!("application/at+jwt"),
        json!("logout+jwt"),
        json!("at+jwt "),
        json!(""),
        Value::Null,
        json!(["at+jwt"]),
        json!(1),
    ] {
        let header = forge.header_with("typ", typ.clone());
        add(
            all,
            format!("typ {typ}"),
            forge.sign(&header, &forge.claims),
        );
    }
    let kid = forge.header["kid"].as_str().expect("a kid");
    let others = [
        json!(""),
        json!("unknown"),
        Value::Null,
        json!([kid]),
        json!(0),
        json!({"kid": kid}),
        json!(kid.to_lowercase()),
        json!(format!("{kid} ")),
        json!(format!("{kid}\u{0}")),
        json!(format!("../{kid}")),
        json!("../../../../dev/null"),
        json!("/dev/null"),
        json!("file:///etc/passwd"),
        json!("https://evil.example/key"),
        json!("' OR '1'='1"),
        json!("x' UNION SELECT 'a"),
        json!("%"),
        json!("*"),
        json!("$(id)"),
        json!("k".repeat(2000)),
    ];
    for kid in others {
        let header = forge.header_with("kid", kid.clone());
        add(
            all,
            format!("kid {kid}, right key"),
            forge.sign(&header, &forge.claims),
        );
        let text = written(&header, HEADER);
        let text = format!("{}.{}", encode(text.as_bytes()), forge.parts().1);
        let empty = encode(&hs256(b"", text.as_bytes()));
        add(
            all,
            format!("kid {kid}, empty key"),
            format!("{text}.{empty}"),
        );
    }
    for name in ["alg", "typ", "kid"] {
        let header = without(&forge.header, name);
        add(
            all,
            format!("no {name}"),
            forge.sign(&header, &forge.claims),
        );
    }
    let own_key = encode(&[7; 32]);
    for (name, value) in [
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("jwk", json!({"kty": "oct", "k": own_key, "alg": "HS256"})),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAA")),
        ("x5t#S256", json!("AAAA")),
        ("crit", json!([])),
        ("crit", json!(["exp"])),
        ("crit", json!(["b64"])),
        ("crit", json!(["urn:example:unknown"])),
        ("crit", json!("exp")),
        ("b64", json!(false)),
        ("b64", json!(true)),
        ("zip", json!("DEF")),
        ("enc", json!("A256GCM")),
        ("cty", json!("JWT")),
        ("cty", json!("")),
        ("iss", json!("https://evil.example")),
        ("unknown", json!(1)),
        ("jku", Value::Null),
        ("crit", Value::Null),
    ] {
        let header = forge.header_with(name, value.clone());
        add(
            all,
            format!("{name} {value} in the header"),
            forge.sign(&header, &forge.claims),
        );
        if name == "jwk" {
            let text = format!(
                "{}.{}",
                encode(written(&header, HEADER).as_bytes()),
                forge.parts().1
            );
            let signature = encode(&hs256(&[7; 32], text.as_bytes()));
            add(
                all,
                "signed by the key that it brings along",
                format!("{text}.{signature}"),
            );
        }
    }
    // Members twice: parsers disagree about which one counts.
    let claims = written(&forge.claims, CLAIMS);
    for header in [
        format!(r#"{{"alg":"none","typ":"at+jwt","alg":"HS256","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"HS256","typ":"at+jwt","alg":"none","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"x","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"HS256","typ":"JWT","typ":"at+jwt","kid":"{kid}"}}"#),
        format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}"}} {{}}"#),
        format!(r#"{{"alg":"HS256","typ":"at+jwt","kid":"{kid}",}}"#),
        format!(r#"{{"ALG":"HS256","typ":"at+jwt","kid":"{kid}"}}"#),
        format!("\u{feff}{{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"{kid}\"}}"),
        format!(r#"["HS256","at+jwt","{kid}"]"#),
        format!(r#"["at+jwt","HS256","{kid}"]"#),
        "{}".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"HS256\"".to_owned(),
        "1".to_owned(),
        String::new(),
        "{".to_owned(),
        "[".repeat(900),
        r#"{"a":"#.repeat(300),
    ] {
        add(
            all,
            format!("header {}", header.chars().take(70).collect::<String>()),
            forge.sign_text(&header, &claims),
        );
    }
    add(
        all,
        "header not UTF-8",
        forge.sign_bytes(
            b"{\"alg\":\"HS256\",\"typ\":\"at+jwt\",\"kid\":\"\xff\"}",
            claims.as_bytes(),
        ),
    );
}
