//! People, who belong to no account: a closed list ([`FUNCTIONS`]), locked by a test. Of an account it
//! knows what a membership needs: id, name, language and generation, and the role in it.
//!
//! [`users`]: who they are, what they are members of. [`second_factor`]: codes beside the password.
//! [`user_sessions`]: where they are signed in. [`user_networks`]: from where they usually do.
//! [`links`]: what is sent to them and used once.
//!
//! To add one: ask first whether it is about one account, as the members in [`crate::members`] are. If
//! not, write it here and add its name to the list; a reviewer will look at both.

pub mod links;
pub mod second_factor;
pub mod user_networks;
pub mod user_sessions;
pub mod users;

pub use links::{LinkRecord, NewLink};
pub use user_sessions::{NewUserSession, SESSIONS_PER_USER, SessionRecord, SessionRow};
pub use users::{Membership, NewUser, UserRecord, UserSummary};

use crate::db::Conn;

/// Every function of [`People`].
pub const FUNCTIONS: &[&str] = &[
    "add_member",
    "any_user",
    "begin_totp",
    "confirm_totp",
    "count_links_since",
    "create_user",
    "drop_links",
    "end_other_user_sessions",
    "end_user_session",
    "end_user_sessions",
    "is_known_network",
    "link",
    "logged_in",
    "make_link",
    "memberships_of",
    "open_user_session",
    "pending_totp",
    "prove_user_session",
    "prune_links",
    "prune_user_networks",
    "prune_user_sessions",
    "raise_user_generation",
    "recovery_codes_left",
    "remove_totp",
    "renew_user_session",
    "set_email",
    "set_operator",
    "set_password",
    "set_recovery_codes",
    "set_user_language",
    "switch_user_session",
    "take_turn",
    "totp",
    "touch_user_session",
    "upgrade_password_hash",
    "use_link",
    "use_recovery_code",
    "use_totp_step",
    "user",
    "user_by_email",
    "user_session",
    "user_session_by_lookup",
    "user_sessions",
    "users",
];

#[derive(Debug)]
pub struct People<'a> {
    pub(crate) conn: &'a mut Conn,
}

impl<'a> People<'a> {
    pub(crate) fn new(conn: &'a mut Conn) -> Self {
        Self { conn }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_the_source() {
        assert_eq!(
            crate::locked::functions("people", "People"),
            super::FUNCTIONS,
            "a function about people came or went"
        );
    }
}
