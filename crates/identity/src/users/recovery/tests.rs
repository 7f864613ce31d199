use std::collections::HashSet;

use recado_model::clock::OsRng;

use super::*;

#[test]
fn ten_different_codes_that_are_found_again() {
    let (shown, kept) = generate(&OsRng);
    assert_eq!((shown.len(), kept.len()), (CODES, CODES));
    assert_eq!(kept.iter().collect::<HashSet<_>>().len(), CODES);
    for (code, kept) in shown.iter().zip(&kept) {
        let groups: Vec<_> = code.expose().split('-').map(str::len).collect();
        assert_eq!(groups, [6, 6, 6, 6]);
        assert_eq!(lookup(code.expose()), Some(*kept));
    }
}

#[test]
fn a_code_is_known_however_it_is_typed() {
    let code = "0123AB-CDEFGH-JKMNPQ-RSTVWX";
    let kept = lookup(code);
    assert!(kept.is_some() && is_code_like(code));
    for typed in [
        "0123ABCDEFGHJKMNPQRSTVWX",
        "0123ab-cdefgh-jkmnpq-rstvwx",
        " O1 23ab cdefgh\njkmnpq rstvwx ",
        "oI23AB–CDEFGH—JKMNPQ−RSTUWX",
        "ol23AB_CDEFGH_JKMNPQ_RSTVWX",
    ] {
        assert_eq!(lookup(typed), kept, "{typed:?}");
    }
    assert_ne!(lookup("0123AB-CDEFGH-JKMNPQ-RSTVWY"), kept);
}

#[test]
fn other_forms_are_not_taken_for_a_code() {
    let overlong = format!("{}0123ABCDEFGHJKMNPQRSTVWX", "-".repeat(200));
    for text in [
        "",
        "123456",
        "0123AB-CDEFGH-JKMNPQ-RSTVW",
        "0123AB-CDEFGH-JKMNPQ-RSTVWXY",
        "0123AB-CDEFGH-JKMNPQ-RSTVW!",
        "0123AB-CDEFGH-JKMNPQ-RSTVWé",
        &overlong,
    ] {
        assert!(!is_code_like(text), "{text:?}");
        assert_eq!(lookup(text), None);
    }
}
