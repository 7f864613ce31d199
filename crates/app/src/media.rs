//! Media: taken from callers and from WhatsApp, kept sealed, and given out again.
//!
//! - `sniff`: what bytes are. `seal`: bytes on their way into the spool. `files`: store and spool. `looking`: how
//!   a medium looks, in a child process.
//! - `given`: the medium of a message as its caller gives it. `bringing`: to WhatsApp. `arriving`: what comes in.
//!   [`opening`]: given out, by link or to its owner. `downloads`: by what an event says. `pruning`: what
//!   goes.
//! - `shares`: a place for what takes long, and no account has them all. `pace`: the least rate at which bytes come.
//!
//! Bytes that come later, from a caller's address or from WhatsApp, are in `messages/fetching`: a fault there is
//! the message's.

pub(crate) mod arriving;
pub(crate) mod bringing;
mod downloads;
mod files;
pub(crate) mod given;
mod links;
mod looking;
pub mod opening;
pub(crate) mod pace;
pub(crate) mod pruning;
pub(crate) mod seal;
pub(crate) mod shares;
mod sniff;

use std::{io, sync::Arc};

use bytes::Bytes;
use futures_util::{Stream, stream::BoxStream};
use recado_identity::Granted;
use recado_model::{
    AccountId, Clock, Error, ErrorCode, MediaClass, MediaId, MediaKey, MediaLooks, Result,
    content::{MediaForm, media_name},
    media::{MediaOrigin, MediumSecret},
};
use recado_store::NewMedium;
use tokio::sync::{Notify, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub use downloads::{Downloaded, Turn};
pub use given::Given;
pub use looking::LookExit;
pub use opening::{Opened, Span};

use crate::{App, config::MediaConfig};
use shares::{Place, Shares};

/// What an upload calls its medium.
const FILE: &str = "file";

/// Bodies of callers on their way in at once, and those of one account; each takes a thread.
const BODIES: usize = 48;
const BODIES_EACH: usize = 12;
/// Bodies of URLs that go on behind the answer.
const FOLLOWED: usize = 48;
const FOLLOWED_EACH: usize = 12;
/// When a caller whose account has its share asks again.
const BODY_AGAIN_SECS: u64 = 5;

/// What all that has to do with media shares.
pub(crate) struct MediaRoom {
    pub files: files::MediaFiles,
    pub looker: looking::Looker,
    /// Places of what a URL goes on to give once its message was accepted.
    pub followed: Shares,
    bodies: Shares,
    downloads: Shares,
    /// Rung when there is something to fetch: for each origin its own.
    url_bell: Notify,
    whatsapp_bell: Notify,
    /// Changes when media that may be under way are not wanted any more.
    unwanted: watch::Sender<()>,
    /// What goes on without anybody who waits for it.
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl MediaRoom {
    pub fn open(config: &MediaConfig, node: &str) -> Result<Self> {
        Ok(Self {
            files: files::MediaFiles::open(config, node)?,
            looker: looking::Looker::new(config),
            followed: Shares::new(FOLLOWED, FOLLOWED_EACH),
            bodies: Shares::new(BODIES, BODIES_EACH),
            downloads: Shares::new(downloads::AT_ONCE, downloads::EACH),
            url_bell: Notify::new(),
            whatsapp_bell: Notify::new(),
            unwanted: watch::Sender::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Rung when something of this origin is to be fetched.
    pub fn bell(&self, origin: MediaOrigin) -> &Notify {
        match origin {
            MediaOrigin::Url => &self.url_bell,
            MediaOrigin::WhatsApp => &self.whatsapp_bell,
        }
    }

    /// Some messages are over: whoever fetches for them looks, and ends.
    pub fn tell_unwanted(&self) {
        self.unwanted.send_replace(());
    }

    /// Told when something may not be wanted any more.
    pub fn hear_unwanted(&self) -> watch::Receiver<()> {
        self.unwanted.subscribe()
    }

    /// Goes on with it, until it is done or the program ends.
    pub fn go_on(&self, work: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = work => {}
            }
        });
    }

    /// Ends what goes on; what is half there goes, and is begun anew after the next start.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

pub struct Media<'a> {
    pub(crate) app: &'a App,
}

/// A place for a caller's body on its way in. Dropped, it is free again.
pub struct Receiving {
    _place: Place,
    clock: Arc<dyn Clock>,
}

impl Receiving {
    /// The bytes, which must keep a least rate: a slow body would hold its place for long.
    pub fn paced<S>(&self, stream: S) -> BoxStream<'static, io::Result<Bytes>>
    where
        S: Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
    {
        pace::paced(self.clock.clone(), stream)
    }
}

/// What a caller hears whose body is behind this error, if it came too slowly.
pub fn too_slow(error: &(dyn std::error::Error + 'static)) -> Option<Error> {
    pace::is_too_slow(error).then(|| {
        let text = "The body comes too slowly: at least 64 KiB in 30 seconds are needed, and no silence of 20 seconds.";
        Error::new(ErrorCode::TooSlow, text)
    })
}

/// A medium that a caller is sending, sealed in the spool. Dropped, it is gone.
#[derive(Debug)]
pub struct Spooled(pub(crate) seal::Sealed);

/// A medium that has come, and is fit to be sent. Dropped, it is gone.
#[derive(Debug)]
pub struct Taken {
    sealed: seal::Sealed,
    mime: String,
    file_name: Option<String>,
    looks: MediaLooks,
}

/// A medium that was taken, for messages to name.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: MediaId,
    pub class: MediaClass,
    pub mime: String,
    pub file_name: Option<String>,
    pub length: u64,
    pub sha256: [u8; 32],
}

impl Media<'_> {
    /// The most bytes that a medium of this form may have.
    pub fn most(&self, form: MediaForm) -> u64 {
        self.app.core.config.media.most.of_form(form)
    }

    /// The most bytes that a medium of this class may have; of none, one of any.
    pub fn most_of(&self, class: Option<MediaClass>) -> u64 {
        let most = &self.app.core.config.media.most;
        class.map_or_else(|| most.largest(), |class| most.of(class))
    }

    /// A place for a body that streams in.
    ///
    /// # Errors
    /// 429 when the account has its share of them, or all are taken.
    pub fn receive(&self, account: &AccountId) -> Result<Receiving> {
        let core = &self.app.core;
        let place = core.media.bodies.try_take(account).ok_or_else(|| {
            let text = format!(
                "Too many files are on their way in: an account sends at most {BODIES_EACH} at once. Send this one again in a moment."
            );
            Error::new(ErrorCode::RateLimited, text).with_retry_after(BODY_AGAIN_SECS)
        })?;
        Ok(Receiving {
            _place: place,
            clock: core.clock.clone(),
        })
    }

    /// Takes the bytes of a medium, as they come. `field` is what the caller calls it.
    pub async fn spool<S>(&self, form: MediaForm, field: &'static str, stream: S) -> Result<Spooled>
    where
        S: Stream<Item = io::Result<Bytes>> + Unpin,
    {
        self.take(form.class(), field, stream).await.map(Spooled)
    }

    async fn take<S>(
        &self,
        class: MediaClass,
        field: &'static str,
        bytes: S,
    ) -> Result<seal::Sealed>
    where
        S: Stream<Item = io::Result<Bytes>> + Unpin,
    {
        let core = &self.app.core;
        let most = core.config.media.most.of(class);
        let key = MediaKey::random(&*core.rng);
        seal::seal(&core.engine, &core.media.files, class, key, bytes, most)
            .await
            .map_err(|broken| broken.of_field(field))
    }

    /// Takes a medium for messages that will name it. `class`: what it is to be sent as; the bytes decide where
    /// nobody says. [`Media::store`] keeps it.
    pub async fn take_in<S>(
        &self,
        account: &AccountId,
        class: Option<MediaClass>,
        file_name: Option<String>,
        stream: S,
    ) -> Result<Taken>
    where
        S: Stream<Item = io::Result<Bytes>> + Unpin,
    {
        let file_name = file_name.filter(|name| !name.is_empty());
        let file_name = file_name.map(|name| media_name(&name)).transpose()?;
        let (head, stream) = seal::peeked(stream).await;
        let class = class.unwrap_or_else(|| sniff::Sniffed::of(&head).class());
        let sealed = self.take(class, FILE, stream).await?;
        let form = form_of(class);
        let ours = |error: Error| match error.field {
            Some(field) if field == form.field() => error.renamed(field, FILE),
            _ => error,
        };
        let mime = sealed.sniffed.fit(form, file_name.as_deref());
        let mime = mime.map_err(ours)?;
        let looks = given::looks(self.app, account, &sealed)
            .await
            .map_err(ours)?;
        Ok(Taken {
            sealed,
            mime,
            file_name,
            looks,
        })
    }

    /// Keeps what was taken.
    pub async fn store(&self, granted: &Granted, taken: Taken) -> Result<Stored> {
        let (core, now) = (&self.app.core, self.app.core.clock.now());
        let Taken {
            sealed,
            mime,
            file_name,
            looks,
        } = taken;
        let files = &core.media.files;
        let object = files
            .keep(granted.account(), &sealed.digest, &sealed.file)
            .await?;
        let digest = sealed.digest.clone();
        let mut secret = MediumSecret::new(sealed.key, &*core.rng, now);
        (secret.digest, secret.looks) = (Some(sealed.digest), looks);
        let id = MediaId::random(&*core.rng);
        let mut conn = core.store.write().await?;
        let new = NewMedium {
            id: &id,
            instance: granted.id(),
            message: None,
            class: sealed.class,
            mime: &mime,
            file_name: file_name.as_deref(),
            length: Some(digest.length),
            object: Some(&object),
            secret: &secret,
            next_at: None,
        };
        conn.account(granted.account())
            .insert_medium(&new, now)
            .await?;
        conn.commit().await?;
        Ok(Stored {
            id,
            class: sealed.class,
            mime,
            file_name,
            length: digest.length,
            sha256: digest.sha256,
        })
    }
}

/// The plainest form of a class.
pub(crate) fn form_of(class: MediaClass) -> MediaForm {
    match class {
        MediaClass::Image => MediaForm::Image,
        MediaClass::Video => MediaForm::Video,
        MediaClass::Audio => MediaForm::Audio,
        MediaClass::Document => MediaForm::Document,
        MediaClass::Sticker => MediaForm::Sticker,
    }
}

/// The type that bytes are sent under in a form, for the fuzz targets in `/fuzz`. Not an interface.
///
/// # Errors
/// As for a caller who sends them.
#[cfg(feature = "fuzzing")]
pub fn sniffed(
    head: &[u8],
    form: recado_model::content::MediaForm,
    file_name: Option<&str>,
) -> recado_model::Result<String> {
    sniff::Sniffed::of(head).fit(form, file_name)
}
