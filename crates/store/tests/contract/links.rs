use recado_model::{AccountId, LinkId, LinkKind, Role, Timestamp, UserId, clock::OsRng};
use recado_store::{LinkRecord, NewLink};

use crate::bed::{Bed, NOW};

const HOUR: i64 = 3_600;

/// A link of that kind to nobody and nothing, for an hour.
fn link(kind: LinkKind) -> NewLink {
    let mut lookup = [0; 32];
    recado_model::Rng::fill(&OsRng, &mut lookup);
    NewLink {
        id: LinkId::random(&OsRng),
        kind,
        lookup,
        email: None,
        account: None,
        role: None,
        made_by: None,
        user: None,
        expires_at: NOW.plus_secs(HOUR),
    }
}

pub fn invitation(account: &AccountId, email: &str, role: Role, by: Option<&UserId>) -> NewLink {
    NewLink {
        email: Some(email.into()),
        account: Some(account.clone()),
        role: Some(role),
        made_by: by.cloned(),
        ..link(LinkKind::Invite)
    }
}

fn to(kind: LinkKind, email: &str) -> NewLink {
    NewLink {
        email: Some(email.into()),
        ..link(kind)
    }
}

impl Bed {
    pub async fn made(&self, new: NewLink, at: Timestamp) -> NewLink {
        let mut conn = self.store.write().await.expect("write");
        conn.people().make_link(&new, at).await.expect("makes");
        conn.commit().await.expect("commit");
        new
    }

    pub async fn shown_link(&self, new: &NewLink) -> Option<LinkRecord> {
        let mut conn = self.store.read().await.expect("read");
        conn.people().link(&new.lookup).await.expect("looks")
    }

    async fn alive(&self, new: &NewLink) -> bool {
        self.shown_link(new).await.is_some_and(|link| link.alive)
    }

    pub async fn uses(&self, new: &NewLink, at: Timestamp) -> Option<LinkRecord> {
        let mut conn = self.store.write().await.expect("write");
        let used = conn.people().use_link(&new.lookup, at).await;
        conn.commit().await.expect("commit");
        used.expect("uses or not")
    }
}

pub async fn a_link_is_good_once(bed: &Bed) {
    let a = bed.account("Shop").await;
    let owner = bed.member(&a, "owner@example.org", Role::Owner).await;
    let new = invitation(&a, " Eva@Example.org", Role::Viewer, Some(&owner));
    let new = bed.made(new, NOW).await;
    let shown = bed.shown_link(&new).await.expect("there");
    let record = LinkRecord {
        id: new.id.clone(),
        kind: LinkKind::Invite,
        email: Some("eva@example.org".into()),
        account: Some(a.clone()),
        account_name: Some("Shop".into()),
        role: Some(Role::Viewer),
        made_by: Some(owner.clone()),
        user: None,
        user_generation: None,
        created_at: NOW,
        expires_at: NOW.plus_secs(HOUR),
        used_at: None,
        alive: true,
    };
    assert_eq!(shown, record, "looking uses nothing up");
    assert!(bed.shown_link(&link(LinkKind::Invite)).await.is_none());
    assert!(bed.uses(&link(LinkKind::Invite), NOW).await.is_none());
    let at = NOW.plus_secs(5);
    let used = tokio::join!(bed.uses(&new, at), bed.uses(&new, at), bed.uses(&new, at));
    let won: Vec<_> = [used.0, used.1, used.2].into_iter().flatten().collect();
    let used = LinkRecord {
        used_at: Some(at),
        alive: false,
        ..record
    };
    assert_eq!(won, std::slice::from_ref(&used), "of several at once one");
    assert_eq!(bed.shown_link(&new).await, Some(used), "the second click");
    // To the millisecond.
    let end = NOW.plus_secs(HOUR);
    for (at, held) in [(end, false), (end.plus_millis(-1), true)] {
        let new = bed.made(link(LinkKind::Setup), NOW).await;
        assert_eq!(bed.uses(&new, at).await.is_some(), held);
    }
    // What is undone was not used.
    let new = bed.made(link(LinkKind::Setup), NOW).await;
    let mut conn = bed.store.write().await.expect("write");
    let used = conn.people().use_link(&new.lookup, NOW).await;
    assert!(used.expect("uses").is_some());
    drop(conn);
    assert!(bed.uses(&new, NOW).await.is_some());
    // An invitation goes with its account.
    let new = invitation(&a, "zoe@example.org", Role::Viewer, None);
    let new = bed.made(new, NOW).await;
    let mut conn = bed.store.write().await.expect("write");
    assert!(conn.system().delete_account(&a).await.expect("deletes"));
    conn.commit().await.expect("commit");
    assert!(bed.shown_link(&new).await.is_none());
}

