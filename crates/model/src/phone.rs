//! Phone numbers and WhatsApp addresses as callers write them.

use serde::Serialize;

use crate::error::{Error, ErrorCode};

/// International digits only, 7 to 15 of them (E.164 without the plus).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Takes what people paste: `+55 (11) 99999-9999`, `5511999999999`, `…@s.whatsapp.net`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let bare = text.trim();
        let bare = bare
            .strip_suffix("@s.whatsapp.net")
            .or_else(|| bare.strip_suffix("@c.us"))
            .unwrap_or(bare);
        let mut digits = String::with_capacity(bare.len());
        for c in bare.strip_prefix('+').unwrap_or(bare).chars() {
            match c {
                '0'..='9' => digits.push(c),
                ' ' | '-' | '(' | ')' | '.' => {}
                _ => return Err(Self::refused()),
            }
        }
        if !(7..=15).contains(&digits.len()) || digits.starts_with('0') {
            return Err(Self::refused());
        }
        Ok(Self(digits))
    }

    fn refused() -> Error {
        Error::new(
            ErrorCode::InvalidPhone,
            "phone must be an international number with country code, 7 to 15 digits, for example 5511999999999",
        )
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_paste() {
        for good in [
            "5511999999999",
            "+55 (11) 99999-9999",
            "5511999999999@s.whatsapp.net",
        ] {
            assert_eq!(
                PhoneNumber::parse(good).expect(good).as_str(),
                "5511999999999"
            );
        }
        for bad in [
            "",
            "abc",
            "0034600000000",
            "123",
            "1234567890123456",
            "55;11999999999",
            "٥٥١١٩٩٩٩٩٩٩",
        ] {
            assert!(PhoneNumber::parse(bad).is_err(), "{bad}");
        }
    }
}
