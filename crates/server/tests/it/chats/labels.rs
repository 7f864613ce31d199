//! Labels: made here and on the phone, and put on chats by either.

use recado_sandbox::{ChatChange, Label};
use serde_json::{Value, json};

use super::{ask, chat, comes, get, of, on_phone, phone_shows, phones_in, written};
use crate::gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP, until};

on_both! {
    labels_made_here_are_on_the_phone,
    labels_of_the_phone_are_here,
    what_is_wrong_with_labels_is_named,
}

async fn labels(bed: &Bed, made: &Made) -> Vec<Value> {
    let all = get(bed, made, "/labels").await;
    all["labels"].as_array().expect("a list").clone()
}

/// Waits until the phone has this label, or none of the id.
async fn on_the_phone(bed: &Bed, id: &str, name: Option<&str>) {
    let network = bed.sandbox.network();
    let seen = network.wait_for(PATIENCE, |network| {
        let labels = network.labels(SHOP).ok()?;
        let found = labels.get(id).map(|label| label.name.as_str());
        (found == name).then_some(())
    });
    seen.await.expect("the phone shows it");
    assert_eq!(network.faults(SHOP).expect("a phone"), [""; 0]);
}

async fn labels_made_here_are_on_the_phone(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    assert!(labels(bed, &made).await.is_empty());
    let body = json!({"name": " Paid ", "color": 4});
    let label = ask(bed, &made, ("POST", "/labels"), body).await.ok();
    assert_eq!(label, json!({"id": "1", "name": "Paid", "color": 4}));
    on_the_phone(bed, "1", Some("Paid")).await;
    let second = ask(bed, &made, ("POST", "/labels"), json!({"name": "New"}));
    assert_eq!(second.await.ok()["id"], "2");
    // On a chat, twice, and off it.
    let path = format!("/chats/{CUSTOMER}/labels/1");
    for _ in 0..2 {
        let put = ask(bed, &made, ("PUT", &path), Value::Null).await.ok();
        assert_eq!(put, json!({"status": "ok"}));
    }
    phone_shows(bed, CUSTOMER, "the label", |chat| {
        chat.shown.labels.contains("1")
    })
    .await;
    assert_eq!(chat(bed, &made, CUSTOMER).await["labels"], json!([label]));
    assert_eq!(phones_in(bed, &made, "label=1").await, [CUSTOMER]);
    assert!(phones_in(bed, &made, "label=2").await.is_empty());
    ask(bed, &made, ("DELETE", &path), Value::Null).await.ok();
    assert_eq!(chat(bed, &made, CUSTOMER).await["labels"], json!([]));
    phone_shows(bed, CUSTOMER, "no label", |chat| {
        chat.shown.labels.is_empty()
    })
    .await;
    // Renamed, and deleted with what it was on.
    ask(bed, &made, ("PUT", &path), Value::Null).await.ok();
    let body = json!({"name": "Paid in full"});
    let renamed = ask(bed, &made, ("PATCH", "/labels/1"), body).await.ok();
    assert_eq!(renamed["color"], 4);
    on_the_phone(bed, "1", Some("Paid in full")).await;
    let gone = ask(bed, &made, ("DELETE", "/labels/1"), Value::Null);
    gone.await.ok();
    on_the_phone(bed, "1", None).await;
    assert_eq!(chat(bed, &made, CUSTOMER).await["labels"], json!([]));
    let left = labels(bed, &made).await;
    assert_eq!((left.len(), &left[0]["name"]), (1, &json!("New")));
    // Its id is not given again.
    let third = ask(bed, &made, ("POST", "/labels"), json!({"name": "Third"}));
    assert_eq!(third.await.ok()["id"], "3");
}

async fn labels_of_the_phone_are_here(bed: &mut Bed) {
    let network = bed.sandbox.network();
    let label = |name: &str| Label {
        name: name.to_owned(),
        color: 2,
    };
    network
        .edit_label(SHOP, "5", &label("Before"))
        .expect("made");
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    let network = bed.sandbox.network();
    network
        .edit_label(SHOP, "6", &label("After"))
        .expect("made");
    until("both", async || {
        let all = labels(bed, &made).await;
        let names: Vec<&Value> = all.iter().map(|label| &label["name"]).collect();
        (names == [&json!("Before"), &json!("After")]).then_some(())
    })
    .await;
    let put = |on: bool| ChatChange {
        label: Some("6".to_owned()),
        labelled: Some(on),
        ..of(CUSTOMER)
    };
    on_phone(bed, put(true));
    comes(bed, &made, CUSTOMER, |chat| chat["labels"][0]["id"] == "6").await;
    on_phone(bed, put(false));
    comes(bed, &made, CUSTOMER, |chat| chat["labels"] == json!([])).await;
    on_phone(bed, put(true));
    let network = bed.sandbox.network();
    network.delete_label(SHOP, "6").expect("deleted");
    until("its end", async || {
        (labels(bed, &made).await.len() == 1).then_some(())
    })
    .await;
    assert_eq!(chat(bed, &made, CUSTOMER).await["labels"], json!([]));
}

async fn what_is_wrong_with_labels_is_named(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    written(bed, &made, CUSTOMER, "hello").await;
    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": " "}), "name"),
        (json!({"name": "a\u{202e}b"}), "name"),
        (json!({"name": "a".repeat(101)}), "name"),
        (json!({"name": ["a"]}), "name"),
        (json!({"name": "a", "color": 20}), "color"),
        (json!({"name": "a", "color": -1}), "color"),
        (json!({"name": "a", "color": "red"}), "color"),
    ] {
        let answer = ask(bed, &made, ("POST", "/labels"), body.clone()).await;
        assert_eq!(answer.expect(400).json()["field"], field, "{body}");
    }
    let unknown = format!("/chats/{CUSTOMER}/labels/7");
    for (method, path) in [
        ("PATCH", "/labels/7"),
        ("DELETE", "/labels/7"),
        ("PUT", unknown.as_str()),
        ("DELETE", unknown.as_str()),
    ] {
        let answer = ask(bed, &made, (method, path), json!({})).await;
        let refused = answer.refused(404, "not_found");
        assert_eq!(refused["field"], "label_id", "{method} {path}");
        let call = bed.call(method, &made.path(path)).bearer(&bed.b.jwt);
        call.send().await.refused(403, "forbidden");
    }
    let body = json!({"name": "Paid"});
    ask(bed, &made, ("POST", "/labels"), body.clone())
        .await
        .ok();
    let path = "/chats/5511999990077/labels/1";
    let answer = ask(bed, &made, ("PUT", path), Value::Null).await;
    assert_eq!(answer.refused(404, "not_found")["field"], "phone");
    let close = made.path("/session/disconnect");
    bed.post(&close).bearer(&bed.a.jwt).send().await.expect(200);
    let known = format!("/chats/{CUSTOMER}/labels/1");
    for (method, path) in [
        ("POST", "/labels"),
        ("PATCH", "/labels/1"),
        ("DELETE", "/labels/1"),
        ("PUT", known.as_str()),
    ] {
        let answer = ask(bed, &made, (method, path), body.clone()).await;
        answer.refused(409, "instance_not_connected");
    }
    assert_eq!(labels(bed, &made).await.len(), 1);
}
