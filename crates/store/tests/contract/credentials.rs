use recado_model::{
    AccountId, CredentialId, CredentialKind, InstanceId, Timestamp, Token, clock::OsRng,
    credential::CredentialRef,
};
use recado_store::{NewCredential, StoreError};

use crate::bed::{Bed, NOW};

impl Bed {
    async fn issue(
        &self,
        account: &AccountId,
        kind: CredentialKind,
        instance: Option<&InstanceId>,
        parent: Option<&CredentialId>,
    ) -> (CredentialId, Token) {
        let token = Token::random(kind.token_kind(), &OsRng);
        let id = CredentialId::random(&OsRng);
        let mut conn = self.store.write().await.expect("write");
        let new = NewCredential {
            id: id.clone(),
            token: &token,
            kind,
            label: Some("production"),
            instance,
            parent,
            not_after: None,
            networks: &[],
            scope: Default::default(),
        };
        conn.account(account).issue(new, NOW).await.expect("issues");
        conn.commit().await.expect("commit");
        (id, token)
    }

    async fn find(&self, token: &Token) -> Option<CredentialRef> {
        let mut conn = self.store.read().await.expect("read");
        conn.system()
            .credential_by_token(token)
            .await
            .expect("looks")
    }

    pub async fn epoch(&self) -> i64 {
        let mut conn = self.store.read().await.expect("read");
        conn.system().epoch().await.expect("epoch")
    }
}

pub async fn tokens_are_found_and_revoked(bed: &Bed) {
    let a = bed.account("a").await;
    let (client, token) = bed.issue(&a, CredentialKind::ClientToken, None, None).await;
    let (child, secret) = bed
        .issue(&a, CredentialKind::ClientSecret, None, Some(&client))
        .await;
    let found = bed.find(&token).await.expect("found");
    assert_eq!(
        (found.id.clone(), found.account.clone()),
        (client.clone(), a.clone())
    );
    assert_eq!(
        (found.kind, found.version),
        (CredentialKind::ClientToken, 1)
    );
    assert!(found.is_live(NOW));
    let found = bed.find(&secret).await.expect("found");
    assert_eq!(
        (found.id, found.parent),
        (child.clone(), Some(client.clone()))
    );
    let unknown = Token::random(token.kind(), &OsRng);
    assert_eq!(bed.find(&unknown).await, None);
    let grace = NOW.plus_secs(60);
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(store.set_grace(&client, grace).await.expect("rotated"));
    assert!(!store.set_grace(&client, grace).await.expect("once"));
    let list = store.credentials().await.expect("lists");
    assert_eq!(list.len(), 2);
    for info in &list {
        assert_eq!((info.grace_until, info.version), (Some(grace), 1));
        assert_eq!(info.label.as_deref(), Some("production"));
    }
    assert!(list.iter().any(|info| info.hint == token.hint()));
    conn.commit().await.expect("commit");
    let found = bed.find(&secret).await.expect("still there");
    assert!(found.is_live(NOW) && !found.is_live(grace));
    assert_eq!(found.version, 1, "JWTs of it live as long as it does");
    let mut conn = bed.store.write().await.expect("write");
    assert!(
        conn.account(&a)
            .revoke(&client, NOW)
            .await
            .expect("earlier")
    );
    conn.commit().await.expect("commit");
    let ended = bed.find(&token).await.expect("there");
    assert!(!ended.is_live(NOW));
    assert!(
        !ended.is_live(Timestamp(0)),
        "for good, whatever the clock says"
    );
    let mut conn = bed.store.read().await.expect("read");
    let by_id = conn.system().credential(&child).await.expect("looks");
    assert!(!by_id.expect("there").is_live(NOW));
}

