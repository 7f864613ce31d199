//! Why a message failed: a code, what it means, and what helps. One table for all surfaces.
//!
//! WhatsApp's own codes are numbers as text; ours are words. To add one: a line in [`known`], and in
//! [`remedy`] when it is not final.

/// Why a message is over without having been sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// `463`, `not_on_whatsapp`, …
    pub code: String,
    /// For a person.
    pub reason: String,
}

impl Failure {
    /// With the table's own words.
    pub fn of(code: &str) -> Self {
        let (meaning, _) = known(code);
        Self {
            code: code.to_owned(),
            reason: meaning.to_owned(),
        }
    }
}

/// The number is not on WhatsApp.
pub const NOT_ON_WHATSAPP: &str = "not_on_whatsapp";
/// The pairing ended before the message left.
pub const LOGGED_OUT: &str = "logged_out";
/// The group is not there, or the number is no member of it.
pub const NOT_IN_GROUP: &str = "not_in_group";
/// The engine takes no message for this address.
pub const BAD_ADDRESS: &str = "bad_address";
/// The message could not be handed to WhatsApp, again and again.
pub const NOT_HANDED_OVER: &str = "not_handed_over";
/// It was to leave by a time, and that was over before its first try.
pub const TOO_LATE: &str = "too_late";
/// The stored message cannot be read any more.
pub const UNREADABLE: &str = "unreadable";

/// It was to change a message that was deleted before it was sent.
pub const DELETED: &str = "deleted";

/// The address of a medium did not give it.
pub const MEDIA_NOT_FETCHED: &str = "media_not_fetched";
/// What came from the address of a medium is larger than it may be.
pub const MEDIA_TOO_LARGE: &str = "media_too_large";
/// What came from the address of a medium is of another type than it began as, or cannot be shown.
pub const MEDIA_WRONG_TYPE: &str = "media_wrong_type";
/// The bytes of a medium are not kept any more.
pub const MEDIA_GONE: &str = "media_gone";

/// The consequence of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// WhatsApp is in trouble: again, after a pause.
    Again,
    /// Too fast: all of the instance waits, then again.
    Slower,
    /// Our view of the group is out of date: once more, with its members asked for anew.
    RefreshGroup,
    /// The session is stale: once more, on a new connection.
    NewConnection,
    /// Final.
    Fail,
}

/// The consequence of WhatsApp's `code`. `before`: the code of the refusal before this one, for what
/// is tried once more only.
pub fn remedy(code: &str, before: Option<&str>) -> Remedy {
    let again = before == Some(code);
    match code {
        "500" | "503" => Remedy::Again,
        "429" => Remedy::Slower,
        "421" if !again => Remedy::RefreshGroup,
        "479" if !again => Remedy::NewConnection,
        _ => Remedy::Fail,
    }
}

/// The meaning of a code, and the remedy.
fn known(code: &str) -> (&'static str, &'static str) {
    match code {
        NOT_ON_WHATSAPP => (
            "This number is not on WhatsApp.",
            "Check the number with its country code.",
        ),
        LOGGED_OUT => (
            "The instance was logged out before the message was sent.",
            "Pair the instance again, then send the message again.",
        ),
        NOT_IN_GROUP => (
            "This group does not exist, or the number is not a member of it.",
            "Have the number added to the group, then send the message again.",
        ),
        BAD_ADDRESS => (
            "WhatsApp takes no messages for this address.",
            "Check the address: a number with its country code, or a group's address.",
        ),
        NOT_HANDED_OVER => (
            "The message could not be handed to WhatsApp, several times in a row.",
            "Look at the instance's state and the gateway's log, then send the message again.",
        ),
        TOO_LATE => (
            "The message could not leave before the time that it was good for (valid_until).",
            "Nothing of it was sent. If it still matters, send it again with a later valid_until or none.",
        ),
        UNREADABLE => (
            "What was stored of the message cannot be read any more.",
            "Send the message again under a new id.",
        ),
        DELETED => (
            "The message that this was to change was deleted before it was sent.",
            "Nothing is left to do.",
        ),
        MEDIA_NOT_FETCHED => (
            "The medium could not be fetched from its URL.",
            "Check that the URL answers 200 with the file to anybody, then send the message again under a new id.",
        ),
        MEDIA_TOO_LARGE => (
            "The medium at the URL is larger than this kind may be.",
            "Send a smaller file, or send it as a document.",
        ),
        MEDIA_WRONG_TYPE => (
            "What the URL gave cannot be sent as this kind of medium.",
            "Check the file: its bytes decide, not its name.",
        ),
        MEDIA_GONE => (
            "The medium of the message is not kept any more.",
            "Send the message again, with its medium, under a new id.",
        ),
        "400" => (
            "WhatsApp found the message malformed, or the address not fit for this account.",
            "Send to the phone number in place of another address of the person.",
        ),
        "401" | "403" => (
            "WhatsApp does not let this number send there.",
            "Check that the recipient has not blocked the number, and that it may write in the group.",
        ),
        "404" => (
            "WhatsApp does not know the recipient.",
            "Check the number with its country code.",
        ),
        "405" | "473" => (
            "WhatsApp does not take this kind of message from this account.",
            "Send it as a plain text.",
        ),
        "421" => (
            "WhatsApp says that the group's members have changed, also after they were asked for anew.",
            "Send the message again in some minutes.",
        ),
        "463" => (
            "WhatsApp limits how many strangers this number may write to.",
            "Do not try again soon: wait until the person has written to this number, or a day.",
        ),
        "475" => (
            "The number has used up its new chats for now.",
            "Wait until WhatsApp allows new chats again, and send more slowly.",
        ),
        "479" => (
            "WhatsApp refused a field of the message, also on a new connection.",
            "Check the recipient; send the message again in some minutes.",
        ),
        _ => (
            "WhatsApp refused the message.",
            "Check the recipient and the content; send it again in some minutes.",
        ),
    }
}

/// The remedy for a failure of this code.
pub fn what_to_do(code: &str) -> &'static str {
    known(code).1
}

/// A refusal of WhatsApp's as a failure: the code is in the reason, for a code that the table does
/// not know.
pub fn refused(code: &str) -> Failure {
    Failure {
        code: code.to_owned(),
        reason: format!("{} (code {code})", known(code).0.trim_end_matches('.')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_tried_once_more_is_tried_once_more_only() {
        assert_eq!(remedy("421", None), Remedy::RefreshGroup);
        assert_eq!(remedy("421", Some("421")), Remedy::Fail);
        assert_eq!(remedy("479", Some("503")), Remedy::NewConnection);
        assert_eq!(remedy("479", Some("479")), Remedy::Fail);
        assert_eq!(remedy("463", None), Remedy::Fail);
        assert_eq!(remedy("429", Some("429")), Remedy::Slower);
    }

    #[test]
    fn every_code_has_words() {
        for code in ["463", NOT_IN_GROUP, TOO_LATE, "999"] {
            let failure = refused(code);
            assert!(failure.reason.ends_with(&format!("(code {code})")));
            assert!(what_to_do(code).ends_with('.'));
        }
    }
}
