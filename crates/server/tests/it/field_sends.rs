//! Faults from the field: numbers, texts and sends (`docs/field-faults.md`, 20 to 23).

mod late;
mod linking;
mod numbers;
mod texts;

use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, Made},
};

/// A session of shop A at the Direct API: its name, its key.
struct Direct {
    key: String,
    api_key: String,
}

impl Direct {
    async fn new(bed: &Bed) -> Self {
        let (key, api_key) = bed.direct_session().await;
        Self { key, api_key }
    }

    async fn paired(bed: &Bed, number: &str) -> Self {
        let made = Self::new(bed).await;
        let qr = bed.get(&format!("/sessions/{}/qr", made.key)).send().await;
        let qr = qr.ok()["qr"].as_str().expect("a code").to_owned();
        let scanned = bed.sandbox.network().scan(number, &qr).await;
        scanned.expect("the phone links it");
        crate::gateway::until("the session to be connected", async || {
            let path = format!("/sessions/{}", made.key);
            let seen = bed.get(&path).header("x-api-key", &made.api_key);
            (seen.send().await.ok()["status"] == "connected").then_some(())
        })
        .await;
        made
    }

    async fn send(&self, bed: &Bed, body: Value) -> Answer {
        let path = format!("/sessions/{}/messages", self.key);
        let call = bed.post(&path).header("x-api-key", &self.api_key);
        call.json(body).send().await
    }
}

/// What `send_whatsapp_message` answers, from the instance's own number.
async fn tool(bed: &Bed, made: &Made, arguments: Value) -> Value {
    let mut arguments = arguments;
    arguments["session_id"] = json!(made.number);
    arguments["confirm"] = json!(true);
    bed.tool(&bed.a, "send_whatsapp_message", arguments).await
}

/// That every way to send refuses `body` (as REST has it), naming the field and saying `why`.
async fn refused_everywhere(bed: &Bed, made: &Made, direct: &Direct, body: Value, why: &str) {
    let says = |told: &Value, field: &str| {
        let told = told.as_str().unwrap_or_default();
        assert!(told.contains(why) && told.contains(field), "{body}: {told}");
    };
    let rest = bed
        .send(&bed.a, made, body.clone())
        .await
        .expect(400)
        .json();
    let field = rest["field"].as_str().expect("a field");
    says(&rest["message"], field);
    let mut theirs = body.clone();
    theirs["to"] = theirs["phone"].take();
    theirs["text"] = theirs["message"].take();
    let named = match field {
        "phone" => "to",
        "message" => "text",
        other => other,
    };
    let told = direct.send(bed, theirs).await.expect(400).json();
    says(&told["error"], named);
    let told = tool(bed, made, body.clone()).await;
    assert_eq!(told["isError"], true, "{told}");
    says(&told["content"][0]["text"], field);
}
