//! App state against a store that goes away between any two of its calls: afterwards a new connection
//! must come to the very rows of a run in which nothing failed, by the library's own code.

use std::{collections::HashMap, sync::Arc};

use recado_store::Entry;
use whatsapp_rust::{
    TokioRuntime,
    anyhow::Result,
    traits::{AppStateSyncKey, AppSyncStore as _},
    wacore::{
        appstate::{
            encode_record, expand_app_state_keys,
            hash::{HashState, generate_patch_mac},
            keys::ExpandedAppStateKeys,
            lthash::WAPATCH_INTEGRITY,
            patch_decode::{PatchList, WAPatchName},
        },
        appstate_sync::AppStateProcessor,
    },
    waproto::{
        buffa::MessageField,
        whatsapp::{
            KeyId, SyncActionValue, SyncdMutation, SyncdPatch, SyncdSnapshot, SyncdVersion,
            syncd_mutation::SyncdOperation::{self, REMOVE, SET},
        },
    },
};

use super::{Backend, app_sync::mac_key, fixture::Fixture, space};
use crate::wa::gate::Gate;

const NAME: WAPatchName = WAPatchName::Regular;
const KEY_ID: &[u8] = b"key";
const KEY: [u8; 32] = [7; 32];

/// The other side: one collection, as WhatsApp keeps it.
struct Server {
    keys: ExpandedAppStateKeys,
    state: HashState,
    macs: HashMap<Vec<u8>, Vec<u8>>,
    snapshot: Option<SyncdSnapshot>,
    patches: Vec<SyncdPatch>,
}

impl Server {
    fn new() -> Self {
        Self {
            keys: expand_app_state_keys(&KEY),
            state: HashState::default(),
            macs: HashMap::new(),
            snapshot: None,
            patches: Vec::new(),
        }
    }

