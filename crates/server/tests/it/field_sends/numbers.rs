//! Numbers as people paste them, on every surface that takes one.

use serde_json::json;

use super::{Direct, refused_everywhere, tool};
use crate::{
    gateway::{Bed, SHOP, SHOP_TOO},
    people::{Browser, OWNER},
};

on_both! {
    what_is_no_number_says_why_everywhere,
    a_pasted_number_reaches_its_phone,
    the_least_length_is_one,
}

const PHONE: &str = "5511988880002";

async fn what_is_no_number_says_why_everywhere(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Numbers"})).await;
    let direct = Direct::new(bed).await;
    let mut browser = Browser::of(bed, OWNER).await;
    for (number, why) in [
        (
            "(11) 99999-0002",
            "country code missing? for Brazil write 55 11 99999-0002",
        ),
        (
            "(0)11 99999-0002",
            "country code missing? for Brazil write 55 11 99999-0002",
        ),
        (
            "21 99999 0002",
            "country code missing? for Brazil write 55 21 99999-0002",
        ),
        ("5511x999990002", "holds 'x'"),
        ("5511 99999\u{2044}0002", "holds '\u{2044}' (U+2044)"),
        ("0055 11 99999-0002", "begins with 0"),
        ("123456", "7 to 15 digits"),
    ] {
        let body = json!({"phone": number, "message": "x"});
        refused_everywhere(bed, &made, &direct, body, why).await;
        let path = made.path(&format!("/session/paircode/{}", in_path(number)));
        let told = bed.get(&path).bearer(&bed.a.jwt).send().await;
        let told = told.refused(400, "invalid_phone")["message"].to_string();
        assert!(told.contains(why), "{told}");
        let below = format!("/instances/{}/pair-code", made.id);
        let told = browser.post(&below, json!({"phone": number})).await;
        let told = told.refused(400, "invalid_phone");
        assert_eq!(told["field"], "phone", "{told}");
        assert!(told["message"].to_string().contains(why), "{told}");
    }
    let body = json!({"phone": PHONE, "message": "x", "mentioned_ids": ["(11) 99999-0002"]});
    let told = bed.send(&bed.a, &made, body).await;
    let told = told.refused(400, "invalid_phone");
    assert_eq!(told["field"], "mentioned_ids");
    assert!(
        told["message"]
            .to_string()
            .contains("mentioned_ids: country code")
    );
}

fn in_path(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

async fn a_pasted_number_reaches_its_phone(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.add_phone(PHONE, "Bia").expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    let direct = Direct::paired(bed, SHOP_TOO).await;
    for (n, number) in [
        "+55 (0) 11 98888-0002",
        "\u{202a}+55\u{a0}11\u{a0}98888\u{2011}0002\u{202c}",
        "\u{feff}55\u{200b}11 98888 0002\r\n",
        "(+55) 11 98888.0002",
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"phone": number, "message": format!("rest {n}")});
        bed.send(&bed.a, &made, body).await.expect(200);
        let body = json!({"to": number, "text": format!("direct {n}")});
        direct.send(bed, body).await.expect(200);
        let sent = tool(
            bed,
            &made,
            json!({"phone": number, "message": format!("mcp {n}")}),
        );
        let sent = sent.await;
        assert_ne!(sent["isError"], true, "{sent}");
        for surface in ["rest", "direct", "mcp"] {
            bed.wait_shown(PHONE, &format!("{surface} {n}")).await;
        }
    }
}

async fn the_least_length_is_one(bed: &mut Bed) {
    const SHORTEST: &str = "+683 4000";
    let made = bed.create(&bed.a, json!({"name": "Numbers"})).await;
    let direct = Direct::new(bed).await;
    // Nothing is linked: whatever passes the look at the number ends there.
    let body = json!({"phone": SHORTEST, "message": "x"});
    let answer = bed.send(&bed.a, &made, body.clone()).await;
    answer.refused(409, "instance_not_connected");
    let theirs = json!({"to": SHORTEST, "text": "x"});
    direct.send(bed, theirs).await.expect(409);
    let told = tool(bed, &made, body).await.to_string();
    assert!(told.contains("Session not connected"), "{told}");
    // The command that links by a code asks WhatsApp.
    let mut browser = Browser::of(bed, OWNER).await;
    let below = format!("/instances/{}/pair-code", made.id);
    let told = browser.post(&below, json!({"phone": SHORTEST})).await;
    assert_ne!(told.status, 400, "{told:?}");
}
