//! What goes: what nobody has had to do with for long, and what is over an account's share.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_sandbox::content::{Medium, Written};
use serde_json::json;

use super::{arrived, path_of, samples};
use crate::gateway::{Bed, Made, SHOP, until};

on_both! {
    with = "media.quota_bytes = 20000\n";
    what_is_old_goes,
    what_is_over_the_share_goes,
}

const HOUR: i64 = 3600;

/// A file of so many bytes that came in and was fetched: the message's id.
async fn came(bed: &Bed, size: usize) -> String {
    let written = Written::Document(Medium {
        data: BASE64_STANDARD.encode(&samples::pdf()[..size]),
        ..Medium::default()
    });
    let (id, body) = arrived(bed, &written).await;
    let path = path_of(bed, &body["media_url"]);
    bed.get(&path).send().await.expect(200);
    id
}

async fn status(bed: &Bed, made: &Made, id: &str) -> u16 {
    let path = made.path(&format!("/chat/messages/{id}/media"));
    bed.get(&path).bearer(&bed.a.jwt).send().await.status
}

fn kept(bed: &Bed) -> usize {
    let store = bed.gateway().app.config().media.dir.join("store");
    let folder = store.join(bed.a.id.as_str());
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

async fn what_is_old_goes(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = came(bed, 5_000).await;
    assert_eq!((status(bed, &made, &id).await, kept(bed)), (200, 1));
    bed.clock.jump_secs(31 * 24 * HOUR);
    bed.log_in().await;
    // Not by asking for it: that would be a use of it, and it would stay.
    until("its file to be gone", async || {
        (kept(bed) == 0).then_some(())
    })
    .await;
    assert_eq!(status(bed, &made, &id).await, 410);
}

async fn what_is_over_the_share_goes(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let first = came(bed, 12_000).await;
    let second = came(bed, 12_001).await;
    assert_eq!(kept(bed), 2);
    bed.clock.jump_secs(2 * HOUR);
    bed.log_in().await;
    // Not by asking for it: that would make it the one that was used last.
    until("a file to be gone", async || (kept(bed) == 1).then_some(())).await;
    assert_eq!(status(bed, &made, &first).await, 410);
    assert_eq!(status(bed, &made, &second).await, 200);
}
