//! Keys are replaced while other processes work on the same database. A second [`Store`] stands for
//! such a process: it knows what it last read, and nobody tells it.

use std::sync::Arc;

use recado_model::{
    AccountId, CredentialId, CredentialKind, InstanceId, Timestamp, Token, account::AccountKind,
    clock::OsRng,
};
use recado_store::{
    ACTIVATION_MS, DeviceOp, JWT_KEEP_MS, KeyKind, KeyRow, MasterKey, NewCredential, Store,
    StoreError, Weaknesses,
};

use crate::bed::{Bed, NOW, open_with};

const LATER: Timestamp = NOW.plus_millis(ACTIVATION_MS);
/// More than a page of a pass over sealed values.
pub const MANY: usize = 450;

impl Bed {
    pub async fn process(&self) -> Store {
        let opened = Store::open(open_with(self.database(), &self.key)).await;
        opened.expect("another process opens it")
    }

    pub async fn listed(&self, kind: KeyKind, now: Timestamp) -> Vec<KeyRow> {
        let mut conn = self.store.read().await.expect("read");
        let keys = conn.system().keys(now).await.expect("lists");
        keys.into_iter().filter(|key| key.kind == kind).collect()
    }
}

async fn issue(
    store: &Store,
    account: &AccountId,
    kind: CredentialKind,
    parent: Option<&CredentialId>,
    now: Timestamp,
) -> (CredentialId, Token) {
    let token = Token::random(kind.token_kind(), &OsRng);
    let id = CredentialId::random(&OsRng);
    let new = NewCredential {
        parent,
        ..NewCredential::new(id.clone(), &token, kind)
    };
    let mut conn = store.write().await.expect("write");
    conn.account(account).issue(new, now).await.expect("issues");
    conn.commit().await.expect("commit");
    (id, token)
}

async fn finds(store: &Store, token: &Token) -> bool {
    let mut conn = store.read().await.expect("read");
    let found = conn.system().credential_by_token(token).await;
    found.expect("looks").is_some()
}

pub async fn shown(store: &Store, account: &AccountId, id: &CredentialId) -> String {
    let mut conn = store.read().await.expect("read");
    let token = conn.account(account).reveal_credential(id).await;
    token.expect("opens").expect("is kept").expose().to_owned()
}

async fn create(store: &Store, name: &str) -> Result<AccountId, StoreError> {
    let id = AccountId::random(&OsRng);
    let mut conn = store.write().await?;
    let new = conn.system();
    let mut new = new;
    new.create_account(&id, name, AccountKind::Full, None, NOW)
        .await?;
    conn.commit().await?;
    Ok(id)
}

/// One of each thing that is sealed, and a look whether all of it is still readable.
pub struct Kept {
    pub account: AccountId,
    pub instance: InstanceId,
    pub api: (CredentialId, Token),
    kid: String,
    signs: Vec<u8>,
    hook: String,
}

impl Kept {
    pub async fn new(bed: &Bed, name: &str) -> Self {
        let account = bed.account(name).await;
        let instance = bed.instance(&account, "one").await.id;
        let api = issue(&bed.store, &account, CredentialKind::ApiToken, None, NOW).await;
        let hook = bed.webhook(&account, &instance).await;
        let ops = (0..MANY).map(|n| DeviceOp::Put {
            space: "session",
            key: format!("{n:04}"),
            n: 0,
            value: format!("{name}/{n}").into_bytes(),
        });
        bed.store
            .device(&account, &instance)
            .apply(ops.collect())
            .await
            .expect("puts");
        let kid = format!("kid-{name}");
        let mut conn = bed.store.write().await.expect("write");
        let key = conn.system().insert_jwt_key(&kid, NOW).await.expect("key");
        conn.commit().await.expect("commit");
        Self {
            account,
            instance,
            api,
            kid,
            signs: key.secret.to_vec(),
            hook: hook.0.expose().to_owned(),
        }
    }

