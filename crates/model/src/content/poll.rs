//! Polls, and votes in them. WhatsApp knows an option by the SHA-256 of its words, so no two of a poll are
//! the same.

use serde::Serialize;

use super::Target;
use crate::{
    Error, MessageId, Result, Timestamp,
    text::{is_blank, is_unseen},
};

/// In characters; what phones take.
const NAME_MOST: usize = 255;
/// In characters; what phones take.
const OPTION_MOST: usize = 100;
const OPTIONS_LEAST: usize = 2;
const OPTIONS_MOST: usize = 12;

/// A question with options.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Poll {
    pub name: String,
    pub options: Vec<String>,
    /// How many options one person may choose; 0 is any number.
    pub selectable: u32,
    pub hide_participant_names: bool,
    /// No vote counts after it.
    pub end_time: Option<Timestamp>,
    /// Whether others may add options.
    pub allow_add_option: bool,
}

/// A poll as a caller gives it.
#[derive(Clone, Debug, Default)]
pub struct NewPoll {
    pub name: String,
    pub options: Vec<String>,
    /// One, where it is not given.
    pub selectable: Option<i64>,
    pub hide_participant_names: bool,
    /// RFC 3339.
    pub end_time: Option<String>,
    pub allow_add_option: bool,
}

impl Poll {
    /// Blanks around the name and the options go.
    ///
    /// # Errors
    /// For the field that does not fit: `name`, `options`, `selectable_options_count` or `end_time`.
    pub fn new(new: NewPoll, now: Timestamp) -> Result<Self> {
        let name = new.name.trim().to_owned();
        let wrong = match name.as_str() {
            name if is_blank(name) => "name is required: the question, as a text that can be seen",
            name if name.chars().count() > NAME_MOST => "name has at most 255 characters",
            name if name.contains(|c| c != '\n' && is_unseen(c)) => {
                "name holds a character that nobody sees; leave it out"
            }
            _ => "",
        };
        if !wrong.is_empty() {
            return Err(Error::field("name", wrong));
        }
        let options = options(new.options)?;
        let selectable = u32::try_from(new.selectable.unwrap_or(1)).ok();
        let selectable = selectable.filter(|count| *count as usize <= options.len());
        let selectable = selectable.ok_or_else(|| {
            let text =
                "selectable_options_count is 1 to the number of options, or 0 for any number";
            Error::field("selectable_options_count", text)
        })?;
        Ok(Self {
            name,
            options,
            selectable,
            hide_participant_names: new.hide_participant_names,
            end_time: end_time(new.end_time.as_deref(), now)?,
            allow_add_option: new.allow_add_option,
        })
    }

    /// Whether so many options may be chosen by one person.
    pub fn allows(&self, count: usize) -> bool {
        self.selectable == 0 || count <= self.selectable as usize
    }

    /// What a caller chooses of it, each option once.
    ///
    /// # Errors
    /// For `field`: an option that it does not have, or more than it allows.
    pub fn choose(&self, options: &[String], field: &'static str) -> Result<Vec<String>> {
        let chosen = named(options);
        if let Some(unknown) = chosen.iter().find(|name| !self.options.contains(name)) {
            let known = self.options.join(", ");
            let text = format!("{field}: this poll has no option {unknown:?}. It has: {known}");
            return Err(Error::field(field, text));
        }
        if !self.allows(chosen.len()) {
            let most = self.selectable;
            let text = format!("{field}: this poll takes at most {most} of its options");
            return Err(Error::field(field, text));
        }
        Ok(chosen)
    }
}

fn options(given: Vec<String>) -> Result<Vec<String>> {
    let wrong = |text: String| Err(Error::field("options", text));
    if !(OPTIONS_LEAST..=OPTIONS_MOST).contains(&given.len()) {
        return wrong("options: a poll has 2 to 12 options".to_owned());
    }
    let mut all: Vec<String> = Vec::with_capacity(given.len());
    for (at, option) in given.iter().enumerate() {
        let (option, number) = (option.trim(), at + 1);
        if is_blank(option) || option.contains(is_unseen) {
            return wrong(format!(
                "options: option {number} is one line that can be seen"
            ));
        }
        if option.chars().count() > OPTION_MOST {
            return wrong(format!(
                "options: option {number} has more than {OPTION_MOST} characters"
            ));
        }
        if all.iter().any(|other| other == option) {
            return wrong(format!(
                "options: {option:?} is there twice; WhatsApp knows options by their words"
            ));
        }
        all.push(option.to_owned());
    }
    Ok(all)
}

fn end_time(text: Option<&str>, now: Timestamp) -> Result<Option<Timestamp>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let Some(end) = Timestamp::parse_rfc3339(text) else {
        return Err(Error::field(
            "end_time",
            "end_time is a time with its zone by RFC 3339, for example 2026-01-31T12:00:00Z",
        ));
    };
    match end > now {
        true => Ok(Some(end)),
        false => Err(Error::field(
            "end_time",
            "end_time is over: it must be in the future",
        )),
    }
}

