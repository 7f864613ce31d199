//! What must see all accounts: a closed list ([`FUNCTIONS`]), locked by a test. Each returns no more
//! than account, id and what the check at hand needs.
//!
//! [`accounts`]: accounts, the epoch. [`users`], [`second_factor`], [`user_sessions`],
//! [`user_networks`], [`links`]: people,
//! where they are signed in, what is sent to them. [`keys`]: signing keys, peppers, what is weak.
//! [`rotation`], [`reseal`]: replacing keys. [`proofs`]: from a token to its credential.
//! [`placement`]: which process runs which instance. [`claims`]: deliveries for workers.
//! [`retention`]: what is old enough to go. [`billing`]: what is paid for, and what is not.
//!
//! To add one: ask first whether it cannot hang on `AccountStore`. If not, write it here and add its
//! name to the list; a reviewer will look at both.

pub mod accounts;
pub mod billing;
pub mod claims;
pub mod guests;
pub mod keys;
pub mod links;
pub mod placement;
pub mod proofs;
pub mod reseal;
pub mod retention;
pub mod rotation;
pub mod second_factor;
pub mod user_networks;
pub mod user_sessions;
pub mod users;

pub use accounts::AccountSummary;
pub use billing::{BillingLook, BillingSummary};
pub use guests::GuestDoor;
pub use keys::{JwtKey, KeyKind, KeyRow, Weaknesses};
pub use links::{LinkRecord, NewLink};
pub use user_sessions::{NewUserSession, SESSIONS_PER_USER, SessionRecord, SessionRow};
pub use users::{Membership, NewUser, UserRecord, UserSummary};

use crate::{db::Conn, error::Result};

/// Every function of [`System`].
pub const FUNCTIONS: &[&str] = &[
    "account_exists",
    "account_of_instance",
    "accounts",
    "add_data_keys",
    "add_member",
    "add_pepper",
    "any_user",
    "begin_totp",
    "begin_trials",
    "billing_list",
    "billing_looks",
    "bump_epoch",
    "claim_deliveries",
    "client_pair",
    "close_guest",
    "confirm_totp",
    "count_links_since",
    "create_account",
    "create_user",
    "credential",
    "credential_by_token",
    "credential_of_jwts",
    "delete_account",
    "deliveries_after_step",
    "drop_links",
    "end_guest",
    "end_other_user_sessions",
    "end_user_session",
    "end_user_sessions",
    "ensure_jwt_key",
    "epoch",
    "expired_guests",
    "guests",
    "held",
    "insert_jwt_key",
    "instances_to_start",
    "is_jwt_revoked",
    "is_known_network",
    "jwt_keys",
    "keys",
    "lease_instance",
    "link",
    "logged_in",
    "make_link",
    "memberships_of",
    "next_delivery_due",
    "open_guest",
    "open_user_session",
    "pending_totp",
    "prove_user_session",
    "prune_audit",
    "prune_credentials",
    "prune_data_keys",
    "prune_jwt_keys",
    "prune_links",
    "prune_revoked_jwts",
    "prune_user_networks",
    "prune_user_sessions",
    "raise_user_generation",
    "recovery_codes_left",
    "rehash_sealed",
    "release_lease",
    "remove_totp",
    "renew_leases",
    "renew_user_session",
    "reseal",
    "reset_node",
    "retire_peppers",
    "rotate_master",
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
    "waiting_queues",
    "weaknesses",
];

#[derive(Debug)]
pub struct System<'a> {
    pub(crate) conn: &'a mut Conn,
}

impl<'a> System<'a> {
    pub(crate) fn new(conn: &'a mut Conn) -> Self {
        Self { conn }
    }
}

/// Tells every process that what it has cached of credentials, roles or keys may be wrong: with the
/// commit, as its last statement.
pub(crate) async fn bump_epoch(conn: &mut Conn) -> Result<()> {
    conn.raises_epoch += 1;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::FUNCTIONS;

    #[test]
    fn the_list_is_the_source() {
        let sources = [
            include_str!("accounts.rs"),
            include_str!("billing.rs"),
            include_str!("claims.rs"),
            include_str!("guests.rs"),
            include_str!("keys.rs"),
            include_str!("links.rs"),
            include_str!("placement.rs"),
            include_str!("proofs.rs"),
            include_str!("reseal.rs"),
            include_str!("retention.rs"),
            include_str!("rotation.rs"),
            include_str!("second_factor.rs"),
            include_str!("user_networks.rs"),
            include_str!("user_sessions.rs"),
            include_str!("users.rs"),
        ];
        let mut found: Vec<&str> = sources
            .iter()
            .flat_map(|source| {
                source
                    .split("pub async fn ")
                    .skip(1)
                    .chain(source.split("pub fn ").skip(1))
            })
            .filter_map(|rest| rest.split(['(', '<']).next())
            .collect();
        found.sort_unstable();
        assert_eq!(
            found, FUNCTIONS,
            "a function that sees all accounts came or went"
        );
    }
}
