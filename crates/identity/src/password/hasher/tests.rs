use std::{sync::mpsc, time::Duration};

use argon2::{Argon2, Params, PasswordHasher, PasswordVerifier};
use recado_model::{ManualClock, Timestamp, clock::OsRng};

use super::*;

fn bed(threads: usize, queue: usize) -> (Arc<ManualClock>, Arc<Hasher>) {
    let clock = Arc::new(ManualClock::at(Timestamp(1_767_225_600_000)));
    let config = HasherConfig {
        threads,
        queue,
        wait_ms: 3_000,
    };
    let hasher = Hasher::new(config, clock.clone(), &OsRng).expect("threads");
    (clock, Arc::new(hasher))
}

fn password(text: &str) -> Password {
    Password::parse(text).expect("a password")
}

/// Keeps a thread of the pool until the sender is dropped.
async fn occupy(hasher: &Arc<Hasher>) -> mpsc::Sender<()> {
    let (hold, held) = mpsc::channel::<()>();
    let (began, begun) = oneshot::channel();
    let hasher = hasher.clone();
    tokio::spawn(async move {
        let work = move |_: &mut Vec<Block>| {
            let _ = began.send(());
            let _ = held.recv();
        };
        hasher.run(work).await
    });
    begun.await.expect("begun");
    hold
}

