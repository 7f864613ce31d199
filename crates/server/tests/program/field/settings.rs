//! Settings as a strange environment, an editor or an orchestrator writes them.

use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::OsStrExt,
    path::Path,
    process::Command,
};

use clap::CommandFactory;
use recado::{
    cli::Cli,
    config::{names, variable},
};

use crate::{
    bad_days::{fresh, refused},
    support::{Ended, Home, command, run},
};

/// `café` as Latin-1 has it.
const BYTES: &[u8] = b"caf\xe9";

fn odd() -> &'static OsStr {
    OsStr::from_bytes(BYTES)
}

/// A command that would make database and key, in a folder of its own.
fn migrate(home: &Home) -> Command {
    let mut command = home.command(&["migrate"]);
    command.current_dir(home.folder());
    command
}

#[track_caller]
fn nothing_made(home: &Home, but: &[&OsStr]) {
    let made = fs::read_dir(home.folder()).expect("a folder");
    let made: Vec<_> = made
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    let strange: Vec<_> = made
        .iter()
        .filter(|name| !but.contains(&name.as_os_str()))
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
}

#[test]
fn by_environment_all_is_utf8() {
    for name in names().iter().map(String::as_str).chain(["config"]) {
        let home = fresh();
        let variable = variable(name);
        refused(
            &run(migrate(&home).env(&variable, odd())),
            &[&variable, "is not UTF-8"],
        );
        nothing_made(&home, &[]);
    }
    for bytes in [&b"\xff\xfe"[..], b"/d/caf\xe9/x", b"1\xa0", b"\xed\xa0\x80"] {
        let home = fresh();
        let value = OsStr::from_bytes(bytes);
        refused(
            &run(migrate(&home).env("RECADO_DATA_DIR", value)),
            &["RECADO_DATA_DIR", "is not UTF-8"],
        );
        nothing_made(&home, &[]);
    }
}

#[test]
fn each_command_looks() {
    for args in [
        &["serve"][..],
        &["init"],
        &["account", "list"],
        &["config", "check"],
        &["doctor"],
        &["key", "list"],
    ] {
        let home = fresh();
        let mut command = home.command(args);
        command.current_dir(home.folder());
        refused(
            &run(command.env("RECADO_DATA_DIR", odd())),
            &["RECADO_DATA_DIR", "is not UTF-8"],
        );
        nothing_made(&home, &[]);
    }
    let mut sandbox = command(&["sandbox", "--listen", "127.0.0.1:0"]);
    refused(
        &run(sandbox.env("RECADO_LOG", odd())),
        &["RECADO_LOG", "is not UTF-8"],
    );
}

/// `<name> = "<value>"` in its section.
fn written(name: &str, value: &[u8]) -> Vec<u8> {
    let (section, name) = match name.split_once('.') {
        Some((section, name)) => (format!("\n[{section}]\n"), name),
        None => (String::new(), name),
    };
    let mut text = format!("# A comment, = \u{e9}\n{section}{name} = \"").into_bytes();
    text.extend_from_slice(value);
    text.extend_from_slice(b"\"\n");
    text
}

#[test]
fn in_the_file_all_is_utf8() {
    let home = fresh();
    let file = home.folder().join("recado.toml");
    for name in names() {
        fs::write(&file, written(name, BYTES)).expect("a file");
        let line = if name.contains('.') {
            "line 4"
        } else {
            "line 2"
        };
        refused(
            &run(migrate(&home).arg("--config").arg(&file)),
            &[name, line, "is not UTF-8", "recado.toml"],
        );
    }
    for (bytes, line) in [
        (&b"# caf\xe9\n"[..], "line 1"),
        (b"\xff\xfel\0i\0s\0t\0e\0n\0", "line 1"),
        (
            b"trusted_proxies = [\n  \"10.0.0.1\",\n  \"\xe9\",\n]\n",
            "line 3: trusted_proxies",
        ),
    ] {
        fs::write(&file, bytes).expect("a file");
        refused(
            &run(migrate(&home).arg("--config").arg(&file)),
            &[line, "is not UTF-8"],
        );
    }
    nothing_made(&home, &[OsStr::new("recado.toml")]);
}

