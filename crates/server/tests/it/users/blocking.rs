//! Whom a number has blocked, here or on its phone.

use serde_json::{Value, json};

use super::{ask, jid, told};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP};

on_both! {
    who_is_blocked_is_not_heard,
    a_number_that_is_not_there_is_not_blocked,
}

async fn blocked(bed: &Bed, made: &Made) -> Vec<Value> {
    let path = made.path("/user/blocked");
    let list = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
    list["data"]["users"].as_array().expect("a list").clone()
}

async fn heard(bed: &Bed, made: &Made, id: &str) -> bool {
    let path = made.path(&format!("/chat/messages/{id}"));
    bed.get(&path).bearer(&bed.a.jwt).send().await.status == 200
}

async fn who_is_blocked_is_not_heard(bed: &mut Bed) {
    let network = bed.sandbox.network();
    let made = bed.paired(&bed.a, SHOP).await;
    assert_eq!(blocked(bed, &made).await, Vec::<Value>::new());
    // Never written to: its id is asked for first.
    for _ in 0..2 {
        let data = told(bed, &made, "block", json!({ "phone": CUSTOMER })).await;
        assert_eq!(data["jid"], jid(CUSTOMER));
    }
    let list = blocked(bed, &made).await;
    assert_eq!(list.len(), 1, "{list:?}");
    assert_eq!(
        (&list[0]["phone"], &list[0]["jid"]),
        (&json!(CUSTOMER), &json!(jid(CUSTOMER)))
    );
    let lid = list[0]["lid"].as_str().expect("an id").to_owned();
    let profile = network.profile(SHOP).expect("a profile");
    assert!(profile.blocked.contains(CUSTOMER), "on its phone as well");
    let written = network.send_text(CUSTOMER, SHOP, "let me in");
    let lost = written.expect("it writes").id;
    let data = told(bed, &made, "unblock", json!({ "phone": lid })).await;
    assert_eq!(data["jid"], lid);
    assert_eq!(blocked(bed, &made).await, Vec::<Value>::new());
    let written = network.send_text(CUSTOMER, SHOP, "thank you");
    let id = written.expect("it writes").id;
    crate::gateway::until("the message", async || {
        heard(bed, &made, &id).await.then_some(())
    })
    .await;
    assert!(!heard(bed, &made, &lost).await);
    // What the phone does is seen.
    network.block(SHOP, CUSTOMER, true).expect("blocks");
    assert_eq!(blocked(bed, &made).await.len(), 1);
}

async fn a_number_that_is_not_there_is_not_blocked(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let refused = ask(bed, &made, "block", json!({"phone": "34699999999"})).await;
    assert_eq!(refused.refused(400, "not_on_whatsapp")["field"], "phone");
    assert_eq!(blocked(bed, &made).await, Vec::<Value>::new());
}
