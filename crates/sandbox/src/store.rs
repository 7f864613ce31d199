//! The network on disk: a JSON file per phone and per companion, and lines for what only grows, so
//! that a change costs no more than what it touched. Nothing that depends on a change leaves the
//! network before it is written: an acknowledged message survives the death of this process.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use wacore_libsignal::protocol::{KeyPair, PrivateKey};

use crate::ambient;
use crate::core::{Core, Entity};
use crate::disk::{self, Change};
use crate::history::History;
use crate::network::Network;
use crate::state::{Addr, Blob, Companion, Meta, Phone};
use crate::trouble::Troubles;

/// How long a save that failed waits for its next try.
const AGAIN: Duration = Duration::from_millis(200);

/// The folder that a network lives in.
#[derive(Clone, Debug)]
pub(crate) struct Folder(Arc<PathBuf>);

impl Folder {
    /// Opens the folder, making it when it does not exist.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        for folder in ["phones", "companions", "media"] {
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

fn name(entity: &Entity) -> String {
    match entity {
        Entity::Meta => "network.json".to_owned(),
        Entity::Phone(number) => format!("phones/{number}.json"),
        Entity::Companion(addr) => format!("companions/{addr}.json"),
        Entity::Seen(addr) => seen_by(addr),
    }
}

/// The file of a phone's history: a line for each message, and one more whenever it changes.
fn messages_of(number: &str) -> String {
    format!("phones/{number}.messages")
}

/// The file of the message ids that the server took from a companion, a line for each.
fn seen_by(addr: &Addr) -> String {
    format!("companions/{addr}.seen")
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
}

fn read_all<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        // Anything else is a file that was being written when the process died.
        if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(read(&path)?);
        }
    }
    Ok(found)
}

/// The lines of a file; none when it does not exist.
fn lines(path: &Path) -> Result<Vec<String>> {
    match std::fs::read(path) {
        Ok(content) => Ok(String::from_utf8_lossy(&content)
            .lines()
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
}

/// Reads a phone's history. Returns whether something in it has to be saved.
fn load_history(folder: &Folder, phone: &mut Phone) -> Result<bool> {
    let mut history = History::of(&phone.number);
    let path = folder.0.join(messages_of(&phone.number));
    for message in std::mem::take(&mut phone.old_messages) {
        history.restore(message);
    }
    let moved = history.is_changed();
    let lines = lines(&path)?;
    for line in &lines {
        match serde_json::from_str(line) {
            Ok(message) => history.restore(message),
            // The writer was killed; the journal has brought the whole line behind it.
            Err(error) => tracing::debug!(%error, "a line that was cut off"),
        }
    }
    if !moved {
        history.settle();
        if lines.len() > 2 * history.len() {
            disk::commit(
                &folder.0,
                &[Change::Put(
                    messages_of(&phone.number),
                    history.all_lines()?,
                )],
            )?;
        }
    }
    phone.history = history;
    Ok(moved)
}

/// Loads the network, or starts an empty one.
pub(crate) fn load(folder: Option<&Folder>, media_host: String) -> Result<Core> {
    if let Some(folder) = folder {
        disk::finish(&folder.0)?;
    }
    let mut core = match folder {
        Some(folder) if folder.0.join(name(&Entity::Meta)).exists() => {
            let meta: Meta = read(&folder.0.join(name(&Entity::Meta)))?;
            let private = PrivateKey::deserialize(&meta.noise_private.0)
                .context("the network's key is damaged")?;
            let key = KeyPair::new(private.public_key()?, private);
            empty(meta, key, media_host)
        }
        _ => {
            let key = KeyPair::generate(&mut ambient::rng());
            let meta = Meta {
                noise_private: Blob(key.private_key.serialize().to_vec()),
            };
            let mut core = empty(meta, key, media_host);
            core.dirty.insert(Entity::Meta);
            core
        }
    };
    if let Some(folder) = folder {
        core.media_dir = Some(folder.media());
        for mut phone in read_all::<Phone>(&folder.0.join("phones"))? {
            if load_history(folder, &mut phone)? {
                core.dirty.insert(Entity::Phone(phone.number.clone()));
            }
            core.lids.insert(phone.lid.clone(), phone.number.clone());
            core.phones.insert(phone.number.clone(), phone);
        }
        for mut companion in read_all::<Companion>(&folder.0.join("companions"))? {
            companion.seen = lines(&folder.0.join(seen_by(&companion.addr)))?
                .into_iter()
                .collect();
            core.companions.insert(companion.addr.clone(), companion);
        }
    }
    Ok(core)
}

fn empty(meta: Meta, noise_key: KeyPair, media_host: String) -> Core {
    Core {
        meta,
        noise_key,
        phones: BTreeMap::new(),
        companions: BTreeMap::<Addr, Companion>::new(),
        lids: HashMap::new(),
        links: HashMap::new(),
        logged_in: HashMap::new(),
        lobby: HashMap::new(),
        codes: HashMap::new(),
        login_waiters: HashMap::new(),
        dirty: std::collections::BTreeSet::new(),
        version: 0,
        troubles: Troubles::default(),
        held_acks: HashMap::new(),
        media_host,
        media: HashMap::new(),
        media_dir: None,
        next_conn: 0,
    }
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
            }
        }
        Entity::Companion(addr) => match core.companions.get(addr) {
            Some(companion) => put(changes, serde_json::to_vec(companion)?),
            None => {
                changes.push(Change::Remove(name.clone()));
                changes.push(Change::Remove(seen_by(addr)));
            }
        },
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

/// Writes one version. What does not fit on the disk is tried again: nothing that depends on it
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