/// The files that settings name: what is in them is a setting too. (A list of passwords is compared by
/// its bytes, and leaked ones hold junk; certificates are PEM, and anything else is refused as such.)
#[test]
fn what_a_secret_is_read_from_is_utf8() {
    let files = names().iter().filter(|name| name.ends_with("_file"));
    let bytes = ["users.password_blocklist_file", "egress.ca_file"];
    for name in files.filter(|name| !bytes.contains(&name.as_str())) {
        let mut home = fresh();
        let file = home.folder().join("secret");
        fs::write(&file, BYTES).expect("a file");
        let short = variable(name);
        home.set(
            short.trim_start_matches("RECADO_"),
            &file.display().to_string(),
        );
        refused(
            &run(&mut migrate(&home)),
            &["file", &file.display().to_string(), "UTF-8"],
        );
    }
}

#[test]
fn the_files_own_path_is_utf8() {
    let home = fresh();
    let file = home.folder().join(OsString::from(odd()));
    fs::write(&file, "log = \"debug\"\n").expect("a file");
    refused(
        &run(migrate(&home).env("RECADO_CONFIG", &file)),
        &["RECADO_CONFIG", "is not UTF-8"],
    );
    nothing_made(&home, &[odd()]);
}

/// Every argument that takes a value, as what comes before the value.
fn valued(command: &clap::Command, before: &[OsString], found: &mut Vec<Vec<OsString>>) {
    for arg in command.get_arguments() {
        if !arg.get_action().takes_values() {
            continue;
        }
        let mut with = before.to_vec();
        if let Some(long) = arg.get_long() {
            with.push(format!("--{long}").into());
        }
        found.push(with);
    }
    for inner in command.get_subcommands() {
        let mut with = before.to_vec();
        with.push(inner.get_name().into());
        valued(inner, &with, found);
    }
}

#[test]
fn on_the_command_line_all_is_utf8() {
    let mut found = Vec::new();
    valued(&Cli::command(), &[], &mut found);
    assert!(found.len() > 30, "{found:?}");
    let home = fresh();
    let wrong = |args: &[OsString], named: &str| {
        let mut command = home.command(&[]);
        let ended = run(command.args(args).current_dir(home.folder()));
        assert_eq!(ended.code, Some(2), "{args:?}: {}", ended.err);
        let first = ended.err.lines().next().expect("a line");
        assert!(first.contains(named), "{args:?}: {first}");
        assert!(first.contains("is not UTF-8"), "{args:?}: {first}");
    };
    for args in found {
        let last = args
            .last()
            .expect("a word")
            .to_str()
            .expect("ours")
            .to_owned();
        let mut apart = args.clone();
        apart.push(odd().to_owned());
        wrong(&apart, &last);
        if last.starts_with("--") {
            let mut joined = args;
            let end = joined.last_mut().expect("a word");
            end.push("=");
            end.push(odd());
            wrong(&joined, &last);
        }
    }
    nothing_made(&home, &[]);
}

#[test]
fn variables_about_neighbours_are_no_settings() {
    let neighbours = [
        ("RECADO_POSTGRESQL_PORT", "tcp://10.0.0.7:5432"),
        ("RECADO_POSTGRESQL_PORT_5432_TCP", "tcp://10.0.0.7:5432"),
        ("RECADO_POSTGRESQL_PORT_5432_TCP_ADDR", "10.0.0.7"),
        ("RECADO_POSTGRESQL_PORT_5432_TCP_PORT", "5432"),
        ("RECADO_POSTGRESQL_PORT_5432_TCP_PROTO", "tcp"),
        ("RECADO_POSTGRESQL_SERVICE_HOST", "10.0.0.7"),
        ("RECADO_POSTGRESQL_SERVICE_PORT", "5432"),
        ("RECADO_POSTGRESQL_SERVICE_PORT_TCP_POSTGRESQL", "5432"),
        // A service that is called recado itself.
        ("RECADO_PORT", "tcp://10.0.0.8:8080"),
        ("RECADO_SERVICE_HOST", "10.0.0.8"),
    ];
    for format in ["text", "json"] {
        let mut home = fresh();
        home.set("LOG_FORMAT", format);
        let ended = run(home.command(&["migrate"]).envs(neighbours));
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        let warned: Vec<&str> = ended
            .err
            .lines()
            .filter(|line| line.contains("are no settings"))
            .collect();
        assert_eq!(warned.len(), 1, "{}", ended.err);
        for (name, _) in neighbours {
            assert!(warned[0].contains(name), "{}", warned[0]);
        }
        assert_eq!(warned[0].contains("\"WARN\""), format == "json");
    }
}

