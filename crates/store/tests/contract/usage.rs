use ipnet::IpNet;
use recado_model::{AccountId, CredentialId, CredentialKind, Timestamp, Token, clock::OsRng};
use recado_store::{CredentialUse, NETWORKS_PER_CREDENTIAL, NewCredential};

use crate::bed::{Bed, NOW};

impl Bed {
    /// A client token and its secret.
    async fn pair(&self, account: &AccountId) -> (CredentialId, CredentialId) {
        let mut conn = self.store.write().await.expect("write");
        let (client, secret) = (CredentialId::random(&OsRng), CredentialId::random(&OsRng));
        for (id, kind, parent) in [
            (&client, CredentialKind::ClientToken, None),
            (&secret, CredentialKind::ClientSecret, Some(&client)),
        ] {
            let token = Token::random(kind.token_kind(), &OsRng);
            let new = NewCredential {
                label: Some("production"),
                parent,
                ..NewCredential::new(id.clone(), &token, kind)
            };
            conn.account(account).issue(new, NOW).await.expect("issues");
        }
        conn.commit().await.expect("commit");
        (client, secret)
    }

    async fn used(&self, account: &AccountId, used: &CredentialUse) {
        let mut conn = self.store.write_relaxed().await.expect("write");
        conn.account(account).record_use(used).await.expect("notes");
        conn.commit().await.expect("commit");
    }

    async fn last_used(&self, account: &AccountId, id: &CredentialId) -> Option<Timestamp> {
        let mut conn = self.store.read().await.expect("read");
        let found = conn.account(account).credential(id).await.expect("looks");
        found.expect("is there").last_used_at
    }

    async fn networks(&self, account: &AccountId, id: &CredentialId) -> Vec<(String, Timestamp)> {
        let mut conn = self.store.read().await.expect("read");
        let networks = conn.account(account).credential_networks(id).await;
        networks.expect("looks")
    }

    /// Kind and detail of the audit rows, oldest first.
    async fn audit(&self, account: &AccountId) -> Vec<(String, serde_json::Value)> {
        let mut conn = self.store.read().await.expect("read");
        let rows = conn.account(account).audit_entries(1_000).await;
        let rows = rows.expect("reads").into_iter().rev();
        rows.map(|row| {
            let detail = serde_json::from_str(&row.detail).expect("JSON");
            (row.kind, detail)
        })
        .collect()
    }
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a network")
}

fn use_of(id: &CredentialId, at: i64, networks: &[&str]) -> CredentialUse {
    let at = NOW.plus_millis(at);
    CredentialUse {
        id: id.clone(),
        parent: None,
        last_at: at,
        networks: networks.iter().map(|text| (net(text), at)).collect(),
    }
}

pub async fn the_last_use_never_goes_back(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let (client, secret) = bed.pair(&a).await;
    let both = CredentialUse {
        parent: Some(client.clone()),
        ..use_of(&secret, 500, &[])
    };
    bed.used(&b, &both).await;
    assert_eq!(bed.last_used(&a, &secret).await, None, "another account's");
    bed.used(&a, &both).await;
    for id in [&client, &secret] {
        assert_eq!(bed.last_used(&a, id).await, Some(NOW.plus_millis(500)));
    }
    bed.used(&a, &use_of(&client, 900, &[])).await;
    bed.used(&a, &both).await;
    assert_eq!(
        (
            bed.last_used(&a, &client).await,
            bed.last_used(&a, &secret).await
        ),
        (Some(NOW.plus_millis(900)), Some(NOW.plus_millis(500)))
    );
    let gone = CredentialId::random(&OsRng);
    bed.used(&a, &use_of(&gone, 0, &["203.0.113.7/32"])).await;
    assert_eq!(
        bed.audit(&a).await,
        [],
        "no network is no news, nor is one of nobody"
    );
}

