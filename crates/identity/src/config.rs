//! The operator's decisions about callers and people. Read and checked by `server`.

use std::path::PathBuf;

use crate::{limits::Quotas, mail::MailConfig, turnstile::TurnstileConfig};

#[derive(Clone, Debug)]
pub struct Config {
    /// Where callers reach us, without a trailing slash; feeds every link and the JWT issuer.
    pub public_url: String,
    pub jwt_ttl_secs: i64,
    pub failed_proofs: Quotas,
    pub users: UsersConfig,
}

/// People, and how they come in.
#[derive(Clone, Debug)]
pub struct UsersConfig {
    pub signup: Signup,
    /// Life of an invitation.
    pub invitation_ms: i64,
    /// Passwords that nobody may choose, one a line, besides those that the program knows.
    pub blocklist: Option<PathBuf>,
    /// Hashes at once; at least 1.
    pub password_threads: usize,
    pub mail: MailConfig,
    /// `None`: nobody is asked whether they are a person.
    pub turnstile: Option<TurnstileConfig>,
}

/// The people who may make an account of their own. Members are invited into an account whatever this says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signup {
    /// The operator alone, at the command line.
    Closed,
    /// Whom the operator sends a link.
    Invite,
    /// Anybody who can read mail at the address they give.
    Open,
}

impl Signup {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Invite => "invite",
            Self::Open => "open",
        }
    }
}

impl Default for UsersConfig {
    fn default() -> Self {
        Self {
            signup: Signup::Closed,
            invitation_ms: 24 * 3600 * 1000,
            blocklist: None,
            password_threads: 1,
            mail: MailConfig::Files {
                dir: PathBuf::from("data/mail"),
            },
            turnstile: None,
        }
    }
}
