//! What an instance is paid for: the owner's four routes, the operator's command line, and what happens
//! to a connection that nobody pays for.

mod connection;
mod off;
mod unpaid;

use recado::{cli::BillingCommand, commands::billing::act};
use recado_app::{BillingConfig, billing::ProviderKind};
use recado_model::{
    Clock as _, InstanceId, Timestamp,
    instance::{NewInstance, Origin},
};
use serde_json::{Value, json};

use crate::gateway::{Answer, Bed, Made, until};

on_both! {
    with = "billing.provider = \"manual\"\nbilling.trial_days = 7\n";
    a_whole_life,
    resuming_is_for_what_still_runs,
    only_the_owner_pays,
    the_operator_is_told_what_is_wrong,
    a_claimed_session_begins_its_trial,
}

const DAY: i64 = 24 * 3600;

fn manual() -> BillingConfig {
    BillingConfig {
        provider: ProviderKind::Manual,
        ..BillingConfig::default()
    }
}

/// `recado billing …`, as another process would do it.
async fn operator(bed: &Bed, command: BillingCommand) -> Result<String, String> {
    act(&bed.gateway().store, &*bed.clock, &manual(), command)
        .await
        .map_err(|error| error.to_string())
}

async fn grant(bed: &Bed, made: &Made, days: u32) -> Result<String, String> {
    let command = BillingCommand::Grant {
        instance: made.id.clone(),
        days: Some(days),
        until: None,
        json: true,
    };
    operator(bed, command).await
}

async fn end(bed: &Bed, made: &Made) -> Result<String, String> {
    let command = BillingCommand::End {
        instance: made.id.clone(),
        json: true,
    };
    operator(bed, command).await
}

/// What the operator's list says of an instance.
async fn listed(bed: &Bed, made: &Made) -> Value {
    let text = operator(bed, BillingCommand::List { json: true }).await;
    let rows: Value = serde_json::from_str(&text.expect("a list")).expect("JSON");
    let rows = rows.as_array().expect("rows").iter();
    let mut found = rows.filter(|row| row["instance_id"] == made.id.as_str());
    found.next().expect("the instance").clone()
}

async fn ask(bed: &Bed, method: &str, made: &Made, below: &str) -> Answer {
    let call = bed.call(method, &made.path(below)).bearer(&bed.a.jwt);
    call.send().await
}

/// `billing_status`, `cancel_at` and `expired_at` as the owner reads them.
async fn standing(bed: &Bed, made: &Made) -> (String, Option<Timestamp>, Option<Timestamp>) {
    let seen = bed.look(&bed.a, made).await;
    let time = |name: &str| {
        seen[name]
            .as_str()
            .map(|text| Timestamp::parse_rfc3339(text).expect("a time"))
    };
    let status = seen["billing_status"].as_str().expect("a status");
    (status.to_owned(), time("cancel_at"), time("expired_at"))
}

async fn audit(bed: &Bed, made: &Made) -> Vec<(String, Value)> {
    let mut conn = bed.read().await;
    let rows = conn.account(&bed.a.id).audit_entries(200).await;
    let rows = rows.expect("rows").into_iter().rev();
    rows.filter(|row| row.kind.starts_with("billing."))
        .map(|row| {
            let detail: Value = serde_json::from_str(&row.detail).expect("JSON");
            assert_eq!(detail["instance"], made.id.as_str());
            (row.kind, detail)
        })
        .collect()
}

