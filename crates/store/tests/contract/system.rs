use recado_model::{
    AccountId, ConnectionState, CredentialId, CredentialKind, InstanceId, Language, Role,
    StateReason, Token, TokenKind, UserId,
    account::AccountKind,
    clock::OsRng,
    instance::{NewInstance, Origin, Pairing},
};
use recado_store::{
    Conn, DeviceOp, Lease, NewCredential, NewUser, Store, StoreError, system::System,
};

use crate::bed::{Bed, NOW, open_with};

pub async fn accounts_and_users(bed: &Bed) {
    let a = bed.account("Shop").await;
    bed.instance(&a, "one").await;
    let user = UserId::random(&OsRng);
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    let new = |id, email| NewUser {
        id,
        email,
        password_hash: "$argon2id$…",
        operator: true,
        language: Language::English,
    };
    people
        .create_user(&new(&user, " Ana@Example.ORG "), NOW)
        .await
        .expect("user");
    let added = people.add_member(&a, &user, Role::Owner, NOW).await;
    assert!(added.expect("member"));
    let found = people
        .user_by_email("ana@example.org")
        .await
        .expect("looks");
    let found = found.expect("there");
    assert_eq!((found.id, found.operator), (user.clone(), true));
    assert_eq!(found.password_hash.expose(), "$argon2id$…");
    let list = conn.system().accounts().await.expect("lists");
    assert_eq!(list.len(), 1);
    assert_eq!((list[0].name.as_str(), list[0].instances), ("Shop", 1));
    assert_eq!(list[0].owner_email.as_deref(), Some("ana@example.org"));
    let role = conn.account(&a).role_of(&user).await.expect("role");
    assert_eq!(role, Some(Role::Owner));
    conn.commit().await.expect("commit");
    let mut conn = bed.store.write().await.expect("write");
    let twice = conn
        .people()
        .create_user(&new(&UserId::random(&OsRng), "ANA@example.org"), NOW)
        .await;
    assert!(matches!(twice, Err(StoreError::Unique { .. })), "{twice:?}");
    drop(conn);
    let mut conn = bed.store.write().await.expect("write");
    assert!(conn.system().delete_account(&a).await.expect("deletes"));
    conn.commit().await.expect("commit");
    let mut conn = bed.store.read().await.expect("read");
    assert!(!conn.system().account_exists(&a).await.expect("gone"));
    assert!(conn.account(&a).account().await.expect("gone").is_none());
    assert!(
        conn.people()
            .user_by_email("ana@example.org")
            .await
            .expect("stays")
            .is_some()
    );
}

pub async fn leases_are_fenced(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let lease = async |owner: &str, at: i64, seconds: i64| {
        let mut conn = bed.store.write().await.expect("write");
        let now = NOW.plus_secs(at);
        let fence = conn
            .system()
            .lease_instance(&id, owner, now.plus_secs(seconds), now)
            .await
            .expect("leases");
        conn.commit().await.expect("commit");
        fence
    };
    assert_eq!(lease("n1", 0, 30).await, Some(1));
    assert_eq!(lease("n2", 1, 30).await, None, "held");
    assert_eq!(lease("n1", 10, 30).await, Some(1), "extended");
    assert_eq!(lease("n2", 40, 30).await, Some(2), "over");
    assert_eq!(lease("n1", 41, 30).await, None);
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    assert_eq!(
        system
            .renew_leases("n1", NOW.plus_secs(99))
            .await
            .expect("none"),
        0
    );
    assert_eq!(
        system
            .renew_leases("n2", NOW.plus_secs(99))
            .await
            .expect("one"),
        1
    );
    assert!(!system.release_lease(&id, "n1").await.expect("not its own"));
    conn.commit().await.expect("commit");
    assert_eq!(lease("n1", 98, 30).await, None, "renewed");
    let mut conn = bed.store.write().await.expect("write");
    assert!(
        conn.system()
            .release_lease(&id, "n2")
            .await
            .expect("releases")
    );
    conn.commit().await.expect("commit");
    assert_eq!(lease("n2", 98, 1).await, Some(3), "taken anew");
    assert_eq!(lease("n2", 100, 30).await, Some(4), "its own, but over");
    // One wins.
    let mut conn = bed.store.write().await.expect("write");
    conn.system()
        .release_lease(&id, "n2")
        .await
        .expect("releases");
    conn.commit().await.expect("commit");
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let (store, id) = (bed.store.clone(), id.clone());
            tokio::spawn(async move {
                let mut conn = store.write().await.expect("write");
                let owner = format!("r{n}");
                let fence = conn
                    .system()
                    .lease_instance(&id, &owner, NOW.plus_secs(30), NOW)
                    .await
                    .expect("leases");
                conn.commit().await.expect("commit");
                fence
            })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        won.extend(task.await.expect("task"));
    }
    assert_eq!(won, [5]);
}

