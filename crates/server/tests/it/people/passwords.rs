//! Which passwords may be chosen (P-01 to P-03): each by `POST /password`, and then by signing in.

use std::io::Write as _;

use serde_json::json;

use super::{Browser, OWNER, PASSWORD, PROXY};
use crate::{call::Answer, gateway::Bed};

on_both! {
    with = super::PROXY;
    fifteen_code_points_are_enough,
    long_ones_are_taken_whole,
    the_same_letters_are_the_same_password,
    spaces_and_signs_count,
    common_and_context_words_are_refused,
    the_owner_knows_best,
}

/// Unrelated letters.
const LETTERS: &str = "qzvkmxwpjtrhgbn";

async fn choose(browser: &mut Browser<'_>, password: &str) -> Answer {
    browser
        .post("/password", json!({"password": password}))
        .await
}

#[track_caller]
fn refused(answer: Answer, why: &str) {
    let body = answer.refused(400, "invalid_field");
    assert_eq!(body["field"], "password");
    let text = body["error"].as_str().expect("a text");
    assert!(text.contains(why), "{why}: {text}");
}

/// From another network each time: wrong ones close no door here.
async fn opens(bed: &Bed, from: u8, password: &str) -> u16 {
    let mut browser = Browser::at(bed, &format!("203.0.113.{from}"));
    browser.log_in(OWNER, password).await.status
}

async fn fifteen_code_points_are_enough(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    let fourteen: String = LETTERS.chars().take(14).collect();
    // Bytes, or the marks that letters are typed with, make it no longer.
    let of_bytes = "🐢🍉🚲🎻🧭🪁🦔🌋🧵🪐🥁🛶🦩🧊";
    let of_marks = "q\u{301}z\u{301}vkmxwpjtrhge\u{301}";
    assert_eq!((of_bytes.chars().count(), fourteen.len()), (14, 14));
    for short in ["", "x", PASSWORD.split_at(14).0, &fourteen, of_bytes] {
        let answer = choose(&mut browser, short).await;
        refused(answer, if short.is_empty() { "Type" } else { "15" });
    }
    // e with an accent is one letter once it is composed; q and z with one are two each.
    let composed = "éáíóúãõçñüöäêô";
    let apart = "e\u{301}a\u{301}i\u{301}o\u{301}u\u{301}a\u{303}o\u{303}c\u{327}n\u{303}u\u{308}o\u{308}a\u{308}e\u{302}o\u{302}";
    assert_eq!((composed.chars().count(), apart.chars().count()), (14, 28));
    refused(choose(&mut browser, composed).await, "15");
    refused(choose(&mut browser, apart).await, "15");
    assert!(of_marks.chars().count() > 15);
    assert_eq!(opens(bed, 1, PASSWORD).await, 200, "nothing has changed");
    for fine in [
        LETTERS.to_owned(),
        format!("{of_bytes}🪺"),
        format!("{composed}ï"),
    ] {
        choose(&mut browser, &fine).await.expect(204);
        assert_eq!(opens(bed, 2, &fine).await, 200, "{fine}");
    }
}

async fn long_ones_are_taken_whole(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    let long: String = LETTERS.chars().cycle().take(1024).collect();
    for length in [64, 72, 73, 128, 1024] {
        let password = &long[..length];
        choose(&mut browser, password).await.expect(204);
        assert_eq!(opens(bed, 1, password).await, 200, "{length}");
        // Not a byte less.
        assert_eq!(
            opens(bed, 2, &password[..length - 1]).await,
            401,
            "{length}"
        );
        if length > 72 {
            assert_eq!(opens(bed, 3, &password[..72]).await, 401, "{length}");
        }
    }
    // One more is refused, not cut, when it is chosen and when it is shown.
    let longer = format!("{long}x");
    refused(choose(&mut browser, &longer).await, "1024");
    assert_eq!(opens(bed, 4, &longer).await, 400);
    let of_letters = "ñ".repeat(513);
    refused(choose(&mut browser, &of_letters).await, "1024");
    assert_eq!(opens(bed, 5, &long).await, 200, "the old one holds");
}

