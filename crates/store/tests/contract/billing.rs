use recado_model::{
    AccountId, Billing, ConnectionState, InstanceId, StateReason,
    account::AccountKind,
    clock::OsRng,
    instance::{NewInstance, Origin},
};

use crate::bed::{Bed, NOW};

fn whole() -> Billing {
    Billing {
        subscription_id: Some("SBX".into()),
        trial_until: Some(NOW.plus_secs(10)),
        paid_until: Some(NOW.plus_secs(20)),
        cancel_at: Some(NOW.plus_secs(30)),
    }
}

pub async fn subscriptions_are_kept(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let epoch = conn.system().epoch().await.expect("epoch");
    let known = conn.account(&a).lock_billing(&id).await.expect("locks");
    assert_eq!(known, Some(Billing::default()));
    let set = conn.account(&a).set_billing(&id, &whole(), NOW).await;
    assert!(set.expect("sets"));
    let raised = conn.system().epoch().await.expect("epoch");
    assert!(raised > epoch, "other processes hear of it");
    let seen = conn.account(&a).instance(&id).await.expect("reads");
    assert_eq!(seen.expect("there").billing, whole());
    let again = conn.account(&a).lock_billing(&id).await.expect("locks");
    assert_eq!(again, Some(whole()));
    // Not by another account.
    let mut other = conn.account(&b);
    assert_eq!(other.lock_billing(&id).await.expect("looks"), None);
    let set = other.set_billing(&id, &Billing::default(), NOW).await;
    assert!(!set.expect("nothing"));
    let owner = conn.system().account_of_instance(&id).await.expect("looks");
    assert_eq!(owner, Some(a.clone()));
    let nobody = InstanceId::from_text("RCNOBODY");
    let owner = conn.system().account_of_instance(&nobody).await;
    assert_eq!(owner.expect("looks"), None);
    conn.commit().await.expect("commit");

    let changes = bed.store.instance_changes(&id);
    let mut conn = bed.store.write().await.expect("write");
    let cleared = Billing::default();
    let set = conn.account(&a).set_billing(&id, &cleared, NOW).await;
    assert!(set.expect("sets"));
    conn.commit().await.expect("commit");
    assert!(
        bed.store.instance_changes(&id) > changes,
        "what is kept in memory is read again"
    );
}

pub async fn of_two_changes_at_once_none_is_lost(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let (store, a, id) = (bed.store.clone(), a.clone(), id.clone());
            tokio::spawn(async move {
                let mut conn = store.write().await.expect("write");
                let mut account = conn.account(&a);
                let known = account.lock_billing(&id).await.expect("locks");
                let known = known.expect("there");
                let until = known.paid_until.unwrap_or(NOW).plus_secs(1);
                let next = Billing {
                    paid_until: Some(until),
                    ..known
                };
                account.set_billing(&id, &next, NOW).await.expect("sets");
                conn.commit().await.expect("commit");
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("task");
    }
    let mut conn = bed.store.read().await.expect("read");
    let seen = conn.account(&a).instance(&id).await.expect("reads");
    let billing = seen.expect("there").billing;
    assert_eq!(billing.paid_until, Some(NOW.plus_secs(8)));
}

pub async fn trials_begin_where_nothing_was_charged(bed: &Bed) {
    let a = bed.account("a").await;
    let (free, paid) = (
        bed.instance(&a, "free").await.id,
        bed.instance(&a, "paid").await.id,
    );
    let ended = Billing {
        trial_until: Some(NOW),
        ..Billing::default()
    };
    let mut conn = bed.store.write().await.expect("write");
    let set = conn.account(&a).set_billing(&paid, &ended, NOW).await;
    assert!(set.expect("sets"));
    let until = NOW.plus_secs(100);
    assert_eq!(conn.system().begin_trials(until).await.expect("begins"), 1);
    let later = until.plus_secs(100);
    let again = conn.system().begin_trials(later).await;
    assert_eq!(again.expect("begins"), 0, "once");
    let mut account = conn.account(&a);
    let seen = account.instance(&free).await.expect("reads");
    assert_eq!(seen.expect("there").billing, Billing::trial(until));
    let seen = account.instance(&paid).await.expect("reads");
    assert_eq!(seen.expect("there").billing, ended);
}

pub async fn the_operator_sees_all_but_guests(bed: &Bed) {
    let a = bed.account("Shop").await;
    let one = bed.instance(&a, "one").await.id;
    let guest = AccountId::random(&OsRng);
    let mut conn = bed.store.write().await.expect("write");
    conn.system()
        .create_account(
            &guest,
            "Guest",
            AccountKind::Guest,
            Some(NOW.plus_secs(9)),
            NOW,
        )
        .await
        .expect("account");
    let new = NewInstance::default();
    conn.account(&guest)
        .create_instance(&InstanceId::random(&OsRng), Origin::Direct, &new, NOW)
        .await
        .expect("instance");
    let set = conn.account(&a).set_billing(&one, &whole(), NOW).await;
    assert!(set.expect("sets"));
    let list = conn.system().billing_list().await.expect("lists");
    assert_eq!(list.len(), 1);
    assert_eq!((&list[0].account, &list[0].instance), (&a, &one));
    assert_eq!(
        (list[0].account_name.as_str(), list[0].name.as_str()),
        ("Shop", "one")
    );
    assert_eq!(list[0].billing, whole());
}

pub async fn what_may_be_over_is_looked_at(bed: &Bed) {
    let a = bed.account("a").await;
    let mut ids = Vec::new();
    for name in ["runs", "over", "canceled", "elsewhere", "closed"] {
        ids.push(bed.instance(&a, name).await.id);
    }
    let paid = |secs: i64| Billing {
        paid_until: Some(NOW.plus_secs(secs)),
        ..Billing::default()
    };
    let canceled = Billing {
        cancel_at: Some(NOW),
        ..paid(60)
    };
    let mut conn = bed.store.write().await.expect("write");
    for (id, billing) in ids
        .iter()
        .zip([paid(60), paid(0), canceled, paid(0), paid(60)])
    {
        let set = conn.account(&a).set_billing(id, &billing, NOW).await;
        assert!(set.expect("sets"));
    }
    for (id, node) in ids.iter().zip(["n1", "n1", "n1", "n2"]) {
        let until = NOW.plus_secs(30);
        let leased = conn.system().lease_instance(id, node, until, NOW).await;
        leased.expect("leases").expect("free");
    }
    let (state, reason) = (ConnectionState::Disconnected, Some(StateReason::Unpaid));
    let mut account = conn.account(&a);
    let closed = account.set_state(&ids[4], state, reason, NOW).await;
    assert!(closed.expect("sets"));
    let looks = conn.system().billing_looks("n1", NOW).await.expect("looks");
    let mut seen: Vec<_> = looks
        .iter()
        .map(|look| (look.instance.clone(), look.closed))
        .collect();
    seen.sort();
    let mut due = vec![
        (ids[1].clone(), false),
        (ids[2].clone(), false),
        (ids[4].clone(), true),
    ];
    due.sort();
    assert_eq!(seen, due);
    assert!(looks.iter().all(|look| look.account == a));
    // A closed one is not started, although it is paired and wanted.
    let mut account = conn.account(&a);
    let own = recado_model::Address::from_wire("1@s.whatsapp.net");
    let pairing = recado_model::instance::Pairing::of(own);
    account
        .set_paired(&ids[4], &pairing, NOW)
        .await
        .expect("pairs");
    account.set_wanted(&ids[4], true, NOW).await.expect("wants");
    let starts = conn.system().instances_to_start("n1", NOW).await;
    assert_eq!(starts.expect("lists"), []);
}
