use recado_model::{AccountId, Language, Role, Timestamp, UserId, clock::OsRng};
use recado_store::{
    Membership, NewUser, SUPERSEDED_MS, Store, StoreError, UserRecord,
    people::user_networks::NETWORKS_PER_USER,
};

use crate::bed::{Bed, NOW};

const SEED: &[u8] = b"a seed of 20 bytes..";
const OTHER: &[u8] = b"another of 20 bytes.";

/// `n` recovery codes' hashes that begin with `first`.
fn codes(first: u8, n: u8) -> Vec<[u8; 32]> {
    (0..n).map(|at| [first.wrapping_add(at); 32]).collect()
}

impl Bed {
    pub async fn user_record(&self, id: &UserId) -> UserRecord {
        let mut conn = self.store.read().await.expect("read");
        let user = conn.people().user(id).await.expect("looks");
        user.expect("there")
    }
}

pub async fn a_user_is_kept_and_found(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    assert!(!conn.people().any_user().await.expect("looks"));
    let id = UserId::random(&OsRng);
    let new = NewUser {
        id: &id,
        email: " Ana@Example.ORG",
        password_hash: "$argon2id$1",
        operator: true,
        language: Language::Portuguese,
    };
    conn.people().create_user(&new, NOW).await.expect("user");
    conn.commit().await.expect("commit");
    let mut found = bed.user_record(&id).await;
    assert_eq!(found.password_hash.expose(), "$argon2id$1");
    assert!(!format!("{found:?}").contains("argon2id"));
    assert_eq!(
        (found.email.as_str(), found.operator, found.language),
        ("ana@example.org", true, Language::Portuguese)
    );
    assert_eq!((found.generation, found.has_second_factor), (0, false));
    assert_eq!((found.created_at, found.last_login_at), (NOW, None));

    let later = NOW.plus_secs(5);
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    assert!(people.any_user().await.expect("looks"));
    let network = Some("203.0.113.7/32");
    people.logged_in(&id, network, later).await.expect("notes");
    for (email, network, since, known) in [
        ("ana@example.org", "203.0.113.7/32", later, true),
        (" Ana@Example.org", "203.0.113.7/32", later, true),
        ("ana@example.org", "203.0.113.8/32", later, false),
        (
            "ana@example.org",
            "203.0.113.7/32",
            later.plus_millis(1),
            false,
        ),
        ("nobody@example.com", "203.0.113.7/32", later, false),
    ] {
        let found = people.is_known_network(email, network, since).await;
        assert_eq!(found.expect("looks"), known, "{email} {network}");
    }
    for n in 0..60 {
        let network = format!("198.51.100.{n}/32");
        let at = later.plus_secs(n);
        people
            .logged_in(&id, Some(&network), at)
            .await
            .expect("notes");
    }
    let mut known = 0;
    for n in 0..60 {
        let network = format!("198.51.100.{n}/32");
        let found = people.is_known_network("ana@example.org", &network, later);
        known += i64::from(found.await.expect("looks"));
    }
    assert_eq!(known, NETWORKS_PER_USER, "the oldest go");
    let end = later.plus_secs(1000);
    assert_eq!(
        people.prune_user_networks(end, 20).await.expect("prunes"),
        20
    );
    assert_eq!(
        people.prune_user_networks(end, 500).await.expect("prunes"),
        30
    );
    people.logged_in(&id, None, later).await.expect("notes");
    let set = people.set_user_language(&id, Language::Spanish).await;
    assert!(set.expect("sets"));
    assert!(people.set_operator(&id, false).await.expect("sets"));
    (found.last_login_at, found.language) = (Some(later), Language::Spanish);
    found.operator = false;
    let by_email = people.user_by_email("ANA@example.org ").await;
    assert_eq!(by_email.expect("looks"), Some(found));
    let nobody = UserId::random(&OsRng);
    assert_eq!(people.user(&nobody).await.expect("looks"), None);
    let unknown = people.user_by_email("eva@example.org").await;
    assert_eq!(unknown.expect("looks"), None);
    assert!(!people.set_operator(&nobody, true).await.expect("nobody"));
    let raised = people.raise_user_generation(&nobody).await;
    assert!(matches!(raised, Err(StoreError::NoParent)), "{raised:?}");

    // An older sort order of one database must not show: by e-mail, by name.
    let zoe = bed.user_in(&mut conn, "Zoe@example.org").await;
    let bob = bed.user_in(&mut conn, "bob@example.org").await;
    conn.commit().await.expect("commit");
    let (b, a) = (bed.account("b").await, bed.account("a").await);
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    for (account, role) in [(&b, Role::Viewer), (&a, Role::Owner)] {
        let added = people.add_member(account, &bob, role, NOW).await;
        assert!(added.expect("member"));
        // An invitation lowers nobody, and raises nobody.
        for role in [Role::Viewer, Role::Owner] {
            let again = people.add_member(account, &bob, role, later).await;
            assert!(!again.expect("a member already"));
        }
    }
    let is = |account: &AccountId, name: &str, role| Membership {
        account: account.clone(),
        account_name: name.into(),
        language: Language::English,
        role,
    };
    assert_eq!(
        people.memberships_of(&bob).await.expect("lists"),
        [is(&a, "a", Role::Owner), is(&b, "b", Role::Viewer)]
    );
    assert!(people.memberships_of(&zoe).await.expect("lists").is_empty());
    people.begin_totp(&zoe, SEED).await.expect("begins");
    let confirmed = people.confirm_totp(&zoe, SEED, 1, &[]).await;
    assert!(confirmed.expect("confirms").is_some());
    let listed = people.users().await.expect("lists");
    let shown: Vec<_> = listed
        .iter()
        .map(|user| (user.email.as_str(), user.second_factor, user.accounts))
        .collect();
    assert_eq!(
        shown,
        [
            ("ana@example.org", false, 0),
            ("bob@example.org", false, 2),
            ("zoe@example.org", true, 0)
        ]
    );
    assert_eq!(listed[0].last_login_at, Some(later));
    conn.commit().await.expect("commit");
}

