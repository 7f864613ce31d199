//! The operator's choices, as far as the services need it. Read and checked by `server`.

mod media;

use std::path::PathBuf;

use ipnet::IpNet;
use recado_identity::{UsersConfig, limits::Quotas};

use crate::billing::BillingConfig;

pub use media::{MediaConfig, MediaLimits};

#[derive(Clone, Debug)]
pub struct Config {
    /// Where callers reach us, without a trailing slash; feeds every link and the JWT issuer.
    pub public_url: String,
    /// Names this process in leases: two processes with one name would share an instance.
    pub node: String,
    /// The name that the phone shows under "Linked devices".
    pub device_name: String,
    pub jwt_ttl_secs: i64,
    pub failed_proofs: Quotas,
    pub guests: Guests,
    /// Guest accounts at once, over all networks.
    pub max_guests: i64,
    /// Of one network (/32, /64).
    pub max_guests_per_network: i64,
    /// Least time between two sends of one instance.
    pub send_interval_ms: i64,
    /// How long WhatsApp's server may take to acknowledge a message before the link is distrusted.
    pub ack_timeout_ms: i64,
    /// How long a send may wait until it is written: the engine may wait a minute or two for the end of
    /// the offline messages.
    pub send_timeout_ms: i64,
    /// Least time between two connections that are opened anew because of silence.
    pub renew_interval_ms: i64,
    /// Time between two instance starts after the program started, so that WhatsApp sees no stampede.
    pub start_stagger_ms: i64,
    /// How long a claimed instance stays ours without renewal.
    pub lease_ms: i64,
    pub webhooks: WebhookConfig,
    pub billing: BillingConfig,
    pub media: MediaConfig,
    /// Non-public networks that webhooks may reach.
    pub egress_allow: Vec<IpNet>,
    /// PEM: authorities besides the machine's whose certificates receivers may have.
    pub egress_ca_file: Option<PathBuf>,
    /// Rows of the audit log are kept so long.
    pub audit_retention_days: i64,
    pub users: UsersConfig,
}

#[derive(Clone, Debug)]
pub struct WebhookConfig {
    pub timeout_ms: u64,
    /// Attempts under way at once.
    pub concurrency: usize,
}

impl Config {
    /// The part of it that is about identity.
    pub(crate) fn identity(&self) -> recado_identity::Config {
        recado_identity::Config {
            public_url: self.public_url.clone(),
            jwt_ttl_secs: self.jwt_ttl_secs,
            failed_proofs: self.failed_proofs,
            users: self.users.clone(),
        }
    }
}

/// How far an unauthenticated `POST /sessions` gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guests {
    /// It is refused.
    Off,
    /// A guest's instance can pair and read its own status.
    Pair,
    /// A guest's instance can do all that another can. For private networks.
    Full,
}

impl Guests {
    /// How long a guest has to pair.
    pub(crate) const UNPAIRED_MS: i64 = 10 * 60 * 1000;
    /// How long one has, once paired, to be claimed.
    pub(crate) const PAIRED_MS: i64 = 60 * 60 * 1000;
}

impl Default for Config {
    fn default() -> Self {
        Self {
            public_url: "http://127.0.0.1:8080".into(),
            node: "main".into(),
            device_name: "Recado".into(),
            jwt_ttl_secs: 3600,
            failed_proofs: Quotas::default(),
            guests: Guests::Pair,
            max_guests: 50,
            max_guests_per_network: 5,
            send_interval_ms: 1000,
            ack_timeout_ms: 20_000,
            send_timeout_ms: 150_000,
            renew_interval_ms: 60_000,
            start_stagger_ms: 100,
            lease_ms: 30_000,
            webhooks: WebhookConfig {
                timeout_ms: 20_000,
                concurrency: 32,
            },
            billing: BillingConfig::default(),
            media: MediaConfig::default(),
            egress_allow: Vec::new(),
            egress_ca_file: None,
            audit_retention_days: 365,
            users: UsersConfig::default(),
        }
    }
}
