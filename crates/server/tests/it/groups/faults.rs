//! What goes wrong with groups: bad input, groups of others, those who manage nothing, those who will not be
//! added, very many.

use super::*;

on_both! {
    bad_input_names_its_field,
    a_group_that_one_is_not_in,
    who_is_no_admin,
    who_forbids_being_added,
    a_thousand_participants,
    a_link_is_looked_at_and_joined_by,
    nothing_without_a_pairing,
}

async fn bad_input_names_its_field(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    let id = make(bed, &made, "Team", &[CUSTOMER]).await;
    let long = "x".repeat(101);
    let longer = "x".repeat(2_049);
    for (path, body, field) in [
        ("create", json!({}), "group_name"),
        ("create", json!({"group_name": "\u{200b}"}), "group_name"),
        ("create", json!({"group_name": long}), "group_name"),
        (
            "create",
            json!({"group_name": "x", "group_description": longer}),
            "group_description",
        ),
        (
            "create",
            json!({"group_name": "x", "participants": ["no number"]}),
            "participants",
        ),
        (
            "create",
            json!({"group_name": "x", "participants": [id]}),
            "participants",
        ),
        (
            "create",
            json!({"group_name": "x", "participants": [1]}),
            "participants",
        ),
        (
            "create",
            json!({"group_name": "x", "group_image": "%%%"}),
            "group_image",
        ),
        ("name", json!({"name": "x"}), "group_id"),
        ("name", json!({"group_id": "", "name": "x"}), "group_id"),
        (
            "name",
            json!({"group_id": SHOP.to_owned() + "@s.whatsapp.net", "name": "x"}),
            "group_id",
        ),
        (
            "name",
            json!({"group_id": "../../x", "name": "x"}),
            "group_id",
        ),
        ("name", json!({"group_id": ["x"], "name": "x"}), "group_id"),
        ("name", json!({"group_id": id}), "name"),
        ("name", json!({"group_id": id, "name": long}), "name"),
        (
            "description",
            json!({"group_id": id, "description": longer}),
            "description",
        ),
        ("photo", json!({"group_id": id}), "image"),
        ("photo", json!({"group_id": id, "image": "!!"}), "image"),
        (
            "settings",
            json!({"group_id": id, "admin_only_message": "perhaps"}),
            "admin_only_message",
        ),
        (
            "settings",
            json!({"group_id": id, "expiration": 5}),
            "expiration",
        ),
        ("add-admin", json!({"group_id": id}), "participants"),
        (
            "add-participants",
            json!({"group_id": id, "participants": []}),
            "participants",
        ),
        ("join", json!({}), "link"),
        ("join", json!({"link": "https://evil.example/x y"}), "link"),
        ("leave", json!({}), "group_id"),
    ] {
        let answer = post(bed, &made, path, body.clone()).await;
        assert!(
            (400..500).contains(&answer.status),
            "{path} {body}: {answer:?}"
        );
        assert_eq!(answer.json()["field"], field, "{path} {body}: {answer:?}");
    }
    post(
        bed,
        &made,
        "photo",
        json!({"group_id": id, "image": "iVBORw0KGgo="}),
    )
    .await
    .refused(415, "unsupported_media_type");
    for path in ["info", "invitelink", "requests"] {
        let answer = get(bed, &made, path).await;
        assert_eq!(answer.refused(400, "invalid_field")["field"], "group_id");
    }
    get(
        bed,
        &made,
        &format!("invitelink?group_id={id}&reset=perhaps"),
    )
    .await
    .refused(400, "invalid_field");
    // Whatever was wrong: the connection lives.
    get(bed, &made, &format!("invitelink?group_id={id}"))
        .await
        .ok();
}

