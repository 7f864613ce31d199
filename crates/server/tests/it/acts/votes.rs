//! Our own votes, in our polls and in others'.

use recado_sandbox::content::{Question, Written};
use serde_json::{Value, json};

use super::{
    act, here,
    polls::{asked, question},
    received, shown, told, writes,
};
use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, SHOP},
};

on_both! {
    we_vote_in_their_poll,
    we_vote_in_our_own,
    a_vote_is_one_by_its_id,
    votes_that_do_not_fit,
}

async fn vote(bed: &Bed, made: &Made, body: Value) -> Answer {
    act(bed, made, "POST", "poll/vote", body).await
}

async fn we_vote_in_their_poll(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = writes(bed, &Written::Poll(question()));
    here(bed, &made, &id).await;
    let body = json!({"phone": CUSTOMER, "message_id": id, "vote": "Tuesday"});
    let answer = vote(bed, &made, body).await.ok();
    let data = &answer["data"];
    assert!(data["details"].is_string() && data["timestamp"].is_string());
    let first = data["id"].as_str().expect("an id");
    let chosen = |options: &'static [&'static str]| {
        move |m: &recado_sandbox::ChatMessage| m.votes.get(SHOP).is_some_and(|v| v == options)
    };
    shown(bed, CUSTOMER, &id, chosen(&["Tuesday"])).await;
    // Its own phone shows it, too.
    shown(bed, SHOP, &id, chosen(&["Tuesday"])).await;
    let event = told(bed, first).await;
    assert_eq!(event["info"]["type"], "poll");
    let key = &event["message"]["poll_update_message"]["poll_creation_message_key"];
    assert_eq!((&key["id"], &key["from_me"]), (&json!(id), &json!(false)));
    let told_vote = &event["poll_vote"];
    assert_eq!(told_vote["selected_options"], json!(["Tuesday"]));
    assert_eq!(
        told_vote["totals"][1],
        json!({"option": "Tuesday", "votes": 1})
    );
    let read = bed.told(&made, first).await;
    assert_eq!(
        (&read["kind"], &read["text"]),
        (&json!("vote"), &json!("Tuesday"))
    );
    // `selected_options` counts where both are given; as go and net write it, `vote` may be a list.
    let body = json!({"messageId": id, "selectedOptions": ["Monday"], "vote": "Tuesday"});
    vote(bed, &made, body).await.expect(200);
    shown(bed, CUSTOMER, &id, chosen(&["Monday"])).await;
    let body =
        json!({"message_id": id, "vote": ["Tuesday"], "poll_sender": CUSTOMER, "from_me": false});
    vote(bed, &made, body).await.expect(200);
    shown(bed, CUSTOMER, &id, chosen(&["Tuesday"])).await;
    for none in [
        json!({"vote": ""}),
        json!({"vote": []}),
        json!({"selected_options": []}),
    ] {
        let again = json!({"message_id": id, "vote": "Monday"});
        vote(bed, &made, again).await.expect(200);
        shown(bed, CUSTOMER, &id, chosen(&["Monday"])).await;
        let mut body = none;
        body["message_id"] = json!(id);
        vote(bed, &made, body).await.expect(200);
        shown(bed, CUSTOMER, &id, chosen(&[])).await;
    }
}

async fn we_vote_in_our_own(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let id = asked(bed, &made, json!({"selectable_options_count": 2})).await;
    let theirs = super::polls::votes(bed, &id, &["Salad"]).await;
    assert_eq!(theirs["counted"], true);
    for body in [
        json!({"message_id": format!("me:{id}"), "selected_options": ["Salad", "Pizza"]}),
        json!({"message_id": id, "phone": CUSTOMER, "from_me": true, "vote": ["Pizza", "Salad"]}),
    ] {
        let answer = vote(bed, &made, body).await.ok();
        let event = told(bed, answer["data"]["id"].as_str().expect("an id")).await;
        let told_vote = &event["poll_vote"];
        assert_eq!(told_vote["selected_options"], json!(["Pizza", "Salad"]));
        assert_eq!(told_vote["totals"][0]["votes"], 1);
        assert_eq!(told_vote["totals"][1]["votes"], 2);
    }
    shown(bed, CUSTOMER, &id, |m| {
        m.votes.get(SHOP).is_some_and(|v| v.len() == 2)
    })
    .await;
}

