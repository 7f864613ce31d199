//! Sessions of the Direct API as their holders use them, and a look at all that is kept of them.

use recado_model::{AccountId, InstanceId, account::AccountKind};
use recado_store::Database;
use serde_json::{Value, json};

use super::{Bed, CUSTOMER, PATIENCE, Shop, until};
use crate::{
    call::{Answer, Call},
    database,
};

/// The answer of `POST /sessions` or of a claim.
pub struct DirectSession {
    pub id: InstanceId,
    pub key: String,
    pub api_key: String,
}

impl DirectSession {
    pub fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().expect(name).to_owned();
        Self {
            id: InstanceId::from_text(text("id")),
            key: text("key"),
            api_key: text("apiKey"),
        }
    }

    pub fn path(&self, below: &str) -> String {
        format!("/sessions/{}{below}", self.key)
    }
}

impl Bed {
    pub async fn guest(&self) -> DirectSession {
        let call = self.post("/sessions").json(json!({"label": "Guest"}));
        let made = call.send().await.ok();
        assert_eq!(made["claimed"], false, "{made}");
        DirectSession::of(&made)
    }

    pub fn as_session(&self, method: &str, session: &DirectSession, below: &str) -> Call {
        let call = self.call(method, &session.path(below));
        call.header("x-api-key", &session.api_key)
    }

    pub async fn session(&self, session: &DirectSession) -> Answer {
        self.as_session("GET", session, "").send().await
    }

    pub async fn connected(&self, session: &DirectSession) {
        until("the session to be connected", async || {
            let seen = self.session(session).await.ok();
            (seen["status"] == "connected").then_some(())
        })
        .await;
    }

    pub async fn link(&self, session: &DirectSession, phone: &str) {
        let qr = self.get(&session.path("/qr")).send().await.ok();
        let qr = qr["qr"].as_str().expect("a code").to_owned();
        let scanned = self.sandbox.network().scan(phone, &qr).await;
        scanned.expect("the phone links it");
        self.connected(session).await;
    }

    pub async fn paired_guest(&self, phone: &str) -> DirectSession {
        let session = self.guest().await;
        self.link(&session, phone).await;
        session
    }

    pub fn claim(&self, shop: &Shop, session: &DirectSession) -> Call {
        self.as_session("POST", session, "/claim")
            .bearer(&shop.api_token)
    }

    pub async fn claimed(&self, shop: &Shop, session: &DirectSession) -> DirectSession {
        let answer = self.claim(shop, session).send().await.ok();
        assert_eq!(answer["claimed"], true);
        DirectSession::of(&answer)
    }

    pub async fn direct_send(&self, session: &DirectSession, text: &str) -> Answer {
        let call = self.as_session("POST", session, "/messages");
        call.json(json!({"to": CUSTOMER, "text": text}))
            .send()
            .await
    }

    /// A customer writes to `phone`, and WhatsApp has been told that its linked device has it.
    pub async fn says(&self, phone: &str, text: &str) {
        let network = self.sandbox.network();
        network.send_text(CUSTOMER, phone, text).expect("sent");
        let taken = network.wait_for(PATIENCE, |network| {
            let all = network.phone(phone).ok()?.companions;
            (all.len() == 1 && all[0].queued == 0).then_some(())
        });
        taken.await.expect("the message is acknowledged");
    }

    pub async fn no_longer_linked(&self, phone: &str) {
        let network = self.sandbox.network();
        let lost = network.wait_for(PATIENCE, |network| {
            let all = network.phone(phone).ok()?.companions;
            all.is_empty().then_some(())
        });
        lost.await.expect("the phone lists it no longer");
    }

    pub async fn guest_accounts(&self) -> Vec<AccountId> {
        let mut conn = self.read().await;
        let all = conn.system().accounts().await.expect("lists");
        let guests = all.into_iter().filter(|all| all.kind == AccountKind::Guest);
        guests.map(|account| account.id).collect()
    }

    pub async fn wait_for_no_guest(&self) {
        until("the guests to be gone", async || {
            self.guest_accounts().await.is_empty().then_some(())
        })
        .await;
    }

    /// All that is in the database, as bytes or as PostgreSQL prints its rows.
    pub async fn everything(&self) -> Vec<u8> {
        match self.database() {
            Database::Sqlite { path } => {
                let mut bytes = Vec::new();
                let folder = path.parent().expect("a folder");
                for entry in std::fs::read_dir(folder).expect("lists") {
                    let path = entry.expect("an entry").path();
                    if path.is_file() {
                        bytes.extend(std::fs::read(path).expect("reads"));
                    }
                }
                bytes
            }
            Database::Postgres { url } => {
                let pool = sqlx::PgPool::connect(url.expose()).await.expect("opens");
                let tables: Vec<String> = sqlx::query_scalar(
                    "SELECT table_name::text FROM information_schema.tables WHERE table_schema = 'public'",
                )
                .fetch_all(&pool)
                .await
                .expect("lists");
                let mut text = String::new();
                for table in tables {
                    let rows = sqlx::AssertSqlSafe(format!("SELECT t::text FROM {table} t"));
                    let rows: Vec<String> = sqlx::query_scalar(rows)
                        .fetch_all(&pool)
                        .await
                        .expect("reads");
                    text.push_str(&rows.join("\n"));
                }
                pool.close().await;
                text.into_bytes()
            }
        }
    }

    pub async fn holds(&self, text: &str) -> bool {
        let bytes = self.everything().await;
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    }

    /// Runs SQL beside the store: the one or the other text.
    pub async fn raw(&self, sqlite: &str, postgres: &str) {
        let database = self.database();
        let text = if database.is_sqlite() {
            sqlite
        } else {
            postgres
        };
        database::run(&database, text).await;
    }
}

const MIGRATIONS: [&str; 5] = [
    include_str!("../../../../migrations/0001_first.sql"),
    include_str!("../../../../migrations/0003_polls.sql"),
    include_str!("../../../../migrations/0009_presence_watches.sql"),
    include_str!("../../../../migrations/0010_history.sql"),
    include_str!("../../../../migrations/0011_sync_troubles.sql"),
];

/// The tables in which a row mentions one of the accounts, or the session.
pub async fn rows_naming(
    bed: &Bed,
    session: &DirectSession,
    accounts: &[AccountId],
) -> Vec<String> {
    let mut found = Vec::new();
    let names: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
    for table in MIGRATIONS
        .iter()
        .flat_map(|text| text.split("CREATE TABLE ").skip(1))
    {
        let (name, columns) = table.split_once(" (\n").expect("a table");
        let columns = columns.split_once("\n);").expect("its end").0;
        for column in ["account_id", "instance_id", "id"] {
            if !columns.contains(&format!("    {column} ")) {
                continue;
            }
            for wanted in names.iter().chain([&session.id.as_str()]) {
                let text = format!("SELECT COUNT(*) FROM {name} WHERE {column} = $1");
                if database::count(&bed.database(), &text, Some(wanted)).await > 0 {
                    found.push(format!("{name}.{column}"));
                }
            }
        }
    }
    found
}