/// Each option once, without blanks around it.
fn named(options: &[String]) -> Vec<String> {
    let mut each: Vec<String> = Vec::with_capacity(options.len());
    for option in options.iter().map(|option| option.trim()) {
        if !each.iter().any(|other| other == option) {
            each.push(option.to_owned());
        }
    }
    each
}

/// What somebody chooses of a poll. Each person has one vote: a later one takes its place, and one without
/// options takes it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Vote {
    pub target: Target,
    pub options: Vec<String>,
    /// The options as a person reads them.
    #[serde(skip)]
    pub text: Option<String>,
    /// Made anew each time, so no part of what tells one vote from another.
    #[serde(skip)]
    pub ballot: Ballot,
}

impl Vote {
    pub fn new(target: Target, options: &[String], ballot: Ballot) -> Self {
        let options = named(options);
        Self {
            target,
            text: (!options.is_empty()).then(|| options.join(", ")),
            options,
            ballot,
        }
    }
}

/// A vote, encrypted under the secret of its poll.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ballot {
    pub payload: Vec<u8>,
    pub iv: Vec<u8>,
}

/// A vote that is to be encrypted. `creator` and `voter` are in one namespace: both numbers, or both ids.
#[derive(Clone, Copy, Debug)]
pub struct Voting<'a> {
    /// Of the poll.
    pub id: &'a MessageId,
    pub creator: &'a crate::Address,
    pub voter: &'a crate::Address,
    pub options: &'a [String],
}

/// A vote that was decrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chosen {
    pub options: Vec<String>,
    /// How many more options it names, whose words are not known here: somebody has added them.
    pub unknown: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_767_225_600_000);

    fn lunch() -> NewPoll {
        NewPoll {
            name: " Lunch? ".into(),
            options: vec!["Pizza".into(), " Salad ".into(), "Nothing, thanks".into()],
            ..NewPoll::default()
        }
    }

    #[test]
    fn a_poll_as_it_was_given() {
        let poll = Poll::new(lunch(), NOW).expect("a poll");
        assert_eq!(poll.name, "Lunch?");
        assert_eq!(poll.options, ["Pizza", "Salad", "Nothing, thanks"]);
        assert_eq!((poll.selectable, poll.end_time), (1, None));
        let end = Some("2026-01-01T01:00:00+01:01".to_owned());
        let over = NewPoll {
            end_time: end,
            ..lunch()
        };
        assert!(Poll::new(over, NOW).is_err(), "a minute ago");
        let end = Some("2026-01-01T01:00:00-01:00".to_owned());
        let any = NewPoll {
            end_time: end,
            selectable: Some(0),
            ..lunch()
        };
        let any = Poll::new(any, NOW).expect("a poll");
        assert_eq!(any.end_time, Some(NOW.plus_secs(7_200)));
        assert!(any.allows(3) && poll.allows(1) && !poll.allows(2));
    }

    #[test]
    fn what_is_no_poll() {
        type Change = fn(&mut NewPoll);
        let wrong: [(&str, Change); 14] = [
            ("name", |new| new.name = "\u{200b}".into()),
            ("name", |new| new.name = "x".repeat(256)),
            ("name", |new| new.name = "a\u{202e}b".into()),
            ("options", |new| new.options.clear()),
            ("options", |new| new.options.truncate(1)),
            ("options", |new| {
                new.options = (0..13).map(|n| n.to_string()).collect();
            }),
            ("options", |new| new.options[1] = " ".into()),
            ("options", |new| new.options[1] = "two\nlines".into()),
            ("options", |new| new.options[1] = " Pizza ".into()),
            ("options", |new| new.options[1] = "x".repeat(101)),
            ("selectable_options_count", |new| new.selectable = Some(4)),
            ("selectable_options_count", |new| new.selectable = Some(-1)),
            ("end_time", |new| {
                new.end_time = Some("2027-01-01T00:00:00".into());
            }),
            ("end_time", |new| new.end_time = Some("tomorrow".into())),
        ];
        for (field, change) in wrong {
            let mut new = lunch();
            change(&mut new);
            let error = Poll::new(new, NOW).expect_err(field);
            assert_eq!(error.field, Some(field));
        }
    }

    #[test]
    fn a_choice_is_of_what_there_is() {
        let poll = Poll::new(lunch(), NOW).expect("a poll");
        let choose = |options: &[&str]| {
            let options: Vec<_> = options.iter().map(|o| (*o).to_owned()).collect();
            poll.choose(&options, "vote")
        };
        assert_eq!(choose(&[" Pizza ", "Pizza"]).expect("one"), ["Pizza"]);
        assert_eq!(choose(&[]).expect("taken back"), Vec::<String>::new());
        let unknown = choose(&["Soup"]).expect_err("unknown");
        assert!(unknown.to_string().contains("Pizza, Salad"), "{unknown}");
        assert_eq!(unknown.field, Some("vote"));
        assert!(choose(&["Pizza", "Salad"]).is_err(), "too many");
    }
}
