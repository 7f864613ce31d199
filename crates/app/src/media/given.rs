//! The medium of a message, as its caller gives it: judged, sealed and kept before the message is accepted.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use recado_identity::Granted;
use recado_model::{
    AccountId, Error, ErrorCode, MediaId, MediaKey, MediaLooks, MediaState, Result,
    content::MediaForm,
    media::{MediaSource, MediumSecret},
};
use recado_store::AccountStore;
use sha2::{Digest, Sha256};

use super::{
    Spooled,
    looking::Looked,
    seal::{self, Sealed},
    sniff::Sniffed,
};
use crate::{App, egress::NotOpened};

/// A URL is opened before the answer: clients wait half a minute at most.
pub(crate) const OPEN_WITHIN_MS: i64 = 10_000;

/// When a caller sends again what nobody had time to look at.
const LOOK_AGAIN_SECS: u64 = 10;

/// Where the bytes of a message's medium are.
#[derive(Debug)]
pub enum Given {
    /// Here.
    Bytes(Bytes),
    /// They came as a stream.
    Spooled(Spooled),
    /// At a public address.
    Url(String),
    /// Taken before, under this id.
    Kept(String),
}

/// A medium that is fit to be sent with a message.
pub(crate) struct Prepared {
    pub mime: String,
    /// Which bytes the caller means: a part of what tells one message from another.
    pub means: String,
    pub secret: MediumSecret,
    /// Where the bytes lie; `None` while they are to come.
    pub object: Option<String>,
    pub length: Option<u64>,
    /// The object was made for this message alone.
    pub is_new: bool,
}

/// What is still to come of a URL.
pub(crate) type Rest = BoxStream<'static, io::Result<Bytes>>;

pub(crate) async fn prepare(
    app: &App,
    granted: &Granted,
    form: MediaForm,
    file_name: Option<&str>,
    given: Given,
) -> Result<(Prepared, Option<Rest>)> {
    let prepared = match given {
        Given::Bytes(bytes) => {
            let field = form.field();
            let stream = futures_util::stream::iter([Ok(bytes)]);
            let sealed = app.media().take(form.class(), field, stream).await?;
            of_sealed(app, granted, form, file_name, sealed).await
        }
        Given::Spooled(Spooled(sealed)) => of_sealed(app, granted, form, file_name, sealed).await,
        Given::Url(url) => {
            let (prepared, rest) = of_url(app, form, file_name, url).await?;
            return Ok((prepared, Some(rest)));
        }
        Given::Kept(id) => {
            let mut conn = app.core.store.read().await?;
            let mut store = conn.account(granted.account());
            of_kept(&mut store, granted, form, &id).await
        }
    };
    Ok((prepared?, None))
}

async fn of_sealed(
    app: &App,
    granted: &Granted,
    form: MediaForm,
    file_name: Option<&str>,
    sealed: Sealed,
) -> Result<Prepared> {
    let core = &app.core;
    let mime = sealed.sniffed.fit(form, file_name)?;
    let called = |error: Error| match error.field {
        Some(field) => error.renamed(field, form.field()),
        None => error,
    };
    let looks = looks(app, granted.account(), &sealed).await;
    let looks = looks.map_err(called)?;
    let files = &core.media.files;
    let object = files
        .keep(granted.account(), &sealed.digest, &sealed.file)
        .await?;
    let means = format!("sha256:{}", hex::encode(sealed.digest.sha256));
    let length = sealed.digest.length;
    let mut secret = MediumSecret::new(sealed.key, &*core.rng, core.clock.now());
    (secret.digest, secret.looks) = (Some(sealed.digest), looks);
    Ok(Prepared {
        mime,
        means,
        secret,
        object: Some(object),
        length: Some(length),
        is_new: true,
    })
}

