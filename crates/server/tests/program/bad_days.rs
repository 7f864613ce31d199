//! What goes wrong on the way up: a non-zero exit and one sentence that says what to do.

use std::{fs, net::TcpListener};

use recado_model::clock::OsRng;
use recado_store::MasterKey;
use sqlx::Connection;

use crate::support::{Ended, Home, command, free_port, run};

/// It ended by itself, and the last word is one readable sentence with all of `phrases`.
#[track_caller]
pub fn refused(ended: &Ended, phrases: &[&str]) {
    assert!(
        ended.code.is_some_and(|code| code != 0),
        "code {:?}: {}",
        ended.code,
        ended.err
    );
    for junk in [
        "panicked",
        "backtrace",
        "stack trace",
        "Caused by",
        "Error {",
        "\u{1b}[",
    ] {
        assert!(!ended.err.contains(junk), "{junk:?} in {}", ended.err);
    }
    let said: Vec<&str> = ended
        .err
        .lines()
        .filter(|line| line.starts_with("recado: ") && !line.contains("SANDBOX BUILD"))
        .collect();
    assert_eq!(said.len(), 1, "one sentence: {}", ended.err);
    // Environment variables are named in capitals.
    let sentence = said[0].to_lowercase();
    for phrase in phrases {
        assert!(
            sentence.contains(&phrase.to_lowercase()),
            "{phrase:?} is missing in: {}",
            said[0]
        );
    }
}

/// `serve` refuses with that sentence, and so quickly that nothing was begun.
#[track_caller]
fn serve_refused(home: &Home, phrases: &[&str]) {
    refused(&home.run(&["serve"]), phrases);
}

/// A home with a network that this build may use, or it would be refused for that before all else.
pub fn fresh() -> Home {
    let mut home = Home::new();
    home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    home
}

/// A home whose database and key exist.
pub fn used() -> Home {
    let home = fresh();
    home.out(&["migrate"]);
    home
}

fn path(of: &std::path::Path) -> String {
    of.display().to_string()
}

#[test]
fn ports_in_use() {
    for setting in ["LISTEN", "METRICS_LISTEN"] {
        let mut home = fresh();
        let taken = TcpListener::bind(("127.0.0.1", free_port())).expect("a port");
        let address = taken.local_addr().expect("an address").to_string();
        home.set(setting, &address);
        home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
        serve_refused(
            &home,
            &[
                "cannot listen on",
                &address,
                "another program",
                &setting.to_lowercase(),
            ],
        );
        assert!(!home.database().exists(), "nothing was begun");
    }
}

#[test]
fn unwritable_data_folder() {
    let mut home = fresh();
    let file = home.folder().join("file");
    fs::write(&file, "a file, no folder").expect("a file");
    for place in [
        path(&file),
        path(&file.join("data")),
        "/proc/recado".to_owned(),
    ] {
        home.set("DATA_DIR", &place);
        for command in [
            &["serve"][..],
            &["migrate"],
            &["init"],
            &["account", "list"],
        ] {
            refused(
                &home.run(command),
                &["data folder", &place, "cannot be written", "data_dir"],
            );
        }
    }
    // A database that lies elsewhere.
    let mut home = fresh();
    home.set(
        "DATABASE_URL",
        &format!("sqlite:{}", path(&file.join("recado.db"))),
    );
    serve_refused(&home, &["cannot write the database", "choose another"]);
}

#[test]
fn wrong_master_key() {
    let home = used();
    let file = home.data().join("master.key");
    let original = fs::read_to_string(&file).expect("a key");
    fs::write(&file, MasterKey::generate(&OsRng).1).expect("another key");
    for command in [&["serve"][..], &["migrate"], &["account", "list"]] {
        refused(
            &home.run(command),
            &["another master key", &path(&file), &path(&home.database())],
        );
    }
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.out.contains("WRONG") && doctor.out.contains("another master key"));

    // By environment it is the setting that is named, and never the key itself.
    fs::write(&file, original).expect("the key");
    let mut home = home;
    let other = MasterKey::generate(&OsRng).1;
    home.set("MASTER_KEY", &other);
    let ended = home.run(&["serve"]);
    refused(&ended, &["another master key", "RECADO_MASTER_KEY"]);
    assert!(!ended.err.contains(&other));
}