async fn a_group_that_one_is_not_in(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    let new = NewGroup {
        subject: "Theirs".to_owned(),
        participants: vec![FRIEND.to_owned()],
        ..NewGroup::default()
    };
    let (theirs, _) = bed
        .sandbox
        .network()
        .create_group(CUSTOMER, &new)
        .expect("a group");
    for id in [theirs.id.as_str(), "120363999999999999@g.us"] {
        get(bed, &made, &format!("info?group_id={id}"))
            .await
            .refused(404, "not_found");
        get(bed, &made, &format!("invitelink?group_id={id}"))
            .await
            .refused(404, "not_found");
        get(bed, &made, &format!("requests?group_id={id}"))
            .await
            .refused(404, "not_found");
        for (path, body) in [
            ("name", json!({"group_id": id, "name": "Mine"})),
            (
                "description",
                json!({"group_id": id, "description": "Mine"}),
            ),
            ("settings", json!({"group_id": id})),
            ("photo", json!({"group_id": id, "image": JPEG})),
            (
                "add-participants",
                json!({"group_id": id, "participants": [CUSTOMER]}),
            ),
            (
                "remove-admin",
                json!({"group_id": id, "participants": [CUSTOMER]}),
            ),
            ("leave", json!({"group_id": id})),
        ] {
            let answer = post(bed, &made, path, body).await;
            assert_eq!(
                answer.refused(404, "not_found")["field"],
                "group_id",
                "{path}"
            );
        }
    }
    let untouched = seen(bed, &theirs.id);
    assert_eq!(untouched, theirs);
}

async fn who_is_no_admin(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    let new = NewGroup {
        subject: "Theirs".to_owned(),
        participants: vec![SHOP.to_owned(), FRIEND.to_owned()],
        ..NewGroup::default()
    };
    let network = bed.sandbox.network();
    let (theirs, _) = network.create_group(CUSTOMER, &new).expect("a group");
    let id = theirs.id.as_str();
    for (path, body) in [
        (
            "settings",
            json!({"group_id": id, "admin_only_message": true}),
        ),
        ("add-admin", json!({"group_id": id, "participants": [SHOP]})),
        (
            "remove-participants",
            json!({"group_id": id, "participants": [FRIEND]}),
        ),
    ] {
        post(bed, &made, path, body)
            .await
            .refused(403, "not_group_admin");
    }
    get(bed, &made, &format!("invitelink?group_id={id}"))
        .await
        .refused(403, "not_group_admin");
    // What members may, they may; until it is the admins' alone.
    post(bed, &made, "name", json!({"group_id": id, "name": "Ours"}))
        .await
        .ok();
    let locked = recado_sandbox::GroupSettings {
        locked: Some(true),
        announcement: Some(true),
        ..Default::default()
    };
    network.set_group(CUSTOMER, id, &locked).expect("locks");
    post(bed, &made, "name", json!({"group_id": id, "name": "Mine"}))
        .await
        .refused(403, "not_group_admin");
    assert_eq!(seen(bed, id).subject, "Ours");
    // A message is refused by WhatsApp, and its status says so.
    let body = json!({"phone": id, "message": "May I?", "id": "may-i-0001"});
    bed.send(&bed.a, &made, body).await.ok();
    bed.wait_status(&made, "may-i-0001", &["failed"]).await;
}

