//! Every kind of message, out and in, over REST: the tables are matches without a rest, so that a new kind has its
//! line here, or there is no program. What is special about a kind is in the tests of its own.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_model::{ContentKind, content::MediaForm};
use recado_sandbox::{
    ChatMessage,
    content::{Card, Choice, Gone, Question, Sign, Spot, Tap, Wording, Written},
};
use serde_json::{Value, json};

use crate::{
    gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP, until},
    media::samples::{self, Form},
};

on_both! {
    every_kind_goes_out,
    every_kind_comes_in,
    what_disappears_says_so,
}

/// A call that sends something.
struct Call {
    method: &'static str,
    /// Below `/chat/`.
    path: String,
    body: Value,
    /// What the phone calls it, where that is another word than the gateway's.
    shown: &'static str,
}

/// Earlier messages that others are about.
struct Earlier {
    text: String,
    poll: String,
    menu: String,
}

fn call(method: &'static str, path: &str, body: Value) -> Call {
    Call {
        method,
        path: path.to_owned(),
        body,
        shown: "",
    }
}

fn send(kind: &str, mut body: Value) -> Call {
    body["phone"] = json!(CUSTOMER);
    call("POST", &format!("send/{kind}"), body)
}

fn sample(name: &str) -> Form {
    let mut all = samples::all().into_iter();
    all.find(|form| form.name == name).expect("a sample")
}

fn medium(form: MediaForm) -> Form {
    sample(match form {
        MediaForm::Image => "image",
        MediaForm::Video => "video",
        MediaForm::Gif => "gif",
        MediaForm::Audio => "audio",
        MediaForm::Voice => "voice",
        MediaForm::Document => "document",
        MediaForm::Sticker => "sticker",
    })
}

fn media(kind: ContentKind) -> impl Iterator<Item = Form> {
    let forms = MediaForm::ALL.into_iter();
    forms.filter(move |form| form.kind() == kind).map(medium)
}

fn send_medium(form: &Form) -> Call {
    let mut body = form.said.clone();
    body[form.field] = json!(BASE64_STANDARD.encode(&form.bytes));
    send(form.kind, body)
}

/// What sends a message of this kind.
fn calls(kind: ContentKind, earlier: &Earlier) -> Vec<Call> {
    let about = |rest: &str| format!("messages/{}{rest}", earlier.text);
    let buttons = json!([{"id": "a", "text": "A"}]);
    match kind {
        ContentKind::Text => vec![
            send("text", json!({"message": "hello"})),
            send(
                "link",
                json!({"message": "See", "link_url": "https://example.com"}),
            ),
            send(
                "buttons",
                json!({"message": "Tea?", "buttons": buttons.clone()}),
            ),
            Call {
                shown: "menu",
                ..send(
                    "buttons",
                    json!({"message": "Tea?", "buttons": buttons, "interactive": "native"}),
                )
            },
            call("POST", &about("/forward"), json!({"phone": CUSTOMER})),
        ],
        ContentKind::Image
        | ContentKind::Video
        | ContentKind::Audio
        | ContentKind::Document
        | ContentKind::Sticker => media(kind).map(|form| send_medium(&form)).collect(),
        ContentKind::Location => vec![send("location", json!({"latitude": 1, "longitude": 2}))],
        ContentKind::Contact => {
            let card = |name: &str| json!({"contact_name": name, "contact_phone": CUSTOMER});
            let several = json!({"contacts": [card("Ana"), card("Bia")]});
            vec![send("contact", card("Ana")), send("contact", several)]
        }
        ContentKind::Poll => vec![send(
            "poll",
            json!({"name": "Lunch?", "options": ["A", "B"]}),
        )],
        ContentKind::Vote => {
            let body = json!({"message_id": earlier.poll, "selected_options": ["B"]});
            vec![call("POST", "poll/vote", body)]
        }
        ContentKind::Reaction => {
            let body = |sign: &str| json!({"message_id": earlier.text, "reaction": sign});
            vec![
                call("POST", "react", body("+1")),
                call("DELETE", "react", body("")),
            ]
        }
        ContentKind::Edit => vec![call("PATCH", &about(""), json!({"message": "hello again"}))],
        ContentKind::Revoke => vec![call("DELETE", &about(""), json!({}))],
        // What has no word here cannot be sent.
        ContentKind::Other => Vec::new(),
    }
}

