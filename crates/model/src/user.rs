//! People who sign in to the dashboard, and the links that are sent to them.

use serde::{Deserialize, Serialize};

/// Languages of the dashboard and of mails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Language {
    #[default]
    #[serde(rename = "en")]
    English,
    #[serde(rename = "pt-BR")]
    Portuguese,
    #[serde(rename = "es")]
    Spanish,
}

impl Language {
    pub const ALL: [Self; 3] = [Self::English, Self::Portuguese, Self::Spanish];

    /// As in BCP 47.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Portuguese => "pt-BR",
            Self::Spanish => "es",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|language| language.as_str() == text)
    }
}

/// The act that a link allows its holder, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkKind {
    /// Make the first user, who runs the gateway, with the first account.
    Setup,
    /// Make an account of one's own.
    Signup,
    /// Join an account.
    Invite,
    /// Choose a new password.
    Reset,
    /// Confirm a new e-mail address.
    Email,
}

impl LinkKind {
    pub const ALL: [Self; 5] = [
        Self::Setup,
        Self::Signup,
        Self::Invite,
        Self::Reset,
        Self::Email,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Signup => "signup",
            Self::Invite => "invite",
            Self::Reset => "reset",
            Self::Email => "email",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}
