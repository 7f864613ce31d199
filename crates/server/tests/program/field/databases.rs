//! PostgreSQL as an administrator of another time or another team has made it.

use recado_model::{clock::OsRng, id::random_base32};
use recado_testkit::database::TestDatabase;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{
    bad_days::{fresh, refused},
    support::{Home, run},
};

/// A database of its own, and its administrator.
struct Database {
    kept: TestDatabase,
    admin: PgConnection,
}

impl Database {
    async fn make(with: &str) -> Self {
        let kept = TestDatabase::postgres(with).await;
        let admin = PgConnection::connect(&kept.url()).await;
        Self {
            kept,
            admin: admin.expect("it answers"),
        }
    }

    async fn close(self) {
        self.admin.close().await.expect("closes");
        self.kept.close().await;
    }

    async fn run(&mut self, statement: &str) {
        sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
            .execute(&mut self.admin)
            .await
            .unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// Its address for the user, who needs no password here.
    fn url(&self, user: Option<&str>) -> String {
        let own = self.kept.url();
        let Some(user) = user else {
            return own;
        };
        let (scheme, rest) = own.split_once("://").expect("a URL");
        let bare = rest.rsplit('@').next().expect("a host");
        format!("{scheme}://{user}@{bare}")
    }

    fn home(&self, user: Option<&str>) -> Home {
        let mut home = fresh();
        home.set("DATABASE_URL", &self.url(user));
        home
    }
}

#[tokio::test]
async fn an_encoding_that_cannot_hold_all_text_is_refused() {
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let with = format!("ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'");
        let database = Database::make(&with).await;
        let home = database.home(None);
        for args in [
            &["init"][..],
            &["serve"],
            &["migrate"],
            &["account", "list"],
        ] {
            let ended = home.run(args);
            refused(
                &ended,
                &[encoding, "UTF8", "CREATE DATABASE", "database_url"],
            );
            assert!(
                !home.data().join("master.key").exists(),
                "nothing was begun"
            );
        }
        let doctor = home.run(&["doctor"]);
        assert_eq!(doctor.code, Some(1));
        assert!(doctor.out.contains(encoding), "{}", doctor.out);
        database.close().await;
    }
}

#[tokio::test]
async fn looking_writes_nothing_into_the_data_folder() {
    let database = Database::make("").await;
    let home = database.home(None);
    home.out(&["init"]);
    let account = home.account("Shop", "owner@shop.example");
    let account = account["account_id"].as_str().expect("an id");
    let changed = || {
        let about = std::fs::metadata(home.data()).expect("a folder");
        about.modified().expect("a time")
    };
    let before = changed();
    for args in [
        &["account", "list"][..],
        &["user", "list"],
        &["credential", "list", "--account", account],
        &["audit", "--account", account],
        &["billing", "list"],
        &["key", "list"],
        &["config", "check"],
        &["doctor"],
    ] {
        home.out(args);
        assert_eq!(changed(), before, "{args:?}");
    }
    database.close().await;
}

/// The statement that the sentence names.
fn grant(err: &str) -> String {
    let from = err.find("GRANT").expect("a GRANT");
    let line = err[from..].lines().next().expect("a line");
    // Whatever stands between ";" and the end is for the reader.
    line.split(';').next().expect("a statement").to_owned()
}

#[tokio::test]
async fn what_the_user_is_not_allowed_is_said_once_with_its_grant() {
    let mut database = Database::make("").await;
    // A name that must stand in quotes.
    let user = format!("field-{}", random_base32(&OsRng).to_lowercase());
    let (name, shown) = (database.kept.name().to_owned(), format!("\"{user}\""));
    database
        .run(&format!("CREATE ROLE {shown} LOGIN; REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"))
        .await;
    let home = database.home(Some(&user));
    let connect = home.run(&["init"]);
    refused(
        &connect,
        &[
            "permission denied for database",
            "GRANT CONNECT ON DATABASE",
        ],
    );
    database.run(&grant(&connect.err)).await;

    // The first one makes the key, and says so.
    assert_eq!(home.run(&["init"]).code, Some(1));
    let whole = format!("GRANT USAGE, CREATE ON SCHEMA public TO {shown}");
    for given in [
        None,
        Some(format!("GRANT USAGE ON SCHEMA public TO {shown}")),
    ] {
        if let Some(given) = given {
            database.run(&given).await;
        }
        for args in [&["init"][..], &["migrate"], &["init"]] {
            let ended = home.run(args);
            if args == ["migrate"] && !ended.err.contains("GRANT") {
                continue;
            }
            refused(&ended, &[&whole, "public"]);
            assert!(ended.err.matches("schema").count() <= 3, "{}", ended.err);
            assert!(
                ended.err.matches("permission denied").count() <= 1,
                "{}",
                ended.err
            );
        }
    }
    let denied = home.run(&["init"]);
    refused(&denied, &["permission denied for schema public"]);
    database.run(&grant(&denied.err)).await;
    home.out(&["init"]);
    home.out(&["account", "list"]);

    // Tables that somebody else made.
    let mut others = Database::make("").await;
    let owner = others.home(None);
    owner.out(&["init"]);
    let mut home = others.home(Some(&user));
    home.set(
        "MASTER_KEY_FILE",
        &owner.data().join("master.key").display().to_string(),
    );
    // Whoever brings tables up to date must be allowed to make some, and hears of that first.
    others.run(&whole).await;
    for args in [
        &["account", "list"][..],
        &["key", "list"],
        &["serve"],
        &["init"],
    ] {
        let ended = home.run(args);
        refused(
            &ended,
            &[
                "permission denied for table",
                "GRANT SELECT, INSERT",
                &shown,
            ],
        );
        assert_eq!(
            ended.err.matches("permission denied").count(),
            1,
            "{}",
            ended.err
        );
    }
    let ended = run(&mut home.command(&["account", "list"]));
    others.run(&grant(&ended.err)).await;
    home.out(&["account", "list"]);

    others.run(&format!("DROP OWNED BY {shown}")).await;
    database
        .run(&format!("DROP OWNED BY {shown}; DROP ROLE {shown}"))
        .await;
    others.close().await;
    database.close().await;
}