pub async fn what_changes_a_user_ends_what_they_have_open(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    let id = bed.user_in(&mut conn, "ana@example.org").await;
    conn.commit().await.expect("commit");
    let other = bed.account("a").await;
    let other = bed.member(&other, "bob@example.org", Role::Viewer).await;
    let mut last = bed.epoch().await;
    for (n, change) in ["password", "e-mail", "factor", "no factor", "plainly"]
        .into_iter()
        .enumerate()
    {
        let mut conn = bed.store.write().await.expect("write");
        let mut people = conn.people();
        let generation = match change {
            "password" => people.set_password(&id, "$argon2id$new").await,
            "e-mail" => {
                let set = people.set_email(&id, "Ana@Example.com").await;
                assert!(set.expect("sets"));
                Ok(people.user(&id).await.expect("looks").expect("there"))
                    .map(|user| user.generation)
            }
            "factor" => {
                people.begin_totp(&id, SEED).await.expect("begins");
                let confirmed = people.confirm_totp(&id, SEED, 7, &[]).await;
                confirmed.map(|generation| generation.expect("confirmed"))
            }
            "no factor" => people.remove_totp(&id).await,
            _ => people.raise_user_generation(&id).await,
        };
        let due = i64::try_from(n).expect("few") + 1;
        assert_eq!(generation.expect("raises"), due, "{change}");
        conn.commit().await.expect("commit");
        assert_eq!(bed.user_record(&id).await.generation, due, "{change}");
        let epoch = bed.epoch().await;
        assert!(epoch > last, "{change}: nobody hears of it");
        last = epoch;
    }
    let now = bed.user_record(&id).await;
    assert_eq!(now.password_hash.expose(), "$argon2id$new");
    assert_eq!(now.email, "ana@example.com");
    // Hashing the same password anew ends nothing, and undoes no change.
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    for (old, done) in [("$argon2id$old", false), ("$argon2id$new", true)] {
        let upgraded = people.upgrade_password_hash(&id, old, "$argon2id$better");
        assert_eq!(upgraded.await.expect("compares"), done);
    }
    conn.commit().await.expect("commit");
    let upgraded = bed.user_record(&id).await;
    assert_eq!(upgraded.password_hash.expose(), "$argon2id$better");
    assert_eq!((upgraded.generation, bed.epoch().await), (5, last));
    let bystander = bed.user_record(&other).await;
    assert_eq!(bystander.generation, 0);
    assert_eq!(bystander.password_hash.expose(), "$argon2id$old");
}

pub async fn an_email_has_one_user(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    let ana = bed.user_in(&mut conn, "ana@example.org").await;
    let bob = bed.user_in(&mut conn, "bob@example.org").await;
    let mut people = conn.people();
    assert!(
        !people
            .set_email(&bob, " ANA@example.org")
            .await
            .expect("taken")
    );
    // The transaction goes on: what comes after it is kept.
    assert!(
        people
            .set_email(&ana, "Ana@example.org")
            .await
            .expect("own")
    );
    conn.commit().await.expect("commit");
    let (ana, bob) = (bed.user_record(&ana).await, bed.user_record(&bob).await);
    assert_eq!((ana.email.as_str(), ana.generation), ("ana@example.org", 1));
    assert_eq!((bob.email.as_str(), bob.generation), ("bob@example.org", 0));
    let mut conn = bed.store.write().await.expect("write");
    let nobody = UserId::random(&OsRng);
    let set = conn.people().set_email(&nobody, "x@example.org").await;
    assert!(matches!(set, Err(StoreError::NoParent)), "{set:?}");
    drop(conn);

    // Of two who want it at once, one gets it.
    let want = async |id: &UserId| {
        let mut conn = bed.store.write().await?;
        let set = conn.people().set_email(id, "new@example.org").await?;
        conn.commit().await?;
        Ok::<_, StoreError>(set)
    };
    let outcomes = tokio::join!(want(&ana.id), want(&bob.id));
    let got = |outcome: Result<bool, StoreError>| match outcome {
        Ok(got) => got,
        Err(StoreError::Unique { .. }) => false,
        Err(error) => panic!("{error}"),
    };
    assert!(got(outcomes.0) != got(outcomes.1));
}

