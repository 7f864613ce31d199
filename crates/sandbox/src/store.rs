//! The network on disk: a JSON file per phone and per companion, and lines for what only grows, so
//! that a change costs no more than what it touched. Nothing that depends on a change leaves the
//! network before it is written: an acknowledged message survives the death of this process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio_util::sync::CancellationToken;

use crate::core::{Core, Entity};
use crate::disk::{self, Change};
use crate::network::Network;
use crate::state::pack_pre_keys;

/// How long a save that failed waits for its next try.
const AGAIN: Duration = Duration::from_millis(200);

/// The folder that a network lives in.
#[derive(Clone, Debug)]
pub(crate) struct Folder(pub(crate) Arc<PathBuf>);

impl Folder {
    /// Opens the folder, making it when it does not exist.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        for folder in [
            "phones",
            "companions",
            "groups",
            RATCHETS,
            SENDER_KEYS,
            "media",
        ] {
            let folder = path.join(folder);
            std::fs::create_dir_all(&folder)
                .with_context(|| format!("cannot make the folder {}", folder.display()))?;
        }
        Ok(Self(Arc::new(path.to_owned())))
    }

    pub(crate) fn media(&self) -> PathBuf {
        self.0.join("media")
    }
}

pub(crate) fn name(entity: &Entity) -> String {
    match entity {
        Entity::Meta => "network.json".to_owned(),
        Entity::Phone(number) => format!("phones/{number}.json"),
        Entity::Group(id) => format!("groups/{id}.json"),
        Entity::AppState(number) => format!("phones/{number}.settings"),
        Entity::Companion(addr) => format!("companions/{addr}.json"),
        Entity::PreKeys(addr) => format!("companions/{addr}.prekeys"),
        // Lines: a stanza, or that one was taken.
        Entity::Queue(addr) => format!("companions/{addr}.queue"),
        // A line for each message id.
        Entity::Seen(addr) => format!("companions/{addr}.seen"),
    }
}

/// The file of a phone's history: a line for each message, and one more whenever it changes.
pub(crate) fn messages_of(number: &str) -> String {
    format!("phones/{number}.messages")
}

/// The folder of the phones' ratchets.
pub(crate) const RATCHETS: &str = "sessions";
/// The folder of the phones' group keys.
pub(crate) const SENDER_KEYS: &str = "sender_keys";

/// The file of a ratchet: the phone's number and the other device, with a dash between them.
fn ratchet_of(number: &str, with: &str) -> String {
    format!("{RATCHETS}/{number}-{with}")
}

/// The file of a group key: the phone's number, and the group with the device that the key is of.
fn sender_key_of(number: &str, name: &str) -> String {
    format!("{SENDER_KEYS}/{number}-{name}")
}

fn entity_changes(core: &mut Core, entity: &Entity, changes: &mut Vec<Change>) -> Result<()> {
    let name = name(entity);
    let put = |changes: &mut Vec<Change>, content| changes.push(Change::Put(name.clone(), content));
    match entity {
        Entity::Meta => put(changes, serde_json::to_vec(&core.meta)?),
        Entity::Phone(number) => {
            if let Some(phone) = core.phones.get_mut(number) {
                put(changes, serde_json::to_vec(&*phone)?);
                let lines = phone.history.take_changes()?;
                if !lines.is_empty() {
                    changes.push(Change::Append(messages_of(number), lines));
                }
                for (with, ratchet) in phone.ratchets.take_changes()? {
                    let name = ratchet_of(number, &with);
                    changes.push(match ratchet {
                        Some(bytes) => Change::Put(name, bytes),
                        None => Change::Remove(name),
                    });
                }
                for (with, key) in phone.sender_keys.take_changes()? {
                    let name = sender_key_of(number, &with);
                    changes.push(match key {
                        Some(bytes) => Change::Put(name, bytes),
                        None => Change::Remove(name),
                    });
                }
            }
        }
        Entity::Group(id) => match core.groups.get(id) {
            Some(group) => put(changes, serde_json::to_vec(group)?),
            None => changes.push(Change::Remove(name.clone())),
        },
        Entity::AppState(number) => {
            if let Some(phone) = core.phones.get(number) {
                put(changes, serde_json::to_vec(&phone.app_state)?);
            }
        }
        Entity::Companion(addr) => match core.companions.get(addr) {
            Some(companion) => put(changes, serde_json::to_vec(companion)?),
            None => {
                let all = [
                    Entity::Companion,
                    Entity::PreKeys,
                    Entity::Queue,
                    Entity::Seen,
                ];
                let names = all.map(|entity| self::name(&entity(addr.clone())));
                changes.extend(names.map(Change::Remove));
            }
        },
        Entity::PreKeys(addr) => {
            if let Some(companion) = core.companions.get(addr) {
                put(changes, pack_pre_keys(&companion.prekeys));
            }
        }
        Entity::Queue(addr) => {
            if let Some(companion) = core.companions.get_mut(addr) {
                changes.push(Change::Append(name.clone(), companion.queue.take_lines()));
            }
        }
        Entity::Seen(addr) => {
            if let Some(companion) = core.companions.get_mut(addr) {
                let mut lines = Vec::new();
                for id in companion.seen_lately.drain(..) {
                    lines.extend_from_slice(id.as_bytes());
                    lines.push(b'\n');
                }
                changes.push(Change::Append(name.clone(), lines));
            }
        }
    }
    Ok(())
}

/// All that changed, and which version of the network that is.
fn changes(core: &mut Core) -> Result<(Vec<Change>, u64)> {
    let dirty = std::mem::take(&mut core.dirty);
    let mut changes = Vec::with_capacity(dirty.len() * 2);
    for entity in dirty {
        entity_changes(core, &entity, &mut changes).context("cannot encode the state")?;
    }
    Ok((changes, core.version))
}

/// Writes one version. A change that does not fit on the disk is tried again: nothing that depends on it
/// leaves the network meanwhile.
async fn save(network: &Network, folder: &Folder, stop: &CancellationToken) -> Result<()> {
    let (changes, version) = network.collect(changes)?;
    let changes = Arc::new(changes);
    loop {
        let (path, batch) = (Arc::clone(&folder.0), Arc::clone(&changes));
        match tokio::task::spawn_blocking(move || disk::commit(&path, &batch)).await? {
            Ok(()) => break,
            Err(error) if stop.is_cancelled() => return Err(error),
            Err(error) => tracing::error!(error = format!("{error:#}"), "not saved, trying again"),
        }
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
    network.shared().saved.send_replace(version);
    Ok(())
}

/// Writes changes until `stop`, and once more then.
pub(crate) async fn keep_saved(network: Network, folder: Folder, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = network.shared().save.notified() => {
                if let Err(error) = save(&network, &folder, &stop).await {
                    tracing::error!(error = format!("{error:#}"), "the network was not saved");
                }
            }
        }
    }
    if let Err(error) = save(&network, &folder, &stop).await {
        tracing::error!(error = format!("{error:#}"), "the network was not saved");
    }
}