pub async fn a_lost_lease_changes_nothing(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let later = NOW.plus_secs(60);
    let mut system = conn.system();
    let first = system
        .lease_instance(&id, "n1", NOW.plus_secs(30), NOW)
        .await;
    let second = system.lease_instance(&id, "n2", later.plus_secs(30), later);
    let second = second.await.expect("leases").expect("it is over");
    conn.commit().await.expect("commit");
    let lease = |owner: &str, fence| Lease {
        owner: owner.to_owned(),
        fence,
    };
    let lost = lease("n1", first.expect("leases").expect("free"));
    let held = lease("n2", second);
    let put = |key: &str| {
        vec![DeviceOp::Put {
            space: "s",
            key: key.to_owned(),
            n: 0,
            value: vec![1],
        }]
    };
    // An SQLite file has one process, and so one node.
    let shared = bed.store.is_shared();
    for (lease, holds) in [(lost, !shared), (held, true)] {
        let mut conn = bed.store.write().await.expect("write");
        let answer = lease.hold(&mut conn, &id).await;
        assert_eq!(answer.is_ok(), holds, "{lease:?}: {answer:?}");
        drop(conn);
        let device = bed.store.device(&a, &id).under(lease.clone());
        let answer = device.apply(put(&lease.owner)).await;
        assert_eq!(answer.is_ok(), holds, "{lease:?}: {answer:?}");
        let written = device.get("s", &lease.owner).await.expect("reads");
        assert_eq!(written.is_some(), holds, "{lease:?}");
        let answer = device.update("s", "u", |_| Some(vec![2])).await;
        assert_eq!(answer.is_ok(), holds, "{lease:?}: {answer:?}");
    }
}

pub async fn only_what_may_start_is_started(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let starts = async |conn: &mut Conn, node: &str, at: i64| {
        let now = NOW.plus_secs(at);
        let list = conn.system().instances_to_start(node, now).await;
        let list = list.expect("lists");
        assert!(list.iter().all(|one| *one == (a.clone(), id.clone())));
        list.len() == 1
    };
    assert!(!starts(&mut conn, "n1", 0).await, "not paired");
    let mut store = conn.account(&a);
    let pairing = Pairing::of(recado_model::Address::from_wire("1@s.whatsapp.net"));
    store.set_paired(&id, &pairing, NOW).await.expect("pairs");
    assert!(!starts(&mut conn, "n1", 0).await, "not wanted");
    let mut store = conn.account(&a);
    store.set_wanted(&id, true, NOW).await.expect("wants");
    assert!(starts(&mut conn, "n1", 0).await);
    let held = conn.system().held("n1").await;
    assert_eq!(held.expect("none"), []);
    let until = NOW.plus_secs(30);
    let leased = conn.system().lease_instance(&id, "n1", until, NOW).await;
    leased.expect("leases").expect("free");
    assert!(starts(&mut conn, "n1", 0).await, "its own");
    assert!(!starts(&mut conn, "n2", 29).await, "another's");
    assert!(starts(&mut conn, "n2", 30).await, "over");
    let held = conn.system().held("n1").await.expect("one");
    assert_eq!(held, std::slice::from_ref(&id));
    assert_eq!(conn.system().held("n2").await.expect("none"), []);
    for (state, reason, may) in [
        (ConnectionState::Blocked, None, false),
        (
            ConnectionState::Disconnected,
            Some(StateReason::StreamReplaced),
            false,
        ),
        // The reason alone decides, also when the program ended before it set the state.
        (
            ConnectionState::Connecting,
            Some(StateReason::StreamReplaced),
            false,
        ),
        (
            ConnectionState::Connecting,
            Some(StateReason::ConnectionLost),
            true,
        ),
    ] {
        // Before and after a restart of the node that holds it.
        for restarted in [false, true] {
            let mut store = conn.account(&a);
            if restarted {
                conn.system().reset_node("n1", NOW).await.expect("resets");
                assert_eq!(conn.system().held("n1").await.expect("none"), []);
            } else {
                let set = store.set_state(&id, state, reason, NOW).await;
                assert!(set.expect("sets"));
                let leased = conn.system().lease_instance(&id, "n1", until, NOW).await;
                leased.expect("leases").expect("free");
            }
            assert_eq!(
                starts(&mut conn, "n1", 0).await,
                may,
                "{state:?} {reason:?}"
            );
            let kept = conn.account(&a).instance(&id).await.expect("get");
            let kept = kept.expect("there");
            assert_eq!(kept.reason, reason);
            assert_eq!(
                kept.state == ConnectionState::Connecting,
                may || (state == ConnectionState::Connecting && !restarted),
                "says no more than is true"
            );
            if state == ConnectionState::Blocked {
                assert_eq!(kept.state, state);
            }
        }
    }
}

