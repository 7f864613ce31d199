//! Media: what is known of them, which are due, which are old, and whose they are.

use recado_model::{
    InstanceId, MediaClass, MediaId, MediaKey, MediaState, MessageId, Timestamp,
    clock::OsRng,
    media::{MediaOrigin, MediaSource, MediumSecret},
};
use recado_store::{AccountStore, KeptMedium, MediumRow, NewMedium};

use crate::{
    bed::{Bed, NOW},
    messages::put_message,
};

const CHAT: &str = "2@s.whatsapp.net";
const URL: MediaOrigin = MediaOrigin::Url;

fn secret() -> MediumSecret {
    let mut secret = MediumSecret::new(MediaKey([7; 32]), &OsRng, NOW);
    secret.source = Some(MediaSource::Url {
        url: "https://example.com/a?secret=1".into(),
    });
    secret
}

/// Of the message `id`, which is made here.
async fn put(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    id: &str,
    object: Option<&str>,
    next_at: Option<Timestamp>,
) -> MediumRow {
    assert!(put_message(store, instance, id, CHAT, NOW).await);
    put_as(store, instance, id, object, next_at).await
}

/// Of a message that is there.
pub async fn put_of(store: &mut AccountStore<'_>, instance: &InstanceId, id: &str) {
    put_as(store, instance, id, Some("a/guest"), None).await;
}

async fn put_as(
    store: &mut AccountStore<'_>,
    instance: &InstanceId,
    id: &str,
    object: Option<&str>,
    next_at: Option<Timestamp>,
) -> MediumRow {
    let message = store.message(instance, &MessageId::from_wire(id)).await;
    let message = message.expect("looks").expect("there");
    let medium = MediaId::random(&OsRng);
    let new = NewMedium {
        id: &medium,
        instance,
        message: Some(&message.key),
        class: MediaClass::Image,
        mime: "image/jpeg",
        file_name: None,
        length: Some(1_000),
        object,
        secret: &secret(),
        next_at,
    };
    store.insert_medium(&new, NOW).await.expect("inserts");
    let row = store.medium(&medium).await.expect("looks");
    row.expect("there")
}

pub async fn a_medium_is_fetched_once_and_kept(bed: &Bed) {
    let a = bed.account("a").await;
    let b = bed.account("b").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let row = put(&mut store, &id, "M1", None, Some(NOW)).await;
    assert_eq!((row.state, row.attempts), (MediaState::Awaited, 0));
    let message = MessageId::from_wire("M1");
    let of = store.outgoing_medium(&id, &message);
    assert_eq!(of.await.expect("looks").as_ref(), Some(&row));
    assert_eq!(row.secret.key(), MediaKey([7; 32]));
    let mut foreign = conn.account(&b);
    assert!(foreign.medium(&row.id).await.expect("looks").is_none());
    let ended = foreign.end_medium(&row.id, MediaState::Gone, None).await;
    assert!(!ended.expect("changes nothing"));
    conn.commit().await.expect("commit");

    let later = NOW.plus_secs(60);
    let mut conn = bed.store.write().await.expect("write");
    let mut system = conn.system();
    let due = system.next_medium_due(URL, &[]).await;
    assert_eq!(due.expect("looks"), Some(NOW));
    let claimed = system.claim_medium(URL, &[], NOW, later).await;
    let claimed = claimed.expect("claims").expect("it is due");
    assert_eq!((&claimed.account, &claimed.id), (&a, &row.id));
    let again = system.claim_medium(URL, &[], NOW, later).await;
    assert_eq!(again.expect("claims"), None, "it is held");
    let again = system.claim_medium(URL, &[], later, later).await;
    assert!(again.expect("claims").is_some(), "whoever held it is gone");
    let mut store = conn.account(&a);
    let tried = store.retry_medium(&row.id, "no answer", Some(later)).await;
    assert!(tried.expect("notes"));
    let mut kept = secret();
    kept.source = None;
    let done = KeptMedium {
        mime: "image/png",
        length: 900,
        object: "a/1",
        secret: &kept,
    };
    assert!(store.keep_medium(&row.id, &done).await.expect("keeps"));
    assert!(!store.keep_medium(&row.id, &done).await.expect("is kept"));
    let seen = store.medium(&row.id).await.expect("looks").expect("there");
    assert_eq!((seen.state, seen.attempts), (MediaState::Kept, 1));
    assert_eq!(seen.object.as_deref(), Some("a/1"));
    assert_eq!((seen.length, seen.mime.as_str()), (Some(900), "image/png"));
    assert_eq!((seen.secret, seen.error), (kept, None));
    conn.commit().await.expect("commit");
    let mut conn = bed.store.read().await.expect("read");
    let due = conn.system().next_medium_due(URL, &[]).await;
    assert_eq!(due.expect("looks"), None);
    let owner = conn.system().owner_of_medium(&row.id).await;
    assert_eq!(owner.expect("looks").expect("there").account, a);
}

