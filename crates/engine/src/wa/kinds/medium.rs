//! What all media have in common: where their bytes lie, and what they are sealed under.

use recado_model::{
    MediaClass, MediaKey, MediaRef,
    media::{FilledMedia, MediaLooks},
};
use whatsapp_rust::waproto::{buffa::MessageField, whatsapp as wa};

/// The messages that name bytes at WhatsApp's hosts.
pub(super) trait Medium {
    fn place(&mut self, medium: &FilledMedia);

    /// `None` where no key is named: such bytes nobody can open.
    fn named(&self, class: MediaClass) -> Option<MediaRef>;
}

/// Their fields have the same names, and no trait of the library's names them all.
macro_rules! media {
    ($($message:ident),*) => {$(
        impl Medium for wa::message::$message {
            fn place(&mut self, medium: &FilledMedia) {
                self.url = Some(medium.uploaded.url.clone());
                self.direct_path = Some(medium.uploaded.direct_path.clone());
                self.media_key = Some(medium.key.0.to_vec());
                self.media_key_timestamp = Some(medium.at.as_millis() / 1_000);
                self.file_sha256 = Some(medium.digest.sha256.to_vec());
                self.file_enc_sha256 = Some(medium.digest.sealed_sha256.to_vec());
                self.file_length = Some(medium.digest.length);
            }

            fn named(&self, class: MediaClass) -> Option<MediaRef> {
                Some(MediaRef {
                    class,
                    key: MediaKey(hash(&self.media_key)?),
                    sha256: hash(&self.file_sha256),
                    sealed_sha256: hash(&self.file_enc_sha256),
                    length: self.file_length,
                    direct_path: self.direct_path.clone(),
                    mime: self.mimetype.clone(),
                    file_name: None,
                })
            }
        }
    )*};
}

media!(
    ImageMessage,
    VideoMessage,
    AudioMessage,
    DocumentMessage,
    StickerMessage
);

fn hash(bytes: &Option<Vec<u8>>) -> Option<[u8; 32]> {
    bytes.as_deref()?.try_into().ok()
}

/// The pixels of what is seen.
pub(super) fn size(looks: &MediaLooks) -> (Option<u32>, Option<u32>) {
    (looks.width, looks.height)
}

pub(super) fn wrapped(message: wa::Message) -> MessageField<wa::message::FutureProofMessage> {
    MessageField::some(wa::message::FutureProofMessage {
        message: MessageField::some(message),
    })
}

/// The content inside the wrapper that we put around some media.
pub(super) fn inner(message: &mut wa::Message) -> &mut wa::Message {
    let wrapper = if message.view_once_message_v2.is_set() {
        &mut message.view_once_message_v2
    } else if message.view_once_message_v2_extension.is_set() {
        &mut message.view_once_message_v2_extension
    } else if message.document_with_caption_message.is_set() {
        &mut message.document_with_caption_message
    } else {
        return message;
    };
    let wrapper = wrapper.get_or_insert_default();
    wrapper.message.get_or_insert_default()
}

#[cfg(test)]
mod tests {
    use recado_model::{
        Content, Timestamp,
        content::{Media, MediaForm},
        media::{MediaDigest, MediaLooks, Uploaded},
        message::{Draft, Quoted},
    };
    use whatsapp_rust::{
        wacore::{proto_helpers::MessageExt as _, send::media_type_from_message},
        waproto::buffa::Message as _,
    };

    use super::{super::super::payload, *};

    fn draft(form: MediaForm, view_once: bool) -> Draft {
        Draft {
            content: Content::Media(Media {
                form,
                mime: "a/b".into(),
                caption: Some("look".into()),
                file_name: Some("Relatório de março.pdf".into()),
                view_once,
            }),
            mentioned: Vec::new(),
            reply_to: None,
            expires: None,
            at: Timestamp(1),
        }
    }

    fn filled() -> FilledMedia {
        FilledMedia {
            key: MediaKey([1; 32]),
            digest: MediaDigest {
                sha256: [2; 32],
                sealed_sha256: [3; 32],
                length: 4,
                sidecar: Some(vec![5; 10]),
            },
            looks: MediaLooks {
                width: Some(6),
                height: Some(7),
                seconds: Some(8),
                thumbnail: Some(vec![9]),
                waveform: Some(vec![10; 64]),
                animated: true,
            },
            uploaded: Uploaded {
                url: "https://mmg.whatsapp.net/v/1".into(),
                direct_path: "/v/1".into(),
            },
            at: Timestamp(11_999),
        }
    }

    fn finished(form: MediaForm, view_once: bool) -> Vec<u8> {
        let proto = super::super::compose(&draft(form, view_once), &[0; 32]);
        super::super::fill(&proto, &filled()).expect("filled")
    }