    pub async fn reads(&self, store: &Store, name: &str) {
        assert!(finds(store, &self.api.1).await);
        assert_eq!(
            shown(store, &self.account, &self.api.0).await,
            self.api.1.expose()
        );
        let rows = store
            .device(&self.account, &self.instance)
            .scan_prefix("session", "0")
            .await
            .expect("scans");
        assert_eq!(rows.len(), MANY);
        for (n, row) in rows.iter().enumerate() {
            assert_eq!(row.value, format!("{name}/{n}").into_bytes());
        }
        let mut conn = store.read().await.expect("read");
        let keys = conn.system().jwt_keys().await.expect("keys");
        let key = keys.iter().find(|key| key.kid == self.kid);
        assert_eq!(*key.expect("is there").secret, self.signs);
        drop(conn);
        let mut conn = store.write().await.expect("write");
        let (_, kept) = conn
            .account(&self.account)
            .set_webhook(
                &recado_model::WebhookId::random(&OsRng),
                &self.instance,
                "https://example.org/hook",
                None,
                &crate::bed::secret(),
                NOW,
            )
            .await
            .expect("an existing one keeps its secret");
        assert_eq!(kept.0.expose(), self.hook);
    }
}

pub async fn programs_that_start_at_once_make_one_jwt_key(bed: &Bed) {
    let other = bed.process().await;
    let ensure = async |store: &Store| {
        let mut conn = store.write().await.expect("write");
        let made = conn.system().ensure_jwt_key(NOW).await.expect("ensures");
        tokio::task::yield_now().await;
        conn.commit().await.expect("commit");
        made
    };
    let made = tokio::join!(ensure(&bed.store), ensure(&other), ensure(&bed.store));
    let made = [made.0, made.1, made.2];
    assert_eq!(made.iter().filter(|made| **made).count(), 1, "{made:?}");
    let keys = bed.listed(KeyKind::Jwt, NOW).await;
    assert_eq!(keys.len(), 1);
    assert!(keys[0].current, "it signs at once: {keys:?}");
    assert!(!ensure(&bed.store).await);
}

pub async fn jwt_keys_overlap_and_go(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    system.insert_jwt_key("old", NOW).await.expect("key");
    system.insert_jwt_key("new", LATER).await.expect("key");
    conn.commit().await.expect("commit");
    let states = |keys: Vec<KeyRow>| -> Vec<(String, bool)> {
        keys.into_iter().map(|key| (key.id, key.current)).collect()
    };
    let before = bed.listed(KeyKind::Jwt, LATER.plus_millis(-1)).await;
    assert_eq!(
        states(before),
        [("new".into(), false), ("old".into(), true)],
        "all verify, the old one signs"
    );
    let after = bed.listed(KeyKind::Jwt, LATER).await;
    assert_eq!(states(after), [("new".into(), true), ("old".into(), false)]);
    let prune = async |now| {
        let mut conn = bed.store.write().await.expect("write");
        let gone = conn.system().prune_jwt_keys(now, JWT_KEEP_MS).await;
        conn.commit().await.expect("commit");
        gone.expect("prunes")
    };
    let end = LATER.plus_millis(JWT_KEEP_MS);
    assert_eq!(prune(end.plus_millis(-1)).await, 0, "a token may live");
    assert_eq!(prune(end).await, 1);
    assert_eq!(prune(end.plus_secs(1_000_000)).await, 0, "the last stays");
    let mut conn = bed.store.read().await.expect("read");
    let left = conn.system().jwt_keys().await.expect("keys");
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].kid, "new");
}