pub async fn media_go_with_their_messages(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let row = put(&mut store, &id, "M1", Some("a/1"), None).await;
    let other = put(&mut store, &id, "M2", Some("a/1"), None).await;
    let message = store.message(&id, &MessageId::from_wire("M1")).await;
    let message = message.expect("looks").expect("there");
    store.delete_content(&message, NOW).await.expect("deletes");
    assert!(store.medium(&row.id).await.expect("looks").is_none());
    assert!(conn.system().is_media_object("a/1").await.expect("looks"));
    let mut store = conn.account(&a);
    assert!(
        store
            .end_medium(&other.id, MediaState::Gone, None)
            .await
            .expect("ends")
    );
    assert!(!conn.system().is_media_object("a/1").await.expect("looks"));
    let mut store = conn.account(&a);
    assert!(store.delete_instance(&id).await.expect("deletes"));
    assert!(store.medium(&other.id).await.expect("looks").is_none());
}

pub async fn what_is_old_or_too_much_is_named(bed: &Bed) {
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let first = put(&mut store, &id, "M1", Some("a/1"), None).await;
    let twin = put(&mut store, &id, "M2", Some("a/1"), None).await;
    let used = put(&mut store, &id, "M3", Some("a/3"), None).await;
    store
        .use_medium(&used.id, NOW.plus_secs(10))
        .await
        .expect("notes");
    let old = conn.system().unused_media(NOW.plus_secs(5), 10).await;
    let mut old: Vec<_> = old.expect("looks").into_iter().map(|of| of.id).collect();
    old.sort();
    let mut expected = vec![first.id.clone(), twin.id.clone()];
    expected.sort();
    assert_eq!(old, expected);
    let mut system = conn.system();
    // Two files of a thousand bytes, though three media name them.
    let full = system.accounts_full_of_media(1_999).await.expect("looks");
    assert_eq!(full, [(a.clone(), 2_000)]);
    let none = system.accounts_full_of_media(2_000).await.expect("looks");
    assert!(none.is_empty());
    let oldest = system.oldest_media(&a, 10).await.expect("looks");
    assert_eq!(oldest.last().map(|(of, _)| &of.id), Some(&used.id));
    assert_eq!(oldest.len(), 3);
}

pub async fn media_states_are_the_codes(bed: &Bed) {
    let schema = include_str!("../../../../migrations/0002_media.sql");
    let word = MediaState::Awaited.as_str();
    assert!(schema.contains(&format!("'{word}'")), "{word}");
    let a = bed.account("a").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let row = put(&mut store, &id, "M1", None, None).await;
    for state in MediaState::ALL {
        store.end_medium(&row.id, state, None).await.expect("sets");
        let seen = store.medium(&row.id).await.expect("looks").expect("there");
        assert_eq!(seen.state, state);
    }
    for class in MediaClass::ALL {
        assert_eq!(MediaClass::parse(class.as_str()), Some(class));
    }
}

