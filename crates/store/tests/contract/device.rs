use recado_store::{DeviceOp, DeviceStore, StoreError};

use crate::bed::Bed;

fn put(space: &'static str, key: &str, n: i64, value: &[u8]) -> DeviceOp {
    DeviceOp::Put {
        space,
        key: key.into(),
        n,
        value: value.into(),
    }
}

async fn device(bed: &Bed) -> DeviceStore {
    let account = bed.account("a").await;
    let instance = bed.instance(&account, "one").await.id;
    bed.store.device(&account, &instance)
}

async fn keys(device: &DeviceStore, space: &str) -> Vec<String> {
    device.keys(space).await.expect("keys")
}

pub async fn operations(bed: &Bed) {
    let device = device(bed).await;
    assert!(!device.exists().await.expect("empty"));
    assert_eq!(device.get("s", "k").await.expect("none"), None);
    device.apply(vec![]).await.expect("nothing");
    let many = (0..1200).map(|n| put("pre", &format!("{n:05}"), n, &n.to_be_bytes()));
    device.apply(many.collect()).await.expect("many");
    assert_eq!(device.count("pre").await.expect("counts"), 1200);
    let ops = vec![
        put("s", "b", 1, b"old"),
        put("s", "a", 1, b""),
        put("s", "b", 2, b"new"),
        put("s", "a:1", 5, b"x"),
        put("s", "a:é", 6, b"y"),
        put("s", "aa", 7, b"z"),
        put("t", "a", 9, b"other space"),
        DeviceOp::Delete {
            space: "s",
            key: "gone".into(),
        },
    ];
    device.apply(ops).await.expect("applies");
    assert!(device.exists().await.expect("exists"));
    assert_eq!(
        device.get("s", "b").await.expect("get").as_deref(),
        Some(&b"new"[..])
    );
    assert_eq!(
        device.get("s", "a").await.expect("get").as_deref(),
        Some(&b""[..])
    );
    assert_eq!(keys(&device, "s").await, ["a", "a:1", "a:é", "aa", "b"]);
    let scanned = device.scan_prefix("s", "a:").await.expect("scan");
    let scanned: Vec<_> = scanned
        .iter()
        .map(|e| (e.key.as_str(), e.n, &e.value[..]))
        .collect();
    assert_eq!(scanned, [("a:1", 5, &b"x"[..]), ("a:é", 6, &b"y"[..])]);
    assert_eq!(device.scan("s").await.expect("scan").len(), 5);
    let wanted: Vec<String> = ["b", "none", "aa"].map(str::to_owned).into();
    let mut got = device.get_many("s", &wanted).await.expect("many");
    got.sort();
    assert_eq!(
        got,
        [("aa".into(), b"z".to_vec()), ("b".into(), b"new".to_vec())]
    );
    let all: Vec<String> = (0..1200).map(|n| format!("{n:05}")).collect();
    assert_eq!(
        device.get_many("pre", &all).await.expect("many").len(),
        1200
    );
    assert!(device.get_many("pre", &[]).await.expect("none").is_empty());
    let ops = vec![
        DeviceOp::DeletePrefix {
            space: "s",
            prefix: "a:".into(),
        },
        DeviceOp::DeleteBelow {
            space: "pre",
            n: 1199,
        },
        DeviceOp::Delete {
            space: "s",
            key: "b".into(),
        },
        put("s", "b", 0, b"after its deletion"),
    ];
    device.apply(ops).await.expect("applies");
    assert_eq!(keys(&device, "s").await, ["a", "aa", "b"]);
    assert_eq!(keys(&device, "pre").await, ["01199"]);
    device
        .apply(vec![DeviceOp::DeleteSpace { space: "s" }])
        .await
        .expect("applies");
    assert_eq!(keys(&device, "s").await, Vec::<String>::new());
    assert_eq!(device.count("t").await.expect("counts"), 1);
    device.wipe().await.expect("wipes");
    assert!(!device.exists().await.expect("empty"));
}

pub async fn updates_are_atomic(bed: &Bed) {
    let device = device(bed).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let device = device.clone();
            tokio::spawn(async move {
                for _ in 0..10 {
                    device
                        .update("s", "counter", |old| {
                            let n = old.map_or(0, |old| old[0]);
                            Some(vec![n + 1])
                        })
                        .await
                        .expect("updates");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("task");
    }
    assert_eq!(
        device.get("s", "counter").await.expect("get"),
        Some(vec![80])
    );
    device
        .update("s", "counter", |_| None)
        .await
        .expect("deletes");
    device
        .update("s", "never", |old| old)
        .await
        .expect("nothing");
    assert_eq!(device.count("s").await.expect("counts"), 0);
    device
        .apply(vec![put("s", "k", 7, b"v")])
        .await
        .expect("puts");
    device
        .update("s", "k", |_| Some(b"w".to_vec()))
        .await
        .expect("updates");
    let entry = device.scan("s").await.expect("scan").remove(0);
    assert_eq!((entry.n, entry.value), (7, b"w".to_vec()), "keeps its n");
}

pub async fn instances_do_not_see_each_other(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let (one, two) = (
        bed.instance(&a, "one").await.id,
        bed.instance(&a, "two").await.id,
    );
    let (first, second) = (bed.store.device(&a, &one), bed.store.device(&a, &two));
    let crossed = bed.store.device(&b, &one);
    first
        .apply(vec![put("s", "k", 0, b"1")])
        .await
        .expect("puts");
    second
        .apply(vec![put("s", "k", 0, b"2")])
        .await
        .expect("puts");
    assert_eq!(first.get("s", "k").await.expect("get"), Some(b"1".to_vec()));
    assert_eq!(crossed.get("s", "k").await.expect("none"), None);
    assert!(!crossed.exists().await.expect("none"));
    assert!(crossed.scan("s").await.expect("none").is_empty());
    for key in ["k", "new"] {
        let result = crossed.apply(vec![put("s", key, 0, b"3")]).await;
        assert!(
            matches!(result, Err(StoreError::NoParent)),
            "{key}: {result:?}"
        );
    }
    let delete = DeviceOp::DeleteSpace { space: "s" };
    crossed.apply(vec![delete]).await.expect("deletes nothing");
    crossed.wipe().await.expect("wipes nothing");
    second.wipe().await.expect("wipes");
    assert_eq!(first.get("s", "k").await.expect("get"), Some(b"1".to_vec()));
    // A value moved to another row does not open.
    second
        .apply(vec![put("s", "k", 0, b"2")])
        .await
        .expect("puts");
    bed.raw("UPDATE device SET value = (SELECT value FROM device ORDER BY value LIMIT 1)")
        .await;
    let moved = [first.get("s", "k").await, second.get("s", "k").await];
    let broken = moved
        .iter()
        .filter(|r| matches!(r, Err(StoreError::Sealed(_))));
    assert_eq!(broken.count(), 1, "{moved:?}");
}

pub async fn round_trips_are_few(bed: &Bed) {
    let device = device(bed).await;
    device
        .apply(vec![put("s", "k", 0, b"v")])
        .await
        .expect("warms the key");
    let before = bed.store.statements();
    device.get("s", "k").await.expect("get");
    device
        .apply((0..50).map(|n| put("s", &n.to_string(), n, b"v")).collect())
        .await
        .expect("puts");
    let keys: Vec<_> = (0..50).map(|n| n.to_string()).collect();
    device.get_many("s", &keys).await.expect("many");
    assert_eq!(bed.store.statements() - before, 3);
}