#[test]
fn an_unknown_setting_stops_the_start_with_the_nearest() {
    for (name, nearest) in [
        ("RECADO_LISEN", "RECADO_LISTEN"),
        ("RECADO_DIRECT_GUESTS", "RECADO_DIRECT__GUESTS"),
        ("RECADO_BODY_BYTES", "RECADO_LIMITS__BODY_BYTES"),
        ("RECADO_WEBHOOKS__TIMEOUT", "RECADO_WEBHOOKS__TIMEOUT_MS"),
        // A section of ours: meant for us, whatever it ends in.
        ("RECADO_MAIL__PORT", "RECADO_MAIL__"),
        ("RECADO_PORTAL", "RECADO_"),
        ("RECADO___LISTEN", "RECADO_LISTEN"),
        ("RECADO_", "RECADO_"),
    ] {
        let home = fresh();
        let ended = run(migrate(&home).env(name, "1"));
        refused(&ended, &[name, "is not a setting", nearest]);
        nothing_made(&home, &[]);
    }
    let home = fresh();
    let file = home.folder().join("recado.toml");
    for (text, phrases) in [
        ("lisen = \"127.0.0.1:1\"", ["lisen", "nearest is listen"]),
        (
            "[webhooks]\ntimeot_ms = 1",
            ["webhooks.timeot_ms", "nearest is webhooks.timeout_ms"],
        ),
        (
            "[wehbooks]\ntimeout_ms = 1",
            ["wehbooks", "nearest is webhooks."],
        ),
        (
            "body_bytes = 4096",
            ["body_bytes", "nearest is limits.body_bytes"],
        ),
    ] {
        fs::write(&file, text).expect("a file");
        let ended = run(migrate(&home).arg("--config").arg(&file));
        refused(&ended, &phrases);
        refused(&ended, &["recado.toml", "is not a setting"]);
    }
}

/// With no other setting than these.
fn checked(variables: &[(String, &str)], file: Option<&Path>) -> Ended {
    let mut command = command(&["config", "check"]);
    if let Some(file) = file {
        command.arg("--config").arg(file);
    }
    let variables = variables.iter().map(|(name, value)| (name, value));
    run(command.envs(variables))
}

#[test]
fn an_empty_variable_is_not_set() {
    let plain = checked(&[], None);
    assert_eq!(plain.code, Some(0), "{}", plain.err);
    let all: Vec<String> = names()
        .iter()
        .map(|name| variable(name))
        .chain(["RECADO_CONFIG".to_owned()])
        .collect();
    for empty in ["", " ", "\t\n"] {
        for variable in &all {
            let ended = checked(&[(variable.clone(), empty)], None);
            assert_eq!(ended.code, Some(0), "{variable}: {}", ended.err);
            assert_eq!(ended.out, plain.out, "{variable}");
        }
    }
    let every: Vec<_> = all.iter().map(|variable| (variable.clone(), "")).collect();
    assert_eq!(checked(&every, None).out, plain.out);

    // What the file says stands.
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("recado.toml");
    let text = "listen = \"127.0.0.1:7001\"\nmetrics_listen = \"off\"\ntrusted_proxies = [\"192.0.2.7\"]\n\
        master_key_file = \"\"\n[direct]\nguests = \"off\"\n[mail]\nurl_file = \"\"\n";
    fs::write(&file, text).expect("a file");
    let of_file = checked(&[], Some(&file));
    assert_eq!(of_file.code, Some(0), "{}", of_file.err);
    assert!(of_file.out.contains("127.0.0.1:7001"), "{}", of_file.out);
    assert!(
        of_file.out.contains("metrics_listen   off"),
        "{}",
        of_file.out
    );
    let every: Vec<_> = every
        .into_iter()
        .filter(|(name, _)| name != "RECADO_CONFIG")
        .collect();
    assert_eq!(checked(&every, Some(&file)).out, of_file.out);
}

