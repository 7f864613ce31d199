//! Every kind of token in every kind of slot: each fits its own and is 401 in every other. A person's
//! JWT and a client's fit the same slot; what is sent to people by letter fits none of these.

use std::sync::Arc;

use recado_identity::users::operator::Operator;
use recado_model::Clock;
use serde_json::{Value, json};

use crate::{
    access::COOKIE,
    gateway::{Answer, Bed, Made, rng},
    people_access::people::{OWNER_A, own_origin, sign_in},
};

on_both! { a_token_of_one_kind_fits_no_other_slot }

struct Tokens {
    made: Made,
    session: String,
    key: String,
    all: [(&'static str, Slot, String); 8],
    /// Of a letter: as long and of the same alphabet as a cookie.
    link: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Owner,
    Client,
    ClientSecret,
    Instance,
    Mcp,
    Session,
    Cookie,
}

impl Slot {
    const ALL: [Self; 7] = [
        Self::Owner,
        Self::Client,
        Self::ClientSecret,
        Self::Instance,
        Self::Mcp,
        Self::Session,
        Self::Cookie,
    ];
}

async fn tokens(bed: &Bed) -> Tokens {
    let made = bed.create(&bed.a, json!({"name": "Slots"})).await;
    let created = bed
        .post("/sessions")
        .bearer(&bed.a.api_token)
        .json(json!({}))
        .send()
        .await
        .ok();
    let text = |name: &str| created[name].as_str().expect("text").to_owned();
    let person = sign_in(bed, OWNER_A).await;
    let key = text("apiKey");
    Tokens {
        all: [
            ("jwt", Slot::Owner, bed.a.jwt.clone()),
            ("person's jwt", Slot::Owner, person.jwt),
            ("ct_", Slot::Client, bed.a.client_token.clone()),
            ("cs_", Slot::ClientSecret, bed.a.client_secret.clone()),
            ("inst_", Slot::Instance, made.token.clone()),
            ("wz_", Slot::Mcp, bed.a.api_token.clone()),
            ("sk_", Slot::Session, key.clone()),
            ("cookie", Slot::Cookie, person.cookie),
        ],
        link: link(bed).await,
        key,
        session: text("key"),
        made,
    }
}

/// What opens the page where a new password is chosen.
async fn link(bed: &Bed) -> String {
    let (clock, rng) = (bed.clock.clone() as Arc<dyn Clock>, rng());
    let operator = Operator {
        store: &bed.gateway().store,
        clock: &clock,
        rng: &rng,
        public_url: &bed.gateway().base_url,
    };
    let link = operator.reset_link(OWNER_A).await.expect("a link");
    let (_, token) = link.expose().split_once('#').expect("a fragment");
    token.to_owned()
}

async fn look(bed: &Bed, token: &str) -> Answer {
    let call = bed.post("/dashboard/api/links/look");
    let call = call.header("origin", &own_origin(bed));
    call.json(json!({"token": token})).send().await
}

/// `token` in `slot`, everything else as it should be.
async fn show(bed: &Bed, tokens: &Tokens, slot: Slot, token: &str) -> Answer {
    let status = tokens.made.path("/session/status");
    match slot {
        Slot::Owner => bed.get(&status).bearer(token).send().await,
        Slot::Client => {
            let pair = [
                ("x-client-token", token),
                ("x-instance-token", tokens.made.token.as_str()),
            ];
            bed.get(&status).headers(pair).send().await
        }
        Slot::Instance => {
            let pair = [
                ("x-client-token", bed.a.client_token.as_str()),
                ("x-instance-token", token),
            ];
            bed.get(&status).headers(pair).send().await
        }
        Slot::ClientSecret => {
            let body = json!({"client_token": bed.a.client_token, "client_secret": token});
            bed.post("/token").json(body).send().await
        }
        Slot::Mcp => {
            let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
            bed.post("/api/mcp/").bearer(token).json(ping).send().await
        }
        Slot::Session => {
            let path = format!("/sessions/{}", tokens.session);
            bed.get(&path).header("x-api-key", token).send().await
        }
        Slot::Cookie => {
            let call = bed.get("/dashboard/api/me");
            let cookie = format!("{COOKIE}={token}");
            call.header("cookie", &cookie).send().await
        }
    }
}

async fn a_token_of_one_kind_fits_no_other_slot(bed: &mut Bed) {
    let tokens = tokens(bed).await;
    for (kind, own, token) in &tokens.all {
        for slot in Slot::ALL {
            let answer = show(bed, &tokens, slot, token).await;
            let due = if *own == slot { 200 } else { 401 };
            assert_eq!(answer.status, due, "{kind} in {slot:?}: {answer:?}");
            let body = answer.text();
            assert!(
                due == 200 || !body.contains(token.as_str()),
                "it is not repeated: {body}"
            );
        }
        // The client token's place at `/token`, too, and the name of a session nowhere.
        let body = json!({"client_token": token, "client_secret": bed.a.client_secret});
        let due = if *kind == "ct_" { 200 } else { 401 };
        bed.post("/token").json(body).send().await.expect(due);
        // Nor is it a link.
        look(bed, token).await.refused(410, "link_invalid");
    }
    assert_eq!(tokens.link.len(), tokens.all[7].2.len());
    look(bed, &tokens.link).await.expect(200);
    for slot in Slot::ALL {
        for none in [&tokens.session, &tokens.link] {
            let answer = show(bed, &tokens, slot, none).await;
            assert_eq!(answer.status, 401, "{none} in {slot:?}: {answer:?}");
        }
    }
    // A key is no name: what is secret does not belong into a path.
    let answer = bed
        .get(&format!("/sessions/{}/qr", tokens.key))
        .send()
        .await;
    assert_eq!(answer.status, 404, "{answer:?}");
    let answer = bed
        .get(&format!("/sessions/{}/qr", tokens.made.id))
        .send()
        .await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (
            404,
            &Value::from("No such session. Use the key that POST /sessions answered.")
        )
    );
}
