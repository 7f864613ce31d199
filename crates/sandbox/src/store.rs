//! The network on disk: one JSON file per phone and per companion, so that a change costs no more
//! than what it touched. Each is written to the side and renamed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;
use wacore_libsignal::protocol::{KeyPair, PrivateKey};

use crate::ambient;
use crate::core::{Core, Entity};
use crate::network::Network;
use crate::state::{Addr, Blob, Companion, Meta, Phone};

/// Changes that come together are written together.
const SETTLE: Duration = Duration::from_millis(100);

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

    fn file(&self, entity: &Entity) -> PathBuf {
        match entity {
            Entity::Meta => self.0.join("network.json"),
            Entity::Phone(number) => self.0.join("phones").join(format!("{number}.json")),
            Entity::Companion(addr) => self.0.join("companions").join(format!("{addr}.json")),
        }
    }
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

/// Loads the network, or starts an empty one.
pub(crate) fn load(folder: Option<&Folder>, media_host: String) -> Result<Core> {
    let mut core = match folder {
        Some(folder) if folder.file(&Entity::Meta).exists() => {
            let meta: Meta = read(&folder.file(&Entity::Meta))?;
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
            phone.index();
            core.lids.insert(phone.lid.clone(), phone.number.clone());
            core.phones.insert(phone.number.clone(), phone);
        }
        for companion in read_all::<Companion>(&folder.0.join("companions"))? {
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
        media_host,
        media: HashMap::new(),
        media_dir: None,
        next_conn: 0,
    }
}

/// What is to be written: `None` removes the file.
type Change = (PathBuf, Option<Vec<u8>>);

fn encode<T: Serialize>(value: Option<&T>) -> Result<Option<Vec<u8>>> {
    value
        .map(|value| serde_json::to_vec(value).context("cannot encode the state"))
        .transpose()
}

fn changes(core: &mut Core, folder: &Folder) -> Result<Vec<Change>> {
    let dirty = std::mem::take(&mut core.dirty);
    let mut changes = Vec::with_capacity(dirty.len());
    // In the order of `Entity`: companions before phones. Should the process die in between, a
    // message is queued that the phone does not know, not the other way round.
    for entity in dirty {
        let content = match &entity {
            Entity::Meta => encode(Some(&core.meta))?,
            Entity::Phone(number) => encode(core.phones.get(number))?,
            Entity::Companion(addr) => encode(core.companions.get(addr))?,
        };
        changes.push((folder.file(&entity), content));
    }
    Ok(changes)
}

fn write(changes: &[Change]) -> Result<()> {
    for (path, content) in changes {
        match content {
            Some(content) => {
                let aside = path.with_extension("new");
                std::fs::write(&aside, content)
                    .and_then(|()| std::fs::rename(&aside, path))
                    .with_context(|| format!("cannot write {}", path.display()))?;
            }
            None => match std::fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error).context(format!("cannot remove {}", path.display()));
                }
                _ => {}
            },
        }
    }
    Ok(())
}

async fn save(network: &Network, folder: &Folder) -> Result<()> {
    let changes = network.collect(|core| changes(core, folder))?;
    tokio::task::spawn_blocking(move || write(&changes)).await?
}

/// Writes changes until `stop`, and once more then.
pub(crate) async fn keep_saved(network: Network, folder: Folder, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = network.shared().save.notified() => {
                tokio::select! {
                    () = stop.cancelled() => break,
                    () = tokio::time::sleep(SETTLE) => {}
                }
                if let Err(error) = save(&network, &folder).await {
                    tracing::error!(error = format!("{error:#}"), "the network was not saved");
                }
            }
        }
    }
    if let Err(error) = save(&network, &folder).await {
        tracing::error!(error = format!("{error:#}"), "the network was not saved");
    }
}