async fn a_vote_is_one_by_its_id(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let id = asked(bed, &made, json!({})).await;
    let body = json!({"message_id": id, "vote": "Pizza", "id": "VOTE-0001"});
    for _ in 0..2 {
        let answer = vote(bed, &made, body.clone()).await.ok();
        assert_eq!(answer["data"]["id"], "VOTE-0001");
        bed.wait_status(&made, "VOTE-0001", &["sent", "delivered", "read"])
            .await;
    }
    let other = json!({"message_id": id, "vote": "Salad", "id": "VOTE-0001"});
    vote(bed, &made, other).await.refused(409, "conflict");
    let seen = shown(bed, CUSTOMER, "VOTE-0001", |_| true).await;
    assert_eq!((seen.arrivals, seen.kind.as_str()), (1, "vote"));
}

async fn votes_that_do_not_fit(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let id = asked(bed, &made, json!({})).await;
    let text = received(bed, &made, "no poll").await;
    for (body, field) in [
        (json!({"vote": "Pizza"}), "message_id"),
        (json!({"message_id": "me:", "vote": "Pizza"}), "message_id"),
        (json!({"message_id": text, "vote": "Pizza"}), "message_id"),
        (json!({"message_id": id}), "selected_options"),
        (json!({"message_id": id, "vote": "Soup"}), "vote"),
        (json!({"message_id": id, "vote": true}), "vote"),
        (json!({"message_id": id, "vote": [["Pizza"]]}), "vote"),
        (
            json!({"message_id": id, "vote": ["Pizza", "Salad"]}),
            "vote",
        ),
        (
            json!({"message_id": id, "selected_options": ["Soup"]}),
            "selected_options",
        ),
        (
            json!({"message_id": id, "selected_options": "Pizza"}),
            "selected_options",
        ),
        (
            json!({"message_id": id, "vote": "Pizza", "phone": "12"}),
            "phone",
        ),
        (
            json!({"message_id": id, "vote": "Pizza", "poll_sender": "12"}),
            "poll_sender",
        ),
        (
            json!({"message_id": id, "vote": "Pizza", "id": "short"}),
            "id",
        ),
    ] {
        let answer = vote(bed, &made, body.clone()).await.expect(400);
        assert_eq!(answer.json()["field"], field, "{body}: {answer:?}");
    }
    let unknown = json!({"message_id": id, "vote": "Soup"});
    let answer = vote(bed, &made, unknown).await.expect(400);
    assert!(
        answer.text().contains("Pizza, Salad, Nothing, thanks"),
        "{answer:?}"
    );
    for body in [
        json!({"message_id": "3EB0NOTHING", "vote": "Pizza"}),
        json!({"message_id": id, "vote": "Pizza", "poll_sender": CUSTOMER}),
        json!({"message_id": format!("me:{text}"), "vote": "Pizza"}),
    ] {
        let answer = vote(bed, &made, body).await;
        assert_eq!(answer.refused(404, "not_found")["field"], "message_id");
    }
    let over = Question {
        end_time: Some(1_000),
        ..question()
    };
    let over = writes(bed, &Written::Poll(over));
    here(bed, &made, &over).await;
    let body = json!({"message_id": over, "vote": "Monday"});
    let answer = vote(bed, &made, body).await;
    assert_eq!(answer.refused(409, "conflict")["field"], "message_id");
    // A client that declares no fields sends none.
    let answer = vote(bed, &made, json!({})).await.expect(400);
    assert_eq!(answer.json()["field"], "selected_options");
}
