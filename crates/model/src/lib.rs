//! The vocabulary of Recado: pure types, no I/O, no runtime.
//!
//! One file per noun: [`id`], [`clock`], [`account`], [`billing`], [`credential`], [`caller`],
//! [`instance`], [`call`], [`change`], [`chat`], [`address`], [`message`], [`message_id`], [`content`], [`media`], [`job`], [`event`], [`group`], [`history`], [`webhook`], [`user`], [`error`],
//! [`person`], [`phone`], [`network`], [`text`]. Every other crate speaks in these types.
//!
//! To add a noun: a file here with the noun's name, its `pub use` below, and the file of the same name
//! in those of `store`, `app` and `api` that have to do with it. To add a field: here first; the
//! compiler leads to the rest.

pub mod account;
pub mod address;
pub mod billing;
pub mod call;
pub mod caller;
pub mod change;
pub mod chat;
pub mod clock;
pub mod content;
pub mod credential;
pub mod error;
pub mod event;
pub mod failure;
pub mod group;
pub mod history;
pub mod id;
pub mod instance;
pub mod job;
pub mod media;
pub mod message;
pub mod message_id;
pub mod network;
pub mod person;
pub mod phone;
pub mod settings;
pub mod text;
pub mod user;
pub mod webhook;

pub use account::{Account, Role};
pub use address::{Address, AddressKind};
pub use billing::{Billing, BillingStatus};
pub use call::{Call, CallAnswer, DeviceCall};
pub use caller::{Caller, Proof, Scope};
pub use clock::{Clock, ManualClock, Monotonic, Rng, Timestamp};
pub use content::{Content, ContentKind};
pub use credential::{CredentialKind, Secret, Token, TokenKind};
pub use error::{Error, ErrorCode, Result};
pub use event::{Event, EventKind};
pub use failure::Failure;
pub use id::{
    AccountId, ChatId, ContactId, CredentialId, DeliveryId, EventId, InstanceId, JobId, LinkId,
    MediaId, MessageKey, PepperId, RequestId, UserId, UserSessionId, WebhookId,
};
pub use instance::{ConnectionState, Instance, StateReason};
pub use job::{JobKind, Lane};
pub use media::{MediaClass, MediaDigest, MediaKey, MediaLooks, MediaRef, MediaState};
pub use message::{Direction, MessageStatus};
pub use message_id::MessageId;
pub use phone::PhoneNumber;
pub use settings::{History, Interactive, MediaRule, OwnPresence, Settings, SettingsChange};
pub use text::is_unseen;
pub use user::{Language, LinkKind};
