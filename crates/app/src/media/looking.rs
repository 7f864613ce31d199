//! How a medium looks: its size, how long it lasts, a small picture of it.
//!
//! Tenants' bytes are decoded in a child process of this program, which has no keys, no files and no network,
//! and ends by force when it takes too long or too much.

use std::{
    path::Path,
    process::{ExitStatus, Stdio},
    sync::Arc,
};

use recado_engine::Engine;
use recado_model::{AccountId, Clock, Error, MediaClass, MediaKey, MediaLooks, Result};
use tokio::{io::AsyncReadExt, process::Command};

use super::shares::Shares;
use crate::config::MediaConfig;

/// Children at once, and those of one account.
const AT_ONCE: usize = 3;
const EACH: usize = 2;
/// The child's own limit on its processor time is lower; this one is for a child that sleeps.
const WITHIN_MS: i64 = 20_000;
const ANSWER_MOST: u64 = 256 * 1024;

pub(crate) struct Looker {
    config: MediaConfig,
    room: Shares,
}

/// What looking at a medium came to.
#[derive(Debug)]
pub(crate) enum Looked {
    As(MediaLooks),
    /// These bytes are no such medium, or ask for too much.
    Unreadable,
    /// Nothing is known of them: the machine was too busy.
    NoTime,
}

impl Looker {
    pub fn new(config: &MediaConfig) -> Self {
        Self {
            config: config.clone(),
            room: Shares::new(AT_ONCE, EACH),
        }
    }

    pub async fn look(
        &self,
        engine: &Arc<dyn Engine>,
        clock: &dyn Clock,
        account: &AccountId,
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
        let _room = self.room.take(account).await?;
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
                tracing::warn!(class = class.as_str(), "there was no time to look at a medium");
                return Ok(Looked::NoTime);
            }
        };
        feeding
            .await
            .map_err(Error::internal)?
            .map_err(Error::internal)?;
        let (status, text) = done;
        match serde_json::from_slice(&text) {
            Ok(looks) if status.success() => Ok(Looked::As(looks)),
            _ if status.code() == Some(i32::from(LookExit::NOT_CONFINED)) => {
                Err(Error::internal("the child could not confine itself"))
            }
            _ if was_ended(status) => {
                tracing::warn!(class = class.as_str(), %status, "looking at a medium was cut off");
                Ok(Looked::NoTime)
            }
            _ => Ok(Looked::Unreadable),
        }
    }
}

/// What a child's status says beside success.
pub struct LookExit;

impl LookExit {
    /// These bytes are no such medium, or ask for too much.
    pub const UNREADABLE: u8 = 1;
    /// It could not take from itself what it must not have, and looked at nothing.
    pub const NOT_CONFINED: u8 = 2;
}

/// Hangup, interrupt, quit, kill and terminate, whose numbers POSIX fixes: they come from outside, of a system
/// without memory for example, and say nothing of the bytes. A limit that is met, or a fault of a decoder, has
/// others.
#[cfg(unix)]
fn was_ended(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt;
    matches!(status.signal(), Some(1 | 2 | 3 | 9 | 15))
}

#[cfg(not(unix))]
fn was_ended(_: ExitStatus) -> bool {
    false
}
