//! The operator's choices about media.

use std::path::PathBuf;

use recado_model::{MediaClass, MediaRule, content::MediaForm};

#[derive(Clone, Debug)]
pub struct MediaConfig {
    /// Holds `store` and `spool`; every node must reach it.
    pub dir: PathBuf,
    /// How long after its last use a medium is kept.
    pub keep_days: i64,
    /// So much of one account is kept; the oldest goes first.
    pub quota_bytes: u64,
    pub download: MediaRule,
    /// What comes in and is larger is fetched only when somebody asks.
    pub download_most: u64,
    /// How long the link to a medium in an event holds.
    pub link_days: i64,
    pub most: MediaLimits,
    /// This program itself: a child of it looks at what tenants send.
    pub program: Option<PathBuf>,
}

/// The largest medium of each kind, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct MediaLimits {
    pub image: u64,
    pub video: u64,
    pub audio: u64,
    pub sticker: u64,
    pub document: u64,
}

impl MediaLimits {
    pub fn of(&self, class: MediaClass) -> u64 {
        match class {
            MediaClass::Image => self.image,
            MediaClass::Video => self.video,
            MediaClass::Audio => self.audio,
            MediaClass::Sticker => self.sticker,
            MediaClass::Document => self.document,
        }
    }

    pub fn of_form(&self, form: MediaForm) -> u64 {
        self.of(form.class())
    }

    /// Of a medium of which nobody has said what it is.
    pub fn largest(&self) -> u64 {
        let all = MediaClass::ALL.into_iter().map(|class| self.of(class));
        all.max().unwrap_or_default()
    }
}

const MB: u64 = 1024 * 1024;

impl Default for MediaConfig {
    fn default() -> Self {
        Self {
            dir: PathBuf::from("data/media"),
            keep_days: 30,
            quota_bytes: 10 * 1024 * MB,
            download: MediaRule::Always,
            download_most: 16 * MB,
            link_days: 7,
            most: MediaLimits {
                image: 16 * MB,
                video: 64 * MB,
                audio: 16 * MB,
                sticker: MB,
                document: 100 * MB,
            },
            program: None,
        }
    }
}
