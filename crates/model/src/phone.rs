//! Phone numbers as callers write them.

mod country;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, ErrorCode},
    text::shows_nothing,
};

/// International digits only, 7 to 15 of them (E.164 without the plus).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The shortest and the longest, on every surface.
    pub const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

    /// Takes what people paste: `+55 (11) 99999-9999`, `5511999999999`, `…@s.whatsapp.net`. Characters
    /// that nobody sees, which come along from address books and pages, are dropped, and so is the `(0)`
    /// that is dialled inside a country only.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let seen: String = text.chars().filter(|c| !is_space(*c)).collect();
        let bare = seen
            .strip_suffix("@s.whatsapp.net")
            .or_else(|| seen.strip_suffix("@c.us"))
            .unwrap_or(&seen)
            .replace("(0)", "");
        let mut digits = String::with_capacity(bare.len());
        let mut plus = false;
        for c in bare.chars() {
            match c {
                '0'..='9' => digits.push(c),
                '+' if digits.is_empty() && !plus => plus = true,
                '-' | '(' | ')' | '.' | '\u{2010}'..='\u{2015}' | '\u{2212}' => {}
                _ => return Err(strange(c)),
            }
        }
        if digits.starts_with('0') {
            return Err(refused(
                "phone begins with 0: write the country code in place of the zeros, for example 5511999999999",
            ));
        }
        if !Self::DIGITS.contains(&digits.len()) {
            return Err(refused(
                "phone must be an international number with country code, 7 to 15 digits, for example 5511999999999",
            ));
        }
        if !country::begins(&digits) {
            return Err(refused(country::missing(&digits)));
        }
        Ok(Self(digits))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace() || shows_nothing(c)
}

fn strange(c: char) -> Error {
    let code = match c.is_ascii() {
        true => String::new(),
        false => format!(" (U+{:04X})", u32::from(c)),
    };
    refused(format!(
        "phone holds '{c}'{code}, which is no part of a number: write digits, with country code, for example 5511999999999"
    ))
}

fn refused(message: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::InvalidPhone, message).with_field("phone")
}

impl std::fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        match PhoneNumber::parse(text) {
            Ok(phone) => phone.to_string(),
            Err(error) => error.message.into_owned(),
        }
    }

    #[test]
    fn what_people_paste() {
        for (text, digits) in [
            ("5511999999999", "5511999999999"),
            ("+55 (11) 99999-9999", "5511999999999"),
            ("5511999999999@s.whatsapp.net", "5511999999999"),
            ("(+55) 11 99999.9999", "5511999999999"),
            // The digit that is dialled inside the country only.
            ("+55 (0) 11 98888-0002", "5511988880002"),
            ("+44 (0)20 7946 0958", "442079460958"),
            ("+49 ( 0 ) 30 123456", "4930123456"),
            // An address book's marks, a page's spaces and hyphens, a byte order mark.
            (
                "\u{202a}+55\u{a0}11\u{a0}98888\u{2011}0002\u{202c}",
                "5511988880002",
            ),
            (
                "\u{feff}+55\u{200b}11\u{2060}988880002\u{200e}",
                "5511988880002",
            ),
            ("\t+55\u{2009}11 9\u{ad}8888–0002\r\n", "5511988880002"),
            ("+1 (202) 555-0123", "12025550123"),
            ("+683 4000", "6834000"),
        ] {
            assert_eq!(read(text), digits, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_number_says_why() {
        for (text, why) in [
            ("", "7 to 15 digits"),
            ("123456", "7 to 15 digits"),
            ("5512345678901234", "7 to 15 digits"),
            ("0034600000000", "begins with 0"),
            ("(011) 98888-0002", "begins with 0"),
            ("(0)", "7 to 15 digits"),
            ("abc", "phone holds 'a',"),
            ("55;11999999999", "phone holds ';',"),
            ("+55 11 98888-0002 ext. 5", "phone holds 'e',"),
            ("55+11999999999", "phone holds '+',"),
            ("++5511999999999", "phone holds '+',"),
            ("٥٥١١٩٩٩٩٩٩٩", "phone holds '٥' (U+0665),"),
            ("evil@s.whatsapp.net@g.us", "phone holds 'e',"),
        ] {
            let told = read(text);
            assert!(told.contains(why), "{text:?}: {told}");
        }
    }

    #[test]
    fn a_number_without_its_country_is_no_other_countrys() {
        for (text, hint) in [
            // No area code of North America begins with 0 or 1, or has a 9 in its middle.
            ("(11) 99999-0002", "for Brazil write 55 11 99999-0002"),
            ("(0)11 99999-0002", "for Brazil write 55 11 99999-0002"),
            ("19 98888-0002", "for Brazil write 55 19 98888-0002"),
            ("(11) 3333-0002", "for Brazil write 55 11 3333-0002"),
            // No country has 219, 279, 289 or 999.
            ("(21) 99999-0002", "for Brazil write 55 21 99999-0002"),
            ("(27) 99999-0002", "27999990002"),
            ("(28) 99999-0002", "for Brazil write 55 28 99999-0002"),
            ("99999-0002", "country code missing?"),
        ] {
            let told = read(text);
            assert!(told.contains(hint), "{text:?}: {told}");
        }
    }
}
