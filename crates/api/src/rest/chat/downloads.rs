//! Media by what their events say of them: the contract's way to the bytes.

use axum::extract::State;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use recado_api_macros::operation;
use recado_app::{App, Turn};
use recado_model::{Error, MediaClass, MediaKey, MediaRef, MessageId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::given;
use crate::{
    auth::{InstanceAccess, least::Viewer},
    describe::{Answer, Large},
    error::Fail,
    extract::{Loose, bytes_of, some_number},
    rest::{Envelope, enveloped},
};

#[derive(Deserialize, JsonSchema)]
pub struct DownloadBody {
    /// `url` of the message's medium. Its host is not asked: WhatsApp says which ones are.
    #[serde(default, alias = "URL", alias = "u_r_l")]
    url: Option<String>,
    /// Base64; so are the two hashes, of which `file_enc_sha256` is needed: hosts ask for it.
    #[serde(default, alias = "mediaKey")]
    media_key: Option<String>,
    /// As the message says.
    #[serde(default, alias = "mimeType", alias = "mime_type")]
    mimetype: Option<String>,
    #[serde(default, alias = "directPath")]
    direct_path: Option<String>,
    #[serde(
        default,
        alias = "fileEncSha256",
        alias = "fileEncSHA256",
        alias = "file_enc_s_h_a256"
    )]
    file_enc_sha256: Option<String>,
    #[serde(
        default,
        alias = "fileSha256",
        alias = "fileSHA256",
        alias = "file_s_h_a256"
    )]
    file_sha256: Option<String>,
    /// Bytes.
    #[serde(default, alias = "fileLength", deserialize_with = "some_number")]
    file_length: Option<i64>,
    /// In place of all of them: the message that has it.
    #[serde(default, alias = "messageId")]
    message_id: Option<String>,
}

/// An answer with its turn.
type Given = Large<Envelope<Downloaded>, Turn>;

#[derive(Serialize, JsonSchema)]
pub struct Downloaded {
    /// As the bytes say.
    mimetype: String,
    /// The bytes as a data URL.
    data: String,
}

/// Gives the bytes of a picture that a message named.
///
/// By what its event says of it, or by `message_id`. Up to 16 MiB; `GET …/chat/messages/{message_id}/media`
/// gives any size.
#[operation]
pub async fn download_image(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Loose(body): Loose<DownloadBody>,
) -> Result<Given, Fail> {
    download(&access, &app, MediaClass::Image, body).await
}

/// Gives the bytes of a film that a message named.
///
/// As `downloadimage` does.
#[operation]
pub async fn download_video(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Loose(body): Loose<DownloadBody>,
) -> Result<Given, Fail> {
    download(&access, &app, MediaClass::Video, body).await
}

/// Gives the bytes of a sound that a message named.
///
/// As `downloadimage` does.
#[operation]
pub async fn download_audio(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Loose(body): Loose<DownloadBody>,
) -> Result<Given, Fail> {
    download(&access, &app, MediaClass::Audio, body).await
}

/// Gives the bytes of a file that a message named.
///
/// As `downloadimage` does.
#[operation]
pub async fn download_document(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Loose(body): Loose<DownloadBody>,
) -> Result<Given, Fail> {
    download(&access, &app, MediaClass::Document, body).await
}

async fn download(
    access: &InstanceAccess<Viewer>,
    app: &App,
    class: MediaClass,
    body: DownloadBody,
) -> Result<Given, Fail> {
    let media = app.media();
    let found = match given(body.message_id.clone()) {
        Some(id) => {
            let id = MessageId::from_wire(id);
            media.download_of(&access.granted, &id).await?
        }
        None => {
            media
                .download(&access.granted, wanted(class, body)?)
                .await?
        }
    };
    let mut data = format!("data:{};base64,", found.mime);
    data.reserve(found.bytes.len().div_ceil(3) * 4);
    BASE64_STANDARD.encode_string(&found.bytes, &mut data);
    drop(found.bytes);
    let Answer(answer) = enveloped(Downloaded {
        data,
        mimetype: found.mime,
    });
    Ok(Large {
        answer,
        held: found.turn,
    })
}

fn wanted(class: MediaClass, body: DownloadBody) -> Result<MediaRef> {
    let missing = |field: &'static str| {
        let text = format!("{field} is required, as the message's event says it; or message_id");
        Error::field(field, text)
    };
    let url = given(body.url);
    let direct_path = match given(body.direct_path) {
        Some(path) if path.starts_with('/') => path,
        Some(_) => {
            let text = "direct_path begins with /, as the message's event says it";
            return Err(Error::field("direct_path", text));
        }
        None => path_of(&url.ok_or_else(|| missing("url"))?)?,
    };
    let key = given(body.media_key).ok_or_else(|| missing("media_key"))?;
    let key = hash("media_key", &key)?;
    let mime = given(body.mimetype).ok_or_else(|| missing("mimetype"))?;
    let sealed = given(body.file_enc_sha256).ok_or_else(|| missing("file_enc_sha256"))?;
    let plain = given(body.file_sha256);
    let plain = plain.map(|text| hash("file_sha256", &text)).transpose()?;
    let length = body.file_length.map(u64::try_from).transpose();
    let length = length.map_err(|_| Error::field("file_length", "file_length is in bytes"))?;
    Ok(MediaRef {
        class,
        key: MediaKey(key),
        sha256: plain,
        sealed_sha256: Some(hash("file_enc_sha256", &sealed)?),
        length,
        direct_path: Some(direct_path),
        mime: Some(mime),
        file_name: None,
    })
}

/// Path and query of the address, which is all that is asked of WhatsApp's hosts.
fn path_of(text: &str) -> Result<String> {
    let wrong = || Error::field("url", "url: the URL of the message's medium");
    let url = url::Url::parse(text.trim()).map_err(|_| wrong())?;
    if !matches!(url.scheme(), "http" | "https") || url.path() == "/" {
        return Err(wrong());
    }
    Ok(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

fn hash(field: &'static str, text: &str) -> Result<[u8; 32]> {
    let bytes = bytes_of(field, text)?;
    let text = format!("{field} is 32 bytes in base64");
    <[u8; 32]>::try_from(bytes).map_err(|_| Error::field(field, text))
}
