//! Messages in groups, both ways: texts, answers, mentions, signs, votes, edits, deletions, receipts of each.

use recado_sandbox::{
    ChatMessage,
    content::{Choice, Gone, Question, Sign, Wording},
};

use super::*;

on_both! {
    messages_go_both_ways,
    earlier_messages_are_acted_on,
    admins_delete_what_others_wrote,
    polls_are_voted_in,
    receipts_are_each_members,
}

async fn shown(
    bed: &Bed,
    number: &str,
    id: &str,
    pick: impl Fn(&ChatMessage) -> bool,
) -> ChatMessage {
    let network = bed.sandbox.network();
    let found = network.wait_for(PATIENCE, |network| {
        let messages = network.messages(number).ok()?;
        messages.into_iter().find(|m| m.id == id && pick(m))
    });
    found.await.expect("the phone shows it so")
}

async fn send(bed: &Bed, made: &Made, body: Value) -> String {
    let answer = bed.send(&bed.a, made, body).await.ok();
    let id = answer["data"]["message_id"].as_str();
    id.expect("an id").to_owned()
}

async fn told(bed: &Bed, id: &str) -> Value {
    let delivery = bed.delivered(id, |d| d.body["event"]["info"]["id"] == id);
    delivery.await.body["event"].clone()
}

async fn chat(bed: &Bed, made: &Made, method: &str, path: &str, body: Value) -> Value {
    let path = made.path(&format!("/chat/{path}"));
    let call = bed.call(method, &path).bearer(&bed.a.jwt);
    call.json(body).send().await.ok()
}

async fn messages_go_both_ways(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let group = make(bed, &made, "Team", &[CUSTOMER, FRIEND]).await;
    let id = send(bed, &made, json!({"phone": group, "message": "Hello, all"})).await;
    for number in [SHOP, CUSTOMER, FRIEND] {
        let there = shown(bed, number, &id, |_| true).await;
        assert_eq!(
            (there.text.as_str(), there.from.as_str()),
            ("Hello, all", SHOP)
        );
        assert_eq!(there.to, group);
    }
    let network = bed.sandbox.network();
    let theirs = network
        .send_text(CUSTOMER, &group, "Hello, shop")
        .expect("writes");
    let event = told(bed, &theirs.id).await;
    let info = &event["info"];
    assert_eq!(
        (&info["chat"], &info["is_group"]),
        (&json!(group), &json!(true))
    );
    assert_eq!(info["sender"], format!("{CUSTOMER}@s.whatsapp.net"));
    assert!(
        info["sender_alt"]
            .as_str()
            .is_some_and(|alt| alt.ends_with("@lid")),
        "{event}"
    );
    assert_eq!(event["message"]["conversation"], "Hello, shop");
    // The list of chats calls it by its name.
    for query in ["groups=true", "search=tEA"] {
        let path = made.path(&format!("/chats?{query}"));
        let page = bed.get(&path).bearer(&bed.a.jwt).send().await.ok();
        let listed = &page["content"][0];
        assert_eq!(
            (&listed["phone"], &listed["name"], &listed["is_group"]),
            (&json!(group), &json!("Team"), &json!(true)),
            "{page}"
        );
    }
    // An answer that mentions somebody.
    let body = json!({
        "phone": group, "message": "@friend look", "mentioned_ids": [FRIEND],
        "reply_to_message_id": theirs.id,
    });
    let answer = send(bed, &made, body).await;
    let there = shown(bed, FRIEND, &answer, |_| true).await;
    assert_eq!(there.detail.mentions, [FRIEND]);
    let quoted = there.detail.quoted.expect("what it answers");
    assert_eq!(
        (quoted.message_id.as_str(), quoted.from.as_str()),
        (theirs.id.as_str(), CUSTOMER)
    );
    let beside = Beside {
        mentions: vec![SHOP.to_owned()],
        quoted: Some(answer),
    };
    let text = Written::Text("@shop yes".to_owned());
    let back = network
        .send_beside(FRIEND, &group, &text, &beside)
        .expect("writes");
    let event = told(bed, &back.id).await;
    let context = &event["message"]["extended_text_message"]["context_info"];
    assert!(context.to_string().contains("mentioned"), "{event}");
}

