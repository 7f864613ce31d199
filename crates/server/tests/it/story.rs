//! The whole path of a newcomer, and the life of a pairing.

use serde_json::{Value, json};

use crate::gateway::{
    Bed, CUSTOMER, Made, PATIENCE, SHOP, SHOP_TOO, now_secs, until, verify_delivery,
};

on_both! {
    the_whole_path,
    a_link_code_pairs_too,
    disconnect_keeps_the_pairing,
    the_phone_logs_the_instance_out,
    deleting_ends_the_link,
    a_restart_brings_instances_back,
}

async fn the_whole_path(bed: &mut Bed) {
    // Token: bare, with what RFC 6749 asks for.
    let body = json!({"client_token": bed.a.client_token, "client_secret": bed.a.client_secret});
    let answer = bed.post("/token").json(body).send().await;
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("pragma"), "no-cache");
    let token = answer.ok();
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["expires_in"], 3600);
    let jwt = token["access_token"].as_str().expect("a token");

    // Create, list, get: bare objects.
    let body = json!({
        "name": "Loja 1", "labels": {"team": "sales"}, "events_subscribe": ["Message", "ReadReceipt"],
    });
    let created = bed.call("PUT", "/instances/create").bearer(jwt);
    let created = created.json(body).send().await.ok();
    let made = Made {
        id: created["id"].as_str().expect("an id").to_owned(),
        token: created["token"].as_str().expect("a token").to_owned(),
        number: created["session_id"].as_i64().expect("a number"),
    };
    assert!(
        made.id.starts_with("RC") && made.id.len() == 28,
        "{created}"
    );
    assert!(made.token.starts_with("inst_"));
    assert_eq!(created["billing_status"], "ACTIVE");
    assert_eq!(created["connected"], false);
    let list = bed
        .post("/instances/list")
        .bearer(jwt)
        .json(json!({}))
        .send()
        .await
        .ok();
    assert_eq!(
        (&list["total"], &list["content"][0]["id"]),
        (&json!(1), &json!(made.id))
    );
    assert_eq!(list["summary"]["disconnected"], 1);
    let got = bed
        .post("/instances/get")
        .bearer(jwt)
        .json(json!({"id": made.id}))
        .send()
        .await
        .ok();
    assert_eq!(got["token"], made.token.as_str());
    let status = bed
        .get(&made.path("/session/status"))
        .bearer(jwt)
        .send()
        .await;
    assert_eq!(
        status.text(),
        r#"{"code":200,"success":true,"data":{"connected":false}}"#
    );

    // A webhook, by the instance's own pair of tokens.
    let secret = bed
        .subscribe(&bed.a, &made, json!(["Message", "ReadReceipt"]))
        .await;
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", &made.token),
    ];
    let hook = bed
        .get(&made.path("/webhook"))
        .headers(pair)
        .send()
        .await
        .ok();
    assert_eq!(hook["data"]["webhook"], bed.sandbox.receiver_url());
    assert_eq!(hook["data"]["subscribe"], json!(["Message", "ReadReceipt"]));

    // The QR in every form; the same code in all of them.
    let qr = bed
        .get(&made.path("/session/qr"))
        .headers(pair)
        .send()
        .await
        .ok();
    let data = &qr["data"];
    assert_eq!(data["qr_code"], data["QRCode"]);
    assert!(
        data["qr_code"]
            .as_str()
            .expect("a URL")
            .starts_with("data:image/png;base64,")
    );
    assert_eq!(
        (&data["pairing_status"], &data["status"]),
        (&json!("waiting"), &json!("qr_pending"))
    );
    assert!(
        (1..=60).contains(&data["expires_in"].as_i64().expect("seconds")),
        "{qr}"
    );
    for (format, kind, begins) in [
        ("png", "image/png", b"\x89PNG".as_slice()),
        ("svg", "image/svg+xml", b"<"),
        ("text", "text/plain", b""),
    ] {
        let path = made.path(&format!("/session/qr?format={format}"));
        let drawn = bed.get(&path).bearer(jwt).send().await.expect(200);
        assert!(
            drawn.header("content-type").starts_with(kind),
            "{}",
            drawn.header("content-type")
        );
        assert!(drawn.body.starts_with(begins), "{format}");
        assert_eq!(drawn.header("cache-control"), "no-store", "{format}");
    }
    let paired = bed.scan(&bed.a, &made, SHOP).await;
    assert!(paired.connected);
    let status = bed
        .get(&made.path("/session/status"))
        .headers(pair)
        .send()
        .await
        .ok();
    assert_eq!(status["data"]["connected"], true);
    assert_eq!(status["data"]["phone"], SHOP);
    assert_eq!(
        status["data"]["profile_url"],
        format!("https://wa.me/{SHOP}")
    );
    assert!(
        status["data"]["whatsapp_jid"]
            .as_str()
            .expect("a jid")
            .starts_with(SHOP)
    );

    // Out: the phone shows it, the customer is told by events.
    let sent = bed
        .send(
            &bed.a,
            &made,
            json!({"phone": CUSTOMER, "message": "Olá 🚀"}),
        )
        .await
        .ok();
    let message_id = sent["data"]["message_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    bed.wait_shown(CUSTOMER, "Olá 🚀").await;
    let event = bed
        .delivered("the message that was sent", |d| {
            d.body["event"]["info"]["id"] == message_id.as_str()
        })
        .await;
    verify_delivery(&secret, &event);
    assert_eq!(event.body["type"], "Message");
    assert_eq!(event.body["event"]["info"]["is_from_me"], true);
    assert_eq!(event.headers["x-instance-id"], made.id);
    let stamp: i64 = event.headers["webhook-timestamp"].parse().expect("seconds");
    assert!((now_secs(bed) - stamp).abs() < 60);

    // The phone reads it and answers.
    bed.sandbox
        .network()
        .read(CUSTOMER, SHOP)
        .expect("it reads");
    let receipt = bed
        .delivered("the read receipt", |d| {
            d.body["type"] == "ReadReceipt" && d.body["state"] == "Read"
        })
        .await;
    verify_delivery(&secret, &receipt);
    assert_eq!(receipt.body["event"]["message_i_ds"], json!([message_id]));
    let answer = bed
        .sandbox
        .network()
        .send_text(CUSTOMER, SHOP, "Oi!")
        .expect("it answers");
    let event = bed
        .delivered("the answer", |d| {
            d.body["event"]["info"]["id"] == answer.id.as_str()
        })
        .await;
    verify_delivery(&secret, &event);
    assert_eq!(event.body["event"]["message"]["conversation"], "Oi!");
    assert_eq!(event.body["event"]["info"]["is_from_me"], false);
    assert_eq!(event.body["instance_id"], made.id.as_str());
    assert!(!event.raw.contains("inst_") && !event.raw.contains("whsec_"));

    // MCP sees the same world; so does the Direct API (`direct`).
    let shop = bed.tool(&bed.a, "get_shop_status", json!({})).await;
    let shop = inner(&shop);
    assert_eq!(
        (&shop["success"], &shop["name"]),
        (&json!(true), &json!("Shop A"))
    );
    assert_eq!(shop["whatsapp"]["connected"], 1);
}

