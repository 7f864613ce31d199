//! Letters over SMTP, against a mail server that takes them, refuses them, or cannot do TLS.

use std::sync::Arc;

use recado::config::Settings;
use recado_identity::{
    Signup,
    mail::{Letter, MailConfig, Outbox, letters},
};
use recado_model::{ErrorCode, Language, Secret, clock::OsRng};

use crate::{
    clock::JumpClock,
    gateway::{rng, until},
};

pub mod double;
use double::Double;

const LINK: &str = "https://wa.example.com/dashboard/link#secret-link";

fn reset() -> Letter {
    letters::reset(Language::English, "ana@example.com", LINK, 30 * 60_000)
}

fn outbox(url: String) -> (Outbox, Arc<JumpClock>) {
    let clock = Arc::new(JumpClock::new());
    let config = MailConfig::Smtp {
        url: Secret::new(url),
        from: "Example <no-reply@example.com>".to_owned(),
    };
    config.check().expect("settings");
    let outbox = config.outbox("https://wa.example.com", clock.clone(), rng());
    (outbox.expect("an outbox"), clock)
}

fn header(letter: &str, name: &str) -> String {
    let start = format!("{name}: ");
    let line = letter.lines().find_map(|line| line.strip_prefix(&start));
    line.expect(name).trim_end().to_owned()
}

#[tokio::test]
async fn a_letter_arrives() {
    let server = Double::start(&[]).await;
    let url = format!("smtp://me%40example.com:p%2Fw@{}?tls=none", server.address);
    let (outbox, _clock) = outbox(url);
    outbox.hand_over(reset()).expect("room");
    outbox.finish().await;
    let said = server.said();
    assert_eq!(said[0], "EHLO wa.example.com");
    // base64 of "\0me@example.com\0p/w"
    assert_eq!(said[1], "AUTH PLAIN AG1lQGV4YW1wbGUuY29tAHAvdw==");
    assert_eq!(said[2], "MAIL FROM:<no-reply@example.com>");
    assert_eq!(said[3], "RCPT TO:<ana@example.com>");
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(header(&letters[0], "To"), "ana@example.com");
    assert_eq!(
        header(&letters[0], "From"),
        "Example <no-reply@example.com>"
    );
    assert_eq!(header(&letters[0], "Auto-Submitted"), "auto-generated");
    assert!(
        letters[0].contains(&format!("\r\n{LINK}\r\n")),
        "{}",
        letters[0]
    );
}

#[tokio::test]
async fn a_letter_that_is_put_off_comes_later() {
    let come = async |answer: &'static str| {
        let server = Double::start(&[answer]).await;
        let (outbox, _clock) = outbox(format!("smtp://{}?tls=none", server.address));
        outbox.hand_over(reset()).expect("room");
        // Two seconds of real time: a jump of the clock would also end a try that is slow.
        until("the letter", async || {
            (!server.letters().is_empty()).then_some(())
        })
        .await;
        outbox.finish().await;
        assert_eq!(server.letters().len(), 1);
        let said = server.said();
        let tries = said.iter().filter(|line| line.starts_with("RCPT")).count();
        assert_eq!(tries, 2, "{said:?}");
    };
    // Put off, and cut off.
    tokio::join!(come("450 4.2.0 <ana@example.com> is busy"), come(""));
}

#[tokio::test]
async fn a_letter_that_is_refused_for_good_is_not_repeated() {
    let server = Double::start(&["550 5.1.1 <ana@example.com> is unknown here"]).await;
    let (outbox, _clock) = outbox(format!("smtp://{}?tls=none", server.address));
    let error = outbox.send_now(reset()).await.expect_err("refused");
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(error.message.contains("550"), "{}", error.message);
    // A server's own words name whom the letter was for.
    assert!(!error.message.contains("ana@"), "{}", error.message);
    assert!(server.letters().is_empty());
    let tries = server
        .said()
        .iter()
        .filter(|line| line.starts_with("RCPT"))
        .count();
    assert_eq!(tries, 1);
}

