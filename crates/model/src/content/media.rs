//! A picture, a film, a sound, a file or a sticker, with what is said of it.

use serde::Serialize;

use super::ContentKind;
use crate::media::MediaClass;

/// In what form a medium is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaForm {
    Image,
    Video,
    /// A film without sound that plays by itself, again and again.
    Gif,
    Audio,
    Voice,
    Document,
    Sticker,
}

impl MediaForm {
    pub const ALL: [Self; 7] = [
        Self::Image,
        Self::Video,
        Self::Gif,
        Self::Audio,
        Self::Voice,
        Self::Document,
        Self::Sticker,
    ];

    pub fn class(self) -> MediaClass {
        match self {
            Self::Image => MediaClass::Image,
            Self::Video | Self::Gif => MediaClass::Video,
            Self::Audio | Self::Voice => MediaClass::Audio,
            Self::Document => MediaClass::Document,
            Self::Sticker => MediaClass::Sticker,
        }
    }

    pub fn kind(self) -> ContentKind {
        match self.class() {
            MediaClass::Image => ContentKind::Image,
            MediaClass::Video => ContentKind::Video,
            MediaClass::Audio => ContentKind::Audio,
            MediaClass::Document => ContentKind::Document,
            MediaClass::Sticker => ContentKind::Sticker,
        }
    }
}

/// A medium of ours as a caller gives it; the bytes are apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Media {
    pub form: MediaForm,
    pub mime: String,
    pub caption: Option<String>,
    /// Of documents.
    pub file_name: Option<String>,
    /// Shown once on the phone, then gone there.
    pub view_once: bool,
}
