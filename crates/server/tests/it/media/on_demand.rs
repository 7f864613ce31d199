//! What comes in and is fetched only when somebody asks, also when WhatsApp has it no more.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_sandbox::content::{Medium, Written};
use serde_json::json;

use super::{arrived, path_of, samples, spool_is_empty};
use crate::gateway::{Bed, SHOP};

on_both! {
    with = "media.download = \"on_demand\"\n";
    it_is_fetched_when_it_is_asked_for,
    the_phone_brings_it_again_or_nobody_has_it,
    the_contracts_way_to_the_bytes,
}

fn picture(bytes: &[u8]) -> Written {
    Written::Image(Medium {
        data: BASE64_STANDARD.encode(bytes),
        mime: "image/jpeg".to_owned(),
        ..Medium::default()
    })
}

fn kept(bed: &Bed) -> usize {
    let store = bed.gateway().app.config().media.dir.join("store");
    let folder = store.join(bed.a.id.as_str());
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

async fn it_is_fetched_when_it_is_asked_for(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let bytes = samples::jpeg(50, 40);
    let (_, body) = arrived(bed, &picture(&bytes)).await;
    assert_eq!(kept(bed), 0, "nobody has asked");
    let path = path_of(bed, &body["media_url"]);
    let whole = bed.get(&path).send().await.expect(200);
    assert_eq!(whole.body, bytes);
    assert_eq!(kept(bed), 1);
    // From here on it is ours, whatever becomes of it at WhatsApp.
    bed.sandbox.network().forget_media().expect("forgets");
    assert_eq!(bed.get(&path).send().await.expect(200).body, bytes);
    spool_is_empty(bed).await;
}

async fn the_phone_brings_it_again_or_nobody_has_it(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let (one, two) = (samples::jpeg(50, 40), samples::jpeg(40, 50));
    let (_, first) = arrived(bed, &picture(&one)).await;
    let network = bed.sandbox.network();
    assert!(network.forget_media().expect("forgets") > 0);
    let path = path_of(bed, &first["media_url"]);
    assert_eq!(bed.get(&path).send().await.expect(200).body, one);

    let (_, second) = arrived(bed, &picture(&two)).await;
    network.forget_media().expect("forgets");
    assert!(network.delete_media(SHOP).expect("deletes") > 0);
    let path = path_of(bed, &second["media_url"]);
    bed.get(&path).send().await.refused(410, "media_gone");
    bed.get(&path).send().await.refused(410, "media_gone");
    spool_is_empty(bed).await;
}

async fn the_contracts_way_to_the_bytes(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let bytes = samples::jpeg(60, 20);
    let (id, body) = arrived(bed, &picture(&bytes)).await;
    let said = &body["event"]["message"]["image_message"];
    let path = made.path("/chat/downloadimage");
    let post = |body| bed.post(&path).bearer(&bed.a.jwt).json(body);
    let data = format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(&bytes));
    for body in [
        json!({
            "url": said["url"], "media_key": said["media_key"], "mimetype": said["mimetype"],
            "file_sha256": said["file_sha256"], "file_enc_sha256": said["file_enc_sha256"],
            "file_length": said["file_length"],
        }),
        json!({
            "directPath": said["direct_path"], "mediaKey": said["media_key"], "mimetype": "image/jpeg",
            "fileEncSha256": said["file_enc_sha256"],
        }),
        json!({"message_id": id}),
    ] {
        let answer = post(body.clone()).send().await.ok();
        assert_eq!(answer["data"]["mimetype"], "image/jpeg", "{body}");
        assert_eq!(answer["data"]["data"], data, "{body}");
    }
    let whole = json!({
        "url": said["url"], "media_key": said["media_key"], "mimetype": "image/jpeg",
        "file_enc_sha256": said["file_enc_sha256"],
    });
    for field in ["url", "media_key", "mimetype", "file_enc_sha256"] {
        let mut body = whole.clone();
        body[field] = json!("");
        let refused = post(body).send().await.refused(400, "invalid_field");
        assert_eq!(refused["field"], field);
    }
    let mut other = whole.clone();
    other["media_key"] = json!(BASE64_STANDARD.encode([3; 32]));
    let refused = post(other).send().await.refused(400, "invalid_field");
    assert_eq!(refused["field"], "media_key");
    let mut short = whole;
    short["media_key"] = json!("AAAA");
    let refused = post(short).send().await.refused(400, "invalid_field");
    assert_eq!(refused["field"], "media_key");
    let none = post(json!({"message_id": "NOT-THERE"}));
    none.send().await.refused(404, "not_found");
    spool_is_empty(bed).await;
}