async fn earlier_messages_are_acted_on(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let group = make(bed, &made, "Team", &[CUSTOMER, FRIEND]).await;
    let network = bed.sandbox.network();
    let theirs = network
        .send_text(CUSTOMER, &group, "Theirs")
        .expect("writes");
    told(bed, &theirs.id).await;
    let body = json!({"phone": group, "message_id": theirs.id, "reaction": "👍"});
    chat(bed, &made, "POST", "react", body).await;
    let signed = |m: &ChatMessage| m.reactions.get(SHOP).is_some_and(|sign| sign == "👍");
    for number in [CUSTOMER, FRIEND, SHOP] {
        shown(bed, number, &theirs.id, signed).await;
    }
    let own = send(bed, &made, json!({"phone": group, "message": "Ours"})).await;
    shown(bed, FRIEND, &own, |_| true).await;
    bed.wait_status(&made, &own, &["sent", "delivered", "read"])
        .await;
    let sign = Sign {
        message_id: own.clone(),
        emoji: "🎉".to_owned(),
    };
    let act = network
        .send(FRIEND, &group, &Written::Reaction(sign))
        .expect("signs");
    assert_eq!(
        told(bed, &act.id).await["message"]["reaction_message"]["key"]["id"],
        own.as_str()
    );
    chat(
        bed,
        &made,
        "PATCH",
        &format!("messages/{own}"),
        json!({"message": "Ours, mended"}),
    )
    .await;
    shown(bed, CUSTOMER, &own, |m| {
        m.edited && m.text == "Ours, mended"
    })
    .await;
    chat(bed, &made, "DELETE", &format!("messages/{own}"), json!({})).await;
    shown(bed, FRIEND, &own, |m| m.deleted).await;
    let wording = Wording {
        message_id: theirs.id.clone(),
        text: "Theirs, mended".to_owned(),
        forged: false,
    };
    let edit = network
        .send(CUSTOMER, &group, &Written::Edit(wording))
        .expect("edits");
    told(bed, &edit.id).await;
    let gone = Gone {
        message_id: theirs.id.clone(),
        forged: false,
    };
    let deletion = network
        .send(CUSTOMER, &group, &Written::Delete(gone))
        .expect("deletes");
    told(bed, &deletion.id).await;
    let status = until("the deletion to be known", async || {
        let told = bed.told(&made, &theirs.id).await;
        told["deleted_at"].is_string().then_some(told)
    });
    status.await;
}

/// A phone's word that what somebody else wrote is gone.
fn deleted_by(bed: &Bed, who: &str, group: &str, id: &str) -> String {
    let gone = Gone {
        message_id: id.to_owned(),
        forged: true,
    };
    let network = bed.sandbox.network();
    let deletion = network.send(who, group, &Written::Delete(gone));
    deletion.expect("it says so").id
}

async fn admins_delete_what_others_wrote(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let group = make(bed, &made, "Team", &[CUSTOMER, FRIEND]).await;
    get(bed, &made, "list").await.ok();
    let network = bed.sandbox.network();
    let mut written = Vec::new();
    for text in ["One", "Two"] {
        let message = network.send_text(FRIEND, &group, text).expect("writes");
        told(bed, &message.id).await;
        written.push(message.id);
    }
    let gone = async |id: &str| {
        until("its end here", async || {
            let told = bed.told(&made, id).await;
            told["deleted_at"].is_string().then_some(())
        })
        .await;
    };
    // By this number, which is an admin.
    let path = format!("messages/{}", written[0]);
    chat(bed, &made, "DELETE", &path, json!({})).await;
    for number in [CUSTOMER, FRIEND, SHOP] {
        shown(bed, number, &written[0], |m| m.deleted).await;
    }
    gone(&written[0]).await;
    // By somebody who is none, and once he is one.
    let forged = deleted_by(bed, CUSTOMER, &group, &written[1]);
    told(bed, &forged).await;
    assert!(bed.told(&made, &written[1]).await["deleted_at"].is_null());
    let admins = json!({"group_id": group, "participants": [CUSTOMER]});
    post(bed, &made, "add-admin", admins).await.ok();
    reads(bed, &made, &group, |told| role(told, CUSTOMER) == "admin").await;
    deleted_by(bed, CUSTOMER, &group, &written[1]);
    gone(&written[1]).await;
    // Where this number is a member like any other it may not.
    let network = bed.sandbox.network();
    let theirs = network.create_group(
        CUSTOMER,
        &NewGroup {
            subject: "Theirs".to_owned(),
            participants: vec![SHOP.to_owned(), FRIEND.to_owned()],
            ..NewGroup::default()
        },
    );
    let theirs = theirs.expect("a group").0.id;
    let message = network.send_text(FRIEND, &theirs, "Three").expect("writes");
    told(bed, &message.id).await;
    let path = made.path(&format!("/chat/messages/{}", message.id));
    let call = bed.call("DELETE", &path).bearer(&bed.a.jwt);
    let refused = call.send().await.expect(400);
    assert_eq!(refused.json()["field"], "message_id");
}

