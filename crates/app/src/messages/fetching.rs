//! Bytes that come later: those of a message of ours from its caller's address, those of one that came in from
//! WhatsApp. Whoever fetches holds the medium's row for a while; a process that dies over it lets it go.

use std::io;

use bytes::Bytes;
use futures_util::Stream;
use recado_engine::FetchFault;
use recado_identity::faults;
use recado_model::{
    AccountId, Error, ErrorCode, Failure, MediaId, MediaRef, MediaState, MessageStatus, Result,
    failure,
    media::{MediaOrigin, MediaSource, MediumSecret},
};
use recado_store::{KeptMedium, MediumRow};

use super::{life::Life, wanted};
use crate::{
    App,
    egress::NotOpened,
    media::{
        given, pace,
        seal::{self, Broken, Sealed},
    },
};

/// So long a row is held by whoever fetches.
pub(crate) const HOLD_MS: i64 = 15 * 60 * 1000;
/// Tries before it is given up.
const TRIES: u32 = 8;
/// So long the open body of a URL waits for its turn.
const TURN_WITHIN_MS: i64 = 10_000;
const REST_FIRST_MS: i64 = 5_000;
const REST_MOST_MS: i64 = 10 * 60 * 1000;

/// How a fetch ended without the bytes.
enum Missed {
    /// Later, perhaps.
    Again(String),
    /// For good: a code of [`failure`], and what happened.
    Never(&'static str, String),
}

/// Fetches what an awaited medium waits for. Its row is held.
pub(crate) async fn fetch(app: &App, account: &AccountId, id: &MediaId) {
    if let Err(error) = try_fetch(app, account, id).await {
        // The hold runs out, and it is begun anew.
        faults::warn(&error, "a medium could not be fetched for now");
    }
}

async fn try_fetch(app: &App, account: &AccountId, id: &MediaId) -> Result<()> {
    let Some(row) = awaited(app, account, id).await? else {
        return Ok(());
    };
    match &row.secret.source {
        Some(MediaSource::Url { url }) => match wanted::is(app, account, &row).await? {
            true => from_url(app, account, &row, url).await,
            // An earlier version left it behind.
            false => end(app, account, &row).await,
        },
        Some(MediaSource::WhatsApp { .. }) => from_whatsapp(app, account, &row).await,
        None => Ok(()),
    }
}

async fn awaited(app: &App, account: &AccountId, id: &MediaId) -> Result<Option<MediumRow>> {
    let mut conn = app.core.store.read().await?;
    let row = conn.account(account).medium(id).await?;
    Ok(row.filter(|row| row.state == MediaState::Awaited))
}

async fn end(app: &App, account: &AccountId, row: &MediumRow) -> Result<()> {
    let mut conn = app.core.store.write().await?;
    if let Some(message) = &row.message {
        let mut store = conn.account(account);
        store.end_awaited(message, wanted::OVER).await?;
    }
    Ok(conn.commit().await?)
}

async fn from_url(app: &App, account: &AccountId, row: &MediumRow, url: &str) -> Result<()> {
    let opening = async {
        tokio::select! {
            opened = app.core.egress.open(url) => opened,
            () = app.core.clock.sleep_ms(given::OPEN_WITHIN_MS) => {
                let why = "the URL did not answer within 10 seconds";
                Err(NotOpened::Again(why.to_owned()))
            }
        }
    };
    let why = match wanted::while_it_is(app, account, row, opening).await {
        None => return Ok(()),
        Some(Ok(opened)) => return finish(app, account, row, opened.body).await,
        Some(Err(NotOpened::Again(why))) => Missed::Again(why),
        Some(Err(NotOpened::Never(why))) => Missed::Never(failure::MEDIA_NOT_FETCHED, why),
    };
    missed(app, account, row, why).await
}

/// Goes on with the body of a URL that was opened before its message was accepted. One that does not get its
/// turn is left to the workers: no host keeps a connection for long on which nothing is read.
pub(crate) async fn follow<S>(app: &App, account: &AccountId, id: &MediaId, rest: S)
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
{
    let core = &app.core;
    let followed = async {
        let Some(row) = awaited(app, account, id).await? else {
            return Ok(());
        };
        let turn = async {
            tokio::select! {
                place = core.media.followed.take(account) => place.ok(),
                () = core.clock.sleep_ms(TURN_WITHIN_MS) => None,
            }
        };
        match wanted::while_it_is(app, account, &row, turn).await {
            None => Ok(()),
            Some(Some(_place)) => finish(app, account, &row, rest).await,
            Some(None) => leave(app, account, &row).await,
        }
    };
    if let Err(error) = followed.await {
        faults::warn(&error, "the body of a URL could not be kept for now");
    }
}

/// To the workers.
async fn leave(app: &App, account: &AccountId, row: &MediumRow) -> Result<()> {
    let core = &app.core;
    let mut conn = core.store.write_relaxed().await?;
    let mut store = conn.account(account);
    store.hold_medium(&row.id, core.clock.now()).await?;
    conn.commit().await?;
    core.media.bell(MediaOrigin::Url).notify_one();
    Ok(())
}

/// Seals, judges and keeps what a URL gives.
async fn finish<S>(app: &App, account: &AccountId, row: &MediumRow, body: S) -> Result<()>
where
    S: Stream<Item = io::Result<Bytes>> + Send + Unpin + 'static,
{
    let core = &app.core;
    let most = core.config.media.most.of(row.class);
    let sealing = seal::seal(
        &core.engine,
        &core.media.files,
        row.class,
        row.secret.key(),
        pace::paced(core.clock.clone(), body),
        most,
    );
    let sealed = match wanted::while_it_is(app, account, row, sealing).await {
        None => return Ok(()),
        Some(Ok(sealed)) => sealed,
        Some(Err(Broken::Ours(error))) => return Err(error),
        Some(Err(broken)) => return missed(app, account, row, broke(row, &broken)).await,
    };
    let never = |why: &str| Missed::Never(failure::MEDIA_WRONG_TYPE, why.to_owned());
    let same = sealed.sniffed.received(row.class, &row.mime);
    if row.class != recado_model::MediaClass::Document && same != row.mime {
        return missed(app, account, row, never("it is of another type by now")).await;
    }
    let looks = match given::looks(app, account, &sealed).await {
        Ok(looks) => looks,
        Err(error) if error.is_callers_fault() => {
            return missed(app, account, row, never("it cannot be read")).await;
        }
        Err(error) if error.code == ErrorCode::Unavailable => {
            let again = Missed::Again("this server was too busy to look at it".to_owned());
            return missed(app, account, row, again).await;
        }
        Err(error) => return Err(error),
    };
    let mut secret = row.secret.clone();
    let own = secret.looks.thumbnail.take();
    secret.looks = looks;
    if own.is_some() {
        secret.looks.thumbnail = own;
    }
    keep(app, account, row, sealed, secret, &row.mime).await
}

/// What a body that did not come means for its medium.
fn broke(row: &MediumRow, broken: &Broken) -> Missed {
    match broken {
        Broken::TooLarge(_) => {
            let why = "it is larger than it may be";
            Missed::Never(failure::MEDIA_TOO_LARGE, why.to_owned())
        }
        // A host may have a bad moment; one that is slow twice is slow, and its chat waits.
        Broken::Slow(_) if row.attempts > 0 => {
            let why = "the URL gave its bytes too slowly, twice";
            Missed::Never(failure::MEDIA_NOT_FETCHED, why.to_owned())
        }
        Broken::Slow(_) => Missed::Again("the URL gave its bytes too slowly".to_owned()),
        Broken::Source(_) | Broken::Ours(_) => {
            Missed::Again("the URL broke off before its end".to_owned())
        }
    }
}

async fn keep(
    app: &App,
    account: &AccountId,
    row: &MediumRow,
    sealed: Sealed,
    mut secret: MediumSecret,
    mime: &str,
) -> Result<()> {
    let core = &app.core;
    let files = &core.media.files;
    let object = files.keep(account, &sealed.digest, &sealed.file).await?;
    let length = sealed.digest.length;
    secret.digest = Some(sealed.digest);
    let mut conn = core.store.write().await?;
    let kept = KeptMedium {
        mime,
        length,
        object: &object,
        secret: &secret,
    };
    let is_kept = conn.account(account).keep_medium(&row.id, &kept).await?;
    conn.commit().await?;
    if !is_kept {
        // Nobody waits for it any more.
        app.messages().forget_unless_used(&object).await;
        return Ok(());
    }
    metrics::counter!("recado_media_fetched_total", "outcome" => "kept").increment(1);
    app.supervisor.wake(&row.instance);
    Ok(())
}

async fn from_whatsapp(app: &App, account: &AccountId, row: &MediumRow) -> Result<()> {
    let core = &app.core;
    let named = named(row);
    let most = core.config.media.most.largest();
    let (file, path) = core.media.files.spooled().map_err(Error::internal)?;
    drop(file);
    // The engine makes the file itself; the path takes it away again.
    std::fs::remove_file(&path).map_err(Error::internal)?;
    let never = |why: &str| Missed::Never(failure::MEDIA_NOT_FETCHED, why.to_owned());
    let digest = match core.engine.fetch_media(&named, most, &path).await {
        Ok(digest) => digest,
        Err(FetchFault::Failed(error)) => {
            tracing::debug!(
                error = &error as &dyn std::error::Error,
                "a medium was not fetched"
            );
            let again = Missed::Again("WhatsApp's hosts did not give it".to_owned());
            return missed(app, account, row, again).await;
        }
        Err(FetchFault::Expired) => return expired(app, account, row).await,
        Err(FetchFault::TooLarge) => {
            return missed(app, account, row, never("it is larger than it may be")).await;
        }
        Err(FetchFault::Wrong) => {
            let why = "what came is not what the message says";
            return missed(app, account, row, never(why)).await;
        }
    };
    let key = row.secret.key();
    let sniffed = seal::head_of(&core.engine, row.class, &key, &path).await?;
    let mime = sniffed.received(row.class, &row.mime);
    let sealed = Sealed {
        class: row.class,
        key,
        digest,
        sniffed,
        file: path,
    };
    keep(app, account, row, sealed, row.secret.clone(), &mime).await
}

/// What WhatsApp's hosts are asked for.
fn named(row: &MediumRow) -> MediaRef {
    let (direct_path, sha256, sealed_sha256, length) = match &row.secret.source {
        Some(MediaSource::WhatsApp {
            direct_path,
            sha256,
            sealed_sha256,
            length,
        }) => (direct_path.clone(), *sha256, *sealed_sha256, *length),
        _ => (None, None, None, None),
    };
    MediaRef {
        class: row.class,
        key: row.secret.key(),
        sha256,
        sealed_sha256,
        length,
        direct_path,
        mime: Some(row.mime.clone()),
        file_name: row.file_name.clone(),
    }
}

/// WhatsApp's hosts have it no more: the phone is asked to bring it there again.
async fn expired(app: &App, account: &AccountId, row: &MediumRow) -> Result<()> {
    let Some(message) = &row.message else {
        return gone(app, account, row).await;
    };
    let mut conn = app.core.store.read().await?;
    let message = conn.account(account).message_with_key(message).await?;
    drop(conn);
    let Some(message) = message else {
        return gone(app, account, row).await;
    };
    let asked = app
        .supervisor
        .reupload(account, &message, row.secret.key())
        .await;
    match asked {
        Ok(Some(path)) => {
            let mut secret = row.secret.clone();
            if let Some(MediaSource::WhatsApp { direct_path, .. }) = &mut secret.source {
                *direct_path = Some(path);
            }
            let now = app.core.clock.now();
            let mut conn = app.core.store.write().await?;
            let mut store = conn.account(account);
            store.move_medium(&row.id, &secret).await?;
            // The next round fetches it from there.
            let why = "the phone has brought it to WhatsApp again";
            store.retry_medium(&row.id, why, Some(now)).await?;
            conn.commit().await?;
            app.core.media.bell(MediaOrigin::WhatsApp).notify_one();
            Ok(())
        }
        Ok(None) => gone(app, account, row).await,
        Err(_) => {
            let why = "WhatsApp has it no more, and the phone did not answer";
            missed(app, account, row, Missed::Again(why.to_owned())).await
        }
    }
}

async fn gone(app: &App, account: &AccountId, row: &MediumRow) -> Result<()> {
    let mut conn = app.core.store.write().await?;
    let why = Some("WhatsApp has it no more, nor has the phone");
    conn.account(account)
        .end_medium(&row.id, MediaState::Gone, why)
        .await?;
    conn.commit().await?;
    metrics::counter!("recado_media_fetched_total", "outcome" => "gone").increment(1);
    Ok(())
}

/// Later again, some times; then its message has failed, if it is one of ours.
async fn missed(app: &App, account: &AccountId, row: &MediumRow, missed: Missed) -> Result<()> {
    let core = &app.core;
    let now = core.clock.now();
    let (code, why) = match missed {
        Missed::Again(why) if row.attempts + 1 < TRIES => {
            let pause = (REST_FIRST_MS << row.attempts.min(10)).min(REST_MOST_MS);
            let pause = pause + core.rng.below(pause as u64 / 4) as i64;
            let mut conn = core.store.write().await?;
            let mut store = conn.account(account);
            store
                .retry_medium(&row.id, &why, Some(now.plus_millis(pause)))
                .await?;
            conn.commit().await?;
            metrics::counter!("recado_media_fetched_total", "outcome" => "again").increment(1);
            return Ok(());
        }
        Missed::Again(why) => (failure::MEDIA_NOT_FETCHED, why),
        Missed::Never(code, why) => (code, why),
    };
    metrics::counter!("recado_media_fetched_total", "outcome" => "failed").increment(1);
    let mut conn = core.store.write().await?;
    let mut store = conn.account(account);
    store.lock_instance(&row.instance).await?;
    store
        .end_medium(&row.id, MediaState::Failed, Some(&why))
        .await?;
    let ours = match (&row.message, &row.secret.source) {
        (Some(key), Some(MediaSource::Url { .. })) => store.message_with_key(key).await?,
        _ => None,
    };
    let mut failed = None;
    if let Some(message) = ours {
        let life = Life {
            core,
            account,
            instance: &row.instance,
            now,
        };
        let failure = Failure::of(code);
        if life.failed(&mut store, &message.id, &failure).await? {
            failed = Some(message.id);
        }
    }
    conn.commit().await?;
    if let Some(id) = failed {
        core.told_progress(&row.instance, &id, MessageStatus::Failed);
        app.supervisor.wake(&row.instance);
    }
    Ok(())
}
