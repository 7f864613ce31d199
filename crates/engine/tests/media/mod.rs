//! Media between a link and phones: sealed, uploaded, sent; fetched, opened, and asked for again.

use std::{
    fs::File,
    io::Cursor,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_engine::{Engine, FetchFault, Link};
use recado_model::{
    Content, ContentKind, MediaClass, MediaKey, MediaRef, MessageId, Timestamp,
    clock::OsRng,
    content::{Media, MediaForm},
    media::{FilledMedia, MediaLooks},
    message::{Draft, FinishedMessage, InboundMessage},
};
use recado_sandbox::{
    ChatMessage,
    content::{Medium, Written},
};
use sha2::{Digest as _, Sha256};

use super::support::{ANA, BIA, Lab, address};

const MIB: usize = 1024 * 1024;
/// More than any of these tests' media have.
const MOST: u64 = 64 * MIB as u64;

fn bytes(length: usize, seed: u8) -> Vec<u8> {
    let step = |at: usize| (at * 31 + at / 251 * 7) as u8;
    (0..length).map(|at| step(at).wrapping_add(seed)).collect()
}

fn hash(plain: &[u8]) -> String {
    hex::encode(Sha256::digest(plain))
}

fn looks() -> MediaLooks {
    MediaLooks {
        width: Some(320),
        height: Some(200),
        seconds: Some(4),
        thumbnail: Some(vec![0xff, 0xd8, 0xff]),
        waveform: Some(vec![50; 64]),
        animated: false,
    }
}

struct Bed {
    lab: Lab,
    link: Arc<dyn Link>,
    sink: Arc<super::support::Recorder>,
    folder: tempfile::TempDir,
}

impl Bed {
    async fn new() -> Self {
        let lab = Lab::new().await;
        let (_, link, sink) = lab.paired().await;
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            lab,
            link,
            sink,
            folder,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Seals, uploads, sends.
    async fn sends(&self, media: Media, plain: &[u8]) -> (MessageId, MediaRef) {
        let engine = &self.lab.engine;
        let (class, key) = (media.form.class(), MediaKey::random(&OsRng));
        let spool = self.path("spool");
        let mut file = File::create(&spool).expect("a file");
        let mut plain = Cursor::new(plain);
        let digest = engine.seal_media(class, &key, &mut plain, &mut file);
        let digest = digest.expect("sealed");
        let uploaded = self.link.upload(class, &key, &digest, &spool).await;
        let uploaded = uploaded.expect("uploaded");
        let again = self.link.upload(class, &key, &digest, &spool).await;
        assert_eq!(again.expect("harmless"), uploaded);
        let draft = Draft {
            content: Content::Media(media),
            mentioned: Vec::new(),
            reply_to: None,
            expires: None,
            at: Timestamp(1),
        };
        let medium = FilledMedia {
            key,
            digest,
            looks: looks(),
            uploaded,
            at: Timestamp(1_700_000_000_000),
        };
        let proto = engine.compose(&draft, &[7; 32]);
        let proto = engine.fill_media(&proto, &medium).expect("filled");
        let named = engine.media(&proto).expect("a medium");
        let message = FinishedMessage {
            proto,
            id: MessageId::random(&OsRng),
            to: address(BIA),
            refresh_group: false,
        };
        self.link.send(&message).await.expect("sent");
        (message.id, named)
    }

    /// What the phone shows, its medium looked at.
    async fn phone_has(&self, number: &str, id: &MessageId) -> (ChatMessage, Medium) {
        self.lab.phone_has(number, id, 1).await;
        let looked = self.lab.sandbox.network().looked(number, true).await;
        let mut messages = looked.expect("a history").into_iter();
        let found = messages.find(|m| m.id == id.as_str()).expect("it");
        let medium = found.detail.media.clone().expect("a medium");
        (found, medium)
    }

    fn phone_sends(&self, written: &Written) {
        let sent = self.lab.sandbox.network().send(BIA, ANA, written);
        sent.expect("sent");
    }

    async fn fetch(&self, medium: &MediaRef, most: u64) -> Result<Vec<u8>, FetchFault> {
        let to = self.path("fetched");
        let digest = self.lab.engine.fetch_media(medium, most, &to).await;
        let digest = match digest {
            Ok(digest) => digest,
            Err(fault) => {
                assert!(!to.exists(), "nothing is left");
                return Err(fault);
            }
        };
        let opened = open(&self.lab, medium, &to);
        assert_eq!(hex::encode(digest.sha256), hash(&opened));
        assert_eq!(digest.length, opened.len() as u64);
        std::fs::remove_file(to).expect("there");
        Ok(opened)
    }

    async fn close(self) {
        self.link.stop().await;
        self.lab.close().await;
    }
}

fn open(lab: &Lab, medium: &MediaRef, sealed: &Path) -> Vec<u8> {
    let mut sealed = File::open(sealed).expect("a file");
    let mut plain = Vec::new();
    let opened = lab
        .engine
        .open_media(medium.class, &medium.key, &mut sealed, &mut plain);
    opened.expect("opened");
    plain
}

fn media(form: MediaForm, view_once: bool) -> Media {
    let has_caption = !matches!(
        form,
        MediaForm::Audio | MediaForm::Voice | MediaForm::Sticker
    );
    Media {
        form,
        mime: "application/test".into(),
        caption: has_caption.then(|| "olha só".into()),
        file_name: (form == MediaForm::Document).then(|| "Relatório 1.pdf".into()),
        view_once,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_is_on_the_phone_byte_for_byte() {
    let bed = Bed::new().await;
    for (at, form) in MediaForm::ALL.into_iter().enumerate() {
        let plain = bytes(70_000 + at, at as u8);
        let once = matches!(form, MediaForm::Image | MediaForm::Voice);
        for view_once in [false, once] {
            let (id, _) = bed.sends(media(form, view_once), &plain).await;
            let (message, shown) = bed.phone_has(BIA, &id).await;
            assert_eq!(message.kind, form.class().as_str());
            assert_eq!(shown.fault, None, "{form:?}");
            assert_eq!(shown.sha256, Some(hash(&plain)));
            assert_eq!(shown.length, Some(plain.len() as u64));
            assert!(shown.data == BASE64_STANDARD.encode(&plain), "{form:?}");
            assert_eq!(shown.mime, "application/test");
            assert_eq!(shown.ptt, form == MediaForm::Voice);
            assert_eq!(shown.gif, form == MediaForm::Gif);
            assert_eq!(shown.view_once, view_once);
            let (caption, name) = (media(form, false).caption, media(form, false).file_name);
            assert_eq!((shown.caption, shown.file_name), (caption, name));
            let is_seen = matches!(
                form.class(),
                MediaClass::Image | MediaClass::Video | MediaClass::Sticker
            );
            assert_eq!(shown.width, is_seen.then_some(320), "{form:?}");
            assert_eq!(shown.height, is_seen.then_some(200));
            let plays = matches!(form.class(), MediaClass::Video | MediaClass::Audio);
            assert_eq!(shown.seconds, plays.then_some(4));
            assert_eq!(shown.said.expect("said").sidecar.is_empty(), !plays);
            // Our own phone has it, too.
            let (_, own) = bed.phone_has(ANA, &id).await;
            assert_eq!(own.sha256, Some(hash(&plain)));
        }
    }
    bed.close().await;
}

fn written(form: MediaForm, plain: &[u8]) -> Written {
    let medium = Medium {
        data: BASE64_STANDARD.encode(plain),
        caption: Some("veja".into()),
        seconds: Some(3),
        ..Medium::default()
    };
    match form {
        MediaForm::Image => Written::Image(medium),
        MediaForm::Video => Written::Video(medium),
        MediaForm::Gif => Written::Video(Medium {
            gif: true,
            ..medium
        }),
        MediaForm::Audio => Written::Audio(medium),
        MediaForm::Voice => Written::Audio(Medium {
            ptt: true,
            ..medium
        }),
        MediaForm::Document => Written::Document(Medium {
            file_name: Some("Relatório 2.pdf".into()),
            ..medium
        }),
        MediaForm::Sticker => Written::Sticker(medium),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_phone_is_fetched_byte_for_byte() {
    let bed = Bed::new().await;
    for (at, form) in MediaForm::ALL.into_iter().enumerate() {
        let plain = bytes(80_000 + at, at as u8);
        bed.phone_sends(&written(form, &plain));
        let message = bed.sink.received(at + 1).await.remove(at);
        assert_eq!(message.kind, form.kind());
        let word = match form {
            MediaForm::Gif => "gif",
            MediaForm::Voice => "ptt",
            form => form.class().as_str(),
        };
        assert_eq!(message.rendered.media_type, word);
        assert_eq!(message.rendered.stanza_type, "media");
        let medium = named(&bed, &message);
        assert_eq!(medium.class, form.class());
        assert_eq!(medium.length, Some(plain.len() as u64));
        let is_file = form == MediaForm::Document;
        let name = is_file.then(|| "Relatório 2.pdf".to_owned());
        assert_eq!(medium.file_name, name);
        assert!(medium.mime.is_some());
        let fetched = bed.fetch(&medium, MOST).await.expect("fetched");
        assert!(fetched == plain, "{form:?}");
    }
    bed.close().await;
}

fn named(bed: &Bed, message: &InboundMessage) -> MediaRef {
    let named = bed.lab.engine.media(&message.proto);
    named.expect("a medium")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_seen_once_is_fetched_as_well() {
    let bed = Bed::new().await;
    let plain = bytes(1_000, 1);
    bed.phone_sends(&Written::Image(Medium {
        data: BASE64_STANDARD.encode(&plain),
        view_once: true,
        ..Medium::default()
    }));
    let message = bed.sink.received(1).await.remove(0);
    assert_eq!(message.kind, ContentKind::Image);
    assert_eq!(message.arrival.flags["is_view_once"], true);
    let medium = named(&bed, &message);
    let fetched = bed.fetch(&medium, MOST).await.expect("fetched");
    assert_eq!(fetched, plain);
    bed.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_or_too_large_leaves_nothing() {
    let bed = Bed::new().await;
    let plain = bytes(100_000, 1);
    bed.phone_sends(&written(MediaForm::Video, &plain));
    let medium = named(&bed, &bed.sink.received(1).await[0]);
    // 100,000 bytes, a block of padding, the MAC.
    let sealed = 100_000 + 16 + 10;
    let fault = bed.fetch(&medium, sealed - 1).await.expect_err("too large");
    assert!(matches!(fault, FetchFault::TooLarge), "{fault:?}");
    assert_eq!(bed.fetch(&medium, sealed).await.expect("fits"), plain);
    let others = [
        MediaRef {
            sha256: Some([1; 32]),
            ..medium.clone()
        },
        MediaRef {
            length: Some(99_999),
            ..medium.clone()
        },
        MediaRef {
            key: MediaKey([1; 32]),
            ..medium.clone()
        },
        MediaRef {
            class: MediaClass::Document,
            ..medium.clone()
        },
        MediaRef {
            sealed_sha256: Some([1; 32]),
            ..medium.clone()
        },
        MediaRef {
            direct_path: Some("@127.0.0.1/v/1".into()),
            ..medium.clone()
        },
    ];
    for other in others {
        let fault = bed.fetch(&other, MOST).await.expect_err("another");
        assert!(matches!(fault, FetchFault::Wrong), "{fault:?} of {other:?}");
    }
    let sparing = MediaRef {
        sha256: None,
        length: None,
        ..medium
    };
    let fetched = bed.fetch(&sparing, MOST).await.expect("the MAC holds");
    assert_eq!(fetched, plain);
    bed.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_hosts_have_no_more_comes_from_the_phone() {
    let bed = Bed::new().await;
    let network = bed.lab.sandbox.network();
    let plain = bytes(50_000, 1);
    bed.phone_sends(&written(MediaForm::Document, &plain));
    let message = bed.sink.received(1).await.remove(0);
    let theirs = named(&bed, &message);
    let (id, ours) = bed.sends(media(MediaForm::Image, false), &plain).await;
    bed.phone_has(ANA, &id).await;
    assert_eq!(network.forget_media().expect("forgotten"), 2);

    let chat = address(BIA);
    for (medium, from_me, id) in [(theirs, false, &message.id), (ours, true, &id)] {
        let fault = bed.fetch(&medium, MOST).await.expect_err("gone");
        assert!(matches!(fault, FetchFault::Expired), "{fault:?}");
        let asked = bed.link.reupload(&chat, None, from_me, id, &medium.key);
        let path = asked.await.expect("an answer");
        assert_ne!(path, medium.direct_path);
        assert!(path.is_some(), "the phone has it");
        let moved = MediaRef {
            direct_path: path,
            ..medium.clone()
        };
        let fetched = bed.fetch(&moved, MOST).await.expect("there again");
        assert!(fetched == plain);

        let other = MediaKey([1; 32]);
        let asked = bed.link.reupload(&chat, None, from_me, id, &other);
        assert!(asked.await.is_err(), "only who has the key may ask");
    }
    network.forget_media().expect("forgotten");
    network.delete_media(ANA).expect("deleted");
    let key = named(&bed, &message).key;
    let asked = bed.link.reupload(&chat, None, false, &message.id, &key);
    assert_eq!(asked.await.expect("an answer"), None);
    bed.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_goes_out_and_comes_back() {
    let bed = Bed::new().await;
    let plain = bytes(32 * MIB, 1);
    let (id, medium) = bed.sends(media(MediaForm::Document, false), &plain).await;
    let (_, shown) = bed.phone_has(BIA, &id).await;
    assert_eq!(shown.sha256, Some(hash(&plain)));
    let fetched = bed.fetch(&medium, MOST).await.expect("fetched");
    assert!(fetched == plain);
    bed.close().await;
}