#[tokio::test]
async fn nothing_is_said_to_a_server_without_tls() {
    for url in [
        "smtp://u:hunter2@ADDRESS",
        "smtp://u:hunter2@ADDRESS?tls=required",
    ] {
        let server = Double::start(&[]).await;
        let (outbox, _clock) = outbox(url.replace("ADDRESS", &server.address));
        let error = outbox.send_now(reset()).await.expect_err("no TLS");
        assert!(!error.message.contains("hunter2"), "{}", error.message);
        assert!(
            error.message.to_uppercase().contains("STARTTLS"),
            "{}",
            error.message
        );
        let said = server.said();
        assert!(
            said.iter()
                .all(|line| line.starts_with("EHLO") || line == "QUIT"),
            "{said:?}"
        );
    }
}

#[test]
fn settings() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    };
    let read = |text: &str| {
        let settings = Settings::from_toml(text)?;
        settings.users(&settings.public_url())
    };
    let none = read("data_dir = \"/srv/recado\"").expect("the defaults");
    let MailConfig::Files { dir } = &none.mail else {
        panic!("no mail server was named")
    };
    assert_eq!(dir.to_str(), Some("/srv/recado/mail"));
    assert_eq!(
        (none.signup, none.invitation_ms),
        (Signup::Closed, 86_400_000)
    );
    assert!(none.password_threads >= 1 && none.blocklist.is_none());

    let (url, list) = (
        file("url", "smtps://u:hunter2@mail.example.com\n"),
        file("list", "correct horse battery staple\n"),
    );
    let text = format!(
        "mail.url_file = {url:?}\nmail.from = \"a@example.com\"\nusers.signup = \"open\"\n\
         users.invitation_minutes = 10\nusers.password_threads = 3\n\
         users.password_blocklist_file = {list:?}\nlimits.failed_logins_per_user = 5"
    );
    let all = read(&text).expect("settings");
    let config = Settings::from_toml(&text)
        .and_then(|settings| settings.app_config(settings.public_url(), &OsRng))
        .expect("settings");
    assert_eq!(config.failed_proofs.per_login, 5);
    let MailConfig::Smtp { url, from } = &all.mail else {
        panic!("a mail server was named")
    };
    assert_eq!(url.expose(), "smtps://u:hunter2@mail.example.com");
    assert_eq!(from, "a@example.com");
    assert_eq!((all.signup, all.invitation_ms), (Signup::Open, 600_000));
    assert_eq!(all.password_threads, 3);
    assert_eq!(
        all.blocklist.as_deref().and_then(|path| path.to_str()),
        Some(list.as_str())
    );

    for (text, says) in [
        (
            "mail.url = \"smtps://u:hunter2@mail.example.com\"",
            "mail.from must",
        ),
        ("mail.url = \"mail.example.com\"", "mail.url must be"),
        (
            "mail.url = \"smtp://u:hunter2@mail.example.com?tls=none\"",
            "tls=none is for",
        ),
        ("mail.url_file = \"/nowhere/x\"", "mail.url_file /nowhere/x"),
        ("users.signup = \"maybe\"", "closed, invite or open"),
        ("users.invitation_minutes = 9", "users.invitation_minutes"),
        (
            "users.invitation_minutes = 10081",
            "users.invitation_minutes",
        ),
        ("users.password_threads = 65", "users.password_threads"),
        (
            "users.password_blocklist_file = \"/nowhere/x\"",
            "cannot read /nowhere/x",
        ),
        (
            "limits.failed_logins_per_user = 0",
            "limits.failed_logins_per_user",
        ),
    ] {
        let refused = format!("{:#}", read(text).expect_err(text));
        assert!(refused.contains(says), "{text}: {refused}");
        assert!(!refused.contains("hunter2"), "{text}: {refused}");
    }
}
