//! Texts that show nothing, that hold a NUL, that are long.

use serde_json::json;

use super::{Direct, refused_everywhere, tool};
use crate::gateway::{Bed, CUSTOMER, SHOP, SHOP_TOO, until};

on_both! {
    a_text_that_shows_nothing_is_refused,
    a_nul_twice_is_one_message,
    a_text_is_counted_in_characters,
}

async fn a_text_that_shows_nothing_is_refused(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Texts"})).await;
    let direct = Direct::new(bed).await;
    for blank in [
        "",
        "   \n",
        "\u{200b}",
        "\t\u{a0}\u{3000}",
        "\u{2800}\u{3164}",
        "\u{feff}\u{200e}",
        "\0",
    ] {
        let body = json!({"phone": CUSTOMER, "message": blank});
        refused_everywhere(bed, &made, &direct, body, "").await;
    }
    let body = json!({"phone": CUSTOMER, "message": " \u{200b} "});
    refused_everywhere(bed, &made, &direct, body, "shows nothing").await;
    // Nothing is linked: a text that can be seen gets that far.
    let body = json!({"phone": CUSTOMER, "message": "\u{2764}\u{fe0f}"});
    let answer = bed.send(&bed.a, &made, body).await;
    answer.refused(409, "instance_not_connected");
}

async fn a_nul_twice_is_one_message(bed: &mut Bed) {
    const TEXT: &str = "a\0b";
    let made = bed.paired(&bed.a, SHOP).await;
    let direct = Direct::paired(bed, SHOP_TOO).await;
    for _ in 0..2 {
        let body = json!({"phone": CUSTOMER, "message": TEXT, "id": "nul-rest-1"});
        let answer = bed.send(&bed.a, &made, body).await.ok();
        assert_eq!(answer["data"]["message_id"], "nul-rest-1");
        let body = json!({"to": CUSTOMER, "text": TEXT, "id": "nul-direct-1"});
        let answer = direct.send(bed, body).await.ok();
        assert_eq!(answer["messageId"], "nul-direct-1");
        let arguments = json!({"phone": CUSTOMER, "message": TEXT, "idempotency_key": "nul"});
        let answer = tool(bed, &made, arguments).await;
        assert_ne!(answer["isError"], true, "{answer}");
    }
    let shown = until("all three", async || {
        let messages = bed.sandbox.network().messages(CUSTOMER).expect("a phone");
        let shown: Vec<_> = messages.into_iter().filter(|m| m.to == CUSTOMER).collect();
        (shown.len() >= 3).then_some(shown)
    })
    .await;
    assert_eq!(shown.len(), 3, "each once: {shown:?}");
    // Other than that it is another message.
    let body = json!({"phone": CUSTOMER, "message": "ab", "id": "nul-rest-1"});
    bed.send(&bed.a, &made, body).await.refused(409, "conflict");
}

async fn a_text_is_counted_in_characters(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Texts"})).await;
    let direct = Direct::new(bed).await;
    // Four bytes each. Nothing is linked: whatever passes the look at the text ends there.
    let fits = "\u{1f600}".repeat(65_536);
    let body = json!({"phone": CUSTOMER, "message": fits});
    let answer = bed.send(&bed.a, &made, body.clone()).await;
    answer.refused(409, "instance_not_connected");
    let theirs = json!({"to": CUSTOMER, "text": fits});
    direct.send(bed, theirs).await.expect(409);
    let told = tool(bed, &made, body).await.to_string();
    assert!(told.contains("Session not connected"), "{told}");
    let body = json!({"phone": CUSTOMER, "message": format!("{fits}.")});
    refused_everywhere(bed, &made, &direct, body, "65536 characters").await;
}
