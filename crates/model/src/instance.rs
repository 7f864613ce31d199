//! Instances: one WhatsApp connection each, and what state it is in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    address::Address,
    billing::Billing,
    caller::Scope,
    clock::Timestamp,
    event::EventKind,
    id::{AccountId, InstanceId},
    settings::{Settings, SettingsChange},
};

#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    pub id: InstanceId,
    pub account: AccountId,
    /// Unique in its account, never reused; MCP's `session_id`.
    pub number: i64,
    pub name: String,
    /// Where it came from: the instance API, MCP or the Direct API.
    pub origin: Origin,
    pub labels: Map<String, Value>,
    pub reject_calls: bool,
    pub auto_read_messages: bool,
    pub settings: Settings,
    pub state: ConnectionState,
    pub reason: Option<StateReason>,
    /// True once a phone paired and until it is logged out: what the contract calls `connected`.
    pub paired: bool,
    /// Whether the supervisor should hold a connection: false after `session/disconnect`.
    pub wanted: bool,
    pub phone: Option<String>,
    pub jid: Option<Address>,
    pub lid: Option<Address>,
    pub push_name: Option<String>,
    pub business_name: Option<String>,
    pub connected_at: Option<Timestamp>,
    /// Whether what its phone does to chats and labels is not heard of in some part ([`crate::chat::SyncTrouble`]).
    pub troubled: bool,
    pub billing: Billing,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Which surface created an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Api,
    Mcp,
    Direct,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Mcp => "mcp",
            Self::Direct => "direct",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Api, Self::Mcp, Self::Direct]
            .into_iter()
            .find(|origin| origin.as_str() == text)
    }
}

/// Where the connection stands. Stored, so that a list can show it without asking the supervisor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionState {
    /// No socket and none wanted (never started, disconnected by the owner, or QR ran out).
    Disconnected,
    /// Opening a socket, or waiting to try again.
    Connecting,
    /// A QR or pair code waits for the phone.
    QrPending,
    /// Paired and online.
    Connected,
    /// The phone ended the link; a new QR is needed.
    LoggedOut,
    /// WhatsApp refuses this number or this program; see the reason.
    Blocked,
}

impl ConnectionState {
    pub const ALL: [Self; 6] = [
        Self::Disconnected,
        Self::Connecting,
        Self::QrPending,
        Self::Connected,
        Self::LoggedOut,
        Self::Blocked,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Connecting => "connecting",
            Self::QrPending => "qr_pending",
            Self::Connected => "connected",
            Self::LoggedOut => "logged_out",
            Self::Blocked => "blocked",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// Why the state is what it is, and what the person can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StateReason {
    DisconnectedByOwner,
    QrExpired,
    LoggedOutByPhone,
    LoggedOutByOwner,
    ConnectionLost,
    StreamReplaced,
    TemporaryBan,
    AccountLocked,
    ClientOutdated,
    ConnectFailure,
    Starting,
    Unpaid,
}

impl StateReason {
    pub const ALL: [Self; 12] = [
        Self::DisconnectedByOwner,
        Self::QrExpired,
        Self::LoggedOutByPhone,
        Self::LoggedOutByOwner,
        Self::ConnectionLost,
        Self::StreamReplaced,
        Self::TemporaryBan,
        Self::AccountLocked,
        Self::ClientOutdated,
        Self::ConnectFailure,
        Self::Starting,
        Self::Unpaid,
    ];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DisconnectedByOwner => "disconnected_by_owner",
            Self::QrExpired => "qr_expired",
            Self::LoggedOutByPhone => "logged_out_by_phone",
            Self::LoggedOutByOwner => "logged_out_by_owner",
            Self::ConnectionLost => "connection_lost",
            Self::StreamReplaced => "stream_replaced",
            Self::TemporaryBan => "temporary_ban",
            Self::AccountLocked => "account_locked",
            Self::ClientOutdated => "client_outdated",
            Self::ConnectFailure => "connect_failure",
            Self::Starting => "starting",
            Self::Unpaid => "unpaid",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
    /// One sentence for the person who owns the number.
    pub fn what_to_do(self) -> &'static str {
        match self {
            Self::DisconnectedByOwner => {
                "Ask for session/qr to connect again; the pairing is kept."
            }
            Self::QrExpired => "Ask for session/qr to get a new code and scan it within its time.",
            Self::LoggedOutByPhone => {
                "The phone ended this link. Ask for session/qr and scan again."
            }
            Self::LoggedOutByOwner => "Ask for session/qr and scan again.",
            Self::ConnectionLost => "Nothing: the gateway reconnects by itself.",
            Self::StreamReplaced => {
                "The same link is in use elsewhere. Stop the other program, then ask for session/qr."
            }
            Self::TemporaryBan => {
                "WhatsApp has suspended this number for a while. Open WhatsApp on the phone, and send less."
            }
            Self::AccountLocked => "WhatsApp has locked this number. Open WhatsApp on the phone.",
            Self::ClientOutdated => {
                "This version of the gateway is too old for WhatsApp. Update it."
            }
            Self::ConnectFailure => {
                "WhatsApp refused the connection; the gateway tries again. If it stays so, pair anew."
            }
            Self::Starting => "Nothing: the gateway is starting this instance.",
            Self::Unpaid => {
                "The instance is not paid for. POST /instances/{id}/subscribe, or ask the operator; it comes back by itself, without a new scan."
            }
        }
    }
    /// Whether the supervisor tries again by itself.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::ConnectionLost | Self::ConnectFailure | Self::Starting
        )
    }
}

