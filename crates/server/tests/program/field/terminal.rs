//! What an operator reads at the terminal, and what becomes of it when nobody can read.

use std::{
    fs::{self, File},
    io::pipe,
    process::{Command, Stdio},
};

use recado_model::{clock::OsRng, id::random_base32};
use reqwest::Method;
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection};

use crate::{
    bad_days::{fresh, refused, used},
    support::{Ended, Home, Process, call, command, run, try_call, wait_for},
};

const CREATE: [&str; 6] = [
    "account",
    "create",
    "--name",
    "Shop",
    "--email",
    "a@shop.example",
];

/// What is meant for callers, who must not hear the cause.
#[track_caller]
fn speaks_to_operators(ended: &Ended) {
    for caller in ["on our side", "request id", "tell the operator"] {
        assert!(!ended.err.contains(caller), "{}", ended.err);
    }
}

#[test]
fn a_log_that_cannot_be_used_is_named() {
    for suffix in ["-wal", "-shm"] {
        let home = used();
        let file = format!("{}{suffix}", home.database().display());
        fs::remove_file(&file).ok();
        fs::create_dir(&file).expect("a folder");
        for args in [
            &CREATE[..],
            &["account", "list"],
            &["migrate"],
            &["key", "list"],
            &["serve"],
        ] {
            let ended = home.run(args);
            refused(&ended, &["cannot write the database", &file, "chown"]);
            speaks_to_operators(&ended);
        }
        let doctor = home.run(&["doctor"]);
        assert_eq!(doctor.code, Some(1));
        assert!(doctor.out.contains(&file), "{}", doctor.out);
    }
}

#[tokio::test]
async fn a_fault_within_is_told_with_its_cause() {
    for (table, args) in [
        ("app_user", &CREATE[..]),
        ("app_user", &["user", "list"]),
        ("account", &["account", "list"]),
        ("jwt_key", &["serve"]),
        ("instance", &["billing", "list"]),
    ] {
        let home = used();
        let mut conn = home.sqlite().await;
        sqlx::query(AssertSqlSafe(format!("ALTER TABLE {table} RENAME TO gone")))
            .execute(&mut conn)
            .await
            .expect("renames");
        conn.close().await.expect("closes");
        let ended = home.run(args);
        refused(&ended, &["the database failed", "no such", table]);
        assert_eq!(ended.err.matches("no such").count(), 1, "{}", ended.err);
        speaks_to_operators(&ended);
    }
}

/// What no standard error can be written to.
enum Broken {
    Full,
    Pipe,
    Closed,
}

impl Broken {
    const ALL: [Self; 3] = [Self::Full, Self::Pipe, Self::Closed];

    fn stdio() -> Stdio {
        let (reader, writer) = pipe().expect("a pipe");
        drop(reader);
        writer.into()
    }

    fn command(&self, plain: Command) -> Command {
        let mut command = plain;
        match self {
            Self::Full => {
                let full = File::options().write(true).open("/dev/full");
                command.stderr(full.expect("/dev/full"));
            }
            Self::Pipe => {
                command.stderr(Self::stdio());
            }
            Self::Closed => {
                let mut shell = Command::new("sh");
                shell.args(["-c", "exec \"$0\" \"$@\" 2>&-"]);
                shell.arg(command.get_program()).args(command.get_args());
                for (name, value) in command.get_envs() {
                    match value {
                        Some(value) => shell.env(name, value),
                        None => shell.env_remove(name),
                    };
                }
                command = shell;
            }
        }
        command.stdout(Stdio::null());
        command
    }
}

