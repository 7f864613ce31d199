use std::io::Write;

use proptest::prelude::*;
use recado_model::{ErrorCode, clock::OsRng};

use super::*;

const CONTEXT: [&str; 2] = ["Ana.Silva@padaria.example", "Padaria do João"];

fn choose(text: &str) -> Result<Password> {
    Password::choose(text, &CONTEXT, &Blocklist::default())
}

/// Refused, with the field and words that say what to do. Returns them.
fn refused(text: &str) -> String {
    let error = match choose(text) {
        Err(error) => error,
        Ok(_) => panic!("{text:?} was taken"),
    };
    assert_eq!(
        (error.code, error.field),
        (ErrorCode::InvalidField, Some("password"))
    );
    assert!(text.is_empty() || !error.message.contains(text));
    error.message.into_owned()
}

#[test]
fn length_counts_and_composition_does_not() {
    for text in [
        "kvdmzqhtbwxyrplc",
        "correct horse battery staple",
        "correct horse bat",
        "8471 0032 5519 6627",
        "frase com quatro palavras",
        " leading and trailing ",
        "contraseña de la abuela",
        "日本語のパスワードはとても長いです",
        "🐙🌵🎻🧀🚲🪐🧦🦑🥕🎲🧊🪁🦔🍋🛶",
        "<script>alert('hi')</script>",
        "my recado of last winter",
    ] {
        assert!(choose(text).is_ok(), "{text:?}");
    }
    for length in [64, 100, MAX_BYTES] {
        let long: String = "vqkm zxtw hrbl ".chars().cycle().take(length).collect();
        assert!(choose(&long).is_ok(), "{length} bytes");
    }
    assert!(refused(&"vqkm zxtw hrbl ".repeat(69)).contains("1024 bytes"));
    // Bytes as sent: 342 characters of three bytes each.
    assert!(refused(&"語パス".repeat(114)).contains("1024 bytes"));
    assert!(refused("kvdmzqhtbwxyrp").contains("at least 15"));
    assert!(refused("🐙🌵🎻🧀🚲🪐🧦🦑🥕🎲🧊🪁🦔🍋").contains("at least 15"));
    assert!(refused("").contains("Type the password"));
    for control in ["\0", "\t", "\n", "\u{7f}", "\u{85}"] {
        let text = format!("correct horse{control} battery staple");
        assert!(refused(&text).contains("control character"), "{control:?}");
    }
}

#[test]
fn length_is_that_of_the_form_that_is_hashed() {
    // Fifteen code points as typed, fourteen letters.
    assert!(refused("e\u{301}kvdmzqhtbwxyr").contains("at least 15"));
    // The ligature is three letters.
    assert!(choose("ﬃkvdmzqhtbwxy").is_ok());
}

#[test]
fn one_password_however_its_letters_are_typed() {
    for (a, b) in [
        ("caf\u{e9} na esquina", "cafe\u{301} na esquina"),
        ("ｗｉｄｅ ｌｅｔｔｅｒｓ", "wide letters"),
        ("non\u{a0}breaking", "non breaking"),
    ] {
        assert_eq!(
            Password::parse(a).expect("a password"),
            Password::parse(b).expect("a password")
        );
    }
    // Case and spaces at the ends are part of it.
    for (a, b) in [("Cafe", "cafe"), (" cafe", "cafe")] {
        assert_ne!(
            Password::parse(a).expect("a password"),
            Password::parse(b).expect("a password")
        );
    }
}

#[test]
fn what_signs_in_may_be_weak_but_not_without_form() {
    assert!(Password::parse("short").is_ok());
    assert!(Password::parse(&"a".repeat(MAX_BYTES)).is_ok());
    for text in ["", "a\0", &"a".repeat(MAX_BYTES + 1)] {
        let error = Password::parse(text).expect_err("no form");
        assert_eq!(error.field, Some("password"));
    }
}

