//! What went wrong with receipts, edits and deletions, and must not again.

use recado_model::EventKind;
use recado_sandbox::content::{Gone, Question, Wording, Written};
use recado_testkit::database;
use serde_json::{Value, json};

use super::{act, here, reads, received, sent, shown, told, writes};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP};

on_both! {
    a_receipt_from_another_chat_proves_nothing,
    an_act_that_failed_and_arrived_counts,
    what_an_edit_said_goes_with_its_message,
    an_edit_of_what_is_gone_waits_no_longer,
    an_edit_that_came_too_late_changes_nothing,
    a_deletion_on_the_phone_ends_the_repeats,
}

const OTHER: &str = "5511999990077";

fn trouble(bed: &Bed, body: Value) {
    bed.sandbox.network().trouble(&body).expect("a trouble");
}

fn claims(bed: &Bed, number: &str, id: &str) {
    let ids = [id.to_owned()];
    let network = bed.sandbox.network();
    network.claim_read(number, SHOP, &ids).expect("says so");
}

fn gone(id: &str) -> Written {
    Written::Delete(Gone {
        message_id: id.to_owned(),
        forged: false,
    })
}

/// Callers choose ids: whoever guesses one of a message to somebody else has not seen that.
async fn a_receipt_from_another_chat_proves_nothing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message", "ReadReceipt"]))
        .await;
    let network = bed.sandbox.network();
    network.add_phone(OTHER, "Other").expect("a phone");
    network.set_online(CUSTOMER, false).expect("offline");
    trouble(
        bed,
        json!({"kind": "drop_acks", "number": SHOP, "count": 1}),
    );
    let body = json!({"phone": CUSTOMER, "message": "for you alone", "id": "order-1002"});
    bed.send(&bed.a, &made, body).await.expect(200);
    bed.wait_status(&made, "order-1002", &["sending"]).await;
    claims(bed, OTHER, "order-1002");
    // What comes behind the receipt shows that it was taken.
    claims(bed, OTHER, "3EB0NOTHING");
    bed.delivered("the receipt behind", |d| {
        d.body["event"]["message_ids"][0] == "3EB0NOTHING"
    })
    .await;
    let read = bed.told(&made, "order-1002").await;
    assert_eq!(
        (&read["status"], &read["receipts"]),
        (&json!("sending"), &json!([]))
    );
    let mut conn = bed.read().await;
    let jobs = conn.account(&bed.a.id).job_count(&made.instance()).await;
    assert_eq!(jobs.expect("a count"), 1, "it is still to be sent");
    drop(conn);
    // Whoever it was sent to proves it.
    bed.sandbox
        .network()
        .set_online(CUSTOMER, true)
        .expect("online");
    bed.wait_status(&made, "order-1002", &["delivered"]).await;
    bed.sandbox.receiver().deliveries().iter().for_each(|d| {
        let theirs = d.body["event"]["chat"] == format!("{OTHER}@s.whatsapp.net");
        assert!(!theirs || d.body["event"]["message_ids"] == json!(["3EB0NOTHING"]));
    });
}

async fn an_act_that_failed_and_arrived_counts(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = sent(bed, &made, "It costs 10").await;
    trouble(
        bed,
        json!({"kind": "refuse", "code": 404, "number": SHOP, "count": 1}),
    );
    let body = json!({"message": "It costs 12", "id": "EDIT-0001"});
    act(bed, &made, "PATCH", &format!("messages/{id}"), body)
        .await
        .expect(200);
    bed.wait_status(&made, "EDIT-0001", &["failed"]).await;
    assert_eq!(bed.told(&made, &id).await["text"], "It costs 10");
    claims(bed, CUSTOMER, "EDIT-0001");
    bed.wait_status(&made, "EDIT-0001", &["read"]).await;
    let read = reads(bed, &made, &id, |told| told["edited_at"].is_string()).await;
    assert_eq!(read["text"], "It costs 12");
    let event = told(bed, "EDIT-0001").await;
    assert_eq!(event["info"]["is_from_me"], true, "and it is told as sent");
}

async fn what_an_edit_said_goes_with_its_message(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    // One that failed.
    let id = sent(bed, &made, "a secret").await;
    trouble(
        bed,
        json!({"kind": "refuse", "code": 404, "number": SHOP, "count": 1}),
    );
    let body = json!({"message": "another secret", "id": "EDIT-0001"});
    let path = format!("messages/{id}");
    act(bed, &made, "PATCH", &path, body).await.expect(200);
    let read = bed.wait_status(&made, "EDIT-0001", &["failed"]).await;
    assert_eq!(read["text"], "another secret");
    act(bed, &made, "DELETE", &path, json!({}))
        .await
        .expect(200);
    reads(bed, &made, &id, |told| told["deleted_at"].is_string()).await;
    assert_eq!(bed.told(&made, "EDIT-0001").await["text"], Value::Null);
    // One that came before its message.
    let edit = writes(
        bed,
        &Written::Edit(Wording {
            message_id: "3EB0LATER".into(),
            text: "their secret".into(),
            forged: true,
        }),
    );
    here(bed, &made, &edit).await;
    assert_eq!(bed.told(&made, &edit).await["text"], "their secret");
    let poll = Question {
        name: "When?".into(),
        options: vec!["Monday".into(), "Tuesday".into()],
        id: Some("3EB0LATER".into()),
        ..Question::default()
    };
    writes(bed, &Written::Poll(poll));
    here(bed, &made, "3EB0LATER").await;
    told(bed, &writes(bed, &gone("3EB0LATER"))).await;
    assert_eq!(bed.told(&made, &edit).await["text"], Value::Null);
}

