//! Whose coming and going an instance hears of.

use recado_model::{Address, ConnectionState, StateReason};

use crate::bed::{Bed, NOW};

pub async fn who_is_watched_is_kept_with_the_pairing(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let [bia, cai] = ["2@s.whatsapp.net", "333@lid"].map(Address::from_wire);
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(store.watch(&id, &cai, NOW).await.expect("keeps"));
    let later = NOW.plus_secs(1);
    assert!(store.watch(&id, &bia, later).await.expect("keeps"));
    assert!(!store.watch(&id, &cai, later).await.expect("once"));
    let watched = store.watched(&id, 10).await.expect("lists");
    assert_eq!(watched, [cai.clone(), bia.clone()], "the oldest first");
    assert_eq!(
        store.watched(&id, 1).await.expect("lists"),
        std::slice::from_ref(&cai)
    );
    assert!(store.unwatch(&id, &cai).await.expect("forgets"));
    assert!(!store.unwatch(&id, &cai).await.expect("once"));
    conn.commit().await.expect("commit");
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&b);
    assert_eq!(store.watched(&id, 10).await.expect("lists"), []);
    assert!(!store.unwatch(&id, &bia).await.expect("not B's"));
    let mut store = conn.account(&a);
    let (state, reason) = (ConnectionState::LoggedOut, StateReason::LoggedOutByOwner);
    let unpaired = store.set_unpaired(&id, state, reason, NOW).await;
    assert!(unpaired.expect("unpairs"));
    assert_eq!(store.watched(&id, 10).await.expect("lists"), []);
}
