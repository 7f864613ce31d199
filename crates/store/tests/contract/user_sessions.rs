use recado_model::{AccountId, Role, Timestamp, UserId, UserSessionId, clock::OsRng};
use recado_store::{NewUserSession, RoleChange, SESSIONS_PER_USER, SessionRecord, StoreError};

use crate::bed::{Bed, NOW};

/// A cookie's hash that is no other's.
fn lookup() -> [u8; 32] {
    let mut bytes = [0; 32];
    recado_model::Rng::fill(&OsRng, &mut bytes);
    bytes
}

impl Bed {
    fn session(&self, user: &UserId, account: &AccountId, generation: i64) -> NewUserSession {
        NewUserSession {
            id: UserSessionId::random(&OsRng),
            user: user.clone(),
            user_generation: generation,
            account: account.clone(),
            lookup: lookup(),
            address: Some("192.0.2.7".into()),
            agent: Some("Browser\u{202e} <b>".into()),
        }
    }

    async fn opens(&self, new: &NewUserSession, at: Timestamp) -> bool {
        let mut conn = self.store.write().await.expect("write");
        let opened = conn.people().open_user_session(new, at).await;
        conn.commit().await.expect("commit");
        opened.expect("opens or not").is_some()
    }

    /// A session of that user under the generation of now.
    async fn signed_in(&self, user: &UserId, account: &AccountId) -> NewUserSession {
        let generation = self.user_record(user).await.generation;
        let new = self.session(user, account, generation);
        assert!(self.opens(&new, NOW).await);
        new
    }

    async fn found(&self, lookup: &[u8; 32]) -> Option<SessionRecord> {
        let mut conn = self.store.read().await.expect("read");
        let found = conn.people().user_session_by_lookup(lookup).await;
        found.expect("looks")
    }

    /// Whether the session is there and has not ended.
    async fn holds(&self, session: &NewUserSession) -> bool {
        let found = self.found(&session.lookup).await;
        found.is_some_and(|found| found.generations_hold)
    }
}

pub async fn a_session_is_opened_and_found(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let user = bed.member(&a, "ana@example.org", Role::Developer).await;
    let epoch = bed.epoch().await;
    let new = bed.signed_in(&user, &a).await;
    assert_eq!(bed.epoch().await, epoch, "nobody can have shown its cookie");
    let before = bed.store.statements();
    let found = bed.found(&new.lookup).await.expect("there");
    assert_eq!(bed.store.statements() - before, 1);
    assert_eq!(
        found,
        SessionRecord {
            id: new.id.clone(),
            user: user.clone(),
            account: a.clone(),
            role: Role::Developer,
            email: "ana@example.org".into(),
            operator: false,
            has_second_factor: false,
            created_at: NOW,
            seen_at: NOW,
            proven_at: None,
            switches: 0,
            user_generation: 0,
            account_generation: 0,
            generations_hold: true,
        }
    );
    let later = NOW.plus_secs(60);
    let mut conn = bed.store.write().await.expect("write");
    // The first by a clock that was ahead.
    for at in [NOW.plus_secs(3600), later, NOW] {
        let noted = conn.people().touch_user_session(&new.id, at).await;
        noted.expect("notes");
    }
    let epoch = conn.system().epoch().await.expect("epoch");
    let proven = conn.people().prove_user_session(&new.id, Some(later)).await;
    assert!(proven.expect("proves"));
    assert!(conn.system().epoch().await.expect("epoch") > epoch);
    conn.people().set_operator(&user, true).await.expect("sets");
    let now = conn.people().user_session(&new.id).await.expect("looks");
    assert_eq!(
        now,
        Some(SessionRecord {
            operator: true,
            seen_at: later,
            proven_at: Some(later),
            ..found
        }),
        "as it is now, and not seen earlier than before by two clocks that differ a little"
    );
    let back = conn.people().prove_user_session(&new.id, None).await;
    assert!(back.expect("takes it back"));
    let now = conn.people().user_session(&new.id).await.expect("looks");
    assert_eq!(now.expect("there").proven_at, None);
    let nobody = UserSessionId::random(&OsRng);
    let proven = conn.people().prove_user_session(&nobody, Some(NOW)).await;
    assert!(!proven.expect("not there"));
    assert!(
        conn.people()
            .user_session(&nobody)
            .await
            .expect("looks")
            .is_none()
    );
    conn.commit().await.expect("commit");
    assert!(bed.found(&lookup()).await.is_none());

    // Who is no member, or was proven under another password than the one of now, does not get in.
    assert!(!bed.opens(&bed.session(&user, &b, 0), NOW).await);
    assert!(!bed.opens(&bed.session(&user, &a, 1), NOW).await);
    let nobody = UserId::random(&OsRng);
    assert!(!bed.opens(&bed.session(&nobody, &a, 0), NOW).await);
    let mut conn = bed.store.write().await.expect("write");
    let changed = conn.people().set_password(&user, "$argon2id$new").await;
    assert_eq!(changed.expect("sets"), 1);
    conn.commit().await.expect("commit");
    let late = bed.session(&user, &a, 0);
    assert!(!bed.opens(&late, NOW).await);
    assert!(bed.found(&late.lookup).await.is_none());
    // A cookie is one session's.
    let second = bed.signed_in(&user, &a).await;
    let twice = NewUserSession {
        lookup: second.lookup,
        ..bed.session(&user, &a, 1)
    };
    let mut conn = bed.store.write().await.expect("write");
    let twice = conn.people().open_user_session(&twice, NOW).await;
    assert!(matches!(twice, Err(StoreError::Unique { .. })), "{twice:?}");
}

