//! The text that somebody typed where a second factor was asked for.

use super::{
    recovery::{self, Lookup},
    totp,
};

/// Told apart by its form alone.
#[derive(Clone, PartialEq, Eq)]
pub enum Code {
    /// Six digits, for [`totp::matching_step`].
    Totp(String),
    Recovery(Lookup),
    /// Neither.
    Invalid,
}

impl Code {
    pub fn parse(text: &str) -> Self {
        if let Some(digits) = totp::digits(text) {
            Self::Totp(digits)
        } else if let Some(lookup) = recovery::lookup(text) {
            Self::Recovery(lookup)
        } else {
            Self::Invalid
        }
    }
}

/// A code is a secret until it was used.
impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Totp(_) => "Totp(…)",
            Self::Recovery(_) => "Recovery(…)",
            Self::Invalid => "Invalid",
        })
    }
}

#[cfg(test)]
mod tests {
    use recado_model::clock::OsRng;

    use super::*;

    #[test]
    fn what_was_typed_is_told_apart_by_its_form() {
        let (shown, kept) = recovery::generate(&OsRng);
        let recovery = Code::parse(shown[3].expose());
        assert_eq!(recovery, Code::Recovery(kept[3]));
        let totp = Code::parse(" 123 456");
        assert_eq!(totp, Code::Totp("123456".to_owned()));
        for text in ["", "12345", "1234567", "0123AB-CDEFGH-JKMNPQ"] {
            assert_eq!(Code::parse(text), Code::Invalid, "{text:?}");
        }
        assert_eq!(format!("{totp:?} {recovery:?}"), "Totp(…) Recovery(…)");
    }
}
