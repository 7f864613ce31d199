//! What people are shown: who only looks sees no secret, and nobody sees one without having given the
//! password.

use recado_api::{RouteRow, Surface};
use recado_model::Role;
use serde_json::json;

use super::{
    path_of,
    people::{hire, sign_in},
    rows,
};
use crate::{
    access::ROLES,
    gateway::{Bed, Made, SHOP},
};

on_both! {
    reading_the_dashboard_shows_no_secret,
    a_viewers_jwt_is_shown_no_secret,
}

/// Everything that could be used to act as the account.
async fn secrets(bed: &Bed, made: &Made) -> Vec<String> {
    let created = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}));
    let key = created.send().await.ok()["apiKey"].clone();
    let url = "https://hooks.example/in";
    let signing = bed
        .subscribe_at(&bed.a, made, url, json!(["Message"]))
        .await;
    vec![
        bed.a.client_token.clone(),
        bed.a.client_secret.clone(),
        bed.a.api_token.clone(),
        made.token.clone(),
        key.as_str().expect("a key").to_owned(),
        signing,
    ]
}

fn reads(row: &RouteRow) -> bool {
    let lists = ["/instances/list", "/instances/get"].contains(&row.path.as_str());
    row.method == "GET" && !row.path.contains("{cid}") || lists
}

#[track_caller]
fn holds_none(text: &str, secrets: &[String], what: &str) {
    for secret in secrets {
        // Its hint may be there: the last characters.
        let body = &secret[..secret.len() - 6];
        assert!(!text.contains(body), "{what}: {text}");
    }
    for prefix in ["ct_", "cs_", "inst_", "wz_", "sk_", "whsec_"] {
        let long = |rest: &str| {
            let token = rest.chars().take_while(char::is_ascii_alphanumeric);
            token.count() > 20
        };
        let mut after = text.split(prefix).skip(1);
        assert!(!after.any(long), "{what}: {text}");
    }
}

async fn reading_the_dashboard_shows_no_secret(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Read"})).await;
    let secrets = secrets(bed, &made).await;
    for role in ROLES {
        let email = format!("{}@a.example", role.as_str());
        hire(bed, &bed.a.id, &email, role).await;
        // Even who has given the password: what shows a secret is asked for by itself.
        let who = sign_in(bed, &email).await.confirmed(bed).await;
        let mut read = 0;
        for row in rows().filter(reads) {
            let path = path_of(&row, &made.id);
            let answer = who.ask(bed, "GET", &path).send().await;
            read += usize::from(answer.status == 200);
            holds_none(&answer.text(), &secrets, &row.path);
            assert!(!answer.text().contains(&who.cookie), "{answer:?}");
        }
        assert!(read >= 5, "{read}");
    }
}

async fn a_viewers_jwt_is_shown_no_secret(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "Read"})).await;
    let secrets = secrets(bed, &made).await;
    let mut shown = Vec::new();
    for role in [Role::Viewer, Role::Developer] {
        let email = format!("{}@a.example", role.as_str());
        hire(bed, &bed.a.id, &email, role).await;
        let who = sign_in(bed, &email).await;
        let mut read = 0;
        for row in recado_api::routes() {
            if row.surface != Surface::Instance || !reads(&row) {
                continue;
            }
            let path = row.path.replace("{id}", &made.id).replace("{phone}", SHOP);
            let mut call = bed.call(&row.method, &path).bearer(&who.jwt);
            if row.method == "POST" {
                call = call.json(json!({"id": made.id}));
            }
            let answer = call.send().await;
            read += usize::from(answer.status == 200);
            match role {
                Role::Viewer => holds_none(&answer.text(), &secrets, &row.path),
                _ if answer.text().contains(&made.token) => shown.push(row.path),
                _ => {}
            }
        }
        assert!(read >= 5, "{read}");
    }
    // The control: who may use an instance sees its token, as the contract has it.
    assert_eq!(
        shown,
        ["/instances/list", "/instances/get", "/instances/{id}"]
    );
}
