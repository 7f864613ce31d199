//! A guest's session becomes a shop's, whole or not at all; and who may open and end one.

use recado_model::{
    AccountId, CredentialId, CredentialKind, EventKind, Instance, InstanceId, MessageId, Timestamp,
    Token,
    account::AccountKind,
    clock::OsRng,
    message::{InboundReceipt, ReceiptState},
    webhook::{AttemptOutcome, NextStep, SigningSecret},
};
use recado_store::{Adoption, Database, DeviceOp, GuestDoor, NewCredential, StoreError};

use crate::{
    bed::{Bed, NOW, secret},
    jobs, media,
    messages::{party, put_message},
};

const SCHEMA: &str = include_str!("../../../../migrations/0001_first.sql");
const KINDS: [CredentialKind; 3] = [
    CredentialKind::DirectKey,
    CredentialKind::DirectName,
    CredentialKind::InstanceToken,
];
const NODE: &str = "n1";
/// More than one statement of device rows.
const ROWS: usize = 1_203;

fn until() -> Timestamp {
    NOW.plus_secs(600)
}

struct Guest {
    account: AccountId,
    instance: Instance,
    tokens: Vec<Token>,
    webhook: SigningSecret,
    job: MessageId,
}

impl Bed {
    async fn guest_account(&self) -> AccountId {
        let id = AccountId::random(&OsRng);
        let mut conn = self.store.write().await.expect("write");
        let mut system = conn.system();
        let made = system.open_guest(&id, "192.0.2.1/32", (100, 100), until(), NOW);
        assert_eq!(made.await.expect("opens"), GuestDoor::Opened);
        conn.commit().await.expect("commit");
        id
    }

    /// With something in every table below an instance.
    async fn guest(&self) -> Guest {
        let account = self.guest_account().await;
        let instance = self.instance(&account, "guest's").await;
        let id = &instance.id;
        let webhook = self.webhook(&account, id).await;
        let mut conn = self.store.write().await.expect("write");
        let mut store = conn.account(&account);
        let mut tokens = Vec::new();
        for kind in KINDS {
            let token = Token::random(kind.token_kind(), &OsRng);
            let credential = NewCredential {
                instance: Some(id),
                ..NewCredential::new(CredentialId::random(&OsRng), &token, kind)
            };
            store.issue(credential, NOW).await.expect("issues");
            tokens.push(token);
        }
        let chat = "2@s.whatsapp.net";
        assert!(put_message(&mut store, id, "M1", chat, NOW).await);
        media::put_of(&mut store, id, "M1").await;
        let message = MessageId::from_wire("M1");
        let number = store.number_message(id, &message).await;
        assert_eq!(number.expect("numbers"), 1);
        let receipt = InboundReceipt {
            chat: party(chat),
            sender: party(chat),
            from_me: false,
            ids: vec![message],
            state: ReceiptState::Read,
            at: NOW,
        };
        let told = store.record_receipt(id, &receipt, "Read", NOW).await;
        told.expect("keeps");
        let job = jobs::put(&mut store, id, chat, None, NOW).await;
        store
            .audit("instance.created", "{}", NOW)
            .await
            .expect("audit");
        conn.commit().await.expect("commit");
        let made = self.event(&account, id, EventKind::Message).await;
        assert_eq!(made, 1, "a delivery");
        let mut conn = self.store.write().await.expect("write");
        let due = conn
            .system()
            .claim_deliveries("w", NOW, NOW.plus_secs(30), 9)
            .await
            .expect("claims");
        let mine = due.iter().find(|due| due.account == account).expect("due");
        let tried = AttemptOutcome {
            at: NOW,
            duration_ms: 1,
            status: Some(503),
            error: None,
            next: NextStep::RetryAt(NOW.plus_secs(1)),
        };
        let mut store = conn.account(&account);
        let noted = store.finish_attempt(&mine.id, &tried).await;
        assert!(noted.expect("an attempt"));
        conn.commit().await.expect("commit");
        let put = |n: usize| DeviceOp::Put {
            space: ["identity", "session", "pre_key"][n % 3],
            key: format!("k/{n}"),
            n: n as i64,
            value: value(n),
        };
        self.store
            .device(&account, id)
            .apply((0..ROWS).map(put).collect())
            .await
            .expect("puts");
        Guest {
            account,
            instance,
            tokens,
            webhook,
            job,
        }
    }