/// The structured outcome in a tool's first text.
pub fn inner(result: &Value) -> Value {
    let text = result["content"][0]["text"].as_str().expect("text");
    serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
}

async fn a_link_code_pairs_too(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "By code"})).await;
    let path = made.path(&format!("/session/paircode/{SHOP}"));
    let answer = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
    let code = answer["data"]["linking_code"].as_str().expect("a code");
    assert_eq!(answer["data"]["LinkingCode"], code);
    assert!(code.len() == 9 && code.as_bytes()[4] == b'-', "{code}");
    let paired = bed
        .sandbox
        .network()
        .pair(SHOP, code)
        .await
        .expect("the phone links it");
    assert!(paired.connected);
    let seen = bed.wait_state(&bed.a, &made, "connected").await;
    assert_eq!(
        (&seen["phone"], &seen["connected"]),
        (&json!(SHOP), &json!(true))
    );
    let again = bed.get(&path).bearer(&bed.a.jwt).send().await;
    again.refused(409, "already_connected");
}

async fn disconnect_keeps_the_pairing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let jid = bed.look(&bed.a, &made).await["whatsapp_jid"].clone();
    let done = bed
        .post(&made.path("/session/disconnect"))
        .bearer(&bed.a.jwt)
        .send()
        .await
        .ok();
    assert_eq!(
        (&done["instance_id"], &done["status"]),
        (&json!(made.id), &json!("disconnected"))
    );
    let seen = bed.wait_state(&bed.a, &made, "disconnected").await;
    assert_eq!(
        (&seen["connected"], &seen["status_reason"]),
        (&json!(true), &json!("disconnected_by_owner"))
    );
    let closed = bed.sandbox.network().wait_for(PATIENCE, |network| {
        let companions = network.phone(SHOP).ok()?.companions;
        assert_eq!(companions.len(), 1, "the pairing is kept");
        (!companions[0].connected).then_some(())
    });
    closed.await.expect("the socket is closed");
    // What arrives meanwhile waits at the network.
    bed.sandbox
        .network()
        .send_text(CUSTOMER, SHOP, "while away")
        .expect("sent");
    let refused = bed
        .send(&bed.a, &made, json!({"phone": CUSTOMER, "message": "x"}))
        .await;
    refused.refused(409, "instance_not_connected");

    let secret = bed.subscribe(&bed.a, &made, json!("All")).await;
    let back = bed
        .get(&made.path("/session/qr"))
        .bearer(&bed.a.jwt)
        .send()
        .await
        .ok();
    assert_eq!(back["data"]["pairing_status"], "connected");
    assert!(back["data"].get("qr_code").is_none(), "{back}");
    let seen = bed.wait_state(&bed.a, &made, "connected").await;
    assert_eq!(seen["whatsapp_jid"], jid, "no new pairing");
    let late = bed
        .delivered("what waited", |d| {
            d.body["event"]["message"]["conversation"] == "while away"
        })
        .await;
    verify_delivery(&secret, &late);
    bed.send(&bed.a, &made, json!({"phone": CUSTOMER, "message": "back"}))
        .await
        .expect(200);
    bed.wait_shown(CUSTOMER, "back").await;
}