pub async fn a_new_network_is_news_once(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let (client, other) = bed.pair(&a).await;
    for at in 0..3 {
        bed.used(&a, &use_of(&client, at, &["203.0.113.7/32"]))
            .await;
    }
    bed.used(
        &a,
        &use_of(&client, 5, &["203.0.113.7/32", "2001:db8:0:1::/64"]),
    )
    .await;
    bed.used(&a, &use_of(&other, 6, &["2001:db8:0:1::/64"]))
        .await;
    bed.used(&b, &use_of(&client, 7, &["198.51.100.1/32"]))
        .await;
    assert_eq!(
        bed.networks(&a, &client).await,
        [
            ("203.0.113.7/32".to_owned(), NOW),
            ("2001:db8:0:1::/64".to_owned(), NOW.plus_millis(5))
        ]
    );
    assert_eq!(bed.networks(&b, &client).await, []);
    let seen = bed.audit(&a).await;
    let shown: Vec<_> = seen
        .iter()
        .map(|(kind, detail)| {
            assert!(
                detail["hint"]
                    .as_str()
                    .is_some_and(|hint| hint.contains('…'))
            );
            assert_eq!(detail["label"], "production");
            let text = |name: &str| detail[name].as_str().unwrap_or_default().to_owned();
            (kind.as_str(), text("credential"), text("network"))
        })
        .collect();
    let id = |id: &CredentialId| id.as_str().to_owned();
    assert_eq!(
        shown,
        [
            (
                "credential.first_used",
                id(&client),
                "203.0.113.7/32".to_owned()
            ),
            (
                "credential.new_network",
                id(&client),
                "2001:db8:0:1::/64".to_owned()
            ),
            (
                "credential.first_used",
                id(&other),
                "2001:db8:0:1::/64".to_owned()
            ),
        ]
    );
    assert_eq!(bed.audit(&b).await, []);
}

pub async fn a_credential_that_travels_fills_no_disk(bed: &Bed) {
    let a = bed.account("a").await;
    let (client, _) = bed.pair(&a).await;
    let mut networks: Vec<_> = (0..=255)
        .map(|n| (net(&format!("203.0.113.{n}/32")), NOW.plus_millis(n)))
        .collect();
    for _ in 0..2 {
        let used = CredentialUse {
            id: client.clone(),
            parent: None,
            last_at: NOW,
            networks: networks.clone(),
        };
        bed.used(&a, &used).await;
        networks.reverse();
    }
    let kept = bed.networks(&a, &client).await;
    assert_eq!(kept.len() as i64, NETWORKS_PER_CREDENTIAL);
    assert_eq!(kept[0].0, "203.0.113.0/32", "the oldest stay");
    let rows = bed.audit(&a).await;
    assert_eq!(rows.len() as i64, NETWORKS_PER_CREDENTIAL);
    let note = rows.last().map(|(_, detail)| detail["note"].clone());
    assert!(
        note.is_some_and(|note| note.is_string()),
        "it says where it stops"
    );
    // They go with the credential's account.
    let mut conn = bed.store.write().await.expect("write");
    conn.system().delete_account(&a).await.expect("deletes");
    conn.commit().await.expect("commit");
    assert_eq!(bed.networks(&a, &client).await, []);
}

pub async fn a_sum_of_refusals_grows_in_its_row(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let mut conn = bed.store.write_relaxed().await.expect("write");
    let mut refusals = conn.account(&a);
    let first = refusals.record_refusals(None, r#"{"count":1}"#, NOW).await;
    let id = first.expect("writes").expect("the account is there");
    let again = refusals.record_refusals(Some(&id), r#"{"count":9}"#, NOW.plus_secs(9));
    assert_eq!(again.await.expect("writes").as_ref(), Some(&id));
    let mut foreign = conn.account(&b);
    let stolen = foreign.record_refusals(Some(&id), r#"{"count":0}"#, NOW);
    assert_eq!(stolen.await.expect("writes nothing"), None);
    let nobody = AccountId::random(&OsRng);
    let mut gone = conn.account(&nobody);
    let written = gone.record_refusals(None, "{}", NOW).await;
    assert_eq!(written.expect("no error, for the sake of the batch"), None);
    conn.commit().await.expect("commit");

    assert_eq!(
        bed.audit(&a).await,
        [("access.refused".to_owned(), serde_json::json!({"count": 9}))]
    );
    assert_eq!(bed.audit(&b).await, []);
    let mut conn = bed.store.read().await.expect("read");
    let rows = conn.account(&a).audit_entries(9).await.expect("reads");
    assert_eq!(rows[0].at, NOW, "it stays where it stands in the log");
}
