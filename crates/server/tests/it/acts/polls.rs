//! Polls, both ways, and the votes that come in.

use recado_sandbox::content::{Choice, Gone, Question, Written};
use serde_json::{Value, json};

use super::{act, reads, shown, told, writes};
use crate::gateway::{Bed, CUSTOMER, Made, SHOP};
use recado_testkit::database;

on_both! {
    a_poll_goes_out_and_votes_come_in,
    a_poll_comes_in_and_its_author_votes,
    a_vote_before_its_poll_counts_with_it,
    a_vote_by_ids_opens,
    a_vote_that_does_not_open,
    a_poll_that_was_repeated_can_be_voted_in,
    a_poll_that_is_none,
    no_secret_is_told,
}

/// The id of a poll to the customer that has arrived.
pub(super) async fn asked(bed: &Bed, made: &Made, more: Value) -> String {
    let mut body = json!({
        "phone": CUSTOMER, "name": "Lunch?", "options": ["Pizza", "Salad", "Nothing, thanks"],
    });
    for (field, value) in more.as_object().expect("an object") {
        body[field] = value.clone();
    }
    let sent = act(bed, made, "POST", "send/poll", body).await.ok();
    let id = sent["data"]["message_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    shown(bed, CUSTOMER, &id, |m| m.kind == "poll").await;
    bed.wait_status(made, &id, &["sent", "delivered", "read"])
        .await;
    id
}

pub(super) fn choice(poll_id: &str, options: &[&str]) -> Choice {
    Choice {
        poll_id: poll_id.to_owned(),
        options: options.iter().map(|option| (*option).to_owned()).collect(),
        ..Choice::default()
    }
}

pub(super) fn question() -> Question {
    Question {
        name: "When?".into(),
        options: vec!["Monday".into(), "Tuesday".into()],
        selectable_options_count: 1,
        ..Question::default()
    }
}

/// The customer's vote as its event tells it.
pub(super) async fn votes(bed: &Bed, poll: &str, options: &[&str]) -> Value {
    let id = writes(bed, &Written::Vote(choice(poll, options)));
    let event = told(bed, &id).await;
    assert_eq!(event["info"]["type"], "poll");
    let update = &event["message"]["poll_update_message"];
    assert_eq!(update["poll_creation_message_key"]["id"], poll);
    event["poll_vote"].clone()
}

fn totals(value: &Value) -> Vec<u64> {
    let all = value["totals"].as_array().expect("totals").iter();
    all.map(|total| total["votes"].as_u64().expect("a number"))
        .collect()
}

async fn a_poll_goes_out_and_votes_come_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let more =
        json!({"selectableOptionsCount": 0, "hide_participant_names": true, "id": "POLL-0001"});
    let id = asked(bed, &made, more.clone()).await;
    let seen = shown(bed, CUSTOMER, &id, |_| true).await;
    let poll = seen.detail.poll.expect("a poll");
    assert_eq!(poll.options, ["Pizza", "Salad", "Nothing, thanks"]);
    assert_eq!(poll.selectable_options_count, 0);
    assert!(poll.hide_participant_names && poll.end_time.is_none());
    let event = told(bed, &id).await;
    assert_eq!(event["info"]["type"], "poll");
    assert_eq!(event["message"]["poll_creation_message"]["name"], "Lunch?");

    let vote = votes(bed, &id, &["Salad", "Pizza"]).await;
    assert_eq!(vote["poll_id"], id.as_str());
    assert_eq!(vote["decrypted"], true);
    assert_eq!(vote["counted"], true);
    assert_eq!(
        vote["selected_options"],
        json!(["Pizza", "Salad"]),
        "in their order"
    );
    assert_eq!(totals(&vote), [1, 1, 0]);
    assert_eq!(vote["totals"][2]["option"], "Nothing, thanks");
    // Another takes its place, one from our own phone counts, too, and either may be taken back.
    let vote = votes(bed, &id, &["Nothing, thanks"]).await;
    assert_eq!(totals(&vote), [0, 0, 1]);
    let network = bed.sandbox.network();
    let ours = Written::Vote(choice(&id, &["Pizza", "Nothing, thanks"]));
    let ours = network.send(SHOP, CUSTOMER, &ours).expect("it votes").id;
    let event = told(bed, &ours).await;
    assert_eq!(event["info"]["is_from_me"], true);
    assert_eq!(totals(&event["poll_vote"]), [1, 0, 2]);
    let vote = votes(bed, &id, &[]).await;
    assert_eq!(
        (&vote["selected_options"], totals(&vote)),
        (&json!([]), vec![1, 0, 1])
    );
    let read = bed.told(&made, &id).await;
    assert_eq!(totals(&read["poll"]), [1, 0, 1], "{read}");
    assert_eq!(read["poll"]["selectable_options_count"], 0);
    assert_eq!(read["poll"]["hide_participant_names"], true);
    assert_eq!(
        (&read["kind"], &read["text"]),
        (&json!("poll"), &json!("Lunch?"))
    );
    let read = bed.told(&made, &ours).await;
    assert_eq!(
        (&read["kind"], &read["text"]),
        (&json!("vote"), &json!("Pizza, Nothing, thanks"))
    );
    assert_eq!(read["poll"], Value::Null);

    // With the poll go its votes, and what they said.
    act(bed, &made, "DELETE", &format!("messages/{id}"), json!({}))
        .await
        .expect(200);
    let read = reads(bed, &made, &id, |told| told["deleted_at"].is_string()).await;
    assert_eq!(read["poll"], Value::Null);
    assert_eq!(bed.told(&made, &ours).await["text"], Value::Null);
    let left = database::count(&bed.database(), "SELECT COUNT(*) FROM poll_vote", None).await;
    assert_eq!(left, 0);
}

