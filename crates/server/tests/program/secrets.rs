//! No secret that was issued is in the database file, the log or the metrics, in any disguise.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use recado_model::{AccountId, InstanceId};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    network::{Network, Shop, jwt},
    search::{Secret, found_in},
    support::{Answer, Home, call, text, wait_for},
};

const SHOP: &str = "5511999990001";
const ANA: &str = "5511999990002";
const SALES: &str = "5511999990003";
const GUEST: &str = "5511999990004";
const LATER: &str = "5511999990005";

/// The database with what is not yet moved out of its write-ahead log.
fn database(home: &Home) -> Vec<u8> {
    let mut all = fs::read(home.database()).expect("a database");
    for suffix in ["-wal", "-shm", "-journal"] {
        let file = format!("{}{suffix}", home.database().display());
        all.extend(fs::read(file).unwrap_or_default());
    }
    all
}

async fn metrics(home: &Home) -> Vec<u8> {
    let answer = call(Method::GET, &home.metrics, &[], None).await.ok();
    answer.as_str().expect("text").as_bytes().to_vec()
}

async fn mcp(home: &Home, token: &str, tool: &str, arguments: Value) -> Answer {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": tool, "arguments": arguments}});
    let bearer = format!("Bearer {token}");
    let headers = [
        ("authorization", bearer.as_str()),
        ("accept", "application/json, text/event-stream"),
    ];
    call(
        Method::POST,
        &format!("{}/api/mcp/", home.base),
        &headers,
        Some(body),
    )
    .await
}

/// A session of the Direct API: with a token the shop's, without one a guest's. Gives the answer of
/// its creation and the QR that paired it.
async fn direct(
    home: &Home,
    network: &Network,
    token: Option<&str>,
    phone: &str,
) -> (Value, String) {
    network.phone(phone, "Direct").await;
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers: Vec<_> = bearer
        .iter()
        .map(|bearer| ("authorization", bearer.as_str()))
        .collect();
    let url = format!("{}/sessions", home.base);
    let made = call(
        Method::POST,
        &url,
        &headers,
        Some(json!({"label": "Sales"})),
    )
    .await
    .ok();
    let (key, api_key) = (text(&made, "/key"), text(&made, "/apiKey"));
    let qr = wait_for("a QR", async || {
        let answer = call(
            Method::GET,
            &format!("{url}/{key}/qr?format=text"),
            &[],
            None,
        )
        .await;
        (answer.status == 200).then(|| answer.body.as_str().expect("text").trim().to_owned())
    })
    .await;
    network.scan(phone, &qr).await;
    wait_for("the session to be connected", async || {
        let answer = call(
            Method::GET,
            &format!("{url}/{key}"),
            &[("x-api-key", &api_key)],
            None,
        )
        .await;
        (answer.ok()["status"] == "connected").then_some(())
    })
    .await;
    (made, qr)
}

