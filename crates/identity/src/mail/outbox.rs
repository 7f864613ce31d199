//! Letters on their way: off the request's path, bounded, tried more than once.

use std::sync::Arc;

use recado_model::{Clock, Error, ErrorCode, Result, Rng, id::random_base32};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Letter, MailError, Mailer, Stamp};

/// Letters under way at once.
const LETTERS: usize = 256;
/// Of them, so many talk to the mail server at the same time.
const TALKS: usize = 4;
/// For one try.
const PATIENCE_MS: i64 = 20_000;
/// Between the tries; there is one more try than pauses.
const PAUSES_MS: [i64; 2] = [2_000, 10_000];
const RETRY_AFTER_SECS: u64 = 30;

/// A cheap clone; all clones are one.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    mailer: Arc<dyn Mailer>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    room: Arc<Semaphore>,
    talks: Semaphore,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Outbox {
    pub fn new(mailer: Arc<dyn Mailer>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> Self {
        Self(Arc::new(Inner {
            mailer,
            clock,
            rng,
            room: Arc::new(Semaphore::new(LETTERS)),
            talks: Semaphore::new(TALKS),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        }))
    }

    /// 503 while the outbox is full. Where the answer must not tell whether an address is known, ask
    /// this before looking it up: then the full outbox is told to everybody alike.
    pub fn check_room(&self) -> Result<()> {
        match self.0.room.available_permits() {
            0 => Err(full()),
            _ => Ok(()),
        }
    }

    /// Takes the letter and returns at once; it is sent meanwhile. `Err` (503) only when the outbox is
    /// full: the letter is lost then, which is logged too, so that callers whose answer must not differ
    /// may ignore it.
    pub fn hand_over(&self, letter: Letter) -> Result<()> {
        let Ok(permit) = self.0.room.clone().try_acquire_owned() else {
            lost(letter.kind, "the outbox is full");
            return Err(full());
        };
        let inner = self.0.clone();
        self.0.tasks.spawn(async move {
            inner.carry(&letter, permit).await;
        });
        Ok(())
    }

    /// Sends while the caller waits, with the same tries, and tells how it ended. For the command line.
    pub async fn send_now(&self, letter: Letter) -> Result<()> {
        self.0.try_all(&letter).await.map_err(|error| {
            let text = format!("The letter could not be sent: {error}.");
            Error::new(ErrorCode::Unavailable, text).with_source(error)
        })
    }

    /// At the end of the program: no further tries; what is under way has 20 s to come to its
    /// end.
    pub async fn finish(&self) {
        self.0.stop.cancel();
        self.0.tasks.close();
        tokio::select! {
            () = self.0.tasks.wait() => {}
            // A mail server that hangs must not keep the program from ending.
            () = self.0.clock.sleep_ms(PATIENCE_MS) => {
                let left = self.0.tasks.len();
                tracing::warn!(left, "letters were not sent: the program ends");
            }
        }
    }
}

impl Inner {
    async fn carry(&self, letter: &Letter, _room: OwnedSemaphorePermit) {
        match self.try_all(letter).await {
            Ok(()) => count(letter.kind, "sent"),
            Err(error) => lost(letter.kind, &error.to_string()),
        }
    }

    async fn try_all(&self, letter: &Letter) -> std::result::Result<(), MailError> {
        let stamp = Stamp {
            at: self.clock.now(),
            id: random_base32(&*self.rng),
        };
        let mut pauses = PAUSES_MS.iter();
        loop {
            let Err(error) = self.try_once(letter, &stamp).await else {
                return Ok(());
            };
            let Some(pause) = pauses.next().filter(|_| !error.lasting) else {
                return Err(error);
            };
            tracing::info!(letter = letter.kind, %error, "a letter is tried again");
            tokio::select! {
                () = self.stop.cancelled() => return Err(error),
                () = self.clock.sleep_ms(*pause) => {}
            }
        }
    }

    async fn try_once(&self, letter: &Letter, stamp: &Stamp) -> std::result::Result<(), MailError> {
        let Ok(_talk) = self.talks.acquire().await else {
            return Err(MailError::lasting("the outbox is closed"));
        };
        tokio::select! {
            done = self.mailer.send(letter, stamp) => done,
            () = self.clock.sleep_ms(PATIENCE_MS) => {
                Err(MailError::passing("it took longer than 20 s"))
            }
        }
    }
}

fn full() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "Too many letters are waiting to be sent. Try again in half a minute; if it stays so, tell the operator.",
    )
    .with_retry_after(RETRY_AFTER_SECS)
}

fn lost(kind: &'static str, why: &str) {
    count(kind, "lost");
    tracing::warn!(
        letter = kind,
        why,
        "a letter was not sent: check mail.url and the mail server; its recipient can ask for another"
    );
}

fn count(kind: &'static str, outcome: &'static str) {
    metrics::counter!("recado_letters_total", "letter" => kind, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests;