pub async fn the_second_factor_is_kept(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    let id = bed.user_in(&mut conn, "ana@example.org").await;
    let other = bed.user_in(&mut conn, "bob@example.org").await;
    let mut people = conn.people();
    assert!(people.totp(&id).await.expect("none").is_none());
    assert!(people.pending_totp(&id).await.expect("none").is_none());
    assert!(!people.use_totp_step(&id, 9, 0).await.expect("no factor"));
    people.begin_totp(&id, OTHER).await.expect("begins");
    people.begin_totp(&id, SEED).await.expect("begins anew");
    let pending = people.pending_totp(&id).await.expect("opens");
    assert_eq!(**pending.as_ref().expect("begun"), *SEED);
    assert!(people.totp(&id).await.expect("none yet").is_none());
    // The device has the seed that was begun first.
    let stale = people.confirm_totp(&id, OTHER, 7, &codes(1, 3)).await;
    assert_eq!(stale.expect("compares"), None);
    assert_eq!(people.recovery_codes_left(&id).await.expect("counts"), 0);
    let confirmed = people.confirm_totp(&id, SEED, 7, &codes(1, 3)).await;
    assert_eq!(confirmed.expect("confirms"), Some(1));
    let twice = people.confirm_totp(&id, SEED, 8, &codes(9, 1)).await;
    assert_eq!(twice.expect("compares"), None);
    assert!(people.pending_totp(&id).await.expect("gone").is_none());
    let (seed, step) = people.totp(&id).await.expect("opens").expect("there");
    assert_eq!((&**seed, step), (SEED, 7));
    assert_eq!(people.recovery_codes_left(&id).await.expect("counts"), 3);
    let record = people.user(&id).await.expect("looks").expect("there");
    assert!(record.has_second_factor);
    // A new one that was begun changes nothing until it is confirmed.
    people.begin_totp(&id, OTHER).await.expect("begins");
    let (seed, _) = people.totp(&id).await.expect("opens").expect("there");
    assert_eq!(&**seed, SEED);
    let refused = people.begin_totp(&UserId::random(&OsRng), SEED).await;
    assert!(matches!(refused, Err(StoreError::NoParent)), "{refused:?}");
    assert!(people.totp(&other).await.expect("none").is_none());
    conn.commit().await.expect("commit");

    // A seed that is moved to another user's row, or to the other column, does not open there.
    bed.raw("UPDATE app_user SET totp = (SELECT o.totp FROM app_user o WHERE o.totp IS NOT NULL)")
        .await;
    let mut conn = bed.store.read().await.expect("read");
    let moved = conn.people().totp(&other).await;
    assert!(matches!(moved, Err(StoreError::Sealed(_))), "{moved:?}");
    assert!(conn.people().totp(&id).await.expect("opens").is_some());
    drop(conn);
    bed.raw("UPDATE app_user SET totp = totp_pending").await;
    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    let moved = people.totp(&id).await;
    assert!(matches!(moved, Err(StoreError::Sealed(_))), "{moved:?}");
    assert_eq!(people.remove_totp(&id).await.expect("removes"), 2);
    assert!(people.totp(&id).await.expect("gone").is_none());
    assert!(people.pending_totp(&id).await.expect("gone").is_none());
    assert_eq!(people.recovery_codes_left(&id).await.expect("counts"), 0);
    let record = people.user(&id).await.expect("looks").expect("there");
    assert!(!record.has_second_factor);
    conn.commit().await.expect("commit");
}

