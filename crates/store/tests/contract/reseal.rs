//! Data keys are replaced while other processes write to what they seal. As in `keys`, a second
//! [`Store`] stands for such a process.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use recado_model::AccountId;
use recado_store::{DeviceOp, DeviceStore, KeyKind, KeyRow, SUPERSEDED_MS, Store};

use crate::{
    bed::{Bed, NOW},
    keys::{Kept, MANY, shown},
};

async fn put(device: &DeviceStore, key: &str, value: &[u8]) {
    let op = DeviceOp::Put {
        space: "session",
        key: key.into(),
        n: 0,
        value: value.to_vec(),
    };
    device.apply(vec![op]).await.expect("puts");
}

pub async fn data_keys_rotate_while_others_write(bed: &Bed) {
    let (a, b) = (Kept::new(bed, "a").await, Kept::new(bed, "b").await);
    let other = bed.process().await;
    a.reads(&other, "a").await;
    // This one has the old key in memory and is not told of any other.
    let old = bed.process().await;
    let device = old.device(&a.account, &a.instance);
    put(&device, "late-1", b"before").await;

    assert_eq!(bed.store.add_data_keys(NOW).await.expect("makes"), 3);
    bed.store.reload_keys().await.expect("reloads");
    put(
        &bed.store.device(&a.account, &a.instance),
        "new",
        b"under the new key",
    )
    .await;
    let read = other.device(&a.account, &a.instance);
    assert_eq!(
        read.get("session", "new").await.expect("opens"),
        Some(b"under the new key".to_vec()),
        "a value of a key that this process has never seen"
    );
    a.reads(&other, "a").await;

    // What is counted up while it is sealed anew loses no step.
    let stop = Arc::new(AtomicBool::new(false));
    let counting = {
        let (device, stop) = (read.clone(), stop.clone());
        tokio::spawn(async move {
            let mut steps = 0u64;
            while !stop.load(Ordering::Relaxed) || steps < 20 {
                device
                    .update("counter", "n", |n| {
                        let n = n.map_or(0, |n| u64::from_le_bytes(n.try_into().expect("8")));
                        Some((n + 1).to_le_bytes().to_vec())
                    })
                    .await
                    .expect("counts");
                steps += 1;
            }
            steps
        })
    };
    let done = bed.store.reseal().await.expect("reseals");
    stop.store(true, Ordering::Relaxed);
    let steps = counting.await.expect("counts");
    let counted = read.get("counter", "n").await.expect("opens");
    assert_eq!(counted, Some(steps.to_le_bytes().to_vec()));
    // Two accounts' rows, tokens and webhooks, two JWT keys, a pepper, and "late-1".
    assert!(done.moved > 2 * MANY as u64 + 7, "{done:?}");
    assert_eq!(done.unopened, 0);
    for store in [&bed.store, &other, &bed.process().await] {
        a.reads(store, "a").await;
        b.reads(store, "b").await;
    }

    // The old process seals one more value under the old key.
    put(&device, "late-2", b"a straggler").await;
    let rows = |keys: Vec<KeyRow>, of: &AccountId| -> Vec<(String, i64)> {
        let own = keys
            .into_iter()
            .filter(|key| key.owner.as_ref() == Some(of));
        own.map(|key| (key.id, key.rows.expect("counted")))
            .collect()
    };
    let listed = rows(bed.listed(KeyKind::Data, NOW).await, &a.account);
    assert_eq!(listed[1], ("1".into(), 1), "{listed:?}");

    let prune = async |at| bed.store.prune_data_keys(at).await.expect("prunes");
    let hour = NOW.plus_millis(SUPERSEDED_MS);
    assert_eq!(prune(hour.plus_millis(-1)).await, 0, "too early");
    assert_eq!(prune(hour).await, 2, "B's and the system's: A's is needed");
    a.reads(&bed.process().await, "a").await;
    let get = async |store: &Store| {
        let device = store.device(&a.account, &a.instance);
        device.get("session", "late-2").await.expect("opens")
    };
    assert_eq!(
        get(&bed.process().await).await.as_deref(),
        Some(&b"a straggler"[..])
    );
    assert_eq!(bed.store.reseal().await.expect("reseals").moved, 1);
    assert_eq!(prune(hour).await, 1);
    assert_eq!(prune(hour).await, 0, "the newest stays");
    let listed = rows(bed.listed(KeyKind::Data, NOW).await, &a.account);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].0, "2");

    old.reload_keys().await.expect("reloads");
    put(&device, "late-3", b"under the new key").await;
    for store in [&bed.store, &other, &old, &bed.process().await] {
        a.reads(store, "a").await;
        b.reads(store, "b").await;
        assert_eq!(get(store).await.as_deref(), Some(&b"a straggler"[..]));
    }
    let again = bed.store.reseal().await.expect("reseals");
    assert_eq!((again.moved, again.unopened), (0, 0));
}

pub async fn damaged_values_stay_and_stop_nothing(bed: &Bed) {
    let a = Kept::new(bed, "a").await;
    bed.raw("UPDATE credential SET hint = 'x'").await;
    match bed.database().is_sqlite() {
        true => bed.raw("UPDATE device SET value = X'01000141' WHERE key = CAST('0007' AS BLOB)"),
        false => bed.raw("UPDATE device SET value = '\\x01000141' WHERE key = '0007'::bytea"),
    }
    .await;
    bed.store.add_data_keys(NOW).await.expect("makes");
    let done = bed.store.reseal().await.expect("goes on");
    assert_eq!(done.unopened, 1, "{done:?}");
    assert_eq!(done.moved, MANY as u64 - 1 + 4, "{done:?}");
    // Its key stays with it: perhaps a backup repairs it.
    let hour = NOW.plus_millis(SUPERSEDED_MS);
    assert_eq!(bed.store.prune_data_keys(hour).await.expect("prunes"), 1);
    assert_eq!(
        shown(&bed.store, &a.account, &a.api.0).await,
        a.api.1.expose()
    );
}
