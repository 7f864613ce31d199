//! Numbers that nobody could be asked about when their message was accepted: looked up before its first try.

use recado_sandbox::content::Written;
use serde_json::{Value, json};

use crate::gateway::{Bed, CUSTOMER, Made, SHOP, until};

/// Impatient: 20 s, 15 s and 180 s are what a gateway waits by itself.
const QUICK: &str = "engine.silence_ms = 1500\nengine.probe_ms = 1000\nengine.stale_ms = 10000\n";

on_both! {
    with = super::QUICK;
    a_number_is_corrected_before_the_first_try,
    what_is_not_on_whatsapp_fails_by_name,
    the_chat_that_is_there_takes_it_with_its_timer,
    a_cancelled_one_is_corrected_when_it_is_asked_for_again,
    what_nobody_answers_goes_as_it_was_given,
    a_number_as_it_was_given_finds_its_chat,
}

/// As WhatsApp has it, and as people write it.
const HAS: &str = "551187654321";
const GIVEN: &str = "5511987654321";
const DAY: u32 = 86_400;

fn jid(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

/// The network answers nothing any more.
async fn disconnect(bed: &Bed, made: &Made) {
    let silence = json!({"kind": "swallow"});
    let network = bed.sandbox.network();
    network.trouble(&silence).expect("a trouble");
    bed.wait_state(&bed.a, made, "connecting").await;
}

async fn reconnect(bed: &Bed, made: &Made) {
    bed.sandbox.network().clear_troubles();
    bed.wait_state(&bed.a, made, "connected").await;
}

/// Accepted under the number as it was given.
async fn queued(bed: &Bed, made: &Made, number: &str, id: &str, text: &str) {
    let body = json!({"phone": number, "message": text, "id": id});
    let sent = bed.send(&bed.a, made, body).await.ok();
    assert_eq!(sent["data"]["phone"], number, "{sent}");
}

async fn event(bed: &Bed, kind: &str, id: &str) -> Value {
    let told = bed.delivered(kind, |delivery| {
        let event = &delivery.body["event"];
        delivery.body["type"] == kind && (event["info"]["id"] == id || event["message_id"] == id)
    });
    told.await.body["event"].clone()
}

async fn a_number_is_corrected_before_the_first_try(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.add_phone(HAS, "Ana").expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    disconnect(bed, &made).await;
    for n in 0..3 {
        queued(
            bed,
            &made,
            GIVEN,
            &format!("AWAY-000{n}"),
            &format!("olá {n}"),
        )
        .await;
    }
    let place = json!({"phone": GIVEN, "id": "AWAY-0003", "latitude": 1, "longitude": 2, "name": "here",
        "reply_to_message_id": "AWAY-0000"});
    let call = bed.post(&made.path("/chat/send/location"));
    call.bearer(&bed.a.jwt).json(place).send().await.ok();
    // Others wait as well, and are right as they are.
    queued(
        bed,
        &made,
        CUSTOMER.trim_start_matches('+'),
        "AWAY-0009",
        "hello",
    )
    .await;
    assert_eq!(bed.told(&made, "AWAY-0000").await["chat"], jid(GIVEN));
    reconnect(bed, &made).await;
    for n in 0..4 {
        let id = format!("AWAY-000{n}");
        let told = bed.wait_status(&made, &id, &["delivered", "read"]).await;
        assert_eq!(told["chat"], jid(HAS), "{told}");
        let event = event(bed, "Message", &id).await;
        assert_eq!(event["info"]["chat"], jid(HAS), "{event}");
    }
    bed.wait_status(&made, "AWAY-0009", &["delivered", "read"])
        .await;
    let messages = bed.sandbox.network().messages(HAS).expect("a phone");
    let shown: Vec<_> = messages
        .iter()
        .map(|message| (&*message.id, message.arrivals))
        .collect();
    let expected = ["AWAY-0000", "AWAY-0001", "AWAY-0002", "AWAY-0003"].map(|id| (id, 1));
    assert_eq!(shown, expected, "in their order, once");
    // The same again is the same, and the next one goes to the same chat: also while nobody can be asked.
    disconnect(bed, &made).await;
    let again = json!({"phone": GIVEN, "message": "olá 0", "id": "AWAY-0000"});
    bed.send(&bed.a, &made, again).await.ok();
    let body = json!({"phone": GIVEN, "message": "and now", "id": "AWAY-0010"});
    let sent = bed.send(&bed.a, &made, body).await.ok();
    assert_eq!(sent["data"]["phone"], HAS, "the answer is remembered");
    assert_eq!(
        bed.told(&made, "AWAY-0010").await["chat"],
        jid(HAS),
        "one person"
    );
    reconnect(bed, &made).await;
    bed.wait_shown(HAS, "and now").await;
    assert_eq!(bed.shown(HAS, "olá 0"), 1);
}

/// One question when it is accepted, and three before the first try.
async fn what_nobody_answers_goes_as_it_was_given(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    let refused = json!({"kind": "refuse_look_ups", "code": 503, "count": 4});
    network.trouble(&refused).expect("a trouble");
    let number = CUSTOMER.trim_start_matches('+');
    queued(bed, &made, number, "UNASKED-1", "as it is").await;
    until("the message on its way", async || {
        // Between two questions there are seconds.
        bed.clock.jump_ms(500);
        let told = bed.told(&made, "UNASKED-1").await;
        matches!(told["status"].as_str(), Some("delivered" | "read")).then_some(())
    })
    .await;
    let left = bed.sandbox.network().troubles();
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(bed.shown(CUSTOMER, "as it is"), 1);
}

async fn a_number_as_it_was_given_finds_its_chat(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.add_phone(HAS, "Ana").expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"phone": GIVEN, "message": "olá", "id": "GIVEN-0001"});
    let sent = bed.send(&bed.a, &made, body).await.ok();
    assert_eq!(sent["data"]["phone"], HAS, "{sent}");
    bed.wait_status(&made, "GIVEN-0001", &["delivered", "read"])
        .await;
    // Nobody remembers WhatsApp's answer, and nobody can be asked.
    let close = made.path("/session/disconnect");
    bed.post(&close).bearer(&bed.a.jwt).send().await.expect(200);
    bed.restart().await;
    for number in [GIVEN, HAS] {
        let path = made.path(&format!("/chats/{number}/messages"));
        let page = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
        assert_eq!(page["messages"][0]["text"], "olá", "{number}");
        let path = made.path(&format!("/chats/{number}"));
        let chat = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
        assert_eq!(chat["phone"], HAS, "{number}");
    }
}