/// Until so many wait for a place.
async fn until_waiting(hasher: &Hasher, n: usize) {
    while hasher.waiting.load(Ordering::Acquire) != n {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_hash_holds_for_its_password_and_no_other() {
    let (_, hasher) = bed(1, 8);
    let right = password("caf\u{e9} na esquina azul");
    let kept = hasher.hash(&right, &OsRng).await.expect("a hash");
    assert!(
        kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
        "{kept}"
    );
    assert_ne!(hasher.hash(&right, &OsRng).await.expect("a hash"), kept);
    let good = PasswordVerdict {
        holds: true,
        upgrade: false,
    };
    let bad = PasswordVerdict {
        holds: false,
        upgrade: false,
    };
    for (text, verdict) in [
        ("caf\u{e9} na esquina azul", good),
        ("cafe\u{301} na esquina azul", good),
        ("Caf\u{e9} na esquina azul", bad),
        ("caf\u{e9} na esquina azul ", bad),
    ] {
        let said = hasher.verify(&password(text), Some(&kept)).await;
        assert_eq!(said.expect("a verdict"), verdict, "{text}");
    }
    // Memory that held another hash changes nothing: the library, with memory of its own, agrees.
    let text = right.expose().as_bytes();
    Argon2::default()
        .verify_password(text, kept.as_str())
        .expect("ours, by the library");
    let theirs = Argon2::default()
        .hash_password_with_salt(text, b"sixteen byte salt")
        .expect("theirs")
        .to_string();
    let said = hasher.verify(&right, Some(&theirs)).await;
    assert_eq!(said.expect("a verdict"), good);
    // And so does what the command line makes.
    let kept = hash(&right, &OsRng).await.expect("a hash");
    let said = hasher.verify(&right, Some(&kept)).await;
    assert_eq!(said.expect("a verdict"), good);
}

#[tokio::test]
async fn an_unknown_user_costs_what_a_wrong_password_costs() {
    let (_, hasher) = bed(1, 8);
    let kept = hasher
        .hash(&password("correct horse battery"), &OsRng)
        .await
        .expect("a hash");
    let dummy = Stored::parse(&hasher.dummy).expect("a form");
    assert!(dummy.is_current(), "{}", hasher.dummy);
    let cut = &kept[..kept.len() - 50];
    for kept in [
        None,
        Some(kept.as_str()),
        Some(""),
        Some("correct horse battery"),
        Some(cut),
        Some("$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"),
        // Four terabytes: refused before any of it is taken.
        Some("$argon2id$v=19$m=4294967295,t=2,p=1$c2l4dGVlbiBieXRlIHM$c2l4dGVlbiBieXRlIHNhbHQ"),
    ] {
        let before = hasher.begun();
        let said = hasher.verify(&password("not the password"), kept).await;
        let said = said.expect("a verdict");
        assert!(!said.holds && !said.upgrade, "{kept:?}");
        assert_eq!(hasher.begun(), before + 1, "{kept:?}");
    }
}

#[tokio::test]
async fn a_hash_with_other_parameters_holds_and_asks_for_a_new_one() {
    let (_, hasher) = bed(1, 8);
    let right = password("correct horse battery");
    for (m, t, p) in [(8 * 1024, 1, 1), (19_456, 3, 1), (32 * 1024, 1, 2)] {
        let params = Params::new(m, t, p, None).expect("parameters");
        let older = Argon2::from(params)
            .hash_password_with_salt(right.expose().as_bytes(), b"sixteen byte salt")
            .expect("a hash")
            .to_string();
        let said = hasher
            .verify(&right, Some(&older))
            .await
            .expect("a verdict");
        assert!(said.holds && said.upgrade, "{older}");
        let wrong = hasher.verify(&password("wrong"), Some(&older)).await;
        let wrong = wrong.expect("a verdict");
        assert!(!wrong.holds && !wrong.upgrade);
    }
    // The next ordinary one is not disturbed by the other sizes.
    let kept = hasher.hash(&right, &OsRng).await.expect("a hash");
    let said = hasher.verify(&right, Some(&kept)).await.expect("a verdict");
    assert!(said.holds && !said.upgrade);
}

#[tokio::test]
async fn a_new_password_is_judged_and_hashed_in_one_turn() {
    let (_, hasher) = bed(1, 8);
    let blocked = Blocklist::default();
    let context = ["ana@shop.example"];
    let choose = |text| hasher.choose(text, &context, &blocked, &OsRng);
    let kept = choose("correct horse battery").await.expect("a hash");
    let right = password("correct horse battery");
    let said = hasher.verify(&right, Some(&kept)).await;
    assert!(said.expect("a verdict").holds);
    for text in ["", "too short", "passwordpassword", "ana@shop.example!!"] {
        let error = choose(text).await.expect_err(text);
        assert_eq!(error.field, Some("password"));
    }
}

#[tokio::test]
async fn who_does_not_fit_hears_it_at_once_and_who_waits_is_served() {
    let (_, hasher) = bed(1, 2);
    let hold = occupy(&hasher).await;
    let queued: Vec<_> = (1..=2)
        .map(|n| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.run(move |_| n).await })
        })
        .collect();
    until_waiting(&hasher, 2).await;
    let begun = hasher.begun();
    let error = hasher.verify(&password("one too many"), None).await;
    let error = error.expect_err("no place");
    assert_eq!(
        (error.code, error.retry_after_secs),
        (ErrorCode::Unavailable, Some(1))
    );
    assert_eq!(hasher.begun(), begun);
    drop(hold);
    for (n, task) in (1..=2).zip(queued) {
        assert_eq!(task.await.expect("joined").expect("served"), n);
    }
    assert_eq!(hasher.waiting.load(Ordering::Acquire), 0);
    assert!(
        hasher
            .verify(&password("now there is room"), None)
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn nobody_waits_for_ever_and_who_goes_away_leaves_the_queue() {
    let (clock, hasher) = bed(1, 1);
    let hold = occupy(&hasher).await;
    let wait = |hasher: &Arc<Hasher>| {
        let hasher = hasher.clone();
        tokio::spawn(async move { hasher.run(|_| ()).await })
    };
    let gone = wait(&hasher);
    until_waiting(&hasher, 1).await;
    gone.abort();
    until_waiting(&hasher, 0).await;
    let patient = wait(&hasher);
    until_waiting(&hasher, 1).await;
    clock.advance_ms(2_999);
    tokio::time::timeout(Duration::from_millis(50), async {
        until_waiting(&hasher, 0).await;
    })
    .await
    .expect_err("still waiting");
    clock.advance_ms(1);
    let error = patient.await.expect("joined").expect_err("too long");
    assert_eq!(error.code, ErrorCode::Unavailable);
    drop(hold);
    assert!(hasher.run(|_| ()).await.is_ok());
}

#[tokio::test]
async fn as_many_hash_at_once_as_there_are_threads() {
    let (_, hasher) = bed(2, 0);
    let first = occupy(&hasher).await;
    let second = occupy(&hasher).await;
    assert!(hasher.run(|_| ()).await.is_err());
    drop(second);
    // The thread that is free again; the place is given back a moment after the sender is dropped.
    while hasher.places.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(hasher.run(|_| ()).await.is_ok());
    drop(first);
}

#[tokio::test]
async fn work_that_panics_takes_no_thread_with_it() {
    let (_, hasher) = bed(1, 8);
    let error = hasher.run(|_| panic!("on purpose")).await;
    let error: Error = error.expect_err("no answer");
    assert_eq!(error.code, ErrorCode::Internal);
    assert_eq!(hasher.run(|_| 7).await.expect("served"), 7);
}

/// A flood of log-ins gets a tenth of a contended core, and only the pool is held back.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_pool_stands_back_behind_the_other_threads() {
    let priority = || rustix::process::getpriority_process(None).expect("a priority");
    let here = priority();
    let (_, hasher) = bed(1, 8);
    let there = hasher.run(move |_| priority()).await.expect("an answer");
    assert_eq!(there, (here + pool::NICE).min(19));
    assert_eq!(priority(), here);
}
