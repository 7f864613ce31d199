//! The journal, written and read again.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

fn ack(n: usize) -> Entry {
    Entry::Ack {
        id: format!("3EB0{n:04}"),
        refused: None,
    }
}

fn receipt() -> Entry {
    Entry::Receipt {
        from: Source {
            chat: "120363@g.us".into(),
            sender: "222:7@lid".into(),
            sender_alt: Some("5511999999999@s.whatsapp.net".into()),
            group: true,
            me: false,
        },
        ids: vec!["3EB0AA".into(), "3EB0BB".into()],
        state: State::Accepted,
        at: 5,
    }
}

struct Scratch {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn scratch() -> Scratch {
    let folder = tempfile::tempdir().expect("a folder");
    Scratch {
        path: folder.path().join("journal").join("INST.jsonl"),
        _folder: folder,
    }
}

async fn take(journal: &Journal, expected: &Entry) {
    let (number, entry) = journal.next().await;
    assert_eq!(entry, *expected);
    journal.taken(number, 1);
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("a file").len()
}

#[tokio::test]
async fn what_was_not_taken_is_there_again() {
    let scratch = scratch();
    let journal = Journal::open(scratch.path.clone());
    assert!(!scratch.path.exists(), "nothing to note, no file");
    journal.note(receipt()).expect("noted");
    journal.note(ack(1)).expect("noted");
    let mode = fs::metadata(&scratch.path).expect("a file").permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    take(&journal, &receipt()).await;
    drop(journal);

    // The process ended before the second was taken, and in the middle of a third.
    let mut file = append_to(&scratch.path).expect("opens");
    file.write_all(br#"{"is":"ack","i"#).expect("written");
    let journal = Journal::open(scratch.path.clone());
    journal.note(ack(2)).expect("noted");
    for entry in [receipt(), ack(1), ack(2)] {
        take(&journal, &entry).await;
    }
    assert_eq!(size(&scratch.path), 0, "empty once all are taken");
    assert!(journal.lock().file.is_none(), "and not held open");
    drop(journal);
    assert!(
        Journal::open(scratch.path.clone())
            .lock()
            .waiting
            .is_empty()
    );
}

fn archived(n: usize) -> Entry {
    Entry::Chat {
        chat: format!("{n}@s.whatsapp.net"),
        act: ChatAct::Archive(true),
        until: 5,
        ids: Vec::new(),
    }
}

#[tokio::test]
async fn news_of_chats_are_handed_over_together() {
    let scratch = scratch();
    let journal = Journal::open(scratch.path.clone());
    journal.settled().await;
    journal.note(ack(0)).expect("noted");
    for n in 0..TOGETHER + 3 {
        journal.note(archived(n)).expect("noted");
    }
    journal.note(ack(1)).expect("noted");
    journal.note(archived(1)).expect("noted");
    let mut sizes = Vec::new();
    for _ in 0..5 {
        let (number, entries) = journal.next_together().await;
        sizes.push(entries.len());
        journal.taken(number, entries.len());
    }
    assert_eq!(sizes, [1, TOGETHER, 3, 1, 1]);
    journal.settled().await;
    assert_eq!(size(&scratch.path), 0);
    // What was noted is read again by the next process.
    journal.note(archived(7)).expect("noted");
    drop(journal);
    let journal = Journal::open(scratch.path.clone());
    let waits = async {
        tokio::time::timeout(std::time::Duration::from_millis(20), journal.settled()).await
    };
    assert!(waits.await.is_err(), "one waits");
    let (number, entries) = journal.next_together().await;
    assert_eq!(entries, [archived(7)]);
    journal.taken(number, 1);
    journal.settled().await;
}

#[tokio::test]
async fn a_damaged_line_does_not_take_the_others_with_it() {
    let scratch = scratch();
    Journal::open(scratch.path.clone())
        .note(ack(1))
        .expect("noted");
    let mut file = append_to(&scratch.path).expect("opens");
    file.write_all(b"\x00nonsense\n\n").expect("written");
    let journal = Journal::open(scratch.path.clone());
    journal.note(ack(2)).expect("noted");
    take(&journal, &ack(1)).await;
    take(&journal, &ack(2)).await;
}

#[tokio::test]
async fn a_file_that_never_gets_empty_stays_small() {
    let scratch = scratch();
    let journal = Journal::open(scratch.path.clone());
    journal.note(ack(0)).expect("noted");
    for n in 1..20_000 {
        journal.note(ack(n)).expect("noted");
        take(&journal, &ack(n - 1)).await;
    }
    assert!(size(&scratch.path) < COMPACT_ABOVE + 100);
    drop(journal);
    let left = Journal::open(scratch.path.clone());
    assert_eq!(
        left.lock().waiting.back().map(|(_, entry)| entry.clone()),
        Some(ack(19_999))
    );
}

#[tokio::test]
async fn what_cannot_be_written_is_not_noted() {
    let scratch = scratch();
    // A folder where the file should be: no line can be written, whoever we are.
    fs::create_dir_all(&scratch.path).expect("a folder");
    let journal = Journal::open(scratch.path.clone());
    assert!(journal.note(ack(1)).is_err());
    assert!(journal.probe().is_err());
    assert!(journal.lock().waiting.is_empty());
    fs::remove_dir(&scratch.path).expect("removed");
    journal.probe().expect("it can be written again");
    assert_eq!(size(&scratch.path), 0);
    journal.note(ack(2)).expect("noted");
    let (before, _) = journal.next().await;
    journal.wipe();
    assert!(!scratch.path.exists());
    journal.note(ack(3)).expect("and noted anew");
    journal.taken(before, 1);
    take(&journal, &ack(3)).await;
}