pub async fn peppers_rotate(bed: &Bed) {
    let account = bed.account("a").await;
    let mut tokens = Vec::new();
    for kind in [
        CredentialKind::ClientToken,
        CredentialKind::InstanceToken,
        CredentialKind::ApiToken,
        CredentialKind::DirectKey,
        CredentialKind::DirectName,
    ] {
        tokens.push(issue(&bed.store, &account, kind, None, NOW).await);
    }
    let kind = CredentialKind::ClientSecret;
    let client = tokens[0].0.clone();
    let (id, secret) = issue(&bed.store, &account, kind, Some(&client), NOW).await;
    let other = bed.process().await;
    let late = bed.process().await;

    let mut conn = bed.store.write().await.expect("write");
    let new = conn.system().add_pepper(LATER).await.expect("pepper");
    conn.commit().await.expect("commit");
    for store in [&bed.store, &other] {
        assert!(store.reload_keys().await.expect("reloads"));
    }
    // Before its time the new one signs nothing: whoever has not read it finds every token.
    let early = issue(&bed.store, &account, CredentialKind::ApiToken, None, NOW).await;
    assert!(finds(&late, &early.1).await);
    tokens.push(early);
    let mut conn = bed.store.read().await.expect("read");
    let found = conn.system().credential_by_token(&secret).await;
    let old = found.expect("looks").expect("found").pepper;
    drop(conn);
    assert_ne!(old, new);
    assert!(!bed.store.needs_rehash(&old, LATER.plus_millis(-1)));
    assert!(bed.store.needs_rehash(&old, LATER));
    assert!(!bed.store.needs_rehash(&new, LATER));

    let done = bed.store.rehash_sealed(LATER).await.expect("rehashes");
    assert_eq!(done.moved, 6, "all but the secret, which is not kept");
    assert_eq!(done.unopened, 0);
    late.reload_keys().await.expect("reloads");
    for store in [&bed.store, &other, &late] {
        for (_, token) in &tokens {
            assert!(finds(store, token).await, "{token:?}");
        }
        assert!(finds(store, &secret).await, "under the old pepper");
    }
    let retire = async || {
        let mut conn = bed.store.write().await.expect("write");
        let retired = conn.system().retire_peppers(LATER).await.expect("retires");
        conn.commit().await.expect("commit");
        retired
    };
    assert_eq!(retire().await, 0, "the secret needs it");

    let rehash = async |token: &Token| {
        let mut conn = bed.store.write().await.expect("write");
        let moved = conn.account(&account).rehash(&id, token, LATER).await;
        conn.commit().await.expect("commit");
        moved.expect("rehashes")
    };
    let wrong = Token::random(kind.token_kind(), &OsRng);
    assert!(!rehash(&wrong).await, "not its token");
    assert!(!finds(&bed.store, &wrong).await);
    assert!(rehash(&secret).await);
    assert!(!rehash(&secret).await, "once is enough");
    assert_eq!(retire().await, 1);
    assert_eq!(bed.listed(KeyKind::Pepper, LATER).await.len(), 1);
    for store in [&bed.store, &other, &bed.process().await] {
        assert!(finds(store, &secret).await);
        for (_, token) in &tokens {
            assert!(finds(store, token).await, "{token:?}");
        }
    }
}

pub async fn the_master_key_rotates(bed: &Bed) {
    let a = Kept::new(bed, "a").await;
    let other = bed.process().await;
    a.reads(&other, "a").await;
    let (new, text) = MasterKey::generate(&OsRng);
    let old = MasterKey::parse(&bed.key).expect("a key");
    let fits = async |key: &MasterKey| {
        let held = bed.store.hold_master().await.expect("holds");
        let fits = held.is(key).expect("compares");
        drop(held);
        let seen = Store::is_master_key(bed.database(), key).await;
        assert_eq!(seen.expect("asks"), fits);
        fits
    };
    assert!(fits(&old).await && !fits(&new).await);
    assert_eq!(
        bed.store.rotate_master(&new, NOW).await.expect("rotates"),
        2
    );
    assert!(!fits(&old).await && fits(&new).await);
    a.reads(&bed.store, "a").await;

    // The old key opens nothing any more, the new one everything.
    let error = Store::open(open_with(bed.database(), &bed.key)).await;
    let error = error.expect_err("the old key");
    assert!(
        matches!(error, StoreError::WrongMasterKey { .. }),
        "{error}"
    );
    let fresh = Store::open(open_with(bed.database(), &text)).await;
    let fresh = fresh.expect("the new key");
    a.reads(&fresh, "a").await;

    // A process with the old one in memory goes on with the keys it has, and wraps none under it.
    let device = other.device(&a.account, &a.instance);
    assert!(
        device
            .get("session", "0001")
            .await
            .expect("opens")
            .is_some()
    );
    let error = create(&other, "b").await.expect_err("a dead key");
    assert!(matches!(error, StoreError::MasterKeyReplaced), "{error}");
    assert!(other.keys_are_current(), "as far as it knows");
    let error = other.reload_keys().await.expect_err("no new key");
    assert!(matches!(error, StoreError::MasterKeyReplaced), "{error}");
    assert!(!other.keys_are_current());
    // It is told where keys are. A wrong one among them does no harm.
    let (wrong, _) = MasterKey::generate(&OsRng);
    let keys = vec![old, wrong, new];
    other.set_key_source(Arc::new(move || keys.clone()));
    let b = create(&other, "b").await.expect("under the new key");
    assert!(!other.keys_are_current(), "it has not read the rest yet");
    let api = CredentialKind::ApiToken;
    let (id, token) = issue(&other, &b, api, None, NOW).await;
    assert!(other.reload_keys().await.expect("reloads"));
    assert!(other.keys_are_current());
    a.reads(&other, "a").await;
    assert_eq!(shown(&fresh, &b, &id).await, token.expose());
}

