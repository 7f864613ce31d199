//! The sections of the settings as they are written, and how single values are read.

use std::{net::SocketAddr, path::PathBuf};

use axum::http::{Uri, uri::Scheme};
use recado_model::Secret;
use serde::{Deserialize, Deserializer};

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename = "Limits")]
pub struct LimitSettings {
    pub body_bytes: usize,
    pub request_secs: u64,
    pub connections: usize,
    pub(super) failed_proofs_per_network: u32,
    pub(super) failed_proofs_per_client: u32,
    pub(super) failed_logins_per_user: u32,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Jwt {
    pub(super) ttl_secs: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Direct {
    pub(super) guests: String,
    pub(super) max_guests: i64,
    pub(super) max_guests_per_network: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Send {
    pub(super) min_interval_ms: i64,
    pub(super) ack_timeout_ms: i64,
    pub(super) timeout_ms: i64,
    pub(super) renew_interval_ms: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Engine {
    pub(super) silence_ms: u64,
    pub(super) probe_ms: u64,
    pub(super) stale_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Start {
    pub(super) stagger_ms: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Webhooks {
    pub(super) timeout_ms: u64,
    pub(super) concurrency: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EgressSettings {
    pub(super) allow: TextOrList,
    pub(super) ca_file: Option<PathBuf>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CorsSettings {
    pub(super) origins: TextOrList,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum TextOrList {
    Text(String),
    List(Vec<String>),
}

impl TextOrList {
    /// Each entry without blanks; empty ones are left out.
    pub(super) fn parts(&self) -> Vec<&str> {
        let parts: Vec<&str> = match self {
            Self::Text(text) => text.split(',').collect(),
            Self::List(list) => list.iter().map(String::as_str).collect(),
        };
        let parts = parts.into_iter().map(str::trim);
        parts.filter(|part| !part.is_empty()).collect()
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Billing {
    pub(super) provider: String,
    pub(super) trial_days: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MediaSettings {
    #[serde(deserialize_with = "text")]
    pub(super) url: String,
    pub(super) keep_days: i64,
    pub(super) quota_bytes: u64,
    pub(super) download: String,
    pub(super) download_most: u64,
    pub(super) link_days: i64,
    pub(super) image_bytes: u64,
    pub(super) video_bytes: u64,
    pub(super) audio_bytes: u64,
    pub(super) sticker_bytes: u64,
    pub(super) document_bytes: u64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Audit {
    pub(super) retention_days: i64,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Users {
    pub(super) signup: String,
    pub(super) invitation_minutes: i64,
    #[serde(deserialize_with = "text")]
    pub(super) password_blocklist_file: String,
    pub(super) password_threads: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mail {
    #[serde(deserialize_with = "secret")]
    pub(super) url: Secret,
    #[serde(default, deserialize_with = "some_path")]
    pub(super) url_file: Option<PathBuf>,
    #[serde(deserialize_with = "text")]
    pub(super) from: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Turnstile {
    #[serde(deserialize_with = "text")]
    pub(super) site_key: String,
    #[serde(deserialize_with = "secret")]
    pub(super) secret: Secret,
    #[serde(default, deserialize_with = "some_path")]
    pub(super) secret_file: Option<PathBuf>,
    #[serde(deserialize_with = "text")]
    pub(super) url: String,
    #[serde(deserialize_with = "text")]
    pub(super) hostname: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sandbox {
    pub(super) url: String,
}

pub(super) fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::new)
}

pub(super) fn address<'de, D: Deserializer<'de>>(from: D) -> Result<SocketAddr, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| {
        serde::de::Error::custom(format!(
            "must be address:port such as 127.0.0.1:8080, not {text:?},"
        ))
    })
}

/// Environment variables that look like numbers arrive as numbers.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Text(String),
        Bool(bool),
        Whole(i64),
        Number(f64),
    }
    Ok(match Scalar::deserialize(from)? {
        Scalar::Text(text) => text,
        Scalar::Bool(value) => value.to_string(),
        Scalar::Whole(value) => value.to_string(),
        Scalar::Number(value) => value.to_string(),
    })
}

/// A base URL: links are made of it by adding a path, and browsers are shown it.
pub(super) fn is_public_url(text: &str) -> bool {
    // A parsed address has no fragment any more.
    if text.contains('#') {
        return false;
    }
    text.parse::<Uri>().is_ok_and(|uri| {
        let scheme = uri.scheme();
        let web = scheme == Some(&Scheme::HTTP) || scheme == Some(&Scheme::HTTPS);
        let named = uri.authority().is_some_and(|at| {
            let user = at.as_str().contains('@');
            // A port that is none is dropped by the parser, not refused.
            let rest = at.as_str().strip_prefix(at.host());
            let port = rest.is_some_and(|rest| rest.is_empty() || at.port_u16().is_some());
            !user && !at.host().is_empty() && port
        });
        web && named && uri.query().is_none()
    })
}

pub(super) fn some_secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(from)?
        .filter(|text| !text.is_empty())
        .map(Secret::new))
}

/// An empty name is no file.
pub(super) fn some_path<'de, D: Deserializer<'de>>(from: D) -> Result<Option<PathBuf>, D::Error> {
    let path = Option::<PathBuf>::deserialize(from)?;
    Ok(path.filter(|path| !path.as_os_str().is_empty()))
}
