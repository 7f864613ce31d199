//! The audit log: who did what to the account, from where; read in pages, kept for its time.

use serde_json::{Value, json};

use crate::{
    gateway::text,
    gateway::{Bed, until},
};

on_both! {
    with = "audit.retention_days = 30\n";
    every_act_leaves_a_row,
    pages_go_back_in_time,
    what_is_old_enough_goes,
}

fn entries(log: &Value) -> &Vec<Value> {
    log["entries"].as_array().expect("entries")
}

/// K-06: who, what, when, from where, on which key.
async fn every_act_leaves_a_row(bed: &mut Bed) {
    let own = bed.first_of("client_secret").await;
    let made = bed
        .issue(json!({"kind": "client", "label": "ci \"quoted\" \\ <b>"}))
        .await;
    let id = text(&made, "id");
    bed.act(&id, "reveal", json!({})).await.expect(200);
    bed.change_credential(&id, json!({"networks": ["10.0.0.0/8"]}))
        .await
        .expect(200);
    // What changes nothing leaves no row.
    for nothing in [json!({}), json!({"networks": "10.9.9.9/8"})] {
        bed.change_credential(&id, nothing).await.expect(200);
    }
    let new = bed
        .act(&id, "rotate", json!({"grace_seconds": 60}))
        .await
        .ok();
    bed.revoke_credential(&text(&new, "id")).await.expect(204);
    bed.account_call(&bed.a, "POST", "/sign-out")
        .send()
        .await
        .expect(200);
    let jwt = bed.token_of(&bed.a).await;
    let read = async |query: &str| {
        let call = bed.get(&format!("/account/audit{query}")).bearer(&jwt);
        call.send().await.ok()
    };
    // Others write rows of their own; what happened to credentials is in the order it happened in.
    let log = read("?limit=500").await;
    let ours: Vec<&Value> = entries(&log)
        .iter()
        .filter(|entry| text(entry, "kind").starts_with("credential."))
        .filter(|entry| entry["detail"]["by"]["credential"] == own.as_str())
        .filter(|entry| {
            !["credential.first_used", "credential.refused"].contains(&text(entry, "kind").as_str())
        })
        .collect();
    let kinds: Vec<String> = ours.iter().map(|entry| text(entry, "kind")).collect();
    assert_eq!(
        kinds,
        [
            "credential.signed_out",
            "credential.revoked",
            "credential.rotated",
            "credential.changed",
            "credential.shown",
            "credential.created",
        ]
    );
    for entry in &ours {
        assert!(text(entry, "id").starts_with("AU"));
        assert!(text(entry, "at").ends_with('Z'));
        let detail = &entry["detail"];
        assert_eq!(detail["by"]["proof"], "client_jwt");
        assert_eq!(detail["from"], "127.0.0.1");
        if text(entry, "kind") != "credential.signed_out" {
            assert_eq!(detail["credential_kind"], "client_token");
            assert_eq!(detail["label"], made["label"]);
            assert!(text(detail, "hint").starts_with("ct_…"));
        }
    }
    let rotated = &ours[2]["detail"];
    assert_eq!(
        (&rotated["credential"], &rotated["successor"]),
        (&made["id"], &new["id"])
    );
    assert_eq!(rotated["grace_until"], new["replaces"]["grace_until"]);
    assert_eq!(ours[3]["detail"]["networks"], json!(["10.0.0.0/8"]));
    // Instances and webhooks say by whom, too; the account itself came from the operator.
    bed.call("PUT", "/instances/create")
        .bearer(&jwt)
        .json(json!({"name": "Logged", "webhook": "https://example.org/hook"}))
        .send()
        .await
        .expect(200);
    let of_instance = read("?kind=instance.created").await;
    let detail = &entries(&of_instance)[0]["detail"];
    assert_eq!(
        (&detail["by"]["proof"], &detail["from"]),
        (&json!("client_jwt"), &json!("127.0.0.1"))
    );
    let first = read("?kind=account.created").await;
    assert_eq!(
        entries(&first)[0]["detail"]["by"],
        json!({"proof": "operator"})
    );
    // No secret in any of it.
    let whole = read("?limit=500").await.to_string();
    assert!(!whole.contains(&jwt));
    for secret in [
        text(&made, "client_token"),
        text(&made, "client_secret"),
        text(&new, "client_token"),
        text(&new, "client_secret"),
        bed.a.client_token.clone(),
        bed.a.client_secret.clone(),
        bed.a.api_token.clone(),
    ] {
        assert!(!whole.contains(&secret[..12]), "{}", &secret[..3]);
    }
    // The other shop reads its own.
    let theirs = bed.account_call(&bed.b, "GET", "/audit").send().await.ok();
    assert!(!theirs.to_string().contains(&id));
}

