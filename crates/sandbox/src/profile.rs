//! What others see of an account: picture, about, business, whether it is there; whom it has blocked, and whom it calls.

use std::collections::BTreeSet;
use std::io::Write as _;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::ambient;
use crate::shelf::Shelf;

/// As fresh accounts have it.
const ABOUT: &str = "Hey there! I am using WhatsApp.";

/// An account's profile, as its phone keeps it.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Profile {
    /// The line below the name.
    #[serde(default = "about")]
    pub about: String,
    /// When that was set: seconds.
    #[serde(default)]
    pub about_at: i64,
    /// The picture, where there is one.
    #[serde(default)]
    pub picture: Option<Picture>,
    /// Nobody else sees picture, about and when it was last there.
    #[serde(default)]
    pub hidden: bool,
    /// Of a business.
    #[serde(default)]
    pub business: Option<Business>,
    /// Numbers that it has blocked.
    #[serde(default)]
    pub blocked: BTreeSet<String>,
    /// The app is not in front of anybody.
    #[serde(default)]
    pub away: bool,
    /// When somebody was last there: seconds.
    #[serde(default)]
    pub last_seen: Option<i64>,
}

fn about() -> String {
    ABOUT.to_owned()
}

impl Default for Profile {
    fn default() -> Self {
        Self {
            about: about(),
            about_at: 0,
            picture: None,
            hidden: false,
            business: None,
            blocked: BTreeSet::new(),
            away: false,
            last_seen: None,
        }
    }
}

/// A picture on the media host.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Picture {
    /// Another one for each picture: a whole number.
    pub id: String,
    /// SHA-256 of the bytes, hex.
    pub sha256: String,
    /// Where they lie.
    pub path: String,
    /// The small one.
    pub preview_path: String,
}

impl Picture {
    /// Puts a picture onto the media host.
    pub(crate) fn put(shelf: &Shelf, bytes: &[u8], preview: &[u8]) -> Result<Self> {
        let (path, sha256) = put(shelf, bytes)?;
        let (preview_path, _) = put(shelf, preview)?;
        Ok(Self {
            id: ambient::now_ms().to_string(),
            sha256,
            path,
            preview_path,
        })
    }
}

fn put(shelf: &Shelf, bytes: &[u8]) -> Result<(String, String)> {
    let mut aside = shelf.aside()?;
    aside.write_all(bytes).context("cannot keep a picture")?;
    let sha256 = hex::encode(Sha256::digest(bytes));
    Ok((shelf.keep(aside, &sha256)?, sha256))
}

/// What a business says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default)]
pub struct Business {
    /// That WhatsApp has verified.
    pub verified_name: String,
    /// What it does.
    pub description: String,
    /// Where it is.
    pub address: String,
    /// By which it is written to.
    pub email: String,
    /// Its pages.
    pub websites: Vec<String>,
    /// By id and name.
    pub categories: Vec<Category>,
    /// Of its opening hours.
    pub timezone: String,
}

/// A kind of business.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
pub struct Category {
    /// WhatsApp's.
    pub id: String,
    /// For people.
    pub name: String,
}

/// A call that a phone made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// WhatsApp's id of it.
    pub id: String,
    /// Digits of who calls.
    pub from: String,
    /// Digits of who is called.
    pub to: String,
    /// With pictures.
    pub video: bool,
    /// `ringing`, `rejected` or `ended`.
    pub state: &'static str,
}
