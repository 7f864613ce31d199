//! What the operator decides about media.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail, ensure};
use recado_app::{MediaConfig, MediaLimits};
use recado_model::MediaRule;

use super::Settings;

/// WhatsApp's own limit on a file.
const LARGEST: u64 = 2 << 30;

impl Settings {
    /// Where media lie, and for how long.
    pub fn media(&self) -> Result<MediaConfig> {
        let media = &self.media;
        let download = match media.download.as_str() {
            "off" => MediaRule::Off,
            "on_demand" => MediaRule::OnDemand,
            "always" => MediaRule::Always,
            other => bail!("media.download must be off, on_demand or always, not {other:?}"),
        };
        ensure!(
            (1..=36_500).contains(&media.keep_days),
            "media.keep_days must be from 1 to 36500"
        );
        ensure!(
            (4..=365).contains(&media.link_days),
            "media.link_days must be from 4 to 365: a webhook is retried for three days"
        );
        for (name, bytes) in [
            ("image", media.image_bytes),
            ("video", media.video_bytes),
            ("audio", media.audio_bytes),
            ("sticker", media.sticker_bytes),
            ("document", media.document_bytes),
        ] {
            ensure!(
                (1024..=LARGEST).contains(&bytes),
                "media.{name}_bytes must be from 1024 to {LARGEST}"
            );
        }
        Ok(MediaConfig {
            dir: self.media_dir()?,
            keep_days: media.keep_days,
            quota_bytes: media.quota_bytes,
            download,
            download_most: media.download_most,
            link_days: media.link_days,
            most: MediaLimits {
                image: media.image_bytes,
                video: media.video_bytes,
                audio: media.audio_bytes,
                sticker: media.sticker_bytes,
                document: media.document_bytes,
            },
            program: None,
        })
    }

    /// The folder with store and spool.
    pub fn media_dir(&self) -> Result<PathBuf> {
        let url = self.media.url.trim();
        if url.is_empty() {
            return Ok(self.data_dir.join("media"));
        }
        let path = url.strip_prefix("file://").map(PathBuf::from);
        path.filter(|path| path.is_absolute()).ok_or_else(|| {
            anyhow!("media.url must be a folder such as file:///srv/recado-media, or empty")
        })
    }
}