/// A message that failed for its medium gets the medium anew; one that is kept stays. What is brought to
/// WhatsApp finishes the message.
pub async fn a_medium_is_given_again_and_brought(bed: &Bed) {
    let a = bed.account("a").await;
    let b = bed.account("b").await;
    let id = bed.instance(&a, "one").await.id;
    let mut conn = bed.store.write().await.expect("write");
    let mut store = conn.account(&a);
    let row = put(&mut store, &id, "M1", None, None).await;
    let message = row.message.clone().expect("of a message");
    let of = store.medium_of(&message).await.expect("looks");
    assert_eq!(of.as_ref(), Some(&row));
    let found = store.message_with_key(&message).await.expect("looks");
    assert_eq!(found.expect("there").id.as_str(), "M1");
    assert!(store.want_medium(&row.id, NOW).await.expect("wants"));
    assert!(!store.want_medium(&row.id, NOW).await.expect("is wanted"));
    let later = NOW.plus_secs(60);
    assert!(store.hold_medium(&row.id, later).await.expect("holds"));
    let mut moved = secret();
    moved.source = None;
    assert!(store.move_medium(&row.id, &moved).await.expect("moves"));
    let seen = store.medium(&row.id).await.expect("looks").expect("there");
    assert_eq!(seen.secret, moved);
    let due = conn.system().next_medium_due(URL, &[]).await;
    assert_eq!(due.expect("looks"), Some(later));
    let released = conn.system().release_media(NOW).await;
    assert_eq!(released.expect("releases"), 1);

    let mut store = conn.account(&a);
    let anew = MediaId::random(&OsRng);
    let new = NewMedium {
        id: &anew,
        instance: &id,
        message: Some(&message),
        class: MediaClass::Image,
        mime: "image/jpeg",
        file_name: None,
        length: Some(1_000),
        object: Some("a/1"),
        secret: &secret(),
        next_at: None,
    };
    let given = store.give_medium_again(&message, &new, NOW).await;
    assert!(given.expect("gives"));
    let again = store.give_medium_again(&message, &new, NOW).await;
    assert!(!again.expect("it is kept"));
    let row = store.medium(&anew).await.expect("looks").expect("there");
    let mut foreign = conn.account(&b);
    let crossed = foreign.fill_message(&row, b"theirs", later).await;
    assert!(!crossed.expect("changes nothing"));
    let mut store = conn.account(&a);
    let filled = store.fill_message(&row, b"whole", later).await;
    assert!(filled.expect("fills"));
    let proto = store.proto(&message).await.expect("opens");
    assert_eq!(proto.as_deref(), Some(b"whole".as_slice()));
    let row = store.medium(&anew).await.expect("looks").expect("there");
    assert_eq!(row.uploaded_at, Some(later));
}

/// Media of each origin by themselves, and none of an account that has its share.
pub async fn media_are_claimed_by_origin_and_share(bed: &Bed) {
    let a = bed.account("a").await;
    let b = bed.account("b").await;
    let (one, two) = (
        bed.instance(&a, "one").await.id,
        bed.instance(&b, "two").await.id,
    );
    let mut conn = bed.store.write().await.expect("write");
    let mut first = conn.account(&a);
    let early = put(&mut first, &one, "M1", None, Some(NOW)).await;
    put(&mut first, &one, "M2", None, Some(NOW.plus_secs(1))).await;
    let later = NOW.plus_secs(2);
    let mut second = conn.account(&b);
    let late = put(&mut second, &two, "M3", None, Some(later)).await;
    let mut system = conn.system();
    let whatsapp = MediaOrigin::WhatsApp;
    let due = system.next_medium_due(whatsapp, &[]).await;
    assert_eq!(due.expect("looks"), None);
    let claimed = system.claim_medium(whatsapp, &[], later, later).await;
    assert_eq!(claimed.expect("claims"), None);
    let full = std::slice::from_ref(&a);
    let due = system.next_medium_due(URL, full).await;
    assert_eq!(due.expect("looks"), Some(later));
    let until = NOW.plus_secs(60);
    let claimed = system.claim_medium(URL, full, later, until).await;
    assert_eq!(claimed.expect("claims").expect("b's").id, late.id);
    let claimed = system.claim_medium(URL, full, later, until).await;
    assert_eq!(claimed.expect("claims"), None);
    let claimed = system.claim_medium(URL, &[], later, until).await;
    assert_eq!(claimed.expect("claims").expect("a's first").id, early.id);

    // What is over is fetched no more; what is kept stays.
    let mut first = conn.account(&a);
    let message = early.message.clone().expect("of a message");
    let ended = first.end_awaited(&message, "it is over").await;
    assert!(ended.expect("ends"));
    let again = first.end_awaited(&message, "it is over").await;
    assert!(!again.expect("has ended"));
    let seen = first
        .medium(&early.id)
        .await
        .expect("looks")
        .expect("there");
    assert_eq!(seen.state, MediaState::Failed);
    assert_eq!(seen.error.as_deref(), Some("it is over"));
    let kept = put(&mut first, &one, "M4", Some("a/1"), None).await;
    let message = kept.message.clone().expect("of a message");
    let ended = first.end_awaited(&message, "it is over").await;
    assert!(!ended.expect("changes nothing"));
}
