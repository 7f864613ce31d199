//! An instance's connection begun anew and ended, its calls, and the lists of instances.

mod calls;

use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Left, Made, SHOP, SHOP_TOO},
};

on_both! {
    a_restart_keeps_the_pairing,
    nothing_to_restart,
    a_log_out_keeps_what_is_not_the_pairings,
    a_log_out_of_a_closed_connection_unlinks_the_phone,
    instances_are_looked_for,
    provision_is_create,
}

async fn post(bed: &Bed, made: &Made, below: &str) -> Answer {
    bed.post(&made.path(below)).bearer(&bed.a.jwt).send().await
}

fn linked(bed: &Bed, number: &str) -> usize {
    let network = bed.sandbox.network();
    network.phone(number).expect("a phone").companions.len()
}

async fn a_restart_keeps_the_pairing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let before = bed.look(&bed.a, &made).await["connected_at"].clone();
    bed.clock.jump_secs(5);
    let done = post(bed, &made, "/restart").await.ok();
    assert_eq!(
        (&done["instance_id"], &done["status"]),
        (&json!(made.id), &json!("connecting"))
    );
    assert!(done["details"].is_string());
    let seen = bed.wait_state(&bed.a, &made, "connected").await;
    assert_ne!(seen["connected_at"], before);
    assert_eq!(linked(bed, SHOP), 1, "the same device");
    let body = json!({"phone": CUSTOMER, "message": "back again"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_shown(CUSTOMER, "back again").await;
    // Closed by its owner, it is opened.
    post(bed, &made, "/session/disconnect").await.ok();
    bed.wait_state(&bed.a, &made, "disconnected").await;
    // The pair of tokens may, too.
    let pair = bed
        .post(&made.path("/restart"))
        .header("x-client-token", &bed.a.client_token)
        .header("x-instance-token", &made.token);
    pair.send().await.ok();
    bed.wait_state(&bed.a, &made, "connected").await;
}

async fn nothing_to_restart(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Fresh"})).await;
    post(bed, &made, "/restart")
        .await
        .refused(409, "instance_not_connected");
    for below in ["/restart", "/session/logout"] {
        let theirs = bed.post(&made.path(below)).bearer(&bed.b.jwt);
        theirs.send().await.refused(403, "forbidden");
    }
}

async fn a_log_out_keeps_what_is_not_the_pairings(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!("All")).await;
    let body = json!({"phone": CUSTOMER, "message": "before", "id": "BEFORE-01"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_status(&made, "BEFORE-01", &["delivered", "read"])
        .await;
    let body =
        json!({"phone": CUSTOMER, "message": "never", "id": "NEVER-001", "delay": 1_800_000});
    bed.send(&bed.a, &made, body).await.ok();
    let done = post(bed, &made, "/session/logout").await.ok();
    assert_eq!(
        (&done["instance_id"], &done["status"]),
        (&json!(made.id), &json!("logged_out"))
    );
    assert_eq!(linked(bed, SHOP), 0, "WhatsApp knows");
    let seen = bed.look(&bed.a, &made).await;
    assert_eq!(
        (&seen["status"], &seen["status_reason"], &seen["connected"]),
        (
            &json!("logged_out"),
            &json!("logged_out_by_owner"),
            &json!(false)
        )
    );
    let told = bed.delivered("the end", |delivery| {
        delivery.body["type"] == "Disconnected"
    });
    assert_eq!(told.await.body["event"]["reason"], "logged_out_by_owner");
    let failed = bed.told(&made, "NEVER-001").await;
    assert_eq!(
        (&failed["status"], &failed["code"]),
        (&json!("failed"), &json!("logged_out"))
    );
    assert!(
        ["delivered", "read"].contains(
            &bed.told(&made, "BEFORE-01").await["status"]
                .as_str()
                .expect("a status")
        )
    );
    // Nothing of the device is left; the next phone may be another one.
    let count = "SELECT COUNT(*) FROM device WHERE instance_id = $1";
    let database = bed.database();
    let rows = recado_testkit::database::count(&database, count, Some(&made.id));
    assert_eq!(rows.await, 0);
    let again = post(bed, &made, "/session/logout").await.ok();
    assert_eq!(again["status"], "logged_out");
    bed.scan(&bed.a, &made, SHOP_TOO).await;
    let body = json!({"phone": CUSTOMER, "message": "from another number"});
    // The tokens are the same.
    let pair = bed
        .post(&made.path("/chat/send/text"))
        .header("x-client-token", &bed.a.client_token)
        .header("x-instance-token", &made.token);
    pair.json(body).send().await.ok();
    let shown = bed.wait_shown(CUSTOMER, "from another number").await;
    assert_eq!(shown.from, SHOP_TOO);
    assert_eq!(bed.shown(CUSTOMER, "never"), 0);
}

async fn a_log_out_of_a_closed_connection_unlinks_the_phone(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    post(bed, &made, "/session/disconnect").await.ok();
    bed.wait_state(&bed.a, &made, "disconnected").await;
    assert_eq!(linked(bed, SHOP), 1);
    post(bed, &made, "/session/logout").await.ok();
    assert_eq!(linked(bed, SHOP), 0);
    let seen = bed.look(&bed.a, &made).await;
    assert_eq!(seen["status"], "logged_out");
    bed.leaves(Left::Deliveries);
}

async fn names(bed: &Bed, body: Value) -> Vec<String> {
    let call = bed.post("/instances/search").bearer(&bed.a.jwt);
    let page = call.json(body).send().await.ok();
    let content = page["content"].as_array().expect("a list");
    assert!(
        page["summary"].is_object() && page["total"].is_u64(),
        "{page}"
    );
    let names = content.iter().map(|one| one["name"].as_str());
    names.map(|name| name.expect("a name").to_owned()).collect()
}

async fn instances_are_looked_for(bed: &mut Bed) {
    for name in ["Till north", "Till south", "Office"] {
        bed.create(&bed.a, json!({ "name": name })).await;
    }
    bed.create(&bed.b, json!({"name": "Till of others"})).await;
    let by_name = |mut body: Value| {
        body["sort"] = json!("name");
        body
    };
    for body in [
        json!({"query": "till"}),
        json!({"search": "TILL"}),
        json!({"filter": {"query": "till"}}),
    ] {
        assert_eq!(
            names(bed, by_name(body)).await,
            ["Till north", "Till south"]
        );
    }
    assert_eq!(names(bed, by_name(json!({}))).await.len(), 3);
    assert_eq!(names(bed, json!([])).await.len(), 3);
    let call = bed.post("/instances/search").bearer(&bed.a.jwt);
    let refused = call.json(json!({"sort": "token"})).send().await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "sort");
}

async fn provision_is_create(bed: &mut Bed) {
    let body = json!({"name": "Provisioned", "rejectCalls": true, "labels": {"a": "b"}});
    let call = bed.call("PUT", "/instances/provision").bearer(&bed.a.jwt);
    let made = call.json(body).send().await.ok();
    assert!(
        made["id"].is_string() && made["token"].is_string(),
        "{made}"
    );
    assert_eq!(
        (&made["name"], &made["reject_calls"]),
        (&json!("Provisioned"), &json!(true))
    );
    let call = bed.call("PUT", "/instances/provision").bearer(&bed.a.jwt);
    let refused = call.json(json!({"name": "x"})).send().await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "name");
}
