//! Pictures, films, sounds, files and stickers into chats.

use axum::{body::Bytes, extract::State};
use recado_api_macros::operation;
use recado_app::{App, Given, SendMedia, SendOptions};
use recado_model::{
    Error, ErrorCode, Result,
    content::{MediaForm, checked_picture, found_name},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Queued, given, links::picture_of};
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{MediaBody, MediaKind, Names, bytes_of, name_in_url, some_whole, text_or_number},
    rest::{Envelope, enveloped},
};

/// What bytes inside of JSON may be, decoded.
const INLINE_MOST: usize = 16 * 1024 * 1024;

/// A body with a medium, and what of it is the medium.
trait Holds: MediaKind {
    /// Where the medium is, as the body says.
    fn source(&mut self) -> Source;
    fn extras(&mut self) -> Extras;
    fn into_address(self) -> (String, SendOptions);
}

struct Source {
    text: Option<String>,
    media_id: Option<String>,
}

/// What of a body is said of the medium.
#[derive(Default)]
struct Extras {
    caption: Option<String>,
    file_name: Option<String>,
    view_once: bool,
    jpeg_thumbnail: Option<String>,
    voice: bool,
}

macro_rules! holds {
    ($name:ident, $form:ident, $field:ident, |$body:ident| $extras:expr) => {
        impl MediaKind for $name {
            const FORM: MediaForm = MediaForm::$form;
        }

        impl Holds for $name {
            fn source(&mut self) -> Source {
                Source {
                    text: given(self.$field.take()),
                    media_id: given(self.media_id.take()),
                }
            }
            fn extras(&mut self) -> Extras {
                let $body = self;
                $extras
            }
            fn into_address(self) -> (String, SendOptions) {
                self.address()
            }
        }
    };
}

send_body!(ImageBody {
    /// A public URL, base64 or a data URL: JPEG, PNG or WebP.
    #[serde(
        default,
        alias = "image_url",
        alias = "imageUrl",
        alias = "imageURL",
        alias = "image_u_r_l",
        alias = "url",
        alias = "file"
    )]
    image: Option<String>,
    /// In place of it: what `POST …/media` answered.
    #[serde(default, alias = "mediaId")]
    media_id: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 65_536))]
    caption: Option<String>,
    /// Shown once on the phone.
    #[serde(default, alias = "viewOnce")]
    view_once: bool,
});
holds!(ImageBody, Image, image, |body| Extras {
    caption: given(body.caption.take()),
    view_once: body.view_once,
    ..Extras::default()
});

send_body!(VideoBody {
    /// A public URL, base64 or a data URL: MP4 or 3GP.
    #[serde(
        default,
        alias = "video_url",
        alias = "videoUrl",
        alias = "videoURL",
        alias = "video_u_r_l",
        alias = "url",
        alias = "file"
    )]
    video: Option<String>,
    /// In place of it: what `POST …/media` answered.
    #[serde(default, alias = "mediaId")]
    media_id: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 65_536))]
    caption: Option<String>,
    /// Shown once on the phone.
    #[serde(default, alias = "viewOnce")]
    view_once: bool,
    /// A small JPEG as base64 or a data URL, shown before it plays: 64 KiB.
    #[serde(default, alias = "jpegThumbnail")]
    jpeg_thumbnail: Option<String>,
});
holds!(VideoBody, Video, video, |body| Extras {
    caption: given(body.caption.take()),
    view_once: body.view_once,
    jpeg_thumbnail: given(body.jpeg_thumbnail.take()),
    ..Extras::default()
});

