use super::*;

const LINK: &str = "https://wa.example.com/dashboard/link#abcDEF-_123";
const DASHBOARD: &str = "https://wa.example.com/dashboard";
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn all(language: Language) -> Vec<Letter> {
    let to = "ana@example.com";
    let half_hour = 30 * MINUTE_MS;
    let invited = Invite {
        to,
        account: "Loja da Ana",
        inviter: Some("bea@example.com"),
        role: Role::Developer,
        link: LINK,
        lasts_ms: DAY_MS,
    };
    let mut letters = vec![
        invite(language, &invited),
        signup(language, to, LINK, half_hour),
        signup_invited(language, to, LINK, DAY_MS),
        signup_known(language, to, DASHBOARD),
        reset(language, to, LINK, half_hour),
        email(language, to, LINK, half_hour),
        email_change_asked(language, to, DASHBOARD),
        email_changed(language, to, DASHBOARD),
        password_changed(language, to, DASHBOARD),
    ];
    for change in [
        SecondFactor::On,
        SecondFactor::Off,
        SecondFactor::RecoveryCodes,
    ] {
        letters.push(second_factor_changed(language, to, change, DASHBOARD));
    }
    letters
}

#[test]
fn every_letter_in_every_language() {
    let mut texts = std::collections::HashSet::new();
    for language in Language::ALL {
        for letter in all(language) {
            assert_eq!(letter.to, "ana@example.com");
            assert!(!letter.subject.is_empty() && !letter.subject.contains(is_unseen));
            // Alone on its line, so that every mail program finds the whole of it and no more.
            let address = |line: &&str| line.starts_with("https://");
            let found: Vec<&str> = letter.text.lines().filter(address).collect();
            assert!(matches!(found[..], [LINK | DASHBOARD]), "{}", letter.text);
            let proves = found == [LINK];
            let lasts = letter.text.contains("24 ho") || letter.text.contains("30 minut");
            assert_eq!(proves, lasts, "a link's life is told: {}", letter.text);
            let debug = format!("{letter:?}");
            assert!(
                !debug.contains("ana@") && !debug.contains("https"),
                "{debug}"
            );
            assert!(texts.insert(letter.text.clone()), "twice: {}", letter.text);
        }
    }
    assert_eq!(texts.len(), 3 * 12);
}

#[test]
fn an_invitation_says_who_invites_to_what() {
    for (language, role, hours) in [
        (Language::English, "developer", "24 hours"),
        (Language::Portuguese, "desenvolvedor", "24 horas"),
        (Language::Spanish, "desarrollador", "24 horas"),
    ] {
        let letter = all(language).swap_remove(0);
        for part in ["Loja da Ana", "bea@example.com", role, hours, LINK] {
            assert!(letter.text.contains(part), "{part}: {}", letter.text);
        }
    }
}

#[test]
fn names_stay_text() {
    for (name_, shown) in [
        ("Loja da Ana", "Loja da Ana"),
        ("مقهى الأمل", "مقهى الأمل"),
        ("Dr. Silva & Filhos 24/7", "Dr. Silva & Filhos 24/7"),
        ("<b>Win</b>", "<b>Win</b>"),
        ("a\r\nBcc: x\u{2028}\u{85}b", "a Bcc: x b"),
        ("safe\u{202e}moc\u{200f}\u{2066}x", "safe moc x"),
        (
            "https://evil.example/a.b",
            "https: //evil\u{2024}example/a\u{2024}b",
        ),
        ("www.evil.example", "www\u{2024}evil\u{2024}example"),
        ("me@evil", "me＠evil"),
    ] {
        assert_eq!(name(name_), shown);
    }
    let long = name(&"ã".repeat(500));
    assert_eq!(long.chars().count(), NAME_MAX + 1);
    assert!(long.ends_with('…'));
}

#[test]
fn lives_of_links() {
    for (minutes, shown) in [
        (10, "10 minutes"),
        (60, "60 minutes"),
        (90, "90 minutes"),
        (120, "2 hours"),
        (1440, "24 hours"),
        (1441, "1441 minutes"),
        (10_080, "168 hours"),
    ] {
        assert_eq!(lasts(Language::English, minutes * MINUTE_MS), shown);
    }
}