pub async fn a_newer_link_takes_the_place(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let ana = bed.member(&a, "ana@example.org", Role::Owner).await;
    let bob = bed.member(&a, "bob@example.org", Role::Owner).await;
    let eva = "eva@example.org";
    let of = |user: &UserId, kind| NewLink {
        user: Some((user.clone(), 0)),
        ..to(kind, eva)
    };
    let mut stay = Vec::new();
    for other in [
        invitation(&b, eva, Role::Viewer, None),
        invitation(&a, "zoe@example.org", Role::Viewer, None),
        to(LinkKind::Signup, eva),
        of(&bob, LinkKind::Email),
        of(&bob, LinkKind::Reset),
        link(LinkKind::Setup),
    ] {
        stay.push(bed.made(other, NOW).await);
    }
    for pair in [
        [
            invitation(&a, eva, Role::Viewer, Some(&ana)),
            invitation(&a, "EVA@example.org", Role::Owner, Some(&bob)),
        ],
        [of(&ana, LinkKind::Email), of(&ana, LinkKind::Email)],
        [of(&ana, LinkKind::Reset), of(&ana, LinkKind::Reset)],
    ] {
        let [old, new] = pair;
        let old = bed.made(old, NOW).await;
        let new = bed.made(new, NOW.plus_secs(1)).await;
        assert!(!bed.alive(&old).await, "{:?}", old.kind);
        assert!(bed.alive(&new).await, "{:?}", new.kind);
        // Also by a clock that was set back to before it was made.
        for at in [NOW.plus_secs(2), NOW.plus_secs(-HOUR)] {
            assert!(bed.uses(&old, at).await.is_none(), "{:?}", old.kind);
        }
        assert!(bed.uses(&new, NOW).await.is_some(), "{:?}", new.kind);
    }
    for other in &stay {
        assert!(bed.alive(other).await, "{other:?}");
    }
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    let dropped = people.drop_links(LinkKind::Invite, Some(" Eva@example.org"));
    assert_eq!(dropped.await.expect("drops"), 1, "the used one was dead");
    let dropped = people.drop_links(LinkKind::Setup, None).await;
    assert_eq!(dropped.expect("drops"), 1);
    let again = people.drop_links(LinkKind::Setup, None).await;
    assert_eq!(again.expect("drops"), 0);
    conn.commit().await.expect("commit");
    let alive = [false, true, true, true, true, false];
    for (other, alive) in stay.iter().zip(alive) {
        assert_eq!(bed.alive(other).await, alive, "{other:?}");
        assert_eq!(bed.uses(other, NOW).await.is_some(), alive, "{other:?}");
    }
}

/// A reset must not undo what the person, or an operator, has changed since it was sent.
pub async fn a_link_dies_with_what_it_was_for(bed: &Bed) {
    let a = bed.account("a").await;
    let user = bed.member(&a, "ana@example.org", Role::Owner).await;
    for kind in [LinkKind::Reset, LinkKind::Email] {
        let generation = bed.user_record(&user).await.generation;
        let new = NewLink {
            user: Some((user.clone(), generation)),
            ..to(kind, "new@example.org")
        };
        let new = bed.made(new, NOW).await;
        let shown = bed.shown_link(&new).await.expect("there");
        assert_eq!(shown.user.as_ref(), Some(&user));
        assert_eq!(shown.user_generation, Some(generation));
        assert!(shown.alive);
        let mut conn = bed.store.write().await.expect("write");
        let set = conn.people().set_password(&user, "$argon2id$new").await;
        set.expect("sets");
        conn.commit().await.expect("commit");
        assert!(!bed.alive(&new).await);
        assert!(bed.uses(&new, NOW).await.is_none());
        let shown = bed.shown_link(&new).await.expect("there");
        assert_eq!((shown.used_at, shown.expires_at), (None, new.expires_at));
    }
    // A change that is under way counts: whoever uses the link waits for it.
    let generation = bed.user_record(&user).await.generation;
    let new = NewLink {
        user: Some((user.clone(), generation)),
        ..to(LinkKind::Reset, "ana@example.org")
    };
    let new = bed.made(new, NOW).await;
    let mut conn = bed.store.write().await.expect("write");
    let set = conn.people().set_password(&user, "$argon2id$last").await;
    set.expect("sets");
    let mut using = std::pin::pin!(bed.uses(&new, NOW));
    let soon = std::time::Duration::from_millis(200);
    let waits = tokio::time::timeout(soon, &mut using).await;
    assert!(waits.is_err(), "{waits:?}");
    conn.commit().await.expect("commit");
    assert!(using.await.is_none());
}

pub async fn links_are_counted_and_pruned(bed: &Bed) {
    let a = bed.account("a").await;
    let eva = "eva@example.org";
    let mut made = Vec::new();
    for secs in [0, 10, 20] {
        let new = invitation(&a, eva, Role::Viewer, None);
        let new = NewLink {
            expires_at: NOW.plus_secs(secs + 100),
            ..new
        };
        made.push(bed.made(new, NOW.plus_secs(secs)).await);
    }
    bed.made(to(LinkKind::Reset, eva), NOW).await;
    bed.made(to(LinkKind::Invite, "zoe@example.org"), NOW).await;
    let count = async |secs: i64| {
        let mut conn = bed.store.read().await.expect("read");
        let mut people = conn.people();
        let since = NOW.plus_secs(secs);
        let counted = people.count_links_since(LinkKind::Invite, "EVA@example.org", since);
        counted.await.expect("counts")
    };
    assert_eq!(
        (count(0).await, count(10).await, count(11).await),
        (3, 2, 1)
    );
    // Letters that were sent stay sent, whatever became of the links.
    let mut conn = bed.store.write().await.expect("write");
    let withdrawn = conn.account(&a).withdraw_invitation(&made[2].id).await;
    assert!(withdrawn.expect("withdraws"));
    conn.commit().await.expect("commit");
    assert_eq!(count(0).await, 3);

    // Those that were replaced or withdrawn ended when they were made.
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    let mut pruned = Vec::new();
    for _ in 0..3 {
        let some = people.prune_links(NOW.plus_secs(20), 1).await;
        pruned.push(some.expect("prunes"));
    }
    assert_eq!(pruned, [1, 1, 0], "in batches");
    let one = people.prune_links(NOW.plus_secs(21), 99).await;
    assert_eq!(one.expect("prunes"), 1);
    let rest = people.prune_links(NOW.plus_secs(HOUR), 99).await;
    assert_eq!(rest.expect("prunes"), 0);
    let rest = people.prune_links(NOW.plus_secs(HOUR + 1), 99).await;
    assert_eq!(rest.expect("prunes"), 2);
    conn.commit().await.expect("commit");
}
