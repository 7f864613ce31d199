//! Groups with the real client: made, written in, managed, joined, left.

use recado_sandbox::content::{Beside, Sign, Written};
use recado_sandbox::{GroupSettings, NewGroup, Rank, Sandbox};
use wacore::stanza::groups::GroupNotificationAction as Action;
use wacore::types::events::Event;
use wacore_binary::Jid;
use whatsapp_rust::features::{
    GroupCreateOptions, GroupDescription, GroupParticipantOptions, GroupSubject, JoinGroupResult,
    MemberAddMode, MembershipApprovalMode, PreviousDescription,
};

use crate::support::{Device, LONG, all_taken, sandbox, sandbox_in};

const ANA: &str = "5511999990001";
const BRUNO: &str = "5511999990002";
const CARLA: &str = "5511999990003";

async fn three(sandbox: &Sandbox) -> Device {
    for (number, name) in [(ANA, "Ana"), (BRUNO, "Bruno"), (CARLA, "Carla")] {
        sandbox.network().add_phone(number, name).unwrap();
    }
    Device::paired(sandbox, ANA).await
}

fn subject(text: &str) -> GroupSubject {
    GroupSubject::new(text).expect("a subject")
}

async fn make(device: &Device, name: &str, numbers: &[&str]) -> Jid {
    let people = numbers
        .iter()
        .map(|number| GroupParticipantOptions::new(Jid::pn(*number)));
    let mut options = GroupCreateOptions::new(name);
    options.participants = people.collect();
    let made = device.client.groups().create_group(options).await;
    made.expect("the group is made").metadata.id
}

async fn shown(sandbox: &Sandbox, number: &str, id: &str) -> recado_sandbox::ChatMessage {
    let found = sandbox.network().wait_for(LONG, |network| {
        let messages = network.messages(number).expect("the phone exists");
        messages.into_iter().find(|message| message.id == id)
    });
    found.await.unwrap_or_else(|error| {
        panic!("{number} does not show {id}: {error}");
    })
}

