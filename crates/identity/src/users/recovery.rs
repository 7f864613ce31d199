//! Recovery codes: what lets a person in who has lost the authenticator. Ten, each works once.
//!
//! 24 characters of Crockford's base32 in groups of six, `7K3M9A-…`: 120 random bits, so a plain hash at
//! rest is enough and the hash is also what one is looked up by.

#[cfg(test)]
mod tests;

use recado_model::{Rng, Secret};
use sha2::{Digest, Sha256};

/// How many are made at once.
pub const CODES: usize = 10;
const CHARS: usize = 24;
const GROUP: usize = 6;
/// No I, L, O and U: they look like 1, 1, 0 and V.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// The hash of a code: what is kept of it, and what it is looked up by.
pub type Lookup = [u8; 32];

/// The codes to show, once, and in the same order what to keep of them.
pub fn generate(rng: &dyn Rng) -> (Vec<Secret>, Vec<Lookup>) {
    (0..CODES).map(|_| one(rng)).unzip()
}

fn one(rng: &dyn Rng) -> (Secret, Lookup) {
    let mut random = [0; CHARS];
    rng.fill(&mut random);
    // 256 is a multiple of 32: no character is likelier than another.
    let code = random.map(|byte| ALPHABET[usize::from(byte % 32)]);
    let mut shown = String::with_capacity(CHARS + CHARS / GROUP);
    for (n, &byte) in code.iter().enumerate() {
        if n > 0 && n % GROUP == 0 {
            shown.push('-');
        }
        shown.push(char::from(byte));
    }
    (Secret::new(shown), digest(&code))
}

/// The hash of a code as somebody typed it: case, dashes and spaces do not count, and characters that look
/// like another are taken for it. `None` when it is no recovery code by its form.
pub fn lookup(text: &str) -> Option<Lookup> {
    read(text).map(|code| digest(&code))
}

/// Whether it has the form of a recovery code.
pub fn is_code_like(text: &str) -> bool {
    read(text).is_some()
}

fn read(text: &str) -> Option<[u8; CHARS]> {
    let mut code = [0; CHARS];
    let mut len = 0;
    // A megabyte of dashes is not worth a look.
    for c in text.chars().take(4 * CHARS + 1) {
        // Text that was copied from a document has dashes and spaces of many kinds.
        if c.is_whitespace() || matches!(c, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}') {
            continue;
        }
        let c = match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            'U' => 'V',
            c => c,
        };
        let byte = u8::try_from(c)
            .ok()
            .filter(|byte| ALPHABET.contains(byte))?;
        *code.get_mut(len)? = byte;
        len += 1;
    }
    (len == CHARS).then_some(code)
}

fn digest(code: &[u8; CHARS]) -> Lookup {
    Sha256::new()
        .chain_update(b"recado recovery code\0")
        .chain_update(code)
        .finalize()
        .into()
}
