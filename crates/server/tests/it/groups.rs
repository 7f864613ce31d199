//! Groups: made, listed, managed, written in, joined and left, with phones and a second instance looking on.

use recado_sandbox::{
    GroupInfo, NewGroup, Rank,
    content::{Beside, Written},
};
use serde_json::{Value, json};

use crate::{
    call::Answer,
    gateway::{Bed, CUSTOMER, Made, PATIENCE, SHOP, SHOP_TOO, until},
};

mod faults;
mod messages;

on_both! {
    a_group_is_made_listed_and_shown,
    the_story_of_a_group,
    what_phones_do_is_followed,
    what_else_is_done_is_told,
    a_list_is_read_in_pages_and_offline,
}

/// A second phone of nobody's.
const FRIEND: &str = "5511999990008";

/// A small picture: what is looked at is how it begins.
const JPEG: &str = "/9j/4AAQSkZJRgABAQ==";

async fn get(bed: &Bed, made: &Made, path: &str) -> Answer {
    let path = made.path(&format!("/group/{path}"));
    bed.get(&path).bearer(&bed.a.jwt).send().await
}

async fn post(bed: &Bed, made: &Made, path: &str, body: Value) -> Answer {
    let path = made.path(&format!("/group/{path}"));
    let call = bed.post(&path).bearer(&bed.a.jwt);
    call.json(body).send().await
}

fn phones(bed: &Bed) {
    for (number, name) in [(CUSTOMER, "Customer"), (FRIEND, "Friend")] {
        bed.sandbox
            .network()
            .add_phone(number, name)
            .expect("a phone");
    }
}

async fn make(bed: &Bed, made: &Made, name: &str, participants: &[&str]) -> String {
    let body = json!({ "group_name": name, "participants": participants });
    let answer = post(bed, made, "create", body).await.ok();
    let id = answer["data"]["group_id"].as_str();
    id.expect("a group's address").to_owned()
}

fn seen(bed: &Bed, group: &str) -> GroupInfo {
    bed.sandbox.network().group(group).expect("a group")
}

/// Waits until what the instance tells of a group is so.
async fn reads(bed: &Bed, made: &Made, group: &str, pick: impl Fn(&Value) -> bool) -> Value {
    until(&format!("{group} to read so"), async || {
        let answer = get(bed, made, &format!("info?group_id={group}")).await;
        let data = (answer.status == 200).then(|| answer.json()["data"].clone());
        data.filter(&pick)
    })
    .await
}

/// The role of somebody in a group, as the instance tells it.
fn role(group: &Value, number: &str) -> String {
    let members = group["participants"].as_array().expect("members");
    let found = members.iter().find(|member| member["phone"] == number);
    found.map_or_else(String::new, |member| {
        member["role"].as_str().unwrap_or_default().to_owned()
    })
}

fn statuses(answer: &Value) -> Vec<(String, String)> {
    let results = answer["data"]["results"].as_array().expect("results");
    let mut all: Vec<(String, String)> = results
        .iter()
        .map(|one| {
            let text = |name: &str| one[name].as_str().unwrap_or_default().to_owned();
            (text("phone"), text("status"))
        })
        .collect();
    all.sort();
    all
}