#[tokio::test]
async fn a_gateway_starts_without_its_log() {
    for format in ["text", "json"] {
        for broken in Broken::ALL {
            let mut home = fresh();
            home.set("LOG", "trace");
            home.set("LOG_FORMAT", format);
            let plain = home.command(&["serve", "--exit-with-stdin"]);
            let mut command = broken.command(plain);
            let child = command.stdin(Stdio::piped()).spawn().expect("it starts");
            let mut gateway = Process(child);
            let ready = format!("{}/readyz", home.base);
            wait_for("the gateway to be ready", async || {
                assert!(gateway.is_running(), "it ended: {:?}", gateway.ended());
                let answer = try_call(Method::GET, &ready, &[], None).await?;
                (answer.status == 200).then_some(())
            })
            .await;
            let url = format!("{}/nowhere", home.base);
            assert_eq!(call(Method::GET, &url, &[], None).await.status, 404);
            gateway.signal(Signal::TERM);
            assert_eq!(gateway.ended(), Some(0));
        }
    }
}

#[test]
fn an_error_that_nobody_can_read_is_still_one() {
    for broken in Broken::ALL {
        let mut home = fresh();
        home.set("LISTEN", "nonsense");
        let mut command = broken.command(home.command(&["serve"]));
        let status = command.stdin(Stdio::null()).status().expect("it starts");
        assert_eq!(status.code(), Some(1));
    }
    for broken in Broken::ALL {
        // A new master key is announced.
        let home = fresh();
        let mut command = broken.command(home.command(&["migrate"]));
        let status = command.stdin(Stdio::null()).status().expect("it starts");
        assert_eq!(status.code(), Some(0));
        assert!(home.data().join("master.key").exists());
    }
}

#[test]
fn a_result_that_cannot_be_printed_is_an_error() {
    for args in [
        &["config", "default"][..],
        &["config", "check"],
        &["doctor"],
        &CREATE,
        &["--help"],
    ] {
        let home = fresh();
        for broken in [false, true] {
            let folder = tempfile::tempdir().expect("a folder");
            let err = folder.path().join("err");
            let mut command = home.command(args);
            command.stderr(File::create(&err).expect("a file"));
            if broken {
                command.stdout(Broken::stdio());
            } else {
                let full = File::options().write(true).open("/dev/full");
                command.stdout(full.expect("/dev/full"));
            }
            let status = command.status().expect("it starts");
            let err = fs::read_to_string(err).expect("what it said");
            assert!(!err.contains("panicked"), "{args:?}: {err}");
            assert_ne!(status.code(), Some(101), "{args:?}: {err}");
            if args != ["--help"] {
                assert_eq!(status.code(), Some(1), "{args:?}: {err}");
                assert_eq!(
                    err.contains("cannot write to standard output"),
                    !broken,
                    "{err}"
                );
            }
        }
    }
}

/// All at once; each must succeed.
fn together(home: &Home, commands: &[&[&str]]) {
    std::thread::scope(|scope| {
        let runs: Vec<_> = commands
            .iter()
            .map(|args| scope.spawn(move || (args, home.run(args))))
            .collect();
        for run in runs {
            let (args, ended) = run.join().expect("it ran");
            assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.err);
        }
    });
}

#[test]
fn commands_started_together_do_not_meet() {
    let readers: [&[&str]; 8] = [
        &["account", "list"],
        &["user", "list"],
        &["billing", "list"],
        &["key", "list"],
        &["config", "check"],
        &["doctor"],
        &["migrate"],
        &["init"],
    ];
    let home = used();
    for _ in 0..4 {
        together(&home, &[readers, readers, readers].concat());
    }
    // First starts, which make folder, key and database.
    let firsts: [&[&str]; 4] = [&["init"], &["migrate"], &["account", "list"], &["init"]];
    for _ in 0..4 {
        let home = fresh();
        together(&home, &[firsts, firsts, firsts].concat());
        let left: Vec<_> = fs::read_dir(home.data())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .filter(|name| !name.to_string_lossy().starts_with("recado.db"))
            .collect();
        assert_eq!(left, ["master.key"]);
    }
}

#[test]
fn a_look_makes_nothing() {
    let home = fresh();
    home.out(&["config", "check"]);
    home.out(&["doctor"]);
    assert!(!home.data().exists());
    let name = format!("{}.toml", random_base32(&OsRng));
    refused(
        &run(&mut command(&["doctor", "--config", &name])),
        &[&name, "does not exist"],
    );
}