#[test]
fn missing_master_key() {
    let home = used();
    let file = home.data().join("master.key");
    fs::remove_file(&file).expect("it was there");
    for command in [&["serve"][..], &["init"], &["account", "list"]] {
        refused(
            &home.run(command),
            &[
                "master key",
                &path(&file),
                "is missing",
                "backup",
                "master_key_file",
            ],
        );
        assert!(!file.exists(), "no new key is made for an old database");
    }
}

#[test]
fn malformed_master_key() {
    let home = used();
    let file = home.data().join("master.key");
    let secret = "c2hvcnQgYW5kIHNlY3JldA==";
    fs::write(&file, secret).expect("a file");
    let ended = home.run(&["serve"]);
    refused(&ended, &["master key", &path(&file), "32 bytes"]);
    assert!(!ended.err.contains(secret));

    let mut home = fresh();
    home.set("MASTER_KEY", secret);
    let ended = home.run(&["serve"]);
    refused(&ended, &["RECADO_MASTER_KEY", "32 bytes"]);
    assert!(!ended.err.contains(secret));

    let mut home = fresh();
    home.set("MASTER_KEY_FILE", "/proc/recado/master.key");
    serve_refused(&home, &["master key file", "/proc/recado/master.key"]);
}

#[tokio::test]
async fn newer_database() {
    let home = used();
    let mut conn = home.sqlite().await;
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'of tomorrow', 1, x'00', 0)",
    )
    .execute(&mut conn)
    .await
    .expect("a row");
    conn.close().await.expect("a close");
    for command in [&["serve"][..], &["migrate"], &["account", "list"]] {
        refused(
            &home.run(command),
            &[
                "newer than this program",
                "9999",
                "Run the newer program",
                "backup",
            ],
        );
    }
    let doctor = home.run(&["doctor"]);
    assert_eq!(doctor.code, Some(1));
    assert!(
        doctor.out.contains("newer than this program"),
        "{}",
        doctor.out
    );
}

#[test]
fn not_a_database() {
    for with_key in [true, false] {
        let home = used();
        for suffix in ["", "-wal", "-shm"] {
            let file = format!("{}{suffix}", path(&home.database()));
            if suffix.is_empty() {
                fs::write(&file, "This is a diary and no database. ".repeat(100)).expect("a file");
            } else {
                fs::remove_file(&file).ok();
            }
        }
        if !with_key {
            fs::remove_file(home.data().join("master.key")).expect("a key");
        }
        serve_refused(&home, &["is not a Recado database", "Move it away"]);
    }
    // A folder in its place.
    let home = fresh();
    fs::create_dir_all(home.database()).expect("a folder");
    serve_refused(&home, &["cannot write the database"]);
    // Something else altogether.
    let mut home = fresh();
    home.set("DATABASE_URL", "mysql://root:hunter2@db/recado");
    let ended = home.run(&["serve"]);
    refused(&ended, &["mysql", "is not a database", "postgres://"]);
    assert!(!ended.err.contains("hunter2"));
    // PostgreSQL that is not there.
    let mut home = fresh();
    let url = format!("postgres://recado:hunter2@127.0.0.1:{}/recado", free_port());
    home.set("DATABASE_URL", &url);
    let ended = home.run(&["serve"]);
    refused(&ended, &["cannot reach", "Check that it runs"]);
    assert!(!ended.err.contains("hunter2"));
}

#[test]
fn unknown_settings() {
    let home = fresh();
    let file = home.folder().join("recado.toml");
    let shown = path(&file);
    for (text, name) in [
        ("lisen = \"127.0.0.1:1\"", "lisen"),
        ("[webhooks]\ntimeot_ms = 1", "timeot_ms"),
        ("[wehbooks]\ntimeout_ms = 1", "wehbooks"),
    ] {
        fs::write(&file, text).expect("a file");
        refused(
            &home.run(&["serve", "--config", &shown]),
            &["configuration", name],
        );
        refused(
            &home.run(&["config", "check", "--config", &shown]),
            &["configuration", name],
        );
    }
    for (name, told) in [("LISEN", "lisen"), ("WEBHOOKS__TIMEOT_MS", "timeot_ms")] {
        let mut home = fresh();
        home.set(name, "1");
        serve_refused(&home, &["configuration", told]);
    }
    fs::write(&file, "listen = 127.0.0.1:1").expect("a file");
    refused(
        &home.run(&["serve", "--config", &shown]),
        &["configuration", &shown],
    );
    fs::remove_file(&file).expect("the file");
    refused(
        &home.run(&["serve", "--config", &shown]),
        &[&shown, "does not exist"],
    );
}

