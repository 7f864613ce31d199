//! Whom a call of the dashboard means: each names the account and the person that its page shows.

mod stale;

use sha2::{Digest as _, Sha256};

use crate::harness::Bed;

/// As a page learns them; of nobody at all by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    pub account: String,
    pub user: String,
}

impl Names {
    pub fn headers(&self) -> [(&'static str, &str); 2] {
        [
            ("x-recado-account", self.account.as_str()),
            ("x-recado-user", self.user.as_str()),
        ]
    }
}

impl Bed {
    /// Whom the cookie stands for, past the dashboard's API; `None` when its session is gone.
    pub async fn names(&self, cookie: &str) -> Option<Names> {
        let lookup = Sha256::digest(cookie.as_bytes()).into();
        let mut conn = self.read().await;
        let found = conn.people().user_session_by_lookup(&lookup).await;
        found.expect("an answer").map(|session| Names {
            account: session.account.to_string(),
            user: session.user.to_string(),
        })
    }
}