/// The identity of a phone that took the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pairing {
    /// Digits only.
    pub phone: String,
    pub jid: Address,
    pub lid: Option<Address>,
    pub push_name: Option<String>,
    pub business_name: Option<String>,
}

impl Pairing {
    /// Of whom nothing but the address is known.
    pub fn of(jid: Address) -> Self {
        Self {
            phone: jid.number().unwrap_or_default().to_owned(),
            jid,
            lid: None,
            push_name: None,
            business_name: None,
        }
    }
}

/// A code to type on the phone, in place of scanning a QR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkingCode {
    /// `XXXX-XXXX`.
    pub code: String,
    /// How long the phone still takes it.
    pub valid_ms: i64,
}

/// The input to create an instance; already validated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewInstance {
    pub name: String,
    pub labels: Map<String, Value>,
    pub reject_calls: bool,
    pub auto_read_messages: bool,
    pub settings: Settings,
    pub webhook: Option<String>,
    pub events: Vec<EventKind>,
    /// When its trial ends; `None` for no trial.
    pub trial_until: Option<Timestamp>,
}

/// A change of an instance; what is `None` stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InstanceChange {
    pub name: Option<String>,
    pub labels: Option<Map<String, Value>>,
    pub reject_calls: Option<bool>,
    pub auto_read_messages: Option<bool>,
    pub settings: SettingsChange,
    /// An address, for the first webhook.
    pub webhook: Option<String>,
    pub events: Option<Vec<EventKind>>,
}

/// Page of a list: 1-based page, size, free text, sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceQuery {
    pub page: u32,
    pub size: u32,
    pub query: Option<String>,
    pub sort: InstanceSort,
    pub descending: bool,
    /// Only what the caller may use is in the list, and counted.
    pub scope: Scope,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InstanceSort {
    #[default]
    CreatedAt,
    UpdatedAt,
    Name,
    Status,
}

impl InstanceSort {
    /// The contract sends camelCase; snake_case comes from clients that convert.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "createdAt" | "created_at" => Self::CreatedAt,
            "updatedAt" | "updated_at" => Self::UpdatedAt,
            "name" => Self::Name,
            "status" => Self::Status,
            _ => return None,
        })
    }
}
