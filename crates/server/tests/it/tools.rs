//! The MCP tools: the confirmation step, sessions of others, linking a number.

use recado_model::Language;
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, SHOP},
    story::inner,
};

on_both! {
    sending_is_confirmed_first,
    a_confirmation_is_in_the_accounts_words,
    sessions_of_others_look_missing,
    linking_by_tools,
    looking_connects_nothing,
}

async fn sending_is_confirmed_first(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let instance = bed.get(&made.path("")).bearer(&bed.a.jwt).send().await.ok();
    let name = instance["name"].as_str().expect("a name").to_owned();
    let ask = json!({"phone": format!("+{CUSTOMER}"), "message": "really?"});
    let with = |name: &str, value: Value| {
        let mut arguments = ask.clone();
        arguments[name] = value;
        arguments
    };
    for arguments in [
        ask.clone(),
        with("confirm", json!(false)),
        with("confirm", json!(null)),
        with("confirm", json!("")),
        with("confirm", json!(0)),
    ] {
        let asked = bed.tool(&bed.a, "send_whatsapp_message", arguments).await;
        assert_eq!(asked["isError"], false, "not an error: {asked}");
        let text = asked["content"][0]["text"].as_str().expect("text");
        let due = format!(
            "⚠️ CONFIRMACION REQUERIDA: Enviar mensaje de WhatsApp\n\
             A real WhatsApp message will be sent. It can be deleted afterwards, but not unread.\n\
             To: +{CUSTOMER}\nFrom: {name} (session_id {}, +{SHOP})\nText: really?\n\n\
             To do it, call again with confirm: true",
            made.number
        );
        assert_eq!(text, due);
    }
    // What may have been meant as a yes is named, and not asked for ever.
    for word in [json!("yes"), json!(2), json!([])] {
        let refused = bed
            .tool(&bed.a, "send_whatsapp_message", with("confirm", word))
            .await;
        assert_eq!(refused["isError"], true, "{refused}");
        let text = refused["content"][0]["text"].as_str().expect("text");
        assert!(text.contains("confirm must be true"), "{text}");
    }
    // Nothing was sent by asking; a marker shows that the queue is empty.
    for (text, confirm) in [
        ("marker", json!(true)),
        ("marker 2", json!("true")),
        ("marker 3", json!(1)),
    ] {
        let arguments = json!({"phone": CUSTOMER, "message": text, "confirm": confirm, "session_id": made.number, "action": "send"});
        let sent = inner(&bed.tool(&bed.a, "send_whatsapp_message", arguments).await);
        assert_eq!(
            (
                &sent["success"],
                &sent["accepted"],
                &sent["status"],
                &sent["queued"]
            ),
            (&json!(true), &json!(true), &json!("sent"), &json!(false)),
            "{sent}"
        );
        assert!(sent["queue_id"].is_i64(), "{sent}");
        assert_eq!(sent["scheduled_at"], Value::Null);
        assert!(sent["message_id"].is_string(), "{sent}");
        bed.wait_shown(CUSTOMER, text).await;
    }
    assert_eq!(bed.shown(CUSTOMER, "really?"), 0);
    // What cannot be done is said before anybody confirms it.
    for (arguments, text) in [
        (json!({"message": "x"}), "Error: phone is required"),
        (
            json!({"phone": CUSTOMER, "message": "x", "session_id": "one"}),
            "Error: session_id",
        ),
        (json!({"phone": CUSTOMER, "message": ""}), "Error: message"),
        (json!({"phone": "12", "message": "x"}), "Error: phone"),
        (
            json!({"phone": CUSTOMER, "message": "x", "session_id": 99}),
            "Error: session 99 not found",
        ),
        (
            json!({"phone": CUSTOMER, "media_url": "ftp://example.com/x"}),
            "Error: media_url",
        ),
        (
            json!({"phone": CUSTOMER, "message": "x", "valid_until": "soon"}),
            "Error: valid_until",
        ),
    ] {
        let refused = bed.tool(&bed.a, "send_whatsapp_message", arguments).await;
        assert_eq!(refused["isError"], true);
        assert!(
            refused["content"][0]["text"]
                .as_str()
                .expect("text")
                .starts_with(text),
            "{refused}"
        );
    }
    let refused = bed
        .tool(
            &bed.b,
            "send_whatsapp_message",
            with("confirm", json!(true)),
        )
        .await;
    assert_eq!(
        (&refused["isError"], &refused["content"][0]["text"]),
        (&json!(true), &json!("Error: Session not connected"))
    );
}

