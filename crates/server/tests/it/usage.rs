//! What the use of credentials and refusals leave in the account's records (K-06).

use std::collections::BTreeMap;

use recado_model::CredentialKind;
use recado_store::CredentialInfo;
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, Made},
    limits::ping,
};

on_both! {
    with = "trusted_proxies = [\"127.0.0.1\"]\n";
    uses_are_noted_with_their_networks,
    refusals_are_few_rows_and_none_is_lost,
}

async fn uses_are_noted_with_their_networks(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Used"})).await;
    flush(bed).await;
    let before = credentials(bed).await;
    assert!(of(&before, CredentialKind::ApiToken).last_used_at.is_none());

    for ip in ["203.0.113.7", "198.51.100.9", "203.0.113.7"] {
        for _ in 0..3 {
            let pair = [
                ("x-client-token", bed.a.client_token.as_str()),
                ("x-instance-token", made.token.as_str()),
            ];
            let call = bed.get(&made.path("/session/status")).headers(pair);
            call.from(ip).send().await.expect(200);
            ping(bed, &bed.a.api_token)
                .from(ip)
                .send()
                .await
                .expect(200);
        }
    }
    let secret = json!({"client_token": bed.a.client_token, "client_secret": bed.a.client_secret});
    let call = bed.post("/token").json(secret).from("2001:db8:1:2:3:4:5:6");
    call.send().await.expect(200);
    flush(bed).await;
    flush(bed).await;

    let after = credentials(bed).await;
    for kind in [
        CredentialKind::ClientToken,
        CredentialKind::ClientSecret,
        CredentialKind::ApiToken,
        CredentialKind::InstanceToken,
    ] {
        assert!(of(&after, kind).last_used_at.is_some(), "{kind:?}");
    }
    let mut news: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (kind, detail) in audit(bed).await {
        let of = detail["credential_kind"].as_str().unwrap_or_default();
        let network = detail["network"].as_str().unwrap_or_default();
        if kind == "credential.first_used" || kind == "credential.new_network" {
            let key = format!("{of} {kind}");
            news.entry(key).or_default().push(network.to_owned());
        }
    }
    let (one, two) = ("203.0.113.7/32", "198.51.100.9/32");
    let once = |key: &str| news.get(key).cloned().unwrap_or_default();
    for kind in ["api_token", "instance_token", "client_token"] {
        assert_eq!(
            once(&format!("{kind} credential.first_used")).len(),
            1,
            "{news:?}"
        );
        let other = once(&format!("{kind} credential.new_network"));
        assert_eq!(other.len(), 1, "{news:?}");
        assert!(other == [one] || other == [two], "{news:?}");
    }
    assert_eq!(
        once("client_secret credential.first_used"),
        ["127.0.0.1/32"]
    );
    assert_eq!(
        once("client_secret credential.new_network"),
        ["2001:db8:1:2::/64"]
    );

    // What a program that stops has noted, the next one knows.
    ping(bed, &bed.b.api_token)
        .from("192.0.2.5")
        .send()
        .await
        .expect(200);
    bed.restart().await;
    let mut conn = bed.read().await;
    let all = conn.account(&bed.b.id).credentials().await.expect("reads");
    assert!(of(&all, CredentialKind::ApiToken).last_used_at.is_some());
}

async fn refusals_are_few_rows_and_none_is_lost(bed: &mut Bed) {
    let theirs = bed.create(&bed.b, json!({"name": "Foreign"})).await;
    for n in 0..1000 {
        foreign(bed, &theirs, "203.0.113.7").await;
        if n % 300 == 0 {
            flush(bed).await;
        }
    }
    let rows = refusals(bed).await;
    // Few minutes may pass on a busy machine, each with its row.
    assert!((1..=5).contains(&rows.len()), "{rows:?}");
    assert_eq!(counted(&rows), 1000, "{rows:?}");
    for row in &rows {
        assert_eq!(row["reason"], "foreign", "{row}");
        assert_eq!(row["network"], "203.0.113.7/32", "{row}");
        assert!(row["credential"].is_string(), "{row}");
        assert!(row["first_at"].as_str() <= row["last_at"].as_str(), "{row}");
    }
    bed.clock.jump_secs(60);
    for n in 0..100 {
        foreign(bed, &theirs, &format!("198.51.100.{n}")).await;
    }
    flush(bed).await;
    let all = refusals(bed).await;
    assert_eq!(counted(&all), 1100);
    assert!(all.len() <= rows.len() + 2 * 21, "{} rows", all.len());
    assert!(all.iter().any(|row| row["reason"] == "more_sources"));
    let text = format!("{all:?}");
    assert!(
        !text.contains(&bed.a.jwt) && !text.contains("ct_"),
        "{text}"
    );
    // The other account hears nothing of it.
    let mut conn = bed.read().await;
    let theirs = conn
        .account(&bed.b.id)
        .audit_entries(1000)
        .await
        .expect("reads");
    assert!(theirs.iter().all(|row| row.kind != "access.refused"));
}

async fn foreign(bed: &Bed, theirs: &Made, ip: &str) {
    let call = bed.get(&theirs.path("")).bearer(&bed.a.jwt).from(ip);
    call.send().await.expect(403);
}

async fn flush(bed: &Bed) {
    bed.gateway().app.flush_usage().await.expect("writes");
}

async fn credentials(bed: &Bed) -> Vec<CredentialInfo> {
    let mut conn = bed.read().await;
    let found = conn.account(&bed.a.id).credentials().await;
    found.expect("reads")
}

fn of(all: &[CredentialInfo], kind: CredentialKind) -> &CredentialInfo {
    let found = all.iter().find(|one| one.kind == kind);
    found.expect("one of the kind")
}

async fn audit(bed: &Bed) -> Vec<(String, Value)> {
    let mut conn = bed.read().await;
    let rows = conn.account(&bed.a.id).audit_entries(10_000).await;
    let rows = rows.expect("reads").into_iter();
    rows.map(|row| {
        let detail = serde_json::from_str(&row.detail).expect("JSON");
        (row.kind, detail)
    })
    .collect()
}

async fn refusals(bed: &Bed) -> Vec<Value> {
    flush(bed).await;
    let rows = audit(bed).await.into_iter();
    rows.filter(|(kind, _)| kind == "access.refused")
        .map(|(_, detail)| detail)
        .collect()
}

fn counted(rows: &[Value]) -> i64 {
    rows.iter()
        .map(|row| row["count"].as_i64().unwrap_or_default())
        .sum()
}
