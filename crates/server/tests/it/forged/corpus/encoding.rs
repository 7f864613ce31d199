//! Other spellings of a token, and other things with dots.

use serde_json::json;

use super::{Corpus, add};
use crate::{
    forged::forge::{self, Forge, HEADER, encode, written},
    gateway::Bed,
};

/// J-09: only the alphabet, only one spelling of the same bytes.
pub(super) fn encodings(bed: &Bed, forge: &Forge, all: &mut Corpus) {
    let genuine = bed.a.jwt.as_str();
    let parts: Vec<&str> = genuine.split('.').collect();
    for (at, name) in ["header", "claims", "signature"].into_iter().enumerate() {
        let edit = |edit: &dyn Fn(&str) -> String| {
            let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
            parts[at] = edit(&parts[at]);
            parts
        };
        for (how, parts) in [
            ("padded", edit(&|part| format!("{part}="))),
            ("padded twice", edit(&|part| format!("{part}=="))),
            ("with a space after", edit(&|part| format!("{part} "))),
            ("with a space before", edit(&|part| format!(" {part}"))),
            ("with a line end", edit(&|part| format!("{part}\r\n"))),
            ("with a zero byte", edit(&|part| format!("{part}\0"))),
            ("with a plus", edit(&|part| format!("{part}+"))),
            (
                "escaped",
                edit(&|part| format!("%{:02x}{}", part.as_bytes()[0], &part[1..])),
            ),
            ("upside down", edit(&|part| part.chars().rev().collect())),
            ("in upper case", edit(&str::to_uppercase)),
            ("with a letter more", edit(&|part| format!("{part}A"))),
            ("empty", edit(&|_| String::new())),
        ] {
            add(all, format!("{name} {how}"), parts.join("."));
            if at < 2 && how != "upside down" && how != "in upper case" && how != "empty" {
                add(
                    all,
                    format!("{name} {how}, signed so"),
                    forge.sign_parts(&parts[0], &parts[1]),
                );
            }
        }
    }
    // The last character's spare bits set: the same bytes to a lenient decoder.
    for (at, part) in parts.iter().enumerate() {
        let spare = [0, 0, 4, 2][part.len() % 4];
        if spare == 0 {
            continue;
        }
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        let last = parts[at].pop().expect("a character");
        parts[at].push(char::from(forge::neighbour(last as u8)));
        add(all, format!("part {at}, not canonical"), parts.join("."));
        if at < 2 {
            add(
                all,
                format!("part {at}, not canonical, signed so"),
                forge.sign_parts(&parts[0], &parts[1]),
            );
        }
    }
    for (name, text) in [
        ("a dot after", format!("{genuine}.")),
        ("dots after", format!("{genuine}...")),
        ("a dot before", format!(".{genuine}")),
        ("two dots", genuine.replace('.', "..")),
        ("quoted", format!("\"{genuine}\"")),
        ("after a word", format!("jwt:{genuine}")),
        ("twice, by comma", format!("{genuine},{genuine}")),
        ("twice, in a row", format!("{genuine}{genuine}")),
        ("as a query", format!("{genuine}?x=1")),
        ("with a fragment", format!("{genuine}#x")),
        ("with another word", format!("{genuine} {genuine}")),
        ("in full-width dots", genuine.replace('.', "\u{ff0e}")),
        ("with a zero-width space", format!("{genuine}\u{200b}")),
    ] {
        add(all, name, text);
    }
}
/// Other things with dots: parts exchanged, nested, encrypted.
pub(super) fn shapes(bed: &Bed, forge: &Forge, all: &mut Corpus) {
    let a: Vec<&str> = bed.a.jwt.split('.').collect();
    let b: Vec<&str> = bed.b.jwt.split('.').collect();
    for (name, parts) in [
        ("B's claims, A's signature", vec![a[0], b[1], a[2]]),
        ("A's claims, B's signature", vec![a[0], a[1], b[2]]),
        ("B's claims alone, signature stripped", vec![b[0], b[1], ""]),
        ("claims first", vec![a[1], a[0], a[2]]),
        ("signature first", vec![a[2], a[0], a[1]]),
        ("header twice", vec![a[0], a[0], a[1], a[2]]),
        ("signature twice", vec![a[0], a[1], a[2], a[2]]),
        ("claims of both", vec![a[0], a[1], b[1], a[2]]),
        ("header alone", vec![a[0]]),
        ("without its signature", vec![a[0], a[1]]),
        ("without its header", vec![a[1], a[2]]),
        ("only dots", vec!["", "", ""]),
        ("five parts, as JWE", vec![a[0], "", a[1], a[1], a[2]]),
        ("nothing", vec![""]),
    ] {
        add(all, name, parts.join("."));
    }
    let jwe = encode(br#"{"alg":"dir","enc":"A256GCM","cty":"JWT"}"#);
    let random = encode(&[9; 12]);
    add(
        all,
        "a JWE",
        format!("{jwe}..{random}.{}.{random}", encode(bed.a.jwt.as_bytes())),
    );
    let pbes =
        encode(br#"{"alg":"PBES2-HS256+A128KW","p2c":2147483647,"p2s":"AAAA","enc":"A128GCM"}"#);
    add(
        all,
        "a JWE that costs",
        format!("{pbes}.{random}.{random}.{random}.{random}"),
    );
    let json_jws = json!({"protected": a[0], "payload": a[1], "signature": a[2]}).to_string();
    add(all, "as JSON", json_jws.clone());
    add(all, "as JSON, encoded", encode(json_jws.as_bytes()));
    let nested = forge.header_with("cty", json!("JWT"));
    add(
        all,
        "nested",
        forge.sign_text(&written(&nested, HEADER), &bed.a.jwt),
    );
    add(
        all,
        "nested, our header",
        forge.sign_text(&written(&forge.header, HEADER), &bed.a.jwt),
    );
    add(
        all,
        "nested in a string",
        forge.sign_text(
            &written(&forge.header, HEADER),
            &json!(bed.a.jwt).to_string(),
        ),
    );
    let detached = format!("{}..{}", a[0], a[2]);
    add(all, "detached", detached);
    for (name, other) in [
        ("a client token", &bed.a.client_token),
        ("a client secret", &bed.a.client_secret),
        ("an API token", &bed.a.api_token),
    ] {
        add(all, name, other.clone());
    }
}
