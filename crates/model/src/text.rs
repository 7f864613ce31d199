//! Texts that people choose and others read: names and labels.

use crate::{Error, Result};

/// Whether `c` shows as nothing, or changes how the text around it shows: control characters, line and
/// paragraph separators, and the marks that turn the direction of writing. A name that holds one can
/// pass for another in a list, or act on the terminal that prints it.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Refuses a name or label with such a character in it; `field` is what its caller calls it.
pub fn require_seen(field: &'static str, text: &str) -> Result<()> {
    if !text.contains(is_unseen) {
        return Ok(());
    }
    Err(Error::field(
        field,
        format!(
            "{field} holds a character that nobody sees (control character, line separator or writing direction); leave it out"
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen() {
        for c in [
            '\0', '\n', '\r', '\t', '\u{1b}', '\u{7f}', '\u{85}', '\u{2028}', '\u{2029}',
            '\u{202a}', '\u{202e}', '\u{2066}', '\u{2069}',
        ] {
            assert!(is_unseen(c), "{c:?}");
        }
        // The joiners belong to words of some languages, and to emoji.
        for c in [
            ' ',
            'a',
            'ñ',
            'م',
            '\u{200c}',
            '\u{200d}',
            '\u{fffd}',
            '\u{1f680}',
        ] {
            assert!(!is_unseen(c), "{c:?}");
        }
    }
}
