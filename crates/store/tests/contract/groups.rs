//! Groups, as they were told.

use recado_model::{
    Address,
    group::{Deed, Group, Member, Rank},
    message::Party,
};

use crate::bed::{Bed, NOW};

fn number(n: usize) -> Address {
    Address::from_wire(format!("5511{n:09}@s.whatsapp.net"))
}

fn member(n: usize, rank: Rank) -> Member {
    Member {
        address: Address::from_wire(format!("{n}@lid")),
        number: Some(number(n)),
        lid: Some(Address::from_wire(format!("{n}@lid"))),
        rank,
    }
}

fn group(n: usize, name: &str, members: usize) -> Group {
    let rank = |at| match at {
        1 => Rank::SuperAdmin,
        _ => Rank::Member,
    };
    Group {
        address: Address::from_wire(format!("12036300000000000{n}@g.us")),
        name: name.to_owned(),
        description: Some("About".to_owned()),
        owner: Some(number(1)),
        created_at: Some(NOW),
        by_lid: true,
        admins_write: false,
        admins_set: false,
        approval: false,
        members_add: Some(true),
        expiration: 0,
        size: u32::try_from(members).expect("few"),
        community: None,
        members: (1..=members).map(|at| member(at, rank(at))).collect(),
    }
}

pub async fn groups_are_listed_and_found(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    assert!(!store.knows_groups(&id).await.expect("reads"));
    let all: Vec<Group> = (1..=3)
        .map(|n| group(n, &format!("Group {n}"), n))
        .collect();
    store.put_all_groups(&id, &all, NOW).await.expect("puts");
    assert!(store.knows_groups(&id).await.expect("reads"));
    let page = store.group_page(&id, 1, 1).await.expect("a page");
    assert_eq!((page.total, page.groups.len()), (3, 1));
    assert_eq!(page.groups[0].group.name, "Group 2");
    assert_eq!(
        (page.groups[0].group.size, page.groups[0].stale),
        (2, false)
    );
    let found = store.group(&id, &all[2].address).await.expect("reads");
    let mut found = found.expect("there").group;
    found.members.sort_by_key(|member| member.number.clone());
    assert_eq!(found, all[2]);

    // A thousand members, and each list anew.
    let large = group(4, "Large", 1_024);
    store.put_group(&id, &large, NOW).await.expect("puts");
    let found = store.group(&id, &large.address).await.expect("reads");
    assert_eq!(found.expect("there").group.size, 1_024);
    store
        .put_all_groups(&id, &all[..1], NOW)
        .await
        .expect("puts");
    assert_eq!(store.group_page(&id, 0, 50).await.expect("a page").total, 1);
    store.drop_group(&id, &all[0].address).await.expect("drops");
    assert_eq!(
        store.group(&id, &all[0].address).await.expect("reads"),
        None
    );
    store.forget_groups(&id).await.expect("forgets");
    assert!(!store.knows_groups(&id).await.expect("reads"));
    store.put_all_groups(&id, &all, NOW).await.expect("puts");
    let mut other = conn.account(&b);
    assert_eq!(
        other.group(&id, &all[0].address).await.expect("reads"),
        None
    );
    assert_eq!(other.group_page(&id, 0, 50).await.expect("a page").total, 0);
}

pub async fn what_is_done_to_a_group_is_done_here(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let own = [number(1)];
    let made = group(1, "Team", 2);
    let at = made.address.clone();
    // Before the list is known nothing is kept: the list will have it.
    let deed = Deed::Made(Box::new(made.clone()));
    store
        .apply_to_group(&id, &at, &deed, &own, NOW)
        .await
        .expect("applies");
    assert_eq!(store.group(&id, &at).await.expect("reads"), None);
    store.put_all_groups(&id, &[], NOW).await.expect("puts");
    for deed in [
        deed,
        Deed::Added(vec![member(3, Rank::Member)]),
        Deed::Promoted(vec![member(2, Rank::Member), member(1, Rank::Member)]),
        Deed::Demoted(vec![member(1, Rank::Member)]),
        Deed::Named("New".to_owned()),
        Deed::Described(None),
        Deed::AdminsWrite(true),
        Deed::AdminsSet(true),
        Deed::Approval(true),
        Deed::MembersAdd(false),
        Deed::Expires(86_400),
        Deed::Removed(vec![member(3, Rank::Member)]),
    ] {
        store
            .apply_to_group(&id, &at, &deed, &own, NOW)
            .await
            .expect("applies");
    }
    let found = store.group(&id, &at).await.expect("reads").expect("there");
    let mut expected = Group {
        name: "New".to_owned(),
        description: None,
        admins_write: true,
        admins_set: true,
        approval: true,
        members_add: Some(false),
        expiration: 86_400,
        ..made
    };
    for (n, is_admin) in [(1, true), (2, true), (3, false), (9, false)] {
        let who = Party::only(number(n));
        let who = store.contact(&id, &who, NOW).await.expect("a contact");
        let chat = store.chat(&id, &Party::only(at.clone()), NOW).await;
        let chat = chat.expect("a chat");
        let known = store.is_group_admin(&id, &chat, &who).await;
        assert_eq!(known.expect("looks"), is_admin, "{n}");
    }
    expected.members[1].rank = Rank::Admin;
    assert_eq!((found.group, found.stale), (expected, false));
    store
        .apply_to_group(&id, &at, &Deed::Other, &own, NOW)
        .await
        .expect("applies");
    assert!(
        store
            .group(&id, &at)
            .await
            .expect("reads")
            .expect("there")
            .stale
    );
    // Whoever is removed is in it no more; who is added to an unknown one asks for it.
    let gone = Deed::Removed(vec![member(1, Rank::Member)]);
    store
        .apply_to_group(&id, &at, &gone, &own, NOW)
        .await
        .expect("applies");
    assert_eq!(store.group(&id, &at).await.expect("reads"), None);
    let back = Deed::Added(vec![member(1, Rank::Member)]);
    store
        .apply_to_group(&id, &at, &back, &own, NOW)
        .await
        .expect("applies");
    assert!(
        store
            .group(&id, &at)
            .await
            .expect("reads")
            .expect("there")
            .stale
    );
    store
        .apply_to_group(&id, &at, &Deed::Ended, &own, NOW)
        .await
        .expect("applies");
    assert_eq!(store.group(&id, &at).await.expect("reads"), None);
}
