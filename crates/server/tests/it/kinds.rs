//! Messages of every kind that is built: over REST and MCP to the phone, from the phone to the webhook.

use recado_sandbox::{
    ChatMessage,
    content::{Card, Spot, Written},
};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP},
    story::inner,
};

on_both! {
    a_place_goes_out_and_comes_in,
    a_place_by_a_tool,
    a_place_that_is_none,
    a_reply_quotes_what_it_answers,
    a_card_goes_out_and_comes_in,
    a_card_by_a_tool,
    a_card_that_is_none,
    several_cards_go_out_and_come_in,
    a_message_is_passed_on,
    what_is_not_passed_on,
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

fn place() -> Spot {
    Spot {
        latitude: -23.5505,
        longitude: -46.6333,
        name: Some("Praça da Sé".into()),
        address: Some("São Paulo".into()),
    }
}

async fn a_place_goes_out_and_comes_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let body = json!({
        "phone": CUSTOMER, "latitude": -23.5505, "longitude": -46.6333,
        "name": "Praça da Sé", "address": "São Paulo", "id": "PLACE-0001",
    });
    let sent = post(bed, &made, "location", body.clone()).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    assert_eq!(id, "PLACE-0001");
    let seen = shown(bed, id).await;
    assert_eq!(
        (seen.kind.as_str(), seen.detail.location),
        ("location", Some(place()))
    );
    let event = told(bed, id).await;
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
    post(bed, &made, "location", body.clone()).await.ok();
    let mut other = body;
    other["longitude"] = json!(0);
    let answer = post(bed, &made, "location", other).await;
    answer.refused(409, "conflict");
    let text = json!({"phone": CUSTOMER, "message": "Praça da Sé", "id": "PLACE-0001"});
    post(bed, &made, "text", text)
        .await
        .refused(409, "conflict");
    assert_eq!(shown(bed, id).await.arrivals, 1);

    let network = bed.sandbox.network();
    let written = Written::Location(place());
    let answer = network.send(CUSTOMER, SHOP, &written).expect("it answers");
    let event = told(bed, &answer.id).await;
    assert_eq!(event["info"]["is_from_me"], false);
    assert_eq!(event["info"]["media_type"], "location");
    assert_eq!(event["message"]["location_message"]["address"], "São Paulo");
    assert_eq!(bed.told(&made, &answer.id).await["kind"], "location");
}

async fn a_place_by_a_tool(bed: &mut Bed) {
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
    let seen = shown(bed, id).await;
    assert_eq!(seen.detail.location.expect("a place").latitude, -23.5505);
    let key = json!({"idempotency_key": "the square"});
    let stands = bed
        .tool(&bed.a, "get_whatsapp_outbound_delivery_status", key)
        .await;
    assert_eq!(inner(&stands)["message_id"], id);
}

async fn a_place_that_is_none(bed: &mut Bed) {
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
        let answer = post(bed, &made, "location", body).await.expect(400);
        let text = answer.json()["error"].as_str().expect("a text").to_owned();
        assert!(
            text.contains(field) && text.contains(why),
            "{field} {value}: {text}"
        );
    }
    for field in ["latitude", "longitude", "phone"] {
        let mut body = good.clone();
        body.as_object_mut().expect("an object").remove(field);
        let answer = post(bed, &made, "location", body).await.expect(400);
        assert!(answer.text().contains(field), "{answer:?}");
    }
    // What was not given may be written as an empty text.
    let mut body = good;
    body["name"] = json!("");
    body["id"] = json!("");
    let sent = post(bed, &made, "location", body).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    assert_eq!(
        shown(bed, id).await.detail.location.expect("a place").name,
        None
    );
}

async fn a_reply_quotes_what_it_answers(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let network = bed.sandbox.network();
    let written = Written::Location(place());
    let asked = network.send(CUSTOMER, SHOP, &written).expect("it asks");
    told(bed, &asked.id).await;
    let body = json!({
        "phone": CUSTOMER, "message": "On our way", "reply_to_message_id": asked.id,
    });
    let sent = post(bed, &made, "text", body).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    assert_eq!(shown(bed, id).await.text, "On our way");
    let event = told(bed, id).await;
    let context = &event["message"]["extended_text_message"]["context_info"];
    assert_eq!(context["stanza_id"], asked.id.as_str());
    let quoted = &context["quoted_message"]["location_message"];
    assert_eq!(quoted["name"], "Praça da Sé", "the whole of it: {context}");
    assert!(context["quoted_message"]["message_context_info"].is_null());
    // What was said in another chat is quoted to nobody else.
    let other = "5511999990077";
    network.add_phone(other, "Other").expect("a phone");
    for (to, id) in [(other, asked.id.as_str()), (CUSTOMER, "3EB0NOTHING")] {
        let body = json!({"phone": to, "message": "Which?", "reply_to_message_id": id});
        let answer = post(bed, &made, "text", body).await;
        assert_eq!(answer.status, 400, "{to} {id}: {answer:?}");
        let body = answer.refused(400, "invalid_field");
        assert_eq!(body["field"], "reply_to_message_id");
    }
}