async fn the_same_letters_are_the_same_password(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    let composed = "maçã à noite, três pães";
    let apart = "mac\u{327}a\u{303} a\u{300} noite, tre\u{302}s pa\u{303}es";
    assert_ne!(composed, apart);
    for (chosen, typed) in [(composed, apart), (apart, composed)] {
        choose(&mut browser, chosen).await.expect(204);
        assert_eq!(opens(bed, 1, chosen).await, 200);
        assert_eq!(opens(bed, 2, typed).await, 200);
    }
    // Full-width letters and ligatures are the letters that they are a form of.
    let wide = "ｑｚｖｋ ﬁｎ ｗｐｊｔｒｈｇｂ";
    choose(&mut browser, wide).await.expect(204);
    assert_eq!(opens(bed, 3, "qzvk fin wpjtrhgb").await, 200);
    // Cyrillic look-alikes are others, and so is a capital.
    assert_eq!(opens(bed, 4, "qzvk fin w\u{440}jtrhgb").await, 401);
    assert_eq!(opens(bed, 5, "Qzvk fin wpjtrhgb").await, 401);
}

async fn spaces_and_signs_count(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    for (n, password) in [
        "  two spaces around it  ",
        "lowercaseonlywithoutanything",
        "\"'; DROP TABLE app_user; --",
        "<b>not bold</b> & not a tag",
        "🐢 slow and 🍉 sweet in 🚲 rain",
    ]
    .into_iter()
    .enumerate()
    {
        let n = u8::try_from(n).expect("few");
        choose(&mut browser, password).await.expect(204);
        assert_eq!(opens(bed, n, password).await, 200, "{password}");
        if password.trim() != password {
            assert_eq!(opens(bed, n + 100, password.trim()).await, 401);
        }
    }
    for unseen in [
        "a tab\tin the middle",
        "a line\nin the middle",
        "a nul\0in the middle",
    ] {
        refused(choose(&mut browser, unseen).await, "control character");
    }
}

async fn common_and_context_words_are_refused(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    for (password, why) in [
        ("passwordpassword", "guess"),
        ("123456789012345", "guess"),
        ("qwertyuiopasdfgh", "guess"),
        ("aaaaaaaaaaaaaaaaaaaa", "guess"),
        ("a@example.com a@example.com", "made of"),
        ("Example-Example-2026!", "made of"),
        ("ShopShopShopShop1", "made of"),
        ("recado recado recado", "made of"),
        ("WhatsApp-Recado-2026", "made of"),
    ] {
        refused(choose(&mut browser, password).await, why);
    }
    // A word of it inside a phrase is no reason.
    choose(&mut browser, "my shop sells turnips on tuesday")
        .await
        .expect(204);
}

/// P-02: no composition rules, no end of its own.
async fn the_owner_knows_best(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    choose(&mut browser, "turnipsundialharvest")
        .await
        .expect(204);
    bed.clock.jump_secs(400 * 24 * 3600);
    assert_eq!(opens(bed, 1, "turnipsundialharvest").await, 200);
}

/// The operator's list: whole passwords, whatever their case.
mod blocklist {
    use super::*;

    mod sqlite {
        use super::*;

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn the_operators_list_counts() {
            let (_file, settings) = list();
            let mut bed = Bed::sqlite(&settings).await;
            super::the_operators_list_counts(&mut bed).await;
            bed.close().await;
        }
    }

    mod postgres {
        use super::*;

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn the_operators_list_counts() {
            let (_file, settings) = list();
            let mut bed = Bed::postgres(&settings).await;
            super::the_operators_list_counts(&mut bed).await;
            bed.close().await;
        }
    }

    fn list() -> (tempfile::NamedTempFile, String) {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        writeln!(file, "Orange tractor PARADE\r\nmaçã com três pães").expect("written");
        let path = file.path().display().to_string();
        (
            file,
            format!("{PROXY}users.password_blocklist_file = {path:?}\n"),
        )
    }

    async fn the_operators_list_counts(bed: &mut Bed) {
        let mut browser = Browser::proven(bed, OWNER).await;
        for listed in [
            "orange tractor parade",
            "ORANGE TRACTOR PARADE",
            "MAÇÃ com tre\u{302}s pães",
        ] {
            refused(choose(&mut browser, listed).await, "on a list");
        }
        choose(&mut browser, "orange tractor parades")
            .await
            .expect(204);
    }
}
