//! What people write stays text: names with HTML, with marks that turn the direction of writing, with
//! line breaks.

use serde_json::{Value, json};

use super::{Browser, OWNER, OWNER_TOO, PROXY, text};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    text_stays_text,
    what_nobody_sees_is_refused,
    the_letter_shows_it_as_text,
    a_browsers_name_stays_text,
}

async fn text_stays_text(bed: &mut Bed) {
    let mut owner = Browser::of(bed, OWNER).await;
    let longest = "é".repeat(255);
    for name in [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "Loja & Cia. — «Ünïcødé» 🏪",
        "{{7*7}} ${7*7} %s %n",
        "'; DROP TABLE account; --",
        "متجر",
        "חנות",
        &longest,
    ] {
        let answer = owner
            .patch("/account", json!({"name": name}))
            .await
            .expect(200);
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.json()["account"]["name"], name);
        assert_eq!(text(&owner.me().await, "/account/name"), name);
    }
    // Blanks around it are nobody's.
    let trimmed = owner
        .patch("/account", json!({"name": "  Loja  "}))
        .await
        .ok();
    assert_eq!(trimmed["account"]["name"], "Loja");
    let theirs = Browser::of(bed, OWNER_TOO).await.me().await;
    assert_eq!(theirs["account"]["name"], "Shop B");
}

async fn what_nobody_sees_is_refused(bed: &mut Bed) {
    let mut owner = Browser::of(bed, OWNER).await;
    let too_long = "x".repeat(256);
    for name in [
        "",
        "   ",
        &too_long,
        "Loja\nSecond line",
        "Loja\r\nBcc: eve@example.com",
        "Loja\u{0}",
        "Loja\u{1b}[2J",
        "Loja \u{202e}txet",
        "Loja \u{2066}text",
        "Loja\u{2028}line",
    ] {
        let refused = owner.patch("/account", json!({"name": name})).await;
        let shown = format!("{name:?}: {refused:?}");
        assert_eq!(refused.status, 400, "{shown}");
        assert_eq!(refused.json()["field"], "name", "{shown}");
    }
    for body in [
        json!({"name": ["Loja"]}),
        json!({"name": {"$set": "Loja"}}),
        json!({"name": "Loja", "id": "AC1"}),
        json!({"name": "Loja", "role": "owner"}),
        json!(["Loja"]),
    ] {
        let refused = owner.patch("/account", body).await;
        assert_eq!(refused.status, 400, "{refused:?}");
    }
    assert_eq!(text(&owner.me().await, "/account/name"), "Shop A");
}

/// Whoever may name an account must not have us carry a link of their choice.
async fn the_letter_shows_it_as_text(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    let name = "<b>Win</b> https://evil.example/x now, mail eve@evil.example \u{200f}x";
    owner
        .patch("/account", json!({"name": name}))
        .await
        .expect(200);
    let body = json!({"email": "new@example.com", "role": "viewer"});
    owner.post("/members/invite", body).await.expect(200);
    let letter = inbox.next("new@example.com", "invited").await;
    letter.token();
    assert!(!letter.subject.contains("Win"), "{}", letter.subject);
    for link in ["https://evil", "evil.example", "eve@evil", "\u{200f}"] {
        assert!(!letter.text.contains(link), "{link}: {}", letter.text);
    }
    assert!(
        letter.text.contains("<b>Win</b>"),
        "plain text: {}",
        letter.text
    );
}

/// What a browser calls itself is anybody's to write: it is cut, and it is a string.
async fn a_browsers_name_stays_text(bed: &mut Bed) {
    let mut browser = Browser::new(bed);
    let odd = format!("<script>alert(1)</script> {}", "x".repeat(2000));
    let body = json!({"email": OWNER, "password": super::PASSWORD});
    let call = bed.post("/login").header("user-agent", &odd).json(body);
    browser.send(call).await.expect(200);
    let list = browser.get("/sessions").await.ok();
    let agent = text(&list, "/sessions/0/agent");
    assert_eq!(agent.chars().count(), 300);
    assert!(odd.starts_with(&agent));
    let rows: Value = browser.get("/audit?kind=user.signed_in").await.ok();
    assert_eq!(text(&rows, "/entries/0/detail/agent"), agent);
}