    fn mutation(&self, operation: SyncdOperation, index: &str) -> SyncdMutation {
        let value = SyncActionValue {
            timestamp: Some(i64::try_from(self.state.version).expect("small")),
            ..Default::default()
        };
        let index = format!(r#"["{index}"]"#);
        let iv = [u8::try_from(self.state.version).expect("small"); 16];
        let (mutation, _) = encode_record(
            operation,
            index.as_bytes(),
            &value,
            &self.keys,
            KEY_ID,
            &iv,
            1,
        );
        mutation
    }

    fn key_id() -> MessageField<KeyId> {
        MessageField::some(KeyId {
            id: Some(KEY_ID.to_vec()),
        })
    }

    fn patch(&mut self, changes: &[(SyncdOperation, &str)]) {
        let mutations: Vec<SyncdMutation> = changes
            .iter()
            .map(|(operation, index)| self.mutation(*operation, index))
            .collect();
        let macs = &self.macs;
        let (_, hashed) = self
            .state
            .update_hash(&mutations, |index, _| Ok(macs.get(index).cloned()));
        hashed.expect("hashes");
        self.state.version += 1;
        for operation in [REMOVE, SET] {
            for ((what, _), mutation) in changes.iter().zip(&mutations) {
                let (index, value) = index_and_mac(mutation);
                match operation {
                    _ if *what != operation => {}
                    SET => drop(self.macs.insert(index, value)),
                    REMOVE => drop(self.macs.remove(&index)),
                }
            }
        }
        let version = self.state.version;
        let mut patch = SyncdPatch {
            version: MessageField::some(SyncdVersion {
                version: Some(version),
            }),
            mutations,
            snapshot_mac: Some(
                self.state
                    .generate_snapshot_mac(NAME.as_str(), &self.keys.snapshot_mac),
            ),
            key_id: Self::key_id(),
            ..Default::default()
        };
        patch.patch_mac = Some(generate_patch_mac(
            &patch,
            NAME.as_str(),
            &self.keys.patch_mac,
            version,
        ));
        self.patches.push(patch);
    }

    /// The state that new devices begin with, in place of all patches until now.
    fn cut_snapshot(&mut self, indexes: &[&str]) {
        let mut records = Vec::new();
        for index in indexes {
            let mutation = self.mutation(SET, index);
            let (index, value) = index_and_mac(&mutation);
            self.macs.insert(index, value);
            records.push(mutation.record.as_option().expect("a record").clone());
        }
        self.state.version = 5;
        self.state.update_hash_from_records(&records);
        self.snapshot = Some(SyncdSnapshot {
            version: MessageField::some(SyncdVersion { version: Some(5) }),
            records,
            mac: Some(
                self.state
                    .generate_snapshot_mac(NAME.as_str(), &self.keys.snapshot_mac),
            ),
            key_id: Self::key_id(),
        });
    }

    fn since(&self, version: u64) -> PatchList {
        let newer =
            |patch: &&SyncdPatch| patch.version.as_option().and_then(|v| v.version) > Some(version);
        PatchList {
            name: NAME,
            has_more_patches: false,
            patches: self.patches.iter().filter(newer).cloned().collect(),
            snapshot: self.snapshot.clone().filter(|_| version == 0),
            snapshot_ref: None,
            error: None,
        }
    }
}

fn index_and_mac(mutation: &SyncdMutation) -> (Vec<u8>, Vec<u8>) {
    let record = mutation.record.as_option().expect("a record");
    let index = record.index.as_option().and_then(|i| i.blob.clone());
    let value = record.value.as_option().and_then(|v| v.blob.clone());
    let value = value.expect("a value");
    let mac = value[value.len() - 32..].to_vec();
    (index.expect("an index"), mac)
}

/// As the client does it: the version is asked for, what came is applied and confirmed at the end.
async fn sync(backend: Arc<Backend>, server: &Server) -> Result<()> {
    let processor = AppStateProcessor::new(backend.clone(), Arc::new(TokioRuntime));
    let known = backend.get_version(NAME.as_str()).await?.version;
    let (_, state, _) = processor
        .process_patch_list(server.since(known), true)
        .await?;
    backend.set_version(NAME.as_str(), state).await?;
    Ok(())
}

async fn with_key(fixture: &Fixture) -> Arc<Backend> {
    let backend = fixture.backend(Gate::new(|_| ()));
    let key = AppStateSyncKey {
        key_data: KEY.to_vec(),
        fingerprint: vec![],
        timestamp: 1,
    };
    backend.set_sync_key(KEY_ID, key).await.expect("a key");
    Arc::new(backend)
}

async fn rows(fixture: &Fixture) -> (Vec<Entry>, HashState) {
    let device = fixture.store.device(&fixture.account, &fixture.instance);
    let macs = device.scan(space::SYNC_MAC).await.expect("rows");
    let version = device.get(space::SYNC_VERSION, NAME.as_str()).await;
    let state = version
        .expect("a row")
        .map(|bytes| serde_json::from_slice(&bytes).expect("a state"))
        .unwrap_or_default();
    (macs, state)
}

/// The rows fit together, whatever was cut off.
fn fits((macs, state): &(Vec<Entry>, HashState), when: &str) {
    let values: Vec<&[u8]> = macs.iter().map(|row| row.value.as_slice()).collect();
    let none: [&[u8]; 0] = [];
    let mut hash = HashState::default().hash;
    WAPATCH_INTEGRITY.subtract_then_add_in_place(&mut hash, &none, &values);
    assert!(
        hash == state.hash,
        "version {} does not fit {when}",
        state.version
    );
}

async fn survives_a_failure_anywhere(server: &Server) {
    let fixture = Fixture::new().await;
    sync(with_key(&fixture).await, server)
        .await
        .expect("synced");
    let expected = rows(&fixture).await;
    fits(&expected, "undisturbed");
    assert_eq!(expected.1.version, server.state.version);
    assert!(expected.1.hash == server.state.hash);
    assert_eq!(expected.0.len(), server.macs.len());
    for (index, value) in &server.macs {
        let key = mac_key(NAME.as_str(), index);
        assert!(
            expected
                .0
                .iter()
                .any(|row| row.key == key && row.value == *value)
        );
    }

    let mut calls = 0;
    loop {
        let fixture = Fixture::new().await;
        let backend = with_key(&fixture).await;
        backend.rows.faults().after(Some(calls));
        let done = sync(backend, server).await;
        fits(&rows(&fixture).await, &format!("after {calls} calls"));
        sync(with_key(&fixture).await, server)
            .await
            .expect("synced");
        let (macs, state) = rows(&fixture).await;
        assert_eq!(macs, expected.0, "after {calls} calls");
        assert_eq!(state.version, expected.1.version);
        assert!(state.hash == expected.1.hash);
        if done.is_ok() {
            break;
        }
        calls += 1;
    }
    assert!(calls > 10, "the store was called {calls} times only");
}

/// A process that dies after it has written a step, before it has told of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_and_not_told_is_told_again() {
    let mut server = Server::new();
    server.cut_snapshot(&["a", "b"]);
    let fixture = Fixture::new().await;
    let apply = async |backend: Arc<Backend>, server: &Server| {
        let known = backend.get_version(NAME.as_str()).await.expect("a version");
        let processor = AppStateProcessor::new(backend, Arc::new(TokioRuntime));
        let applied = processor.process_patch_list(server.since(known.version), true);
        applied.await.expect("applied").0.len()
    };
    for patched in [false, true] {
        if patched {
            server.patch(&[(SET, "c")]);
        }
        // Written, and not a word of it.
        assert!(apply(with_key(&fixture).await, &server).await > 0);
        // The next one dies, too.
        for _ in 0..2 {
            let next = with_key(&fixture).await;
            let owed = next.forget_untold().await.expect("looks");
            assert_eq!(owed, [NAME.as_str()], "{patched}");
            let (macs, state) = rows(&fixture).await;
            assert_eq!((macs.len(), state.version), (0, 0));
        }
        let next = with_key(&fixture).await;
        assert_eq!(
            apply(next.clone(), &server).await,
            if patched { 3 } else { 2 }
        );
        let (_, state) = rows(&fixture).await;
        next.set_version(NAME.as_str(), state).await.expect("told");
        let owed = with_key(&fixture).await.forget_untold().await;
        assert!(owed.expect("looks").is_empty());
        fits(&rows(&fixture).await, "in the end");
    }
}