async fn a_group_is_made_listed_and_shown(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    let none = get(bed, &made, "list").await.ok();
    assert_eq!(
        (&none["data"]["total"], &none["data"]["groups"]),
        (&json!(0), &json!([]))
    );
    let body = json!({
        "groupName": "Team", "group_description": "About us", "group_image": JPEG,
        "participants": [format!("+{CUSTOMER}"), FRIEND], "delay_message": 0, "group_id": "",
    });
    let answer = post(bed, &made, "create", body).await.ok();
    let data = &answer["data"];
    let id = data["group_id"].as_str().expect("an address");
    assert_eq!(
        (&data["name"], &data["participants_count"]),
        (&json!("Team"), &json!(3))
    );
    assert_eq!(data["image_error"], Value::Null, "{answer}");
    assert!(
        data["results"]
            .as_array()
            .is_some_and(|all| all.iter().all(|one| one["success"] == true)),
        "{answer}"
    );
    let network = seen(bed, id);
    assert_eq!(network.subject, "Team");
    assert_eq!(network.description.as_deref(), Some("About us"));
    assert_eq!(network.members[SHOP], Rank::SuperAdmin);
    assert!(network.picture.is_some());
    let path = made.path("/user/avatar");
    let asked = bed
        .post(&path)
        .bearer(&bed.a.jwt)
        .json(json!({ "phone": id }));
    let avatar = asked.send().await.ok();
    assert_eq!(avatar["data"]["base64"], JPEG, "{avatar}");
    let list = get(bed, &made, "list?page=0&page_size=0").await.ok();
    assert_eq!(list["data"]["total"], 1);
    assert_eq!(list["data"]["groups"][0]["group_id"], id);
    assert_eq!(list["data"]["groups"][0]["participants_count"], 3);
    let info = get(
        bed,
        &made,
        &format!("info?group_id={}", id.replace('@', "%40")),
    )
    .await
    .ok();
    let info = &info["data"];
    assert_eq!(info["description"], "About us");
    assert_eq!(role(info, SHOP), "superadmin");
    assert_eq!(role(info, CUSTOMER), "member");
    assert_eq!(info["owner"], format!("{SHOP}@s.whatsapp.net"));
    assert_eq!(info["members_can_add"], true);
}

/// Both instances, and what the network itself says, agree on a group.
async fn agree(bed: &Bed, both: [&Made; 2], group: &str) {
    let truth = seen(bed, group);
    for made in both {
        let fits = |told: &Value| {
            let members = told["participants"].as_array().map_or(0, Vec::len);
            told["name"] == truth.subject.as_str()
                && told["description"].as_str() == truth.description.as_deref()
                && told["admin_only_message"] == truth.announcement
                && told["admin_only_settings"] == truth.locked
                && told["join_approval"] == truth.approval
                && told["expiration"] == truth.expiration
                && members == truth.members.len()
                && truth.members.iter().all(|(number, rank)| {
                    let word = match rank {
                        Rank::Member => "member",
                        Rank::Admin => "admin",
                        Rank::SuperAdmin => "superadmin",
                    };
                    role(told, number) == word
                })
        };
        reads(bed, made, group, fits).await;
    }
}

