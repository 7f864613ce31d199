//! Where nothing is free: a new instance is unpaid from the beginning, and every surface says so.

use recado::cli::BillingCommand;
use recado_api::auth::Rule;
use serde_json::{Value, json};

use super::{ask, grant, operator, standing};
use crate::{
    gateway::{Bed, CUSTOMER, SHOP},
    story::inner,
};

on_both! {
    with = "billing.provider = \"manual\"\nbilling.trial_days = 0\n";
    every_surface_says_so,
    a_paid_number_is_chosen,
    what_stays_open,
    guests_pay_nothing,
}

const WORDS: &str = "This instance is not paid for. The shop's owner subscribes (POST /instances/{id}/subscribe) or asks the operator; the pairing is kept.";

async fn every_surface_says_so(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Unpaid"})).await;
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    let mut asked = 0;
    for row in recado_api::routes() {
        if row.rule != Rule::Instance {
            continue;
        }
        let path = row.path.replace("{id}", &made.id).replace("{phone}", SHOP);
        let call = || bed.call(&row.method, &path).body("{");
        // Never before the proof, and never before the body is looked at.
        call().send().await.refused(401, "unauthorized");
        let foreign = call().bearer(&bed.b.jwt).send().await;
        foreign.refused(403, "forbidden");
        for answer in [
            call().bearer(&bed.a.jwt).send().await,
            call().headers(pair).send().await,
        ] {
            let body = answer.refused(402, "payment_required");
            assert_eq!(body["error"], WORDS);
        }
        asked += 1;
    }
    assert!(asked >= 7, "{asked}");

    // The Direct API, in its own shape; a foreign key learns nothing of it.
    let create = |token: &str| bed.post("/sessions").bearer(token).json(json!({}));
    let mine = create(&bed.a.api_token).send().await.ok();
    let theirs = create(&bed.b.api_token).send().await.ok();
    let text = |made: &Value, name: &str| made[name].as_str().expect("text").to_owned();
    let (name, key) = (text(&mine, "key"), text(&mine, "apiKey"));
    for (method, below) in [("GET", ""), ("GET", "/qr"), ("POST", "/messages")] {
        let path = format!("/sessions/{name}{below}");
        let call = || bed.call(method, &path);
        let answer = call().header("x-api-key", &key).send().await;
        assert_eq!(answer.expect(402).json(), json!({ "error": WORDS }));
        let foreign = call().header("x-api-key", &text(&theirs, "apiKey"));
        foreign.send().await.expect(401);
    }

    // MCP: a result that is an error, never a protocol error.
    let send =
        json!({"session_id": made.number, "phone": CUSTOMER, "message": "x", "confirm": true});
    let qr = json!({ "session_id": made.number });
    // Which number is meant makes no difference.
    let any = json!({"phone": CUSTOMER, "message": "x", "confirm": true});
    for (tool, arguments) in [
        ("send_whatsapp_message", send),
        ("send_whatsapp_message", any),
        ("get_whatsapp_qr", qr),
        ("get_whatsapp_qr", json!({})),
        ("connect_whatsapp", json!({})),
    ] {
        let result = bed.tool(&bed.a, tool, arguments).await;
        assert_eq!(result["isError"], true, "{result}");
        assert_eq!(result["content"][0]["text"], "Error: No credits available");
    }
    let shop = inner(&bed.tool(&bed.a, "get_shop_status", json!({})).await);
    assert_eq!(shop["credits"], json!({"unlimited": false, "unpaid": 2}));
    // Another shop's debts are its own.
    let theirs = inner(&bed.tool(&bed.b, "get_shop_status", json!({})).await);
    assert_eq!(theirs["credits"], json!({"unlimited": false, "unpaid": 1}));
    // Nothing was started, and no message was kept.
    let seen = bed.look(&bed.a, &made).await;
    assert_eq!(seen["status"], "disconnected");
    let mut conn = bed.read().await;
    let waiting = conn.account(&bed.a.id).job_count(&made.instance()).await;
    assert_eq!(waiting.expect("counts"), 0);
}

async fn a_paid_number_is_chosen(bed: &mut Bed) {
    let first = bed.create(&bed.a, json!({"name": "First"})).await;
    let second = bed.create(&bed.a, json!({"name": "Second"})).await;
    grant(bed, &first, 30).await.expect("granted");
    let qr = inner(&bed.tool(&bed.a, "get_whatsapp_qr", json!({})).await);
    assert_eq!(qr["session_id"], first.number, "{qr}");
    // Nobody is connected, and one of the two lacks payment, which is said.
    let any = json!({"phone": CUSTOMER, "message": "x", "confirm": true});
    let result = bed.tool(&bed.a, "send_whatsapp_message", any.clone()).await;
    assert_eq!(result["content"][0]["text"], "Error: No credits available");
    grant(bed, &second, 30).await.expect("granted");
    let result = bed.tool(&bed.a, "send_whatsapp_message", any).await;
    assert_eq!(result["content"][0]["text"], "Error: Session not connected");
    let shop = inner(&bed.tool(&bed.a, "get_shop_status", json!({})).await);
    assert_eq!(shop["credits"], json!({"unlimited": true}));
}

async fn what_stays_open(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Unpaid"})).await;
    assert_eq!(standing(bed, &made).await.0, "UNPAID");
    let list = bed.post("/instances/list").bearer(&bed.a.jwt);
    let list = list.json(json!({})).send().await.ok();
    assert_eq!(list["content"][0]["billing_status"], "UNPAID");
    let get = bed.post("/instances/get").bearer(&bed.a.jwt);
    get.json(json!({"id": made.id})).send().await.ok();
    let status = bed.tool(&bed.a, "get_whatsapp_status", json!({})).await;
    assert_ne!(status["isError"], true, "{status}");
    ask(bed, "POST", &made, "/subscribe").await.ok();
    ask(bed, "PUT", &made, "/cancel").await.ok();
    assert_eq!(standing(bed, &made).await.0, "CANCELED");
    ask(bed, "DELETE", &made, "").await.expect(204);
}

async fn guests_pay_nothing(bed: &mut Bed) {
    let created = bed.post("/sessions").json(json!({})).send().await.ok();
    let text = |name: &str| created[name].as_str().expect("text");
    let path = format!("/sessions/{}", text("key"));
    let read = bed.get(&path).header("x-api-key", text("apiKey"));
    read.send().await.expect(200);
    let qr = bed.get(&format!("{path}/qr")).send().await.ok();
    assert_eq!(qr["status"], "qr_pending");
    // Nor do they bother the operator.
    let table = operator(bed, BillingCommand::List { json: true }).await;
    assert_eq!(table.as_deref(), Ok("[]\n"));
}