pub async fn what_ends_a_session(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let owner = bed.member(&a, "owner@example.org", Role::Owner).await;
    let user = bed.member(&a, "ana@example.org", Role::Admin).await;
    let mut conn = bed.store.write().await.expect("write");
    let added = conn.people().add_member(&b, &user, Role::Admin, NOW).await;
    assert!(added.expect("member"));
    conn.commit().await.expect("commit");
    let seed = b"a seed of 20 bytes..";
    // The change; whether the session of the same user in the other account ends with it, and that of
    // another user in the same account.
    let changes = [
        ("password", true, false),
        ("email", true, false),
        ("factor", true, false),
        ("no factor", true, false),
        ("role", true, false),
        ("everywhere", false, true),
        ("all of the user", true, false),
        ("membership", true, false),
    ];
    for (change, other_account, other_user) in changes {
        let here = bed.signed_in(&user, &a).await;
        let there = bed.signed_in(&user, &b).await;
        let else_one = bed.signed_in(&owner, &a).await;
        for session in [&here, &there, &else_one] {
            assert!(bed.holds(session).await, "{change}");
        }
        let epoch = bed.epoch().await;
        let mut conn = bed.store.write().await.expect("write");
        match change {
            "password" => {
                let set = conn.people().set_password(&user, "$argon2id$new").await;
                set.expect("sets");
            }
            "email" => {
                let set = conn.people().set_email(&user, "eva@example.org").await;
                assert!(set.expect("sets"));
            }
            "factor" => {
                conn.people().begin_totp(&user, seed).await.expect("begins");
                let done = conn.people().confirm_totp(&user, seed, 1, &[]).await;
                assert!(done.expect("confirms").is_some());
            }
            "no factor" => {
                conn.people().remove_totp(&user).await.expect("removes");
            }
            "role" => {
                let set = conn.account(&a).set_role(&user, Role::Viewer).await;
                assert_eq!(set.expect("sets"), RoleChange::Done);
            }
            "everywhere" => {
                let raised = conn.account(&a).raise_generation().await;
                raised.expect("raises");
            }
            "all of the user" => {
                let ended = conn.people().end_user_sessions(&user).await;
                assert!(ended.expect("ends") >= 2);
            }
            _ => {
                let removed = conn.account(&a).remove_member(&user).await;
                assert_eq!(removed.expect("removes"), RoleChange::Done);
            }
        }
        conn.commit().await.expect("commit");
        assert!(!bed.holds(&here).await, "{change}");
        assert_eq!(!bed.holds(&there).await, other_account, "{change}");
        assert_eq!(!bed.holds(&else_one).await, other_user, "{change}");
        assert!(bed.epoch().await > epoch, "{change}: nobody hears of it");
    }
    let gone = bed.signed_in(&owner, &a).await;
    let mut conn = bed.store.write().await.expect("write");
    assert!(conn.system().delete_account(&a).await.expect("deletes"));
    conn.commit().await.expect("commit");
    assert!(bed.found(&gone.lookup).await.is_none());
}

