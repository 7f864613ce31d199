use std::collections::BTreeMap;

use recado_model::{AccountId, Language, LinkId, Role, UserId, clock::OsRng};
use recado_store::{RoleChange, StoreError};

use crate::{
    bed::{Bed, NOW},
    links::invitation,
};

impl Bed {
    async fn role_of(&self, account: &AccountId, user: &UserId) -> Option<Role> {
        let mut conn = self.store.read().await.expect("read");
        let role = conn.account(account).role_of(user).await;
        role.expect("looks")
    }

    async fn sets_role(
        &self,
        account: &AccountId,
        user: &UserId,
        role: Option<Role>,
    ) -> Result<RoleChange, StoreError> {
        let mut conn = self.store.write().await?;
        let mut members = conn.account(account);
        let change = match role {
            Some(role) => members.set_role(user, role).await?,
            None => members.remove_member(user).await?,
        };
        conn.commit().await?;
        Ok(change)
    }
}

pub async fn members_are_listed_and_changed(bed: &Bed) {
    let a = bed.account("a").await;
    let owner = bed.member(&a, "zoe@example.org", Role::Owner).await;
    let user = bed.member(&a, "ana@example.org", Role::Viewer).await;
    let seed = b"a seed of 20 bytes..";
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    people.begin_totp(&owner, seed).await.expect("begins");
    let done = people.confirm_totp(&owner, seed, 1, &[]).await;
    assert!(done.expect("confirms").is_some());
    conn.commit().await.expect("commit");
    let mut conn = bed.store.read().await.expect("read");
    let list = conn.account(&a).members().await.expect("lists");
    let shown: Vec<_> = list
        .iter()
        .map(|member| (member.email.as_str(), member.role, member.has_second_factor))
        .collect();
    assert_eq!(
        shown,
        [
            ("ana@example.org", Role::Viewer, false),
            ("zoe@example.org", Role::Owner, true)
        ]
    );
    assert_eq!(list[0].created_at, NOW);
    let one = conn.account(&a).member(&user).await.expect("looks");
    assert_eq!(one.as_ref(), Some(&list[0]));
    drop(conn);

    let (before, epoch) = (bed.user_record(&user).await, bed.epoch().await);
    let change = bed.sets_role(&a, &user, Some(Role::Admin)).await;
    assert_eq!(change.expect("sets"), RoleChange::Done);
    assert_eq!(bed.role_of(&a, &user).await, Some(Role::Admin));
    let raised = bed.user_record(&user).await.generation;
    assert_eq!(raised, before.generation + 1);
    let moved = bed.epoch().await;
    assert!(moved > epoch);
    // The role that they have: the second of two clicks ends nothing.
    let change = bed.sets_role(&a, &user, Some(Role::Admin)).await;
    assert_eq!(change.expect("same"), RoleChange::Done);
    assert_eq!(bed.user_record(&user).await.generation, raised);
    assert_eq!(bed.epoch().await, moved);
    for (change, due) in [(None, RoleChange::Done), (None, RoleChange::NoMember)] {
        let change = bed.sets_role(&a, &user, change).await;
        assert_eq!(change.expect("removes"), due);
    }
    let change = bed.sets_role(&a, &user, Some(Role::Owner)).await;
    assert_eq!(change.expect("refuses"), RoleChange::NoMember);
    assert_eq!(bed.role_of(&a, &user).await, None);
    assert_eq!(bed.user_record(&user).await.generation, raised + 1);
    assert!(bed.epoch().await > moved);

    let mut conn = bed.store.write().await.expect("write");
    let mut account = conn.account(&a);
    assert!(account.member(&user).await.expect("looks").is_none());
    assert!(account.rename("Loja <b>").await.expect("renames"));
    let set = account.set_language(Language::Portuguese).await;
    assert!(set.expect("sets"));
    let kept = account.account().await.expect("reads").expect("there");
    assert_eq!(
        (kept.name.as_str(), kept.language.as_str()),
        ("Loja <b>", "pt-BR")
    );
    let of = conn.people().memberships_of(&owner).await.expect("lists");
    assert_eq!(of[0].account_name, "Loja <b>");
    assert_eq!(of[0].language, Language::Portuguese);
    let nowhere = AccountId::random(&OsRng);
    let mut account = conn.account(&nowhere);
    assert!(!account.rename("x").await.expect("not there"));
    let refused = account.set_role(&owner, Role::Owner).await;
    assert!(matches!(refused, Err(StoreError::NoParent)), "{refused:?}");
}

