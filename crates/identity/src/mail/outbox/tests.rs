use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use async_trait::async_trait;
use recado_model::{ManualClock, Timestamp, clock::OsRng};

use super::*;

type Sent = (String, String);

/// Fails as often as it is told, then takes letters; `hangs` lets none through.
#[derive(Default)]
struct Script {
    failures: AtomicUsize,
    lasting: bool,
    hangs: bool,
    tries: AtomicUsize,
    ids: Mutex<Vec<String>>,
    sent: Mutex<Vec<Sent>>,
}

#[async_trait]
impl Mailer for Script {
    async fn send(&self, letter: &Letter, stamp: &Stamp) -> std::result::Result<(), MailError> {
        self.tries.fetch_add(1, Ordering::SeqCst);
        self.ids.lock().expect("a list").push(stamp.id.clone());
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let less = |left: usize| left.checked_sub(1);
        if self
            .failures
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok()
        {
            return Err(match self.lasting {
                true => MailError::lasting("no"),
                false => MailError::passing("not now"),
            });
        }
        let mut sent = self.sent.lock().expect("a list");
        sent.push((letter.to.clone(), stamp.id.clone()));
        Ok(())
    }
}

impl Script {
    fn tries(&self) -> usize {
        self.tries.load(Ordering::SeqCst)
    }
    fn sent(&self) -> Vec<Sent> {
        self.sent.lock().expect("a list").clone()
    }
}

fn outbox(script: Script) -> (Outbox, Arc<Script>, Arc<ManualClock>) {
    let (script, clock) = (
        Arc::new(script),
        Arc::new(ManualClock::at(Timestamp(1_000_000))),
    );
    let outbox = Outbox::new(script.clone(), clock.clone(), Arc::new(OsRng));
    (outbox, script, clock)
}

fn letter(to: &str) -> Letter {
    Letter {
        kind: "reset",
        to: to.into(),
        subject: "A subject".into(),
        text: "A text".into(),
    }
}

/// Lets the tasks run as far as they can without time passing.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn handing_over_does_not_wait() {
    let (outbox, script, _clock) = outbox(Script {
        hangs: true,
        ..Script::default()
    });
    outbox.hand_over(letter("ana@example.com")).expect("room");
    assert_eq!(script.tries(), 0, "not before the caller has gone on");
    settle().await;
    assert_eq!(script.tries(), 1);
}

#[tokio::test]
async fn three_tries_of_one_letter() {
    let (outbox, script, clock) = outbox(Script {
        failures: 2.into(),
        ..Script::default()
    });
    outbox.hand_over(letter("ana@example.com")).expect("room");
    for (wait, tries) in [(0, 1), (1_999, 1), (1, 2), (9_999, 2), (1, 3)] {
        clock.advance_ms(wait);
        settle().await;
        assert_eq!(script.tries(), tries, "after {wait} ms more");
    }
    assert_eq!(script.sent().len(), 1);
    assert_eq!(outbox.0.room.available_permits(), LETTERS);

    let (outbox, script, clock) = self::outbox(Script {
        failures: 9.into(),
        ..Script::default()
    });
    outbox.hand_over(letter("ana@example.com")).expect("room");
    for _ in 0..20 {
        settle().await;
        clock.advance_ms(60_000);
    }
    assert_eq!((script.tries(), script.sent().len()), (3, 0));
    assert_eq!(outbox.0.room.available_permits(), LETTERS, "given up");
}

#[tokio::test]
async fn what_cannot_succeed_is_not_tried_again() {
    let (outbox, script, clock) = outbox(Script {
        failures: 1.into(),
        lasting: true,
        ..Script::default()
    });
    outbox.hand_over(letter("ana@example.com")).expect("room");
    for _ in 0..5 {
        settle().await;
        clock.advance_ms(60_000);
    }
    assert_eq!((script.tries(), script.sent().len()), (1, 0));
}

#[tokio::test]
async fn a_server_that_hangs_fills_the_outbox_and_frees_it_again() {
    let (outbox, script, clock) = outbox(Script {
        hangs: true,
        ..Script::default()
    });
    for n in 0..LETTERS {
        outbox.check_room().expect("room");
        outbox
            .hand_over(letter(&format!("u{n}@example.com")))
            .expect("room");
    }
    for refused in [
        outbox.check_room(),
        outbox.hand_over(letter("late@example.com")),
    ] {
        let error = refused.expect_err("full");
        assert_eq!(error.code, ErrorCode::Unavailable);
        assert_eq!(error.retry_after_secs, Some(RETRY_AFTER_SECS));
    }
    settle().await;
    assert_eq!(script.tries(), TALKS, "so many at a time");
    // Each letter: three tries of 20 s, four at a time.
    for _ in 0..LETTERS * 4 {
        clock.advance_ms(PATIENCE_MS);
        settle().await;
    }
    assert_eq!(script.tries(), LETTERS * 3);
    outbox.check_room().expect("room again");
}

#[tokio::test]
async fn a_repeated_letter_has_one_id_and_two_letters_two() {
    let (outbox, script, clock) = outbox(Script {
        failures: 1.into(),
        ..Script::default()
    });
    let first = outbox.send_now(letter("ana@example.com"));
    let jump = async {
        settle().await;
        clock.advance_ms(2_000);
    };
    let (done, ()) = tokio::join!(first, jump);
    done.expect("sent");
    outbox
        .send_now(letter("bea@example.com"))
        .await
        .expect("sent");
    assert_eq!(script.sent().len(), 2);
    let ids = script.ids.lock().expect("a list").clone();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], ids[1]);
    assert_ne!(ids[1], ids[2]);

    let (outbox, _, _clock) = self::outbox(Script {
        failures: 1.into(),
        lasting: true,
        ..Script::default()
    });
    let error = outbox
        .send_now(letter("ana@example.com"))
        .await
        .expect_err("refused");
    assert_eq!(error.code, ErrorCode::Unavailable);
    assert!(!error.message.contains("ana@"), "{}", error.message);
}

#[tokio::test]
async fn the_end_waits_for_what_is_under_way() {
    let (outbox, script, _clock) = outbox(Script::default());
    outbox.hand_over(letter("ana@example.com")).expect("room");
    outbox.finish().await;
    assert_eq!(script.sent().len(), 1);

    let (outbox, script, clock) = self::outbox(Script {
        failures: 1.into(),
        ..Script::default()
    });
    outbox.hand_over(letter("ana@example.com")).expect("room");
    settle().await;
    // No second try: its pause is over at once, not in two seconds of a clock that stands still.
    outbox.finish().await;
    assert_eq!(script.tries(), 1);
    drop(clock);
}