/// Of several at once, one is let in by a code.
pub async fn codes_are_good_once(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    let id = bed.user_in(&mut conn, "ana@example.org").await;
    let other = bed.user_in(&mut conn, "bob@example.org").await;
    let mut people = conn.people();
    people.begin_totp(&id, SEED).await.expect("begins");
    let confirmed = people.confirm_totp(&id, SEED, 7, &codes(1, 3)).await;
    assert!(confirmed.expect("confirms").is_some());
    // The code that confirmed it counts as used; and one that was judged by what holds no more.
    for (step, last) in [(7, 7), (8, 0), (8, 6)] {
        let used = people.use_totp_step(&id, step, last).await.expect("used");
        assert!(!used, "{step} after {last}");
    }
    conn.commit().await.expect("commit");

    let step = async || {
        let mut conn = bed.store.write().await.expect("write");
        let used = conn.people().use_totp_step(&id, 8, 7).await;
        conn.commit().await.expect("commit");
        used.expect("uses")
    };
    let used = tokio::join!(step(), step(), step(), step());
    let won = [used.0, used.1, used.2, used.3];
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    let code = async || {
        let mut conn = bed.store.write().await.expect("write");
        let used = conn.people().use_recovery_code(&id, &[1; 32]).await;
        conn.commit().await.expect("commit");
        used.expect("uses")
    };
    let used = tokio::join!(code(), code(), code(), code());
    let won = [used.0, used.1, used.2, used.3];
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");

    let mut conn = bed.store.write().await.expect("write");
    let mut people = conn.people();
    assert_eq!(people.recovery_codes_left(&id).await.expect("counts"), 2);
    let foreign = people.use_recovery_code(&other, &[2; 32]).await;
    assert!(!foreign.expect("not theirs"));
    // Nobody is kept from having a code that another one has.
    let set = people.set_recovery_codes(&other, &codes(2, 1)).await;
    set.expect("sets");
    let set = people.set_recovery_codes(&id, &codes(11, 10)).await;
    set.expect("replaces");
    assert_eq!(people.recovery_codes_left(&id).await.expect("counts"), 10);
    let old = people.use_recovery_code(&id, &[2; 32]).await;
    assert!(!old.expect("replaced"));
    let new = people.use_recovery_code(&id, &[20; 32]).await;
    assert!(new.expect("there"));
    assert_eq!(people.recovery_codes_left(&other).await.expect("counts"), 1);
    conn.commit().await.expect("commit");
}

/// The system's data key is replaced, then the old one goes: both seeds stay readable.
pub async fn keys_rotate_under_the_second_factor(bed: &Bed) {
    let mut conn = bed.store.write().await.expect("write");
    let id = bed.user_in(&mut conn, "ana@example.org").await;
    let mut people = conn.people();
    people.begin_totp(&id, SEED).await.expect("begins");
    let confirmed = people.confirm_totp(&id, SEED, 7, &[]).await;
    assert!(confirmed.expect("confirms").is_some());
    people.begin_totp(&id, OTHER).await.expect("begins anew");
    conn.commit().await.expect("commit");
    let reads = async |store: &Store| {
        let mut conn = store.read().await.expect("read");
        let (seed, step) = conn
            .people()
            .totp(&id)
            .await
            .expect("opens")
            .expect("there");
        assert_eq!((&**seed, step), (SEED, 7));
        let pending = conn.people().pending_totp(&id).await.expect("opens");
        assert_eq!(&**pending.expect("there"), OTHER);
    };
    let late = Timestamp(NOW.as_millis() + SUPERSEDED_MS);
    // One that knows nothing of the rotation.
    let old = bed.process().await;
    assert_eq!(bed.store.add_data_keys(NOW).await.expect("makes"), 1);
    reads(&bed.store).await;
    assert_eq!(bed.store.prune_data_keys(late).await.expect("none"), 0);
    // Two seeds and the pepper.
    let done = bed.store.reseal().await.expect("reseals");
    assert_eq!((done.moved, done.unopened), (3, 0));
    assert_eq!(bed.store.prune_data_keys(late).await.expect("prunes"), 1);
    for store in [&bed.store, &old, &bed.process().await] {
        reads(store).await;
    }
    let mut conn = bed.store.write().await.expect("write");
    let confirmed = conn.people().confirm_totp(&id, OTHER, 9, &[]).await;
    assert_eq!(confirmed.expect("confirms"), Some(2));
    let (seed, _) = conn
        .people()
        .totp(&id)
        .await
        .expect("opens")
        .expect("there");
    assert_eq!(&**seed, OTHER);
}

/// Of two that ask, the second goes on when the first one's transaction has ended.
pub async fn turns_are_taken_one_after_another(bed: &Bed) {
    let mut first = bed.store.write().await.expect("write");
    first.people().take_turn().await.expect("takes");
    let store = bed.store.clone();
    let second = tokio::spawn(async move {
        let mut conn = store.write().await.expect("write");
        conn.people().take_turn().await.expect("takes");
        conn.commit().await.expect("commit");
    });
    assert!(!second.is_finished());
    first.commit().await.expect("commit");
    second.await.expect("goes on");
}
