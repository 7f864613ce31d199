//! What the dashboard's rows take: JSON objects, with the fields that they know.

use recado_api::RouteRow;
use serde_json::{Value, json};

use super::{
    path_of,
    people::{OWNER_A, PASSWORD, SignedIn, cookie_of, own_origin, sign_in},
    rows,
};
use crate::{
    access::COOKIE,
    gateway::{Answer, Bed, Call},
    wire,
};

on_both! {
    only_json_is_taken,
    only_objects_are_taken,
    only_known_fields_are_taken,
    only_known_questions_are_taken,
}

struct Asker {
    who: SignedIn,
    id: String,
}

impl Asker {
    async fn new(bed: &Bed) -> Self {
        let made = bed.create(&bed.a, json!({"name": "Asked about"})).await;
        let who = sign_in(bed, OWNER_A).await.confirmed(bed).await;
        Self { who, id: made.id }
    }

    /// As somebody who may everything.
    fn ask(&self, bed: &Bed, row: &RouteRow) -> Call {
        self.who.ask(bed, &row.method, &path_of(row, &self.id))
    }
}

fn rows_with_bodies() -> Vec<RouteRow> {
    let found: Vec<_> = rows().filter(|row| row.takes.body.is_some()).collect();
    assert!(found.len() > 20, "{}", found.len());
    let changes = |row: &&RouteRow| ["POST", "PATCH"].contains(&row.method.as_str());
    let without: Vec<_> = rows()
        .filter(|row| changes(&row) && row.takes.body.is_none())
        .collect();
    let without: Vec<_> = without.iter().map(|row| row.path.as_str()).collect();
    assert_eq!(without, ["/logout"], "everything else says what it takes");
    found
}

/// A form of another site needs no leave to be sent; one with this content type does.
async fn only_json_is_taken(bed: &mut Bed) {
    let asker = Asker::new(bed).await;
    for row in rows_with_bodies() {
        for kind in [
            None,
            Some(""),
            Some(";"),
            Some("text/plain"),
            Some("text/plain;charset=UTF-8"),
            Some("text/json"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("application/jsonp"),
            Some("text/plain; x=application/json"),
            Some("text/plain, application/json"),
        ] {
            let mut call = asker.ask(bed, &row).body("{}");
            if let Some(kind) = kind {
                call = call.header("content-type", kind);
            }
            let answer = call.send().await;
            assert_eq!(answer.status, 415, "{kind:?}: {answer:?}");
            answer.refused(415, "unsupported_media_type");
        }
    }
    // Nobody learns of the form before being somebody.
    for row in rows_with_bodies().iter().filter(|row| row.least.is_some()) {
        let path = path_of(row, &asker.id);
        let call = bed
            .call(&row.method, &path)
            .header("origin", &own_origin(bed));
        call.body("x=y").send().await.refused(401, "unauthorized");
    }
}

async fn only_objects_are_taken(bed: &mut Bed) {
    let asker = Asker::new(bed).await;
    let deep = "[".repeat(500);
    for row in rows_with_bodies() {
        for text in [
            "[]",
            "[{}]",
            r#"["a@example.com","correct horse battery"]"#,
            "null",
            "true",
            "\"{}\"",
            "1",
            "{",
            "{}{}",
            "{} x",
            "{'x':1}",
            r#"{"x":1,"x":1}"#,
            deep.as_str(),
        ] {
            let call = asker
                .ask(bed, &row)
                .header("content-type", "application/json");
            let answer = call.body(text.to_owned()).send().await;
            assert_eq!(answer.status, 400, "{text:.40}: {answer:?}");
            answer.hygiene();
        }
        // Too long a one is not waited for.
        let head = format!(
            "{} {} HTTP/1.1\r\nhost: x\r\norigin: {}\r\ncookie: {COOKIE}={}\r\n\
             x-recado-account: {}\r\nx-recado-user: {}\r\n\
             content-type: application/json\r\ncontent-length: 70000\r\n\r\n{{",
            row.method,
            path_of(&row, &asker.id),
            own_origin(bed),
            asker.who.cookie,
            asker.who.names.account,
            asker.who.names.user,
        );
        let answer = wire::exchange(bed.address(), head.as_bytes()).await;
        assert_eq!(wire::status(&answer), 413, "{row:?}: {answer}");
    }
}

async fn only_known_fields_are_taken(bed: &mut Bed) {
    let asker = Asker::new(bed).await;
    for row in rows_with_bodies() {
        let answer = asker
            .ask(bed, &row)
            .json(json!({"surprise": 1}))
            .send()
            .await;
        assert_eq!(answer.status, 400, "{answer:?}");
        let body = answer.refused(400, "invalid_field");
        let text = body["error"].as_str().expect("text");
        assert!(text.contains("surprise"), "{row:?}: {text}");
    }
    // Beside everything that is right, what nobody may set: A-03.
    let post = async |path: &str, body: Value| -> Answer {
        let call = asker.who.ask(bed, "POST", path);
        call.json(body).send().await
    };
    for (path, body) in [
        (
            "/login",
            json!({"email": OWNER_A, "password": PASSWORD, "role": "owner"}),
        ),
        (
            "/login",
            json!({"email": OWNER_A, "password": PASSWORD, "operator": true}),
        ),
        (
            "/dashboard/api/confirm",
            json!({"password": PASSWORD, "user": "x"}),
        ),
        ("/dashboard/api/token", json!({"scope": "role:owner"})),
        ("/dashboard/api/token", json!({"expires_in": 86_400})),
        (
            "/dashboard/api/members/invite",
            json!({"email": "x@example.com", "role": "viewer", "account": bed.b.id.as_str()}),
        ),
        (
            "/dashboard/api/account/sign-out",
            json!({"account": bed.b.id.as_str()}),
        ),
        (
            "/dashboard/api/instances",
            json!({"name": "Mine", "account_id": bed.b.id.as_str()}),
        ),
        (
            "/dashboard/api/instances",
            json!({"name": "Mine", "state": "connected"}),
        ),
        (
            "/dashboard/api/credentials",
            json!({"kind": "client", "label": "x", "account": bed.b.id.as_str()}),
        ),
    ] {
        let answer = post(path, body).await;
        assert_eq!(cookie_of(&answer), None, "{answer:?}");
        assert_eq!(answer.status, 400, "{answer:?}");
        answer.refused(400, "invalid_field");
    }
    let body = json!({"language": "es", "operator": true});
    let call = asker.who.ask(bed, "PATCH", "/dashboard/api/me").json(body);
    call.send().await.refused(400, "invalid_field");
    let me = asker.who.me(bed).await.ok();
    assert_eq!(me["user"]["language"], "en", "nothing of it was done");
}

async fn only_known_questions_are_taken(bed: &mut Bed) {
    let asker = Asker::new(bed).await;
    let mut asked = 0;
    for row in rows().filter(|row| row.takes.query.is_some()) {
        let path = path_of(&row, &asker.id);
        let ask = async |query: &str| {
            let call = asker.who.ask(bed, &row.method, &format!("{path}{query}"));
            call.send().await
        };
        ask("").await.expect(200);
        for query in ["?surprise=1", "?limit=x", "?account=1"] {
            let answer = ask(query).await;
            assert_eq!(answer.status, 400, "{answer:?}");
        }
        asked += 1;
    }
    assert_eq!(asked, 3, "instances, credentials, audit");
}
