//! A `public_url` with a path: everything lives below it, whether or not the proxy takes the path off.

use recado::config::Settings;
use recado_api::Surface;
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, until},
    people_access::people::{OWNER_A, PASSWORD, cookie_of},
};

const ORIGIN: &str = "https://wa.example.com";

on_both! {
    with = "public_url = \"https://wa.example.com/gate/way/\"\n";
    the_page_lives_below_the_path,
    a_session_begins_and_acts_below_the_path,
    every_row_answers_below_the_path_as_without,
    letters_and_links_lead_below_the_path,
}

/// As a proxy sends it that takes the path off, and as one that does not.
const PROXIES: [&str; 2] = ["", "/gate/way"];

async fn the_page_lives_below_the_path(bed: &mut Bed) {
    for start in PROXIES {
        for path in ["/", ""] {
            let path = format!("{start}{path}");
            if !path.is_empty() {
                let home = bed.get(&path).send().await.expect(307);
                assert_eq!(home.header("location"), "/gate/way/dashboard", "{path}");
            }
        }
        let page = bed.get(&format!("{start}/dashboard/settings")).send().await;
        let page = page.expect(200).text();
        assert!(!page.contains("__PATH__"), "{page}");
        // Without a build of the dashboard there is one page without files.
        let files = page.split('"').filter(|part| part.contains("/dashboard/"));
        for file in files.filter(|part| part.contains('.')) {
            let below = file.strip_prefix("/gate/way").expect("below the path");
            let got = bed.get(&format!("{start}{below}")).send().await;
            assert_ne!(
                got.header("content-type"),
                "text/html; charset=utf-8",
                "{file}"
            );
            got.expect(200);
        }
    }
}

async fn a_session_begins_and_acts_below_the_path(bed: &mut Bed) {
    for start in PROXIES {
        let ask = |method: &str, path: &str| {
            let call = bed.call(method, &format!("{start}{path}"));
            call.header("origin", ORIGIN)
        };
        let body = json!({"email": OWNER_A, "password": PASSWORD});
        let answer = ask("POST", "/login").json(body).send().await.expect(200);
        let set = answer.header("set-cookie");
        assert!(set.starts_with("__Host-recado="), "{set}");
        assert!(set.contains("; Path=/;"), "{set}");
        let cookie = cookie_of(&answer).expect("a cookie");
        let names = bed.names(&cookie).await.expect("a session");
        let cookie = format!("__Host-recado={cookie}");
        let made = ask("POST", "/dashboard/api/instances")
            .header("cookie", &cookie)
            .headers(names.headers());
        let made = made.json(json!({"name": "Below"})).send().await.ok();
        assert_eq!(made["name"], "Below");
        let state = ask("GET", "/dashboard/api/state").send().await.ok();
        assert_eq!(state["public_url"], "https://wa.example.com/gate/way");
    }
}

/// Method, status and code of a call of nobody.
async fn bare(bed: &Bed, method: &str, path: &str) -> (u16, Value) {
    let answer = bed.call(method, path).send().await;
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    (answer.status, body["error_code"].clone())
}

async fn every_row_answers_below_the_path_as_without(bed: &mut Bed) {
    let mut asked = 0;
    for row in recado_api::routes() {
        if row.method == "MCP" || row.surface == Surface::Ops {
            continue;
        }
        let path = row.path.replace(['{', '}', '*'], "");
        let below = bare(bed, &row.method, &format!("/gate/way{path}?x=1")).await;
        let plain = bare(bed, &row.method, &format!("{path}?x=1")).await;
        assert_eq!(below, plain, "{row:?}");
        asked += 1;
    }
    assert!(asked > 60, "only {asked}");
    for path in [
        "/gate/wayward/token",
        "/gate/token",
        "/gate/way/gate/way/token",
    ] {
        let answer = bed.post(path).send().await;
        assert_eq!(answer.status, 404, "{answer:?}");
    }
}

async fn letters_and_links_lead_below_the_path(bed: &mut Bed) {
    let reset = bed.post("/gate/way/dashboard/api/reset");
    let reset = reset.header("origin", ORIGIN);
    reset
        .json(json!({"email": OWNER_A}))
        .send()
        .await
        .expect(202);
    let letter = until("a letter", async || {
        bed.inbox()
            .unread()
            .into_iter()
            .next()
            .map(|(_, letter)| letter.text)
    });
    let letter = letter.await;
    let link = "https://wa.example.com/gate/way/dashboard/link#";
    assert!(letter.contains(link), "{letter}");
    let made = bed.post("/gate/way/sessions").json(json!({})).send().await;
    let made = made.json();
    let qr = made["qrUrl"].as_str().expect("an address");
    assert!(
        qr.starts_with("https://wa.example.com/gate/way/sessions/"),
        "{qr}"
    );
    let mcp = bed.tool(&bed.a, "get_api_key", json!({})).await.to_string();
    assert!(
        mcp.contains("https://wa.example.com/gate/way/api/mcp/"),
        "{mcp}"
    );
    assert!(
        mcp.contains("https://wa.example.com/gate/way/dashboard"),
        "{mcp}"
    );
}

#[test]
fn a_path_that_is_ours_is_refused() {
    for path in [
        "/dashboard",
        "/dashboard/x/",
        "/instances",
        "/sessions/x",
        "/account",
    ] {
        let text = format!("public_url = \"{ORIGIN}{path}\"");
        let error = Settings::from_toml(&text).expect_err(path);
        let said = format!("{error:#}");
        for part in ["public_url", "another path"] {
            assert!(said.contains(part), "{said}");
        }
    }
    for path in ["", "/", "/gate", "/api", "/gate/dashboard"] {
        let text = format!("public_url = \"{ORIGIN}{path}\"");
        Settings::from_toml(&text).expect(path);
    }
}
