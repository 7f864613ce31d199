use std::os::unix::fs::MetadataExt;

use recado_model::clock::OsRng;

use super::*;

const NOW: i64 = 1_767_225_600_000;

async fn send(dir: &Path, at: i64, text: &str) -> Result<(), MailError> {
    let letter = Letter {
        kind: "reset",
        to: "ana@example.com".into(),
        subject: "A subject".into(),
        text: text.into(),
    };
    let stamp = Stamp {
        at: Timestamp(at),
        id: "ABC".into(),
    };
    let files = Files::new(dir.to_owned(), Arc::new(OsRng));
    files.send(&letter, &stamp).await
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(dir)
        .expect("a folder")
        .map(|entry| {
            entry
                .expect("an entry")
                .file_name()
                .into_string()
                .expect("a name")
        })
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_letter_is_its_readers_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("mail");
    fs::create_dir(&dir).expect("a folder");
    fs::set_permissions(&dir, Permissions::from_mode(0o755)).expect("open to all");
    send(
        &dir,
        NOW,
        "Hello\nhttps://wa.example.com/dashboard/link#abc\n",
    )
    .await
    .expect("a letter");
    let names = names(&dir);
    assert!(
        names[0].starts_with(&format!("{NOW}-")) && names[0].ends_with(".eml"),
        "{names:?}"
    );
    assert_eq!(names.len(), 1, "nothing unfinished stays: {names:?}");
    let file = dir.join(&names[0]);
    let mode = |path: &Path| fs::metadata(path).expect("there").mode() & 0o777;
    assert_eq!((mode(&dir), mode(&file)), (0o700, 0o600));
    let text = fs::read_to_string(&file).expect("a letter");
    assert!(
        text.contains("\r\nhttps://wa.example.com/dashboard/link#abc\r\n"),
        "{text}"
    );
}

#[tokio::test]
async fn old_and_many_letters_go_and_what_is_not_ours_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let dir = folder.path().join("mail");
    send(&dir, NOW, "old").await.expect("a letter");
    for name in ["notes.txt", "mine.eml", "1-keep.txt"] {
        fs::write(dir.join(name), "mine").expect("a file");
    }
    fs::write(dir.join(format!("{NOW}-left.tmp")), "half").expect("a file");
    send(&dir, NOW + KEEP_MS - 1, "younger")
        .await
        .expect("a letter");
    assert_eq!(names(&dir).len(), 6);
    send(&dir, NOW + KEEP_MS, "now").await.expect("a letter");
    let left = names(&dir);
    assert!(
        !left.iter().any(|name| name.starts_with(&NOW.to_string())),
        "{left:?}"
    );
    assert_eq!(left.len(), 5);

    let later = NOW + KEEP_MS + 1;
    for n in 0..KEEP_COUNT + 20 {
        fs::write(dir.join(format!("{}-{n:05}.eml", later)), "x").expect("a file");
    }
    send(&dir, later + 1, "newest").await.expect("a letter");
    let left = names(&dir);
    let ours = left
        .iter()
        .filter(|name| written_at(name).is_some())
        .count();
    assert_eq!(ours, KEEP_COUNT);
    assert!(
        left.iter()
            .any(|name| name.starts_with(&(later + 1).to_string()))
    );
    assert!(left.contains(&"notes.txt".to_owned()) && left.contains(&"mine.eml".to_owned()));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "no folder").expect("a file");
    let error = send(&file.join("mail"), NOW, "secret")
        .await
        .expect_err("no folder");
    let text = error.to_string();
    assert!(text.contains("mail") && !text.contains("ana@"), "{text}");
}
