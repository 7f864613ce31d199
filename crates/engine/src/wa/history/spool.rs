//! Frames on the disk, sealed, until they are stored.
//!
//! A file for each, under a key of its own, which comes of its name and of the device's key for all of them. That key
//! lies sealed with the device, and goes with it.

use std::{
    fs::{self, DirBuilder, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use recado_model::{MediaClass, MediaKey, Result, Rng, history::FrameKind};
use recado_store::{DeviceOp, DeviceStore};
use sha2::{Digest as _, Sha256};
use tokio::{sync::OnceCell, time::Instant};
use whatsapp_rust::{types::events::LazyHistorySync, wacore::crypto::hkdf_sha256_into};

use super::super::{journal::Entry, media};

const SPACE: &str = "history";
const KEY: &str = "spool";
/// Under which a frame's own key is expanded.
const PURPOSE: &str = "recado history frame ";
/// So long after an announcement the library may not have begun with its frame.
const BEGUN: Duration = Duration::from_millis(300);

/// More than the library opens.
pub(super) const LARGEST: u64 = 80 * 1024 * 1024;

/// The key of a device's frames. `None`: it never had one.
pub(in crate::wa) async fn key_of(device: &DeviceStore) -> Result<Option<[u8; 32]>> {
    let kept = device.get(SPACE, KEY).await?;
    Ok(kept.and_then(|key| key.try_into().ok()))
}

/// The frames of one link.
pub(in crate::wa) struct Spool {
    folder: PathBuf,
    device: DeviceStore,
    rng: Arc<dyn Rng>,
    key: [u8; 32],
    kept: OnceCell<()>,
    announced_at: Mutex<Option<Instant>>,
}

impl Spool {
    pub(in crate::wa) async fn open(
        device: DeviceStore,
        folder: PathBuf,
        rng: Arc<dyn Rng>,
    ) -> Result<Self> {
        let known = key_of(&device).await?;
        let kept = OnceCell::new_with(known.map(|_| ()));
        let key = known.unwrap_or_else(|| {
            let mut key = [0; 32];
            rng.fill(&mut key);
            key
        });
        Ok(Self {
            folder,
            device,
            rng,
            key,
            kept,
            announced_at: Mutex::default(),
        })
    }

    /// The key is kept from here on. Not before it is needed: a device that never paired has no rows.
    pub(in crate::wa) async fn keep_key(&self) -> Result<()> {
        let put = || async {
            let row = DeviceOp::Put {
                space: SPACE,
                key: KEY.to_owned(),
                n: 0,
                value: self.key.to_vec(),
            };
            self.device.apply(vec![row]).await
        };
        Ok(self.kept.get_or_try_init(put).await.map(|_| ())?)
    }

    /// A frame is to come.
    pub(in crate::wa) fn announced(&self) {
        let mut at = self.lock();
        *at = Some(Instant::now());
    }

    /// Whether one may be to come that the library has not begun with.
    pub(in crate::wa) fn awaits(&self) -> bool {
        self.lock().is_some_and(|at| at.elapsed() < BEGUN)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.announced_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// On the disk once it returns. It is called where nothing may wait but for the disk.
    pub(in crate::wa) fn put(&self, frame: &LazyHistorySync) -> io::Result<Entry> {
        let mut random = [0; 16];
        self.rng.fill(&mut random);
        let name = hex::encode(random);
        self.write(&name, frame.compressed_bytes())?;
        Ok(Entry::HistoryFrame {
            digest: digest_of(frame),
            name,
            kind: FrameKind::of_code(frame.sync_type()),
            order: frame.chunk_order(),
            progress: frame.progress(),
            request: frame.peer_data_request_session_id().map(str::to_owned),
        })
    }

    /// Forgets everything: the device is wiped, and its key with it.
    pub(in crate::wa) fn wipe(&self) {
        remove(&self.folder);
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        let part = self.folder.join(format!("{name}.part"));
        let written = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)
            .and_then(|mut file| {
                let key = frame_key(&self.key, name)?;
                media::seal(MediaClass::Document, &key, &mut &bytes[..], &mut file)?;
                file.flush()?;
                fs::rename(&part, self.folder.join(name))
            });
        if written.is_err() {
            // What is half there helps nobody.
            let _ = fs::remove_file(&part);
        }
        written
    }
}

fn digest_of(frame: &LazyHistorySync) -> String {
    let head = format!(
        "{}|{:?}|{:?}|",
        frame.sync_type(),
        frame.chunk_order(),
        frame.peer_data_request_session_id()
    );
    let hash = Sha256::new().chain_update(head);
    hex::encode(hash.chain_update(frame.compressed_bytes()).finalize())
}

fn frame_key(key: &[u8; 32], name: &str) -> io::Result<MediaKey> {
    let mut of_frame = [0; 32];
    hkdf_sha256_into(
        key,
        None,
        format!("{PURPOSE}{name}").as_bytes(),
        &mut of_frame,
    )
    .map_err(io::Error::other)?;
    Ok(MediaKey(of_frame))
}

/// The bytes of a frame. Blocks.
pub(super) fn open(folder: &Path, key: &[u8; 32], name: &str) -> io::Result<Vec<u8>> {
    let key = frame_key(key, name)?;
    let mut sealed = File::open(folder.join(name))?.take(LARGEST);
    let mut plain = Vec::new();
    media::open(MediaClass::Document, &key, &mut sealed, &mut plain)?;
    Ok(plain)
}

/// A frame is stored, or nobody wants it: one that is not there is as good.
pub(in crate::wa) fn remove(path: &Path) {
    let removed = match path.is_dir() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::error!(path = %path.display(), %error, "frames of history could not be removed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_opens_under_its_own_name_and_key_alone() {
        let one = frame_key(&[7; 32], "a").expect("a key");
        assert_eq!(one, frame_key(&[7; 32], "a").expect("a key"));
        assert_ne!(one, frame_key(&[7; 32], "b").expect("a key"));
        assert_ne!(one, frame_key(&[8; 32], "a").expect("a key"));
    }
}
