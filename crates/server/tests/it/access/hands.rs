//! The hands that are dealt of the deck.

use super::{
    deck::Deck,
    rules::{COOKIE, Hand},
};

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
        // A proxy's header, and a client's in its place.
        vec!["basic", "ct", "inst"],
        vec!["basic", "ct"],
        vec!["basic", "ct", "inst of b"],
        vec!["basic", "ct", "inst revoked"],
        vec!["basic", "sk"],
        vec!["basic", "sk of b"],
        vec!["basic", "sk unknown"],
        vec!["basic", "sk of guest"],
        vec!["basic", "basic"],
        vec!["basic", "jwt"],
        vec!["basic", "wz"],
        vec!["basic of ours", "ct", "inst"],
        vec!["basic of ours", "sk"],
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
        // What its owner restricted, alone and beside what is not.
        vec!["ct only a1", "inst"],
        vec!["ct only a2", "inst"],
        vec!["ct only a2", "inst of a2"],
        vec!["ct elsewhere", "inst"],
        vec!["ct", "inst elsewhere"],
        vec!["jwt only a1", "ct", "inst"],
        vec!["jwt only a1", "ct only a1", "inst"],
        vec!["jwt only a2", "ct", "inst"],
        vec!["jwt only a1", "ct only a2"],
        vec!["jwt", "ct only a1"],
        vec!["jwt", "ct only a2"],
        vec!["jwt", "ct elsewhere"],
        vec!["jwt only a1", "ct of b"],
        vec!["jwt elsewhere", "ct", "inst"],
        // People: their role counts, whatever lies beside.
        vec!["person viewer", "ct", "inst"],
        vec!["person developer", "ct", "inst"],
        vec!["person owner", "ct", "inst"],
        vec!["person viewer", "ct"],
        vec!["person viewer", "ct of b"],
        vec!["person owner", "inst of b"],
        vec!["person admin", "inst of a2"],
        vec!["person owner", "ct only a2"],
        vec!["person viewer", "ct only a1"],
        vec!["person of b", "ct", "inst"],
        vec!["person of b", "ct of b", "inst of b"],
        vec!["person gone", "ct", "inst"],
        vec!["person expired", "ct", "inst"],
        vec!["person cookie", "ct", "inst"],
        vec!["person owner", "sk"],
        vec!["person owner", "person owner"],
        vec!["person viewer", "person owner"],
        vec!["person owner", "jwt"],
        // A claim: the shop's token and the session's key.
        vec!["wz", "sk of guest"],
        vec!["wz lower", "sk of guest"],
        vec!["wz of b", "sk of guest"],
        vec!["wz only a1", "sk of guest"],
        vec!["wz unknown", "sk of guest"],
        vec!["wz revoked", "sk of guest"],
        vec!["wz elsewhere", "sk of guest"],
        vec!["jwt", "sk of guest"],
        vec!["wz", "sk unknown"],
        vec!["wz", "sk elsewhere"],
        vec!["wz", "sk only its own"],
        vec!["wz", "sk only a1"],
        vec!["wz", "sk of guest", "ct"],
        vec!["wz", "wz", "sk of guest"],
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
    // The dashboard's cookie on every other surface: neither helps nor hurts, nor does one that is none.
    let good = format!("{COOKIE}={}", deck.cookie);
    let dead = format!("{COOKIE}={}", "x".repeat(43));
    let twice = format!("{good}; {good}");
    for (name, value, beside) in [
        ("good", &good, vec![]),
        ("good", &good, vec!["jwt"]),
        ("good", &good, vec!["jwt expired"]),
        ("good", &good, vec!["person viewer"]),
        ("good", &good, vec!["person gone"]),
        ("good", &good, vec!["ct", "inst"]),
        ("good", &good, vec!["wz"]),
        ("good", &good, vec!["sk"]),
        ("good", &good, vec!["wz", "sk of guest"]),
        ("dead", &dead, vec!["jwt"]),
        ("dead", &dead, vec!["wz", "sk of guest"]),
        ("twice", &twice, vec!["person viewer"]),
        ("twice", &twice, vec!["ct", "inst"]),
        ("twice", &twice, vec!["sk"]),
    ] {
        hands.push(of(&beside).with_cookie(name, value));
    }
    hands
}