    async fn adopt(
        &self,
        shop: &AccountId,
        guest: &AccountId,
        instance: &InstanceId,
        now: Timestamp,
    ) -> Result<Option<Instance>, StoreError> {
        let mut conn = self.store.write().await?;
        let trial = Some(NOW.plus_secs(7));
        let mut account = conn.account(shop);
        let adopted = account.adopt(guest, instance, NODE, trial, now).await?;
        conn.commit().await?;
        Ok(match adopted {
            Adoption::Moved(moved) => Some(*moved),
            Adoption::Gone => None,
            Adoption::Held => panic!("no other node has it"),
        })
    }

    /// The tables of which a row names `account`.
    async fn tables_naming(&self, account: &AccountId) -> Vec<String> {
        let mut found = Vec::new();
        for table in SCHEMA.split("CREATE TABLE ").skip(1) {
            let (name, columns) = table.split_once(" (\n").expect("a table");
            let columns = columns.split_once("\n);").expect("its end").0;
            let column = match columns.contains("    account_id ") {
                true => "account_id",
                false if name == "account" => "id",
                false => continue,
            };
            let text = format!("SELECT COUNT(*) FROM {name} WHERE {column} = $1");
            let query = || sqlx::AssertSqlSafe(text.clone());
            let n: i64 = match self.database() {
                Database::Sqlite { path } => {
                    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                    let pool = sqlx::SqlitePool::connect_with(options)
                        .await
                        .expect("opens");
                    let n = sqlx::query_scalar(query()).bind(account.as_str());
                    n.fetch_one(&pool).await.expect("counts")
                }
                Database::Postgres { url } => {
                    let pool = sqlx::PgPool::connect(url.expose()).await.expect("opens");
                    let n = sqlx::query_scalar(query()).bind(account.as_str());
                    n.fetch_one(&pool).await.expect("counts")
                }
            };
            if n > 0 {
                found.push(name.to_owned());
            }
        }
        found
    }

    /// Every value of the device, opened under `account`.
    async fn device_opens(&self, account: &AccountId, instance: &InstanceId) {
        let device = self.store.device(account, instance);
        let mut seen = 0;
        for space in ["identity", "session", "pre_key"] {
            for entry in device.scan(space).await.expect("opens") {
                let n = usize::try_from(entry.n).expect("a number");
                assert_eq!((entry.key, entry.value), (format!("k/{n}"), value(n)));
                seen += 1;
            }
        }
        assert_eq!(seen, ROWS);
    }
}

fn value(n: usize) -> Vec<u8> {
    format!("value {n}").into_bytes()
}

/// What lies below an instance in the schema, and the instance itself.
const MOVED: [&str; 14] = [
    "instance",
    "webhook",
    "contact",
    "contact_alias",
    "chat",
    "message",
    "message_content",
    "receipt",
    "event",
    "delivery",
    "delivery_attempt",
    "job",
    "device",
    "account",
];

pub async fn a_claimed_session_moves_whole(bed: &Bed) {
    let shop = bed.account("shop").await;
    bed.instance(&shop, "first").await;
    let guest = bed.guest().await;
    let id = &guest.instance.id;
    let other = bed.guest().await;
    let before = bed.tables_naming(&guest.account).await;
    for table in MOVED {
        assert!(
            before.iter().any(|name| name == table),
            "{table}: {before:?}"
        );
    }
    let changes = bed.store.instance_changes(id);
    let mut conn = bed.store.read().await.expect("read");
    let epoch = conn.system().epoch().await.expect("epoch");
    drop(conn);

    let moved = bed.adopt(&shop, &guest.account, id, NOW).await;
    let moved = moved.expect("moves").expect("a guest");
    assert_eq!((&moved.account, moved.number), (&shop, 2));
    assert_eq!(moved.billing.trial_until, Some(NOW.plus_secs(7)));
    assert_eq!(moved.name, guest.instance.name);

    assert_eq!(
        bed.tables_naming(&guest.account).await,
        Vec::<String>::new()
    );
    let after = bed.tables_naming(&shop).await;
    for table in MOVED {
        assert!(after.iter().any(|name| name == table), "{table}: {after:?}");
    }
    bed.device_opens(&shop, id).await;
    assert!(
        !bed.store
            .device(&guest.account, id)
            .exists()
            .await
            .expect("looks")
    );
    assert!(
        bed.store.instance_changes(id) > changes,
        "caches hear of it"
    );

    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    assert!(system.epoch().await.expect("epoch") > epoch);
    for token in &guest.tokens {
        let found = system.credential_by_token(token).await.expect("looks");
        assert!(found.is_none(), "the old ones are dead");
    }
    let mut store = conn.account(&shop);
    let sent = store.message(id, &MessageId::from_wire("M1")).await;
    assert!(sent.expect("looks").is_some());
    let head = jobs::due(&mut store, id, NOW, &[]).await.remove(0);
    assert_eq!(head.message, guest.job);
    let message = MessageId::from_wire("M1");
    let kept = store.finished(id, &message).await.expect("opens");
    assert_eq!(kept.as_deref(), Some(b"finished".as_slice()));
    let numbered = store.message_in_queue(1).await.expect("looks");
    assert_eq!(numbered, None, "the shop counts by itself");
    let all = store.deliveries(id, None, 1, 9).await.expect("lists");
    assert_eq!(all.total, 1);
    // An existing webhook keeps its secret, and answers it.
    let hook = recado_model::WebhookId::random(&OsRng);
    let (_, kept) = store
        .set_webhook(&hook, id, "https://new", None, &secret(), NOW)
        .await
        .expect("opens");
    assert_eq!(kept, guest.webhook);
    // What follows orders after what was.
    drop(conn);
    bed.event(&shop, id, EventKind::Message).await;
    // Again, and by somebody else: nothing is left to claim.
    for by in [&shop, &bed.account("late").await] {
        let again = bed.adopt(by, &guest.account, id, NOW).await;
        assert_eq!(again.expect("answers"), None);
    }
    // Another guest has lost nothing.
    bed.device_opens(&other.account, &other.instance.id).await;
    let next = bed.instance(&shop, "third").await;
    assert_eq!(next.number, 3);
}

