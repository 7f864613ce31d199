//! A session that has ended by the time its own commit is answered: somebody changed the role, or signed
//! the person out, in that very moment.

use recado_model::Role;
use recado_store::Database;
use serde_json::json;

use super::{
    Browser, OWNER, PASSWORD, PROXY,
    second_factor::{begin, code, new_step},
};
use crate::gateway::Bed;

on_both! {
    with = super::PROXY;
    who_signs_in_is_asked_to_try_again,
    who_uses_a_link_is_asked_to_sign_in,
    who_moves_to_another_account_is_asked_to_sign_in,
    what_is_shown_once_is_shown,
}

/// Everybody's sessions end with the transaction that writes a row of `kind` to the log, as if by one
/// that is committed right behind it.
async fn end_with(bed: &Bed, kind: &str) {
    let all = "UPDATE app_user SET generation = generation + 1";
    let on = format!("AFTER INSERT ON audit FOR EACH ROW WHEN (NEW.kind = '{kind}')");
    match bed.database() {
        Database::Sqlite { .. } => {
            let text = format!("CREATE TRIGGER ending {on} BEGIN {all}; END");
            bed.raw(&text, &text).await;
        }
        Database::Postgres { .. } => {
            let function = format!(
                "CREATE OR REPLACE FUNCTION ending() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {all}; RETURN NULL; END $$"
            );
            bed.raw(&function, &function).await;
            let text = format!("CREATE TRIGGER ending {on} EXECUTE FUNCTION ending()");
            bed.raw(&text, &text).await;
        }
    }
}

async fn no_more(bed: &Bed) {
    let text = match bed.database().is_sqlite() {
        true => "DROP TRIGGER ending",
        false => "DROP TRIGGER ending ON audit",
    };
    bed.raw(text, text).await;
}

async fn who_signs_in_is_asked_to_try_again(bed: &mut Bed) {
    end_with(bed, "user.signed_in").await;
    let mut browser = Browser::new(bed);
    let answer = browser.log_in(OWNER, PASSWORD).await;
    answer.refused(409, "conflict");
    assert!(browser.cookie.is_none(), "no cookie that is worth nothing");
    no_more(bed).await;
    browser.log_in(OWNER, PASSWORD).await.expect(200);
    assert_eq!(browser.alive().await, 200);
}

async fn who_uses_a_link_is_asked_to_sign_in(bed: &mut Bed) {
    let mut inbox = bed.inbox();
    let mut owner = Browser::proven(bed, OWNER).await;
    let email = "new@example.com";
    let body = json!({"email": email, "role": "developer", "language": "en"});
    owner.post("/members/invite", body).await.expect(200);
    let token = inbox.next(email, "You are invited").await.token();
    end_with(bed, "user.signed_in").await;
    let password = "a password that nobody else has";
    let mut browser = Browser::new(bed);
    let answer = browser
        .use_link(&token, json!({"password": password}))
        .await;
    answer.refused(409, "conflict");
    no_more(bed).await;
    // The link did its work.
    browser.log_in(email, password).await.expect(200);
    assert_eq!(browser.me().await["account"]["role"], "developer");
}

async fn who_moves_to_another_account_is_asked_to_sign_in(bed: &mut Bed) {
    let owner = bed.user(OWNER).await.id;
    bed.join(&bed.b, &owner, Role::Viewer).await;
    let mut browser = Browser::proven(bed, OWNER).await;
    end_with(bed, "user.switched_account").await;
    let switch = json!({"account": bed.b.id});
    let answer = browser.post("/account/switch", switch).await;
    answer.refused(409, "conflict");
    no_more(bed).await;
    browser.log_in(OWNER, PASSWORD).await.expect(200);
}

async fn what_is_shown_once_is_shown(bed: &mut Bed) {
    let mut browser = Browser::proven(bed, OWNER).await;
    let seed = begin(&mut browser).await;
    new_step(bed);
    end_with(bed, "user.second_factor_on").await;
    let otp = code(bed, &seed, 0);
    let answer = browser
        .post("/second-factor/confirm", json!({"otp": otp}))
        .await
        .ok();
    let codes = answer["recovery_codes"].as_array().expect("codes").clone();
    assert_eq!(browser.alive().await, 401, "the session has ended");
    no_more(bed).await;
    let recovery = codes[0].as_str().expect("a code");
    browser.log_in_with(OWNER, recovery).await.expect(200);
}