async fn the_story_of_a_group(bed: &mut Bed) {
    let one = bed.paired(&bed.a, SHOP).await;
    let two = bed.paired(&bed.a, SHOP_TOO).await;
    phones(bed);
    bed.subscribe(
        &bed.a,
        &two,
        json!(["GroupParticipantsAdd", "GroupParticipantsRemove"]),
    )
    .await;
    get(bed, &two, "list").await.ok();
    let id = make(bed, &one, "Team", &[CUSTOMER]).await;
    let added = post(
        bed,
        &one,
        "add-participants",
        json!({"group_id": id, "participants": [SHOP_TOO]}),
    );
    assert_eq!(
        statuses(&added.await.ok()),
        [(SHOP_TOO.to_owned(), "ok".to_owned())]
    );
    // The second instance hears of it.
    let told = bed.delivered("who came in", |d| {
        d.body["type"] == "GroupParticipantsAdd" && d.body["instance_id"] == two.id.as_str()
    });
    let told = told.await.body["event"].clone();
    assert_eq!(told["jid"], id.as_str());
    assert_eq!(told["join"], json!([format!("{SHOP_TOO}@s.whatsapp.net")]));
    assert_eq!(told["sender"], format!("{SHOP}@s.whatsapp.net"));
    agree(bed, [&one, &two], &id).await;
    // The link, by which somebody comes in; a new one, and the old one is over.
    let path = format!("invitelink?group_id={id}&reset=False");
    let old = get(bed, &one, &path).await.ok()["data"]["invite_link"].clone();
    let path = format!("invitelink?group_id={id}&reset=1");
    let link = get(bed, &one, &path).await.ok()["data"]["invite_link"].clone();
    let link = link.as_str().expect("a link");
    assert_ne!(old, link);
    bed.sandbox.network().join(FRIEND, link).expect("joins");
    agree(bed, [&one, &two], &id).await;
    // An admin more, and settings.
    let admins = json!({"groupId": id, "participants": [SHOP_TOO]});
    post(bed, &one, "add-admin", admins.clone()).await.ok();
    let settings = json!({"group_id": id, "admin_only_message": true, "admin_only_settings": true});
    post(bed, &two, "settings", settings).await.ok();
    let ours = json!({"group_id": id, "expiration": 604_800, "join_approval": true, "members_can_add": false});
    post(bed, &two, "settings", ours).await.ok();
    let truth = seen(bed, &id);
    assert!(truth.announcement && truth.locked && truth.approval && !truth.members_add);
    post(
        bed,
        &two,
        "name",
        json!({"group_id": id, "name": "Another name"}),
    )
    .await
    .ok();
    post(
        bed,
        &one,
        "description",
        json!({"group_id": id, "description": "First"}),
    )
    .await
    .ok();
    post(
        bed,
        &two,
        "description",
        json!({"group_id": id, "description": "Second"}),
    )
    .await
    .ok();
    let photo = post(bed, &two, "photo", json!({"group_id": id, "image": JPEG}))
        .await
        .ok();
    assert_eq!(
        photo["data"]["picture_id"],
        seen(bed, &id).picture.expect("a picture").id
    );
    agree(bed, [&one, &two], &id).await;
    // Both off again, as the Go client says it: nothing at all.
    post(bed, &two, "settings", json!({"group_id": id}))
        .await
        .ok();
    let truth = seen(bed, &id);
    assert!(!truth.announcement && !truth.locked && truth.approval);
    // One is removed, and wants in again: asked, turned away, asked, let in.
    let gone = json!({"group_id": id, "participants": [FRIEND]});
    post(bed, &two, "remove-participants", gone).await.ok();
    let left = bed.delivered("who went", |d| d.body["type"] == "GroupParticipantsRemove");
    assert_eq!(
        left.await.body["event"]["leave"],
        json!([format!("{FRIEND}@s.whatsapp.net")])
    );
    assert!(
        bed.sandbox
            .network()
            .join(FRIEND, link)
            .expect("asks")
            .pending
    );
    let asked = get(bed, &one, &format!("requests?group_id={id}"))
        .await
        .ok();
    assert_eq!(asked["data"]["requests"][0]["phone"], FRIEND);
    let who = json!({"group_id": id, "participants": [FRIEND]});
    let turned = post(bed, &one, "reject-requests", who.clone()).await.ok();
    assert_eq!(statuses(&turned), [(FRIEND.to_owned(), "ok".to_owned())]);
    bed.sandbox
        .network()
        .join(FRIEND, link)
        .expect("asks again");
    post(bed, &two, "approve-requests", who).await.ok();
    agree(bed, [&one, &two], &id).await;
    // The second one is no admin any more, and leaves.
    post(bed, &one, "remove-admin", admins).await.ok();
    agree(bed, [&one, &two], &id).await;
    post(bed, &two, "leave", json!({"group_id": id})).await.ok();
    assert!(!seen(bed, &id).members.contains_key(SHOP_TOO));
    get(bed, &two, &format!("info?group_id={id}"))
        .await
        .refused(404, "not_found");
    assert_eq!(get(bed, &two, "list").await.ok()["data"]["total"], 0);
    reads(bed, &one, &id, |told| role(told, SHOP_TOO).is_empty()).await;
}

async fn what_else_is_done_is_told(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    bed.subscribe(&bed.a, &made, json!(["GroupUpdate", "PictureUpdate"]))
        .await;
    let id = make(bed, &made, "Team", &[CUSTOMER]).await;
    let approval = json!({"group_id": id, "join_approval": true});
    post(bed, &made, "settings", approval).await.ok();
    let path = format!("invitelink?group_id={id}&reset=1");
    let link = get(bed, &made, &path).await.ok()["data"]["invite_link"].clone();
    let link = link.as_str().expect("a link");
    let network = bed.sandbox.network();
    network.join(FRIEND, link).expect("asks");
    network.cancel_request(FRIEND, &id).expect("asks no more");
    post(bed, &made, "photo", json!({"group_id": id, "image": JPEG}))
        .await
        .ok();
    let told = async |change: &str| {
        let told = bed.delivered(change, |d| {
            d.body["type"] == "GroupUpdate" && d.body["event"]["change"] == change
        });
        let event = told.await.body["event"].clone();
        assert_eq!(event["jid"], id.as_str(), "{change}");
        event
    };
    assert_eq!(told("approval").await["enabled"], true);
    assert_eq!(told("link").await["new_invite_link"], link);
    let asks = told("join_requests").await;
    assert_eq!(asks["participants"][0]["phone"], FRIEND, "{asks}");
    told("join_requests_withdrawn").await;
    let picture = bed.delivered("the picture", |d| d.body["type"] == "PictureUpdate");
    let picture = picture.await.body["event"].clone();
    assert_eq!(
        (&picture["jid"], &picture["is_group"]),
        (&json!(id), &json!(true)),
        "{picture}"
    );
}

