use recado_model::{CredentialKind, ManualClock, Scope, Token, clock::OsRng};
use recado_store::{Database, MasterKey, NewCredential, Options};

use super::{
    refused::{Refused, Source},
    *,
};

const START: Timestamp = Timestamp(1_767_225_600_000);

fn source(n: u32) -> Source {
    Source {
        reason: "revoked",
        credential: None,
        network: Some(network_of(IpAddr::from(n.to_be_bytes()))),
    }
}

fn account(n: u32) -> AccountId {
    AccountId::from_text(format!("AC{n}"))
}

fn credential_of(account: AccountId) -> CredentialRef {
    CredentialRef {
        generation: 0,
        id: CredentialId::from_text("CR1"),
        account,
        kind: CredentialKind::ApiToken,
        instance: None,
        parent: None,
        version: 1,
        not_after: None,
        grace_until: None,
        revoked: false,
        networks: Arc::from([]),
        scope: Scope::All,
        pepper: recado_model::PepperId::from_text("PE1"),
    }
}

fn ip(n: u8) -> Option<IpAddr> {
    Some(IpAddr::from([203, 0, 113, n]))
}

#[test]
fn a_thousand_refusals_of_one_source_are_one_row() {
    let mut refused = Refused::default();
    for n in 0..1000 {
        assert!(refused.note(&account(1), source(7), START.plus_millis(n)));
    }
    let rows = refused.changed();
    assert_eq!(rows.len(), 1);
    let detail = rows[0].1.detail(&rows[0].0.source);
    assert_eq!(detail["count"], 1000);
    assert_eq!(detail["network"], "0.0.0.7/32");
    assert_eq!(detail["first_at"], "2026-01-01T00:00:00.000Z");
    assert_eq!(detail["last_at"], "2026-01-01T00:00:00.999Z");
}

#[test]
fn an_account_and_minute_have_so_many_rows_and_none_is_lost() {
    let mut refused = Refused::default();
    for minute in 0..3 {
        for n in 0..5000 {
            refused.note(&account(1), source(n), START.plus_secs(minute * 60));
        }
    }
    refused.note(&account(2), source(1), START);
    let rows = refused.changed();
    assert_eq!(rows.len(), 3 * (ROWS_PER_MINUTE + 1) + 1);
    let total: u64 = rows.iter().map(|(_, row)| row.count).sum();
    assert_eq!(total, 15_001);
}

#[test]
fn memory_is_bounded_whatever_comes() {
    let mut refused = Refused::default();
    let mut lost = 0u64;
    for n in 0..100_000u32 {
        for network in 0..3 {
            lost += u64::from(!refused.note(&account(n), source(network), START));
        }
    }
    assert!(refused.len() <= 20_000);
    let kept: u64 = refused.changed().iter().map(|(_, row)| row.count).sum();
    assert_eq!(kept + lost, 300_000, "what has no room is counted");
    assert!(refused.changed().len() >= 10_000);
}

#[test]
fn what_is_written_and_over_is_forgotten_and_the_rest_is_not() {
    let mut refused = Refused::default();
    refused.note(&account(1), source(1), START);
    let batch = refused.changed();
    // One more comes while the batch is under way.
    refused.note(&account(1), source(1), START);
    refused.written(&batch, vec![Some("AU1".to_owned())]);
    refused.forget_written(START.plus_secs(120));
    let rest = refused.changed();
    assert_eq!(rest.len(), 1);
    assert_eq!(
        (rest[0].1.count, rest[0].1.audit_id.as_deref()),
        (2, Some("AU1"))
    );
    refused.written(&rest, vec![Some("AU1".to_owned())]);
    refused.forget_written(START);
    assert_eq!(refused.len(), 1, "its minute may still grow");
    refused.forget_written(START.plus_secs(120));
    assert_eq!(refused.len(), 0);
}

#[test]
fn uses_that_could_not_be_written_are_kept_with_what_came_since() {
    let clock = Arc::new(ManualClock::at(START));
    let usage = Usage::new(clock.clone());
    let credential = credential_of(account(1));
    usage.used(&credential, ip(1));
    let taken = Taken::of(&usage);
    assert_eq!(usage.waiting(), 0);
    clock.advance_ms(10);
    usage.used(&credential, ip(2));
    drop(taken);
    let used = lock(&usage.used);
    let entry = &used[&credential.id];
    assert_eq!(entry.last_at, START.plus_millis(10));
    assert_eq!(entry.networks.len(), 2);
    assert_eq!(entry.networks[&network_of(ip(1).expect("one"))], START);
}

#[tokio::test]
async fn a_database_that_fails_loses_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, key) = MasterKey::generate(&OsRng);
    let open = async || {
        let options = Options {
            database: Database::Sqlite {
                path: folder.path().join("recado.db"),
            },
            master_key: MasterKey::parse(&key).expect("a key"),
            rng: Arc::new(OsRng),
            migrate: true,
            init: true,
        };
        Store::open(options).await.expect("opens")
    };
    let store = open().await;
    let mut conn = store.write().await.expect("write");
    let account = AccountId::random(&OsRng);
    let mut system = conn.system();
    let kind = recado_model::account::AccountKind::Full;
    let made = system.create_account(&account, "A", kind, None, START);
    made.await.expect("an account");
    let credential = credential_of(account.clone());
    let token = Token::random(CredentialKind::ApiToken.token_kind(), &OsRng);
    let new = NewCredential::new(credential.id.clone(), &token, CredentialKind::ApiToken);
    let issued = conn.account(&account).issue(new, START).await;
    issued.expect("issues");
    conn.commit().await.expect("commit");

    let clock = Arc::new(ManualClock::at(START));
    let usage = Usage::new(clock.clone());
    usage.used(&credential, ip(1));
    usage.refused(&account, Some(&credential.id), "expired", ip(2));
    store.close().await;
    for _ in 0..3 {
        assert!(usage.flush(&store).await.is_err());
        clock.advance_ms(FLUSH_EVERY_MS);
        usage.refused(&account, Some(&credential.id), "expired", ip(2));
    }
    let store = open().await;
    usage.flush(&store).await.expect("writes");
    assert_eq!(usage.waiting(), 0);
    let mut conn = store.read().await.expect("read");
    let mut rows = conn.account(&account);
    let found = rows.credential(&credential.id).await.expect("reads");
    assert_eq!(found.expect("is there").last_used_at, Some(START));
    let audit = rows.audit_entries(9).await.expect("reads");
    let kinds: Vec<_> = audit.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    assert!(kinds.contains(&"credential.first_used") && kinds.contains(&"access.refused"));
    assert!(
        audit.iter().any(|row| row.detail.contains("\"count\":4")),
        "{audit:?}"
    );
}
