//! Texts with a preview of a page, and things to choose from, whose choice comes back.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_sandbox::content::{Tap, Written};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, SHOP},
};

on_both! {
    a_link_goes_out_with_its_preview,
    a_link_that_is_none,
    an_answer_with_a_number_is_the_choice,
    a_list_is_a_numbered_text,
    a_native_menu_is_tapped,
    a_menu_that_is_none,
}

async fn post(bed: &Bed, made: &Made, kind: &str, body: Value) -> Answer {
    let path = made.path(&format!("/chat/send/{kind}"));
    let call = bed.post(&path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

/// The event of a message, as the receiver got it.
async fn told(bed: &Bed, id: &str) -> Value {
    let delivery = bed.delivered(id, |d| d.body["event"]["info"]["id"] == id);
    delivery.await.body["event"].clone()
}

/// The event of what the customer writes.
async fn answered(bed: &Bed, text: &str) -> Value {
    let written = bed.sandbox.network().send_text(CUSTOMER, SHOP, text);
    told(bed, &written.expect("it writes").id).await
}

/// A JPEG as far as anybody looks at its markers.
fn picture() -> Vec<u8> {
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0, 10, 0, 10];
    bytes.extend([1, 1, 0x11, 0, 0xff, 0xda, 0, 2, 9, 9, 0xff, 0xd9]);
    bytes
}

async fn a_link_goes_out_with_its_preview(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let code = BASE64_STANDARD.encode(picture());
    let (one, two) = code.split_at(10);
    for (id, thumbnail) in [
        ("LINK-0001", code.clone()),
        (
            "LINK-0002",
            format!("data:image/jpeg;base64,{one}\r\n{two}"),
        ),
    ] {
        let body = json!({
            "phone": CUSTOMER, "message": "Our menu", "linkUrl": "https://example.com/menu",
            "title": "Menu", "link_description": "What we have", "jpeg_thumbnail": thumbnail, "id": id,
        });
        let sent = post(bed, &made, "link", body).await.ok();
        assert_eq!(sent["data"]["message_id"], id);
        let event = told(bed, id).await;
        assert_eq!(event["info"]["media_type"], "url");
        let text = &event["message"]["extended_text_message"];
        assert_eq!(text["text"], "Our menu\nhttps://example.com/menu");
        assert_eq!(text["matched_text"], "https://example.com/menu");
        assert_eq!(text["title"], "Menu");
        assert_eq!(text["description"], "What we have");
        assert_eq!(text["jpeg_thumbnail"], code.as_str());
    }
    bed.wait_shown(CUSTOMER, "Our menu\nhttps://example.com/menu")
        .await;
    assert_eq!(bed.told(&made, "LINK-0001").await["kind"], "text");
    // As older clients have it, with nothing else than the link.
    let body = json!({
        "phone": CUSTOMER, "message": "See https://example.com", "link": "https://example.com",
        "title": "", "description": "", "jpeg_thumbnail": null, "id": "LINK-0003",
    });
    post(bed, &made, "link", body).await.expect(200);
    let event = told(bed, "LINK-0003").await;
    let text = &event["message"]["extended_text_message"];
    assert_eq!(text["text"], "See https://example.com");
    assert!(text["title"].is_null() && text["jpeg_thumbnail"].is_null());
}

async fn a_link_that_is_none(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let good = json!({"phone": CUSTOMER, "message": "See", "link_url": "https://example.com"});
    let code = |bytes: &[u8]| json!(BASE64_STANDARD.encode(bytes));
    for (field, value) in [
        ("message", json!("")),
        ("link_url", json!("")),
        ("link_url", Value::Null),
        ("link_url", json!("example.com")),
        ("link_url", json!("javascript:alert(1)")),
        ("link_url", json!(format!("https://{}", "x".repeat(2_048)))),
        ("title", json!("x".repeat(301))),
        ("link_description", json!("x".repeat(1_001))),
        ("jpeg_thumbnail", json!("no base64!")),
        ("jpeg_thumbnail", json!("/9j/ 4AA")),
        ("jpeg_thumbnail", json!("data:image/png;base64,/9j/4AA=")),
        ("jpeg_thumbnail", code(b"\x89PNG\r\n\x1a\n")),
        (
            "jpeg_thumbnail",
            code(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ),
        ("jpeg_thumbnail", code(&[0; 70_000])),
        ("phone", json!("12")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(bed, &made, "link", body).await.expect(400);
        assert_eq!(answer.json()["field"], field, "{answer:?}");
    }
}

async fn an_answer_with_a_number_is_the_choice(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let body = json!({
        "phone": CUSTOMER, "message": "Tea?", "footer": "Tea house", "id": "MENU-0001",
        "buttons": [{"id": "yes", "text": "Yes, please"}, {"id": null, "text": "No"}],
    });
    let sent = post(bed, &made, "buttons", body.clone()).await.ok();
    assert_eq!(sent["data"]["message_id"], "MENU-0001");
    assert_eq!(sent["data"]["interactive"], "text", "what was done is told");
    bed.wait_shown(CUSTOMER, "Tea?\n\n1. Yes, please\n2. No\n\nTea house")
        .await;
    bed.wait_status(&made, "MENU-0001", &["sent", "delivered", "read"])
        .await;
    for (answer, choice) in [
        ("3", Value::Null),
        ("Yes, please", Value::Null),
        (
            "1",
            json!({"message_id": "MENU-0001", "id": "yes", "text": "Yes, please"}),
        ),
        (
            " 2) ",
            json!({"message_id": "MENU-0001", "id": "2", "text": "No"}),
        ),
    ] {
        let event = answered(bed, answer).await;
        assert_eq!(event["choice"], choice, "{answer}");
        assert_eq!(event["message"]["conversation"], answer);
    }
    // Something else was said since: a number is a number again.
    let text = json!({"phone": CUSTOMER, "message": "How many?", "id": "TEXT-0001"});
    bed.send(&bed.a, &made, text).await.expect(200);
    bed.wait_status(&made, "TEXT-0001", &["sent", "delivered", "read"])
        .await;
    assert!(answered(bed, "1").await["choice"].is_null());
    // Other options are another message.
    let mut other = body;
    other["buttons"][0]["id"] = json!("no");
    post(bed, &made, "buttons", other)
        .await
        .refused(409, "conflict");
}

async fn a_list_is_a_numbered_text(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let body = json!({
        "phone": CUSTOMER, "title": "Menu", "description": "What would you like?",
        "buttonText": "Choose", "interactive": "text", "id": "LIST-0001",
        "sections": [
            {"title": "Hot", "rows": [{"id": "tea", "title": "Tea", "description": "green"}]},
            {"title": "Cold", "rows": [{"id": "water", "title": "Water"}]},
        ],
    });
    post(bed, &made, "list", body).await.expect(200);
    let shown = "*Menu*\nWhat would you like?\n\n*Hot*\n1. Tea - green\n\n*Cold*\n2. Water";
    bed.wait_shown(CUSTOMER, shown).await;
    bed.wait_status(&made, "LIST-0001", &["sent", "delivered", "read"])
        .await;
    let event = answered(bed, "2").await;
    let choice = json!({"message_id": "LIST-0001", "id": "water", "text": "Water"});
    assert_eq!(event["choice"], choice);
    // It is what was chosen from: what was deleted is nothing to choose from.
    let path = made.path("/chat/messages/LIST-0001");
    let call = bed.call("DELETE", &path).bearer(&bed.a.jwt);
    let gone = call.send().await.ok();
    let id = gone["data"]["id"].as_str().expect("an id").to_owned();
    bed.wait_status(&made, &id, &["sent", "delivered", "read"])
        .await;
    assert!(answered(bed, "1").await["choice"].is_null());
}

/// What the customer taps, as the event has it.
async fn tapped(bed: &Bed, message: &str, option: &str, forged: bool) -> Value {
    let tap = Tap {
        message_id: message.into(),
        option_id: option.into(),
        forged,
        ..Tap::default()
    };
    let network = bed.sandbox.network();
    let written = network.send(CUSTOMER, SHOP, &Written::Tap(tap));
    told(bed, &written.expect("it taps").id).await
}

async fn a_native_menu_is_tapped(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let body = json!({
        "phone": CUSTOMER, "message": "Tea?", "footer": "Tea house", "id": "NATIVE-0001",
        "buttons": [{"id": "yes", "text": "Yes, please"}, {"text": "No"}], "interactive": "native",
    });
    let sent = post(bed, &made, "buttons", body).await.ok();
    assert_eq!(sent["data"]["interactive"], "native");
    let shown = bed.wait_shown(CUSTOMER, "Tea?").await;
    assert_eq!(shown.kind, "menu");
    let menu = shown.detail.menu.expect("buttons");
    let texts: Vec<_> = menu.options.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(texts, ["Yes, please", "No"]);
    assert_eq!(menu.footer.as_deref(), Some("Tea house"));
    assert_eq!(bed.told(&made, "NATIVE-0001").await["kind"], "text");
    let event = tapped(bed, "NATIVE-0001", "yes", false).await;
    let choice = json!({"message_id": "NATIVE-0001", "id": "yes", "text": "Yes, please"});
    assert_eq!(event["choice"], choice);
    assert_eq!(
        bed.told(&made, event["info"]["id"].as_str().expect("an id"))
            .await["text"],
        "Yes, please"
    );
    // A setting of the instance's does the same; a program of somebody's own taps what is not there.
    let settings = json!({"interactive": "native"});
    let call = bed.call("PATCH", &made.path("")).bearer(&bed.a.jwt);
    call.json(settings).send().await.expect(200);
    let body = json!({
        "phone": CUSTOMER, "title": "Menu", "description": "What would you like?",
        "buttonText": "Choose", "id": "NATIVE-0002",
        "sections": [{"title": "Hot", "rows": [{"id": "tea", "title": "Tea", "description": "green"}]}],
    });
    let sent = post(bed, &made, "list", body).await.ok();
    assert_eq!(sent["data"]["interactive"], "native");
    let shown = bed.wait_shown(CUSTOMER, "What would you like?").await;
    let menu = shown.detail.menu.expect("a list");
    assert_eq!(menu.button.as_deref(), Some("Choose"));
    assert_eq!(menu.title.as_deref(), Some("Menu"));
    assert_eq!(menu.options[0].section.as_deref(), Some("Hot"));
    assert_eq!(menu.options[0].description.as_deref(), Some("green"));
    let event = tapped(bed, "NATIVE-0002", "tea", false).await;
    let choice = json!({"message_id": "NATIVE-0002", "id": "tea", "text": "Tea"});
    assert_eq!(event["choice"], choice);
    for (message, option) in [("NATIVE-0002", "coffee"), ("NATIVE-0003", "tea")] {
        let event = tapped(bed, message, option, true).await;
        assert!(event["choice"].is_null(), "{event}");
    }
}

async fn a_menu_that_is_none(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let buttons = json!({
        "phone": CUSTOMER, "message": "Tea?", "buttons": [{"id": "yes", "text": "Yes"}],
    });
    let list = json!({
        "phone": CUSTOMER, "title": "Menu", "description": "What?", "button_text": "Choose",
        "sections": [{"title": "Hot", "rows": [{"id": "tea", "title": "Tea"}]}],
    });
    let many = vec![json!({"text": "x"}); 21];
    for (kind, good, field, value) in [
        ("buttons", &buttons, "message", json!("")),
        ("buttons", &buttons, "buttons", json!([])),
        ("buttons", &buttons, "buttons", Value::Null),
        ("buttons", &buttons, "buttons", json!("yes")),
        ("buttons", &buttons, "buttons", json!([{"id": "yes"}])),
        (
            "buttons",
            &buttons,
            "buttons",
            json!([{"text": "two\nlines"}]),
        ),
        (
            "buttons",
            &buttons,
            "buttons",
            json!([{"text": "x".repeat(257)}]),
        ),
        ("buttons", &buttons, "buttons", json!(many)),
        ("buttons", &buttons, "footer", json!("x".repeat(257))),
        ("buttons", &buttons, "interactive", json!("refuse")),
        ("buttons", &buttons, "interactive", json!("blinking")),
        ("list", &list, "title", json!("")),
        ("list", &list, "description", json!(" ")),
        ("list", &list, "button_text", Value::Null),
        ("list", &list, "sections", json!([])),
        (
            "list",
            &list,
            "sections",
            json!([{"title": "Hot", "rows": null}]),
        ),
        (
            "list",
            &list,
            "sections",
            json!([{"rows": [{"title": "x", "id": "a"}, {"title": "y", "id": "a"}]}]),
        ),
        ("list", &list, "interactive", json!("refuse")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = post(bed, &made, kind, body).await.expect(400);
        assert_eq!(answer.json()["field"], field, "{kind} {value}: {answer:?}");
    }
}