async fn the_phone_logs_the_instance_out(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Disconnected"])).await;
    assert_eq!(bed.sandbox.network().logout(SHOP).expect("a phone"), 1);
    let seen = bed.wait_state(&bed.a, &made, "logged_out").await;
    assert_eq!(
        (&seen["connected"], &seen["status_reason"]),
        (&json!(false), &json!("logged_out_by_phone"))
    );
    assert!(
        seen["status_hint"]
            .as_str()
            .expect("a hint")
            .contains("session/qr")
    );
    let status = bed
        .get(&made.path("/session/status"))
        .bearer(&bed.a.jwt)
        .send()
        .await
        .ok();
    assert_eq!(status["data"], json!({"connected": false}));
    let told = bed
        .delivered("the end", |d| d.body["type"] == "Disconnected")
        .await;
    assert_eq!(told.body["event"]["reason"], "logged_out_by_phone");
    let refused = bed
        .send(&bed.a, &made, json!({"phone": CUSTOMER, "message": "x"}))
        .await;
    refused.refused(409, "instance_not_connected");
    // The same instance takes a new phone.
    bed.scan(&bed.a, &made, SHOP_TOO).await;
    assert_eq!(bed.look(&bed.a, &made).await["phone"], SHOP_TOO);
}

async fn deleting_ends_the_link(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    assert_eq!(
        bed.sandbox
            .network()
            .phone(SHOP)
            .expect("a phone")
            .companions
            .len(),
        1
    );
    let gone = bed
        .call("DELETE", &made.path(""))
        .bearer(&bed.a.jwt)
        .send()
        .await
        .expect(204);
    assert!(gone.body.is_empty());
    let lost = bed.sandbox.network().wait_for(PATIENCE, |network| {
        network
            .phone(SHOP)
            .ok()?
            .companions
            .is_empty()
            .then_some(())
    });
    lost.await.expect("the phone loses the link");
    // Its tokens died with it, at once; to the owner it looks like any missing one.
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", &made.token),
    ];
    bed.get(&made.path("/session/status"))
        .headers(pair)
        .send()
        .await
        .refused(401, "unauthorized");
    bed.get(&made.path(""))
        .bearer(&bed.a.jwt)
        .send()
        .await
        .refused(403, "forbidden");
    let device = bed.gateway().store.device(&bed.a.id, &made.instance());
    assert!(
        !device.exists().await.expect("an answer"),
        "nothing of the device stays"
    );
}

async fn a_restart_brings_instances_back(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let before = bed.look(&bed.a, &made).await;
    bed.stop().await;
    bed.sandbox
        .network()
        .send_text(CUSTOMER, SHOP, "during the night")
        .expect("sent");
    bed.restart().await;
    // Nobody asks for a QR: it comes back by itself.
    let after = bed.wait_state(&bed.a, &made, "connected").await;
    assert_eq!(after["whatsapp_jid"], before["whatsapp_jid"]);
    assert_eq!(
        bed.sandbox
            .network()
            .phone(SHOP)
            .expect("a phone")
            .companions
            .len(),
        1
    );
    until("the message of the night", async || {
        let mut conn = bed.read().await;
        let events = conn
            .account(&bed.a.id)
            .events(&made.instance(), None, 100)
            .await;
        let events = events.expect("events");
        let found = events
            .iter()
            .any(|e| e.payload["event"]["message"]["conversation"] == "during the night");
        found.then_some(())
    })
    .await;
    bed.send(
        &bed.a,
        &made,
        json!({"phone": CUSTOMER, "message": "good morning"}),
    )
    .await
    .expect(200);
    bed.wait_shown(CUSTOMER, "good morning").await;
}