async fn what_is_not_on_whatsapp_fails_by_name(bed: &mut Bed) {
    const NOBODY: &str = "34699999999";
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    disconnect(bed, &made).await;
    for id in ["NOBODY-01", "NOBODY-02"] {
        queued(bed, &made, NOBODY, id, "hello?").await;
    }
    queued(
        bed,
        &made,
        CUSTOMER.trim_start_matches('+'),
        "SOMEONE-1",
        "hello!",
    )
    .await;
    reconnect(bed, &made).await;
    for id in ["NOBODY-01", "NOBODY-02"] {
        let told = bed.wait_status(&made, id, &["failed"]).await;
        assert_eq!(told["code"], "not_on_whatsapp", "{told}");
        let event = event(bed, "MessageFailed", id).await;
        assert_eq!(event["code"], "not_on_whatsapp", "{event}");
    }
    bed.wait_shown(CUSTOMER, "hello!").await;
    // Somebody has it by now: asked again when the answer is old, and the same id is sent.
    let network = bed.sandbox.network();
    network.add_phone(NOBODY, "Newcomer").expect("a phone");
    bed.clock.jump_secs(3_700);
    let mut call = bed.post(&made.path("/chat/send/text"));
    call = call.header("x-client-token", &bed.a.client_token);
    call = call.header("x-instance-token", &made.token);
    let body = json!({"phone": NOBODY, "message": "hello?", "id": "NOBODY-01"});
    call.json(body).send().await.ok();
    bed.wait_shown(NOBODY, "hello?").await;
}

async fn the_chat_that_is_there_takes_it_with_its_timer(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.add_phone(HAS, "Ana").expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    network
        .send(HAS, SHOP, &Written::Timer(DAY))
        .expect("written");
    let written = network.send_text(HAS, SHOP, "oi").expect("written");
    event(bed, "Message", &written.id).await;
    disconnect(bed, &made).await;
    queued(bed, &made, GIVEN, "AWAY-0001", "olá").await;
    reconnect(bed, &made).await;
    let shown = bed.wait_shown(HAS, "olá").await;
    assert_eq!(shown.detail.expiration, Some(DAY), "{shown:?}");
    let told = bed.told(&made, "AWAY-0001").await;
    assert_eq!(told["chat"], jid(HAS));
}

async fn a_cancelled_one_is_corrected_when_it_is_asked_for_again(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.add_phone(HAS, "Ana").expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    disconnect(bed, &made).await;
    queued(bed, &made, GIVEN, "AWAY-0001", "olá").await;
    let path = made.path("/queue/messages/AWAY-0001");
    let taken = bed.call("DELETE", &path).bearer(&bed.a.jwt);
    taken.send().await.ok();
    reconnect(bed, &made).await;
    let body = json!({"phone": GIVEN, "message": "olá", "id": "AWAY-0001"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(HAS, "olá").await;
    let told = bed
        .wait_status(&made, "AWAY-0001", &["delivered", "read"])
        .await;
    assert_eq!(told["chat"], jid(HAS), "{told}");
}
