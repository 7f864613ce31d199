//! Opaque tokens: nothing but prefix, 30 base62 and the right checksum is well-formed, and only as
//! one kind.
#![no_main]

use std::sync::Mutex;

use libfuzzer_sys::fuzz_target;
use recado_model::{Rng, Token, TokenKind};

/// Randomness out of the input, so that the fuzzer also reaches well-formed tokens.
struct Replay<'a>(Mutex<std::iter::Cycle<std::slice::Iter<'a, u8>>>, Mutex<u8>);

impl Rng for Replay<'static> {
    fn fill(&self, bytes: &mut [u8]) {
        let mut input = self.0.lock().expect("one thread");
        let mut turn = self.1.lock().expect("one thread");
        for byte in bytes {
            // The turn keeps a constant input from being rejected by `below` for ever.
            *turn = turn.wrapping_add(1);
            *byte = input.next().copied().unwrap_or(0).wrapping_add(*turn);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data) {
        judge(text);
    }
    let Some((first, rest)) = data.split_first() else {
        return;
    };
    if rest.len() < 3 {
        return;
    }
    let kind = TokenKind::ALL[usize::from(*first) % TokenKind::ALL.len()];
    let seed: &'static [u8] = Box::leak(rest.to_vec().into_boxed_slice());
    let rng = Replay(Mutex::new(seed.iter().cycle()), Mutex::new(0));
    let text = Token::random(kind, &rng).expose().to_owned();
    assert!(Token::parse(kind, &text).is_some(), "what we make, we take");
    judge(&text);

    // One byte replaced anywhere: the checksum finds every such change.
    let at = usize::from(rest[0]) % text.len();
    let mut other = text.clone().into_bytes();
    other[at] = rest[1];
    if let Ok(other) = String::from_utf8(other)
        && other != text
    {
        for kind in TokenKind::ALL {
            assert!(Token::parse(kind, &other).is_none(), "{other}");
        }
    }
    // Longer or shorter by anything.
    let cut = usize::from(rest[2]) % text.len();
    for other in [
        text[..cut].to_owned(),
        format!("{text}{}", &text[cut..]),
        format!(" {text}"),
    ] {
        for kind in TokenKind::ALL {
            assert!(Token::parse(kind, &other).is_none(), "{other}");
        }
    }
});

fn judge(text: &str) {
    let mut kinds = 0;
    for kind in TokenKind::ALL {
        let Some(token) = Token::parse(kind, text) else {
            continue;
        };
        kinds += 1;
        assert_eq!(token.expose(), text);
        assert_eq!(token.kind(), kind);
        let rest = text.strip_prefix(kind.prefix()).expect("the prefix");
        assert_eq!(rest.len(), 36);
        assert!(rest.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let hint = token.hint();
        assert!(!hint.contains(&rest[..32]), "a hint is no token");
        assert!(!format!("{token:?}").contains(&rest[..32]));
    }
    assert!(kinds <= 1, "{text} is of two kinds");
}