async fn a_confirmation_is_in_the_accounts_words(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let mut conn = bed.gateway().store.write().await.expect("writes");
    let mut account = conn.account(&bed.a.id);
    account.set_language(Language::Spanish).await.expect("sets");
    conn.commit().await.expect("commits");
    let network = bed.sandbox.network();
    let hello = network.send_text(CUSTOMER, SHOP, "hola").expect("writes");
    bed.delivered("a greeting", |d| {
        d.body["event"]["info"]["id"] == hello.id.as_str()
    })
    .await;
    let shown = async |tool: &str, arguments: Value| {
        let asked = bed.tool(&bed.a, tool, arguments).await;
        assert_eq!(asked["isError"], false, "{asked}");
        asked["content"][0]["text"]
            .as_str()
            .expect("text")
            .to_owned()
    };
    let known = format!("Para: Ana (+{CUSTOMER})\n");
    for (tool, arguments, what) in [
        (
            "send_whatsapp_message",
            json!({"media_url": "https://example.com/menu.pdf", "media_type": "document", "caption": "La carta"}),
            "Archivo: document: https://example.com/menu.pdf\nTexto: La carta\n",
        ),
        (
            "send_whatsapp_location",
            json!({"latitude": 1.5, "longitude": 2, "name": "Plaza"}),
            "Lugar: Plaza — 1.5, 2\n",
        ),
        (
            "send_whatsapp_contact",
            json!({"contact_name": "Ana", "contact_phone": "34600000000"}),
            "Tarjeta de contacto: Ana (",
        ),
    ] {
        let mut arguments = arguments;
        arguments["phone"] = json!(CUSTOMER);
        let text = shown(tool, arguments).await;
        assert!(text.starts_with("⚠️ CONFIRMACION REQUERIDA: "), "{text}");
        assert!(text.contains(&known) && text.contains(what), "{text}");
        assert!(
            text.ends_with("Para ejecutar, llama de nuevo con confirm: true"),
            "{text}"
        );
    }
    let text = shown("regenerate_api_key", json!({"confirmation": true})).await;
    assert!(text.contains("No se puede deshacer"), "{text}");
    assert_eq!(bed.shown(CUSTOMER, "La carta"), 0);
}

async fn sessions_of_others_look_missing(bed: &mut Bed) {
    // The second shop's numbers go further than the first's.
    for name in ["Theirs 1", "Theirs 2", "Theirs 3"] {
        bed.create(&bed.b, json!({"name": name})).await;
    }
    let mine = bed.create(&bed.a, json!({"name": "Mine"})).await;
    assert_eq!(mine.number, 1, "numbers count within a shop");
    for (tool, extra) in [
        ("get_whatsapp_status", json!({})),
        ("get_whatsapp_qr", json!({})),
        (
            "send_whatsapp_message",
            json!({"phone": CUSTOMER, "message": "x", "confirm": true}),
        ),
    ] {
        for number in [3, 4711, 0, -1, i64::MAX] {
            let mut arguments = extra.clone();
            arguments["session_id"] = json!(number);
            let refused = bed.tool(&bed.a, tool, arguments).await;
            let due = json!({"content": [{"type": "text", "text": format!("Error: session {number} not found")}], "isError": true});
            assert_eq!(refused, due, "{tool}");
        }
    }
    let seen = inner(
        &bed.tool(&bed.a, "get_whatsapp_status", json!({"session_id": 1}))
            .await,
    );
    assert_eq!(
        (&seen["total"], &seen["sessions"][0]["label"]),
        (&json!(1), &json!("Mine"))
    );
    let all = inner(&bed.tool(&bed.a, "get_whatsapp_status", json!({})).await);
    assert!(!all.to_string().contains("Theirs"), "{all}");
}