const SUPPLIER: &str = "5511988880002";

async fn a_card_goes_out_and_comes_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let body = json!({
        "phone": CUSTOMER, "contact_name": " Silva; Ana ", "contact_phone": "+55 11 98888-0002",
    });
    let sent = post(bed, &made, "contact", body).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    let seen = shown(bed, id).await;
    assert_eq!(
        (seen.kind.as_str(), seen.text.as_str()),
        ("contact", "Silva; Ana")
    );
    let card = seen.detail.contact.expect("a card");
    assert_eq!(card.phone.as_deref(), Some(SUPPLIER));
    assert!(card.vcard.contains("FN:Silva\\; Ana\r\n"), "{card:?}");
    let event = told(bed, id).await;
    assert_eq!(event["info"]["media_type"], "vcard");
    let message = &event["message"]["contact_message"];
    assert_eq!(message["display_name"], "Silva; Ana");
    assert_eq!(message["vcard"], card.vcard.as_str());
    assert_eq!(bed.told(&made, id).await["kind"], "contact");

    let written = Written::Contact(Card {
        name: "Bruno".into(),
        phone: Some(SUPPLIER.into()),
        vcard: String::new(),
    });
    let network = bed.sandbox.network();
    let answer = network.send(CUSTOMER, SHOP, &written).expect("it answers");
    let event = told(bed, &answer.id).await;
    let vcard = event["message"]["contact_message"]["vcard"].as_str();
    assert!(
        vcard.is_some_and(|vcard| vcard.contains(SUPPLIER)),
        "{event}"
    );
    assert_eq!(bed.told(&made, &answer.id).await["kind"], "contact");
}

async fn a_card_by_a_tool(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let arguments = json!({
        "phone": CUSTOMER, "contact_name": "Ana", "contact_phone": 5_511_988_880_002_i64,
        "session_id": made.number, "confirm": true,
    });
    let sent = bed.tool(&bed.a, "send_whatsapp_contact", arguments).await;
    let sent = inner(&sent);
    assert_eq!(sent["status"], "sent", "{sent}");
    let seen = shown(bed, sent["message_id"].as_str().expect("an id")).await;
    assert_eq!(
        seen.detail.contact.expect("a card").phone.as_deref(),
        Some(SUPPLIER)
    );
}

async fn a_card_that_is_none(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let good = json!({"phone": CUSTOMER, "contact_name": "Ana", "contact_phone": SUPPLIER});
    for (field, value) in [
        ("contact_name", json!("")),
        ("contact_name", json!("\u{200b}")),
        ("contact_name", json!("Ana\r\nTEL:1")),
        ("contact_name", json!("x".repeat(256))),
        ("contact_phone", json!("")),
        ("contact_phone", json!("12")),
        ("contact_phone", json!("call me")),
        ("phone", json!("12")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(bed, &made, "contact", body).await.expect(400);
        assert_eq!(answer.json()["field"], field, "{value}: {answer:?}");
        assert!(answer.text().contains(field), "{value}: {answer:?}");
    }
    // A client that declares no fields sends none.
    let answer = post(bed, &made, "contact", json!({"phone": CUSTOMER})).await;
    assert_eq!(answer.expect(400).json()["field"], "contact_name");
}

async fn several_cards_go_out_and_come_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let cards = json!([
        {"contact_name": "Ana", "contact_phone": SUPPLIER},
        {"name": "Bruno", "phone": 5_511_988_880_003_i64},
    ]);
    let body = json!({"phone": CUSTOMER, "contact_name": "", "contacts": cards});
    let sent = post(bed, &made, "contact", body).await.ok();
    let id = sent["data"]["message_id"].as_str().expect("an id");
    let seen = shown(bed, id).await;
    assert_eq!(
        (seen.kind.as_str(), seen.text.as_str()),
        ("contact", "Ana, Bruno")
    );
    let cards = seen.detail.contacts.expect("cards");
    let phones: Vec<_> = cards.iter().map(|card| card.phone.as_deref()).collect();
    assert_eq!(phones, [Some(SUPPLIER), Some("5511988880003")]);
    let event = told(bed, id).await;
    let message = &event["message"]["contacts_array_message"];
    assert_eq!(message["contacts"][1]["display_name"], "Bruno");
    let read = bed.told(&made, id).await;
    assert_eq!(
        (&read["kind"], &read["text"]),
        (&json!("contact"), &json!("Ana, Bruno"))
    );
    let network = bed.sandbox.network();
    let answer = network.send(CUSTOMER, SHOP, &Written::Contacts(cards));
    let event = told(bed, &answer.expect("it answers").id).await;
    let message = &event["message"]["contacts_array_message"];
    assert_eq!(message["contacts"].as_array().expect("a list").len(), 2);

    let many = vec![json!({"contact_name": "Ana", "contact_phone": SUPPLIER}); 101];
    for wrong in [
        json!([{"contact_name": "Ana", "contact_phone": SUPPLIER}, {"contact_name": ""}]),
        json!([{"contact_name": "Ana", "contact_phone": "12"}]),
        json!(many),
        json!("Ana"),
    ] {
        let body = json!({"phone": CUSTOMER, "contacts": wrong});
        let answer = post(bed, &made, "contact", body).await.expect(400);
        assert_eq!(answer.json()["field"], "contacts", "{answer:?}");
    }
    let both = json!({
        "phone": CUSTOMER, "contact_name": "Ana", "contact_phone": SUPPLIER,
        "contacts": [{"contact_name": "Ana", "contact_phone": SUPPLIER}],
    });
    let answer = post(bed, &made, "contact", both).await.expect(400);
    assert_eq!(answer.json()["field"], "contacts");
}

