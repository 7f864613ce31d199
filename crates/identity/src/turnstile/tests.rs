//! The cases that need no siteverify; the rest is in the server's tests, against a double of it.

use recado_model::clock::OsRng;

use super::{
    config::{DUMMY_SECRETS, DUMMY_SITE_KEYS},
    *,
};

fn config() -> TurnstileConfig {
    TurnstileConfig {
        site_key: "0x4AAAAAAAexample".into(),
        secret: Secret::new("0x4AAAAAAAhunter2"),
        url: "https://challenges.cloudflare.com/turnstile/v0/siteverify".into(),
        hostname: "wa.example.com".into(),
    }
}

#[test]
fn the_vendors_dummy_keys_are_refused_unless_asked_for() {
    assert_eq!(config().check(false), Ok(()));
    let secrets = DUMMY_SECRETS.map(|secret| TurnstileConfig {
        secret: Secret::new(secret),
        ..config()
    });
    let site_keys = DUMMY_SITE_KEYS.map(|key| TurnstileConfig {
        site_key: key.into(),
        ..config()
    });
    for (name, dummy) in secrets
        .iter()
        .map(|dummy| ("secret", dummy))
        .chain(site_keys.iter().map(|dummy| ("site_key", dummy)))
    {
        let refused = dummy.check(false).expect_err("a dummy");
        assert!(
            refused.starts_with(&format!("turnstile.{name} ")),
            "{refused}"
        );
        assert!(refused.contains("keys for tests"), "{refused}");
        assert_eq!(dummy.check(true), Ok(()));
    }
}

#[test]
fn settings_that_cannot_work_are_refused_without_showing_the_secret() {
    type Change = fn(&mut TurnstileConfig);
    let cases: [(&str, Change); 9] = [
        ("turnstile.secret is missing", |c| {
            c.secret = Secret::new("")
        }),
        ("turnstile.site_key is missing", |c| c.site_key.clear()),
        ("turnstile.url", |c| c.url.clear()),
        ("turnstile.url", |c| c.url = "http://example.com/".into()),
        ("turnstile.url", |c| c.url = "ftp://127.0.0.1/".into()),
        ("turnstile.url", |c| {
            c.url = "https://u:p@example.com/".into()
        }),
        ("turnstile.hostname", |c| c.hostname.clear()),
        ("turnstile.hostname", |c| {
            c.hostname = "https://a.example".into()
        }),
        ("turnstile.hostname", |c| {
            c.hostname = "a.example:443".into()
        }),
    ];
    for (says, change) in cases {
        let mut config = config();
        change(&mut config);
        let refused = config.check(true).expect_err(says);
        assert!(refused.starts_with(says), "{refused}");
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    for url in [
        "http://127.0.0.1:9/x",
        "http://localhost:9/",
        "http://[::1]/",
    ] {
        let local = TurnstileConfig {
            url: url.into(),
            ..config()
        };
        assert_eq!(local.check(false), Ok(()), "{url}");
    }
}

#[test]
fn keys_of_questions_are_version_4() {
    let (one, two) = (uuid(&OsRng), uuid(&OsRng));
    assert_ne!(one, two);
    let parts: Vec<&str> = one.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12]);
    assert!(
        parts[2].starts_with('4') && parts[3].starts_with(['8', '9', 'a', 'b']),
        "{one}"
    );
}

#[tokio::test]
async fn nobody_is_asked_when_it_is_off() {
    assert!(Off.check(None, None, "login").await.is_ok());
}
