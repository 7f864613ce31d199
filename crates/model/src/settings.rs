//! An instance's settings: how it behaves, where its owner wants something else than the operator's default.

use serde::{Deserialize, Serialize};

use crate::{Error, Result, text::is_blank};

/// The longest pause between two sends that an owner may ask for.
const PAUSE_MOST_MS: i64 = 10 * 60 * 1000;
/// Of what is written to callers, in characters.
const REPLY_MOST: usize = 1_000;

/// Kept as JSON: a setting that is not there has its default, one that a newer program left is passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub interactive: Interactive,
    /// When media that come in are fetched; the operator's rule where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<MediaRule>,
    /// Milliseconds between the starts of two sends; never less than the operator has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_interval_ms: Option<i64>,
    /// At most so many milliseconds come on top, by chance; a quarter of the interval where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_jitter_ms: Option<i64>,
    pub presence: OwnPresence,
    /// How much of its past a phone is asked for when it is linked.
    pub history: History,
    /// Written to who calls, where calls are declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_calls_message: Option<String>,
}

/// What becomes of buttons and lists, which phones no longer show reliably from linked devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interactive {
    /// A numbered text.
    #[default]
    Text,
    /// In WhatsApp's own form, which some phones do not show.
    Native,
    /// Nothing: the call is refused.
    Refuse,
}

impl Interactive {
    pub const ALL: [Self; 3] = [Self::Text, Self::Native, Self::Refuse];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Native => "native",
            Self::Refuse => "refuse",
        }
    }

    /// # Errors
    /// For the field `interactive`.
    pub fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL
            .into_iter()
            .find(|one| one.as_str() == text.trim());
        let wrong = "interactive is text, native or refuse";
        known.ok_or_else(|| Error::field("interactive", wrong))
    }
}

/// Whether others see somebody at this number while the gateway is connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnPresence {
    /// The phone rings and shows what comes in as before.
    #[default]
    Unavailable,
    /// Seen as online. WhatsApp takes the phone's silence for wanted, and tells of others.
    Available,
}

impl OwnPresence {
    pub const ALL: [Self; 2] = [Self::Unavailable, Self::Available];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unavailable => "unavailable",
            Self::Available => "available",
        }
    }

    /// # Errors
    /// For the field `presence`.
    pub fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL
            .into_iter()
            .find(|one| one.as_str() == text.trim());
        known.ok_or_else(|| Error::field("presence", "presence is unavailable or available"))
    }
}

/// How much of its past a phone is asked for when it is linked, and whether it is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Nothing is kept.
    Off,
    /// The last months.
    #[default]
    Recent,
    /// All that the phone gives.
    Full,
}

impl History {
    pub const ALL: [Self; 3] = [Self::Off, Self::Recent, Self::Full];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Recent => "recent",
            Self::Full => "full",
        }
    }

    /// # Errors
    /// For the field `history`.
    pub fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL
            .into_iter()
            .find(|one| one.as_str() == text.trim());
        known.ok_or_else(|| Error::field("history", "history is off, recent or full"))
    }
}

/// When a medium that comes in is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaRule {
    /// Never.
    Off,
    /// When its link is first opened.
    OnDemand,
    /// At once, up to the operator's size.
    Always,
}

impl MediaRule {
    pub const ALL: [Self; 3] = [Self::Off, Self::OnDemand, Self::Always];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::OnDemand => "on_demand",
            Self::Always => "always",
        }
    }

    /// # Errors
    /// For the field `media`.
    pub fn parse(text: &str) -> Result<Self> {
        let known = Self::ALL
            .into_iter()
            .find(|one| one.as_str() == text.trim());
        known.ok_or_else(|| Error::field("media", "media is off, on_demand or always"))
    }
}

/// A change of settings; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsChange {
    pub interactive: Option<Interactive>,
    pub media: Option<MediaRule>,
    /// 0 goes back to the operator's.
    pub send_interval_ms: Option<i64>,
    pub send_jitter_ms: Option<i64>,
    pub presence: Option<OwnPresence>,
    pub history: Option<History>,
    /// Blank is none.
    pub reject_calls_message: Option<String>,
}

impl Settings {
    /// # Errors
    /// For the field that does not fit.
    pub fn change(&mut self, change: &SettingsChange) -> Result<()> {
        let fits = |field, value: i64| match (0..=PAUSE_MOST_MS).contains(&value) {
            true => Ok(value),
            false => Err(Error::field(
                field,
                format!("{field} is in milliseconds, 0 to {PAUSE_MOST_MS}"),
            )),
        };
        if let Some(interactive) = change.interactive {
            self.interactive = interactive;
        }
        self.media = change.media.or(self.media);
        if let Some(interval) = change.send_interval_ms {
            let interval = fits("send_interval_ms", interval)?;
            self.send_interval_ms = Some(interval).filter(|ms| *ms > 0);
        }
        self.presence = change.presence.unwrap_or(self.presence);
        self.history = change.history.unwrap_or(self.history);
        if let Some(text) = &change.reject_calls_message {
            self.reject_calls_message = match is_blank(text) {
                true => None,
                false => Some(fitting(text)?),
            };
        }
        if let Some(jitter) = change.send_jitter_ms {
            self.send_jitter_ms = Some(fits("send_jitter_ms", jitter)?);
        }
        Ok(())
    }
}

fn fitting(text: &str) -> Result<String> {
    match text.chars().count() <= REPLY_MOST {
        true => Ok(text.to_owned()),
        false => Err(Error::field(
            "reject_calls_message",
            format!("reject_calls_message has at most {REPLY_MOST} characters"),
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_stays() {
        let mut settings = Settings::default();
        let change = |interval, jitter| SettingsChange {
            send_interval_ms: interval,
            send_jitter_ms: jitter,
            ..SettingsChange::default()
        };
        settings
            .change(&change(Some(2_000), Some(0)))
            .expect("fits");
        settings.change(&change(None, None)).expect("nothing");
        assert_eq!(settings.send_interval_ms, Some(2_000));
        assert_eq!(settings.send_jitter_ms, Some(0));
        settings.change(&change(Some(0), None)).expect("back");
        assert_eq!(settings.send_interval_ms, None);
        for wrong in [
            change(Some(-1), None),
            change(None, Some(PAUSE_MOST_MS + 1)),
        ] {
            assert!(settings.change(&wrong).is_err());
        }
    }

    #[test]
    fn settings_of_other_programs_are_read() {
        let read: Settings = serde_json::from_str("{}").expect("reads");
        assert_eq!(read, Settings::default());
        let newer = r#"{"interactive":"refuse","from_the_future":[1]}"#;
        let read: Settings = serde_json::from_str(newer).expect("reads");
        assert_eq!(read.interactive, Interactive::Refuse);
    }
}
