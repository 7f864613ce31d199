//! Why an operation is refused, and the number that most of them begin with.

/// Why an operation was refused. The text says what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// There is no phone with this number.
    UnknownPhone(String),
    /// The input is malformed.
    Bad(String),
    /// The input is fine, but it does not fit the state of things.
    Conflict(String),
    /// The other side did not answer in time.
    Timeout(String),
    /// There is no such thing here.
    Missing(String),
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownPhone(number) => {
                write!(f, "there is no phone {number}: create it with POST /phones")
            }
            Self::Bad(text) | Self::Conflict(text) | Self::Timeout(text) | Self::Missing(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for Refusal {}

/// A chat: a number, or the address of a group.
pub(crate) fn chat_of(text: &str) -> Result<String, Refusal> {
    match text.trim().strip_suffix("@g.us") {
        Some(id) if !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(format!("{id}@g.us"))
        }
        _ => digits(text),
    }
}

/// Digits of a phone number; a leading `+` is tolerated.
pub(crate) fn digits(number: &str) -> Result<String, Refusal> {
    let number = number.trim();
    let bare = number.strip_prefix('+').unwrap_or(number);
    if (5..=20).contains(&bare.len())
        && bare.bytes().all(|b| b.is_ascii_digit())
        && !bare.starts_with('0')
    {
        Ok(bare.to_owned())
    } else {
        Err(Refusal::Bad(format!(
            "`{number}` is not a phone number: use digits with the country code, for example 5511999990001"
        )))
    }
}
