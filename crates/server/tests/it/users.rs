//! People on WhatsApp: who is there, what they let others see, whom a number blocks and hears of; and its own profile.

mod blocking;
mod presence;
mod profile;

use recado_sandbox::profile::{Business, Category};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, SHOP, until},
};

on_both! {
    numbers_are_checked,
    thousands_are_checked,
    what_a_check_tells_is_remembered,
    a_person_is_described,
    a_picture_is_fetched,
    a_business_says_what_it_is,
    what_is_asked_wrongly,
    without_a_connection_nobody_is_asked,
    the_status_shows_the_own_profile,
}

/// As WhatsApp has it, and as people write it.
const HAS: &str = "551187654321";
const GIVEN: &str = "5511987654321";
const NOBODY: &str = "34699999999";
/// A JPEG by its first bytes; nobody looks at more here.
pub const JPEG: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];
pub const SMALL: &[u8] = &[0xff, 0xd8, 0xff, 0xe0, 9];

pub fn jid(number: &str) -> String {
    format!("{number}@s.whatsapp.net")
}

pub async fn ask(bed: &Bed, made: &Made, what: &str, body: Value) -> Answer {
    let path = made.path(&format!("/user/{what}"));
    bed.post(&path).bearer(&bed.a.jwt).json(body).send().await
}

pub async fn told(bed: &Bed, made: &Made, what: &str, body: Value) -> Value {
    ask(bed, made, what, body).await.ok()["data"].clone()
}

async fn numbers_are_checked(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.add_phone(HAS, "Ana").expect("a phone");
    let made = bed.paired(&bed.a, SHOP).await;
    let phones = json!([format!("+{CUSTOMER}"), NOBODY, GIVEN, CUSTOMER]);
    for _ in 0..2 {
        let data = told(bed, &made, "check", json!({ "phone": phones })).await;
        let users = data["users"].as_array().expect("a list");
        let seen: Vec<_> = users
            .iter()
            .map(|user| {
                (
                    user["phone"].clone(),
                    user["exists"].clone(),
                    user["jid"].clone(),
                )
            })
            .collect();
        let expected = [
            (json!(CUSTOMER), json!(true), json!(jid(CUSTOMER))),
            (json!(NOBODY), json!(false), Value::Null),
            (json!(GIVEN), json!(true), json!(jid(HAS))),
            (json!(CUSTOMER), json!(true), json!(jid(CUSTOMER))),
        ];
        assert_eq!(seen, expected, "as they were asked for, in that order");
        assert!(
            users[0]["lid"]
                .as_str()
                .is_some_and(|lid| lid.ends_with("@lid"))
        );
        assert_eq!(users[1]["lid"], Value::Null);
    }
    // By id as well.
    let data = told(bed, &made, "check", json!({ "phone": CUSTOMER })).await;
    let lid = data["users"][0]["lid"].clone();
    let nobody = "123456789012345@lid";
    let data = told(bed, &made, "check", json!({ "phone": [lid, nobody] })).await;
    let users = &data["users"];
    assert_eq!((&users[0]["phone"], &users[0]["lid"]), (&lid, &lid));
    assert_eq!(
        (&users[0]["exists"], &users[1]["exists"]),
        (&json!(true), &json!(false)),
        "{data}"
    );
    assert!(users[0]["jid"].is_string());
    assert_eq!(
        (&users[1]["jid"], &users[1]["lid"]),
        (&Value::Null, &Value::Null)
    );
    // One text, and one number, as some clients write it.
    for phone in [
        json!(CUSTOMER),
        json!(CUSTOMER.parse::<u64>().expect("digits")),
    ] {
        let data = told(bed, &made, "check", json!({ "phone": phone })).await;
        assert_eq!(data["users"][0]["exists"], true, "{data}");
    }
    // What is remembered is not asked for again: the new phone is seen when the answer is old.
    network.add_phone(NOBODY, "Newcomer").expect("a phone");
    let data = told(bed, &made, "check", json!({ "phone": NOBODY })).await;
    assert_eq!(data["users"][0]["exists"], false);
}

