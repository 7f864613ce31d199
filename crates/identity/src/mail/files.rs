//! Letters as files, for development and for small set-ups without a mail server: `*.eml`, readable by
//! the program's own user alone. They hold links that let people in, so they do not stay for long.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use lettre::message::Mailbox;
use recado_model::{Rng, Timestamp, id::random_base32};

use super::{Letter, MailError, Mailer, Stamp, compose, sender};

/// Longer than any link lives that one waits for; an invitation can be sent again.
const KEEP_MS: i64 = 24 * 3600 * 1000;
const KEEP_COUNT: usize = 1000;
const FROM: &str = "Recado <recado@localhost>";

pub struct Files {
    dir: PathBuf,
    rng: Arc<dyn Rng>,
}

impl Files {
    pub fn new(dir: PathBuf, rng: Arc<dyn Rng>) -> Self {
        Self { dir, rng }
    }
}

#[async_trait]
impl Mailer for Files {
    async fn send(&self, letter: &Letter, stamp: &Stamp) -> Result<(), MailError> {
        let from: Mailbox = sender(FROM).map_err(MailError::lasting)?;
        let text = compose(letter, stamp, &from, true)?.formatted();
        let (dir, now) = (self.dir.clone(), stamp.at);
        let name = format!("{}-{}", now.as_millis(), random_base32(&*self.rng));
        let written = tokio::task::spawn_blocking(move || write(&dir, &name, &text, now)).await;
        // The path is the operator's, and the reason the system's: neither tells of the letter.
        let failed = |why: String| {
            let dir = self.dir.display();
            MailError::passing(format!("cannot write a letter to {dir}: {why}"))
        };
        match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(error.to_string())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

fn write(dir: &Path, name: &str, text: &[u8], now: Timestamp) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    if fs::metadata(dir)?.permissions().mode() & 0o077 != 0 {
        // It was there before us, or came out of a backup.
        fs::set_permissions(dir, Permissions::from_mode(0o700))?;
    }
    tidy(dir, now)?;
    // A program that watches the folder sees whole letters only.
    let unfinished = dir.join(format!("{name}.tmp"));
    let written = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(&unfinished)
        .and_then(|mut file| {
            file.write_all(text)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&unfinished, dir.join(format!("{name}.eml"))));
    if written.is_err() {
        fs::remove_file(&unfinished).ok();
    }
    written
}

/// Removes our letters that are too old or too many, leaving room for one more. What is not ours, by
/// its name, stays.
fn tidy(dir: &Path, now: Timestamp) -> io::Result<()> {
    let mut letters = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(at) = name.and_then(written_at) {
            letters.push((at, path));
        }
    }
    letters.sort();
    let surplus = (letters.len() + 1).saturating_sub(KEEP_COUNT);
    for (n, (at, path)) in letters.iter().enumerate() {
        if n >= surplus && now.since(*at) < KEEP_MS {
            continue;
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Of `1767225600000-….eml`, or of the same unfinished.
fn written_at(name: &str) -> Option<Timestamp> {
    let name = name
        .strip_suffix(".eml")
        .or_else(|| name.strip_suffix(".tmp"))?;
    let (at, _) = name.split_once('-')?;
    at.parse().ok().map(Timestamp)
}

#[cfg(test)]
mod tests;
