//! Accounts (tenants) and what their members may do.

use serde::{Deserialize, Serialize};

use crate::{clock::Timestamp, id::AccountId};

/// A tenant: owns instances, credentials, messages, events. Nothing crosses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: AccountId,
    pub name: String,
    pub kind: AccountKind,
    /// Of assistant answers: en, pt-BR or es.
    pub language: String,
    pub created_at: Timestamp,
}

/// Guests are the short-lived accounts of unauthenticated `POST /sessions`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    Full,
    Guest,
}

impl AccountKind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Guest => "guest",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Full, Self::Guest]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// The role of a member in an account; ordered from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Developer,
    Admin,
    Owner,
}

impl Role {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Viewer, Self::Developer, Self::Admin, Self::Owner]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}