async fn a_poll_comes_in_and_its_author_votes(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = writes(bed, &Written::Poll(question()));
    let event = told(bed, &id).await;
    assert_eq!(event["info"]["type"], "poll");
    let poll = &event["message"]["poll_creation_message_v3"];
    assert_eq!(poll["options"][1]["option_name"], "Tuesday");
    let vote = votes(bed, &id, &["Tuesday"]).await;
    assert_eq!(
        (&vote["decrypted"], totals(&vote)),
        (&json!(true), vec![0, 1])
    );
    // A program of somebody's own may choose more than the poll takes.
    let vote = votes(bed, &id, &["Monday", "Tuesday"]).await;
    assert_eq!(
        (&vote["counted"], totals(&vote)),
        (&json!(false), vec![0, 1])
    );
    let read = bed.told(&made, &id).await;
    assert_eq!(totals(&read["poll"]), [0, 1]);
    // Nor does a vote count after the end.
    let over = Question {
        end_time: Some(1_000),
        ..question()
    };
    let id = writes(bed, &Written::Poll(over));
    told(bed, &id).await;
    let vote = votes(bed, &id, &["Monday"]).await;
    assert_eq!(
        (&vote["counted"], totals(&vote)),
        (&json!(false), vec![0, 0])
    );
}

async fn a_vote_before_its_poll_counts_with_it(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let poll = Question {
        secret: "5a".repeat(32),
        id: Some("3EB0EARLYPOLL".into()),
        ..question()
    };
    for options in [&["Monday"], &["Tuesday"]] {
        let early = Choice {
            early: Some(poll.clone()),
            ..choice("3EB0EARLYPOLL", options)
        };
        let id = writes(bed, &Written::Vote(early));
        let event = told(bed, &id).await;
        let unread =
            json!({"poll_id": "3EB0EARLYPOLL", "decrypted": false, "reason": "unknown_poll"});
        assert_eq!(event["poll_vote"], unread);
    }
    let id = writes(bed, &Written::Poll(poll));
    let event = told(bed, &id).await;
    assert_eq!(totals(&event["poll"]), [0, 1], "the later one: {event}");
    let read = bed.told(&made, &id).await;
    assert_eq!(totals(&read["poll"]), [0, 1]);
    let vote = votes(bed, &id, &["Monday"]).await;
    assert_eq!(totals(&vote), [1, 0]);
}

/// People are known by number and by id, and a vote may be encrypted under either.
async fn a_vote_by_ids_opens(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let ours = asked(bed, &made, json!({})).await;
    let theirs = writes(bed, &Written::Poll(question()));
    told(bed, &theirs).await;
    for (poll, option) in [(&ours, "Salad"), (&theirs, "Tuesday")] {
        let by_ids = Choice {
            by_lid: true,
            ..choice(poll, &[option])
        };
        let event = told(bed, &writes(bed, &Written::Vote(by_ids))).await;
        assert_eq!(
            event["poll_vote"]["selected_options"],
            json!([option]),
            "{event}"
        );
        // It is the vote of the same person: by number it is replaced.
        let vote = votes(bed, poll, &[]).await;
        assert!(totals(&vote).iter().all(|votes| *votes == 0), "{vote}");
    }
}

async fn a_vote_that_does_not_open(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = asked(bed, &made, json!({})).await;
    let forged = Choice {
        sealed: Some(("00".repeat(64), "00".repeat(12))),
        ..choice(&id, &["Pizza"])
    };
    let event = told(bed, &writes(bed, &Written::Vote(forged))).await;
    let unread = json!({"poll_id": id, "decrypted": false, "reason": "not_opened"});
    assert_eq!(event["poll_vote"], unread);
    // In another chat nobody knows this poll, and what is no poll has no votes.
    let other = "5511999990077";
    let network = bed.sandbox.network();
    network.add_phone(other, "Other").expect("a phone");
    let early = Choice {
        early: Some(question()),
        ..choice(&id, &["Monday"])
    };
    let vote = network.send(other, SHOP, &Written::Vote(early.clone()));
    let event = told(bed, &vote.expect("it votes").id).await;
    assert_eq!(event["poll_vote"]["reason"], "unknown_poll");
    let text = writes(bed, &Written::Text("no poll".into()));
    let early = Choice {
        poll_id: text,
        ..early
    };
    let event = told(bed, &writes(bed, &Written::Vote(early))).await;
    assert_eq!(event["poll_vote"]["reason"], "unknown_poll");
    let read = bed.told(&made, &id).await;
    assert_eq!(totals(&read["poll"]), [0, 0, 0]);
    // Nor one that was deleted.
    let theirs = writes(bed, &Written::Poll(question()));
    told(bed, &theirs).await;
    let sealed = writes(bed, &Written::Vote(choice(&theirs, &["Monday"])));
    told(bed, &sealed).await;
    let gone = Gone {
        message_id: theirs.clone(),
        forged: false,
    };
    told(bed, &writes(bed, &Written::Delete(gone))).await;
    let late = Choice {
        sealed: Some(("00".repeat(64), "00".repeat(12))),
        ..choice(&theirs, &[])
    };
    let event = told(bed, &writes(bed, &Written::Vote(late))).await;
    assert_eq!(event["poll_vote"]["reason"], "poll_deleted");
}