async fn who_forbids_being_added(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    let network = bed.sandbox.network();
    network.refuse_groups(FRIEND, true).expect("forbids");
    let body = json!({"group_name": "Team", "participants": [CUSTOMER, FRIEND, "5511888888888"]});
    let answer = post(bed, &made, "create", body).await.ok();
    let id = answer["data"]["group_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (needs, ok, unknown) = ("needs_invitation", "ok", "not_found");
    let got = statuses(&answer);
    assert!(
        got.contains(&(FRIEND.to_owned(), needs.to_owned())),
        "{got:?}"
    );
    assert!(
        got.contains(&(CUSTOMER.to_owned(), ok.to_owned())),
        "{got:?}"
    );
    assert!(got.iter().any(|(_, status)| status == unknown), "{got:?}");
    assert_eq!(
        answer["data"]["participants_count"], 2,
        "no success, and not in it: {answer}"
    );
    let body = json!({"group_id": id, "participants": [FRIEND]});
    let again = post(bed, &made, "add-participants", body).await.ok();
    let result = &again["data"]["results"][0];
    assert_eq!(
        (&result["success"], &result["code"]),
        (&json!(false), &json!(403))
    );
    let code = result["invitation"]["code"]
        .as_str()
        .expect("an invitation");
    assert!(result["invitation"]["expires_at"].is_string());
    network
        .accept_invitation(FRIEND, &id, code)
        .expect("comes in by it");
    reads(bed, &made, &id, |told| role(told, FRIEND) == "member").await;
}

async fn a_thousand_participants(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    let network = bed.sandbox.network();
    let numbers: Vec<String> = (0..1_000)
        .map(|n| format!("5521{:09}", 900_000_000 + n))
        .collect();
    for number in &numbers {
        network.add_phone(number, "").expect("a phone");
    }
    let body = json!({"group_name": "Crowd", "participants": numbers});
    let answer = post(bed, &made, "create", body).await.ok();
    let data = &answer["data"];
    assert_eq!(data["participants_count"], 1_001);
    assert_eq!(data["results"].as_array().map(Vec::len), Some(1_000));
    let id = data["group_id"].as_str().expect("an id");
    let info = get(bed, &made, &format!("info?group_id={id}")).await.ok();
    assert_eq!(
        info["data"]["participants"].as_array().map(Vec::len),
        Some(1_001)
    );
    let body = json!({"group_id": id, "participants": numbers[..500]});
    let admins = post(bed, &made, "add-admin", body).await.ok();
    assert_eq!(
        admins["data"]["results"].as_array().map(Vec::len),
        Some(500)
    );
    let too_many: Vec<String> = (0..1_025)
        .map(|n| format!("5531{:09}", 900_000_000 + n))
        .collect();
    let body = json!({"group_id": id, "participants": too_many});
    let answer = post(bed, &made, "add-participants", body).await;
    assert_eq!(
        answer.refused(400, "invalid_field")["field"],
        "participants"
    );
}

async fn a_link_is_looked_at_and_joined_by(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    let network = bed.sandbox.network();
    let new = NewGroup {
        subject: "Open".to_owned(),
        participants: vec![FRIEND.to_owned()],
        ..NewGroup::default()
    };
    let (theirs, _) = network.create_group(CUSTOMER, &new).expect("a group");
    let link = format!("https://chat.whatsapp.com/{}", theirs.code);
    let preview = get(bed, &made, &format!("preview?link={link}")).await.ok();
    assert_eq!(preview["data"]["name"], "Open");
    assert_eq!(preview["data"]["participants_count"], 2);
    assert!(
        !seen(bed, &theirs.id).members.contains_key(SHOP),
        "only looked at"
    );
    let joined = post(bed, &made, "join", json!({"code": theirs.code}))
        .await
        .ok();
    assert_eq!(joined["data"]["pending_approval"], false);
    assert_eq!(joined["data"]["group_id"], theirs.id.as_str());
    assert!(seen(bed, &theirs.id).members.contains_key(SHOP));
    let again = post(bed, &made, "join", json!({"link": link})).await;
    assert_eq!(again.refused(409, "conflict")["field"], "link");
    network
        .invite_code(CUSTOMER, &theirs.id, true)
        .expect("another link");
    let over = post(bed, &made, "join", json!({"link": link})).await;
    assert_eq!(over.refused(410, "link_invalid")["field"], "link");
    let never = get(bed, &made, "preview?link=AAAAAAAAAAAAAAAAAAAAAA").await;
    never.refused(410, "link_invalid");
}

async fn nothing_without_a_pairing(bed: &mut Bed) {
    let made = bed.create(&bed.a, json!({"name": "unpaired"})).await;
    let id = "120363000000000000@g.us";
    get(bed, &made, "list")
        .await
        .refused(409, "instance_not_connected");
    get(bed, &made, &format!("info?group_id={id}"))
        .await
        .refused(409, "instance_not_connected");
    for (path, body) in [
        ("create", json!({"group_name": "x"})),
        ("name", json!({"group_id": id, "name": "x"})),
        ("join", json!({"link": "AAAAAAAAAAAA"})),
        ("leave", json!({"group_id": id})),
    ] {
        post(bed, &made, path, body)
            .await
            .refused(409, "instance_not_connected");
    }
}
