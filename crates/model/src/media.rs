//! Media: pictures, films, sounds and files, as WhatsApp keeps them.
//!
//! WhatsApp's hosts keep bytes that are sealed under a key of their own; the key is in the message. So does
//! Recado: no medium lies on a disk in the clear.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Rng, Timestamp};

/// The families of media at WhatsApp: under which name a key is expanded, and where the bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaClass {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

impl MediaClass {
    pub const ALL: [Self; 5] = [
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::Sticker,
    ];

    /// The word in rows, paths and events.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }
}

/// The state of a medium's bytes here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MediaState {
    /// They are to come: from a caller's address, or from WhatsApp.
    Awaited,
    /// They lie in the store.
    Kept,
    /// They were here or at WhatsApp, and are no more.
    Gone,
    /// They cannot be had.
    Failed,
}

impl MediaState {
    pub const ALL: [Self; 4] = [Self::Awaited, Self::Kept, Self::Gone, Self::Failed];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Awaited => "awaited",
            Self::Kept => "kept",
            Self::Gone => "gone",
            Self::Failed => "failed",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// The key that the bytes of one medium are sealed under. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct MediaKey(pub [u8; 32]);

impl MediaKey {
    pub fn random(rng: &dyn Rng) -> Self {
        let mut key = [0; 32];
        rng.fill(&mut key);
        Self(key)
    }
}

impl fmt::Debug for MediaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaKey(…)")
    }
}

/// The digests of a medium's bytes, plain and sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaDigest {
    pub sha256: [u8; 32],
    /// Of the sealed bytes, with their MAC.
    pub sealed_sha256: [u8; 32],
    /// Of the plain bytes.
    pub length: u64,
    /// Of films and sounds: what a player needs to seek in them while they come.
    pub sidecar: Option<Vec<u8>>,
}

/// The properties that were found by looking at the bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaLooks {
    /// In pixels, as it is shown.
    pub width: Option<u32>,
    pub height: Option<u32>,
    /// Whole seconds, at least one.
    pub seconds: Option<u32>,
    /// A small JPEG.
    pub thumbnail: Option<Vec<u8>>,
    /// Of voice notes: 64 steps of loudness, 0 to 100.
    pub waveform: Option<Vec<u8>>,
    /// Of stickers.
    pub animated: bool,
}

/// Where WhatsApp has put what was uploaded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    pub url: String,
    pub direct_path: String,
}

/// All that a finished message says of its medium, beside what its draft says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilledMedia {
    pub key: MediaKey,
    pub digest: MediaDigest,
    pub looks: MediaLooks,
    pub uploaded: Uploaded,
    /// When the key was made.
    pub at: Timestamp,
}

/// The medium that a message names: what it takes to fetch and to open it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaRef {
    pub class: MediaClass,
    pub key: MediaKey,
    pub sha256: Option<[u8; 32]>,
    pub sealed_sha256: Option<[u8; 32]>,
    /// As its sender says; to be judged before it is believed.
    pub length: Option<u64>,
    pub direct_path: Option<String>,
    pub mime: Option<String>,
    pub file_name: Option<String>,
}

/// What only the store may know of a medium: what it is sealed under, who may ask for it by a link, and what
/// is needed to send it on. Sealed as a whole.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediumSecret {
    key: [u8; 32],
    /// Under which links to this medium are signed.
    pub link_key: [u8; 32],
    /// When the key was made.
    pub keyed_at: Timestamp,
    pub digest: Option<MediaDigest>,
    pub looks: MediaLooks,
    /// From where its bytes come, until they are here.
    pub source: Option<MediaSource>,
}

/// The kinds of places from which bytes come: each is fetched by workers of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaOrigin {
    /// A caller's address.
    Url,
    WhatsApp,
}

impl MediaOrigin {
    pub const ALL: [Self; 2] = [Self::Url, Self::WhatsApp];

    /// The word in rows.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::WhatsApp => "whatsapp",
        }
    }
}

/// From where the bytes of a medium come.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum MediaSource {
    /// A caller's address. It may hold a secret in its path or query.
    Url { url: String },
    /// WhatsApp's hosts.
    WhatsApp {
        direct_path: Option<String>,
        sha256: Option<[u8; 32]>,
        sealed_sha256: Option<[u8; 32]>,
        length: Option<u64>,
    },
}

impl MediumSecret {
    pub fn new(key: MediaKey, rng: &dyn Rng, at: Timestamp) -> Self {
        let mut link_key = [0; 32];
        rng.fill(&mut link_key);
        Self {
            key: key.0,
            link_key,
            keyed_at: at,
            digest: None,
            looks: MediaLooks::default(),
            source: None,
        }
    }

    pub fn key(&self) -> MediaKey {
        MediaKey(self.key)
    }

    /// From what kind of place its bytes come, until they are here.
    pub fn origin(&self) -> Option<MediaOrigin> {
        match self.source.as_ref()? {
            MediaSource::Url { .. } => Some(MediaOrigin::Url),
            MediaSource::WhatsApp { .. } => Some(MediaOrigin::WhatsApp),
        }
    }
}

impl fmt::Debug for MediumSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediumSecret(…)")
    }
}

impl fmt::Debug for MediaSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MediaSource(…)")
    }
}