pub async fn a_session_moves_to_another_account(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let foreign = bed.account("c").await;
    let user = bed.member(&a, "ana@example.org", Role::Viewer).await;
    let mut conn = bed.store.write().await.expect("write");
    let added = conn.people().add_member(&b, &user, Role::Owner, NOW).await;
    assert!(added.expect("member"));
    // Its generation is another one than A's.
    conn.account(&b).raise_generation().await.expect("raises");
    conn.commit().await.expect("commit");
    let session = bed.signed_in(&user, &a).await;
    let switch = async |account: &AccountId, lookup: &[u8; 32]| {
        let mut conn = bed.store.write().await.expect("write");
        let mut people = conn.people();
        let switched = people
            .switch_user_session(&session.id, account, lookup)
            .await;
        conn.commit().await.expect("commit");
        switched.expect("switches or not")
    };
    let (second, third) = (lookup(), lookup());
    assert!(!switch(&foreign, &second).await, "no member there");
    assert!(bed.holds(&session).await, "nothing happened");
    let epoch = bed.epoch().await;
    assert!(switch(&b, &second).await);
    assert!(bed.epoch().await > epoch);
    assert!(bed.found(&session.lookup).await.is_none(), "the old cookie");
    let moved = bed.found(&second).await.expect("there");
    assert_eq!((&moved.id, &moved.account), (&session.id, &b));
    assert_eq!((moved.role, moved.account_generation), (Role::Owner, 1));
    assert!(moved.generations_hold);
    assert_eq!(moved.switches, 1);
    // Back again is not as before: what came of the session then does not come back.
    let fourth = lookup();
    assert!(switch(&a, &fourth).await);
    assert_eq!(bed.found(&fourth).await.expect("there").switches, 2);
    // An ended session does not come to life by moving on.
    for ends in ["account", "user"] {
        let session = bed.signed_in(&user, &a).await;
        let mut conn = bed.store.write().await.expect("write");
        match ends {
            "account" => conn.account(&a).raise_generation().await.expect("raises"),
            _ => {
                let raised = conn.people().raise_user_generation(&user).await;
                raised.expect("raises");
            }
        }
        let mut people = conn.people();
        let moved = people.switch_user_session(&session.id, &b, &third).await;
        assert!(!moved.expect("refuses"), "{ends}");
        conn.commit().await.expect("commit");
    }
    assert!(bed.found(&third).await.is_none());
}

pub async fn a_session_goes_on_after_ones_own_change(bed: &Bed) {
    let a = bed.account("a").await;
    let user = bed.member(&a, "ana@example.org", Role::Viewer).await;
    let session = bed.signed_in(&user, &a).await;
    let other = bed.signed_in(&user, &a).await;
    let (second, third) = (lookup(), lookup());
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    let proven = people.prove_user_session(&session.id, Some(NOW)).await;
    assert!(proven.expect("proves"));
    people
        .set_password(&user, "$argon2id$2")
        .await
        .expect("sets");
    let renewed = people.renew_user_session(&session.id, &second).await;
    assert!(renewed.expect("renews"));
    conn.commit().await.expect("commit");
    assert!(bed.found(&session.lookup).await.is_none(), "the old cookie");
    let found = bed.found(&second).await.expect("there");
    assert!(found.generations_hold);
    assert_eq!((&found.id, found.user_generation), (&session.id, 1));
    assert_eq!(found.proven_at, Some(NOW));
    assert!(!bed.holds(&other).await);
    // The other one has ended: its own change, which comes too late, does not bring it back.
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    people
        .set_password(&user, "$argon2id$3")
        .await
        .expect("sets");
    let renewed = people.renew_user_session(&other.id, &third).await;
    assert!(!renewed.expect("refuses"));
    drop(conn);
    // Nor does one in an account that signed everybody out.
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&a).raise_generation().await.expect("raises");
    let renewed = conn.people().renew_user_session(&session.id, &third).await;
    assert!(!renewed.expect("refuses"));
}

pub async fn sessions_are_listed_and_ended(bed: &Bed) {
    let (a, b) = (bed.account("a").await, bed.account("b").await);
    let user = bed.member(&a, "ana@example.org", Role::Viewer).await;
    let other = bed.member(&a, "bob@example.org", Role::Viewer).await;
    let mut conn = bed.store.write().await.expect("write");
    let added = conn.people().add_member(&b, &user, Role::Owner, NOW).await;
    assert!(added.expect("member"));
    conn.commit().await.expect("commit");
    let mut own = Vec::new();
    for (secs, account) in [(0, &a), (20, &b), (10, &a)] {
        let new = bed.session(&user, account, 0);
        assert!(bed.opens(&new, NOW.plus_secs(secs)).await);
        own.push(new);
    }
    let foreign = bed.signed_in(&other, &a).await;
    let list = async || {
        let mut conn = bed.store.read().await.expect("read");
        conn.people().user_sessions(&user).await.expect("lists")
    };
    let rows = list().await;
    let order: Vec<_> = rows.iter().map(|row| &row.id).collect();
    assert_eq!(order, [&own[1].id, &own[2].id, &own[0].id]);
    let first = &rows[0];
    assert_eq!((&first.account, first.account_name.as_str()), (&b, "b"));
    assert_eq!(first.created_at, NOW.plus_secs(20));
    assert_eq!(first.seen_at, first.created_at);
    assert_eq!(first.address.as_deref(), Some("192.0.2.7"));
    assert_eq!(first.agent, own[1].agent, "as it came: text stays text");
    let mut conn = bed.store.write().await.expect("write");
    conn.account(&b).raise_generation().await.expect("raises");
    let ended = conn.people().end_user_session(&user, &foreign.id).await;
    assert!(!ended.expect("not theirs"));
    conn.commit().await.expect("commit");
    let alive: Vec<_> = list().await.iter().map(|row| row.alive).collect();
    assert_eq!(alive, [false, true, true]);
    let mut conn = bed.store.write().await.expect("write");
    for ended in [true, false] {
        let epoch = conn.system().epoch().await;
        let gone = conn.people().end_user_session(&user, &own[0].id).await;
        assert_eq!(gone.expect("ends"), ended);
        let moved = conn.system().epoch().await.expect("epoch") > epoch.expect("epoch");
        assert_eq!(moved, ended, "what ended nothing is nobody's business");
    }
    for ended in [1, 0] {
        let epoch = conn.system().epoch().await.expect("epoch");
        let gone = conn
            .people()
            .end_other_user_sessions(&user, &own[2].id)
            .await;
        assert_eq!(gone.expect("ends"), ended);
        let moved = conn.system().epoch().await.expect("epoch") > epoch;
        assert_eq!(moved, ended > 0);
    }
    conn.commit().await.expect("commit");
    let left: Vec<_> = list().await.into_iter().map(|row| row.id).collect();
    assert_eq!(left, std::slice::from_ref(&own[2].id));
    assert!(bed.holds(&foreign).await);
}