pub async fn shown_again_or_not(bed: &Bed) {
    let a = bed.account("a").await;
    let instance = bed.instance(&a, "one").await.id;
    let other = bed.instance(&a, "two").await.id;
    let kind = CredentialKind::InstanceToken;
    let (id, old) = bed.issue(&a, kind, Some(&instance), None).await;
    let mut conn = bed.store.write().await.expect("write");
    let revoked = conn.account(&a).revoke(&id, NOW).await;
    assert!(revoked.expect("revokes"));
    conn.commit().await.expect("commit");
    let (_, new) = bed
        .issue(&a, CredentialKind::InstanceToken, Some(&instance), None)
        .await;
    let (_, api) = bed.issue(&a, CredentialKind::ApiToken, None, None).await;
    bed.issue(&a, CredentialKind::ClientSecret, None, None)
        .await;
    let mut conn = bed.store.read().await.expect("read");
    let mut store = conn.account(&a);
    let shown = store
        .reveal(kind, Some(&instance), NOW)
        .await
        .expect("reveals");
    let shown = shown.expect("there");
    assert_eq!(shown.expose(), new.expose());
    assert_ne!(shown.expose(), old.expose());
    assert_eq!(store.reveal(kind, None, NOW).await.expect("none"), None);
    assert_eq!(
        store.reveal(kind, Some(&other), NOW).await.expect("none"),
        None
    );
    let secret = CredentialKind::ClientSecret;
    assert_eq!(store.reveal(secret, None, NOW).await.expect("never"), None);
    let shown = store
        .reveal(CredentialKind::ApiToken, None, NOW)
        .await
        .expect("reveals");
    assert_eq!(shown.expect("there").expose(), api.expose());
    let ids = [instance.clone(), other];
    let all = store
        .reveal_instance_tokens(&ids, NOW)
        .await
        .expect("reveals");
    assert_eq!(all.len(), 1);
    assert_eq!(all[&instance].expose(), new.expose());
    // Dies with its instance.
    drop(conn);
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&a)
        .delete_instance(&instance)
        .await
        .expect("deletes");
    conn.commit().await.expect("commit");
    assert_eq!(bed.find(&new).await, None);
}

pub async fn every_end_moves_the_epoch(bed: &Bed) {
    let a = bed.account("a").await;
    let first = bed.epoch().await;
    let mut last = first;
    let mut moved = async |name: &str| {
        let now = bed.epoch().await;
        assert!(now > last, "{name}");
        last = now;
    };
    let (id, _) = bed.issue(&a, CredentialKind::ApiToken, None, None).await;
    let (other, _) = bed.issue(&a, CredentialKind::ApiToken, None, None).await;
    assert_eq!(bed.epoch().await, first, "nothing cached became wrong");
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&a)
        .set_grace(&id, NOW.plus_secs(60))
        .await
        .expect("rotated");
    conn.commit().await.expect("commit");
    moved("set_grace").await;
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&a).revoke(&id, NOW).await.expect("revokes");
    conn.commit().await.expect("commit");
    moved("revoke").await;
    let mut conn = bed.store.read().await.expect("read");
    let untouched = conn.system().credential(&other).await.expect("looks");
    assert!(untouched.expect("there").is_live(NOW));
    drop(conn);
    let mut conn = bed.store.write().await.expect("write");
    conn.system().bump_epoch().await.expect("bumps");
    drop(conn);
    let mut conn = bed.store.read().await.expect("read");
    assert_eq!(conn.system().epoch().await.expect("epoch"), last, "undone");
}

pub async fn two_peppers_look_up(bed: &Bed) {
    let a = bed.account("a").await;
    let (_, old) = bed.issue(&a, CredentialKind::ApiToken, None, None).await;
    let mut conn = bed.store.write().await.expect("write");
    conn.system().add_pepper(NOW).await.expect("pepper");
    conn.commit().await.expect("commit");
    bed.store.reload_keys().await.expect("reloads");
    let (_, new) = bed.issue(&a, CredentialKind::ApiToken, None, None).await;
    let before = bed.store.statements();
    assert!(bed.find(&old).await.is_some());
    assert!(bed.find(&new).await.is_some());
    assert_eq!(bed.store.statements() - before, 2, "one query each");
}

