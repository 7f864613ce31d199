//! Where it is kept: SQLite or PostgreSQL behind one set of functions, sealed where it must be.
//!
//! [`Store::open`] gives the database; [`Store::read`] and [`Store::write`] give a [`Conn`], and a
//! write is one transaction until [`Conn::commit`]. Tenant functions hang on [`Conn::account`], so a
//! look-up that forgets the account does not compile. People belong to no account and have
//! [`Conn::people`]; what must see all accounts is behind [`Conn::system`]. Both are closed lists, in
//! [`people`] and [`system`]. The rows of a WhatsApp device have their own short path, [`device`].
//!
//! - `sql`: the thin layer over both databases: one text with `$1`, arguments, rows. Private, so that
//!   every statement is in this crate and names its account.
//! - [`db`]: pools, connections, durability; `commit`: how a transaction ends; `doors`: what callers name to
//!   get at rows; `writer`: SQLite's one write connection; `log`: how its commits reach the disk; `ready`: whether the database takes a write; [`open`]:
//!   migrations and first keys.
//! - [`seal`]: the master key, data keys, sealing bound to its row; `kept`: those that this process holds,
//!   [`keys`]: how they stay those of the database; [`system::rotation`]: replacing them while programs run.
//! - `pepper`: the look-up hashes of tokens; `lookup`: the rows of peppers.
//! - one file per noun: [`accounts`], [`instances`], [`credentials`], [`webhooks`], [`messages`],
//!   `chats` (what lists show of them, what phones keep of them), `names` (of people), `labels`, `troubles` (what does not follow), `unreadable` (messages that could not be read),
//!   `changes` (what is done to messages later), `menus` (what can be chosen of them), `votes` (in polls), [`events`], `groups`,
//!   [`deliveries`], [`jobs`], [`media`], [`audit`], [`billing`], [`usage`], [`members`], `history` (what phones send of their past); `guests`: an instance that waits
//!   for its shop.
//!
//! To add a function: a method in the file of its noun, in `impl AccountStore`, with `account_id` in
//! every WHERE; then a test in `tests/contract`, which runs on both databases. About people, or all
//! accounts: see [`people`] and [`system`]. To add a column: a new
//! file in `/migrations` (never edit a released one) in the neutral SQL that `0001_first.sql`
//! describes. To keep a secret: `BYTEA`, `Conn::seal_for` and `Conn::unseal_for`.

pub mod accounts;
pub mod audit;
pub mod billing;
mod changes;
mod chats;
mod commit;
mod contacts;
mod contents;
pub mod credentials;
mod database;
pub mod db;
pub mod deliveries;
pub mod device;
mod doors;
pub mod error;
pub mod events;
mod groups;
mod guests;
mod history;
pub mod instances;
pub mod jobs;
mod kept;
pub mod keys;
mod labels;
pub mod leases;
#[cfg(test)]
mod locked;
mod log;
mod look_ups;
mod lookup;
pub mod media;
pub mod members;
mod menus;
pub mod messages;
mod names;
pub mod open;
pub mod people;
mod pepper;
mod queued;
mod ready;
mod receipts;
pub mod seal;
mod sql;
pub mod system;
mod timers;
mod troubles;
mod unreadable;
pub mod usage;
mod votes;
mod watches;
pub mod webhooks;
mod writer;

pub use accounts::AccountStore;
pub use changes::{ReactionRow, ReceiptRow};
pub use chats::{ChatQuery, ChatRow, ContactRow, LastRow, MessagePlace, Names};
pub use credentials::{CredentialInfo, NewCredential};
pub use database::Database;
pub use db::{Conn, Store};
pub use deliveries::{DeliveryPage, DeliveryRow};
pub use device::{DeviceOp, DeviceStore, Entry};
pub use error::{Result, StoreError};
pub use groups::{GroupPage, GroupRow};
pub use guests::Adoption;
pub use history::{FrameRow, FrameState, HistoryRow};
pub use instances::InstancePage;
pub use jobs::{Job, NewJob, PASSED_OVER};
pub use kept::KeySource;
pub use leases::Lease;
pub use media::{KeptMedium, MediumRow, NewMedium};
pub use members::{Invitation, Member, RoleChange};
pub use messages::{Inserted, MessageRow, NewMessage};
pub use open::Options;
pub use people::{
    LinkRecord, Membership, NewLink, NewUser, NewUserSession, People, SESSIONS_PER_USER,
    SessionRecord, SessionRow, UserRecord, UserSummary,
};
pub use queued::QueuedRow;
pub use receipts::UNMATCHED_MOST;
pub use seal::MasterKey;
pub use system::{
    AccountSummary, BillingLook, BillingSummary, FULL_MOST, FrameOf, GuestDoor, JwtKey, KeyKind,
    KeyRow, MediumOf, System, Weaknesses,
    rotation::{ACTIVATION_MS, JWT_KEEP_MS, SUPERSEDED_MS},
};
pub use unreadable::UNREADABLE_MOST;
pub use usage::{CredentialUse, NETWORKS_PER_CREDENTIAL};
