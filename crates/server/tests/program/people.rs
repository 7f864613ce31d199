//! People and the program: the first start, the command line, and what is said of them where.
//!
//! | file | what it proves |
//! |---|---|
//! | `browser` | the dashboard's API as a page of ours calls it, and letters |
//! | `operator` | `recado user` and `recado doctor` |
//! | `nowhere` | no password, link, cookie or code is in the log, the metrics or the database |

mod browser;
mod nowhere;
mod operator;

use std::{
    fs::{self, File},
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Home, Process, call, text, wait_for};
use browser::Browser;

const EMAIL: &str = "ana@shop.example";
const PASSWORD: &str = "gravel umbrella seven teapots";

/// Enough of a network for a gateway that connects to nothing.
fn alone() -> Home {
    let mut home = Home::new();
    home.set("SANDBOX__URL", "ws://127.0.0.1:9/ws/chat");
    home
}

fn link_file(home: &Home) -> PathBuf {
    home.data().join("setup-link.txt")
}

/// The link in the file, once there is another than `old`.
async fn link_in_file(home: &Home, old: &str) -> String {
    wait_for("the link of the first start", async || {
        let link = fs::read_to_string(link_file(home)).ok()?;
        let whole = link.ends_with('\n') && link.trim() != old;
        whole.then(|| link.trim().to_owned())
    })
    .await
}

fn token_of<'a>(home: &Home, link: &'a str) -> &'a str {
    let start = format!("{}/dashboard/link#", home.base);
    let token = link.strip_prefix(&start);
    token.unwrap_or_else(|| panic!("{link} does not begin with {start}"))
}

fn setup(token: &str) -> Value {
    json!({
        "token": token, "email": EMAIL, "account_name": "Ana's shop", "password": PASSWORD,
        "language": "pt-BR",
    })
}

async fn first_start(format: &str) {
    let mut home = alone();
    home.set("LOG_FORMAT", format);
    let mut gateway = home.serve().await;
    let first = link_in_file(&home, "").await;
    let token = token_of(&home, &first);
    assert_eq!(token.len(), 43, "256 bits");
    let about = fs::metadata(link_file(&home)).expect("a file");
    assert_eq!(about.permissions().mode() & 0o777, 0o600);
    let mut page = Browser::new(&home);
    let state = page.get("/dashboard/api/state").await.ok();
    assert_eq!(state["setup_needed"], true);
    assert_eq!(page.look(token).await.ok()["kind"], "setup");

    // Another start, another link: the one before may have been seen by anybody since.
    gateway.close_stdin();
    assert_eq!(gateway.ended(), Some(0));
    let mut gateway = home.serve().await;
    let second = link_in_file(&home, &first).await;
    let dead = page.look(token).await;
    assert_eq!(dead.status, 410);
    assert_eq!(dead.body["error_code"], "link_invalid");
    let used = page.use_link(setup(token)).await;
    assert_eq!(used.status, 410, "{}", used.body);

    let token = token_of(&home, &second);
    assert_eq!(page.use_link(setup(token)).await.ok()["signed_in"], true);
    let me = page.get("/dashboard/api/me").await.ok();
    assert_eq!(me["user"]["operator"], true, "who sets it up runs it");
    assert_eq!(me["account"]["role"], "owner");
    assert_eq!(me["user"]["language"], "pt-BR");
    assert_eq!(page.use_link(setup(token)).await.status, 410, "once");

    // Nobody is to be let in any more.
    gateway.close_stdin();
    assert_eq!(gateway.ended(), Some(0));
    let _gateway = home.serve().await;
    wait_for("the file to go", async || {
        (!link_file(&home).exists()).then_some(())
    })
    .await;
    let state = page.get("/dashboard/api/state").await.ok();
    assert_eq!(state["setup_needed"], false);
    let me = page.get("/dashboard/api/me").await;
    assert_eq!(me.status, 200, "a restart signs nobody out");

    let log = home.log();
    let place = link_file(&home).display().to_string();
    let announced = log.lines().filter(|line| line.contains(&place));
    assert_eq!(announced.count(), 2, "{log}");
    for link in [first.as_str(), &second] {
        let token = token_of(&home, link);
        assert!(!log.contains(&token[..12]), "the link itself is in no log");
    }
    assert!(!log.contains("link#"));
    if format == "json" {
        for line in log.lines() {
            let parsed = serde_json::from_str::<Value>(line);
            assert!(parsed.is_ok(), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_leaves_a_link_that_its_owner_alone_reads() {
    first_start("text").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_with_a_log_of_json() {
    first_start("json").await;
}

/// `args` of the program on a terminal, by `script` of util-linux; all that is seen there goes to
/// `shown`.
fn on_a_terminal(home: &Home, args: &[&str], shown: File) -> Process {
    let plain = home.command(args);
    let quote = |text: &std::ffi::OsStr| format!("'{}'", text.to_str().expect("text"));
    let words: Vec<String> = [plain.get_program()]
        .into_iter()
        .chain(plain.get_args())
        .map(quote)
        .collect();
    let mut command = Command::new("script");
    // `exec`: what ends `script` ends the program, whose terminal it is.
    command.args(["-qfec", &format!("exec {}", words.join(" ")), "/dev/null"]);
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let child = command
        .stdin(Stdio::piped())
        .stdout(shown)
        .stderr(Stdio::null())
        .spawn()
        .expect("`script` is there: apt-get install bsdutils");
    Process(child)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_terminal_is_shown_the_link() {
    let home = alone();
    let shown = home.folder().join("shown");
    let file = File::create(&shown).expect("a file");
    let _terminal = on_a_terminal(&home, &["serve"], file);
    let link = wait_for("the link on the terminal", async || {
        let seen = fs::read_to_string(&shown).ok()?;
        let start = seen.find(&format!("{}/dashboard/link#", home.base))?;
        let end = start + seen[start..].find(['\r', '\n'])?;
        Some(seen[start..end].to_owned())
    })
    .await;
    assert!(!link_file(&home).exists(), "one place is enough");
    let mut page = Browser::new(&home);
    let token = token_of(&home, &link);
    assert_eq!(page.look(token).await.ok()["kind"], "setup");
    assert_eq!(page.use_link(setup(token)).await.ok()["signed_in"], true);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_plain_http_off_loopback_nobody_signs_in() {
    let mut home = alone();
    let port = home.base.rsplit(':').next().expect("a port").to_owned();
    home.set("LISTEN", &format!("0.0.0.0:{port}"));
    home.set("PUBLIC_URL", &format!("http://10.1.2.3:{port}"));
    let account = home.account("Shop", EMAIL);
    let _gateway = home.serve().await;
    let password = text(&account, "/owner_password");
    let body = json!({"email": EMAIL, "password": password});
    let url = format!("{}/login", home.base);
    let origin = format!("http://10.1.2.3:{port}");
    for headers in [vec![], vec![("origin", origin.as_str())]] {
        let answer = call(Method::POST, &url, &headers, Some(body.clone())).await;
        assert_eq!(answer.status, 403, "{}", answer.body);
        assert_eq!(answer.body["error_code"], "https_required");
        let says = text(&answer.body, "/message");
        for part in ["HTTPS", "TLS proxy", "public_url"] {
            assert!(says.contains(part), "{part:?} in {says}");
        }
    }
    // Credentials of programs are the operator's own risk.
    crate::network::jwt(&home, &account).await;
    let doctor = home.out(&["doctor"]);
    assert!(doctor.contains("weak   nobody can sign in"), "{doctor}");
}
