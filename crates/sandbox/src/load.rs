//! Reading the network from its folder.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::de::DeserializeOwned;
use wacore_libsignal::protocol::{KeyPair, PrivateKey};

use crate::ambient;
use crate::blob::Blob;
use crate::core::{Core, Entity};
use crate::disk::{self, Change};
use crate::group::Group;
use crate::history::History;
use crate::shelf::Shelf;
use crate::state::{Addr, Companion, Meta, Phone, unpack_pre_keys};
use crate::store::{Folder, RATCHETS, SENDER_KEYS, messages_of, name};
use crate::trouble::Troubles;

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
    let shelf = match folder {
        Some(folder) => Shelf::at(folder.media()),
        None => Shelf::temporary()?,
    };
    let mut core = match folder {
        Some(folder) if folder.0.join(name(&Entity::Meta)).exists() => {
            let meta: Meta = read(&folder.0.join(name(&Entity::Meta)))?;
            let private = PrivateKey::deserialize(&meta.noise_private.0)
                .context("the network's key is damaged")?;
            let key = KeyPair::new(private.public_key()?, private);
            empty(meta, key, shelf, media_host)
        }
        _ => {
            let key = KeyPair::generate(&mut ambient::rng());
            let meta = Meta {
                noise_private: Blob(key.private_key.serialize().to_vec()),
            };
            let mut core = empty(meta, key, shelf, media_host);
            core.dirty.insert(Entity::Meta);
            core
        }
    };
    if let Some(folder) = folder {
        for mut phone in read_all::<Phone>(&folder.0.join("phones"))? {
            let mut moved = load_history(folder, &mut phone)?;
            for (with, bytes) in std::mem::take(&mut phone.old_ratchets) {
                phone.ratchets.restore(&with, &bytes.0)?;
                phone.ratchets.note(&with);
                moved = true;
            }
            if moved {
                core.dirty.insert(Entity::Phone(phone.number.clone()));
            }
            let settings = folder.0.join(name(&Entity::AppState(phone.number.clone())));
            let fresh = !settings.exists();
            if !fresh {
                phone.app_state = read(&settings)?;
            }
            let number = phone.number.clone();
            core.lids.insert(phone.lid.clone(), phone.number.clone());
            core.phones.insert(phone.number.clone(), phone);
            if fresh {
                core.write_name(&number);
            }
        }
        for mut companion in read_all::<Companion>(&folder.0.join("companions"))? {
            load_companion(folder, &mut companion, &mut core)?;
            core.companions.insert(companion.addr.clone(), companion);
        }
        for group in read_all::<Group>(&folder.0.join("groups"))? {
            core.groups.insert(group.id.clone(), group);
        }
        load_ratchets(folder, &mut core)?;
    }
    Ok(core)
}

fn load_companion(folder: &Folder, companion: &mut Companion, core: &mut Core) -> Result<()> {
    let addr = companion.addr.clone();
    let path = |entity: &Entity| folder.0.join(name(entity));
    companion.seen = lines(&path(&Entity::Seen(addr.clone())))?
        .into_iter()
        .collect();

    let keys = Entity::PreKeys(addr.clone());
    let packed = match std::fs::read(path(&keys)) {
        Ok(packed) => packed,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            core.dirty.insert(keys);
            std::mem::take(&mut companion.old_prekeys.0)
        }
        Err(error) => return Err(error).context("cannot read pre-keys"),
    };
    companion.prekeys =
        unpack_pre_keys(&packed).with_context(|| format!("the pre-keys of {addr} are damaged"))?;

    let queue = Entity::Queue(addr);
    let lines = lines(&path(&queue))?;
    for line in &lines {
        if let Err(error) = companion.queue.restore(line) {
            tracing::debug!(%error, "a line that was cut off");
        }
    }
    if lines.len() > 2 * companion.queue.len() {
        let whole = Change::Put(name(&queue), companion.queue.all_lines());
        disk::commit(&folder.0, &[whole])?;
    }
    for stanza in std::mem::take(&mut companion.old_queue) {
        companion.queue.push(stanza);
        core.dirty.insert(queue.clone());
    }
    Ok(())
}

fn load_ratchets(folder: &Folder, core: &mut Core) -> Result<()> {
    each_key(folder, RATCHETS, core, |phone, with, bytes| {
        phone.ratchets.restore(with, bytes)
    })?;
    each_key(folder, SENDER_KEYS, core, |phone, name, bytes| {
        phone.sender_keys.restore(name, bytes)
    })
}

/// Gives each file of a folder of keys to its phone.
fn each_key(
    folder: &Folder,
    kind: &str,
    core: &mut Core,
    restore: impl Fn(&mut Phone, &str, &[u8]) -> Result<()>,
) -> Result<()> {
    let keys = std::fs::read_dir(folder.0.join(kind));
    for entry in keys.with_context(|| format!("cannot read the {kind}"))? {
        let path = entry?.path();
        let file = path.file_name().and_then(|name| name.to_str());
        // Anything else is a file that was being written when the process died.
        let Some((number, with)) = file
            .and_then(|file| file.split_once('-'))
            .filter(|(_, with)| !with.ends_with(".new"))
        else {
            continue;
        };
        if let Some(phone) = core.phones.get_mut(number) {
            let bytes = std::fs::read(&path)?;
            restore(phone, with, &bytes)
                .with_context(|| format!("{} is damaged", path.display()))?;
        }
    }
    Ok(())
}

fn empty(meta: Meta, noise_key: KeyPair, shelf: Shelf, media_host: String) -> Core {
    Core {
        meta,
        noise_key,
        phones: BTreeMap::new(),
        groups: BTreeMap::new(),
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
        shelf,
        late: HashMap::new(),
        calls: Vec::new(),
        next_conn: 0,
    }
}