pub async fn guests_end_once_and_no_other_account(bed: &Bed) {
    let full = bed.account("full").await;
    let (guest, claimed) = (AccountId::random(&OsRng), AccountId::random(&OsRng));
    let until = NOW.plus_secs(600);
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    let room = async |system: &mut System<'_>, most| {
        let full = system.guests("192.0.2.1/32", (most, 9), NOW).await;
        full.expect("counts").is_none()
    };
    assert!(room(&mut system, 1).await);
    for id in [&guest, &claimed] {
        system
            .create_account(id, "guest", AccountKind::Guest, Some(until), NOW)
            .await
            .expect("guest");
    }
    assert!(room(&mut system, 3).await && !room(&mut system, 2).await);
    for id in [&claimed, &full] {
        // Time that is over, or none at all, ends no account that is not a guest's.
        conn.account(id)
            .set_expires_at((id == &full).then_some(NOW))
            .await
            .expect("sets");
    }
    let mut system = conn.system();
    let epoch = system.epoch().await.expect("epoch");
    for (id, at) in [(&guest, NOW), (&claimed, until), (&full, until)] {
        assert!(!system.end_guest(id, at).await.expect("stays"));
        assert!(system.account_exists(id).await.expect("looks"));
    }
    assert_eq!(system.epoch().await.expect("epoch"), epoch);
    assert!(system.end_guest(&guest, until).await.expect("ends"));
    assert!(system.epoch().await.expect("epoch") > epoch);
    assert!(!system.account_exists(&guest).await.expect("looks"));
    assert!(!system.end_guest(&guest, until).await.expect("once"));
    assert!(room(&mut system, 2).await && !room(&mut system, 1).await);
}

pub async fn guests_expire(bed: &Bed) {
    let stays = bed.account("full").await;
    let guest = AccountId::random(&OsRng);
    let until = NOW.plus_secs(600);
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    system
        .create_account(&guest, "guest", AccountKind::Guest, Some(until), NOW)
        .await
        .expect("guest");
    let early = system.expired_guests("n1", NOW).await;
    assert!(early.expect("none").is_empty());
    let ended = system.expired_guests("n1", until).await;
    assert_eq!(ended.expect("one"), std::slice::from_ref(&guest));
    // Another node has the link of one of two instances: it alone can log that out.
    conn.commit().await.expect("commit");
    bed.instance(&guest, "idle").await;
    let id = bed.instance(&guest, "linked").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let over = until.plus_secs(30);
    let leased = conn.system().lease_instance(&id, "n2", over, until).await;
    leased.expect("leases").expect("free");
    for (node, now, listed) in [
        ("n1", until, false),
        ("n2", until, true),
        // It died.
        ("n1", over, true),
    ] {
        let list = conn.system().expired_guests(node, now).await;
        let list = list.expect("lists");
        let wanted = listed.then(|| guest.clone());
        assert_eq!(list, wanted.as_slice(), "{node} {now:?}");
    }
    let mut system = conn.system();
    assert!(system.delete_account(&guest).await.expect("deletes"));
    assert!(system.account_exists(&stays).await.expect("stays"));
    let account = conn
        .account(&stays)
        .account()
        .await
        .expect("get")
        .expect("there");
    assert_eq!(
        (account.kind, account.name.as_str()),
        (AccountKind::Full, "full")
    );
}

/// An account whose making was undone can be made again, and what it seals opens after a restart.
pub async fn undone_accounts_can_be_made_again(bed: &Bed) {
    let id = AccountId::random(&OsRng);
    let token = Token::random(TokenKind::Api, &OsRng);
    for keep in [false, true] {
        let mut conn = bed.store.write().await.expect("write");
        conn.system()
            .create_account(&id, "again", AccountKind::Full, None, NOW)
            .await
            .expect("creates");
        let new = NewCredential {
            id: CredentialId::random(&OsRng),
            token: &token,
            kind: CredentialKind::ApiToken,
            label: None,
            instance: None,
            parent: None,
            not_after: None,
            networks: &[],
            scope: Default::default(),
        };
        conn.account(&id).issue(new, NOW).await.expect("issues");
        if keep {
            conn.commit().await.expect("commit");
        }
    }
    bed.store.close().await;
    let store = Store::open(open_with(bed.database(), &bed.key))
        .await
        .expect("opens");
    let mut conn = store.read().await.expect("read");
    let shown = conn
        .account(&id)
        .reveal(CredentialKind::ApiToken, None, NOW)
        .await
        .expect("reveals");
    assert_eq!(shown.expect("there").expose(), token.expose());
}