/// What a person writes of this kind.
fn writings(kind: ContentKind, earlier: &Earlier) -> Vec<Written> {
    let card = Card {
        name: "Ana".into(),
        phone: Some(CUSTOMER.into()),
        vcard: String::new(),
    };
    let text = || earlier.text.clone();
    match kind {
        ContentKind::Text => vec![
            Written::Text("hello".into()),
            Written::Tap(Tap {
                message_id: earlier.menu.clone(),
                option_id: "a".into(),
                ..Tap::default()
            }),
        ],
        ContentKind::Image
        | ContentKind::Video
        | ContentKind::Audio
        | ContentKind::Document
        | ContentKind::Sticker => media(kind).map(|form| form.written_by_a_phone()).collect(),
        ContentKind::Location => vec![Written::Location(Spot {
            latitude: 1.0,
            longitude: 2.0,
            name: None,
            address: None,
        })],
        ContentKind::Contact => vec![
            Written::Contact(card.clone()),
            Written::Contacts(vec![card.clone(), card]),
        ],
        ContentKind::Poll => vec![Written::Poll(Question {
            name: "When?".into(),
            options: vec!["Monday".into(), "Tuesday".into()],
            selectable_options_count: 1,
            ..Question::default()
        })],
        ContentKind::Vote => vec![Written::Vote(Choice {
            poll_id: earlier.poll.clone(),
            options: vec!["A".into()],
            ..Choice::default()
        })],
        ContentKind::Reaction => vec![Written::Reaction(Sign {
            message_id: text(),
            emoji: "+".into(),
        })],
        ContentKind::Edit => vec![Written::Edit(Wording {
            message_id: text(),
            text: "hello again".into(),
            forged: false,
        })],
        ContentKind::Revoke => vec![Written::Delete(Gone {
            message_id: text(),
            forged: false,
        })],
        ContentKind::Other => vec![Written::Timer(0)],
    }
}

/// The field of an event's `message` that a person's writing is in.
fn field(written: &Written) -> &'static str {
    match written {
        Written::Text(_) => "conversation",
        Written::Tap(_) => "interactive_response_message",
        Written::Location(_) => "location_message",
        Written::Contact(_) => "contact_message",
        Written::Contacts(_) => "contacts_array_message",
        Written::Poll(_) => "poll_creation_message_v3",
        Written::Vote(_) => "poll_update_message",
        Written::Image(_) => "image_message",
        Written::Video(_) => "video_message",
        Written::Audio(_) => "audio_message",
        Written::Document(_) => "document_message",
        Written::Sticker(_) => "sticker_message",
        Written::Reaction(_) => "reaction_message",
        Written::Edit(_) | Written::Delete(_) | Written::Timer(_) => "protocol_message",
    }
}

/// The id of what a call sends.
async fn made(bed: &Bed, made: &Made, call: &Call) -> String {
    let path = made.path(&format!("/chat/{}", call.path));
    let to = bed.call(call.method, &path).bearer(&bed.a.jwt);
    let answer = to.json(call.body.clone()).send().await.ok();
    let data = &answer["data"];
    // What changes a message names that, and itself as `id`.
    let id = data["id"].as_str().or(data["message_id"].as_str());
    id.unwrap_or_else(|| panic!("{} {path}: {answer}", call.method))
        .to_owned()
}

async fn shown(bed: &Bed, id: &str) -> ChatMessage {
    let found = bed.sandbox.network().wait_for(PATIENCE, |network| {
        let mut messages = network.messages(CUSTOMER).ok()?.into_iter();
        messages.find(|m| m.id == id && m.to == CUSTOMER)
    });
    found.await.expect("the phone shows it")
}

fn writes(bed: &Bed, written: &Written) -> String {
    let network = bed.sandbox.network();
    network.send(CUSTOMER, SHOP, written).expect("it writes").id
}

/// Messages of ours that others can be about, all at the phone.
async fn earlier(bed: &Bed, to: &Made) -> Earlier {
    let menu = json!({
        "message": "Tea?", "buttons": [{"id": "a", "text": "A"}], "interactive": "native",
    });
    let mut ids = Vec::new();
    for call in [
        send("text", json!({"message": "first"})),
        send("poll", json!({"name": "Lunch?", "options": ["A", "B"]})),
        send("buttons", menu),
    ] {
        let id = made(bed, to, &call).await;
        shown(bed, &id).await;
        bed.wait_status(to, &id, &["sent", "delivered", "read"])
            .await;
        ids.push(id);
    }
    let [text, poll, menu] = ids.try_into().expect("three");
    Earlier { text, poll, menu }
}

