//! The master key is never lost: not between database and file, not while a commit is under way, and
//! not where its file cannot be replaced.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use recado_model::{Secret, Timestamp, clock::OsRng};
use recado_store::{Database, MasterKey, Options, Store, StoreError};
use sqlx::{Connection, PgConnection};

use super::{alone, beside, key_file, left_beside, on_postgres};
use crate::{
    network::jwt,
    support::{Ended, Home, run, wait_for},
};

const NOW: Timestamp = Timestamp(1_767_225_600_000);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_key_between_database_and_file_is_found() {
    let home = alone();
    let account = home.account("Shop", "owner@shop.example");
    // As if the machine had stopped after the commit, before the rename.
    let (key, text) = MasterKey::generate(&OsRng);
    fs::write(left_beside(&home), &text).expect("a file");
    let store = home.store().await;
    store.rotate_master(&key, NOW).await.expect("rotates");
    store.close().await;
    let _gateway = home.serve().await;
    jwt(&home, &account).await;
    assert_eq!(fs::read_to_string(key_file(&home)).expect("a key"), text);
    assert!(!left_beside(&home).exists());

    // And before the commit: the new one was never in force.
    let (_, other) = MasterKey::generate(&OsRng);
    fs::write(left_beside(&home), other).expect("a file");
    drop(_gateway);
    let _gateway = home.serve().await;
    jwt(&home, &account).await;
    let weak = home.out(&["doctor"]);
    assert!(weak.contains("master.key.new is left"), "{weak}");
    home.out(&["key", "tidy"]);
    assert!(!left_beside(&home).exists());
    assert_eq!(fs::read_to_string(key_file(&home)).expect("a key"), text);
    assert!(!home.out(&["doctor"]).contains("is left"));
    // A torn one is no key at all, and in nobody's way.
    fs::write(left_beside(&home), "dG9ybg").expect("a file");
    home.out(&["key", "rotate", "master"]);
    assert!(!left_beside(&home).exists());
    jwt(&home, &account).await;
    let now = fs::read_to_string(key_file(&home)).expect("a key");
    assert_ne!(now, text);
    let old = Store::open(Options {
        database: Database::Sqlite {
            path: home.database(),
        },
        master_key: MasterKey::parse(&text).expect("a key"),
        rng: Arc::new(OsRng),
        migrate: false,
        init: false,
    });
    let error = old.await.expect_err("the old key");
    assert!(
        matches!(error, StoreError::WrongMasterKey { .. }),
        "{error}"
    );
}

#[test]
fn a_master_key_from_the_environment_is_not_rotated() {
    let mut home = alone();
    home.out(&["migrate"]);
    let text = fs::read_to_string(key_file(&home)).expect("a key");
    fs::remove_file(key_file(&home)).expect("a file");
    home.set("MASTER_KEY", text.trim());
    for what in ["master", "all"] {
        let ended = home.run(&["key", "rotate", what]);
        assert_eq!(ended.code, Some(1));
        assert!(
            ended.err.contains("RECADO_MASTER_KEY_FILE"),
            "{}",
            ended.err
        );
        assert!(!ended.err.contains(text.trim()));
    }
    let out = home.out(&["key", "rotate", "jwt"]);
    assert!(out.contains("is new"), "{out}");
    assert!(!key_file(&home).exists());
    let said = home.out(&["init"]);
    assert!(said.contains("RECADO_MASTER_KEY"), "{said}");
}

fn database_url(home: &Home) -> String {
    let command = home.command(&[]);
    let mut set = command.get_envs();
    let url = set.find(|(name, _)| *name == "RECADO_DATABASE_URL");
    let url = url.and_then(|(_, url)| url).expect("a database");
    url.to_str().expect("text").to_owned()
}

