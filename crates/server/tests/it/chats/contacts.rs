//! The address book, here and on the phone.

use recado_sandbox::SavedContact;
use serde_json::{Value, json};

use super::{BIA, ask, chat, get, written};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP, until};

on_both! {
    who_is_saved_here_is_on_the_phone,
    who_is_saved_on_the_phone_is_here,
    a_whole_address_book_comes_at_once,
}

fn saved(full: &str, first: Option<&str>) -> SavedContact {
    SavedContact {
        full_name: Some(full.to_owned()),
        first_name: first.map(str::to_owned),
    }
}

async fn listed(bed: &Bed, made: &Made, query: &str) -> Vec<Value> {
    let page = get(bed, made, &format!("/contact/list?{query}")).await;
    page["contacts"].as_array().expect("a list").clone()
}

async fn who_is_saved_here_is_on_the_phone(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let body =
        json!({"phone": format!("+{CUSTOMER}"), "first_name": "Ana", "full_name": "Ana Maria"});
    let answer = ask(bed, &made, ("POST", "/contact/add"), body).await.ok();
    let person = &answer["data"];
    for (field, value) in [
        ("phone", json!(CUSTOMER)),
        ("name", json!("Ana Maria")),
        ("first_name", json!("Ana")),
        ("saved", json!(true)),
    ] {
        assert_eq!(person[field], value, "{field}");
    }
    let network = bed.sandbox.network();
    until("her on the phone", async || {
        let book = network.contacts(SHOP).expect("a phone");
        (book.get(CUSTOMER) == Some(&saved("Ana Maria", Some("Ana")))).then_some(())
    })
    .await;
    assert_eq!(network.faults(SHOP).expect("a phone"), [""; 0]);
    // Her chat has that name, which is not how she calls herself.
    written(bed, &made, CUSTOMER, "hello").await;
    assert_eq!(chat(bed, &made, CUSTOMER).await["name"], "Ana Maria");
    let all = listed(bed, &made, "").await;
    assert_eq!((all.len(), &all[0]["push_name"]), (1, &json!("Ana")));
    // Another name, without a first one.
    let body = json!({"phone": CUSTOMER, "first_name": "", "full_name": "Ana Lima"});
    ask(bed, &made, ("POST", "/contact/add"), body).await.ok();
    let all = listed(bed, &made, "search=lima").await;
    assert_eq!(
        (&all[0]["name"], &all[0]["first_name"]),
        (&json!("Ana Lima"), &Value::Null)
    );
}

async fn who_is_saved_on_the_phone_is_here(bed: &mut Bed) {
    let network = bed.sandbox.network();
    network.add_phone(BIA, "Bia").expect("a phone");
    network
        .save_contact(SHOP, BIA, &saved("Beatriz", None))
        .expect("saved");
    let made = bed.paired(&bed.a, SHOP).await;
    // Told at the first log-in, and afterwards.
    let network = bed.sandbox.network();
    network
        .save_contact(SHOP, CUSTOMER, &saved("Ana Maria", Some("Ana")))
        .expect("saved");
    let all = until("both", async || {
        let all = listed(bed, &made, "saved=true").await;
        (all.len() == 2).then_some(all)
    })
    .await;
    let bia = all
        .iter()
        .find(|person| person["phone"] == BIA)
        .expect("Bia");
    assert_eq!(bia["full_name"], "Beatriz");
    assert!(
        bia["lid"].as_str().is_some_and(|lid| lid.ends_with("@lid")),
        "{bia}"
    );
    let map = get(bed, &made, "/user/contacts").await;
    let ana = &map["data"][format!("{CUSTOMER}@s.whatsapp.net")];
    assert_eq!(
        (&ana["full_name"], &ana["first_name"]),
        (&json!("Ana Maria"), &json!("Ana"))
    );
    // By pages.
    let first = get(bed, &made, "/contact/list?limit=1").await;
    let next = first["next"].as_str().expect("more");
    let rest = listed(bed, &made, &format!("before={next}")).await;
    assert_eq!(rest.len(), 1);
    assert_ne!(rest[0]["phone"], first["contacts"][0]["phone"]);
}

/// More than fit into patches: the media host has all of it.
async fn a_whole_address_book_comes_at_once(bed: &mut Bed) {
    let network = bed.sandbox.network();
    for n in 0..40 {
        let number = format!("55119888800{n:02}");
        let name = saved(&format!("Person {n}"), None);
        network.save_contact(SHOP, &number, &name).expect("saved");
    }
    let made = bed.paired(&bed.a, SHOP).await;
    until("all of them", async || {
        let all = listed(bed, &made, "saved=true&limit=100").await;
        (all.len() == 40).then_some(())
    })
    .await;
    // And one more by a patch on top of that.
    let network = bed.sandbox.network();
    network
        .save_contact(SHOP, CUSTOMER, &saved("Ana", None))
        .expect("saved");
    until("her", async || {
        let all = listed(bed, &made, "saved=true&limit=100").await;
        (all.len() == 41).then_some(())
    })
    .await;
    let body = json!({"phone": "5511988880000", "full_name": "Somebody"});
    let answer = ask(bed, &made, ("POST", "/contact/add"), body).await;
    // Nobody has that number.
    assert_eq!(answer.refused(400, "not_on_whatsapp")["field"], "phone");
}