pub async fn a_node_that_starts_clears_what_it_left(bed: &Bed) {
    let a = bed.account("a").await;
    let mut ids = Vec::new();
    let mut conn = bed.store.write().await.expect("write");
    for (owner, state) in [
        ("n1", ConnectionState::Connected),
        ("n1", ConnectionState::LoggedOut),
        ("n2", ConnectionState::Connected),
    ] {
        let id = InstanceId::random(&OsRng);
        let mut store = conn.account(&a);
        let new = NewInstance::default();
        store
            .create_instance(&id, Origin::Api, &new, NOW)
            .await
            .expect("creates");
        store.set_state(&id, state, None, NOW).await.expect("state");
        conn.system()
            .lease_instance(&id, owner, NOW.plus_secs(30), NOW)
            .await
            .expect("leases");
        ids.push(id);
    }
    conn.system().reset_node("n1", NOW).await.expect("resets");
    let mut states = Vec::new();
    for id in &ids {
        let instance = conn.account(&a).instance(id).await.expect("get");
        states.push(instance.expect("there").state);
    }
    assert_eq!(
        states,
        [
            ConnectionState::Disconnected,
            ConnectionState::LoggedOut,
            ConnectionState::Connected
        ]
    );
    let until = NOW.plus_secs(30);
    let taken = conn
        .system()
        .lease_instance(&ids[0], "n3", until, NOW)
        .await;
    assert_eq!(taken.expect("leases"), Some(2));
    let held = conn
        .system()
        .lease_instance(&ids[2], "n3", until, NOW)
        .await;
    assert_eq!(held.expect("leases"), None);
}

pub async fn generations_rise_and_ends_move(bed: &Bed) {
    let a = bed.account("a").await;
    let token = Token::random(TokenKind::Api, &OsRng);
    let id = CredentialId::random(&OsRng);
    let mut conn = bed.store.write().await.expect("write");
    let new = NewCredential {
        id: id.clone(),
        token: &token,
        kind: CredentialKind::ApiToken,
        label: None,
        instance: None,
        parent: None,
        not_after: None,
        networks: &[],
        scope: Default::default(),
    };
    conn.account(&a).issue(new, NOW).await.expect("issues");
    let mut system = conn.system();
    let before = system.credential(&id).await.expect("looks").expect("there");
    let epoch = system.epoch().await.expect("epoch");
    conn.account(&a).raise_generation().await.expect("raises");
    let mut system = conn.system();
    let after = system.credential_by_token(&token).await.expect("looks");
    assert_eq!(after.expect("there").generation, before.generation + 1);
    assert!(system.epoch().await.expect("epoch") > epoch);
    let mut account = conn.account(&a);
    let moved = account.set_expires_at(Some(NOW.plus_secs(5))).await;
    assert!(moved.expect("moves"));
    let ends = account.expires_at().await.expect("get");
    assert_eq!(ends, Some(NOW.plus_secs(5)));
}

pub async fn jwt_keys_are_kept(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    assert!(system.jwt_keys().await.expect("none").is_empty());
    let old = system.insert_jwt_key("k1", NOW).await.expect("key");
    let new = system
        .insert_jwt_key("k2", NOW.plus_secs(1))
        .await
        .expect("key");
    assert_eq!((old.secret.len(), new.secret.len()), (32, 32));
    assert_ne!(*old.secret, *new.secret);
    let keys = system.jwt_keys().await.expect("keys");
    let named: Vec<_> = keys
        .iter()
        .map(|key| (key.kid.as_str(), &key.secret))
        .collect();
    assert_eq!(named, [("k2", &new.secret), ("k1", &old.secret)]);
    conn.commit().await.expect("commit");
}

pub async fn other_nodes_leases_are_seen(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let until = NOW.plus_secs(30);
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    assert_eq!(system.leader(&id, NOW).await.expect("looks"), None);
    let leased = system.lease_instance(&id, "n1", until, NOW).await;
    assert!(leased.expect("leases").is_some());
    let leader = system.leader(&id, NOW).await.expect("looks");
    assert_eq!(leader.as_deref(), Some("n1"));
    for (node, at, count) in [("n1", NOW, 0), ("n2", NOW, 1), ("n2", until, 0)] {
        let led = system.led_elsewhere(node, at).await.expect("counts");
        assert_eq!(led, count, "{node}");
    }
    assert_eq!(system.leader(&id, until).await.expect("looks"), None);
}

pub async fn a_write_is_proven(bed: &Bed) {
    bed.store.prove_write().await.expect("writes");
    bed.store.prove_write().await.expect("again");
}
