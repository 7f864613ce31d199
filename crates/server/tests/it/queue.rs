//! The queue as its owner sees it: what waits is listed, and what was not tried yet is taken back.

use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Left, Made, SHOP},
};

on_both! {
    what_waits_is_listed,
    one_is_taken_out,
    all_are_taken_out,
    what_may_be_on_the_wire_stays,
    a_cancelled_message_may_be_sent_again,
    a_queue_is_its_owners,
}

const LATER_MS: i64 = 1_800_000;

async fn queue(bed: &Bed, made: &Made, method: &str, path: &str) -> Answer {
    let path = made.path(&format!("/queue/{path}"));
    bed.call(method, &path).bearer(&bed.a.jwt).send().await
}

async fn waiting(bed: &Bed, made: &Made, lane: &str) -> Vec<String> {
    let answer = queue(bed, made, "GET", lane).await.ok();
    let data = &answer["data"];
    let content = data["content"].as_array().expect("a list");
    assert_eq!(data["total"], content.len(), "{answer}");
    let ids = content.iter().map(|one| one["message_id"].as_str());
    ids.map(|id| id.expect("an id").to_owned()).collect()
}

async fn later(bed: &Bed, made: &Made, id: &str, text: &str) {
    let body = json!({"phone": CUSTOMER, "message": text, "id": id, "delay": LATER_MS});
    bed.send(&bed.a, made, body).await.ok();
}

/// A text that has arrived, for operations on it.
async fn arrived(bed: &Bed, made: &Made, id: &str, text: &str) {
    let body = json!({"phone": CUSTOMER, "message": text, "id": id});
    bed.send(&bed.a, made, body).await.ok();
    bed.wait_status(made, id, &["sent", "delivered", "read"])
        .await;
}

async fn edit_later(bed: &Bed, made: &Made, id: &str, of: &str) {
    let path = made.path(&format!("/chat/messages/{of}"));
    let body = json!({"message": "another wording", "id": id, "delay": 600_000});
    let call = bed.call("PATCH", &path).bearer(&bed.a.jwt);
    call.json(body).send().await.ok();
}

async fn what_waits_is_listed(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    assert_eq!(waiting(bed, &made, "messages").await, [""; 0]);
    arrived(bed, &made, "first-001", "first").await;
    later(bed, &made, "later-001", "one").await;
    later(bed, &made, "later-002", "two").await;
    edit_later(bed, &made, "edit-0001", "first-001").await;
    assert_eq!(
        waiting(bed, &made, "messages").await,
        ["later-001", "later-002"]
    );
    assert_eq!(waiting(bed, &made, "operations").await, ["edit-0001"]);
    let page = queue(bed, &made, "GET", "messages?page=2&page_size=1").await;
    let page = page.ok();
    let (data, one) = (&page["data"], &page["data"]["content"][0]);
    assert_eq!((&data["total"], &data["page"]), (&json!(2), &json!(2)));
    assert_eq!(one["message_id"], "later-002");
    assert_eq!(one["chat"], format!("{CUSTOMER}@s.whatsapp.net"));
    assert_eq!(
        (&one["kind"], &one["status"]),
        (&json!("text"), &json!("queued"))
    );
    assert_eq!(
        (&one["attempts"], &one["valid_until"]),
        (&json!(0), &Value::Null)
    );
    assert!(one["not_before"].is_string() && one["queue_id"].is_i64());
    // As clients send it that were told nothing.
    let same = queue(bed, &made, "GET", "messages?page=0&page_size=0").await;
    assert_eq!(same.ok()["data"]["page_size"], 50);
    bed.leaves(Left::Jobs);
}