async fn polls_are_voted_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    bed.subscribe(&bed.a, &made, json!(["Message"])).await;
    let group = make(bed, &made, "Team", &[CUSTOMER, FRIEND]).await;
    let network = bed.sandbox.network();
    let poll = json!({"phone": group, "name": "Lunch?", "options": ["Rice", "Beans"]});
    let sent = chat(bed, &made, "POST", "send/poll", poll).await;
    let id = sent["data"]["message_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    shown(bed, CUSTOMER, &id, |_| true).await;
    let choice = Choice {
        poll_id: id.clone(),
        options: vec!["Beans".to_owned()],
        ..Choice::default()
    };
    let vote = network
        .send(CUSTOMER, &group, &Written::Vote(choice))
        .expect("votes");
    let event = told(bed, &vote.id).await;
    assert_eq!(
        event["poll_vote"]["selected_options"],
        json!(["Beans"]),
        "{event}"
    );
    // And in one of theirs.
    let question = Question {
        name: "When?".to_owned(),
        options: vec!["Now".to_owned(), "Later".to_owned()],
        selectable_options_count: 1,
        ..Question::default()
    };
    let theirs = network
        .send(FRIEND, &group, &Written::Poll(question))
        .expect("asks");
    told(bed, &theirs.id).await;
    let body = json!({"phone": group, "message_id": theirs.id, "vote": "Later"});
    chat(bed, &made, "POST", "poll/vote", body).await;
    let voted = |m: &ChatMessage| m.votes.get(SHOP).is_some_and(|vote| *vote == ["Later"]);
    for number in [FRIEND, CUSTOMER] {
        shown(bed, number, &theirs.id, voted).await;
    }
}

async fn receipts_are_each_members(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    bed.subscribe(&bed.a, &made, json!(["Message", "ReadReceipt"]))
        .await;
    let group = make(bed, &made, "Team", &[CUSTOMER, FRIEND]).await;
    let id = send(bed, &made, json!({"phone": group, "message": "Read me"})).await;
    shown(bed, CUSTOMER, &id, |_| true).await;
    shown(bed, FRIEND, &id, |_| true).await;
    let network = bed.sandbox.network();
    network.read(CUSTOMER, &group).expect("reads");
    let reader = format!("{CUSTOMER}@s.whatsapp.net");
    let receipt = bed.delivered("the receipt", |d| {
        d.body["state"] == "Read" && d.body["event"]["sender"] == reader.as_str()
    });
    let receipt = receipt.await.body["event"].clone();
    assert_eq!(
        (&receipt["chat"], &receipt["message_ids"]),
        (&json!(group), &json!([id]))
    );
    let theirs = network.send_text(FRIEND, &group, "And me").expect("writes");
    told(bed, &theirs.id).await;
    chat(
        bed,
        &made,
        "POST",
        "markread",
        json!({"chat": group, "id": [theirs.id]}),
    )
    .await;
    shown(bed, FRIEND, &theirs.id, |m| {
        m.receipts.get(SHOP).is_some_and(|status| status == "read")
    })
    .await;
}