async fn a_whole_life(bed: &mut Bed) {
    let before = bed.clock.now();
    let made = bed.create(&bed.a, json!({"name": "Paid"})).await;
    let (status, cancel_at, expired_at) = standing(bed, &made).await;
    assert_eq!(
        (status.as_str(), cancel_at, expired_at),
        ("TRIALING", None, None)
    );
    assert_eq!(listed(bed, &made).await["awaits_payment"], false);

    // Subscribing records the wish, and is the same subscription each time, whatever is sent along.
    let subscribe = bed.post(&made.path("/subscribe")).bearer(&bed.a.jwt);
    let body = json!({"success_url": "https://x.example/ok", "cancel_url": null, "plan": "gold"});
    let first = subscribe.json(body).send().await.ok();
    let id = first["subscription_id"].as_str().expect("an id");
    assert!(id.starts_with("SB"), "{first}");
    let due = json!({"url": "", "session_id": "", "mode": "direct", "subscription_id": id});
    assert_eq!(first, due);
    assert_eq!(ask(bed, "POST", &made, "/subscribe").await.ok(), due);
    let row = listed(bed, &made).await;
    assert_eq!(
        (&row["awaits_payment"], &row["billing_status"]),
        (&json!(true), &json!("TRIALING"))
    );

    // Canceled with the trial, and taken back.
    let canceled = ask(bed, "PUT", &made, "/cancel").await.ok();
    let message = canceled["message"].as_str().expect("a message");
    assert!(
        message.starts_with("Instance canceled successfully") && message.contains("resume"),
        "{message}"
    );
    let (status, cancel_at, _) = standing(bed, &made).await;
    let cancel_at = cancel_at.expect("an end");
    assert_eq!(status, "TRIALING");
    let trial = cancel_at.since(before);
    assert!(
        (7 * DAY * 1000..7 * DAY * 1000 + 60_000).contains(&trial),
        "{trial}"
    );
    assert_eq!(
        ask(bed, "DELETE", &made, "/cancel").await.ok(),
        canceled,
        "again is no more"
    );
    let resumed = ask(bed, "POST", &made, "/resume-subscription").await.ok();
    assert_eq!(resumed, json!({"status": "ok"}));
    assert_eq!(
        standing(bed, &made).await,
        ("TRIALING".to_owned(), None, None)
    );

    // The trial runs out by itself.
    bed.clock.jump_secs(7 * DAY);
    bed.log_in().await;
    let (status, _, expired_at) = standing(bed, &made).await;
    assert_eq!((status.as_str(), expired_at), ("UNPAID", Some(cancel_at)));
    ask(bed, "GET", &made, "/session/status")
        .await
        .refused(402, "payment_required");

    // The operator grants; the period begins now, since nothing ran.
    let granted = grant(bed, &made, 30).await.expect("granted");
    let granted: Value = serde_json::from_str(&granted).expect("JSON");
    let until = Timestamp::parse_rfc3339(granted["until"].as_str().expect("a time"));
    let until = until.expect("a time");
    let length = until.since(bed.clock.now());
    assert!((30 * DAY * 1000 - 60_000..=30 * DAY * 1000).contains(&length));
    ask_again(bed, &made, 200).await;
    assert_eq!(
        standing(bed, &made).await,
        ("ACTIVE".to_owned(), None, None)
    );
    // A further grant begins where the first one ends.
    grant(bed, &made, 1).await.expect("granted");
    let until = until.plus_secs(DAY);
    let row = listed(bed, &made).await;
    assert_eq!(row["paid_until"], until.to_rfc3339());
    assert_eq!(row["awaits_payment"], false);

    // Canceled with the period that is paid; it works until then, and not any longer.
    ask(bed, "DELETE", &made, "/cancel").await.ok();
    assert_eq!(
        standing(bed, &made).await,
        ("ACTIVE".to_owned(), Some(until), None)
    );
    ask(bed, "GET", &made, "/session/status").await.expect(200);
    bed.clock.jump_secs(31 * DAY);
    bed.log_in().await;
    assert_eq!(
        standing(bed, &made).await,
        ("CANCELED".to_owned(), Some(until), Some(until))
    );
    let refused = ask(bed, "GET", &made, "/session/status").await;
    let body = refused.refused(402, "payment_required");
    let text = body["error"].as_str().expect("text");
    assert!(
        text.contains("/subscribe") && text.contains("operator"),
        "{text}"
    );

    // Subscribing anew pays for nothing yet; the operator does, and ends it.
    let again = ask(bed, "POST", &made, "/subscribe").await.ok();
    assert_eq!(again["subscription_id"], id);
    let (status, cancel_at, _) = standing(bed, &made).await;
    assert_eq!((status.as_str(), cancel_at), ("UNPAID", None));
    assert_eq!(listed(bed, &made).await["awaits_payment"], true);
    grant(bed, &made, 1).await.expect("granted");
    ask_again(bed, &made, 200).await;
    end(bed, &made).await.expect("ended");
    ask_again(bed, &made, 402).await;
    // Canceled at once, when nothing is paid.
    let canceled = ask(bed, "PUT", &made, "/cancel").await.ok();
    assert!(
        !canceled["message"]
            .as_str()
            .expect("text")
            .contains("works until"),
        "{canceled}"
    );
    assert_eq!(standing(bed, &made).await.0, "CANCELED");

    let rows = audit(bed, &made).await;
    let kinds: Vec<_> = rows.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(
        kinds,
        [
            "billing.subscribed",
            "billing.canceled",
            "billing.resumed",
            "billing.granted",
            "billing.granted",
            "billing.canceled",
            "billing.subscribed",
            "billing.granted",
            "billing.ended",
            "billing.canceled",
        ]
    );
    assert_eq!(rows[0].1["by"]["proof"], "client_jwt");
    assert_eq!(rows[0].1["subscription"], id);
    assert_eq!(rows[3].1["by"]["proof"], "operator");
    assert!(rows[3].1["until"].is_string());
    // An unpaid instance can still be removed.
    ask(bed, "DELETE", &made, "").await.expect(204);
}

/// What another process granted or ended is seen within a second.
async fn ask_again(bed: &Bed, made: &Made, due: u16) {
    until("the change to be seen", async || {
        let answer = ask(bed, "GET", made, "/session/status").await;
        (answer.status == due).then_some(())
    })
    .await;
}