async fn a_poll_that_was_repeated_can_be_voted_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let network = bed.sandbox.network();
    network
        .trouble(&json!({"kind": "drop_acks", "number": SHOP, "count": 1}))
        .expect("a trouble");
    network.set_online(CUSTOMER, false).expect("offline");
    let body = json!({
        "phone": CUSTOMER, "name": "Lunch?", "options": ["Pizza", "Salad"], "id": "POLL-0001",
    });
    act(bed, &made, "POST", "send/poll", body).await.expect(200);
    bed.wait_status(&made, "POLL-0001", &["sending"]).await;
    // As after a crash: nothing is left but the rows.
    bed.restart().await;
    bed.wait_status(&made, "POLL-0001", &["sent", "delivered", "read"])
        .await;
    let network = bed.sandbox.network();
    network.set_online(CUSTOMER, true).expect("online");
    let seen = shown(bed, CUSTOMER, "POLL-0001", |m| m.arrivals >= 2).await;
    assert!(seen.same, "byte for byte");
    let vote = votes(bed, "POLL-0001", &["Salad"]).await;
    assert_eq!(
        (&vote["decrypted"], totals(&vote)),
        (&json!(true), vec![0, 1])
    );
}

async fn a_poll_that_is_none(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let good = json!({"phone": CUSTOMER, "name": "Lunch?", "options": ["Pizza", "Salad"]});
    let many = vec!["x"; 13];
    for (field, value) in [
        ("name", json!("")),
        ("name", json!("\u{200b}")),
        ("name", json!("x".repeat(256))),
        ("name", Value::Null),
        ("options", Value::Null),
        ("options", json!([])),
        ("options", json!(["Pizza"])),
        ("options", json!(many)),
        ("options", json!(["Pizza", "Pizza "])),
        ("options", json!(["Pizza", ""])),
        ("options", json!(["Pizza", "x".repeat(101)])),
        ("options", json!(["Pizza", "two\nlines"])),
        ("options", json!("Pizza")),
        ("selectable_options_count", json!(3)),
        ("selectable_options_count", json!(-1)),
        ("selectable_options_count", json!("one")),
        ("end_time", json!("tomorrow")),
        ("end_time", json!("2099-01-01T00:00:00")),
        ("end_time", json!("2020-01-01T00:00:00Z")),
        ("allow_add_option", json!("maybe")),
        ("phone", json!("12")),
    ] {
        let mut body = good.clone();
        body[field] = value.clone();
        let answer = act(bed, &made, "POST", "send/poll", body).await.expect(400);
        assert_eq!(answer.json()["field"], field, "{value}: {answer:?}");
    }
    // As Go sends what was not set.
    let mut body = good;
    body["end_time"] = json!("");
    body["selectable_options_count"] = Value::Null;
    body["id"] = json!("POLL-0001");
    act(bed, &made, "POST", "send/poll", body.clone())
        .await
        .expect(200);
    body["options"][1] = json!("Soup");
    act(bed, &made, "POST", "send/poll", body)
        .await
        .refused(409, "conflict");
}

async fn no_secret_is_told(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let poll = Question {
        secret: "5a".repeat(32),
        ..question()
    };
    let secret = base64::Engine::encode(&base64::prelude::BASE64_STANDARD, [0x5a; 32]);
    let id = writes(bed, &Written::Poll(poll));
    let mut events = vec![told(bed, &id).await];
    let body = json!({"phone": CUSTOMER, "message": "Monday", "reply_to_message_id": id});
    let reply = bed.send(&bed.a, &made, body).await.ok();
    events.push(told(bed, reply["data"]["message_id"].as_str().expect("an id")).await);
    let network = bed.sandbox.network();
    let ours = network.send(
        SHOP,
        CUSTOMER,
        &Written::Poll(Question {
            secret: "5a".repeat(32),
            ..question()
        }),
    );
    let ours = ours.expect("it asks").id;
    events.push(told(bed, &ours).await);
    for event in events {
        let text = event.to_string();
        assert!(
            !text.contains("message_secret") && !text.contains(&secret),
            "{text}"
        );
    }
    // It is kept all the same: of our phone's poll as well, whose copy has it outside.
    for poll in [&id, &ours] {
        let vote = votes(bed, poll, &["Monday"]).await;
        assert_eq!(vote["decrypted"], true, "{vote}");
    }
}
