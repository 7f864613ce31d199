//! Texts that people choose and others read: names and labels, and what is sent.

use crate::{Error, Result};

/// Whether `c` shows as nothing, or changes how the text around it shows: control characters, line and
/// paragraph separators, and the marks that turn the direction of writing. A name that holds one can
/// pass for another in a list, or act on the terminal that prints it.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether `c` leaves no mark on a screen: what [`is_unseen`] knows, and the characters that Unicode lets
/// be ignored, that are a letter's filler, or a blank that is no white space. Joiners and variation
/// selectors are among them: alone they show nothing, though they belong to words and emoji.
pub fn shows_nothing(c: char) -> bool {
    is_unseen(c)
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}'
            | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a text shows nothing at all: nobody means to send it.
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || shows_nothing(c))
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
    fn what_shows_nothing_is_blank() {
        for blank in [
            "",
            " ",
            "   \n",
            "\u{200b}",
            "\u{3000}\t",
            "\u{feff}\u{2060}",
            "\u{2800}",
            "\u{3164}",
            "\u{200d}\u{fe0f}",
            "\0",
            "\u{202e}\u{202c}",
            "\u{e0020}",
            "\u{85}\u{ad}",
        ] {
            assert!(is_blank(blank), "{blank:?}");
        }
        for seen in [
            ".",
            " a ",
            "\u{200b}ok",
            "\u{2764}\u{fe0f}",
            "\u{fffd}",
            "\u{1f468}\u{200d}\u{1f469}",
        ] {
            assert!(!is_blank(seen), "{seen:?}");
        }
    }

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
