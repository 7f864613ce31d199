//! What is done to a person, or by them, is in the logs of all their accounts; the operator's part too.

use std::{io::Write as _, sync::Arc};

use recado_identity::{
    accounts::{self, NewAccount},
    password::Blocklist,
    users::operator::Operator,
};
use recado_model::{Clock, Role, Secret, clock::OsRng};
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, rng},
    people::{Browser, NEW_PASSWORD, OWNER, OWNER_TOO, audit_rows, second_factor, text},
};

on_both! {
    with = crate::people::PROXY;
    ones_own_changes_are_in_all_ones_accounts,
    a_session_that_is_ended_is_told_where_it_acted,
    what_the_operator_does_is_told,
    the_operators_list_counts_at_the_command_line,
}

/// [`OWNER`], who owns the first shop, looks at the second one.
async fn in_both(bed: &Bed) -> String {
    let id = bed.user(OWNER).await.id;
    bed.join(&bed.b, &id, Role::Viewer).await;
    id.to_string()
}

async fn rows(browser: &mut Browser<'_>, kind: &str) -> Vec<Value> {
    audit_rows(browser, &format!("?kind={kind}")).await
}

async fn ones_own_changes_are_in_all_ones_accounts(bed: &mut Bed) {
    let user = in_both(bed).await;
    let mut inbox = bed.inbox();
    let mut person = Browser::proven(bed, OWNER).await;
    second_factor::enrol(&mut person).await;
    inbox.next(OWNER, "").await;
    let codes = person
        .post("/second-factor/recovery-codes", json!({}))
        .await;
    codes.expect(200);
    let letter = inbox.next(OWNER, "").await;
    assert!(letter.text.contains("recovery codes"), "{}", letter.text);
    person.delete("/second-factor").await.expect(204);
    let password = json!({"password": NEW_PASSWORD});
    person.post("/password", password).await.expect(204);
    let mut there = Browser::of(bed, OWNER_TOO).await;
    for kind in [
        "user.second_factor_on",
        "user.recovery_codes",
        "user.second_factor_off",
        "user.password",
    ] {
        for browser in [&mut person, &mut there] {
            let rows = rows(browser, kind).await;
            assert_eq!(rows.len(), 1, "{kind}");
            let by = &rows[0]["detail"]["by"];
            let who = json!({"proof": "user_session", "user": user});
            assert_eq!(*by, who, "{kind}");
        }
    }
    let switch = json!({"account": bed.b.id});
    person.post("/account/switch", switch).await.expect(200);
    let entered = rows(&mut there, "user.switched_account").await;
    assert_eq!(entered.len(), 1);
    assert_eq!(entered[0]["detail"]["direction"], "entered");
    let switch = json!({"account": bed.a.id});
    person.post("/account/switch", switch).await.expect(200);
    let own = rows(&mut person, "user.switched_account").await;
    let told: Vec<_> = own.iter().map(|row| &row["detail"]["direction"]).collect();
    assert_eq!(told, ["entered", "left"]);
    // Which other accounts somebody is in is nobody's business.
    let whole = json!(own).to_string();
    assert!(!whole.contains(bed.b.id.as_str()), "{whole}");
}

async fn a_session_that_is_ended_is_told_where_it_acted(bed: &mut Bed) {
    in_both(bed).await;
    let mut here = Browser::of(bed, OWNER).await;
    let mut owner_there = Browser::of(bed, OWNER_TOO).await;
    let elsewhere = async || {
        let mut browser = Browser::of(bed, OWNER).await;
        let switch = json!({"account": bed.b.id});
        let me = browser.post("/account/switch", switch).await.ok();
        (text(&me, "/session_id"), browser)
    };
    let (id, browser) = elsewhere().await;
    here.delete(&format!("/sessions/{id}")).await.expect(204);
    assert_eq!(browser.alive().await, 401);
    let (_, browser) = elsewhere().await;
    here.post("/sessions/end-others", json!({}))
        .await
        .expect(204);
    assert_eq!(browser.alive().await, 401);
    for browser in [&mut here, &mut owner_there] {
        let rows = rows(browser, "user.session_ended").await;
        let told: Vec<_> = rows.iter().map(|row| &row["detail"]["session"]).collect();
        assert_eq!(told, ["others", id.as_str()]);
    }
}

async fn what_the_operator_does_is_told(bed: &mut Bed) {
    let user = in_both(bed).await;
    let (clock, rng) = (bed.clock.clone() as Arc<dyn Clock>, rng());
    let operator = Operator {
        store: &bed.gateway().store,
        clock: &clock,
        rng: &rng,
        public_url: &bed.gateway().base_url,
    };
    operator.reset_link(OWNER).await.expect("a link");
    let is = bed.user(OWNER).await.operator;
    for to in [is, !is, !is, is] {
        operator.set_operator(OWNER, to).await.expect("sets");
        assert_eq!(bed.user(OWNER).await.operator, to);
    }
    for email in [OWNER, OWNER_TOO] {
        let mut browser = Browser::of(bed, email).await;
        let rows = rows(&mut browser, "user.reset_asked").await;
        assert_eq!(rows.len(), 1);
        let detail = json!({"by": {"proof": "operator"}, "user": user});
        assert_eq!(rows[0]["detail"], detail);
        let rows = audit_rows(&mut browser, "?kind=user.operator").await;
        let told: Vec<_> = rows.iter().map(|row| &row["detail"]["operator"]).collect();
        assert_eq!(
            told,
            [&json!(is), &json!(!is)],
            "what was so already is no news"
        );
    }
}

async fn the_operators_list_counts_at_the_command_line(bed: &mut Bed) {
    const LISTED: &str = "the name of our first ship";
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    writeln!(file, "{LISTED}").expect("a line");
    let list = Blocklist::load(file.path()).expect("a list");
    let make = async |email: &str, password: &str| {
        let new = NewAccount {
            name: "New".to_owned(),
            owner_email: email.to_owned(),
            owner_password: Some(Secret::new(password)),
        };
        let store = &bed.gateway().store;
        accounts::create_with(store, &*bed.clock, &OsRng, new, &list).await
    };
    let refused = make("x@example.com", LISTED).await.expect_err("listed");
    assert_eq!(refused.field, Some("password"), "{refused}");
    assert!(bed.find_user("x@example.com").await.is_none());
    make("x@example.com", "ample turnip sundial")
        .await
        .expect("made");
}
