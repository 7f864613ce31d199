//! The keys, versions and hashes of the settings that phones share.

use std::collections::HashMap;

use whatsapp_rust::{
    anyhow::Result,
    traits::{AppStateSyncKey, Backend as WaBackend},
    wacore::appstate::{hash::HashState, processor::AppStateMutationMAC},
};

use super::Transcript;

pub(super) async fn app_sync(b: &dyn WaBackend, t: &mut Transcript) -> Result<()> {
    t.note("no latest key", b.get_latest_sync_key_id().await?);
    for id in [[0_u8, 1], [0, 2]] {
        let key = AppStateSyncKey {
            key_data: vec![id[1]; 32],
            fingerprint: vec![9],
            timestamp: 5,
        };
        b.set_sync_key(&id, key).await?;
    }
    t.note("latest key", b.get_latest_sync_key_id().await?);
    let key = b.get_sync_key(&[0, 1]).await?;
    t.note(
        "key",
        key.map(|key| (key.key_data, key.fingerprint, key.timestamp)),
    );
    t.note("no version", b.get_version("regular").await?.version);
    let state = HashState {
        version: 12,
        hash: [5; 128],
        index_value_map: HashMap::from([("a".to_owned(), vec![1, 2])]),
        ..HashState::default()
    };
    let mac = |n: u8| AppStateMutationMAC {
        index_mac: vec![n; 32],
        value_mac: vec![n, n],
    };
    // In the order of a patch, which is what the library does.
    b.set_version("regular", state).await?;
    b.put_mutation_macs("regular", 12, &[mac(1), mac(2), mac(3)])
        .await?;
    b.put_mutation_macs("regular_low", 1, &[mac(4)]).await?;
    let state = b.get_version("regular").await?;
    t.note(
        "version",
        (state.version, state.hash, state.index_value_map),
    );
    t.note("mac", b.get_mutation_mac("regular", &[1; 32]).await?);
    let mut macs: Vec<_> = b
        .get_mutation_macs("regular", &[[1; 32], [3; 32], [4; 32]])
        .await?
        .into_iter()
        .collect();
    macs.sort();
    t.note("macs", macs);
    b.delete_mutation_macs("regular", &[vec![1; 32]]).await?;
    t.note(
        "deleted mac",
        b.get_mutation_mac("regular", &[1; 32]).await?,
    );
    b.clear_mutation_macs("regular").await?;
    t.note(
        "cleared mac",
        b.get_mutation_mac("regular", &[2; 32]).await?,
    );
    t.note(
        "neighbour's mac",
        b.get_mutation_mac("regular_low", &[4; 32]).await?,
    );
    Ok(())
}
