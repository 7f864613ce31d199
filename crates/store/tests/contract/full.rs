//! SQLite alone: a file that may not grow, and the one connection that writes.

use std::time::Duration;

use recado_model::{AccountId, Error, ErrorCode};
use recado_store::{Store, StoreError};

use crate::bed::{Bed, Kind, NOW};

async fn write(store: &Store, account: &AccountId) -> Result<(), StoreError> {
    let mut conn = store.write().await?;
    let detail = format!("{{\"note\": \"{}\"}}", "x".repeat(3_000));
    conn.account(account).audit("test", &detail, NOW).await?;
    conn.commit().await
}

/// Writes until the file is full.
async fn fill(store: &Store, account: &AccountId) -> StoreError {
    for _ in 0..1_000 {
        if let Err(error) = write(store, account).await {
            return error;
        }
    }
    panic!("the file does not fill");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_file_refuses_and_recovers() {
    let bed = Bed::on(Kind::Sqlite).await;
    let account = bed.account("a").await;
    let store = &bed.store;
    for _ in 0..3 {
        store.prove_write().await.expect("room");
        store.limit_pages(Some(1)).await.expect("a limit");
        let error = fill(store, &account).await;
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        assert!(error.to_string().contains("no space left"), "{error}");
        let error = Error::from(error);
        assert_eq!(error.code, ErrorCode::Unavailable);
        assert_eq!(error.retry_after_secs, Some(5));
        // The same for each that follows, and no waiting for a connection that is gone.
        let again = async {
            for _ in 0..20 {
                let error = write(store, &account).await.expect_err("full");
                assert!(matches!(error, StoreError::Full(_)), "{error}");
            }
        };
        let soon = tokio::time::timeout(Duration::from_secs(5), again).await;
        soon.expect("at once");
        let error = store.prove_write().await.expect_err("no room");
        assert!(matches!(error, StoreError::Full(_)), "{error}");
        let mut conn = store.read().await.expect("a connection");
        assert!(conn.system().account_exists(&account).await.expect("reads"));
        drop(conn);
        store.limit_pages(None).await.expect("no limit");
        write(store, &account).await.expect("as before");
    }
    bed.close().await;
}

/// Errors in the middle of everything: whoever gives up while the file is full leaves nothing behind.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_writers_and_a_full_file() {
    let bed = Bed::on(Kind::Sqlite).await;
    let account = bed.account("a").await;
    bed.store.limit_pages(Some(1)).await.expect("a limit");
    fill(&bed.store, &account).await;
    let mut writers = tokio::task::JoinSet::new();
    for n in 0..200u64 {
        let (store, account) = (bed.store.clone(), account.clone());
        writers.spawn(async move {
            let patience = Duration::from_micros(n * 50);
            // Some are given up in the middle.
            let _ = tokio::time::timeout(patience, write(&store, &account)).await;
        });
    }
    while writers.join_next().await.is_some() {}
    bed.store.limit_pages(None).await.expect("no limit");
    for _ in 0..20 {
        write(&bed.store, &account).await.expect("as before");
    }
    bed.close().await;
}