async fn pages_go_back_in_time(bed: &mut Bed) {
    for n in 0..7 {
        bed.issue(json!({"kind": "api_token", "label": format!("token {n}")}))
            .await;
    }
    let kind = "kind=credential.created";
    let (mut seen, mut next) = (Vec::new(), Value::Null);
    for _ in 0..4 {
        let before = next
            .as_str()
            .map(|next| format!("&before={next}"))
            .unwrap_or_default();
        let page = bed.audit(&format!("?limit=2&{kind}{before}")).await;
        let labels = entries(&page)
            .iter()
            .map(|entry| text(&entry["detail"], "label"));
        seen.extend(labels);
        next = page["next"].clone();
    }
    assert_eq!(next, Value::Null, "seven are four pages of two");
    let due: Vec<_> = (0..7).rev().map(|n| format!("token {n}")).collect();
    assert_eq!(seen, due);
    let whole = bed.audit(&format!("?limit=7&{kind}")).await;
    assert_eq!((entries(&whole).len(), &whole["next"]), (7, &Value::Null));
    assert_eq!(entries(&bed.audit("?kind=webhook.set").await).len(), 0);
    for bad in [
        "limit=0",
        "limit=501",
        "before=x",
        "before=1-%27",
        "before=1",
        "kind=no.such",
        "kind=",
    ] {
        let call = bed.account_call(&bed.a, "GET", &format!("/audit?{bad}"));
        call.send().await.refused(400, "invalid_field");
    }
    let call = bed.account_call(&bed.a, "GET", "/audit?limit=many");
    call.send().await.refused(400, "invalid_request");
}

async fn what_is_old_enough_goes(bed: &mut Bed) {
    let gone = bed
        .issue(json!({"kind": "api_token", "label": "gone"}))
        .await;
    bed.revoke_credential(&text(&gone, "id")).await.expect(204);
    let day = 24 * 3600;
    bed.clock.jump_secs(29 * day);
    bed.log_in().await;
    let kept = bed
        .issue(json!({"kind": "api_token", "label": "kept"}))
        .await;
    bed.clock.jump_secs(2 * day);
    bed.log_in().await;
    let labels = async |bed: &Bed| -> Vec<String> {
        let log = bed.audit("?kind=credential.created").await;
        let labels = entries(&log)
            .iter()
            .map(|entry| text(&entry["detail"], "label"));
        labels.collect()
    };
    until("the old row to go", async || {
        (labels(bed).await == ["kept"]).then_some(())
    })
    .await;
    // Ended credentials are listed for 90 days.
    let ids = async |bed: &Bed| -> Vec<Value> {
        let all = bed.list_credentials("?kind=api_token&state=all").await;
        all.iter().map(|row| row["id"].clone()).collect()
    };
    assert!(ids(bed).await.contains(&gone["id"]));
    bed.clock.jump_secs(60 * day);
    bed.log_in().await;
    until("the ended one to go", async || {
        (!ids(bed).await.contains(&gone["id"])).then_some(())
    })
    .await;
    assert!(ids(bed).await.contains(&kept["id"]));
    assert_eq!(
        bed.by_api_token(&bed.a.api_token).await,
        200,
        "what lives stays"
    );
}
