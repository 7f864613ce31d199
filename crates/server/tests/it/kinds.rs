//! Messages of every kind that is built: over REST and MCP to the phone, from the phone to the webhook.

use recado_sandbox::{
    ChatMessage,
    content::{Place, Written},
};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    harness::{Bed, CUSTOMER, Made, PATIENCE, SHOP},
    story::inner,
};

on_both! {
    a_place_goes_out_and_comes_in,
    a_place_by_a_tool,
    a_place_that_is_none,
    a_reply_quotes_what_it_answers,
}

async fn post(bed: &Bed, made: &Made, kind: &str, body: Value) -> Answer {
    let path = made.path(&format!("/chat/send/{kind}"));
    let call = bed.post(&path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

/// What the customer's phone shows of a message.
async fn shown(bed: &Bed, id: &str) -> ChatMessage {
    let found = bed.sandbox.network().wait_for(PATIENCE, |network| {
        let messages = network.messages(CUSTOMER).ok()?;
        messages
            .into_iter()
            .find(|m| m.id == id && m.to == CUSTOMER)
    });
    found.await.expect("the phone shows it")
}

/// The event of a message, as the receiver got it.
async fn told(bed: &Bed, id: &str) -> Value {
    let delivery = bed.delivered(id, |d| d.body["event"]["info"]["id"] == id);
    delivery.await.body["event"].clone()
}

fn place() -> Place {
    Place {
        latitude: -23.5505,
        longitude: -46.6333,
        name: Some("Praça da Sé".into()),
        address: Some("São Paulo".into()),
    }
}

async fn a_place_goes_out_and_comes_in(bed: Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let body = json!({
        "phone": CUSTOMER, "latitude": -23.5505, "longitude": -46.6333,
        "name": "Praça da Sé", "address": "São Paulo", "id": "PLACE-0001",
    });
    let sent = post(&bed, &made, "location", body.clone()).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    assert_eq!(id, "PLACE-0001");
    let seen = shown(&bed, id).await;
    assert_eq!(
        (seen.kind.as_str(), seen.detail.location),
        ("location", Some(place()))
    );
    let event = told(&bed, id).await;
    assert_eq!(event["info"]["type"], "media");
    assert_eq!(event["info"]["media_type"], "location");
    assert_eq!(event["info"]["is_from_me"], true);
    let message = &event["message"]["location_message"];
    assert_eq!(message["degrees_latitude"], -23.5505);
    assert_eq!(message["name"], "Praça da Sé");
    assert!(
        event["message"]["message_context_info"].is_null(),
        "its secret stays here"
    );
    assert_eq!(bed.told(&made, id).await["kind"], "location");
    // The same id is the same message; with other content it is none.
    post(&bed, &made, "location", body.clone()).await.ok();
    let mut other = body;
    other["longitude"] = json!(0);
    let answer = post(&bed, &made, "location", other).await;
    answer.refused(409, "conflict");
    let text = json!({"phone": CUSTOMER, "message": "Praça da Sé", "id": "PLACE-0001"});
    post(&bed, &made, "text", text)
        .await
        .refused(409, "conflict");
    assert_eq!(shown(&bed, id).await.arrivals, 1);

    let network = bed.sandbox.network();
    let written = Written::Location(place());
    let answer = network.send(CUSTOMER, SHOP, &written).expect("it answers");
    let event = told(&bed, &answer.id).await;
    assert_eq!(event["info"]["is_from_me"], false);
    assert_eq!(event["info"]["media_type"], "location");
    assert_eq!(event["message"]["location_message"]["address"], "São Paulo");
    assert_eq!(bed.told(&made, &answer.id).await["kind"], "location");
}

async fn a_place_by_a_tool(bed: Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let arguments = json!({
        "phone": CUSTOMER, "latitude": "-23.5505", "longitude": -46.6333, "session_id": made.number,
        "idempotency_key": "the square",
    });
    let asked = bed
        .tool(&bed.a, "send_whatsapp_location", arguments.clone())
        .await;
    let asked = asked["content"][0]["text"].as_str().expect("a text");
    assert!(asked.contains("confirm: true"), "{asked}");
    let mut confirmed = arguments;
    confirmed["confirm"] = json!(true);
    let sent = bed.tool(&bed.a, "send_whatsapp_location", confirmed).await;
    let sent = inner(&sent);
    assert_eq!(
        (&sent["success"], &sent["status"]),
        (&json!(true), &json!("sent"))
    );
    let id = sent["message_id"].as_str().expect("an id");
    let seen = shown(&bed, id).await;
    assert_eq!(seen.detail.location.expect("a place").latitude, -23.5505);
    let key = json!({"idempotency_key": "the square"});
    let stands = bed
        .tool(&bed.a, "get_whatsapp_outbound_delivery_status", key)
        .await;
    assert_eq!(inner(&stands)["message_id"], id);
}

async fn a_place_that_is_none(bed: Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let good = json!({"phone": CUSTOMER, "latitude": 1.5, "longitude": 2});
    for (field, value, why) in [
        ("latitude", json!(90.1), "-90 to 90"),
        ("latitude", json!("north"), "number"),
        ("latitude", Value::Null, "required"),
        ("longitude", json!(-181), "-180 to 180"),
        ("phone", json!("12"), "phone"),
        ("name", json!("x".repeat(1_001)), "1000"),
        ("delay", json!(-1), "milliseconds"),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(&bed, &made, "location", body).await.expect(400);
        let text = answer.json()["error"].as_str().expect("a text").to_owned();
        assert!(
            text.contains(field) && text.contains(why),
            "{field} {value}: {text}"
        );
    }
    for field in ["latitude", "longitude", "phone"] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(field);
        let answer = post(&bed, &made, "location", body).await.expect(400);
        assert!(answer.text().contains(field), "{answer:?}");
    }
    // What was not given may be written as an empty text.
    let mut body = good;
    body["name"] = json!("");
    body["id"] = json!("");
    let sent = post(&bed, &made, "location", body).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    assert_eq!(
        shown(&bed, id).await.detail.location.expect("a place").name,
        None
    );
}

async fn a_reply_quotes_what_it_answers(bed: Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let network = bed.sandbox.network();
    let written = Written::Location(place());
    let asked = network.send(CUSTOMER, SHOP, &written).expect("it asks");
    told(&bed, &asked.id).await;
    let body = json!({
        "phone": CUSTOMER, "message": "On our way", "reply_to_message_id": asked.id,
    });
    let sent = post(&bed, &made, "text", body).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    assert_eq!(shown(&bed, id).await.text, "On our way");
    let event = told(&bed, id).await;
    let context = &event["message"]["extended_text_message"]["context_info"];
    assert_eq!(context["stanza_id"], asked.id.as_str());
    let quoted = &context["quoted_message"]["location_message"];
    assert_eq!(quoted["name"], "Praça da Sé", "the whole of it: {context}");
    assert!(context["quoted_message"]["message_context_info"].is_null());
}
