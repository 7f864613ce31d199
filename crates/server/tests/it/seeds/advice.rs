//! Advice of both pages: it is said where people get the credential, by the command line, in answers
//! and in the guide; and where the program can help, it does.

use std::{path::PathBuf, process::Command};

use serde_json::{Value, json};

use crate::gateway::Bed;

on_both! {
    tokens_are_not_exposed_in_front_ends,
    the_instance_token_is_stored_right_after_creation,
    tokens_are_kept_secret_and_out_of_version_control,
    tokens_live_in_environment_variables,
}

fn document(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(name);
    let text = std::fs::read_to_string(&path);
    text.unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `recado account create` says to the person who runs it.
fn account_create() -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let program = std::env::var_os("RECADO_TEST_PROGRAM")
        .map_or_else(|| env!("CARGO_BIN_EXE_recado").into(), PathBuf::from);
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("RECADO_") {
            command.env_remove(name);
        }
    }
    let ended = command
        .args([
            "account",
            "create",
            "--name",
            "Advised",
            "--email",
            "advised@example.com",
        ])
        .env("RECADO_DATA_DIR", folder.path().join("data"))
        .output()
        .expect("the program runs");
    let said = String::from_utf8(ended.stdout).expect("text");
    let wrong = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}{wrong}");
    for token in ["ct_", "cs_", "wz_"] {
        assert!(said.contains(token), "{said}");
    }
    said
}

/// What the answers say that hand out a new credential.
async fn notes(bed: &Bed) -> Vec<String> {
    let mut notes = Vec::new();
    for kind in ["client", "api_token"] {
        let create = bed.post("/account/credentials").bearer(&bed.a.jwt);
        let made = create.json(json!({"kind": kind})).send().await.ok();
        notes.push(made["note"].as_str().expect("a note").to_lowercase());
    }
    notes
}

#[track_caller]
fn says(place: &str, text: &str, words: &[&str]) {
    let text = text.to_lowercase();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said = words
        .iter()
        .any(|words| words.split('+').all(|word| text.contains(word)));
    assert!(said, "{place} says none of {words:?}: {text}");
}

/// > Do not expose X-Client-Token and X-Instance-Token in public front-end apps.
async fn tokens_are_not_exposed_in_front_ends(bed: &mut Bed) {
    let front_end = ["front end", "front-end", "browser"];
    says("the command line", &account_create(), &front_end);
    for note in notes(bed).await {
        says("the answer", &note, &front_end);
    }
    let guide = document("docs/credentials.md");
    says("the guide", &guide, &["never+`ct_`+`inst_`+browser"]);
    // No page of another origin reads an answer, unless the operator lists it.
    let made = bed.create(&bed.a, json!({"name": "Closed"})).await;
    let call = bed
        .get(&made.path("/session/status"))
        .header("origin", "https://shop.example");
    let pair = [
        ("x-client-token", bed.a.client_token.as_str()),
        ("x-instance-token", &made.token),
    ];
    let answer = call.headers(pair).send().await.expect(200);
    let preflight = bed
        .call("OPTIONS", &made.path("/session/status"))
        .header("origin", "https://shop.example")
        .header("access-control-request-method", "GET")
        .header(
            "access-control-request-headers",
            "x-client-token,x-instance-token",
        )
        .send()
        .await;
    for answer in [answer, preflight] {
        let cors = answer
            .headers
            .keys()
            .any(|name| name.as_str().starts_with("access-control-"));
        assert!(!cors, "{answer:?} {:?}", answer.headers);
    }
}

/// > Store the instance token from PUT /instances/create right after creation.
async fn the_instance_token_is_stored_right_after_creation(bed: &mut Bed) {
    let create = bed.call("PUT", "/instances/create").bearer(&bed.a.jwt);
    let made: Value = create.json(json!({"name": "Stored"})).send().await.ok();
    assert!(
        made["token"]
            .as_str()
            .is_some_and(|token| token.starts_with("inst_")),
        "{made}"
    );
    let guide = document("docs/credentials.md");
    says("the guide", &guide, &["store a token when you get it"]);
    // A new one says so itself.
    let id = made["id"].as_str().expect("an id");
    let list = bed.get(&format!(
        "/account/credentials?kind=instance_token&instance={id}"
    ));
    let listed = list.bearer(&bed.a.jwt).send().await.ok();
    let id = listed["credentials"][0]["id"].as_str().expect("an id");
    let rotate = bed
        .post(&format!("/account/credentials/{id}/rotate"))
        .bearer(&bed.a.jwt);
    let rotated = rotate.json(json!({})).send().await.ok();
    says(
        "the answer",
        rotated["note"].as_str().expect("a note"),
        &["store"],
    );
}

/// > Keep your token secret. Do not commit it to version control.
async fn tokens_are_kept_secret_and_out_of_version_control(bed: &mut Bed) {
    says("the command line", &account_create(), &["version control"]);
    for note in notes(bed).await {
        says("the answer", &note, &["version control"]);
    }
    says(
        "the guide",
        &document("docs/credentials.md"),
        &["version control"],
    );
    // Scanners of repositories find one that was committed all the same.
    let patterns = document("SECURITY.md");
    for prefix in ["ct_", "cs_", "inst_", "wz_", "sk_"] {
        assert!(
            patterns.contains(&format!(r"\b{prefix}[0-9A-Za-z]{{36}}\b")),
            "{prefix}"
        );
    }
    for token in [&bed.a.client_token, &bed.a.client_secret, &bed.a.api_token] {
        let (_, random) = token.split_once('_').expect("a prefix");
        assert!(random.len() == 36 && random.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}

/// > Use environment variables to store the token in production.
async fn tokens_live_in_environment_variables(bed: &mut Bed) {
    says(
        "the command line",
        &account_create(),
        &["environment variable"],
    );
    for note in notes(bed).await {
        says("the answer", &note, &["environment variable"]);
    }
    says(
        "the guide",
        &document("docs/credentials.md"),
        &["environment variable"],
    );
}
