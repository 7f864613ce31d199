//! Functions that must see all accounts: a closed list ([`FUNCTIONS`]), locked by a test. Each returns no more
//! than account, id and what the check at hand needs.
//!
//! [`accounts`]: accounts, the epoch. [`keys`]: signing keys, peppers, what is weak. [`rotation`],
//! [`reseal`]: replacing keys. [`proofs`]: from a token to its credential. [`placement`]: which process
//! runs which instance. [`guests`]: instances that nobody owns yet. [`claims`]: deliveries for workers.
//! [`retention`]: what is old enough to go. [`media`]: which are to be fetched, or to go. [`billing`]: what is paid for, and what is not.
//! [`history`]: what phones sent of their past and nobody has stored yet.
//!
//! People have a door of their own, [`crate::people`].
//!
//! To add one: ask first whether it cannot hang on `AccountStore`. If not, write it here and add its
//! name to the list; a reviewer will look at both.

pub mod accounts;
pub mod billing;
pub mod claims;
pub mod guests;
pub mod history;
pub mod keys;
pub mod media;
pub mod placement;
pub mod proofs;
pub mod reseal;
pub mod retention;
pub mod rotation;

pub use accounts::AccountSummary;
pub use billing::{BillingLook, BillingSummary};
pub use guests::GuestDoor;
pub use history::FrameOf;
pub use keys::{JwtKey, KeyKind, KeyRow, Weaknesses};
pub use media::{FULL_MOST, MediumOf};

use crate::db::Conn;

/// Every function of [`System`].
pub const FUNCTIONS: &[&str] = &[
    "account_exists",
    "account_of_instance",
    "accounts",
    "accounts_full_of_media",
    "add_data_keys",
    "add_pepper",
    "begin_trials",
    "billing_list",
    "billing_looks",
    "bump_epoch",
    "claim_deliveries",
    "claim_medium",
    "client_pair",
    "close_guest",
    "create_account",
    "credential",
    "credential_by_token",
    "credential_of_jwts",
    "delete_account",
    "deliveries_after_step",
    "end_guest",
    "ensure_jwt_key",
    "epoch",
    "expired_guests",
    "guests",
    "held",
    "history_to_settle",
    "insert_jwt_key",
    "instances_to_start",
    "is_jwt_revoked",
    "is_media_object",
    "jwt_keys",
    "keys",
    "leader",
    "lease_instance",
    "led_elsewhere",
    "next_delivery_due",
    "next_medium_due",
    "oldest_media",
    "open_guest",
    "owner_of_medium",
    "prune_audit",
    "prune_credentials",
    "prune_data_keys",
    "prune_jwt_keys",
    "prune_receipts",
    "prune_revoked_jwts",
    "rehash_sealed",
    "release_lease",
    "release_media",
    "renew_leases",
    "reseal",
    "reset_node",
    "retire_peppers",
    "rotate_master",
    "unused_media",
    "waiting_frames",
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

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_the_source() {
        assert_eq!(
            crate::locked::functions("system", "System"),
            super::FUNCTIONS,
            "a function that sees all accounts came or went"
        );
    }
}