#[test]
fn bad_values() {
    for (name, value, phrases) in [
        (
            "LISTEN",
            "nonsense",
            &["listen", "address:port", "nonsense"][..],
        ),
        (
            "METRICS_LISTEN",
            "9090",
            &["metrics_listen", "address:port"],
        ),
        ("JWT__TTL_SECS", "5", &["jwt.ttl_secs", "61 to 86400"]),
        ("JWT__TTL_SECS", "soon", &["ttl_secs"]),
        (
            "DIRECT__GUESTS",
            "maybe",
            &["direct.guests", "off, pair or full"],
        ),
        ("LIMITS__BODY_BYTES", "12", &["limits.body_bytes", "1024"]),
        ("LIMITS__REQUEST_SECS", "0", &["limits.request_secs"]),
        ("WEBHOOKS__CONCURRENCY", "0", &["webhooks.concurrency"]),
        ("WEBHOOKS__TIMEOUT_MS", "0", &["webhooks.timeout_ms"]),
        ("SEND__MIN_INTERVAL_MS", "-1", &["must not be negative"]),
        (
            "EGRESS__ALLOW",
            "10.0.0.0/99",
            &["egress.allow", "10.0.0.0/99", "subnet"],
        ),
        (
            "PUBLIC_URL",
            "wa.example.com",
            &["public_url", "https://wa.example.com"],
        ),
        (
            "PUBLIC_URL",
            "https://me:hunter2@wa.example.com",
            &["public_url", "without user name"],
        ),
        ("MASTER_KEY", "aHVudGVyMg==", &["master_key", "32 bytes"]),
        (
            "SANDBOX__URL",
            "ws://192.0.2.1:8090/ws/chat",
            &["sandbox.url", "loopback"],
        ),
        // This build needs a sandbox.
        ("SANDBOX__URL", "", &["sandbox.url", "production build"]),
        ("LOG", "loud=very", &["log", "level or filter"]),
        ("LOG_FORMAT", "xml", &["log_format", "xml"]),
        (
            "DATABASE_URL_FILE",
            "/proc/recado",
            &["database_url_file", "/proc/recado"],
        ),
    ] {
        let mut home = fresh();
        home.set(name, value);
        serve_refused(&home, phrases);
        assert!(!home.data().exists(), "{name}: nothing was begun");
    }
}

#[test]
fn off_loopback_needs_a_public_url() {
    let mut home = fresh();
    home.set("LISTEN", &format!("0.0.0.0:{}", free_port()));
    serve_refused(&home, &["public_url is required", "https://"]);
}

#[test]
fn networks_that_are_not_loopback() {
    for url in [
        "ws://192.0.2.1:8090/ws/chat",
        "ws://localhost:8090/ws/chat",
        "wss://127.0.0.1:8090/ws/chat",
        "wss://web.whatsapp.com/ws/chat",
        "nonsense",
    ] {
        let mut home = used();
        home.set("SANDBOX__URL", url);
        serve_refused(&home, &["ws://127.0.0.1", "sandbox"]);
    }
    // This build has no certificate check, so WhatsApp itself is out of reach.
    let mut home = fresh();
    home.set("SANDBOX__URL", "");
    serve_refused(&home, &["sandbox", "production build"]);
    assert!(!home.data().exists(), "nothing was begun");
    let ended = run(&mut command(&[
        "sandbox",
        "--listen",
        "0.0.0.0:0",
        "--receiver",
        "127.0.0.1:0",
    ]));
    refused(&ended, &["loopback", "127.0.0.1"]);
}

#[tokio::test]
async fn second_gateway_on_one_folder() {
    let mut home = used();
    home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    let mut first = home.serve().await;
    home.set("LISTEN", &format!("127.0.0.1:{}", free_port()));
    home.set("METRICS_LISTEN", "off");
    serve_refused(
        &home,
        &[
            "another recado runs on the data folder",
            &path(&home.data()),
            "data_dir",
        ],
    );
    assert!(first.is_running());
}