async fn action(device: &mut Device, group: &Jid, fits: impl Fn(&Action) -> bool) {
    device
        .expect("a change of the group", |event| match event {
            Event::GroupUpdate(update) if update.group_jid == *group && fits(&update.action) => {
                Some(())
            }
            _ => None,
        })
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_makes_a_group_and_all_write_in_it() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    let mut ana = three(&sandbox).await;
    let mut bruno = Device::paired(&sandbox, BRUNO).await;
    let group = make(&ana, "Team", &[BRUNO, CARLA]).await;
    let seen = network.group(&group.to_string()).unwrap();
    assert_eq!(seen.subject, "Team");
    assert_eq!(seen.members[ANA], Rank::SuperAdmin);
    assert_eq!(seen.members.len(), 3);
    for device in [&mut ana, &mut bruno] {
        action(device, &group, |action| {
            matches!(action, Action::Create { .. })
        })
        .await;
    }

    // To all devices of all members, the own phone's and the other's companion among them.
    let sent = ana.client.send_text(group.clone(), "hello").await.unwrap();
    assert_eq!(ana.acked(&sent.message_id).await, "");
    for number in [ANA, BRUNO, CARLA] {
        let message = shown(&sandbox, number, &sent.message_id).await;
        assert_eq!(
            (message.text.as_str(), message.from.as_str()),
            ("hello", ANA)
        );
        assert_eq!(message.to, group.to_string());
    }
    assert_eq!(bruno.texts_at_least(1).await[0].2, "hello");

    // The second one needs no keys any more; a phone writes, and a companion.
    let more = ana.client.send_text(group.clone(), "again").await.unwrap();
    shown(&sandbox, CARLA, &more.message_id).await;
    let carla = network
        .send_text(CARLA, &group.to_string(), "from Carla")
        .unwrap();
    let twice = network
        .send_text(CARLA, &group.to_string(), "and again")
        .unwrap();
    for (device, count) in [(&mut ana, 2), (&mut bruno, 4)] {
        let texts = device.texts_at_least(count).await;
        let ids: Vec<&str> = texts.iter().map(|text| text.0.as_str()).collect();
        assert!(
            ids.contains(&carla.id.as_str()) && ids.contains(&twice.id.as_str()),
            "{texts:?}"
        );
    }
    let answer = bruno
        .client
        .send_text(group.clone(), "from Bruno")
        .await
        .unwrap();
    for number in [ANA, BRUNO, CARLA] {
        shown(&sandbox, number, &answer.message_id).await;
    }

    // Receipts of each, and the sum of them.
    let read = network.read(CARLA, &group.to_string()).unwrap();
    assert_eq!(read, 1, "hers came by writing, Bruno's is new");
    network
        .wait_for(LONG, |network| {
            let messages = network.messages(BRUNO).ok()?;
            let own = messages.iter().find(|m| m.id == answer.message_id)?;
            (own.receipts.get(CARLA)? == "read" && own.receipts.contains_key(ANA)).then_some(())
        })
        .await
        .expect("each receipt is there");
    for number in [ANA, BRUNO] {
        all_taken(&sandbox, number).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_says_of_devices_is_what_the_client_reached() {
    let sandbox = sandbox().await;
    let mut ana = three(&sandbox).await;
    let _bruno = Device::paired(&sandbox, BRUNO).await;
    let group = make(&ana, "Team", &[BRUNO]).await;
    for text in ["one", "two"] {
        let sent = ana.client.send_text(group.clone(), text).await.unwrap();
        assert_eq!(ana.acked(&sent.message_id).await, "");
    }
    // A hash that does not fit makes the client forget the group; then it asks again.
    let info = ana.client.groups().query_info(&group).await.unwrap();
    assert_eq!(info.participants.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_group_is_managed() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    let mut ana = three(&sandbox).await;
    let group = make(&ana, "Team", &[BRUNO]).await;
    let address = group.to_string();
    let client = ana.client.clone();
    let groups = client.groups();
    let added = groups
        .add_participants(&group, &[Jid::pn(CARLA)])
        .await
        .unwrap();
    assert!(added[0].is_ok());
    let again = groups
        .add_participants(&group, &[Jid::pn(CARLA)])
        .await
        .unwrap();
    assert_eq!(again[0].error.as_deref(), Some("409"));
    let unknown = groups
        .add_participants(&group, &[Jid::pn("5511000000000")])
        .await
        .unwrap();
    assert_eq!(unknown[0].error.as_deref(), Some("404"));
    groups
        .promote_participants(&group, &[Jid::pn(BRUNO)])
        .await
        .unwrap();
    groups
        .set_subject(&group, subject("New name"))
        .await
        .unwrap();
    let about = GroupDescription::new("What it is about").ok();
    groups
        .set_description(&group, about, PreviousDescription::Resolve)
        .await
        .unwrap();
    let stale = groups
        .set_description(&group, None, PreviousDescription::Absent)
        .await;
    assert!(
        stale.is_err(),
        "a description that was not seen is not replaced"
    );
    groups.set_announce(&group, true).await.unwrap();
    groups.set_locked(&group, true).await.unwrap();
    groups
        .set_member_add_mode(&group, MemberAddMode::AdminAdd)
        .await
        .unwrap();
    groups.set_ephemeral(&group, 604_800).await.unwrap();
    let jpeg = vec![0xff, 0xd8, 0xff, 0xe0, 1, 2, 3];
    let picture = groups
        .set_profile_picture(&group, jpeg.clone())
        .await
        .unwrap();
    let seen = network.group(&address).unwrap();
    assert_eq!(seen.subject, "New name");
    assert_eq!(seen.description.as_deref(), Some("What it is about"));
    assert_eq!(seen.members[BRUNO], Rank::Admin);
    assert!(seen.announcement && seen.locked && !seen.members_add);
    assert_eq!(seen.expiration, 604_800);
    assert_eq!(seen.picture.unwrap().id, picture.id);
    let meta = groups.get_metadata(&group).await.unwrap();
    assert_eq!(meta.subject, "New name");
    assert!(meta.is_announcement && meta.is_locked);
    assert_eq!(meta.participants.len(), 3);
    assert!(
        meta.participants
            .iter()
            .all(|p| p.jid.is_lid() && p.phone_number.is_some())
    );
    assert_eq!(groups.get_participating().await.unwrap().len(), 1);

    // Carla is no admin: she may not write, and not rename it.
    assert!(network.send_text(CARLA, &address, "x").is_err());
    assert!(network.rename_group(CARLA, &address, "x").is_err());
    network
        .change_members(BRUNO, &address, "demote", &[ANA.to_owned()])
        .unwrap();
    assert_eq!(
        network.group(&address).unwrap().members[ANA],
        Rank::SuperAdmin
    );
    let removed = groups
        .remove_participants(&group, &[Jid::pn(CARLA)])
        .await
        .unwrap();
    assert!(removed[0].is_ok());
    action(&mut ana, &group, |action| {
        matches!(action, Action::Remove { .. })
    })
    .await;
    groups.leave(&group).await.unwrap();
    let left = network.group(&address).unwrap();
    assert_eq!(left.members.keys().collect::<Vec<_>>(), [BRUNO]);
    assert!(
        groups.get_metadata(&group).await.is_err(),
        "not in it any more"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_forbids_being_added_is_invited() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    let ana = three(&sandbox).await;
    let carla = Device::paired(&sandbox, CARLA).await;
    network.refuse_groups(CARLA, true).unwrap();
    let group = make(&ana, "Team", &[BRUNO]).await;
    let address = group.to_string();
    let client = ana.client.clone();
    let groups = client.groups();
    let refused = groups
        .add_participants(&group, &[Jid::pn(CARLA)])
        .await
        .unwrap();
    assert_eq!(refused[0].error.as_deref(), Some("403"));
    let invitation = refused[0].add_request.clone().expect("an invitation");
    assert!(!network.group(&address).unwrap().members.contains_key(CARLA));
    let joined = carla
        .client
        .groups()
        .join_with_invite_v4(
            &group,
            &invitation.code,
            invitation.expiration as i64,
            Jid::pn(ANA),
        )
        .await
        .unwrap();
    assert_eq!(joined, JoinGroupResult::Joined(group.clone()));
    assert!(network.group(&address).unwrap().members.contains_key(CARLA));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_lead_in_and_admins_decide() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    let mut ana = three(&sandbox).await;
    let bruno = Device::paired(&sandbox, BRUNO).await;
    let group = make(&ana, "Team", &[]).await;
    let address = group.to_string();
    let client = ana.client.clone();
    let groups = client.groups();
    let old = groups.get_invite_link(&group, false).await.unwrap();
    let link = groups.get_invite_link(&group, true).await.unwrap();
    assert_ne!(old, link);
    let theirs = bruno.client.groups();
    assert!(
        theirs.join_with_invite_code(&old).await.is_err(),
        "that link is over"
    );
    let preview = theirs.get_invite_info(&link).await.unwrap();
    assert_eq!((preview.subject.as_str(), preview.size), ("Team", Some(1)));
    let joined = theirs.join_with_invite_code(&link).await.unwrap();
    assert_eq!(joined, JoinGroupResult::Joined(group.clone()));
    action(
        &mut ana,
        &group,
        |action| matches!(action, Action::Add { reason: Some(reason), .. } if reason == "invite"),
    )
    .await;
    let on = MembershipApprovalMode::On;
    groups.set_membership_approval(&group, on).await.unwrap();
    assert!(network.join(CARLA, &link).unwrap().pending);
    action(&mut ana, &group, |action| {
        matches!(action, Action::CreatedMembershipRequests { .. })
    })
    .await;
    let asked = groups.get_membership_requests(&group).await.unwrap();
    assert_eq!(asked.len(), 1);
    let who = asked[0].jid.clone();
    let rejected = groups
        .reject_membership_requests(&group, std::slice::from_ref(&who))
        .await;
    assert!(rejected.unwrap()[0].is_ok());
    assert!(network.group(&address).unwrap().requests.is_empty());
    network.join(CARLA, &link).unwrap();
    let approved = groups
        .approve_membership_requests(&group, &[who])
        .await
        .unwrap();
    assert!(approved[0].is_ok());
    assert_eq!(
        network.group(&address).unwrap().members[CARLA],
        Rank::Member
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_groups_go_by_number_and_phones_act_in_all() {
    let sandbox = sandbox().await;
    let network = sandbox.network();
    let mut ana = three(&sandbox).await;
    for by_number in [true, false] {
        let new = NewGroup {
            subject: "Family".to_owned(),
            participants: vec![ANA.to_owned(), CARLA.to_owned()],
            by_number,
            ..NewGroup::default()
        };
        let (group, results) = network.create_group(BRUNO, &new).unwrap();
        assert!(
            results.iter().all(|result| result.error.is_none()),
            "{results:?}"
        );
        let jid: Jid = group.id.parse().unwrap();
        let sent = ana.client.send_text(jid.clone(), "hello").await.unwrap();
        assert_eq!(ana.acked(&sent.message_id).await, "");
        shown(&sandbox, CARLA, &sent.message_id).await;
        let sign = Written::Reaction(Sign {
            message_id: sent.message_id.clone(),
            emoji: "👍".to_owned(),
        });
        network.send(CARLA, &group.id, &sign).unwrap();
        let beside = Beside {
            mentions: vec![ANA.to_owned()],
            quoted: Some(sent.message_id.clone()),
        };
        let text = Written::Text("@Ana look".to_owned());
        let answer = network
            .send_beside(CARLA, &group.id, &text, &beside)
            .unwrap();
        assert_eq!(answer.detail.mentions, [ANA]);
        let there = shown(&sandbox, BRUNO, &answer.id).await;
        assert_eq!(there.detail.mentions, [ANA]);
        assert_eq!(there.detail.quoted.unwrap().from, ANA);
        let own = shown(&sandbox, BRUNO, &sent.message_id).await;
        assert_eq!(own.reactions[CARLA], "👍");
        let taken = ana.texts_at_least(1).await;
        assert!(!taken.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_and_their_keys_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let sandbox = sandbox_in(Some(folder.path().to_owned()), 0).await;
    let port = sandbox.addr().port();
    let mut ana = three(&sandbox).await;
    let group = make(&ana, "Team", &[BRUNO]).await;
    let address = group.to_string();
    sandbox
        .network()
        .send_text(BRUNO, &address, "before")
        .unwrap();
    ana.texts_at_least(1).await;
    let sent = ana.client.send_text(group.clone(), "mine").await.unwrap();
    shown(&sandbox, BRUNO, &sent.message_id).await;
    let settings = GroupSettings {
        locked: Some(true),
        ..GroupSettings::default()
    };
    sandbox
        .network()
        .set_group(ANA, &address, &settings)
        .unwrap();
    let before = sandbox.network().group(&address).unwrap();
    sandbox.stop().await;
    let sandbox = sandbox_in(Some(folder.path().to_owned()), port).await;
    assert_eq!(sandbox.network().group(&address).unwrap(), before);
    ana.connected().await;
    sandbox
        .network()
        .send_text(BRUNO, &address, "after")
        .unwrap();
    assert_eq!(ana.texts_at_least(2).await[1].2, "after");
    let sent = ana.client.send_text(group, "mine again").await.unwrap();
    let there = shown(&sandbox, BRUNO, &sent.message_id).await;
    assert_eq!(there.text, "mine again");
}
