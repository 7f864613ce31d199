//! Sealed media on their way to WhatsApp's hosts and back.

use std::{
    io::{self, Read, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    time::Duration,
};

use recado_model::{
    Address, Error, ErrorCode, MediaClass, MediaDigest, MediaKey, MediaRef, MessageId, Result,
    media::Uploaded,
};
use tokio::{fs::File, io::AsyncWriteExt as _};
use url::Url;
use whatsapp_rust::{
    NodeFilter, anyhow,
    download::DownloadParams,
    http::HttpRequest,
    wacore::{
        download::{DEFAULT_MEDIA_HOSTS, DownloadUtils, MediaRoute},
        media_retry::{
            MediaRetryResult, build_media_retry_receipt, encrypt_media_retry_receipt,
            parse_media_retry_notification,
        },
        upload::{EncryptedMediaInfo, UploadSource},
    },
};

use super::{
    EngineParts,
    address::jid,
    core::{LinkCore, not_connected},
    media::{media_type, open},
};
use crate::FetchFault;

type Fetched<T> = std::result::Result<T, FetchFault>;

/// How long a phone may take to upload a medium again.
const PHONE: Duration = Duration::from_secs(30);
/// How WhatsApp's hosts say that they do not give out a medium any more, under this path.
const GONE: [u16; 4] = [401, 403, 404, 410];

pub(in crate::wa) async fn fetch(
    parts: &EngineParts,
    medium: &MediaRef,
    most: u64,
    to: &Path,
) -> Fetched<MediaDigest> {
    // In the way of an error, and of a caller that waits no longer.
    let unfinished = Unfinished(Some(to.to_owned()));
    let mut last = FetchFault::Wrong;
    for url in urls(medium)? {
        match bring(parts, url, most, to).await {
            Ok(()) => {
                let digest = check(medium, to).await?;
                unfinished.keep();
                return Ok(digest);
            }
            // A host may be down; one that answers speaks for all.
            Err(fault @ FetchFault::Failed(_)) => last = fault,
            Err(fault) => return Err(fault),
        }
    }
    Err(last)
}

/// Where it may lie. The path is its sender's word, and must not lead to another host.
fn urls(medium: &MediaRef) -> Fetched<Vec<String>> {
    let Some(path) = &medium.direct_path else {
        return Err(FetchFault::Expired);
    };
    let sealed = medium.sealed_sha256.as_ref().ok_or(FetchFault::Wrong)?;
    let params = DownloadParams::encrypted(
        path.as_str(),
        &medium.key.0,
        &medium.sha256.unwrap_or_default(),
        sealed,
        medium.length.unwrap_or_default(),
        media_type(medium.class),
    );
    let route = MediaRoute::default_hosts();
    let requests = DownloadUtils::prepare_download_requests(&params, &route)
        .map_err(|error| failed(error.into_boxed_dyn_error()))?;
    let urls = requests.into_iter().map(|request| request.url);
    let urls = urls.map(|url| is_at_whatsapp(&url).then_some(url));
    urls.collect::<Option<_>>().ok_or(FetchFault::Wrong)
}

fn is_at_whatsapp(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        url.scheme() == "https"
            && url.username().is_empty()
            && url.password().is_none()
            && url.port().is_none()
            && url
                .host_str()
                .is_some_and(|host| DEFAULT_MEDIA_HOSTS.contains(&host))
    })
}

/// The sealed bytes, into a file that is made anew.
async fn bring(parts: &EngineParts, url: String, most: u64, to: &Path) -> Fetched<()> {
    let opened = parts.http.open(HttpRequest::get(url)).await;
    let mut incoming = opened.map_err(|error| failed(error.into_boxed_dyn_error()))?;
    match incoming.status() {
        200 => {}
        status if GONE.contains(&status) => return Err(FetchFault::Expired),
        status => return Err(failed(format!("a media host answered {status}").into())),
    }
    if incoming.length().is_some_and(|length| length > most) {
        return Err(FetchFault::TooLarge);
    }
    let mut file = File::create(to)
        .await
        .map_err(|error| failed(error.into()))?;
    let mut length = 0;
    loop {
        let part = incoming.part().await;
        let Some(part) = part.map_err(|error| failed(error.into_boxed_dyn_error()))? else {
            break;
        };
        length += part.len() as u64;
        if length > most {
            return Err(FetchFault::TooLarge);
        }
        let written = file.write_all(&part).await;
        written.map_err(|error| failed(error.into()))?;
    }
    file.flush().await.map_err(|error| failed(error.into()))
}

/// Opens it once, to nowhere.
async fn check(medium: &MediaRef, at: &Path) -> Fetched<MediaDigest> {
    let (class, key, at) = (medium.class, medium.key.clone(), at.to_owned());
    let opened = tokio::task::spawn_blocking(move || {
        let mut sealed = std::fs::File::open(at)?;
        open(class, &key, &mut sealed, &mut io::sink())
    });
    let opened = opened.await.map_err(|error| failed(error.into()))?;
    let digest = opened.map_err(|error| match error.kind() {
        io::ErrorKind::InvalidData => FetchFault::Wrong,
        _ => failed(error.into()),
    })?;
    let is_said = |said: Option<[u8; 32]>, found| said.is_none_or(|said| said == found);
    let is_right = is_said(medium.sha256, digest.sha256)
        && is_said(medium.sealed_sha256, digest.sealed_sha256)
        && medium.length.is_none_or(|said| said == digest.length);
    if is_right {
        Ok(digest)
    } else {
        Err(FetchFault::Wrong)
    }
}

