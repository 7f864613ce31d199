use recado_model::{Timestamp, clock::OsRng};

use super::*;

fn stamp() -> Stamp {
    Stamp {
        at: Timestamp(1_767_225_600_000),
        id: "ABC".into(),
    }
}

fn letter(to: &str, subject: &str, text: &str) -> Letter {
    Letter {
        kind: "reset",
        to: to.into(),
        subject: subject.into(),
        text: text.into(),
    }
}

fn formatted(letter: &Letter, readable: bool) -> std::result::Result<String, MailError> {
    let from = sender("Example <no-reply@example.com>").expect("a sender");
    let message = compose(letter, &stamp(), &from, readable)?;
    Ok(String::from_utf8(message.formatted()).expect("text"))
}

#[test]
fn a_letter_as_it_travels() {
    let long = "one word and another, ".repeat(5);
    let text = format!("Olá,\n\n{long}\n\nhttps://wa.example.com/dashboard/link#abc\n");
    let text = text.as_str();
    let readable = formatted(&letter("ana@example.com", "Não", text), true).expect("a letter");
    let (head, body) = readable.split_once("\r\n\r\n").expect("head and body");
    for line in [
        "From: Example <no-reply@example.com>",
        "To: ana@example.com",
        "Date: Thu, 01 Jan 2026 00:00:00 +0000",
        "Message-ID: <ABC@example.com>",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
    ] {
        assert!(head.lines().any(|found| found == line), "{line}: {head}");
    }
    assert!(head.contains("Subject: =?utf-8?"), "{head}");
    assert_eq!(body.replace("\r\n", "\n").trim_end(), text.trim_end());
    // For a mail server that knows no 8 bits.
    let travels = formatted(&letter("ana@example.com", "Não", text), false).expect("a letter");
    assert!(travels.is_ascii(), "{travels}");
}

#[test]
fn nothing_gets_into_the_head_of_a_letter() {
    for to in [
        "",
        "ana",
        "@example.com",
        "ana@",
        "ana@example.com\r\nBcc: eve@example.com",
        "ana@example.com, eve@example.com",
        "ana@example.com\n",
        "Ana <ana@example.com>",
        "ana @example.com",
        "ana@exam\u{202e}ple.com",
    ] {
        assert!(!is_address(to), "{to:?}");
        let error = formatted(&letter(to, "x", "x"), true).expect_err(to);
        assert!(
            error.lasting && !error.to_string().contains("example"),
            "{error}"
        );
    }
    let long = format!("{}@example.com", "a.".repeat(150));
    assert!(!is_address(&long));
    for subject in ["a\r\nBcc: eve@example.com", "a\nb", "a\0b", "a\u{202e}b"] {
        let error = formatted(&letter("ana@example.com", subject, "x"), true);
        assert!(error.expect_err(subject).lasting);
    }
    for to in [
        "ana@example.com",
        "ana+x@sub.example.com",
        "o'neil@example.com",
    ] {
        assert!(is_address(to), "{to}");
    }
}

#[test]
fn settings_that_cannot_send() {
    let smtp = |url: &str, from: &str| MailConfig::Smtp {
        url: Secret::new(url),
        from: from.into(),
    };
    let good = "smtps://u:hunter2@mail.example.com";
    assert_eq!(smtp(good, "a@example.com").check(), Ok(()));
    for from in ["", "nobody", "a@example.com\r\nBcc: b@example.com"] {
        let refused = smtp(good, from).check().expect_err(from);
        assert!(refused.starts_with("mail.from"), "{refused}");
    }
    let refused = smtp("mail.example.com", "a@example.com").check();
    assert!(refused.expect_err("no URL").starts_with("mail.url"));
    let shown = format!("{:?}", smtp(good, "a@example.com"));
    assert!(!shown.contains("hunter2"), "{shown}");
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let mailer = smtp(good, "a@example.com").mailer("https://wa.example.com", &rng);
    assert!(mailer.is_ok());
}