async fn pass_on(bed: &Bed, made: &Made, id: &str, body: Value) -> Answer {
    let path = made.path(&format!("/chat/messages/{id}/forward"));
    let call = bed.post(&path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

async fn a_message_is_passed_on(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let other = "5511999990077";
    let network = bed.sandbox.network();
    network.add_phone(other, "Other").expect("a phone");
    let text = Written::Text("We are open".into());
    for (written, kind) in [(text, "text"), (Written::Location(place()), "location")] {
        let source = network
            .send(CUSTOMER, SHOP, &written)
            .expect("it writes")
            .id;
        told(bed, &source).await;
        let sent = pass_on(bed, &made, &source, json!({"phone": other}))
            .await
            .ok();
        let id = sent["data"]["message_id"].as_str().expect("an id");
        assert_ne!(id, source);
        let event = told(bed, id).await;
        assert_eq!(event["info"]["chat"], format!("{other}@s.whatsapp.net"));
        let message = event["message"].to_string();
        assert!(message.contains("\"forwarding_score\":1"), "{message}");
        let found = network.wait_for(PATIENCE, |network| {
            let messages = network.messages(other).ok()?;
            messages.into_iter().find(|message| message.id == id)
        });
        let seen = found.await.expect("it is there");
        assert_eq!(seen.kind, kind);
        assert!(seen.detail.forwarded, "{seen:?}");
        let read = bed.told(&made, id).await;
        assert_eq!(read["kind"], kind);
    }
    // One of our own, which quotes another and mentions somebody, without either; the same id is the same one.
    let asked = network.send(CUSTOMER, SHOP, &Written::Text("When?".into()));
    let asked = asked.expect("it writes").id;
    told(bed, &asked).await;
    let body = json!({
        "phone": CUSTOMER, "message": "At nine, @5511999990077", "reply_to_message_id": asked,
        "mentioned_ids": [other], "id": "TEXT-0001",
    });
    bed.send(&bed.a, &made, body).await.expect(200);
    told(bed, "TEXT-0001").await;
    let body = json!({"phone": other, "id": "PASS-0001"});
    for _ in 0..2 {
        let sent = pass_on(bed, &made, "me:TEXT-0001", body.clone()).await.ok();
        assert_eq!(sent["data"]["message_id"], "PASS-0001");
    }
    let event = told(bed, "PASS-0001").await;
    let text = &event["message"]["extended_text_message"];
    assert_eq!(text["text"], "At nine, @5511999990077");
    let context = &text["context_info"];
    assert!(context["is_forwarded"].is_null(), "one's own: {context}");
    assert!(
        context["quoted_message"].is_null() && context["mentioned_jid"].is_null(),
        "{context}"
    );
    pass_on(bed, &made, &asked, body)
        .await
        .refused(409, "conflict");
}

async fn what_is_not_passed_on(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let network = bed.sandbox.network();
    let source = network.send(CUSTOMER, SHOP, &Written::Text("secret".into()));
    let source = source.expect("it writes").id;
    told(bed, &source).await;
    let gone = Written::Delete(recado_sandbox::content::Gone {
        message_id: source.clone(),
        forged: false,
    });
    let act = network.send(CUSTOMER, SHOP, &gone).expect("deletes").id;
    told(bed, &act).await;
    let to = json!({"phone": CUSTOMER});
    for (id, status, code) in [
        (source.as_str(), 409, "conflict"),
        (act.as_str(), 400, "invalid_field"),
        ("3EB0NOTHING", 404, "not_found"),
    ] {
        let answer = pass_on(bed, &made, id, to.clone()).await;
        assert_eq!(answer.refused(status, code)["field"], "message_id", "{id}");
    }
    let answer = pass_on(bed, &made, &source, json!({"phone": "12"})).await;
    assert_eq!(
        answer.status, 409,
        "it is gone whoever is to have it: {answer:?}"
    );
    let answer = pass_on(bed, &made, &source, json!({})).await.expect(400);
    assert_eq!(answer.json()["field"], "phone");
}
