use recado_model::{AccountId, CredentialId, CredentialKind, Token, TokenKind, clock::OsRng};
use recado_store::NewCredential;

use crate::bed::{Bed, NOW};

impl Bed {
    async fn log(&self, account: &AccountId, kind: &str, secs: i64) {
        let mut conn = self.store.write().await.expect("write");
        let mut rows = conn.account(account);
        rows.audit(kind, "{}", NOW.plus_secs(secs))
            .await
            .expect("audit");
        conn.commit().await.expect("commit");
    }
}

/// Every row once, newest first, whatever shares a time with it.
pub async fn the_log_is_read_in_pages(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    for n in 0..9 {
        bed.log(&a, if n % 2 == 0 { "even" } else { "odd" }, n / 3)
            .await;
    }
    bed.log(&b, "even", 1).await;
    let mut conn = bed.store.read().await.expect("read");
    let mut rows = conn.account(&a);
    let whole = rows.audit_entries(99).await.expect("lists");
    assert_eq!(whole.len(), 9);
    assert!(whole.is_sorted_by(|x, y| (x.at, &x.id) > (y.at, &y.id)));
    for kind in [None, Some("odd")] {
        let mut seen = Vec::new();
        loop {
            let last: Option<&recado_store::audit::AuditEntry> = seen.last();
            let before = last.map(|last| (last.at, last.id.as_str()));
            let page = rows.audit_page(2, before, kind).await.expect("lists");
            if page.is_empty() {
                break;
            }
            seen.extend(page);
        }
        let due: Vec<_> = whole
            .iter()
            .filter(|row| kind.is_none_or(|kind| kind == row.kind))
            .cloned()
            .collect();
        assert_eq!(seen, due);
    }
}

/// The oldest first and in batches; children go with their parent, what lives stays.
pub async fn what_is_over_is_pruned(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    for secs in [0, 10, 20, 30] {
        bed.log(&a, "x", secs).await;
        bed.log(&b, "x", secs).await;
    }
    let mut conn = bed.store.write().await.expect("write");
    let mut pruned = Vec::new();
    for _ in 0..3 {
        let system = conn.system().prune_audit(NOW.plus_secs(20), 3).await;
        pruned.push(system.expect("prunes"));
    }
    assert_eq!(pruned, [3, 1, 0]);
    let left = conn.account(&a).audit_entries(9).await.expect("lists");
    assert_eq!(left.len(), 2);

    let (end, mut ids) = (NOW.plus_secs(10), Vec::new());
    for n in 0..5 {
        let token = Token::random(TokenKind::Client, &OsRng);
        let id = CredentialId::random(&OsRng);
        let new = NewCredential {
            not_after: (n == 0).then_some(end),
            ..NewCredential::new(id.clone(), &token, CredentialKind::ClientToken)
        };
        let mut account = conn.account(&a);
        account.issue(new, NOW).await.expect("issues");
        let secret = Token::random(TokenKind::ClientSecret, &OsRng);
        let new = NewCredential {
            parent: Some(&id),
            ..NewCredential::new(
                CredentialId::random(&OsRng),
                &secret,
                CredentialKind::ClientSecret,
            )
        };
        account.issue(new, NOW).await.expect("issues");
        ids.push(id);
    }
    let mut account = conn.account(&a);
    account.set_grace(&ids[1], end).await.expect("rotates");
    account.revoke(&ids[2], end).await.expect("revokes");
    account
        .set_grace(&ids[3], end.plus_secs(99))
        .await
        .expect("later");
    // At its end nothing is over yet that was to be kept until then.
    assert_eq!(
        account.count_live_credentials(NOW).await.expect("counts"),
        4,
        "a revoked one is over whatever time it says"
    );
    assert_eq!(
        account.count_live_credentials(end).await.expect("counts"),
        2
    );
    let fourth = account.credential(&ids[3]).await.expect("reads");
    let fourth = fourth.expect("there");
    let grace = account.count_in_grace(&fourth, end).await;
    assert_eq!(grace.expect("counts"), 1, "its own, the others are over");
    let all = conn.system().prune_credentials(end, 99).await;
    assert_eq!(all.expect("prunes"), 0);
    let mut removed = 0;
    for _ in 0..9 {
        let some = conn.system().prune_credentials(end.plus_secs(1), 2).await;
        removed += some.expect("prunes");
    }
    assert!((3..=6).contains(&removed), "children may go with a parent");
    let mut left: Vec<_> = conn
        .account(&a)
        .credentials()
        .await
        .expect("lists")
        .into_iter()
        .filter_map(|row| row.parent)
        .collect();
    left.sort_unstable();
    let mut due = ids[3..].to_vec();
    due.sort_unstable();
    assert_eq!(left, due, "what lives stays whole");
}

pub async fn kinds_are_counted_from_a_time_on(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    for (kind, secs) in [("x", 0), ("x", 10), ("y", 20), ("z", 20)] {
        bed.log(&a, kind, secs).await;
        bed.log(&b, kind, secs).await;
    }
    let mut conn = bed.store.read().await.expect("read");
    let mut rows = conn.account(&a);
    let since = NOW.plus_secs(10);
    for (kinds, count) in [(&["x", "y"][..], 2), (&["x"], 1), (&["w"], 0)] {
        let counted = rows.count_audit(kinds, since).await;
        assert_eq!(counted.expect("counts"), count, "{kinds:?}");
    }
}