send_body!(GifBody {
    /// A public URL, base64 or a data URL: an MP4 film without sound. A GIF picture is refused.
    #[serde(
        default,
        alias = "gif_url",
        alias = "gifUrl",
        alias = "gifURL",
        alias = "gif_u_r_l",
        alias = "url",
        alias = "file"
    )]
    gif: Option<String>,
    /// In place of it: what `POST …/media` answered.
    #[serde(default, alias = "mediaId")]
    media_id: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 65_536))]
    caption: Option<String>,
    /// A small JPEG as base64 or a data URL, shown before it plays: 64 KiB.
    #[serde(default, alias = "jpegThumbnail")]
    jpeg_thumbnail: Option<String>,
});
holds!(GifBody, Gif, gif, |body| Extras {
    caption: given(body.caption.take()),
    jpeg_thumbnail: given(body.jpeg_thumbnail.take()),
    ..Extras::default()
});

send_body!(AudioBody {
    /// A public URL, base64 or a data URL: MP3, M4A, AAC, AMR or Ogg.
    #[serde(
        default,
        alias = "audio_url",
        alias = "audioUrl",
        alias = "audioURL",
        alias = "audio_u_r_l",
        alias = "url",
        alias = "file"
    )]
    audio: Option<String>,
    /// In place of it: what `POST …/media` answered.
    #[serde(default, alias = "mediaId")]
    media_id: Option<String>,
    /// A voice note: Opus in Ogg.
    #[serde(default)]
    ptt: bool,
    /// Heard once on the phone.
    #[serde(default, alias = "viewOnce")]
    view_once: bool,
    /// Refused: there is none with sounds.
    #[serde(default)]
    #[schemars(skip)]
    caption: Option<String>,
});
holds!(AudioBody, Audio, audio, |body| Extras {
    caption: given(body.caption.take()),
    view_once: body.view_once,
    voice: body.ptt,
    ..Extras::default()
});

send_body!(DocumentBody {
    /// A public URL, base64 or a data URL: any file.
    #[serde(
        default,
        alias = "document_url",
        alias = "documentUrl",
        alias = "documentURL",
        alias = "document_u_r_l",
        alias = "url",
        alias = "file"
    )]
    document: Option<String>,
    /// In place of it: what `POST …/media` answered.
    #[serde(default, alias = "mediaId")]
    media_id: Option<String>,
    /// As the phone shows it; folders before it and characters that nobody sees are left out.
    #[serde(default, alias = "fileName", alias = "filename")]
    #[schemars(length(max = 255))]
    file_name: Option<String>,
    #[serde(default)]
    #[schemars(length(max = 65_536))]
    caption: Option<String>,
    /// Refused: files stay.
    #[serde(default, alias = "viewOnce")]
    #[schemars(skip)]
    view_once: bool,
});
holds!(DocumentBody, Document, document, |body| Extras {
    view_once: body.view_once,
    caption: given(body.caption.take()),
    file_name: given(body.file_name.take()),
    ..Extras::default()
});

send_body!(StickerBody {
    /// A public URL, base64 or a data URL: a WebP picture, best of 512 x 512 pixels.
    #[serde(
        default,
        alias = "sticker_url",
        alias = "stickerUrl",
        alias = "stickerURL",
        alias = "sticker_u_r_l",
        alias = "url",
        alias = "file"
    )]
    sticker: Option<String>,
    /// In place of it: what `POST …/media` answered.
    #[serde(default, alias = "mediaId")]
    media_id: Option<String>,
    /// Refused, as the next is: stickers have neither.
    #[serde(default)]
    #[schemars(skip)]
    caption: Option<String>,
    #[serde(default, alias = "viewOnce")]
    #[schemars(skip)]
    view_once: bool,
});
holds!(StickerBody, Sticker, sticker, |body| Extras {
    caption: given(body.caption.take()),
    view_once: body.view_once,
    ..Extras::default()
});

/// Queues a picture to a phone.
///
/// By URL, base64, data URL, an earlier upload, or as the file of a form (multipart/form-data, part `file`).
/// A URL is opened before this is answered; its body follows, and a fault in it is a `MessageFailed`.
#[operation]
pub async fn send_image(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    body: MediaBody<ImageBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    accept(&access, &app, body).await
}

