//! Pictures, films, sounds, files and stickers: what a message says of them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use buffa::MessageField;
use serde::{Deserialize, Serialize};
use wacore::download::MediaType;
use wacore::proto_helpers::MessageExt as _;
use waproto::whatsapp::{Message, message};

use super::{Detail, Shown, Written};

/// The five families of media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

impl Family {
    const ALL: [Self; 5] = [
        Self::Image,
        Self::Video,
        Self::Audio,
        Self::Document,
        Self::Sticker,
    ];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    pub(crate) fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.as_str() == kind)
    }

    /// Under which name its keys are expanded.
    pub(crate) fn media_type(self) -> MediaType {
        match self {
            Self::Image => MediaType::Image,
            Self::Video => MediaType::Video,
            Self::Audio => MediaType::Audio,
            Self::Document => MediaType::Document,
            Self::Sticker => MediaType::Sticker,
        }
    }

    fn mime(self) -> &'static str {
        match self {
            Self::Image => "image/jpeg",
            Self::Video => "video/mp4",
            Self::Audio => "audio/ogg; codecs=opus",
            Self::Document => "application/octet-stream",
            Self::Sticker => "image/webp",
        }
    }

    pub(crate) fn written(self, medium: Medium) -> Written {
        match self {
            Self::Image => Written::Image(medium),
            Self::Video => Written::Video(medium),
            Self::Audio => Written::Audio(medium),
            Self::Document => Written::Document(medium),
            Self::Sticker => Written::Sticker(medium),
        }
    }
}

fn no(flag: &bool) -> bool {
    !flag
}

/// A medium, as a person sends it and as a chat shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medium {
    /// The bytes, in base64. Shown only where they are asked for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub data: String,
    /// As the message says; one that fits the kind where it is left out.
    #[serde(default)]
    pub mime: String,
    /// What is written under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption: Option<String>,
    /// Of a document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file_name: Option<String>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// In pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How long it plays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
    /// A voice note.
    #[serde(default, skip_serializing_if = "no")]
    pub ptt: bool,
    /// Plays by itself, again and again.
    #[serde(default, skip_serializing_if = "no")]
    pub gif: bool,
    /// Seen once, then gone.
    #[serde(default, skip_serializing_if = "no")]
    pub view_once: bool,
    /// Of a sticker.
    #[serde(default, skip_serializing_if = "no")]
    pub animated: bool,
    /// A small JPEG, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub thumbnail: String,
    /// 64 steps of loudness, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub waveform: String,
    /// SHA-256 (hex) of the bytes, as the phone found them: fetched, their MAC checked, opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Of the bytes as the phone found them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<u64>,
    /// Why the phone has no bytes, or does not believe them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// What the message says of the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
}

/// Where the bytes of a medium lie, and what they are, as its message says. Hashes and the key are in hex.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// What the bytes are sealed under.
    pub key: String,
    /// Of the plain bytes.
    pub sha256: String,
    /// Of the sealed bytes.
    pub sealed_sha256: String,
    /// Of the plain bytes.
    pub length: u64,
    /// Where the sealed bytes lie on the media host.
    pub direct_path: String,
    /// The same with a host.
    pub url: String,
    /// What a player needs to seek in it, in base64.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sidecar: String,
    /// When the key was made: seconds since the epoch.
    pub at: i64,
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let decoded = BASE64_STANDARD.decode(text).ok();
    decoded.filter(|bytes| !bytes.is_empty())
}

fn base64(bytes: &Option<Vec<u8>>) -> String {
    BASE64_STANDARD.encode(bytes.as_deref().unwrap_or_default())
}

fn hex(bytes: &Option<Vec<u8>>) -> String {
    hex::encode(bytes.as_deref().unwrap_or_default())
}

/// The fields that all five have.
macro_rules! placed {
    ($message:expr, $said:expr) => {{
        let (mut message, said) = ($message, $said);
        message.url = Some(said.url.clone());
        message.direct_path = Some(said.direct_path.clone());
        message.media_key = hex::decode(&said.key).ok();
        message.media_key_timestamp = Some(said.at);
        message.file_sha256 = hex::decode(&said.sha256).ok();
        message.file_enc_sha256 = hex::decode(&said.sealed_sha256).ok();
        message.file_length = Some(said.length);
        MessageField::some(message)
    }};
}

macro_rules! said {
    ($message:expr, $sidecar:expr) => {
        Some(Said {
            key: hex(&$message.media_key),
            sha256: hex(&$message.file_sha256),
            sealed_sha256: hex(&$message.file_enc_sha256),
            length: $message.file_length.unwrap_or_default(),
            direct_path: $message.direct_path.clone().unwrap_or_default(),
            url: $message.url.clone().unwrap_or_default(),
            sidecar: $sidecar,
            at: $message.media_key_timestamp.unwrap_or_default(),
        })
    };
}