fn later_patches(server: &mut Server) {
    server.patch(&[(SET, "a"), (SET, "new")]);
    server.patch(&[(REMOVE, "b")]);
    server.patch(&[]);
    server.patch(&[(REMOVE, "never there")]);
    server.patch(&[(REMOVE, "c"), (SET, "c"), (REMOVE, "new")]);
    server.patch(&[(SET, "d"), (REMOVE, "a")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_and_patches() {
    let mut server = Server::new();
    server.cut_snapshot(&["a", "b", "c"]);
    later_patches(&mut server);
    survives_a_failure_anywhere(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_from_the_first_on() {
    let mut server = Server::new();
    server.patch(&[(SET, "a"), (SET, "b"), (SET, "c")]);
    later_patches(&mut server);
    survives_a_failure_anywhere(&server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patches_that_only_remove() {
    let mut server = Server::new();
    server.cut_snapshot(&["a", "b", "c"]);
    server.patch(&[(REMOVE, "a")]);
    server.patch(&[(REMOVE, "b"), (REMOVE, "c")]);
    survives_a_failure_anywhere(&server).await;
}

/// Not a crash: the library's task is gone, the connection lives on.
#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_was_cut_off_leaves_nothing() {
    let mut server = Server::new();
    server.cut_snapshot(&["a", "b"]);
    let fixture = Fixture::new().await;
    let backend = with_key(&fixture).await;
    sync(backend.clone(), &server).await.expect("synced");
    let before = rows(&fixture).await;
    server.patch(&[(REMOVE, "a"), (SET, "c")]);
    let name = NAME.as_str();

    let next = server.state.clone();
    backend.set_version(name, next).await.expect("held");
    let (index, _) = index_and_mac(&server.mutation(REMOVE, "a"));
    backend
        .delete_mutation_macs(name, &[index])
        .await
        .expect("held");
    let after = rows(&fixture).await;
    assert_eq!((after.0, after.1.version), (before.0.clone(), 5));

    backend.clear_mutation_macs(name).await.expect("held");
    let now = backend.get_version(name).await.expect("a version");
    assert_eq!(now.version, 5);
    sync(backend, &server).await.expect("synced");
    let whole = rows(&fixture).await;
    fits(&whole, "in the end");
    assert_eq!(whole.1.version, server.state.version);
}