pub async fn only_a_waiting_guest_is_claimed(bed: &Bed) {
    let (shop, full) = (bed.account("shop").await, bed.account("full").await);
    let theirs = bed.instance(&full, "theirs").await.id;
    let refused = bed.adopt(&shop, &full, &theirs, NOW).await;
    assert_eq!(refused.expect("answers"), None, "no guest's");

    let guest = bed.guest().await;
    let id = &guest.instance.id;
    let refused = bed.adopt(&shop, &guest.account, id, until()).await;
    assert_eq!(refused.expect("answers"), None, "its time is over");
    let refused = bed.adopt(&shop, &guest.account, &theirs, NOW).await;
    assert!(matches!(refused, Err(StoreError::NoParent)), "{refused:?}");
    // Given up in the middle, it is as if nothing had been.
    let mut conn = bed.store.write().await.expect("write");
    let moved = conn
        .account(&shop)
        .adopt(&guest.account, id, NODE, None, NOW)
        .await;
    assert!(matches!(moved, Ok(Adoption::Moved(_))), "{moved:?}");
    drop(conn);
    a_link_on_another_node_stays(bed, &shop, &guest).await;
    bed.device_opens(&guest.account, id).await;
    let mut conn = bed.store.write().await.expect("write");
    for token in &guest.tokens {
        let found = conn.system().credential_by_token(token).await;
        assert_eq!(found.expect("looks").expect("lives").account, guest.account);
    }
    // More time for one that waits; none for one that ends, and no claim.
    let later = until().plus_secs(1);
    let mut store = conn.account(&guest.account);
    assert!(store.extend_guest(until(), NOW).await.expect("extends"));
    let early = NOW.plus_secs(599);
    let system = &mut conn.system();
    assert!(
        !system
            .close_guest(&guest.account, early)
            .await
            .expect("waits")
    );
    assert!(!system.close_guest(&full, later).await.expect("no guest"));
    for _ in 0..2 {
        let closed = system.close_guest(&guest.account, until()).await;
        assert!(closed.expect("closes"));
    }
    for token in &guest.tokens {
        let found = system.credential_by_token(token).await.expect("looks");
        assert!(found.is_none(), "dead at once");
    }
    let mut store = conn.account(&guest.account);
    assert!(!store.extend_guest(later, NOW).await.expect("refuses"));
    let mut store = conn.account(&full);
    assert!(!store.extend_guest(later, NOW).await.expect("refuses"));
    conn.commit().await.expect("commit");
    let refused = bed.adopt(&shop, &guest.account, id, NOW).await;
    assert_eq!(refused.expect("answers"), None, "it ends");
    let mut conn = bed.store.write().await.expect("write");
    let ended = conn.system().end_guest(&guest.account, until()).await;
    assert!(ended.expect("ends"));
    conn.commit().await.expect("commit");
    assert_eq!(
        bed.tables_naming(&guest.account).await,
        Vec::<String>::new()
    );
}

