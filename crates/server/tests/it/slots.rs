//! Six kinds of token in six kinds of slot: each fits its own and is 401 in every other.

use serde_json::{Value, json};

use crate::harness::{Answer, Bed, Made};

on_both! { a_token_of_one_kind_fits_no_other_slot }

struct Tokens {
    made: Made,
    session: String,
    /// In the order of [`Slot::ALL`]: what fits there.
    all: [(&'static str, String); 6],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    Owner,
    Client,
    ClientSecret,
    Instance,
    Mcp,
    Session,
}

impl Slot {
    const ALL: [Self; 6] = [
        Self::Owner,
        Self::Client,
        Self::ClientSecret,
        Self::Instance,
        Self::Mcp,
        Self::Session,
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
    Tokens {
        all: [
            ("jwt", bed.a.jwt.clone()),
            ("ct_", bed.a.client_token.clone()),
            ("cs_", bed.a.client_secret.clone()),
            ("inst_", made.token.clone()),
            ("wz_", bed.a.api_token.clone()),
            ("sk_", text("apiKey")),
        ],
        session: text("key"),
        made,
    }
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
    }
}

async fn a_token_of_one_kind_fits_no_other_slot(bed: Bed) {
    let tokens = tokens(&bed).await;
    for (at, (kind, token)) in tokens.all.iter().enumerate() {
        for slot in Slot::ALL {
            let answer = show(&bed, &tokens, slot, token).await;
            let due = if Slot::ALL[at] == slot { 200 } else { 401 };
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
    }
    for slot in Slot::ALL {
        let answer = show(&bed, &tokens, slot, &tokens.session).await;
        assert_eq!(answer.status, 401, "qr_ in {slot:?}: {answer:?}");
    }
    // A key is no name: what is secret does not belong into a path.
    let answer = bed
        .get(&format!("/sessions/{}/qr", tokens.all[5].1))
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