#[test]
fn the_first_guesses_are_refused() {
    for text in [
        "aaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaab",
        "abcabcabcabcabc",
        "123456789012345",
        "abcdefghijklmnop",
        "zyxwvutsrqponml",
        "абвгдежзийклмноп",
        "qwertyuiopasdfgh",
        "1qaz2wsx3edc4rfv",
        "1q2w3e4r5t6y7u8i",
        "passwordpassword",
        "P@ssw0rdP@ssw0rd",
        "Password123456!",
        "administrator123",
        "iloveyouiloveyou",
        "minhasenha123456",
        "characteristics",
        "               ",
        "\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}",
        "ｐａｓｓｗｏｒｄｐａｓｓｗｏｒｄ",
    ] {
        assert!(refused(text).contains("easy to guess"), "{text:?}");
    }
    assert!(refused(&"a".repeat(MAX_BYTES)).contains("easy to guess"));
}

#[test]
fn what_is_known_of_the_user_is_refused_alone_repeated_and_decorated() {
    for text in [
        "ana.silva@padaria.example",
        "Ana.Silva@Padaria.Example!",
        "anasilvaanasilva",
        "ana.silva--ana.silva",
        "2026 ana silva 2026",
        "padariadojoão",
        "Padaria do João 26",
        "PADARIA-DO-JOA\u{303}O-1!",
        "recadorecadorecado",
        "Recado.Recado.2026",
        "whatsapp-recado-1",
        "recado1234567890",
        "silva recado padaria",
    ] {
        let text = format!("{text:.<15}");
        let words = refused(&text);
        assert!(
            words.contains("e-mail address") || words.contains("easy to guess"),
            "{text:?}: {words}"
        );
    }
    // The words of others, and these words in a phrase, are fine.
    for text in ["bia.costa@oficina.test 7", "a padaria fecha cedo hoje"] {
        assert!(choose(text).is_ok(), "{text:?}");
    }
    // No context, or one without letters, refuses nothing by itself.
    for context in [&[][..], &["", "  ", "@", "12", "é"]] {
        let blocked = Blocklist::default();
        assert!(Password::choose("correct horse battery", context, &blocked).is_ok());
    }
}

#[test]
fn a_generated_password_is_one_that_can_be_chosen() {
    for _ in 0..20 {
        let (a, b) = (generate(&OsRng), generate(&OsRng));
        assert_ne!(a, b);
        assert_eq!(a.expose().len(), 20);
        assert!(choose(a.expose()).is_ok());
    }
}

#[test]
fn the_operators_list_refuses_whole_passwords() {
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(
        b"hunter2\r\nCorrect Horse Battery Staple\r\n\xff\xfe not utf-8 at all\ncafe\xcc\x81 na esquina azul\n\n",
    )
    .expect("written");
    // Without a line break at its end, after a line longer than any password.
    let long = "x".repeat(5000);
    write!(file, "{long}\nthe very last line of it").expect("written");
    let blocked = Blocklist::load(file.path()).expect("a list");
    for text in [
        "correct horse battery staple",
        "CORRECT HORSE BATTERY STAPLE",
        "caf\u{e9} na esquina azul",
        "the very last line of it",
    ] {
        let error = Password::choose(text, &[], &blocked).expect_err(text);
        assert!(error.message.contains("list of known passwords"), "{text}");
    }
    for text in [
        "correct horse battery staples",
        "a correct horse battery staple",
        "not utf-8 at all, never mind",
    ] {
        assert!(Password::choose(text, &[], &blocked).is_ok(), "{text}");
    }
    assert!(!blocked.is_empty());
    assert!(Blocklist::default().is_empty());

    let missing = file.path().with_extension("missing");
    let error = Blocklist::load(&missing).expect_err("no such file");
    assert!(error.to_string().contains(&missing.display().to_string()));
}

#[test]
fn a_password_does_not_show_itself() {
    let password = choose("correct horse battery").expect("a password");
    assert_eq!(format!("{password:?}"), "Password(Secret(…))");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is typed is judged, not fallen over; and the form that is hashed is final.
    #[test]
    fn any_text_is_judged(text in "\\PC{0,40}", context in "\\PC{0,20}") {
        if let Ok(password) = Password::choose(&text, &[&context], &Blocklist::default()) {
            prop_assert!(password.expose().chars().count() >= MIN_CHARS);
            prop_assert_eq!(Password::parse(&text).expect("parsed"), password);
        }
    }
}