/// Whoever has the lease may run a link; what is its own, or over, is in nobody's way.
async fn a_link_on_another_node_stays(bed: &Bed, shop: &AccountId, guest: &Guest) {
    let id = &guest.instance.id;
    let (soon, late) = (NOW.plus_secs(30), NOW.plus_secs(31));
    for (owner, now, held) in [("n2", NOW, true), ("n2", late, false), (NODE, NOW, false)] {
        let mut conn = bed.store.write().await.expect("write");
        let leased = conn.system().lease_instance(id, owner, soon, NOW).await;
        leased.expect("leases").expect("free");
        let mut account = conn.account(shop);
        let moved = account.adopt(&guest.account, id, NODE, None, now).await;
        let moved = moved.expect("answers");
        assert_eq!(moved == Adoption::Held, held, "{owner} {now:?}");
        assert_eq!(
            matches!(moved, Adoption::Moved(_)),
            !held,
            "{owner} {now:?}"
        );
        // Given up, as the caller does with what is held.
        drop(conn);
    }
    let mut conn = bed.store.read().await.expect("read");
    for token in &guest.tokens {
        let found = conn.system().credential_by_token(token).await;
        assert!(found.expect("looks").is_some(), "the guest is whole");
    }
    let mut store = conn.account(shop);
    assert!(store.instance(id).await.expect("looks").is_none());
}

/// The clocks of two processes may disagree about whether a guest's time is over; the database lets
/// one of them have it.
pub async fn a_claim_and_an_end_exclude_each_other(bed: &Bed) {
    let shop = bed.account("shop").await;
    for _ in 0..12 {
        let account = bed.guest_account().await;
        let id = bed.instance(&account, "contested").await.id;
        let end = async {
            let mut conn = bed.store.write().await?;
            let closed = conn.system().close_guest(&account, until()).await?;
            conn.commit().await?;
            Ok::<_, StoreError>(closed)
        };
        let claim = bed.adopt(&shop, &account, &id, NOW);
        let (claimed, closed) = tokio::join!(claim, end);
        let claimed = claimed.expect("answers").is_some();
        assert_ne!(claimed, closed.expect("answers"));
        let mut conn = bed.store.read().await.expect("read");
        let has = conn.account(&shop).instance(&id).await.expect("looks");
        assert_eq!(has.is_some(), claimed);
    }
}

pub async fn guests_are_capped_exactly(bed: &Bed) {
    let open = |origin: &'static str| {
        let store = bed.store.clone();
        tokio::spawn(async move {
            let id = AccountId::random(&OsRng);
            let mut conn = store.write().await.expect("write");
            let mut system = conn.system();
            let door = system.open_guest(&id, origin, (6, 4), until(), NOW);
            let door = door.await.expect("answers");
            conn.commit().await.expect("commit");
            door
        })
    };
    let mut doors = Vec::new();
    for task in (0..8).map(|_| open("192.0.2.1/32")).collect::<Vec<_>>() {
        doors.push(task.await.expect("task"));
    }
    let of = |doors: &[GuestDoor], door| doors.iter().filter(|d| **d == door).count();
    assert_eq!(of(&doors, GuestDoor::Opened), 4, "{doors:?}");
    assert_eq!(of(&doors, GuestDoor::NetworkFull(until())), 4, "{doors:?}");
    doors.clear();
    for task in (0..5).map(|_| open("2001:db8::/64")).collect::<Vec<_>>() {
        doors.push(task.await.expect("task"));
    }
    assert_eq!(of(&doors, GuestDoor::Opened), 2, "{doors:?}");
    assert_eq!(of(&doors, GuestDoor::Full(until())), 3, "{doors:?}");
    let mut conn = bed.store.read().await.expect("read");
    // A look says the same without a change.
    for (origin, caps, door) in [
        ("192.0.2.1/32", (7, 5), None),
        (
            "192.0.2.1/32",
            (7, 4),
            Some(GuestDoor::NetworkFull(until())),
        ),
        ("2001:db8::/64", (7, 3), None),
        ("198.51.100.1/32", (6, 4), Some(GuestDoor::Full(until()))),
    ] {
        let seen = conn.system().guests(origin, caps, NOW).await;
        assert_eq!(seen.expect("counts"), door, "{origin} {caps:?}");
    }
    let all = conn.system().accounts().await.expect("lists");
    assert!(all.iter().all(|account| account.kind == AccountKind::Guest));
}
