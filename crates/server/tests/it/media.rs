//! Media: each form out to the phone and in from it, the same bytes on both sides; what is refused; what is
//! left on the disk.

mod busy;
mod given;
mod on_demand;
mod pruned;
mod refused;
pub mod samples;
mod shares;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_sandbox::content::{Medium, Written};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, SHOP, until},
};

on_both! {
    each_form_goes_out,
    each_form_comes_in,
    a_message_waits_over_a_restart,
    a_medium_is_passed_on_once_it_is_there,
    an_upload_is_sent_many_times,
    the_same_id_is_the_same_medium,
}

async fn post(bed: &Bed, made: &Made, kind: &str, body: Value) -> Answer {
    let path = made.path(&format!("/chat/send/{kind}"));
    let call = bed.post(&path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

fn hash(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// What the customer's phone finds when it opens a message.
async fn found(bed: &Bed, id: &str) -> Medium {
    until(&format!("{id} at the phone"), async || {
        let network = bed.sandbox.network();
        let messages = network.looked(CUSTOMER, true).await.expect("a phone");
        let message = messages
            .into_iter()
            .find(|m| m.id == id && m.to == CUSTOMER);
        message?.detail.media
    })
    .await
}

/// Nothing of what was under way stays.
async fn spool_is_empty(bed: &Bed) {
    let spool = bed.gateway().app.config().media.dir.join("spool");
    until("the spool to be empty", async || {
        let mut files = std::fs::read_dir(&spool).expect("a folder");
        files.next().is_none().then_some(())
    })
    .await;
}

async fn each_form_goes_out(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    for form in samples::all() {
        let id = format!("OUTGOING-{}", form.name);
        let mut body = json!({
            "phone": CUSTOMER, "id": id, form.field: BASE64_STANDARD.encode(&form.bytes),
        });
        for (name, value) in form.said.as_object().expect("fields") {
            body[name] = value.clone();
        }
        post(bed, &made, form.kind, body).await.ok();
        let seen = found(bed, &id).await;
        let name = form.name;
        assert_eq!(seen.sha256, Some(hash(&form.bytes)), "{name}: {seen:?}");
        assert_eq!(seen.length, Some(form.bytes.len() as u64), "{name}");
        assert_eq!(seen.mime, form.mime, "{name}");
        assert_eq!(seen.caption.as_deref(), form.said["caption"].as_str());
        assert_eq!(seen.file_name.as_deref(), form.said["file_name"].as_str());
        assert_eq!(
            (seen.width, seen.height),
            (form.width, form.height),
            "{name}"
        );
        assert_eq!(seen.seconds, form.seconds, "{name}");
        assert_eq!(seen.thumbnail.is_empty(), !form.has_thumbnail, "{name}");
        assert_eq!((seen.ptt, seen.gif), (name == "voice", name == "gif"));
        bed.wait_status(&made, &id, &["sent", "delivered", "read"])
            .await;
        let told = bed.told(&made, &id).await;
        assert_eq!(told["kind"], form.written, "{name}");
    }
    spool_is_empty(bed).await;
}

/// Sent by the customer: what the event says of it.
async fn arrived(bed: &Bed, written: &Written) -> (String, Value) {
    let network = bed.sandbox.network();
    let sent = network.send(CUSTOMER, SHOP, written).expect("it sends");
    let id = sent.id.clone();
    let told = bed.delivered(&id, |d| d.body["event"]["info"]["id"] == id);
    (sent.id, told.await.body)
}

fn path_of(bed: &Bed, url: &Value) -> String {
    let url = url.as_str().expect("a link");
    let base = &bed.gateway().app.config().public_url;
    url.strip_prefix(base.as_str()).expect("ours").to_owned()
}

async fn each_form_comes_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    for form in samples::all() {
        let (id, body) = arrived(bed, &form.written_by_a_phone()).await;
        assert!(body["media_error"].is_null(), "{body}");
        let path = path_of(bed, &body["media_url"]);
        // The link alone opens it.
        let whole = bed.get(&path).send().await.expect(200);
        assert_eq!(whole.body, form.bytes, "{}", form.name);
        assert_eq!(whole.header("content-type"), form.mime, "{}", form.name);
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        let policy = whole.header("content-security-policy");
        assert_eq!(policy, "sandbox; default-src 'none'");
        let shown = whole.header("content-disposition");
        assert_eq!(shown.starts_with("inline"), form.written != "document");
        let tag = whole.header("etag").to_owned();
        assert_eq!(tag, format!("\"{}\"", hash(&form.bytes)));
        let same = bed.get(&path).header("if-none-match", &tag).send().await;
        assert!(same.expect(304).body.is_empty());
        let part = bed.get(&path).header("range", "bytes=5-36").send().await;
        let part = part.expect(206);
        assert_eq!(part.body, form.bytes[5..=36], "{}", form.name);
        let range = format!("bytes 5-36/{}", form.bytes.len());
        assert_eq!(part.header("content-range"), range);
        let end = bed.get(&path).header("range", "bytes=-7").send().await;
        assert_eq!(end.expect(206).body, form.bytes[form.bytes.len() - 7..]);
        let none = bed.get(&path).header("range", "bytes=99999999-");
        let none = none.send().await.expect(416);
        let range = format!("bytes */{}", form.bytes.len());
        assert_eq!(none.header("content-range"), range);
        // So does the owner, by the message.
        let of_message = made.path(&format!("/chat/messages/{id}/media"));
        let owned = bed.get(&of_message).bearer(&bed.a.jwt).send().await;
        assert_eq!(owned.expect(200).body, form.bytes);
        bed.get(&of_message)
            .send()
            .await
            .refused(401, "unauthorized");
        let foreign = bed.get(&of_message).bearer(&bed.b.jwt).send().await;
        foreign.refused(403, "forbidden");
        // And nobody with anything else.
        let mut forged = path.clone();
        let last = forged.pop().expect("a token");
        forged.push(if last == 'A' { 'B' } else { 'A' });
        let refused = bed.get(&forged).send().await.refused(404, "not_found");
        let nothing = bed.get("/media/MDX.1.AA").send().await;
        let nothing = nothing.refused(404, "not_found");
        assert_eq!(refused["message"], nothing["message"]);
    }
    spool_is_empty(bed).await;
}

async fn a_message_waits_over_a_restart(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let bytes = samples::jpeg(64, 48);
    let body = json!({
        "phone": CUSTOMER, "id": "WAITS-0001", "delay": 1500,
        "image": BASE64_STANDARD.encode(&bytes),
    });
    post(bed, &made, "image", body).await.ok();
    bed.restart().await;
    let seen = found(bed, "WAITS-0001").await;
    assert_eq!(seen.sha256, Some(hash(&bytes)));
    let network = bed.sandbox.network();
    let all = network.messages(CUSTOMER).expect("a phone");
    let arrivals: Vec<_> = all.iter().filter(|m| m.id == "WAITS-0001").collect();
    assert_eq!(arrivals.len(), 1);
}

/// Until it is sent nobody can say where its bytes lie.
async fn a_medium_is_passed_on_once_it_is_there(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let bytes = samples::jpeg(40, 30);
    let image = |id: &str, delay: i64| {
        let body = json!({
            "phone": CUSTOMER, "id": id, "delay": delay,
            "image": "", "image_url": BASE64_STANDARD.encode(&bytes),
        });
        post(bed, &made, "image", body)
    };
    let pass_on = async |id: &str, own: &str| {
        let path = made.path(&format!("/chat/messages/{id}/forward"));
        let call = bed.post(&path).bearer(&bed.a.jwt);
        call.json(json!({"phone": CUSTOMER, "id": own}))
            .send()
            .await
    };
    image("LATER-0001", 600_000).await.ok();
    let waits = pass_on("LATER-0001", "PASS-0001").await;
    assert_eq!(waits.refused(409, "conflict")["field"], "message_id");
    let path = made.path("/queue/messages/LATER-0001");
    let call = bed.call("DELETE", &path).bearer(&bed.a.jwt);
    call.send().await.ok();
    let cancelled = pass_on("LATER-0001", "PASS-0001").await;
    assert_eq!(cancelled.refused(409, "conflict")["field"], "message_id");
    image("NOW-000001", 0).await.ok();
    until("it to be passed on", async || {
        let answer = pass_on("NOW-000001", "PASS-0002").await;
        (answer.status == 200).then_some(())
    })
    .await;
    let seen = found(bed, "PASS-0002").await;
    assert_eq!((seen.fault, seen.sha256), (None, Some(hash(&bytes))));
}

async fn an_upload_is_sent_many_times(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let bytes = samples::jpeg(40, 30);
    let path = made.path("/media?type=image&file_name=caf%C3%A9.jpg");
    let upload = |jwt: &str| {
        let call = bed.post(&path).bearer(jwt);
        let call = call.header("content-type", "application/octet-stream");
        call.body(bytes.clone())
    };
    let taken = upload(&bed.a.jwt).send().await.ok();
    let data = &taken["data"];
    assert_eq!(data["mimetype"], "image/jpeg");
    assert_eq!(data["file_name"], "café.jpg");
    assert_eq!(data["sha256"], hash(&bytes));
    assert_eq!(data["size"], bytes.len());
    for id in ["KEPT-0001", "KEPT-0002"] {
        let body = json!({"phone": CUSTOMER, "id": id, "media_id": data["media_id"]});
        post(bed, &made, "image", body).await.ok();
        assert_eq!(found(bed, id).await.sha256, Some(hash(&bytes)));
    }
    let body = json!({"phone": CUSTOMER, "media_id": data["media_id"]});
    let refused = post(bed, &made, "sticker", body.clone()).await;
    assert_eq!(refused.refused(400, "invalid_field")["field"], "media_id");
    // Another account's, and one that never was, are one answer.
    let theirs = bed.paired(&bed.b, crate::gateway::SHOP_TOO).await;
    let path = theirs.path("/chat/send/image");
    let call = bed.post(&path).bearer(&bed.b.jwt).json(body);
    let foreign = call.send().await.refused(400, "invalid_field");
    let body = json!({"phone": CUSTOMER, "media_id": "MDNOTHING"});
    let call = bed.post(&path).bearer(&bed.b.jwt).json(body);
    let missing = call.send().await.refused(400, "invalid_field");
    assert_eq!(foreign["message"], missing["message"]);
    upload(&bed.b.jwt).send().await.refused(403, "forbidden");
    spool_is_empty(bed).await;
}

async fn the_same_id_is_the_same_medium(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let body = |bytes: &[u8]| json!({"phone": CUSTOMER, "id": "SAME-0001", "image": BASE64_STANDARD.encode(bytes)});
    let (one, other) = (samples::jpeg(32, 32), samples::jpeg(33, 32));
    post(bed, &made, "image", body(&one)).await.ok();
    post(bed, &made, "image", body(&one)).await.ok();
    let refused = post(bed, &made, "image", body(&other)).await;
    refused.refused(409, "conflict");
    assert_eq!(found(bed, "SAME-0001").await.sha256, Some(hash(&one)));
    // One file, of the one message.
    let store = bed.gateway().app.config().media.dir.join("store");
    let folder = store.join(bed.a.id.as_str());
    let files = std::fs::read_dir(folder).expect("a folder").count();
    assert_eq!(files, 1);
    spool_is_empty(bed).await;
}
