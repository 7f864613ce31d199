use recado_model::{Error, ErrorCode, clock::OsRng};
use recado_store::{Database, MasterKey, Options, Store, StoreError};

use crate::bed::{Bed, Kind, NOW, open_with};

pub async fn reopens_with_the_same_key_only(bed: &Bed) {
    let account = bed.account("a").await;
    bed.store.close().await;
    let (_, other) = MasterKey::generate(&OsRng);
    let error = Store::open(open_with(bed.database(), &other))
        .await
        .expect_err("another key");
    assert!(
        matches!(error, StoreError::WrongMasterKey { .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains(&bed.database().describe()),
        "{error}"
    );
    let store = Store::open(open_with(bed.database(), &bed.key))
        .await
        .expect("the same key");
    let mut conn = store.read().await.expect("read");
    assert!(
        conn.system()
            .account_exists(&account)
            .await
            .expect("exists")
    );
    store.ping().await.expect("ping");
}

pub async fn a_newer_schema_is_refused(bed: &Bed) {
    bed.store.close().await;
    bed.raw(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         SELECT 999, 'later', success, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
    )
    .await;
    for migrate in [true, false] {
        let mut options = open_with(bed.database(), &bed.key);
        options.migrate = migrate;
        let error = Store::open(options).await.expect_err("newer");
        assert!(
            matches!(error, StoreError::NewerSchema { version: 999, .. }),
            "{error}"
        );
        assert!(error.to_string().contains(&bed.database().describe()));
    }
}

pub async fn an_older_schema_needs_permission(bed: &Bed) {
    bed.store.close().await;
    bed.raw("DELETE FROM _sqlx_migrations").await;
    let mut options = open_with(bed.database(), &bed.key);
    options.migrate = false;
    let error = Store::open(options).await.expect_err("older");
    assert!(
        matches!(error, StoreError::PendingMigrations { .. }),
        "{error}"
    );
}

pub async fn the_first_key_is_made_once(bed: &Bed) {
    assert!(Store::has_key_check(bed.database()).await.expect("asks"));
    // As if it had never been set up.
    bed.raw("DELETE FROM meta WHERE name = 'key_check'").await;
    bed.raw("DELETE FROM system_key").await;
    bed.raw("DELETE FROM pepper").await;
    bed.store.close().await;
    assert!(!Store::has_key_check(bed.database()).await.expect("asks"));
    let mut options = open_with(bed.database(), &bed.key);
    options.init = false;
    match (bed.database().is_sqlite(), Store::open(options).await) {
        (true, Ok(_)) | (false, Err(StoreError::NotInitialised { .. })) => {}
        (_, other) => panic!("{other:?}"),
    }
}

pub async fn reads_cannot_write(bed: &Bed) {
    let account = bed.account("a").await;
    let mut conn = bed.store.read().await.expect("read");
    let error = conn.account(&account).audit("x", "{}", NOW).await;
    assert!(matches!(error, Err(StoreError::ReadOnly(_))), "{error:?}");
    drop(conn);
    // A write that is dropped leaves nothing.
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&account)
        .audit("x", "{}", NOW)
        .await
        .expect("audit");
    drop(conn);
    let mut conn = bed.store.write_relaxed().await.expect("write");
    conn.account(&account)
        .audit("y", "{}", NOW)
        .await
        .expect("audit");
    conn.commit().await.expect("commit");
    let mut conn = bed.store.read().await.expect("read");
    let entries = conn
        .account(&account)
        .audit_entries(10)
        .await
        .expect("list");
    assert_eq!(
        entries.iter().map(|e| e.kind.as_str()).collect::<Vec<_>>(),
        ["y"]
    );
    conn.commit().await.expect("nothing to do");
}

/// Two stores on one database stand for two processes (the gateway and the command line).
pub async fn two_processes_share_it(bed: &Bed) {
    let other = Store::open(open_with(bed.database(), &bed.key))
        .await
        .expect("opens too");
    let account = bed.account("a").await;
    let tasks: Vec<_> = [bed.store.clone(), other]
        .into_iter()
        .map(|store| {
            let account = account.clone();
            tokio::spawn(async move {
                for _ in 0..25 {
                    let mut conn = store.write().await.expect("write");
                    let mut rows = conn.account(&account);
                    rows.audit_entries(1).await.expect("reads first");
                    rows.audit("x", "{}", NOW).await.expect("then writes");
                    conn.commit().await.expect("commit");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("task");
    }
    let mut conn = bed.store.read().await.expect("read");
    let entries = conn.account(&account).audit_entries(99).await;
    assert_eq!(entries.expect("lists").len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_first_starts_at_once_both_succeed() {
    for _ in 0..8 {
        let folder = tempfile::tempdir().expect("folder");
        let database = Database::Sqlite {
            path: folder.path().join("recado.db"),
        };
        let (_, key) = MasterKey::generate(&OsRng);
        let starts: Vec<_> = (0..2)
            .map(|_| {
                let options = open_with(&database, &key);
                tokio::spawn(async move { Store::open(options).await.map(drop) })
            })
            .collect();
        for start in starts {
            start.await.expect("task").expect("opens");
        }
    }
}

fn sqlite_options(path: std::path::PathBuf) -> Options {
    let (_, key) = MasterKey::generate(&OsRng);
    open_with(&Database::Sqlite { path }, &key)
}

#[tokio::test]
async fn what_is_wrong_with_a_file_is_said() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("notes.txt");
    std::fs::write(
        &file,
        "this is no database, but long enough to be looked at as one".repeat(99),
    )
    .expect("writes");
    let error = Store::open(sqlite_options(file.clone()))
        .await
        .expect_err("text");
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
    assert!(error.to_string().contains("notes.txt"));
    let error = Store::has_key_check(&Database::Sqlite { path: file.clone() })
        .await
        .expect_err("text");
    assert!(matches!(error, StoreError::NotADatabase { .. }), "{error}");
    // A folder that cannot be made, whoever runs the test.
    let error = Store::open(sqlite_options(file.join("below.db")))
        .await
        .expect_err("below a file");
    assert!(matches!(error, StoreError::Unwritable { .. }), "{error}");
    assert!(error.to_string().contains("below.db"), "{error}");
    let public = Error::from(error);
    assert_eq!(public.code, ErrorCode::Internal);
    assert!(!public.message.contains("below.db"));
}

#[tokio::test]
async fn the_file_is_ours_alone() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::on(Kind::Sqlite).await;
    bed.account("a").await;
    let mut seen = 0;
    for entry in std::fs::read_dir(bed.folder().join("data")).expect("lists") {
        let mode = entry
            .expect("entry")
            .metadata()
            .expect("metadata")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        seen += 1;
    }
    assert!(seen >= 2, "the database and its log");
    bed.close().await;
}

#[tokio::test]
async fn a_database_that_is_not_there_has_no_key() {
    let folder = tempfile::tempdir().expect("folder");
    let database = Database::Sqlite {
        path: folder.path().join("none.db"),
    };
    assert!(!Store::has_key_check(&database).await.expect("asks"));
    assert!(!folder.path().join("none.db").exists());
}

#[test]
fn databases_are_named_without_their_password() {
    let database =
        Database::parse("postgres://me:hunter2@db.example.org:5433/recado").expect("url");
    assert_eq!(database.describe(), "postgres://db.example.org:5433/recado");
    assert!(!format!("{database:?}").contains("hunter2"));
    for (text, path) in [
        ("sqlite:///var/lib/r.db", "/var/lib/r.db"),
        ("sqlite:r.db", "r.db"),
        ("./data/r.db", "./data/r.db"),
    ] {
        assert_eq!(Database::parse(text).expect(text).describe(), path);
    }
    for bad in [
        "",
        "mysql://root:hunter2@localhost/x",
        "postgres://me:hunter2@:x/",
    ] {
        let error = Database::parse(bad).expect_err(bad);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

/// A process that is suspended, or whose machine is, can leave a transaction open with the rows that everybody
/// needs. PostgreSQL only: SQLite has one process.
#[tokio::test]
async fn whoever_stops_within_a_transaction_is_not_waited_for() {
    let bed = Bed::on(Kind::Postgres).await;
    let account = bed.account("Acme").await;
    let mut stopped = bed.store.write().await.expect("write");
    let mut rows = stopped.account(&account);
    rows.hold().await.expect("holds the row");
    let mut other = bed.store.write().await.expect("write");
    let mut rows = other.account(&account);
    rows.hold().await.expect("within the limit of a lock");
    other.commit().await.expect("commit");
    stopped.commit().await.expect_err("it is over");
    bed.close().await;
}
