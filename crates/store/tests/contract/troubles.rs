//! What an instance does not hear any more of what its account's devices tell each other.

use recado_model::{
    ConnectionState, StateReason,
    chat::{SyncTrouble, TroubleCause},
};

use crate::bed::{Bed, NOW};

fn trouble(collection: &str, cause: TroubleCause, tries: u32) -> SyncTrouble {
    SyncTrouble {
        collection: collection.to_owned(),
        cause,
        tries,
    }
}

pub async fn what_does_not_follow_is_kept_with_the_pairing(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let regular = trouble("regular", TroubleCause::Broken, 1);
    store
        .put_sync_trouble(&id, &regular, NOW)
        .await
        .expect("keeps");
    let low = trouble("critical_block", TroubleCause::Refused, 0);
    store.put_sync_trouble(&id, &low, NOW).await.expect("keeps");
    // Since when is known of the first time.
    let again = trouble("regular", TroubleCause::Broken, 2);
    let later = NOW.plus_secs(9);
    store
        .put_sync_trouble(&id, &again, later)
        .await
        .expect("keeps");
    let shown = store.instance(&id).await.expect("reads").expect("is there");
    assert!(shown.troubled);
    let all = store.sync_troubles(&id).await.expect("lists");
    assert_eq!(all, [(low.clone(), NOW), (again, NOW)]);
    assert!(
        store
            .drop_sync_trouble(&id, "regular")
            .await
            .expect("drops")
    );
    assert!(!store.drop_sync_trouble(&id, "regular").await.expect("once"));
    let mut theirs = conn.account(&b);
    let dropped = theirs.drop_sync_trouble(&id, "critical_block").await;
    assert!(!dropped.expect("not B's"));
    assert_eq!(theirs.sync_troubles(&id).await.expect("lists"), []);
    let mut store = conn.account(&a);
    assert_eq!(store.sync_troubles(&id).await.expect("lists"), [(low, NOW)]);
    let (state, reason) = (ConnectionState::LoggedOut, StateReason::LoggedOutByOwner);
    let unpaired = store.set_unpaired(&id, state, reason, NOW).await;
    assert!(unpaired.expect("unpairs"));
    assert_eq!(store.sync_troubles(&id).await.expect("lists"), []);
    let shown = store.instance(&id).await.expect("reads").expect("is there");
    assert!(!shown.troubled);
}
