//! The bed of the store: a fresh database per test, and the things that most tests need in it.

use std::sync::Arc;

use recado_model::{
    AccountId, Event, EventId, EventKind, Instance, InstanceId, Language, Rng, Role, Timestamp,
    UserId, WebhookId,
    account::AccountKind,
    clock::OsRng,
    instance::{NewInstance, Origin},
    webhook::SigningSecret,
};
use recado_store::{Conn, Database, MasterKey, NewUser, Options, Store};

use crate::database::{self, Kind, TestDatabase};

pub const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// An open store on a database of its own.
pub struct StoreBed {
    pub store: Store,
    pub key: String,
    database: TestDatabase,
}

pub fn rng() -> Arc<dyn Rng> {
    Arc::new(OsRng)
}

pub fn open_with(database: &Database, key: &str) -> Options {
    Options {
        database: database.clone(),
        master_key: MasterKey::parse(key).expect("a key"),
        rng: rng(),
        migrate: true,
        init: true,
    }
}

impl StoreBed {
    pub async fn on(kind: Kind) -> Self {
        let database = TestDatabase::new(kind).await;
        let (_, key) = MasterKey::generate(&OsRng);
        let store = Store::open(open_with(database.database(), &key))
            .await
            .expect("opens");
        Self {
            store,
            key,
            database,
        }
    }

    /// Closes the store and takes the database away.
    pub async fn close(self) {
        self.store.close().await;
        self.database.close().await;
    }

    pub fn database(&self) -> &Database {
        self.database.database()
    }

    /// The folder of SQLite's file.
    pub fn folder(&self) -> &std::path::Path {
        self.database.folder()
    }

    /// Runs SQL beside the store.
    pub async fn raw(&self, text: &str) {
        database::run(self.database(), text).await;
    }

    pub async fn account(&self, name: &str) -> AccountId {
        let id = AccountId::random(&OsRng);
        let mut conn = self.store.write().await.expect("write");
        conn.system()
            .create_account(&id, name, AccountKind::Full, None, NOW)
            .await
            .expect("account");
        conn.commit().await.expect("commit");
        id
    }

    /// Somebody new, of no account.
    pub async fn user_in(&self, conn: &mut Conn, email: &str) -> UserId {
        let id = UserId::random(&OsRng);
        let new = NewUser {
            id: &id,
            email,
            password_hash: "$argon2id$old",
            operator: false,
            language: Language::English,
        };
        conn.people().create_user(&new, NOW).await.expect("user");
        id
    }

    /// Somebody new who is a member of the account.
    pub async fn member(&self, account: &AccountId, email: &str, role: Role) -> UserId {
        let mut conn = self.store.write().await.expect("write");
        let id = self.user_in(&mut conn, email).await;
        let added = conn.people().add_member(account, &id, role, NOW).await;
        assert!(added.expect("member"));
        conn.commit().await.expect("commit");
        id
    }

    pub async fn instance(&self, account: &AccountId, name: &str) -> Instance {
        let new = NewInstance {
            name: name.into(),
            ..NewInstance::default()
        };
        let id = InstanceId::random(&OsRng);
        let mut conn = self.store.write().await.expect("write");
        let instance = conn
            .account(account)
            .create_instance(&id, Origin::Api, &new, NOW)
            .await
            .expect("instance");
        conn.commit().await.expect("commit");
        instance
    }

    pub async fn webhook(&self, account: &AccountId, instance: &InstanceId) -> SigningSecret {
        let secret = secret();
        let mut conn = self.store.write().await.expect("write");
        let (_, kept) = conn
            .account(account)
            .set_webhook(
                &WebhookId::random(&OsRng),
                instance,
                "https://example.org/hook",
                None,
                &secret,
                NOW,
            )
            .await
            .expect("webhook");
        conn.commit().await.expect("commit");
        kept
    }

    /// Appends one event in a transaction of its own; the number of deliveries.
    pub async fn event(
        &self,
        account: &AccountId,
        instance: &InstanceId,
        kind: EventKind,
    ) -> usize {
        let mut conn = self.store.write().await.expect("write");
        let made = conn
            .account(account)
            .append(&event(account, instance, kind))
            .await
            .expect("event");
        conn.commit().await.expect("commit");
        made
    }
}

pub fn event(account: &AccountId, instance: &InstanceId, kind: EventKind) -> Event {
    Event {
        id: EventId::random(&OsRng),
        account: account.clone(),
        instance: instance.clone(),
        kind,
        payload: serde_json::json!({"type": kind.as_str(), "event": {"n": 1}}),
        created_at: NOW,
    }
}

pub fn secret() -> SigningSecret {
    SigningSecret::random(&OsRng, |bytes| {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    })
}
