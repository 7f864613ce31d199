//! What others see of an instance's own number.

use serde_json::{Value, json};

use super::{JPEG, SMALL, base64, told};
use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, SHOP, SHOP_TOO, until},
};

on_both! {
    a_profile_is_changed,
    what_does_not_fit_a_profile,
}

async fn call(bed: &Bed, made: &Made, method: &str, below: &str, body: Value) -> Answer {
    let path = made.path(&format!("/profile{below}"));
    let call = bed.call(method, &path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

async fn read(bed: &Bed, made: &Made) -> Value {
    let path = made.path("/profile");
    bed.get(&path).bearer(&bed.a.jwt).send().await.ok()
}

async fn a_profile_is_changed(bed: &mut Bed) {
    let network = bed.sandbox.network();
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"name": "Padaria", "about": "Fresh bread"});
    call(bed, &made, "PATCH", "", body).await.expect(204);
    let seen = read(bed, &made).await;
    assert_eq!(
        (&seen["name"], &seen["about"]),
        (&json!("Padaria"), &json!("Fresh bread"))
    );
    assert_eq!(
        network.profile(SHOP).expect("a profile").about,
        "Fresh bread"
    );
    until("the name on the phone", async || {
        (network.phone(SHOP).ok()?.name == "Padaria").then_some(())
    })
    .await;
    assert_eq!(
        bed.look(&bed.a, &made).await["whatsapp_push_name"],
        "Padaria"
    );
    let image = format!("data:image/jpeg;base64,{}", base64(JPEG));
    let set = call(bed, &made, "PUT", "/picture", json!({ "image": image }))
        .await
        .ok();
    let id = set["picture_id"].as_str().expect("an id").to_owned();
    assert_eq!(network.picture(SHOP).expect("a picture"), JPEG);
    let seen = read(bed, &made).await;
    assert_eq!(seen["picture_id"], id);
    assert!(seen["picture_url"].is_string());
    // Another number sees it.
    let other = bed.paired(&bed.a, SHOP_TOO).await;
    let avatar = told(bed, &other, "avatar", json!({ "phone": SHOP })).await;
    assert_eq!(avatar["base64"], base64(JPEG));
    let set = call(
        bed,
        &made,
        "PUT",
        "/picture",
        json!({"image": base64(SMALL)}),
    )
    .await
    .ok();
    assert_ne!(set["picture_id"], id);
    let path = made.path("/profile/picture");
    let removed = bed.call("DELETE", &path).bearer(&bed.a.jwt);
    removed.send().await.expect(204);
    assert_eq!(network.profile(SHOP).expect("a profile").picture, None);
    assert_eq!(read(bed, &made).await["picture_id"], Value::Null);
    call(bed, &made, "PATCH", "", json!({"about": ""}))
        .await
        .expect(204);
    assert_eq!(network.profile(SHOP).expect("a profile").about, "");
    assert_eq!(read(bed, &made).await["name"], "Padaria", "stays");
}

async fn what_does_not_fit_a_profile(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let png = base64(b"\x89PNG\r\n\x1a\n");
    let large = [JPEG, &vec![0; 700 * 1024]].concat();
    for (method, below, body, field) in [
        ("PATCH", "", json!({}), "name"),
        ("PATCH", "", json!({"name": ""}), "name"),
        ("PATCH", "", json!({"name": " \u{200b} "}), "name"),
        ("PATCH", "", json!({"name": "x".repeat(26)}), "name"),
        ("PATCH", "", json!({"name": 5}), "name"),
        ("PATCH", "", json!({"about": "x".repeat(140)}), "about"),
        ("PATCH", "", json!({"about": ["x"]}), "about"),
        ("PATCH", "", json!({"nmae": "x"}), "nmae"),
        ("PUT", "/picture", json!({}), "image"),
        ("PUT", "/picture", json!({"image": ""}), "image"),
        ("PUT", "/picture", json!({"image": "*"}), "image"),
        ("PUT", "/picture", json!({"image": png}), "image"),
        ("PUT", "/picture", json!({"image": base64(&large)}), "image"),
        (
            "PUT",
            "/picture",
            json!({"image": "https://example.com/a.jpg"}),
            "image",
        ),
    ] {
        let shown = body.to_string().chars().take(60).collect::<String>();
        let refused = call(bed, &made, method, below, body).await.expect(400);
        assert_eq!(refused.json()["field"], field, "{shown}: {refused:?}");
    }
    for (method, below) in [("PATCH", ""), ("PUT", "/picture"), ("DELETE", "/picture")] {
        let path = made.path(&format!("/profile{below}"));
        let theirs = bed.call(method, &path).bearer(&bed.b.jwt);
        let theirs = theirs.json(json!({"name": "Theirs"})).send().await;
        theirs.refused(403, "forbidden");
    }
    let seen = read(bed, &made).await;
    assert_ne!(seen["name"], "Theirs");
    let fresh = bed.create(&bed.a, json!({"name": "Not linked"})).await;
    let body = json!({"about": "hello"});
    let refused = call(bed, &fresh, "PATCH", "", body).await;
    refused.refused(409, "instance_not_connected");
    assert_eq!(bed.shown(CUSTOMER, "hello"), 0);
}