async fn what_phones_do_is_followed(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    bed.subscribe(&bed.a, &made, json!(["All"])).await;
    get(bed, &made, "list").await.ok();
    let network = bed.sandbox.network();
    let new = NewGroup {
        subject: "Family".to_owned(),
        participants: vec![SHOP.to_owned(), FRIEND.to_owned()],
        by_number: true,
        ..NewGroup::default()
    };
    let (group, _) = network.create_group(CUSTOMER, &new).expect("a group");
    let id = group.id.as_str();
    let told = bed.delivered("the new group", |d| {
        d.body["type"] == "GroupParticipantsAdd"
    });
    let told = told.await.body["event"].clone();
    assert_eq!(told["join"].as_array().map(Vec::len), Some(3), "{told}");
    let list = get(bed, &made, "list").await.ok();
    assert_eq!(list["data"]["groups"][0]["name"], "Family");
    assert_eq!(list["data"]["groups"][0]["addressing_mode"], "pn");
    network
        .rename_group(CUSTOMER, id, "Folks")
        .expect("renames");
    network
        .describe_group(CUSTOMER, id, "Ours")
        .expect("describes");
    let numbers = [SHOP.to_owned()];
    network
        .change_members(CUSTOMER, id, "promote", &numbers)
        .expect("promotes");
    let fits = |told: &Value| {
        told["name"] == "Folks" && told["description"] == "Ours" && role(told, SHOP) == "admin"
    };
    reads(bed, &made, id, fits).await;
    network
        .change_members(CUSTOMER, id, "remove", &numbers)
        .expect("removes");
    until("to be out of it", async || {
        let list = get(bed, &made, "list").await.ok();
        (list["data"]["total"] == 0).then_some(())
    })
    .await;
    // Added again to one that is not known any more: it is asked for.
    network
        .change_members(CUSTOMER, id, "add", &numbers)
        .expect("adds");
    until("to be in it again", async || {
        let list = get(bed, &made, "list").await.ok();
        (list["data"]["groups"][0]["name"] == "Folks").then_some(())
    })
    .await;
}

async fn a_list_is_read_in_pages_and_offline(bed: &mut Bed) {
    let made = bed.paired(&bed.a, SHOP).await;
    phones(bed);
    let network = bed.sandbox.network();
    for n in 1..=5 {
        let new = NewGroup {
            subject: format!("Group {n}"),
            participants: vec![SHOP.to_owned()],
            ..NewGroup::default()
        };
        network.create_group(CUSTOMER, &new).expect("a group");
    }
    let page = get(bed, &made, "list?page=2&page_size=2").await.ok();
    let data = &page["data"];
    assert_eq!((&data["total"], &data["page"]), (&json!(5), &json!(2)));
    let names: Vec<&str> = data["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .filter_map(|g| g["name"].as_str())
        .collect();
    assert_eq!(names, ["Group 3", "Group 4"]);
    let disconnect = made.path("/session/disconnect");
    bed.post(&disconnect).bearer(&bed.a.jwt).send().await.ok();
    let page = get(bed, &made, "list").await.ok();
    assert_eq!(page["data"]["total"], 5, "as it was known");
    let id = page["data"]["groups"][0]["group_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    get(bed, &made, &format!("info?group_id={id}")).await.ok();
    post(bed, &made, "name", json!({"group_id": id, "name": "x"}))
        .await
        .refused(409, "instance_not_connected");
}