async fn one_is_taken_out(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    arrived(bed, &made, "first-001", "first").await;
    later(bed, &made, "later-001", "never").await;
    edit_later(bed, &made, "edit-0001", "first-001").await;
    // An operation is no message, nor the other way round.
    for path in [
        "messages/edit-0001",
        "operations/later-001",
        "messages/no-such-one",
    ] {
        queue(bed, &made, "DELETE", path)
            .await
            .refused(404, "not_found");
    }
    for (path, id) in [
        ("messages/later-001", "later-001"),
        ("operations/edit-0001", "edit-0001"),
    ] {
        let answer = queue(bed, &made, "DELETE", path).await.ok();
        assert_eq!(answer["data"]["message_id"], id);
        assert_eq!(answer["data"]["status"], "cancelled");
        assert_eq!(bed.told(&made, id).await["status"], "cancelled");
        queue(bed, &made, "DELETE", path)
            .await
            .refused(404, "not_found");
    }
    // What nobody gets is nothing to reply to.
    let body =
        json!({"phone": CUSTOMER, "message": "as I said", "reply_to_message_id": "later-001"});
    let refused = bed.send(&bed.a, &made, body).await.expect(400);
    assert_eq!(refused.json()["field"], "reply_to_message_id");
    bed.clock.jump_secs(1_900);
    arrived(bed, &made, "marker-01", "marker").await;
    assert_eq!(bed.shown(CUSTOMER, "never"), 0);
    assert_eq!(bed.shown(CUSTOMER, "another wording"), 0);
}

async fn all_are_taken_out(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    arrived(bed, &made, "first-001", "first").await;
    for n in 0..3 {
        later(bed, &made, &format!("later-00{n}"), "never").await;
    }
    edit_later(bed, &made, "edit-0001", "first-001").await;
    let answer = queue(bed, &made, "DELETE", "messages").await.ok();
    assert_eq!(answer["data"]["cancelled"], 3);
    assert_eq!(answer["data"]["kept"], 0);
    assert_eq!(waiting(bed, &made, "operations").await, ["edit-0001"]);
    let answer = queue(bed, &made, "DELETE", "operations").await.ok();
    assert_eq!(answer["data"]["cancelled"], 1);
    let again = queue(bed, &made, "DELETE", "messages").await.ok();
    assert_eq!(again["data"]["cancelled"], 0);
    assert_eq!(bed.told(&made, "later-002").await["status"], "cancelled");
}

async fn what_may_be_on_the_wire_stays(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    // A number that was never written to would be looked up first.
    arrived(bed, &made, "first-001", "first").await;
    let trouble = json!({"kind": "freeze"});
    bed.sandbox.network().trouble(&trouble).expect("a trouble");
    let body = json!({"phone": CUSTOMER, "message": "on the wire", "id": "tried-001"});
    bed.send(&bed.a, &made, body).await.ok();
    let body = json!({"phone": CUSTOMER, "message": "behind it", "id": "behind-01"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_status(&made, "tried-001", &["sending"]).await;
    queue(bed, &made, "DELETE", "messages/tried-001")
        .await
        .refused(409, "conflict");
    let answer = queue(bed, &made, "DELETE", "messages").await.ok();
    assert_eq!(answer["data"]["cancelled"], 1);
    assert_eq!(answer["data"]["kept"], 1);
    assert_eq!(bed.told(&made, "behind-01").await["status"], "cancelled");
    bed.sandbox.network().clear_troubles();
    bed.wait_shown(CUSTOMER, "on the wire").await;
    assert_eq!(bed.shown(CUSTOMER, "behind it"), 0);
    bed.leaves(Left::Jobs);
}

async fn a_cancelled_message_may_be_sent_again(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    later(bed, &made, "later-001", "after all").await;
    queue(bed, &made, "DELETE", "messages/later-001").await.ok();
    let body = json!({"phone": CUSTOMER, "message": "after all", "id": "later-001"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(CUSTOMER, "after all").await;
    bed.wait_status(&made, "later-001", &["sent", "delivered", "read"])
        .await;
}

async fn a_queue_is_its_owners(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    later(bed, &made, "later-001", "mine").await;
    for (method, path) in [
        ("GET", "messages"),
        ("DELETE", "messages"),
        ("DELETE", "messages/later-001"),
    ] {
        let path = made.path(&format!("/queue/{path}"));
        let call = bed.call(method, &path).bearer(&bed.b.jwt);
        call.send().await.refused(403, "forbidden");
    }
    assert_eq!(waiting(bed, &made, "messages").await, ["later-001"]);
    bed.leaves(Left::Jobs);
}