#[test]
fn a_gateway_starts_with_all_others_empty() {
    let mut home = Home::new();
    for name in names() {
        let variable = variable(name);
        let short = variable.trim_start_matches("RECADO_");
        if !["DATA_DIR", "LISTEN", "METRICS_LISTEN"].contains(&short) {
            home.set(short, "");
        }
    }
    home.out(&["init"]);
}

#[test]
fn texts_that_look_like_numbers_stay_texts() {
    for name in ["0123", "1.50", "true"] {
        let home = fresh();
        let ended = run(migrate(&home).env("RECADO_DATA_DIR", name));
        assert_eq!(ended.code, Some(0), "{}", ended.err);
        assert!(
            home.folder().join(name).join("recado.db").exists(),
            "{name}"
        );
        nothing_made(&home, &[OsStr::new(name)]);
    }
}

#[test]
fn an_address_in_a_wrong_form_is_no_new_database() {
    for text in [
        "host=db user=recado password=hunter2 dbname=recado",
        "host=db password=hunter2 dbname=recado.db",
        "db.example/recado",
        "recado:hunter2@db.example:5432/recado",
        "recado:hunter2@db/recado.db",
        "recado",
        "localhost:5432",
        "postgres:recado:hunter2@db/recado",
        "POSTGRES://recado:hunter2@db/recado",
        "jdbc:postgresql://db/recado?password=hunter2",
        "postgresql+asyncpg://recado:hunter2@db/recado",
        "postgres://recado:hunter2@db:x/recado",
        "Server=db;Database=recado;Password=hunter2",
        "sqlite:recado.db?mode=rwc",
        "sqlite::memory:",
        ":memory:",
        "sqlite:",
        "file:recado.db",
        "./recado.db?mode=rwc",
    ] {
        let home = fresh();
        let file = home.folder().join("url");
        fs::write(&file, text).expect("a file");
        for (name, value) in [
            ("RECADO_DATABASE_URL", text),
            ("RECADO_DATABASE_URL_FILE", file.to_str().expect("a path")),
        ] {
            let ended = run(migrate(&home).env(name, value));
            let setting = name.trim_start_matches("RECADO_").to_lowercase();
            let wanted = "postgres://USER:PASSWORD@HOST:5432/NAME";
            refused(
                &ended,
                &[&setting, "is not a database", wanted, "sqlite:PATH"],
            );
            assert!(!ended.err.contains("hunter2"), "{}", ended.err);
        }
        nothing_made(&home, &[OsStr::new("url")]);
    }
    for text in [
        "./here.db",
        "here.db",
        "sqlite:here.db",
        "sqlite://here.db",
        "sub/here.sqlite3",
    ] {
        let home = fresh();
        let ended = run(migrate(&home).env("RECADO_DATABASE_URL", text));
        assert_eq!(ended.code, Some(0), "{text}: {}", ended.err);
    }
}

#[test]
fn lists_of_networks_take_addresses_and_networks() {
    let list = "192.0.2.7, 10.0.0.0/8, 2001:db8::1, 2001:db8:1::/48, ::ffff:192.0.2.8, ::ffff:10.1.0.0/112";
    let shown =
        "[192.0.2.7/32, 10.0.0.0/8, 2001:db8::1/128, 2001:db8:1::/48, 192.0.2.8/32, 10.1.0.0/16]";
    for name in ["EGRESS__ALLOW", "TRUSTED_PROXIES"] {
        let mut home = fresh();
        home.set(name, list);
        let out = home.out(&["config", "check"]);
        assert!(out.contains(shown), "{name}: {out}");
        let setting = name.replace("__", ".");
        for bad in ["10.0.0.0/99", "localhost", "10.0.0"] {
            home.set(name, bad);
            refused(
                &home.run(&["config", "check"]),
                &[&setting, bad, "an address or subnet"],
            );
        }
    }
}