/// Who has been written to is known by number and id as soon as WhatsApp says so.
async fn what_a_check_tells_is_remembered(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let body = json!({"phone": CUSTOMER, "message": "hello"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(CUSTOMER, "hello").await;
    let data = told(bed, &made, "check", json!({ "phone": [CUSTOMER] })).await;
    let lid = data["users"][0]["lid"].clone();
    assert!(lid.is_string(), "{data}");
    let chat = made.path(&format!("/chats/{CUSTOMER}"));
    let chat = bed.get(&chat).bearer(&bed.a.jwt).send().await.ok();
    assert_eq!(chat["lid"], lid, "{chat}");
}

async fn thousands_are_checked(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let number = |n: usize| format!("5511970{n:06}");
    let network = bed.sandbox.network();
    for n in [0, 777, 2_499] {
        network.add_phone(&number(n), "Somebody").expect("a phone");
    }
    let phones: Vec<_> = (0..2_500).map(number).collect();
    let data = told(bed, &made, "check", json!({ "phone": phones })).await;
    let users = data["users"].as_array().expect("a list");
    assert_eq!(users.len(), 2_500);
    let there = users.iter().filter(|user| user["exists"] == true);
    let there: Vec<_> = there.map(|user| user["phone"].clone()).collect();
    assert_eq!(there, [number(0), number(777), number(2_499)]);
    let too_many = vec![CUSTOMER; 5_001];
    let refused = ask(bed, &made, "check", json!({ "phone": too_many })).await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "phone");
}

async fn a_person_is_described(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.set_about(CUSTOMER, "At sea").expect("an about");
    let made = bed.paired(&bed.a, SHOP).await;
    let data = told(bed, &made, "info", json!({ "phone": CUSTOMER })).await;
    let person = &data["users"][jid(CUSTOMER)];
    assert_eq!(person["status"], "At sea", "{data}");
    assert_eq!(person["phone"], CUSTOMER);
    assert_eq!(person["devices"], json!([jid(CUSTOMER)]));
    assert_eq!(
        (&person["picture_id"], &person["verified_name"]),
        (&Value::Null, &Value::Null)
    );
    let lid = person["lid"].as_str().expect("a lid").to_owned();
    let set = network.set_picture(CUSTOMER, Some((JPEG, SMALL)));
    let id = set.expect("a picture").picture.expect("one").id;
    // The instance's own number has a linked device: this one.
    let asked = json!({ "phone": [lid, NOBODY, SHOP] });
    let data = told(bed, &made, "info", asked).await;
    let users = data["users"].as_object().expect("an object");
    assert_eq!(users.len(), 2, "{data}");
    assert_eq!(users[&lid]["picture_id"], id);
    assert_eq!(users[&lid]["lid"], lid);
    let devices = users[&jid(SHOP)]["devices"].as_array().expect("a list");
    assert_eq!(devices.len(), 2, "{data}");
    assert_eq!(devices[1], format!("{SHOP}:1@s.whatsapp.net"));
    // What is hidden is not seen.
    network.hide(CUSTOMER, true).expect("hides");
    let data = told(bed, &made, "info", json!({ "phone": CUSTOMER })).await;
    let person = &data["users"][jid(CUSTOMER)];
    assert_eq!(
        (&person["picture_id"], &person["status"]),
        (&Value::Null, &Value::Null)
    );
}

async fn a_picture_is_fetched(bed: &mut Bed) {
    let network = bed.sandbox.network();
    let made = bed.paired(&bed.a, SHOP).await;
    let asked = || json!({ "phone": CUSTOMER });
    let none = ask(bed, &made, "avatar", asked()).await;
    assert_eq!(none.refused(404, "not_found")["field"], "phone");
    let set = network.set_picture(CUSTOMER, Some((JPEG, SMALL)));
    set.expect("a picture");
    for (preview, bytes) in [
        (json!(false), JPEG),
        (json!(true), SMALL),
        (Value::Null, JPEG),
    ] {
        let mut body = asked();
        body["preview"] = preview;
        let data = told(bed, &made, "avatar", body).await;
        assert_eq!(data["base64"], base64(bytes), "{data}");
        assert_eq!(data["mimetype"], "image/jpeg");
        assert!(data["picture_id"].is_string());
    }
    network.hide(CUSTOMER, true).expect("hides");
    let hidden = ask(bed, &made, "avatar", asked()).await;
    hidden.refused(404, "not_found");
    let nobody = ask(bed, &made, "avatar", json!({ "phone": NOBODY })).await;
    nobody.refused(400, "not_on_whatsapp");
}

pub fn base64(bytes: &[u8]) -> String {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    BASE64_STANDARD.encode(bytes)
}

fn shop() -> Business {
    Business {
        verified_name: "Padaria Boa".into(),
        description: "Bread".into(),
        address: "Rua 1".into(),
        email: "pao@example.com".into(),
        websites: vec!["https://example.com/".into()],
        categories: vec![Category {
            id: "133436743388217".into(),
            name: "Bakery".into(),
        }],
        timezone: "America/Sao_Paulo".into(),
    }
}

async fn a_business_says_what_it_is(bed: &mut Bed) {
    let network = bed.sandbox.network();
    let made = bed.paired(&bed.a, SHOP).await;
    let data = told(bed, &made, "business", json!({ "phone": CUSTOMER })).await;
    assert_eq!(
        data,
        json!({"jid": jid(CUSTOMER), "business_profile": null})
    );
    network
        .set_business(CUSTOMER, Some(shop()))
        .expect("a business");
    let data = told(bed, &made, "business", json!({ "phone": CUSTOMER })).await;
    let profile = &data["business_profile"];
    assert_eq!(profile["description"], "Bread", "{data}");
    assert_eq!(profile["websites"], json!(["https://example.com/"]));
    assert_eq!(profile["business_hours_timezone"], "America/Sao_Paulo");
    assert_eq!(
        profile["categories"],
        json!([{"id": "133436743388217", "name": "Bakery"}])
    );
    let data = told(bed, &made, "info", json!({ "phone": CUSTOMER })).await;
    assert_eq!(data["users"][jid(CUSTOMER)]["verified_name"], "Padaria Boa");
}

async fn what_is_asked_wrongly(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let long = "5".repeat(10_000);
    for what in [
        "check", "info", "avatar", "business", "presence", "block", "unblock",
    ] {
        for phone in [
            Value::Null,
            json!(""),
            json!("  "),
            json!("nobody"),
            json!({"a": 1}),
            json!(true),
            json!(long),
            json!("'; DROP TABLE job; --"),
            json!("1@evil.example"),
        ] {
            let answer = ask(bed, &made, what, json!({ "phone": phone })).await;
            let refused = answer.expect(400);
            assert_eq!(
                refused.json()["field"],
                "phone",
                "{what} {phone}: {refused:?}"
            );
        }
        ask(bed, &made, what, json!([])).await.expect(400);
        let path = made.path(&format!("/user/{what}"));
        let theirs = bed.post(&path).bearer(&bed.b.jwt);
        let theirs = theirs.json(json!({ "phone": CUSTOMER })).send().await;
        theirs.refused(403, "forbidden");
    }
    for (what, body) in [
        ("check", json!({"phone": ["12", CUSTOMER]})),
        ("check", json!({"phone": [[CUSTOMER]]})),
        ("info", json!({"phone": vec![CUSTOMER; 101]})),
        ("info", json!({"phone": "120363000000000000@g.us"})),
        ("block", json!({"phone": "120363000000000000@g.us"})),
    ] {
        let refused = ask(bed, &made, what, body.clone()).await.expect(400);
        assert_eq!(refused.json()["field"], "phone", "{what} {body}");
    }
    for (what, field, value) in [
        ("avatar", "preview", json!("yes")),
        ("presence", "subscribe", json!(1)),
    ] {
        let mut body = json!({ "phone": CUSTOMER });
        body[field] = value;
        let refused = ask(bed, &made, what, body).await.expect(400);
        assert_eq!(refused.json()["field"], field, "{what}");
    }
}

async fn without_a_connection_nobody_is_asked(bed: &mut Bed) {
    let fresh = bed.create(&bed.a, json!({"name": "Not linked"})).await;
    let linked = bed.paired(&bed.a, SHOP).await;
    let close = linked.path("/session/disconnect");
    bed.post(&close).bearer(&bed.a.jwt).send().await.ok();
    for made in [&fresh, &linked] {
        for what in [
            "check", "info", "avatar", "business", "presence", "block", "unblock",
        ] {
            let answer = ask(bed, made, what, json!({ "phone": CUSTOMER })).await;
            answer.refused(409, "instance_not_connected");
        }
        for path in ["/user/blocked", "/profile"] {
            let answer = bed.get(&made.path(path)).bearer(&bed.a.jwt).send().await;
            answer.refused(409, "instance_not_connected");
        }
    }
}

async fn status(bed: &Bed, made: &Made) -> Value {
    let path = made.path("/session/status");
    bed.get(&path).bearer(&bed.a.jwt).send().await.ok()["data"].clone()
}

async fn the_status_shows_the_own_profile(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.set_about(SHOP, "Open").expect("an about");
    network
        .set_business(SHOP, Some(shop()))
        .expect("a business");
    let set = network.set_picture(SHOP, Some((JPEG, SMALL)));
    let picture = set.expect("a picture").picture.expect("one");
    let made = bed.create(&bed.a, json!({"name": "Shop"})).await;
    assert_eq!(status(bed, &made).await, json!({"connected": false}));
    bed.scan(&bed.a, &made, SHOP).await;
    let told = until("the profile", async || {
        let told = status(bed, &made).await;
        told["about"].is_string().then_some(told)
    })
    .await;
    assert_eq!(told["connected"], true);
    assert_eq!(
        (&told["phone"], &told["whatsapp_jid"]),
        (&json!(SHOP), &json!(jid(SHOP)))
    );
    assert_eq!(told["about"], "Open");
    assert_eq!(told["verified_name"], "Padaria Boa");
    assert_eq!(told["business_name"], "Padaria Boa");
    assert_eq!(told["website"], "https://example.com/");
    assert_eq!(told["profile_url"], format!("https://wa.me/{SHOP}"));
    assert_eq!(told["profile_picture_id"], picture.id);
    let url = told["profile_picture_url"].as_str().expect("a URL");
    assert!(url.ends_with(&picture.path), "{url}");
    assert_eq!(
        told["business_profile"],
        json!({
            "business_hours_timezone": "America/Sao_Paulo",
            "categories": [{"id": "133436743388217", "name": "Bakery"}],
            "profile_options": {},
            "address": "Rua 1",
            "email": "pao@example.com",
        })
    );
    // A network that answers nothing makes nobody wait.
    network
        .trouble(&json!({"kind": "freeze", "number": SHOP}))
        .expect("a trouble");
    bed.clock.jump_secs(700);
    let asked = std::time::Instant::now();
    let path = made.path("/session/status");
    let pair = bed
        .get(&path)
        .header("x-client-token", &bed.a.client_token)
        .header("x-instance-token", &made.token);
    assert_eq!(pair.send().await.ok()["data"]["about"], "Open");
    assert!(asked.elapsed().as_secs() < 2, "{:?}", asked.elapsed());
    network.clear_troubles();
}