pub async fn a_user_has_so_many_sessions_at_most(bed: &Bed) {
    let a = bed.account("a").await;
    let user = bed.member(&a, "ana@example.org", Role::Viewer).await;
    let other = bed.member(&a, "bob@example.org", Role::Viewer).await;
    let bystander = bed.signed_in(&other, &a).await;
    let mut opened = Vec::new();
    for n in 0..SESSIONS_PER_USER {
        let new = bed.session(&user, &a, 0);
        assert!(bed.opens(&new, NOW.plus_secs(n)).await);
        opened.push(new);
    }
    assert!(bed.holds(&opened[0]).await, "so many fit");
    let epoch = bed.epoch().await;
    let count = async || {
        let mut conn = bed.store.read().await.expect("read");
        let rows = conn.people().user_sessions(&user).await.expect("lists");
        i64::try_from(rows.len()).expect("few")
    };
    // Of two at once the second waits for the first, and counts it.
    let (x, y) = (bed.session(&user, &a, 0), bed.session(&user, &a, 0));
    let mut conn = bed.store.write().await.expect("write");
    let opened_first = conn.people().open_user_session(&x, NOW.plus_secs(98)).await;
    assert_eq!(opened_first.expect("opens"), Some(1));
    let mut second = std::pin::pin!(bed.opens(&y, NOW.plus_secs(99)));
    let soon = std::time::Duration::from_millis(200);
    let waits = tokio::time::timeout(soon, &mut second).await;
    assert!(waits.is_err(), "{waits:?}");
    conn.commit().await.expect("commit");
    assert!(second.await);
    assert_eq!(count().await, SESSIONS_PER_USER);
    assert!(bed.epoch().await > epoch);
    // By a clock that was set back.
    let back = bed.session(&user, &a, 0);
    assert!(bed.opens(&back, NOW.plus_secs(-99)).await);
    assert_eq!(count().await, SESSIONS_PER_USER);
    for session in [&x, &y, &back, &bystander, &opened[3]] {
        assert!(bed.holds(session).await);
    }
    for session in &opened[..3] {
        assert!(!bed.holds(session).await, "the oldest");
    }
}

pub async fn old_sessions_are_pruned(bed: &Bed) {
    let a = bed.account("a").await;
    let user = bed.member(&a, "ana@example.org", Role::Viewer).await;
    let mut opened = Vec::new();
    // When it was opened and last seen.
    for (created, seen) in [(0, 500), (50, 60), (200, 210), (200, 500), (900, 901)] {
        let new = bed.session(&user, &a, 0);
        assert!(bed.opens(&new, NOW.plus_secs(created)).await);
        let mut conn = bed.store.write().await.expect("write");
        let at = NOW.plus_secs(seen);
        let touched = conn.people().touch_user_session(&new.id, at).await;
        touched.expect("notes");
        conn.commit().await.expect("commit");
        opened.push(new);
    }
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    let (created, seen, ahead) = (NOW.plus_secs(50), NOW.plus_secs(210), NOW.plus_secs(900));
    let mut pruned = Vec::new();
    for _ in 0..4 {
        let some = people.prune_user_sessions(created, seen, ahead, 1).await;
        pruned.push(some.expect("prunes"));
    }
    assert_eq!(pruned, [1, 1, 1, 0]);
    let left = people.user_sessions(&user).await.expect("lists");
    let mut left: Vec<_> = left.into_iter().map(|row| row.id).collect();
    left.sort_unstable();
    let mut due = vec![opened[2].id.clone(), opened[3].id.clone()];
    due.sort_unstable();
    assert_eq!(left, due);
}