fn failed(source: Box<dyn std::error::Error + Send + Sync>) -> FetchFault {
    FetchFault::Failed(
        Error::new(
            ErrorCode::EngineUnavailable,
            "The medium could not be fetched from WhatsApp. Try again.",
        )
        .with_source(source),
    )
}

/// A file that goes unless it is kept.
struct Unfinished(Option<PathBuf>);

impl Unfinished {
    fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        let Some(path) = self.0.take() else { return };
        if let Err(error) = std::fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "what was fetched of a medium could not be removed");
        }
    }
}

impl LinkCore {
    pub(in crate::wa) async fn upload(
        &self,
        class: MediaClass,
        key: &MediaKey,
        digest: &MediaDigest,
        sealed: &Path,
    ) -> Result<Uploaded> {
        let client = self.online()?;
        let found = tokio::fs::metadata(sealed).await;
        let source = Spooled {
            path: sealed.to_owned(),
            length: found.map_err(Error::internal)?.len(),
        };
        let info = EncryptedMediaInfo {
            media_key: key.0,
            file_sha256: digest.sha256,
            file_enc_sha256: digest.sealed_sha256,
            file_length: digest.length,
            streaming_sidecar: digest.sidecar.clone(),
        };
        let uploaded = client.upload_stream(source, info, media_type(class)).await;
        let uploaded = uploaded.map_err(|error| self.not_uploaded(error))?;
        Ok(Uploaded {
            url: uploaded.url,
            direct_path: uploaded.direct_path,
        })
    }

    fn not_uploaded(&self, error: anyhow::Error) -> Error {
        if self.online().is_err() {
            return not_connected().with_source(error.into_boxed_dyn_error());
        }
        Error::new(
            ErrorCode::EngineUnavailable,
            "WhatsApp did not take the medium. Try again.",
        )
        .with_source(error.into_boxed_dyn_error())
    }

    pub(in crate::wa) async fn reupload(
        &self,
        chat: &Address,
        sender: Option<&Address>,
        from_me: bool,
        id: &MessageId,
        key: &MediaKey,
    ) -> Result<Option<String>> {
        let client = self.online()?;
        let chat = jid("chat", chat)?;
        let sender = sender.map(|sender| jid("sender", sender)).transpose()?;
        // The library would address its own device; the phone is asked by the account's address.
        let own = client.pn().ok_or_else(not_connected)?.to_non_ad();
        let (body, iv) = encrypt_media_retry_receipt(&key.0, id.as_str()).map_err(not_asked)?;
        let (id, sender) = (id.as_str(), sender.as_ref());
        let receipt = build_media_retry_receipt(&own, id, &chat, from_me, sender, &body, &iv);
        let answer = NodeFilter::tag("notification").attr("type", "mediaretry");
        // Before the question leaves: the phone may be quick.
        let answer = client.wait_for_node(answer.attr("id", id));
        let sent = client.send_node(receipt).await;
        sent.map_err(|error| not_connected().with_source(error))?;
        let answer = tokio::time::timeout(PHONE, answer).await;
        let answer = answer.map_err(|_| silent())?.map_err(not_asked)?;
        match parse_media_retry_notification(answer.get(), &key.0).map_err(not_asked)? {
            MediaRetryResult::Success { direct_path } => Ok(Some(direct_path)),
            MediaRetryResult::NotFound => Ok(None),
            MediaRetryResult::GeneralError | MediaRetryResult::DecryptionError => Err(Error::new(
                ErrorCode::EngineUnavailable,
                "The phone could not upload the medium again.",
            )),
        }
    }
}

fn silent() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "The phone did not answer. It must be online to upload the medium again.",
    )
}

fn not_asked(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorCode::EngineUnavailable,
        "The phone could not be asked for the medium. Try again.",
    )
    .with_source(error)
}

/// A sealed file: hosts may want it again, and from its middle on.
struct Spooled {
    path: PathBuf,
    length: u64,
}

impl UploadSource for Spooled {
    fn len(&self) -> u64 {
        self.length
    }

    fn reader_from(&self, offset: u64) -> io::Result<Box<dyn Read + Send>> {
        let mut file = std::fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(path: &str) -> Fetched<Vec<String>> {
        urls(&MediaRef {
            class: MediaClass::Image,
            key: MediaKey([7; 32]),
            sha256: None,
            sealed_sha256: Some([0; 32]),
            length: None,
            direct_path: Some(path.to_owned()),
            mime: None,
            file_name: None,
        })
    }

    #[test]
    fn a_path_leads_to_whatsapps_hosts_only() {
        let token = "A".repeat(43);
        let expected =
            DEFAULT_MEDIA_HOSTS.map(|host| format!("https://{host}/v/t62.7118-24/1?token={token}"));
        assert_eq!(at("/v/t62.7118-24/1").expect("URLs"), expected);
        for path in ["@127.0.0.1/v/1", ":8080/v/1", ".example.com/v/1", ":a@b/"] {
            assert!(matches!(at(path), Err(FetchFault::Wrong)), "{path}");
        }
    }
}