/// Queues a film to a phone.
///
/// Given as a picture is (`send/image`); MP4 or 3GP.
#[operation]
pub async fn send_video(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    body: MediaBody<VideoBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    accept(&access, &app, body).await
}

/// Queues a film to a phone that plays by itself, without sound.
///
/// Given as a picture is (`send/image`); WhatsApp shows MP4 so, and a GIF picture is refused.
#[operation]
pub async fn send_gif(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    body: MediaBody<GifBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    accept(&access, &app, body).await
}

/// Queues a sound to a phone, or with `ptt` a voice note.
///
/// Given as a picture is (`send/image`). A voice note is Opus in Ogg.
#[operation]
pub async fn send_audio(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    body: MediaBody<AudioBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    accept(&access, &app, body).await
}

/// Queues a file to a phone.
///
/// Given as a picture is (`send/image`); it arrives as it is, under its name.
#[operation]
pub async fn send_document(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    body: MediaBody<DocumentBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    accept(&access, &app, body).await
}

/// Queues a sticker to a phone.
///
/// Given as a picture is (`send/image`); WebP.
#[operation]
pub async fn send_sticker(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    body: MediaBody<StickerBody>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    accept(&access, &app, body).await
}

async fn accept<B: Holds>(
    access: &InstanceAccess<Developer>,
    app: &App,
    MediaBody { mut body, file }: MediaBody<B>,
) -> Result<Answer<Envelope<Queued>>, Fail> {
    let Source { text, media_id } = body.source();
    let mut extras = body.extras();
    let form = match extras.voice {
        true => MediaForm::Voice,
        false => B::FORM,
    };
    let given = match (text, media_id, file) {
        (None, None, Some(file)) => {
            let found = || found_name(&file.name?);
            extras.file_name = extras.file_name.or_else(found);
            Given::Spooled(file.spooled)
        }
        (None, Some(id), None) => Given::Kept(id),
        (Some(text), None, None) => {
            let given = given_of(form, text)?;
            if let Given::Url(url) = &given {
                let found = || found_name(&name_in_url(url)?);
                extras.file_name = extras.file_name.or_else(found);
            }
            given
        }
        (None, None, None) => {
            let field = form.field();
            let text = format!(
                "{field} is required: a public URL, base64 or a data URL; or media_id, or a form with a file"
            );
            return Err(Error::field(field, text).into());
        }
        _ => {
            let field = form.field();
            let text = format!("{field}: the medium is given twice; give it one way");
            return Err(Error::field(field, text).into());
        }
    };
    let picture = extras.jpeg_thumbnail.as_deref().map(picture_of);
    let picture = picture.transpose()?.map(checked_picture).transpose()?;
    let (to, how) = body.into_address();
    let send = SendMedia {
        to,
        form,
        given,
        caption: extras.caption,
        file_name: extras.file_name,
        view_once: extras.view_once,
        picture,
        how,
    };
    let accepted = app.messages().send_media(&access.granted, send).await?;
    Ok(enveloped(accepted.into()))
}

fn given_of(form: MediaForm, text: String) -> Result<Given> {
    let field = form.field();
    let start = text.trim_start().get(..8).unwrap_or_default();
    let start = start.to_ascii_lowercase();
    if start.starts_with("http://") || start == "https://" {
        return Ok(Given::Url(text.trim().to_owned()));
    }
    let bytes = bytes_of(field, &text)?;
    if bytes.is_empty() {
        return Err(Error::field(field, format!("{field} is empty")));
    }
    if bytes.len() > INLINE_MOST {
        let text = format!(
            "{field} is larger than 16 MiB: send it as a form (multipart/form-data) or by its URL"
        );
        return Err(Error::new(ErrorCode::PayloadTooLarge, text).with_field(field));
    }
    Ok(Given::Bytes(Bytes::from(bytes)))
}