pub async fn accounts_made_during_a_master_rotation_open(bed: &Bed) {
    let (second, second_text) = MasterKey::generate(&OsRng);
    let (third, third_text) = MasterKey::generate(&OsRng);
    let other = bed.process().await;
    let known = vec![second.clone(), third.clone()];
    other.set_key_source(Arc::new(move || known.clone()));
    let rotate = async {
        for key in [&second, &third] {
            tokio::task::yield_now().await;
            bed.store.rotate_master(key, NOW).await.expect("rotates");
            bed.store.add_data_keys(NOW).await.expect("makes");
        }
    };
    let make = async {
        let mut made = Vec::new();
        for n in 0..20 {
            let id = create(&other, &format!("{n}")).await.expect("creates");
            let (credential, token) = issue(&other, &id, CredentialKind::ApiToken, None, NOW).await;
            made.push((id, credential, token));
        }
        made
    };
    let ((), made) = tokio::join!(rotate, make);
    let error = Store::open(open_with(bed.database(), &second_text)).await;
    error.expect_err("not the last one");
    let fresh = Store::open(open_with(bed.database(), &third_text)).await;
    let fresh = fresh.expect("the last one");
    for (account, id, token) in &made {
        assert_eq!(shown(&fresh, account, id).await, token.expose());
    }
    assert_eq!(fresh.reseal().await.expect("reseals").unopened, 0);
}

pub async fn reloading_is_one_statement_when_nothing_changed(bed: &Bed) {
    let account = bed.account("a").await;
    let (id, _) = issue(&bed.store, &account, CredentialKind::ApiToken, None, NOW).await;
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&account).revoke(&id, NOW).await.expect("ends");
    conn.commit().await.expect("commit");
    let before = bed.store.statements();
    assert!(!bed.store.reload_keys().await.expect("reloads"));
    assert_eq!(bed.store.statements() - before, 1);
    // Every kind of rotation is noticed, once, and moves the epoch that programs look at.
    let other = bed.process().await;
    let epoch = async || {
        let mut conn = other.read().await.expect("read");
        conn.system().epoch().await.expect("epoch")
    };
    let (new, _) = MasterKey::generate(&OsRng);
    let known = vec![new.clone()];
    other.set_key_source(Arc::new(move || known.clone()));
    for step in 0..4 {
        let before = epoch().await;
        match step {
            0 => {
                let mut conn = bed.store.write().await.expect("write");
                conn.system().insert_jwt_key("k", NOW).await.expect("key");
                conn.commit().await.expect("commit");
            }
            1 => {
                let mut conn = bed.store.write().await.expect("write");
                conn.system().add_pepper(LATER).await.expect("pepper");
                conn.commit().await.expect("commit");
            }
            2 => drop(bed.store.add_data_keys(NOW).await.expect("makes")),
            _ => drop(bed.store.rotate_master(&new, NOW).await.expect("rotates")),
        }
        assert!(epoch().await > before, "step {step}");
        assert!(other.reload_keys().await.expect("reloads"), "step {step}");
        assert!(!other.reload_keys().await.expect("reloads"), "step {step}");
    }
}

pub async fn what_is_weak_is_counted(bed: &Bed) {
    let count = async |now: Timestamp| {
        let mut conn = bed.store.read().await.expect("read");
        let (unused, old) = (now.plus_secs(-100), now.plus_secs(-200));
        let found = conn.system().weaknesses(now, unused, old).await;
        found.expect("counts")
    };
    let a = bed.account("a").await;
    let alone = Weaknesses {
        without_pair: 1,
        ..Weaknesses::default()
    };
    assert_eq!(count(NOW).await, alone);
    let (client, _) = issue(&bed.store, &a, CredentialKind::ClientToken, None, NOW).await;
    issue(
        &bed.store,
        &a,
        CredentialKind::ClientSecret,
        Some(&client),
        NOW,
    )
    .await;
    assert_eq!(count(NOW).await, Weaknesses::default());
    assert_eq!(count(NOW.plus_secs(101)).await.unused, 1, "the pair is one");
    let old = count(NOW.plus_secs(201)).await;
    assert_eq!((old.unused, old.old_pairs, old.without_pair), (1, 1, 0));
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&a)
        .set_grace(&client, NOW.plus_secs(300))
        .await
        .expect("ends");
    conn.commit().await.expect("commit");
    assert_eq!(count(NOW.plus_secs(299)).await.without_pair, 0);
    assert_eq!(
        count(NOW.plus_secs(300)).await,
        alone,
        "what ended is not weak"
    );
}
