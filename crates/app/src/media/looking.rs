//! How a medium looks: its size, how long it lasts, a small picture of it.
//!
//! Tenants' bytes are decoded in a child process of this program, which has no keys, no files and no network,
//! and ends by force when it takes too long or too much.

use std::{path::Path, process::Stdio, sync::Arc};

use recado_engine::Engine;
use recado_model::{Clock, Error, MediaClass, MediaKey, MediaLooks, Result};
use tokio::{io::AsyncReadExt, process::Command, sync::Semaphore};

use crate::config::MediaConfig;

/// Children at once.
const AT_ONCE: usize = 2;
/// The child's own limit on its processor time is lower; this one is for a child that sleeps.
const WITHIN_MS: i64 = 20_000;
const ANSWER_MOST: u64 = 256 * 1024;

pub(crate) struct Looker {
    config: MediaConfig,
    room: Semaphore,
}

/// What looking at a medium came to.
#[derive(Debug)]
pub(crate) enum Looked {
    As(MediaLooks),
    /// These bytes are no such medium, or ask for too much.
    Unreadable,
}

impl Looker {
    pub fn new(config: &MediaConfig) -> Self {
        Self {
            config: config.clone(),
            room: Semaphore::new(AT_ONCE),
        }
    }

    pub async fn look(
        &self,
        engine: &Arc<dyn Engine>,
        clock: &dyn Clock,
        class: MediaClass,
        key: &MediaKey,
        sealed: &Path,
    ) -> Result<Looked> {
        let Some(program) = &self.config.program else {
            return Ok(Looked::As(MediaLooks::default()));
        };
        if class == MediaClass::Document {
            return Ok(Looked::As(MediaLooks::default()));
        }
        let _room = self.room.acquire().await.map_err(Error::internal)?;
        let mut child = Command::new(program)
            .args(["look-at-media", class.as_str()])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(Error::internal)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::internal("a child without its pipes"));
        };
        let stdin = stdin.into_owned_fd().map_err(Error::internal)?;
        let (engine, key, sealed) = (engine.clone(), key.clone(), sealed.to_owned());
        let feeding = tokio::task::spawn_blocking(move || {
            let mut sealed = std::io::BufReader::new(std::fs::File::open(sealed)?);
            let mut to = std::fs::File::from(stdin);
            // A child that has seen enough closes its end.
            let _ = engine.open_media(class, &key, &mut sealed, &mut to);
            Ok::<_, std::io::Error>(())
        });
        let work = async {
            let mut text = Vec::new();
            stdout.take(ANSWER_MOST).read_to_end(&mut text).await?;
            let status = child.wait().await?;
            Ok::<_, std::io::Error>((status, text))
        };
        let done = tokio::select! {
            done = work => done.map_err(Error::internal)?,
            () = clock.sleep_ms(WITHIN_MS) => {
                tracing::debug!(class = class.as_str(), "looking at a medium took too long");
                return Ok(Looked::Unreadable);
            }
        };
        feeding
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        let (status, text) = done;
        match serde_json::from_slice(&text) {
            Ok(looks) if status.success() => Ok(Looked::As(looks)),
            _ => Ok(Looked::Unreadable),
        }
    }
}