/// The backends that wait for a lock in this database, once there are `n`.
async fn waiting(db: &mut PgConnection, n: usize) -> Vec<i32> {
    wait_for("statements that wait for the row", async || {
        let found: Vec<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity \
             WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_all(&mut *db)
        .await
        .expect("looks");
        (found.len() == n).then_some(found)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_whose_commit_is_under_way_stays() {
    let (home, database) = on_postgres().await;
    home.out(&["init"]);
    let old = fs::read_to_string(key_file(&home)).expect("a key");
    let (key, text) = MasterKey::generate(&OsRng);
    fs::write(left_beside(&home), &text).expect("a file");
    let url = database_url(&home);
    let mut rotation = PgConnection::connect(&url).await.expect("connects");
    let mut look = PgConnection::connect(&url).await.expect("connects");
    let hold = async |db: &mut PgConnection| {
        for text in ["BEGIN", "UPDATE meta SET n = n WHERE name = 'key_check'"] {
            sqlx::query(text).execute(&mut *db).await.expect("holds");
        }
    };

    // As a database that is still busy with the commit of a program that was killed. Whoever cannot
    // wait for its end, here because the connection is lost, has not learned anything.
    hold(&mut rotation).await;
    for args in [["key", "tidy"].as_slice(), &["key", "rotate", "master"]] {
        let ended = tokio::spawn({
            let mut command = home.command(args);
            async move { tokio::task::spawn_blocking(move || run(&mut command)).await }
        });
        let backend = waiting(&mut look, 1).await;
        assert_eq!(fs::read_to_string(left_beside(&home)).expect("stays"), text);
        sqlx::query("SELECT pg_terminate_backend($1)")
            .bind(backend[0])
            .execute(&mut look)
            .await
            .expect("ends it");
        let ended = ended.await.expect("runs").expect("ends");
        assert_eq!(ended.code, Some(1), "{}", ended.out);
        assert!(ended.err.contains("so it stays"), "{}", ended.err);
        assert_eq!(fs::read_to_string(left_beside(&home)).expect("stays"), text);
        assert_eq!(fs::read_to_string(key_file(&home)).expect("stays"), old);
    }

    // The commit comes while the next one waits.
    let store = Store::open(Options {
        database: Database::Postgres {
            url: Secret::new(url),
        },
        master_key: MasterKey::parse(old.trim()).expect("a key"),
        rng: Arc::new(OsRng),
        migrate: false,
        init: false,
    });
    let store = store.await.expect("opens");
    let commits = store.rotate_master(&key, NOW);
    let settles = async {
        waiting(&mut look, 1).await;
        let settles = beside(&home, &["key", "tidy"]);
        let release = async {
            waiting(&mut look, 2).await;
            assert_eq!(fs::read_to_string(left_beside(&home)).expect("stays"), text);
            let ended = sqlx::query("ROLLBACK").execute(&mut rotation).await;
            ended.expect("lets go");
        };
        tokio::join!(settles, release).0
    };
    let (committed, settled) = tokio::join!(commits, settles);
    committed.expect("rotates");
    assert_eq!(settled.code, Some(0), "{}", settled.err);
    assert_eq!(fs::read_to_string(key_file(&home)).expect("a key"), text);
    assert!(!left_beside(&home).exists());
    database.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_neither_key_is_the_right_one_both_stay() {
    let (home, database) = on_postgres().await;
    home.out(&["init"]);
    let (right, wrong, other) = {
        let text = fs::read_to_string(key_file(&home)).expect("a key");
        let made = || MasterKey::generate(&OsRng).1;
        (text, made(), made())
    };
    // Somebody put files of another database here.
    fs::write(key_file(&home), &wrong).expect("a file");
    fs::write(left_beside(&home), &other).expect("a file");
    for args in [["key", "tidy"].as_slice(), &["key", "rotate", "master"]] {
        assert_eq!(home.run(args).code, Some(1));
        assert_eq!(fs::read_to_string(key_file(&home)).expect("a key"), wrong);
        assert_eq!(
            fs::read_to_string(left_beside(&home)).expect("a key"),
            other
        );
    }
    fs::write(key_file(&home), &right).expect("a file");
    home.out(&["key", "tidy"]);
    assert_eq!(fs::read_to_string(key_file(&home)).expect("a key"), right);
    assert!(!left_beside(&home).exists());
    database.close().await;
}

/// The command where the key file is a mount of its own, as in a container that is given one file.
/// `None` where the machine forbids that.
fn mounted(home: &Home, file: &Path, args: &[&str]) -> Option<Ended> {
    let inside = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount"]);
        command
    };
    let allowed = inside()
        .arg("true")
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !allowed {
        eprintln!("not tested: this machine lets nobody but root mount");
        return None;
    }
    let plain = home.command(args);
    let mut command = inside();
    command
        .args(["sh", "-c", r#"mount --bind "$0" "$0" && exec "$@""#])
        .arg(file)
        .arg(plain.get_program())
        .args(plain.get_args())
        .stdin(Stdio::null());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    Some(run(&mut command))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mounted_key_file_is_not_lost() {
    let home = alone();
    home.out(&["migrate"]);
    let file = key_file(&home);
    let old = fs::read_to_string(&file).expect("a key");
    for what in ["master", "all"] {
        let Some(refused) = mounted(&home, &file, &["key", "rotate", what]) else {
            return;
        };
        assert_eq!(refused.code, Some(1), "{}", refused.out);
        assert!(refused.err.contains("mount its folder"), "{}", refused.err);
        assert_eq!(refused.out, "", "nothing was begun");
        assert_eq!(fs::read_to_string(&file).expect("a key"), old);
        assert!(!left_beside(&home).exists());
    }

    // It was rotated elsewhere, up to the rename: what cannot be moved is written.
    for args in [["key", "tidy"].as_slice(), &["key", "list"]] {
        let (key, text) = MasterKey::generate(&OsRng);
        fs::write(left_beside(&home), &text).expect("a file");
        let store = home.store().await;
        store.rotate_master(&key, NOW).await.expect("rotates");
        store.close().await;
        let ended = mounted(&home, &file, args).expect("as before");
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert_eq!(fs::read_to_string(&file).expect("a key"), text);
        assert!(!left_beside(&home).exists());
    }
    // Where it can be replaced, it is.
    home.out(&["key", "rotate", "master"]);
    assert!(!left_beside(&home).exists());
}