async fn linking_by_tools(bed: &mut Bed) {
    let none = bed.tool(&bed.a, "get_whatsapp_qr", json!({})).await;
    assert_eq!(none["isError"], true, "{none}");
    let shown = bed
        .tool(&bed.a, "connect_whatsapp", json!({"label": "Front desk"}))
        .await;
    let state = inner(&shown);
    assert_eq!(
        (&state["success"], &state["status"], &state["session_id"]),
        (&json!(true), &json!("qr_pending"), &json!(1))
    );
    assert_eq!(
        (
            &shown["content"][1]["type"],
            &shown["content"][1]["mimeType"]
        ),
        (&json!("image"), &json!("image/png"))
    );
    assert!(
        shown["content"][1]["data"]
            .as_str()
            .expect("data")
            .starts_with("iVBOR")
    );
    // The text inside the QR would pair: it is in the picture alone.
    assert!(!shown["content"][0].to_string().contains("2@"), "{shown}");
    let again = inner(&bed.tool(&bed.a, "connect_whatsapp", json!({})).await);
    assert_eq!(again["session_id"], 1, "an idle one is used again");
    let other = inner(
        &bed.tool(&bed.a, "connect_whatsapp", json!({"force_new": true}))
            .await,
    );
    assert_eq!(other["session_id"], 2);
    let long = bed
        .tool(&bed.a, "connect_whatsapp", json!({"label": "x".repeat(51)}))
        .await;
    assert_eq!(long["isError"], true);
    // The phone reads it; every surface knows.
    let list = bed
        .post("/instances/list")
        .bearer(&bed.a.jwt)
        .json(json!({"sort": "createdAt"}))
        .send()
        .await
        .ok();
    let first = &list["content"][0];
    assert_eq!(
        (&first["name"], &first["session_id"]),
        (&json!("Front desk"), &json!(1))
    );
    let made = crate::gateway::Made {
        id: first["id"].as_str().expect("an id").to_owned(),
        token: String::new(),
        number: 1,
    };
    bed.scan(&bed.a, &made, SHOP).await;
    let seen = inner(
        &bed.tool(&bed.a, "get_whatsapp_status", json!({"session_id": 1}))
            .await,
    );
    let row = &seen["sessions"][0];
    assert_eq!(
        (&row["id"], &row["status"], &row["phone"]),
        (&json!(1), &json!("connected"), &json!(SHOP))
    );
    let linked = bed
        .tool(&bed.a, "get_whatsapp_qr", json!({"session_id": 1}))
        .await;
    assert_eq!(inner(&linked)["status"], "connected");
    assert_eq!(
        linked["content"].as_array().map(Vec::len),
        Some(1),
        "no picture"
    );
}

async fn looking_connects_nothing(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.post(&made.path("/session/disconnect"))
        .bearer(&bed.a.jwt)
        .json(json!({}))
        .send()
        .await
        .expect(200);
    bed.wait_state(&bed.a, &made, "disconnected").await;
    for arguments in [json!({}), json!({"session_id": made.number})] {
        let linked = bed.tool(&bed.a, "get_whatsapp_qr", arguments).await;
        let state = inner(&linked);
        assert_eq!(
            (&state["session_id"], &state["status"], &state["phone"]),
            (&json!(made.number), &json!("disconnected"), &json!(SHOP)),
            "{linked}"
        );
        assert!(
            state["message"]
                .as_str()
                .expect("text")
                .contains("linked already")
        );
        assert_eq!(linked["content"].as_array().map(Vec::len), Some(1));
    }
    // What its owner ended stays ended.
    let seen = bed.look(&bed.a, &made).await;
    assert_eq!(seen["status"], "disconnected", "{seen}");
    let mut conn = bed.read().await;
    let row = conn
        .account(&bed.a.id)
        .instance(&made.instance())
        .await
        .expect("a look")
        .expect("a row");
    assert!(!row.wanted, "nobody asked for a connection");
}