/// How a sealed medium looks. What cannot be read is refused: a phone could not read it either.
///
/// # Errors
/// 503 where there was no time to look: nothing is said of the bytes then.
pub(crate) async fn looks(app: &App, account: &AccountId, sealed: &Sealed) -> Result<MediaLooks> {
    let core = &app.core;
    let Sealed {
        class, key, file, ..
    } = sealed;
    if sealed.digest.length == 0 {
        let field = super::form_of(*class).field();
        return Err(Error::field(field, format!("{field} is empty")));
    }
    let looked = core
        .media
        .looker
        .look(&core.engine, &*core.clock, account, *class, key, file);
    match looked.await? {
        Looked::As(looks) => Ok(looks),
        Looked::Unreadable => {
            let field = super::form_of(*class).field();
            let text = format!(
                "{field}: the bytes cannot be read as what they begin as. They are damaged, broken off, or too large in pixels"
            );
            Err(Error::field(field, text))
        }
        Looked::NoTime => {
            let text = "There was no time to look at the medium: this server is busy. Send it again in a moment.";
            let error = Error::new(ErrorCode::Unavailable, text);
            // The log has it already, with what happened.
            Err(error.with_retry_after(LOOK_AGAIN_SECS).expected())
        }
    }
}

async fn of_url(
    app: &App,
    form: MediaForm,
    file_name: Option<&str>,
    url: String,
) -> Result<(Prepared, Rest)> {
    let core = &app.core;
    let field = form.field();
    let wrong = |text: String| Error::field(field, format!("{field}: {text}"));
    let most = core.config.media.most.of_form(form);
    core.egress
        .check_url(&url)
        .map_err(|error| wrong(error.message.into_owned()))?;
    let opening = async {
        let opened = core.egress.open(&url).await?;
        let (head, rest) = seal::peeked(opened.body).await;
        Ok::<_, NotOpened>((opened.length, head, rest.boxed()))
    };
    let opened = tokio::select! {
        opened = opening => opened,
        () = core.clock.sleep_ms(OPEN_WITHIN_MS) => {
            return Err(wrong("the URL did not answer within 10 seconds".into()));
        }
    };
    let (length, head, rest) = opened.map_err(|why| wrong(why.into_text()))?;
    if length.is_some_and(|length| length > most) {
        let text = format!("{field} is larger than the {most} bytes that this kind may have");
        return Err(Error::new(ErrorCode::PayloadTooLarge, text).with_field(field));
    }
    if head.is_empty() {
        return Err(wrong("the URL gave nothing".into()));
    }
    let mime = Sniffed::of(&head).fit(form, file_name)?;
    let mut secret = MediumSecret::new(MediaKey::random(&*core.rng), &*core.rng, core.clock.now());
    let means = format!("url:{url}");
    secret.source = Some(MediaSource::Url { url });
    let prepared = Prepared {
        mime,
        means,
        secret,
        object: None,
        length,
        is_new: false,
    };
    Ok((prepared, rest))
}

async fn of_kept(
    store: &mut AccountStore<'_>,
    granted: &Granted,
    form: MediaForm,
    id: &str,
) -> Result<Prepared> {
    let unknown = || {
        let text = "media_id: no such medium is known for this instance. POST …/media takes one and answers its id";
        Error::field("media_id", text)
    };
    let found = store.medium(&MediaId::from_text(id.trim())).await?;
    let found = found.filter(|row| row.message.is_none() && row.instance == *granted.id());
    let row = found.ok_or_else(unknown)?;
    if row.class != form.class() {
        let text = format!(
            "media_id: this medium was taken as {}; take it once more with type={} to send it so",
            row.class.as_str(),
            form.class().as_str()
        );
        return Err(Error::field("media_id", text));
    }
    let voice = form == MediaForm::Voice;
    if voice && !row.mime.contains("opus") {
        let text = "media_id: a voice note (ptt) is Opus in Ogg, and this medium is not";
        return Err(Error::field("media_id", text));
    }
    let (MediaState::Kept, Some(digest)) = (row.state, &row.secret.digest) else {
        let text = "media_id: this medium is not kept any more; take it once more";
        return Err(Error::new(ErrorCode::MediaGone, text).with_field("media_id"));
    };
    Ok(Prepared {
        means: format!("sha256:{}", hex::encode(digest.sha256)),
        length: Some(digest.length),
        mime: row.mime,
        object: row.object,
        secret: row.secret,
        is_new: false,
    })
}

/// A short name for a caller's own picture, for the digest.
pub(crate) fn picture_means(picture: &[u8]) -> String {
    format!("picture:{}", hex::encode(Sha256::digest(picture)))
}
