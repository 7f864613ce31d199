//! Linking by a code, and the end of a link that never was.

use serde_json::{Value, json};

use crate::{
    gateway::{Bed, Made, SHOP, SHOP_TOO},
    people::{Browser, OWNER},
};

on_both! { a_code_that_is_being_typed_stays, there_is_no_pairing_to_keep }

async fn code(bed: &Bed, made: &Made, number: &str) -> (String, i64) {
    let path = made.path(&format!("/session/paircode/{number}"));
    let answer = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
    let data = &answer["data"];
    assert_eq!(data["linking_code"], data["LinkingCode"]);
    let code = data["linking_code"].as_str().expect("a code").to_owned();
    (code, data["expires_in"].as_i64().expect("seconds"))
}

async fn a_code_that_is_being_typed_stays(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "By code"})).await;
    let (other, _) = code(bed, &made, SHOP_TOO).await;
    let (first, seconds) = code(bed, &made, SHOP).await;
    assert_ne!(first, other, "another number's is another");
    assert!((1..=180).contains(&seconds), "{seconds}");
    let (again, left) = code(bed, &made, &format!("+{SHOP}")).await;
    assert_eq!(again, first);
    assert!((1..=seconds).contains(&left), "{left} of {seconds}");
    let mut browser = Browser::of(bed, OWNER).await;
    let below = format!("/instances/{}/pair-code", made.id);
    let shown = browser.post(&below, json!({"phone": SHOP})).await.ok();
    assert_eq!(shown["code"], first.as_str());
    let left = shown["expires_in"].as_i64().expect("seconds");
    assert!((1..=seconds).contains(&left), "{left} of {seconds}");
    // Both who ask at once get one.
    let path = made.path(&format!("/session/paircode/{SHOP}"));
    let ask = || bed.get(&path).bearer(&bed.a.jwt).send();
    let (one, two) = tokio::join!(ask(), ask());
    assert_eq!(one.ok()["data"]["linking_code"], first.as_str());
    assert_eq!(two.ok()["data"]["linking_code"], first.as_str());
    let paired = bed.sandbox.network().pair(SHOP, &first).await;
    paired.expect("the phone takes it");
    bed.wait_state(&bed.a, &made, "connected").await;
}

async fn disconnect(bed: &Bed, made: &Made) -> Value {
    let call = bed.post(&made.path("/session/disconnect"));
    let done = call.bearer(&bed.a.jwt).send().await.ok();
    assert_eq!(done["status"], "disconnected");
    done["details"].clone()
}

async fn there_is_no_pairing_to_keep(bed: &mut Bed) {
    let says = |details: &Value, what: &str| {
        assert!(
            details.as_str().expect("a text").contains(what),
            "{details}"
        );
    };
    let made = bed.create(&bed.a, json!({"name": "Never linked"})).await;
    says(&disconnect(bed, &made).await, "There is no pairing");
    // While it waits for a phone there is none either.
    bed.qr_text(&bed.a, &made).await;
    says(&disconnect(bed, &made).await, "There is no pairing");
    bed.scan(&bed.a, &made, SHOP).await;
    says(&disconnect(bed, &made).await, "the pairing is kept");
    says(&disconnect(bed, &made).await, "the pairing is kept");
}