async fn every_kind_goes_out(bed: &mut Bed) {
    let to = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &to, json!(["Message"])).await;
    let earlier = earlier(bed, &to).await;
    for kind in ContentKind::ALL {
        for call in calls(kind, &earlier) {
            let id = made(bed, &to, &call).await;
            let seen = shown(bed, &id).await;
            let word = match call.shown {
                "" => kind.as_str(),
                word => word,
            };
            assert_eq!(seen.kind, word, "{}: {seen:?}", call.path);
            assert_eq!((seen.arrivals, seen.same), (1, true), "{}", call.path);
            let told = bed.wait_status(&to, &id, &["delivered", "read"]).await;
            assert_eq!(told["kind"], kind.as_str(), "{}: {told}", call.path);
            let told = bed.delivered(&id, |d| d.body["event"]["info"]["id"] == id);
            let event = told.await.body["event"].clone();
            assert_eq!(event["info"]["is_from_me"], true, "{}", call.path);
        }
    }
}

async fn every_kind_comes_in(bed: &mut Bed) {
    let to = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &to, json!(["Message"])).await;
    let ours = earlier(bed, &to).await;
    let theirs = writes(bed, &Written::Text("first".into()));
    let earlier = Earlier {
        text: theirs,
        ..ours
    };
    for kind in ContentKind::ALL {
        for written in writings(kind, &earlier) {
            let id = writes(bed, &written);
            let told = bed.delivered(&id, |d| d.body["event"]["info"]["id"] == id);
            let event = told.await.body["event"].clone();
            assert_eq!(event["info"]["is_from_me"], false);
            let content = &event["message"][field(&written)];
            assert!(!content.is_null(), "{written:?}: {event}");
            let told = bed.told(&to, &id).await;
            assert_eq!(
                (&told["kind"], &told["status"]),
                (&json!(kind.as_str()), &json!("received")),
                "{written:?}: {told}"
            );
        }
    }
}

/// After so many seconds, as a person sets it.
const DAY: u32 = 86_400;

/// The person changes the chat's timer, and the gateway has heard of it.
async fn set(bed: &Bed, to: &Made, seconds: u32) {
    let id = writes(bed, &Written::Timer(seconds));
    until("the timer to be known", async || {
        let path = to.path(&format!("/chat/messages/{id}"));
        let answer = bed.get(&path).bearer(&bed.a.jwt).send().await;
        (answer.status == 200).then_some(())
    })
    .await;
}

async fn what_disappears_says_so(bed: &mut Bed) {
    let to = bed.paired(&bed.a, SHOP).await;
    let earlier = earlier(bed, &to).await;
    set(bed, &to, DAY).await;
    for kind in ContentKind::ALL {
        // What is done to an earlier message goes with that.
        let has_time = !matches!(
            kind,
            ContentKind::Vote | ContentKind::Reaction | ContentKind::Edit | ContentKind::Revoke
        );
        for call in calls(kind, &earlier).into_iter().filter(|_| has_time) {
            let id = made(bed, &to, &call).await;
            let seen = shown(bed, &id).await;
            assert_eq!(seen.detail.expiration, Some(DAY), "{}: {seen:?}", call.path);
        }
    }
    // A time that no program lets people choose is not believed: nothing of ours vanishes in a second.
    set(bed, &to, 1).await;
    let kept = made(bed, &to, &send("text", json!({"message": "a day, still"}))).await;
    assert_eq!(shown(bed, &kept).await.detail.expiration, Some(DAY));
    // What is passed on leaves the timer of its own chat behind, and takes that of the other one.
    set(bed, &to, 7 * DAY).await;
    let text = made(bed, &to, &send("text", json!({"message": "a week"}))).await;
    assert_eq!(shown(bed, &text).await.detail.expiration, Some(7 * DAY));
    set(bed, &to, 0).await;
    let path = format!("messages/{text}/forward");
    for call in [
        call("POST", &path, json!({"phone": CUSTOMER})),
        send("text", json!({"message": "for ever"})),
        send_medium(&sample("image")),
    ] {
        let id = made(bed, &to, &call).await;
        let seen = shown(bed, &id).await;
        assert_eq!(seen.detail.expiration, None, "{}: {seen:?}", call.path);
    }
    // What the phone writes by a timer that was never told teaches it.
    let network = bed.sandbox.network();
    let written = Written::Timer(DAY);
    network.send(SHOP, CUSTOMER, &written).expect("it writes");
    let own = network.send(SHOP, CUSTOMER, &Written::Text("from the phone".into()));
    let own = own.expect("it writes").id;
    until("it", async || {
        let told = bed.get(&to.path(&format!("/chat/messages/{own}")));
        (told.bearer(&bed.a.jwt).send().await.status == 200).then_some(())
    })
    .await;
    let id = made(bed, &to, &send("text", json!({"message": "a day"}))).await;
    assert_eq!(shown(bed, &id).await.detail.expiration, Some(DAY));
}