pub async fn the_last_owner_stays(bed: &Bed) {
    let a = bed.account("a").await;
    let owner = bed.member(&a, "ana@example.org", Role::Owner).await;
    let admin = bed.member(&a, "bob@example.org", Role::Admin).await;
    // Being an owner elsewhere does not count here.
    let b = bed.account("b").await;
    bed.member(&b, "zoe@example.org", Role::Owner).await;
    let epoch = bed.epoch().await;
    for change in [None, Some(Role::Admin), Some(Role::Viewer)] {
        let refused = bed.sets_role(&a, &owner, change).await;
        assert_eq!(refused.expect("refuses"), RoleChange::LastOwner);
    }
    let same = bed.sets_role(&a, &owner, Some(Role::Owner)).await;
    assert_eq!(same.expect("same"), RoleChange::Done);
    assert_eq!(bed.role_of(&a, &owner).await, Some(Role::Owner));
    assert_eq!(bed.user_record(&owner).await.generation, 0, "nothing ended");
    assert_eq!(bed.epoch().await, epoch);
    for (user, change, due) in [
        (&admin, Some(Role::Owner), RoleChange::Done),
        (&owner, Some(Role::Viewer), RoleChange::Done),
        (&admin, None, RoleChange::LastOwner),
        (&owner, None, RoleChange::Done),
    ] {
        let change = bed.sets_role(&a, user, change).await;
        assert_eq!(change.expect("changes"), due);
    }
}

/// Each looks at the other and sees that an owner will be left.
pub async fn of_two_owners_who_leave_at_once_one_stays(bed: &Bed) {
    for round in 0..12 {
        let a = bed.account("a").await;
        let mut owners = Vec::new();
        for n in 0..3 {
            let email = format!("{round}-{n}@example.org");
            owners.push(bed.member(&a, &email, Role::Owner).await);
        }
        let to = [None, Some(Role::Admin), None];
        let outcomes = tokio::join!(
            bed.sets_role(&a, &owners[0], to[round % 3]),
            bed.sets_role(&a, &owners[1], to[(round + 1) % 3]),
            bed.sets_role(&a, &owners[2], to[(round + 2) % 3]),
        );
        let mut counted = BTreeMap::new();
        for outcome in [outcomes.0, outcomes.1, outcomes.2] {
            let outcome = format!("{:?}", outcome.expect("waits for its turn"));
            *counted.entry(outcome).or_insert(0) += 1;
        }
        assert_eq!(
            counted,
            BTreeMap::from([("Done".into(), 2), ("LastOwner".into(), 1)])
        );
        let mut conn = bed.store.read().await.expect("read");
        let left = conn.account(&a).members().await.expect("lists");
        let left = left.iter().filter(|member| member.role == Role::Owner);
        assert_eq!(left.count(), 1);
    }
}