/// The message as apps encode it.
pub(crate) fn make(family: Family, medium: &Medium) -> Message {
    let said = medium.said.clone().unwrap_or_default();
    let mime = match medium.mime.as_str() {
        "" => family.mime().to_owned(),
        mime => mime.to_owned(),
    };
    let (mime, view_once) = (Some(mime), medium.view_once.then_some(true));
    let mut content = Message::default();
    match family {
        Family::Image => {
            let image = message::ImageMessage {
                mimetype: mime,
                caption: medium.caption.clone(),
                width: medium.width,
                height: medium.height,
                jpeg_thumbnail: bytes(&medium.thumbnail),
                view_once,
                ..Default::default()
            };
            content.image_message = placed!(image, &said);
        }
        Family::Video => {
            let video = message::VideoMessage {
                mimetype: mime,
                caption: medium.caption.clone(),
                width: medium.width,
                height: medium.height,
                seconds: medium.seconds,
                gif_playback: medium.gif.then_some(true),
                jpeg_thumbnail: bytes(&medium.thumbnail),
                streaming_sidecar: bytes(&said.sidecar),
                view_once,
                ..Default::default()
            };
            content.video_message = placed!(video, &said);
        }
        Family::Audio => {
            let audio = message::AudioMessage {
                mimetype: mime,
                seconds: medium.seconds,
                ptt: Some(medium.ptt),
                waveform: bytes(&medium.waveform),
                streaming_sidecar: bytes(&said.sidecar),
                view_once,
                ..Default::default()
            };
            content.audio_message = placed!(audio, &said);
        }
        Family::Document => {
            let document = message::DocumentMessage {
                mimetype: mime,
                title: medium.file_name.clone(),
                file_name: medium.file_name.clone(),
                caption: medium.caption.clone(),
                jpeg_thumbnail: bytes(&medium.thumbnail),
                ..Default::default()
            };
            content.document_message = placed!(document, &said);
        }
        Family::Sticker => {
            let sticker = message::StickerMessage {
                mimetype: mime,
                width: medium.width,
                height: medium.height,
                is_animated: Some(medium.animated),
                ..Default::default()
            };
            content.sticker_message = placed!(sticker, &said);
        }
    }
    wrapped(family, medium, content)
}

/// As the apps do: what is seen once, and a file with a caption.
fn wrapped(family: Family, medium: &Medium, content: Message) -> Message {
    let inner = |content| {
        MessageField::some(message::FutureProofMessage {
            message: MessageField::some(content),
        })
    };
    match family {
        Family::Image | Family::Video if medium.view_once => Message {
            view_once_message_v2: inner(content),
            ..Default::default()
        },
        Family::Audio if medium.view_once => Message {
            view_once_message_v2_extension: inner(content),
            ..Default::default()
        },
        Family::Document if medium.caption.is_some() => Message {
            document_with_caption_message: inner(content),
            ..Default::default()
        },
        _ => content,
    }
}

/// `None` where it is no medium. Takes the message with its wrappers.
pub(super) fn describe(whole: &Message) -> Option<Shown> {
    let content = whole.get_base_message();
    let (family, mut medium) = read(content)?;
    medium.view_once = whole.is_view_once();
    let text = medium.caption.clone().or_else(|| medium.file_name.clone());
    Some(Shown {
        kind: family.as_str(),
        text: text.unwrap_or_default(),
        detail: Detail {
            media: Some(medium),
            ..Detail::default()
        },
    })
}

fn read(content: &Message) -> Option<(Family, Medium)> {
    let none = String::new;
    if let Some(image) = content.image_message.as_option() {
        let medium = Medium {
            mime: image.mimetype.clone().unwrap_or_default(),
            caption: image.caption.clone(),
            width: image.width,
            height: image.height,
            thumbnail: base64(&image.jpeg_thumbnail),
            said: said!(image, none()),
            ..Medium::default()
        };
        return Some((Family::Image, medium));
    }
    let videos = [&content.video_message, &content.ptv_message];
    if let Some(video) = videos.into_iter().find_map(|field| field.as_option()) {
        let medium = Medium {
            mime: video.mimetype.clone().unwrap_or_default(),
            caption: video.caption.clone(),
            width: video.width,
            height: video.height,
            seconds: video.seconds,
            gif: video.gif_playback == Some(true),
            thumbnail: base64(&video.jpeg_thumbnail),
            said: said!(video, base64(&video.streaming_sidecar)),
            ..Medium::default()
        };
        return Some((Family::Video, medium));
    }
    if let Some(audio) = content.audio_message.as_option() {
        let medium = Medium {
            mime: audio.mimetype.clone().unwrap_or_default(),
            seconds: audio.seconds,
            ptt: audio.ptt == Some(true),
            waveform: base64(&audio.waveform),
            said: said!(audio, base64(&audio.streaming_sidecar)),
            ..Medium::default()
        };
        return Some((Family::Audio, medium));
    }
    if let Some(document) = content.document_message.as_option() {
        let medium = Medium {
            mime: document.mimetype.clone().unwrap_or_default(),
            caption: document.caption.clone(),
            file_name: document.file_name.clone(),
            thumbnail: base64(&document.jpeg_thumbnail),
            said: said!(document, none()),
            ..Medium::default()
        };
        return Some((Family::Document, medium));
    }
    let sticker = content.sticker_message.as_option()?;
    let medium = Medium {
        mime: sticker.mimetype.clone().unwrap_or_default(),
        width: sticker.width,
        height: sticker.height,
        animated: sticker.is_animated == Some(true),
        said: said!(sticker, none()),
        ..Medium::default()
    };
    Some((Family::Sticker, medium))
}