async fn an_edit_of_what_is_gone_waits_no_longer(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["MessageFailed"])).await;
    let id = sent(bed, &made, "a secret").await;
    let path = format!("messages/{id}");
    let later = json!({"message": "another secret", "id": "EDIT-0001", "delay": 600_000});
    act(bed, &made, "PATCH", &path, later).await.expect(200);
    act(bed, &made, "DELETE", &path, json!({}))
        .await
        .expect(200);
    let read = bed.wait_status(&made, "EDIT-0001", &["failed"]).await;
    assert_eq!(
        (&read["code"], &read["text"]),
        (&json!("deleted"), &Value::Null)
    );
    let told = bed.delivered("the failure", |d| {
        d.body["event"]["message_id"] == "EDIT-0001"
    });
    assert_eq!(told.await.body["event"]["code"], "deleted");
}

/// So much earlier the message was written.
async fn older(bed: &Bed, id: &str, minutes: i64) {
    let ms = minutes * 60_000;
    let text =
        format!("UPDATE message SET at = at - {ms}, sent_at = sent_at - {ms} WHERE id = '{id}'");
    database::run(&bed.database(), &text).await;
}

async fn an_edit_that_came_too_late_changes_nothing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let (early, late) = (
        received(bed, &made, "at nine").await,
        received(bed, &made, "10 euros").await,
    );
    older(bed, &early, 19).await;
    older(bed, &late, 26).await;
    let edit = |id: &str| {
        Written::Edit(Wording {
            message_id: id.to_owned(),
            text: "changed".into(),
            forged: false,
        })
    };
    // However our own clock goes.
    bed.clock.jump_secs(1_800);
    told(bed, &writes(bed, &edit(&late))).await;
    told(bed, &writes(bed, &edit(&early))).await;
    assert_eq!(bed.told(&made, &early).await["text"], "changed");
    let read = bed.told(&made, &late).await;
    assert_eq!(
        (&read["text"], &read["edited_at"]),
        (&json!("10 euros"), &Value::Null)
    );
    // So with one of ours that our phone edits.
    let ours = sent(bed, &made, "ours").await;
    older(bed, &ours, 90).await;
    let network = bed.sandbox.network();
    let act = network.send(SHOP, CUSTOMER, &edit(&ours)).expect("edits");
    told(bed, &act.id).await;
    assert_eq!(bed.told(&made, &ours).await["text"], "ours");
}

async fn jobs(bed: &Bed, made: &Made) -> i64 {
    let mut conn = bed.read().await;
    let jobs = conn.account(&bed.a.id).job_count(&made.instance()).await;
    jobs.expect("a count")
}

async fn a_deletion_on_the_phone_ends_the_repeats(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message", "MessageFailed"]))
        .await;
    let network = bed.sandbox.network();
    network.set_online(CUSTOMER, false).expect("offline");
    trouble(
        bed,
        json!({"kind": "drop_acks", "number": SHOP, "count": 1}),
    );
    let body = json!({"phone": CUSTOMER, "message": "never mind", "id": "GONE-0001"});
    bed.send(&bed.a, &made, body).await.expect(200);
    bed.wait_status(&made, "GONE-0001", &["sending"]).await;
    shown(bed, SHOP, "GONE-0001", |_| true).await;
    let network = bed.sandbox.network();
    let act = network.send(SHOP, CUSTOMER, &gone("GONE-0001"));
    told(bed, &act.expect("deletes").id).await;
    let read = bed.told(&made, "GONE-0001").await;
    assert_eq!(read["status"], "sent", "the phone has it: {read}");
    assert!(read["deleted_at"].is_string() && read["text"].is_null());
    assert_eq!(jobs(bed, &made).await, 0);
    let event = told(bed, "GONE-0001").await;
    assert_eq!(event["message"]["conversation"], "never mind");
    bed.restart().await;
    let text = sent_after(bed, &made).await;
    assert_eq!(bed.told(&made, &text).await["status"], "sent");
    let mut conn = bed.read().await;
    let mut store = conn.account(&bed.a.id);
    let failed = store
        .event_count(&made.instance(), EventKind::MessageFailed)
        .await;
    assert_eq!(failed.expect("a count"), 0);
}

/// What goes out behind shows that nothing is left before it.
async fn sent_after(bed: &Bed, made: &Made) -> String {
    bed.wait_state(&bed.a, made, "connected").await;
    let body = json!({"phone": CUSTOMER, "message": "behind", "id": "TEXT-0002"});
    bed.send(&bed.a, made, body).await.expect(200);
    bed.wait_status(made, "TEXT-0002", &["sent"]).await;
    "TEXT-0002".to_owned()
}