pub async fn invitations_are_listed_and_withdrawn(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let mut made = Vec::new();
    for (n, (account, email)) in [
        (&a, "one@example.org"),
        (&a, "two@example.org"),
        (&a, "used@example.org"),
        (&b, "one@example.org"),
    ]
    .into_iter()
    .enumerate()
    {
        let at = NOW.plus_secs(i64::try_from(n).expect("few"));
        let new = invitation(account, email, Role::Developer, None);
        made.push(bed.made(new, at).await);
    }
    assert!(bed.uses(&made[2], NOW.plus_secs(9)).await.is_some());
    let list = async |secs: i64| {
        let mut conn = bed.store.read().await.expect("read");
        let at = NOW.plus_secs(secs);
        conn.account(&a).invitations(at).await.expect("lists")
    };
    let listed = list(9).await;
    assert_eq!(listed.len(), 2);
    let first = &listed[0];
    assert_eq!(
        (&first.id, first.email.as_str()),
        (&made[0].id, "one@example.org")
    );
    assert_eq!((first.role, first.created_at), (Role::Developer, NOW));
    assert_eq!(first.expires_at, made[0].expires_at);
    assert_eq!(listed[1].id, made[1].id);
    assert!(list(3_600).await.is_empty(), "over");
    let withdraw = async |id: &LinkId| {
        let mut conn = bed.store.write().await.expect("write");
        let done = conn.account(&a).withdraw_invitation(id).await;
        conn.commit().await.expect("commit");
        done.expect("withdraws or not")
    };
    assert!(!withdraw(&made[3].id).await, "another account's");
    assert!(!withdraw(&made[2].id).await, "used");
    assert!(withdraw(&made[0].id).await);
    assert!(!withdraw(&made[0].id).await, "once");
    let listed: Vec<_> = list(9).await.into_iter().map(|link| link.id).collect();
    assert_eq!(listed, std::slice::from_ref(&made[1].id));
    for (link, held) in [(&made[0], false), (&made[1], true), (&made[3], true)] {
        assert_eq!(bed.uses(link, NOW.plus_secs(9)).await.is_some(), held);
    }
}

/// They might have invited another address of theirs.
pub async fn who_is_shown_out_leaves_no_invitation(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let owner = bed.member(&a, "owner@example.org", Role::Owner).await;
    let admin = bed.member(&a, "admin@example.org", Role::Admin).await;
    let invite = async |account: &AccountId, email: &str, by: &UserId| {
        let new = invitation(account, email, Role::Admin, Some(by));
        bed.made(new, NOW).await
    };
    let theirs = invite(&a, "x@example.org", &admin).await;
    let owners = invite(&a, "y@example.org", &owner).await;
    let elsewhere = invite(&b, "x@example.org", &admin).await;
    let raised = bed.sets_role(&a, &admin, Some(Role::Owner)).await;
    assert_eq!(raised.expect("raises"), RoleChange::Done);
    assert!(bed.shown_link(&theirs).await.expect("there").alive);
    let lowered = bed.sets_role(&a, &admin, Some(Role::Viewer)).await;
    assert_eq!(lowered.expect("lowers"), RoleChange::Done);
    assert!(bed.uses(&theirs, NOW).await.is_none());
    let again = invite(&a, "x@example.org", &admin).await;
    let removed = bed.sets_role(&a, &admin, None).await;
    assert_eq!(removed.expect("removes"), RoleChange::Done);
    assert!(bed.uses(&again, NOW).await.is_none());
    for kept in [&owners, &elsewhere] {
        assert!(bed.uses(kept, NOW).await.is_some());
    }
}

pub async fn no_member_crosses_accounts(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let ana = bed.member(&a, "ana@example.org", Role::Owner).await;
    let bob = bed.member(&b, "bob@example.org", Role::Viewer).await;
    for change in [None, Some(Role::Viewer)] {
        let change = bed.sets_role(&b, &ana, change).await;
        assert_eq!(change.expect("refuses"), RoleChange::NoMember);
        let change = bed.sets_role(&a, &bob, Some(Role::Owner)).await;
        assert_eq!(change.expect("refuses"), RoleChange::NoMember);
    }
    assert_eq!(bed.role_of(&a, &ana).await, Some(Role::Owner));
    assert_eq!(bed.role_of(&b, &bob).await, Some(Role::Viewer));
    for user in [&ana, &bob] {
        assert_eq!(bed.user_record(user).await.generation, 0);
    }
    let mut conn = bed.store.read().await.expect("read");
    for (account, user) in [(&a, &bob), (&b, &ana)] {
        let mut account = conn.account(account);
        assert!(account.member(user).await.expect("looks").is_none());
        assert_eq!(account.members().await.expect("lists").len(), 1);
    }
}
