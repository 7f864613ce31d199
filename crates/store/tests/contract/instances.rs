use recado_model::{
    Address, ChatId, ConnectionState, ContentKind, Event, EventId, EventKind, InstanceId, JobId,
    JobKind, MessageId, StateReason, Timestamp, WebhookId,
    clock::OsRng,
    instance::{InstanceQuery, InstanceSort, NewInstance, Origin, Pairing},
};
use recado_store::{DeviceOp, NewJob, NewMessage, StoreError};

use crate::{
    bed::{Bed, NOW, event, secret},
    messages::party,
};

pub async fn numbers_and_fields(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let new = NewInstance {
        name: "Loja São Paulo".into(),
        labels: serde_json::from_str(r#"{"team":"sales","n":[1,2]}"#).expect("json"),
        reject_calls: true,
        auto_read_messages: false,
        ..NewInstance::default()
    };
    let id = InstanceId::random(&OsRng);
    let mut conn = bed.store.write().await.expect("write");
    let made = conn
        .account(&a)
        .create_instance(&id, Origin::Mcp, &new, NOW)
        .await
        .expect("creates");
    conn.commit().await.expect("commit");
    assert_eq!(
        (made.number, made.state),
        (1, ConnectionState::Disconnected)
    );
    assert_eq!((made.labels.clone(), made.reject_calls), (new.labels, true));
    assert_eq!(bed.instance(&a, "two").await.number, 2);
    assert_eq!(bed.instance(&b, "other").await.number, 1);
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert_eq!(store.instance(&id).await.expect("get"), Some(made.clone()));
    assert_eq!(store.instance_by_number(1).await.expect("get"), Some(made));
    assert!(store.delete_instance(&id).await.expect("deletes"));
    assert!(!store.delete_instance(&id).await.expect("again"));
    conn.commit().await.expect("commit");
    assert_eq!(bed.instance(&a, "three").await.number, 3, "never reused");
    let mut conn = bed.store.write().await.expect("write");
    let twice = conn
        .account(&b)
        .create_instance(
            &bed.instance_id(&a, 2).await,
            Origin::Api,
            &NewInstance::default(),
            NOW,
        )
        .await;
    assert!(matches!(twice, Err(StoreError::Unique { .. })), "{twice:?}");
}

impl Bed {
    async fn instance_id(&self, account: &recado_model::AccountId, number: i64) -> InstanceId {
        let mut conn = self.store.read().await.expect("read");
        let found = conn.account(account).instance_by_number(number).await;
        found.expect("get").expect("exists").id
    }
}

pub async fn lists_page_sort_and_search(bed: &Bed) {
    let a = bed.account("a").await;
    let other = bed.account("b").await;
    bed.instance(&other, "Alpha of another").await;
    let names = ["Beta", "alpha", "Gamma_1", "delta 100%", "ÉPSILON", "x!y"];
    let mut ids = Vec::new();
    for name in names {
        ids.push(bed.instance(&a, name).await.id);
    }
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let pairing = Pairing::of(Address::from_wire("5511987654321@s.whatsapp.net"));
    store
        .set_paired(&ids[1], &pairing, NOW)
        .await
        .expect("pairs");
    store
        .set_state(&ids[1], ConnectionState::Connected, None, NOW.plus_secs(9))
        .await
        .expect("state");
    let mut list = async |page, size, query: Option<&str>, sort, descending| {
        let query = InstanceQuery {
            page,
            size,
            query: query.map(str::to_owned),
            sort,
            descending,
            scope: Default::default(),
        };
        let page = store.instances(&query).await.expect("lists");
        let names: Vec<_> = page.items.into_iter().map(|i| i.name).collect();
        (names, page.total, page.by_state)
    };
    let (items, total, by_state) = list(1, 2, None, InstanceSort::CreatedAt, false).await;
    assert_eq!((items, total), (vec!["Beta".into(), "alpha".into()], 6));
    assert_eq!(
        by_state,
        [
            (ConnectionState::Connected, 1),
            (ConnectionState::Disconnected, 5)
        ]
    );
    let (items, ..) = list(3, 2, None, InstanceSort::CreatedAt, false).await;
    assert_eq!(items, ["ÉPSILON", "x!y"]);
    let (items, total, _) = list(9, 2, None, InstanceSort::CreatedAt, true).await;
    assert_eq!((items.len(), total), (0, 6));
    let (items, ..) = list(1, 3, None, InstanceSort::Name, false).await;
    assert_eq!(items, ["alpha", "Beta", "delta 100%"]);
    let (items, ..) = list(1, 1, None, InstanceSort::UpdatedAt, true).await;
    assert_eq!(items, ["alpha"]);
    let (items, ..) = list(1, 1, None, InstanceSort::Status, false).await;
    assert_eq!(items, ["alpha"]);
    let id_part = ids[2].as_str()[6..20].to_lowercase();
    for (query, found) in [
        ("ALPHA", "alpha"),
        ("98765", "alpha"),
        ("a_1", "Gamma_1"),
        ("0%", "delta 100%"),
        ("épsi", "ÉPSILON"),
        ("!", "x!y"),
        (id_part.as_str(), "Gamma_1"),
    ] {
        let (items, total, by_state) = list(1, 10, Some(query), InstanceSort::Name, false).await;
        assert_eq!((items, total), (vec![found.to_owned()], 1), "{query}");
        assert_eq!(by_state.len(), 1);
    }
    assert_eq!(
        list(1, 10, Some("  "), InstanceSort::Name, false).await.1,
        6
    );
    assert_eq!(
        list(1, 10, Some("none"), InstanceSort::Name, false).await.1,
        0
    );
    assert_eq!(store.count_instances().await.expect("counts"), 6);
    let all = store.all_instances().await.expect("all");
    assert!(all.iter().map(|i| i.number).eq(1..=6));
}

pub async fn states_and_pairing(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let pairing = Pairing {
        phone: "551100000000".into(),
        jid: Address::from_wire("551100000000@s.whatsapp.net"),
        lid: Some(Address::from_wire("99@lid")),
        push_name: Some("Ana".into()),
        business_name: None,
    };
    assert!(store.set_paired(&id, &pairing, NOW).await.expect("pairs"));
    assert!(store.set_wanted(&id, true, NOW).await.expect("wants"));
    let later = NOW.plus_secs(5);
    let lost = Some(StateReason::ConnectionLost);
    assert!(
        store
            .set_state(&id, ConnectionState::Connected, None, later)
            .await
            .expect("up")
    );
    assert!(store.set_push_name(&id, "Bea", later).await.expect("name"));
    assert!(
        store
            .set_state(&id, ConnectionState::Connecting, lost, later.plus_secs(1))
            .await
            .expect("down")
    );
    let got = store.instance(&id).await.expect("get").expect("exists");
    assert_eq!((got.paired, got.wanted, got.reason), (true, true, lost));
    assert_eq!(
        (got.connected_at, got.updated_at),
        (Some(later), later.plus_secs(1))
    );
    assert_eq!(
        (
            got.push_name.as_deref(),
            got.lid.as_ref().map(Address::as_str)
        ),
        (Some("Bea"), Some("99@lid"))
    );
    let reason = StateReason::LoggedOutByPhone;
    store
        .set_unpaired(&id, ConnectionState::LoggedOut, reason, later)
        .await
        .expect("unpairs");
    let got = store.instance(&id).await.expect("get").expect("exists");
    assert_eq!(
        (got.paired, got.wanted, got.reason),
        (false, false, Some(reason))
    );
    assert_eq!((got.phone, got.jid, got.lid), (None, None, None));
    let nobody = InstanceId::random(&OsRng);
    assert!(
        !store
            .set_state(&nobody, ConnectionState::Connected, None, NOW)
            .await
            .expect("none")
    );
}

pub async fn no_instance_crosses_accounts(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let before = {
        let mut conn = bed.store.read().await.expect("read");
        conn.account(&a)
            .instance(&id)
            .await
            .expect("get")
            .expect("exists")
    };
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&b);
    assert_eq!(store.instance(&id).await.expect("get"), None);
    assert_eq!(store.instance_by_number(1).await.expect("get"), None);
    assert!(store.all_instances().await.expect("all").is_empty());
    assert!(
        !store
            .set_state(&id, ConnectionState::Connected, None, NOW)
            .await
            .expect("no")
    );
    assert!(!store.set_wanted(&id, true, NOW).await.expect("no"));
    assert!(
        !store
            .set_paired(
                &id,
                &Pairing::of(Address::from_wire("1@s.whatsapp.net")),
                NOW
            )
            .await
            .expect("no")
    );
    assert!(!store.set_push_name(&id, "x", NOW).await.expect("no"));
    let (state, reason) = (ConnectionState::LoggedOut, StateReason::QrExpired);
    assert!(
        !store
            .set_unpaired(&id, state, reason, NOW)
            .await
            .expect("no")
    );
    assert!(!store.delete_instance(&id).await.expect("no"));
    assert!(store.events(&id, None, 10).await.expect("none").is_empty());
    assert_eq!(store.next_due(&id, NOW).await.expect("none"), None);
    conn.commit().await.expect("commit");
    // Rows of B that would name A's instance cannot be written at all.
    let message = MessageId::random(&OsRng);
    let one = Address::from_wire("1@s.whatsapp.net");
    let row = NewMessage {
        instance: &id,
        id: &message,
        chat: &one,
        sender: &one,
        push_name: None,
        kind: ContentKind::Text,
        text: Some("x"),
        proto: b"x",
        options: &[],
        about: None,
        digest: "d",
    };
    let mut conn = bed.store.write().await.expect("write");
    let result = conn.account(&b).insert_outgoing(&row, NOW).await;
    assert!(matches!(result, Err(StoreError::NoParent)), "{result:?}");
    drop(conn);
    let mut conn = bed.store.write().await.expect("write");
    let result = conn
        .account(&b)
        .chat(&id, &party("1@s.whatsapp.net"), NOW)
        .await;
    assert!(matches!(result, Err(StoreError::NoParent)), "{result:?}");
    drop(conn);
    let mut conn = bed.store.write().await.expect("write");
    let job = NewJob {
        id: &JobId::random(&OsRng),
        instance: &id,
        kind: JobKind::Send,
        message: &message,
        chat: &ChatId::random(&OsRng),
        to: &one,
        asks: false,
        run_at: None,
        valid_until: None,
    };
    let result = conn.account(&b).enqueue(&job, NOW).await;
    assert!(matches!(result, Err(StoreError::NoParent)), "{result:?}");
    drop(conn);
    let mut conn = bed.store.write().await.expect("write");
    let result = conn
        .account(&b)
        .append(&event(&b, &id, EventKind::Message))
        .await;
    assert!(matches!(result, Err(StoreError::NoParent)), "{result:?}");
    let result = conn
        .account(&b)
        .append(&event(&a, &id, EventKind::Message))
        .await;
    assert!(matches!(result, Err(StoreError::Misuse(_))), "{result:?}");
    drop(conn);
    let mut conn = bed.store.write().await.expect("write");
    let result = conn
        .account(&b)
        .set_webhook(
            &WebhookId::random(&OsRng),
            &id,
            "https://b",
            None,
            &secret(),
            NOW,
        )
        .await;
    assert!(matches!(result, Err(StoreError::NoParent)), "{result:?}");
    drop(conn);
    let mut conn = bed.store.read().await.expect("read");
    let after = conn
        .account(&a)
        .instance(&id)
        .await
        .expect("get")
        .expect("exists");
    assert_eq!(before, after);
}

