//! A fresh database per test, and the things that most tests need in it.

use std::sync::Arc;

use recado_model::{
    AccountId, Event, EventId, EventKind, Instance, InstanceId, Language, Rng, Role, Secret,
    Timestamp, UserId, WebhookId,
    account::AccountKind,
    clock::OsRng,
    instance::{NewInstance, Origin},
    webhook::SigningSecret,
};
use recado_store::{Conn, Database, MasterKey, NewUser, Options, Store};

pub const NOW: Timestamp = Timestamp(1_767_225_600_000);

pub struct Bed {
    pub store: Store,
    pub database: Database,
    pub key: String,
    folder: Option<tempfile::TempDir>,
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

impl Bed {
    pub async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("data").join("recado.db");
        Self::on(Database::Sqlite { path }, Some(folder)).await
    }

    pub async fn postgres() -> Self {
        let server = std::env::var("RECADO_TEST_POSTGRES_URL").expect(
            "RECADO_TEST_POSTGRES_URL is not set: `cargo xtask test` starts a PostgreSQL and sets it",
        );
        let server = server.trim_end_matches('/');
        let name = format!(
            "recado_{}",
            recado_model::id::random_base32(&OsRng).to_lowercase()
        );
        // A URL with a database in it is fine too: its last part is replaced.
        let host = server
            .find("://")
            .and_then(|scheme| server[scheme + 3..].find('/').map(|at| scheme + 3 + at))
            .map_or(server, |end| &server[..end]);
        let admin = sqlx::PgPool::connect(&format!("{host}/postgres"))
            .await
            .expect("the server of RECADO_TEST_POSTGRES_URL answers");
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&admin)
            .await
            .expect("a database");
        admin.close().await;
        let url = Secret::new(format!("{host}/{name}"));
        Self::on(Database::Postgres { url }, None).await
    }

    async fn on(database: Database, folder: Option<tempfile::TempDir>) -> Self {
        let (_, key) = MasterKey::generate(&OsRng);
        let store = Store::open(open_with(&database, &key))
            .await
            .expect("opens");
        Self {
            store,
            database,
            key,
            folder,
        }
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.as_ref().expect("SQLite").path()
    }

    /// Runs SQL beside the store.
    pub async fn raw(&self, text: &'static str) {
        match &self.database {
            Database::Sqlite { path } => {
                let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
                let pool = sqlx::SqlitePool::connect_with(options)
                    .await
                    .expect("opens");
                sqlx::raw_sql(text).execute(&pool).await.expect("runs");
                pool.close().await;
            }
            Database::Postgres { url } => {
                let pool = sqlx::PgPool::connect(url.expose()).await.expect("opens");
                sqlx::raw_sql(text).execute(&pool).await.expect("runs");
                pool.close().await;
            }
        }
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
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(bytes)
    })
}