async fn resuming_is_for_what_still_runs(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Resumed"})).await;
    // Nothing is scheduled, and it runs: so it goes on.
    ask(bed, "POST", &made, "/resume-subscription").await.ok();
    ask(bed, "PUT", &made, "/cancel").await.ok();
    bed.clock.jump_secs(8 * DAY);
    bed.log_in().await;
    let late = ask(bed, "POST", &made, "/resume-subscription").await;
    let body = late.refused(409, "conflict");
    assert!(
        body["error"].as_str().expect("text").contains("/subscribe"),
        "{body}"
    );
    assert_eq!(standing(bed, &made).await.0, "CANCELED");
    // A grant brings it back, the cancel with it.
    grant(bed, &made, 2).await.expect("granted");
    until("the grant to be seen", async || {
        (standing(bed, &made).await == ("ACTIVE".to_owned(), None, None)).then_some(())
    })
    .await;
}

async fn only_the_owner_pays(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Mine"})).await;
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", made.token.as_str()),
    ];
    for (method, below) in [
        ("POST", "/subscribe"),
        ("POST", "/resume-subscription"),
        ("PUT", "/cancel"),
        ("DELETE", "/cancel"),
    ] {
        let call = || bed.call(method, &made.path(below));
        call().send().await.refused(401, "unauthorized");
        call()
            .headers(pair)
            .send()
            .await
            .refused(401, "unauthorized");
        let wz = call().bearer(&bed.a.api_token).send().await;
        wz.refused(401, "unauthorized");
        let foreign = call().bearer(&bed.b.jwt).send().await;
        foreign.refused(403, "forbidden");
        // All three at once is what the clients send.
        let all = call().headers(pair).bearer(&bed.a.jwt).send().await;
        all.expect(200);
    }
    let kinds: Vec<_> = audit(bed, &made).await;
    let kinds: Vec<_> = kinds.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["billing.subscribed", "billing.canceled"]);
}

async fn the_operator_is_told_what_is_wrong(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Tab shop"})).await;
    let until = |text: &str| BillingCommand::Grant {
        instance: made.id.clone(),
        days: None,
        until: Some(text.to_owned()),
        json: false,
    };
    for (text, due) in [
        ("tomorrow", "2030-01-31T12:00:00Z"),
        ("2020-01-31T12:00:00Z", "future"),
        ("+999999-01-01T00:00:00Z", "2030-01-31T12:00:00Z"),
    ] {
        let error = operator(bed, until(text)).await.expect_err(text);
        assert!(error.contains(due), "{text}: {error}");
    }
    operator(bed, until("2099-01-01T00:00:00Z"))
        .await
        .expect("granted");
    let error = grant_until_before(bed, &made).await;
    assert!(error.contains("2099-01-01"), "{error}");
    end(bed, &made).await.expect("ended");
    let error = end(bed, &made).await.expect_err("nothing left");
    assert!(error.contains("not paid"), "{error}");
    let stranger = Made {
        id: "RCNOBODY".to_owned(),
        ..made.clone()
    };
    for error in [
        grant(bed, &stranger, 1).await.expect_err("unknown"),
        end(bed, &stranger).await.expect_err("unknown"),
    ] {
        assert!(error.contains("recado billing list"), "{error}");
    }
    // A name from before names were checked.
    let mut conn = bed.gateway().store.write().await.expect("a connection");
    let old = NewInstance {
        name: "Tab\u{1b}[31m\u{202e} shop".to_owned(),
        ..NewInstance::default()
    };
    let id = InstanceId::from_text("RCOLD");
    let made_then = conn
        .account(&bed.a.id)
        .create_instance(&id, Origin::Api, &old, bed.clock.now())
        .await;
    made_then.expect("an instance");
    conn.commit().await.expect("committed");
    let table = operator(bed, BillingCommand::List { json: false }).await;
    let table = table.expect("a table");
    assert!(table.contains("Tab?[31m? shop"), "{table}");
    let line = table.lines().find(|line| line.contains(&made.id));
    let line = line.expect("its line");
    assert!(line.contains("UNPAID") && line.contains("Shop A"), "{line}");
    assert!(!table.contains('\u{1b}'), "names do not reach the terminal");
}

async fn grant_until_before(bed: &Bed, made: &Made) -> String {
    let command = BillingCommand::Grant {
        instance: made.id.clone(),
        days: None,
        until: Some("2098-01-01T00:00:00Z".to_owned()),
        json: false,
    };
    operator(bed, command).await.expect_err("shorter")
}

async fn a_claimed_session_begins_its_trial(bed: &mut Bed) {
    let guest = bed.post("/sessions").json(json!({})).send().await.ok();
    let text = |name: &str| guest[name].as_str().expect("text");
    let claim = bed.post(&format!("/sessions/{}/claim", text("key")));
    let claim = claim.bearer(&bed.a.api_token);
    claim.header("x-api-key", text("apiKey")).send().await.ok();
    let made = Made {
        id: text("id").to_owned(),
        token: String::new(),
        number: 0,
    };
    let (status, cancel_at, _) = standing(bed, &made).await;
    assert_eq!((status.as_str(), cancel_at), ("TRIALING", None));
    let row = listed(bed, &made).await;
    let until = row["trial_until"].as_str().expect("an end");
    let until = Timestamp::parse_rfc3339(until).expect("a time");
    let left = until.since(bed.clock.now());
    assert!((7 * DAY * 1000 - 60_000..=7 * DAY * 1000).contains(&left));
}
