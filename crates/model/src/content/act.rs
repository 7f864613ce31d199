//! Acts on an earlier message: a sign put on it, another text for it, its end. Each is a message of
//! its own, with an id of its own, and names the one that it is about.

use serde::Serialize;

use super::Text;
use crate::{
    Address, Error, MessageId, Result,
    text::{is_blank, is_unseen},
};

/// In characters. An emoji of a family with its skin tones has a dozen.
const SIGN_MOST: usize = 32;

/// The message that an act is about, as that message itself named its chat and its sender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    pub id: MessageId,
    pub chat: Address,
    pub sender: Address,
    pub from_me: bool,
}

/// A sign on a message. Each person has one; none takes it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reaction {
    pub target: Target,
    pub sign: Option<String>,
}

impl Reaction {
    /// `""` is none. `+1` and `-1` are thumbs.
    ///
    /// # Errors
    /// For the field `reaction`: what shows nothing, or is no single sign.
    pub fn new(target: Target, sign: &str) -> Result<Self> {
        if sign.is_empty() {
            return Ok(Self { target, sign: None });
        }
        let sign = match sign.trim() {
            "+1" => "\u{1f44d}",
            "-1" => "\u{1f44e}",
            sign => sign,
        };
        let wrong = match sign {
            sign if is_blank(sign) => {
                "reaction shows nothing: send an emoji, or \"\" to take yours back"
            }
            sign if sign.chars().count() > SIGN_MOST => "reaction is one emoji",
            sign if sign.contains(char::is_whitespace) => "reaction is one emoji",
            sign if sign.contains(is_unseen) => "reaction is one emoji",
            sign if is_written(sign) => "reaction is one emoji",
            _ => {
                let sign = Some(sign.to_owned());
                return Ok(Self { target, sign });
            }
        };
        Err(Error::field("reaction", wrong))
    }
}

/// Whether there are letters in it, or signs of ASCII but for those on keycaps.
fn is_written(sign: &str) -> bool {
    let is_keycap = sign.ends_with('\u{20e3}');
    sign.chars().any(|c| match c {
        '0'..='9' | '#' | '*' => !is_keycap,
        // Letters in circles and squares are emoji.
        '\u{2000}'..='\u{2bff}' | '\u{1f000}'.. => false,
        c => c.is_ascii() || c.is_alphanumeric(),
    })
}

/// Another text for a message of ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edit {
    pub target: Target,
    pub text: Text,
}

/// A message of ours taken back for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Revoke {
    pub target: Target,
}