/// The private keys in the device rows of an instance, and the rows that are keys as a whole.
async fn device_keys(home: &Home, account: &str, instance: &str) -> Vec<Secret> {
    let store = home.store().await;
    let account = AccountId::from_text(account.to_owned());
    let instance = InstanceId::from_text(instance.to_owned());
    let rows = store.device(&account, &instance);
    let device = rows
        .get("device", "device")
        .await
        .expect("an answer")
        .expect("a device");
    let device: Value = serde_json::from_slice(&device).expect("JSON");
    let mut found = Vec::new();
    for field in [
        "noise_key",
        "identity_key",
        "signed_pre_key",
        "adv_secret_key",
    ] {
        let bytes: Vec<u8> = serde_json::from_value(device[field].clone()).expect("bytes");
        assert!(
            bytes.len() == 64 || field == "adv_secret_key",
            "{field} has {} bytes",
            bytes.len()
        );
        // The private half comes first.
        found.push(Secret::bytes(&format!("{instance} {field}"), &bytes[..32]));
    }
    for space in [
        "session",
        "prekey",
        "signed_prekey",
        "identity",
        "sync_key",
        "secret",
    ] {
        for row in rows.scan(space).await.expect("the rows") {
            if row.value.len() >= 16 {
                let mut secret = Secret::bytes(&format!("{instance} {space}"), &row.value);
                let middle = row.value.len() / 2;
                secret.push("a piece", &row.value[middle - 8..middle + 8]);
                found.push(secret);
            }
        }
    }
    let kinds = |kind: &str| {
        found
            .iter()
            .filter(|secret| secret.name.ends_with(kind))
            .count()
    };
    assert!(
        kinds(" session") > 0 && kinds(" prekey") > 0,
        "the rows are where this looks for them"
    );
    store.close().await;
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nowhere() {
    let network = Network::start().await;
    network.phone(ANA, "Ana").await;
    let mut home = Home::on(&network);
    home.set(
        "LOG",
        "debug,recado=trace,recado_model=trace,recado_store=trace,recado_engine=trace,recado_identity=trace,recado_app=trace,recado_api=trace",
    );
    let file = home.folder().join("password");
    fs::write(&file, "correct-horse-battery-staple").expect("a file");
    let mut secrets = vec![Secret::text(
        "chosen password",
        "correct-horse-battery-staple",
    )];
    let password = file.display().to_string();
    home.out(&[
        "account",
        "create",
        "--name",
        "Other",
        "--email",
        "other@shop.example",
        "--password-file",
        &password,
    ]);
    let account = home.account("Shop", "owner@shop.example");
    for field in [
        "owner_password",
        "client_token",
        "client_secret",
        "api_token",
    ] {
        secrets.push(Secret::text(field, &text(&account, &format!("/{field}"))));
    }
    let master = fs::read_to_string(home.data().join("master.key")).expect("a key");
    secrets.push(Secret::text("master key", master.trim()));
    secrets.push(Secret::bytes(
        "master key bytes",
        &STANDARD.decode(master.trim()).expect("base64"),
    ));

    let mut gateway = home.serve().await;
    let token = jwt(&home, &account).await;
    secrets.push(Secret::jwt("owner JWT", &token));
    let shop = Shop::paired(&home, &network, &account, SHOP).await;
    secrets.push(Secret::text("instance token", &shop.instance_token));
    let body = json!({"webhookURL": network.receiver, "events": "All"});
    let set = shop.call(Method::POST, "webhook", Some(body)).await.ok();
    let signing = text(&set, "/data/signing_secret");
    secrets.push(Secret::text(
        "signing secret",
        signing.trim_start_matches("whsec_"),
    ));
    let bytes = STANDARD
        .decode(signing.trim_start_matches("whsec_"))
        .expect("base64");
    secrets.push(Secret::bytes("signing secret bytes", &bytes));

    // All ways to present them: right, wrong place, in a query, in a body that does not parse.
    let bearer = format!("Bearer {token}");
    let base = &home.base;
    call(
        Method::GET,
        &format!("{base}/instances/{}?token={token}", shop.id),
        &[("authorization", &bearer)],
        None,
    )
    .await;
    call(
        Method::POST,
        &format!("{base}/instances/list"),
        &[("authorization", &bearer)],
        Some(json!({})),
    )
    .await
    .ok();
    let api_token = text(&account, "/api_token");
    let wrong = format!("Bearer {api_token}");
    call(
        Method::POST,
        &format!("{base}/instances/list"),
        &[("authorization", &wrong)],
        Some(json!({})),
    )
    .await;
    call(
        Method::POST,
        &format!("{base}/token"),
        &[],
        Some(json!([account["client_secret"]])),
    )
    .await;
    call(Method::GET, &format!("{base}/{token}"), &[], None).await;
    call(
        Method::GET,
        &format!("{base}/sessions/{api_token}"),
        &[],
        None,
    )
    .await;
    let name = json!({"name": account["owner_password"], "nonsense": account["client_secret"]});
    call(
        Method::PUT,
        &format!("{base}/instances/create"),
        &[("x-client-token", &api_token)],
        Some(name),
    )
    .await;

    // Messages both ways, MCP, both kinds of Direct session, a link code.
    shop.send(ANA, "hello", "3EB0AAAAAAAA").await;
    let answer = network.send(ANA, SHOP, "hi").await;
    wait_for("the answer at the receiver", async || {
        let told = network.delivered().await;
        (told.contains(&answer) && told.contains("3EB0AAAAAAAA")).then_some(())
    })
    .await;
    mcp(&home, &api_token, "get_shop_status", json!({}))
        .await
        .ok();
    mcp(
        &home,
        &api_token,
        "send_whatsapp_message",
        json!({"phone": ANA, "message": "x", "token": token}),
    )
    .await;
    let (session, qr) = direct(&home, &network, Some(&api_token), SALES).await;
    secrets.push(Secret::text("QR", &qr));
    let (key, api_key) = (text(&session, "/key"), text(&session, "/apiKey"));
    secrets.push(Secret::text("session key", &api_key));
    secrets.push(Secret::text("session name", &key));
    let body = json!({"to": ANA, "text": "from the Direct API"});
    call(
        Method::POST,
        &format!("{base}/sessions/{key}/messages"),
        &[("x-api-key", &api_key)],
        Some(body),
    )
    .await
    .ok();
    let (guest, qr) = direct(&home, &network, None, GUEST).await;
    secrets.push(Secret::text("guest's QR", &qr));
    secrets.push(Secret::text("guest's key", &text(&guest, "/apiKey")));
    secrets.push(Secret::text("guest's name", &text(&guest, "/key")));
    let url = format!("{base}/instances/create");
    let made = call(
        Method::PUT,
        &url,
        &[("authorization", &bearer)],
        Some(json!({"name": "Later"})),
    )
    .await
    .ok();
    network.phone(LATER, "Later").await;
    let url = format!(
        "{base}/instances/{}/session/paircode/{LATER}",
        text(&made, "/id")
    );
    let code = call(Method::GET, &url, &[("authorization", &bearer)], None)
        .await
        .ok();
    let code = text(&code, "/data/linking_code");
    secrets.push(Secret {
        name: "link code".to_owned(),
        forms: vec![("raw".to_owned(), code.replace('-', "").into_bytes())],
    });
    wait_for("the Direct message on the phone", async || {
        let shown = network.shown(ANA).await;
        shown
            .iter()
            .any(|message| message["text"] == "from the Direct API")
            .then_some(())
    })
    .await;

    let account_id = text(&account, "/account_id");
    secrets.extend(device_keys(&home, &account_id, &shop.id).await);
    secrets.extend(device_keys(&home, &account_id, &text(&session, "/id")).await);

    // The control: a secret in an open column is found, or finding nothing would mean nothing.
    let planted = "ct_0PlantedPlantedPlantedPlanted0aB3dE6";
    let url = format!("{base}/instances/create");
    let body = json!({"name": planted});
    call(Method::PUT, &url, &[("authorization", &bearer)], Some(body))
        .await
        .ok();

    let mut places = vec![
        ("the running database", database(&home)),
        ("the metrics", metrics(&home).await),
    ];
    gateway.signal(rustix::process::Signal::TERM);
    assert_eq!(gateway.ended(), Some(0));
    places.push(("the database at rest", database(&home)));
    places.push(("the log", home.log().into_bytes()));
    assert!(
        home.log().contains("TRACE") || home.log().contains("DEBUG"),
        "the log is a talkative one"
    );

    let planted = Secret::text("planted", planted);
    for (place, bytes) in &places {
        let is_there = !found_in([&planted], bytes).is_empty();
        assert_eq!(
            is_there,
            place.contains("database"),
            "the control in {place}"
        );
    }
    let mut found = Vec::new();
    for (place, bytes) in &places {
        let here = found_in(&secrets, bytes);
        found.extend(here.into_iter().map(|what| format!("{what} in {place}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}