pub async fn no_credential_crosses_accounts(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let instance = bed.instance(&a, "one").await.id;
    let (id, token) = bed
        .issue(&a, CredentialKind::InstanceToken, Some(&instance), None)
        .await;
    let (parent, _) = bed.issue(&a, CredentialKind::ClientToken, None, None).await;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&b);
    let kind = CredentialKind::InstanceToken;
    assert!(store.credentials().await.expect("lists").is_empty());
    assert_eq!(
        store
            .reveal(kind, Some(&instance), NOW)
            .await
            .expect("none"),
        None
    );
    let ids = [instance.clone()];
    assert!(
        store
            .reveal_instance_tokens(&ids, NOW)
            .await
            .expect("none")
            .is_empty()
    );
    assert!(!store.revoke(&id, NOW).await.expect("no"));
    conn.commit().await.expect("commit");
    assert!(bed.find(&token).await.expect("there").is_live(NOW));
    // Neither A's instance nor A's credential can be named by B, and no token is issued twice.
    let fresh = Token::random(kind.token_kind(), &OsRng);
    let new = |token, instance, parent| NewCredential {
        id: CredentialId::random(&OsRng),
        token,
        kind,
        label: None,
        instance,
        parent,
        not_after: None,
        networks: &[],
        scope: Default::default(),
    };
    for (new, unique) in [
        (new(&fresh, Some(&instance), None), false),
        (new(&fresh, None, Some(&parent)), false),
        (new(&token, None, None), true),
    ] {
        let mut conn = bed.store.write().await.expect("write");
        match conn.account(&b).issue(new, NOW).await {
            Err(StoreError::Unique { .. }) if unique => {}
            Err(StoreError::NoParent) if !unique => {}
            other => panic!("{other:?}"),
        }
    }
}

/// A pair is looked up at once, a JWT of it by the credential, and one JWT may end alone.
pub async fn jwts_end_one_by_one(bed: &Bed) {
    let a = bed.account("a").await;
    let (client, token) = bed.issue(&a, CredentialKind::ClientToken, None, None).await;
    let (child, secret) = bed
        .issue(&a, CredentialKind::ClientSecret, None, Some(&client))
        .await;
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    let pair = system.client_pair(token.expose(), secret.expose()).await;
    let (first, second) = pair.expect("looks");
    assert_eq!(first.map(|found| found.id), Some(client));
    assert_eq!(second.map(|found| found.id), Some(child.clone()));
    let swapped = system.client_pair(secret.expose(), token.expose()).await;
    assert_eq!(swapped.expect("looks"), (None, None));
    let of_jwts = system.credential_of_jwts(&child).await.expect("looks");
    let (found, revocations) = of_jwts.expect("there");
    assert_eq!((found.id, revocations), (child.clone(), false));
    let store = &mut conn.account(&a);
    store.revoke_jwt("one", NOW).await.expect("revokes");
    store.revoke_jwt("one", NOW).await.expect("again");
    let mut system = conn.system();
    assert!(system.is_jwt_revoked("one").await.expect("looks"));
    assert!(!system.is_jwt_revoked("two").await.expect("looks"));
    let of_jwts = system.credential_of_jwts(&child).await.expect("looks");
    assert!(of_jwts.expect("there").1);
    let early = NOW.plus_millis(-1);
    assert_eq!(system.prune_revoked_jwts(early).await.expect("prunes"), 0);
    assert_eq!(system.prune_revoked_jwts(NOW).await.expect("prunes"), 1);
    assert!(!system.is_jwt_revoked("one").await.expect("looks"));
}

pub async fn terms_change_all_at_once(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let (id, _) = bed.issue(&a, CredentialKind::ApiToken, None, None).await;
    let end = Some(NOW.plus_secs(60));
    let mut conn = bed.store.write().await.expect("write");
    for (account, changes) in [(&b, false), (&a, true)] {
        let mut store = conn.account(account);
        let changed = store
            .change_credential(&id, Some("agent"), end, &[], &Default::default())
            .await;
        assert_eq!(changed.expect("changes"), changes);
    }
    let list = conn.account(&a).credentials().await.expect("lists");
    assert_eq!(list[0].label.as_deref(), Some("agent"));
    assert_eq!(list[0].not_after, end);
}