    #[test]
    fn every_form_names_its_medium_in_its_wrapper_too() {
        for form in MediaForm::ALL {
            let has_name = form == MediaForm::Document;
            let expected = MediaRef {
                class: form.class(),
                key: MediaKey([1; 32]),
                sha256: Some([2; 32]),
                sealed_sha256: Some([3; 32]),
                length: Some(4),
                direct_path: Some("/v/1".into()),
                mime: Some("a/b".into()),
                file_name: has_name.then(|| "Relatório de março.pdf".into()),
            };
            for view_once in [false, true] {
                let proto = finished(form, view_once);
                assert_eq!(
                    super::super::named(&proto),
                    Some(expected.clone()),
                    "{form:?}"
                );
                let message = wa::Message::decode_from_slice(&proto).expect("decodes");
                assert!(message.message_context_info.is_set(), "with its secret");
                let read = super::super::read(payload::unwrap(&message).0).expect("content");
                assert_eq!(read.kind, form.kind());
                let rendered = payload::render_kept(&proto).expect("renders");
                let word = match form {
                    MediaForm::Gif => "gif",
                    MediaForm::Voice => "ptt",
                    form => form.class().as_str(),
                };
                assert_eq!(media_type_from_message(&message), Some(word));
                assert_eq!(rendered.media_type, word, "the same to subscribers");
            }
        }
        assert_eq!(super::super::named(b"nonsense"), None);
        let unsealed = super::super::compose(&draft(MediaForm::Image, false), &[0; 32]);
        assert_eq!(super::super::named(&unsealed), None);
        let text = wa::Message {
            conversation: Some("hello".into()),
            ..Default::default()
        };
        assert!(super::super::fill(&text.encode_to_vec(), &filled()).is_err());
    }

    #[test]
    fn each_form_says_what_is_known_of_it() {
        let message = |form| wa::Message::decode_from_slice(&finished(form, false)).expect("it");
        let image = message(MediaForm::Image);
        let image = image.image_message.as_option().expect("an image");
        assert_eq!((image.width, image.height), (Some(6), Some(7)));
        assert_eq!(image.jpeg_thumbnail.as_deref(), Some(&[9][..]));
        assert_eq!(image.caption.as_deref(), Some("look"));
        assert_eq!(image.media_key_timestamp, Some(11), "in seconds");
        assert_eq!(image.url.as_deref(), Some("https://mmg.whatsapp.net/v/1"));
        let gif = message(MediaForm::Gif);
        let gif = gif.video_message.as_option().expect("a film");
        assert_eq!((gif.gif_playback, gif.seconds), (Some(true), Some(8)));
        assert_eq!((gif.width, gif.height), (Some(6), Some(7)));
        assert_eq!(gif.streaming_sidecar.as_deref(), Some(&[5; 10][..]));
        let film = message(MediaForm::Video);
        assert_eq!(
            film.video_message.as_option().expect("it").gif_playback,
            None
        );
        let voice = message(MediaForm::Voice);
        let voice = voice.audio_message.as_option().expect("a voice");
        assert_eq!((voice.ptt, voice.seconds), (Some(true), Some(8)));
        assert_eq!(voice.waveform.as_deref(), Some(&[10; 64][..]));
        let audio = message(MediaForm::Audio);
        assert_eq!(
            audio.audio_message.as_option().expect("it").ptt,
            Some(false)
        );
        let file = message(MediaForm::Document);
        let file = file.document_with_caption_message.as_option();
        let file = file.and_then(|wrapper| wrapper.message.as_option());
        let file = file.and_then(|inner| inner.document_message.as_option());
        let file = file.expect("a file in its wrapper");
        assert_eq!(file.title, file.file_name);
        assert_eq!(file.caption.as_deref(), Some("look"));
        let sticker = message(MediaForm::Sticker);
        let sticker = sticker.sticker_message.as_option().expect("a sticker");
        assert_eq!((sticker.width, sticker.is_animated), (Some(6), Some(true)));
    }

    #[test]
    fn what_is_seen_once_says_so() {
        for form in MediaForm::ALL {
            let proto = finished(form, true);
            let message = wa::Message::decode_from_slice(&proto).expect("decodes");
            let never = matches!(form, MediaForm::Document | MediaForm::Sticker);
            assert_eq!(message.is_view_once(), !never, "{form:?}");
        }
    }

    #[test]
    fn every_form_answers_and_mentions() {
        for form in MediaForm::ALL {
            let sender = recado_model::Address::from_wire("222@lid");
            let answer = Draft {
                mentioned: vec![sender.clone()],
                reply_to: Some(Quoted {
                    id: recado_model::MessageId::from_wire("3EB0BB"),
                    sender,
                    proto: None,
                    text: "asked".into(),
                }),
                ..draft(form, false)
            };
            let proto = super::super::compose(&answer, &[0; 32]);
            let message = wa::Message::decode_from_slice(&proto).expect("decodes");
            let rendered = payload::render(payload::unwrap(&message).0);
            let text = rendered.message.to_string();
            assert!(
                text.contains("3EB0BB") && text.contains("222@lid"),
                "{text}"
            );
        }
    }

    #[test]
    fn the_caption_of_a_wrapped_file_is_edited() {
        use whatsapp_rust::waproto::whatsapp::message::{
            DocumentMessage, ProtocolMessage, protocol_message::Type,
        };
        let new = wa::Message {
            document_with_caption_message: wrapped(wa::Message {
                document_message: MessageField::some(DocumentMessage {
                    caption: Some("new".into()),
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let edit = wa::Message {
            protocol_message: MessageField::some(ProtocolMessage {
                r#type: Some(Type::MESSAGE_EDIT),
                edited_message: MessageField::some(new),
                ..Default::default()
            }),
            ..Default::default()
        };
        let before = finished(MediaForm::Document, false);
        let after = super::super::edited(&before, &edit.encode_to_vec()).expect("fits");
        assert_eq!(after.text.as_deref(), Some("new"));
        assert!(super::super::named(&after.proto).is_some(), "the same file");
    }
}