pub async fn deleting_takes_everything_below(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    bed.webhook(&a, &id).await;
    assert_eq!(bed.event(&a, &id, EventKind::Message).await, 1);
    let device = bed.store.device(&a, &id);
    device
        .apply(vec![DeviceOp::Put {
            space: "s",
            key: "k".into(),
            n: 0,
            value: vec![1],
        }])
        .await
        .expect("puts");
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    crate::jobs::put(&mut store, &id, "1@s.whatsapp.net", None, NOW).await;
    store.delete_instance(&id).await.expect("deletes");
    assert_eq!(store.job_count(&id).await.expect("jobs"), 0);
    assert_eq!(
        store
            .event_count(&id, EventKind::Message)
            .await
            .expect("events"),
        0
    );
    assert!(store.webhook(&id).await.expect("webhook").is_none());
    assert_eq!(
        store.deliveries(&id, None, 1, 10).await.expect("log").total,
        0
    );
    assert_eq!(conn.system().next_delivery_due().await.expect("due"), None);
    conn.commit().await.expect("commit");
    assert!(!device.exists().await.expect("device"));
    let put = DeviceOp::Put {
        space: "s",
        key: "k".into(),
        n: 0,
        value: vec![1],
    };
    let result = device.apply(vec![put]).await;
    assert!(matches!(result, Err(StoreError::NoParent)), "{result:?}");
    let gone = Event {
        id: EventId::random(&OsRng),
        created_at: Timestamp(1),
        ..event(&a, &id, EventKind::Connected)
    };
    let mut conn = bed.store.write().await.expect("write");
    let result = conn.account(&a).append(&gone).await;
    assert!(matches!(result, Err(StoreError::NoParent)), "{result:?}");
}

pub async fn an_instance_is_changed(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let mut instance = bed.instance(&a, "one").await;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let behaviour = store.behaviour(&instance.id).await.expect("looks");
    assert_eq!(behaviour, Some((Default::default(), false)));
    instance.name = "Größer".into();
    instance.auto_read_messages = true;
    instance.settings.send_interval_ms = Some(2_000);
    let later = NOW.plus_secs(1);
    let crossed = conn.account(&b).change_instance(&instance, later).await;
    assert!(!crossed.expect("changes nothing"));
    let mut store = conn.account(&a);
    let changed = store.change_instance(&instance, later).await;
    assert!(changed.expect("changes"));
    instance.updated_at = later;
    let seen = store.instance(&instance.id).await.expect("looks");
    assert_eq!(seen.as_ref(), Some(&instance));
    let behaviour = store.behaviour(&instance.id).await.expect("looks");
    assert_eq!(behaviour, Some((instance.settings, true)));
}
