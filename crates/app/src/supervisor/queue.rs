//! The send queue of one instance: in order in each chat, paced, a few at a time, until WhatsApp's server
//! has each message.
//!
//! A try is the send itself and the wait for its answer. The answer arrives at the sink
//! (`ingest`), which moves the message on and tells the actor by [`Verdict`]; the wait is here. A crash, a
//! lost link, a restart: the job is still there, and the same bytes go out again under the same id.

use recado_model::{
    Address, ChatId, Error, ErrorCode, Failure, MessageId, MessageStatus, Monotonic, Result,
    Timestamp, failure, message::FinishedMessage,
};
use recado_store::{Job, MediumRow, StoreError};

use super::{
    actor::Actor,
    flights::{Overdue, Patience},
};
use crate::{
    inbox::{Command, Verdict},
    media::bringing::{self, Turn},
    messages::life::Life,
};

/// How long a medium may take to WhatsApp's hosts.
const BRING_MS: i64 = 15 * 60 * 1000;
/// Between two looks whether a medium that is to come is here.
const COMING_MS: i64 = 500;
/// Tries that end with a fault of ours, before the message has failed.
const FAULTS: u32 = 8;
const REST_FIRST_MS: i64 = 2_000;
const REST_MOST_MS: i64 = 5 * 60 * 1000;
/// Tries without any answer, before nobody knows.
const SILENCES: u32 = 2;

impl Actor {
    fn patience(&self) -> Patience {
        let config = &self.core.config;
        Patience {
            bring_ms: BRING_MS,
            send_ms: config.send_timeout_ms,
            answer_ms: config.ack_timeout_ms,
        }
    }

    /// When something is to be done for the queue by the monotonic clock.
    pub(super) fn queue_timer(&self) -> Option<Monotonic> {
        if !self.online {
            return None;
        }
        let tick = (!self.flights.is_empty())
            .then(|| self.last_look.plus_millis(self.patience().tick_ms()));
        [self.look_at, tick, self.renew_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Looks after the queue: judges what waits for its answer, starts what may start.
    pub(super) async fn tend(&mut self) {
        self.last_look = self.core.clock.monotonic();
        if let Err(error) = self.try_tend().await {
            self.log(&error, "the send queue stopped for a moment");
            let now = self.core.clock.monotonic();
            self.look_at = Some(now.plus_millis(1_000));
        }
    }

    async fn try_tend(&mut self) -> Result<()> {
        let now = self.core.clock.monotonic();
        for (job, what) in self.flights.tick(now, self.patience()) {
            match what {
                Overdue::Answer => {
                    self.flights.end(&job.message);
                    self.silent(job).await?;
                }
                Overdue::Send => {
                    self.flights.give_up(&job.message);
                    let late = Error::new(ErrorCode::Timeout, "the send did not return in time");
                    self.faulty(job, late).await?;
                }
            }
        }
        if self.renew_at.is_some_and(|at| at <= now) {
            self.renew_at = None;
            self.renew().await;
        }
        match self.look_at {
            Some(at) if at <= now => self.start_due(now).await,
            _ => Ok(()),
        }
    }

    /// Starts what is due, as far as there is room; says when to look again.
    async fn start_due(&mut self, now: Monotonic) -> Result<()> {
        self.look_at = None;
        if !self.online || self.link.is_none() || !self.flights.has_room() {
            return Ok(());
        }
        if let Some(until) = self.flights.held_until(now) {
            self.look_at = Some(until);
            return Ok(());
        }
        if self.next_start > now {
            self.look_at = Some(self.next_start);
            return Ok(());
        }
        let busy = self.flights.busy_chats(now);
        let pause = self.pause().await?;
        let Some(job) = self.next_job(&busy).await? else {
            self.look_at = self.flights.first_rested();
            return Ok(());
        };
        if !self.start(job).await? {
            // Nothing went out, so there is nothing to pace.
            self.look_at = Some(now);
            return Ok(());
        }
        self.next_start = now.plus_millis(pause);
        self.look_at = Some(self.next_start);
        Ok(())
    }

    /// How long nothing starts after a start: as the instance's owner wants it now, and never less than the
    /// operator has it.
    async fn pause(&self) -> Result<i64> {
        let mut conn = self.core.store.read().await?;
        let mut store = conn.account(&self.account);
        let behaviour = store.behaviour(&self.instance).await?;
        let settings = behaviour.map(|(settings, _)| settings);
        let settings = settings.unwrap_or_default();
        let least = self.core.config.send_interval_ms;
        let interval = settings
            .send_interval_ms
            .map_or(least, |own| own.max(least));
        let jitter = match (settings.send_jitter_ms, interval) {
            (Some(jitter), _) => jitter,
            (None, 0) => 0,
            (None, interval) => interval.max(4) / 4,
        };
        Ok(interval + self.core.rng.below(jitter.unsigned_abs().max(1)) as i64)
    }

    /// The first job that may start, and, when there is none, the time of the next that waits for its
    /// time.
    async fn next_job(&mut self, busy: &[ChatId]) -> Result<Option<Job>> {
        let wall = self.core.clock.now();
        let without: Vec<&ChatId> = busy.iter().collect();
        let mut conn = self.core.store.read().await?;
        let mut store = conn.account(&self.account);
        let due = store.due_jobs(&self.instance, wall, &without, 64);
        let due = due.await?;
        self.due_at = store.next_due(&self.instance, wall).await?;
        // A chat that was merged since has another id by now.
        let flies = |job: &Job| busy.contains(&job.chat) || self.flights.flies_to(&job.to);
        Ok(due.into_iter().find(|job| !flies(job)))
    }

    /// `false`: nothing of it goes out now.
    async fn start(&mut self, job: Job) -> Result<bool> {
        if is_too_late(&job, self.core.clock.now()) {
            self.fail(&job, &Failure::of(failure::TOO_LATE)).await?;
            return Ok(false);
        }
        if job.asks && !job.tried {
            self.look_up(job).await?;
            return Ok(false);
        }
        let Ok(medium) = self.medium(&job).await? else {
            self.fail(&job, &Failure::of(failure::UNREADABLE)).await?;
            return Ok(false);
        };
        let Some(medium) = medium else {
            return self.launch(job).await;
        };
        match bringing::turn(&medium, self.core.clock.now()) {
            Turn::Ready => self.launch(job).await,
            Turn::Wait => {
                let until = self.core.clock.monotonic().plus_millis(COMING_MS);
                self.flights.rest(&job.chat, until);
                Ok(false)
            }
            Turn::Never => {
                self.fail(&job, &Failure::of(failure::MEDIA_GONE)).await?;
                Ok(false)
            }
            Turn::Bring => self.bring(job, medium).await,
        }
    }

    /// The medium of a message; `Err` when what is stored of it does not open.
    async fn medium(&self, job: &Job) -> Result<std::result::Result<Option<MediumRow>, ()>> {
        let mut conn = self.core.store.read().await?;
        let mut store = conn.account(&self.account);
        match store.outgoing_medium(&self.instance, &job.message).await {
            Err(StoreError::Sealed(_)) => Ok(Err(())),
            medium => Ok(Ok(medium?)),
        }
    }

    /// Begins to bring the medium of a message to WhatsApp. The message keeps its place meanwhile.
    async fn bring(&mut self, job: Job, medium: MediumRow) -> Result<bool> {
        let (Some(link), held) = (self.link.clone(), self.held.clone()) else {
            return Ok(true);
        };
        let Some(proto) = self.proto(&job).await? else {
            self.fail(&job, &Failure::of(failure::UNREADABLE)).await?;
            return Ok(false);
        };
        let (commands, id) = (self.commands.clone(), job.message.clone());
        let work = tokio::spawn(async move {
            let result = bringing::bring(&held, link, &medium, &proto).await;
            // The actor being gone means that nobody waits for it.
            drop(commands.send(Command::Brought { id, result }));
        });
        let now = self.core.clock.monotonic();
        self.flights.bring(job, work.abort_handle(), now);
        Ok(true)
    }

    /// The medium of a message is at WhatsApp: now the message goes out.
    pub(super) async fn brought(&mut self, id: MessageId, result: Result<()>) {
        let Some(job) = self.flights.end(&id) else {
            return;
        };
        let went_on = match result {
            Ok(()) if is_too_late(&job, self.core.clock.now()) => {
                self.fail(&job, &Failure::of(failure::TOO_LATE)).await
            }
            Ok(()) => self.launch(job).await.map(|_| ()),
            Err(error) => match error.code {
                ErrorCode::InstanceNotConnected => {
                    let until = self.core.clock.monotonic().plus_millis(1_000);
                    self.flights.rest(&job.chat, until);
                    Ok(())
                }
                ErrorCode::MediaGone => self.fail(&job, &Failure::of(failure::MEDIA_GONE)).await,
                _ => self.faulty(job, error).await,
            },
        };
        if let Err(error) = went_on {
            self.log(&error, "a message could not go on with its medium");
        }
        self.look_soon();
    }

    /// `false`: it was over before it began.
    async fn launch(&mut self, job: Job) -> Result<bool> {
        let Some(link) = self.link.clone() else {
            return Ok(true);
        };
        // A database that fails is no fault of the message.
        let Some(proto) = self.proto(&job).await? else {
            let error = Error::internal("a job without its message");
            self.log(&error, "a queued message cannot be read; it has failed");
            self.fail(&job, &Failure::of(failure::UNREADABLE)).await?;
            return Ok(false);
        };
        let message = finished(&job, proto);
        if !job.tried {
            let mut conn = self.held.write_relaxed().await?;
            let mut store = conn.account(&self.account);
            if !self.life().tried(&mut store, &job).await? {
                return Ok(false);
            }
            conn.commit().await?;
        }
        let (commands, id) = (self.commands.clone(), job.message.clone());
        let sending = tokio::spawn(async move {
            let result = link.send(&message).await;
            // The actor being gone means that nobody waits for it.
            drop(commands.send(Command::SendReturned { id, result }));
        });
        let now = self.core.clock.monotonic();
        self.flights.begin(job, sending.abort_handle(), now);
        Ok(true)
    }

    /// The content of a message; `None` when there is nothing, or it does not open.
    async fn proto(&self, job: &Job) -> Result<Option<Vec<u8>>> {
        let mut conn = self.core.store.read().await?;
        let mut store = conn.account(&self.account);
        match store.finished(&self.instance, &job.message).await {
            Err(StoreError::Sealed(_)) => Ok(None),
            proto => Ok(proto?),
        }
    }

    /// The send came back: now the answer is waited for, if it has not come already.
    pub(super) async fn send_returned(&mut self, id: MessageId, result: Result<()>) {
        let Err(error) = result else {
            self.flights.returned(&id);
            return;
        };
        // Its answer was quicker, or its link is gone.
        let Some(job) = self.flights.end(&id) else {
            return;
        };
        let judged = match error.code {
            // No fault of the message: it goes out again with the next link, or on this one in a moment.
            ErrorCode::InstanceNotConnected => {
                let until = self.core.clock.monotonic().plus_millis(1_000);
                self.flights.rest(&job.chat, until);
                Ok(())
            }
            ErrorCode::NotFound => self.fail(&job, &Failure::of(failure::NOT_IN_GROUP)).await,
            ErrorCode::InvalidField => self.fail(&job, &Failure::of(failure::BAD_ADDRESS)).await,
            _ => self.faulty(job, error).await,
        };
        if let Err(error) = judged {
            self.log(&error, "the outcome of a send could not be stored");
        }
        self.look_soon();
    }

    /// The sink heard what became of a message.
    pub(super) async fn answered(&mut self, id: &MessageId, verdict: Verdict) {
        let Some(job) = self.flights.end(id) else {
            return;
        };
        let now = self.core.clock.monotonic();
        match verdict {
            Verdict::Done | Verdict::Anew => {}
            Verdict::Again { attempts } => {
                let until = now.plus_millis(self.rest_ms(attempts));
                self.flights.rest(&job.chat, until);
            }
            Verdict::Slower { attempts } => {
                let until = now.plus_millis(self.rest_ms(attempts.max(1)));
                self.flights.rest_all(until);
            }
            Verdict::NewConnection => {
                if job.to.is_group() {
                    self.rekey.insert(job.to);
                }
                self.renew().await;
            }
        }
        self.look_soon();
    }

    /// Grows, with jitter.
    pub(super) fn rest_ms(&self, attempts: u32) -> i64 {
        let pause = (REST_FIRST_MS << attempts.min(10)).min(REST_MOST_MS);
        pause + self.core.rng.below(pause as u64 / 4) as i64
    }

    /// No answer for all of the wait, while link and process lived: the link is judged, not the message.
    async fn silent(&mut self, job: Job) -> Result<()> {
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        let over = job.silences + 1 >= SILENCES;
        if over {
            self.life().unconfirmed(&mut store, &job.message).await?;
        } else {
            store.silent_job(&job.id).await?;
        }
        conn.commit().await?;
        tracing::warn!(instance.id = %self.instance, message.id = %job.message, over, "WhatsApp gave no answer to a message");
        metrics::counter!("recado_messages_unanswered_total").increment(1);
        if over {
            self.outcome(&job.message, MessageStatus::Unconfirmed);
        } else {
            self.distrust(job);
        }
        self.look_soon();
        Ok(())
    }

    /// A new client, at most one a minute. A group's message waits for it: on the old client its members
    /// could not read the repeat.
    fn distrust(&mut self, job: Job) {
        let now = self.core.clock.monotonic();
        let free = self
            .renewed
            .map(|at| at.plus_millis(self.core.config.renew_interval_ms))
            .filter(|free| *free > now);
        let is_group = job.to.is_group();
        match free {
            None => self.renew_at = Some(now),
            Some(free) if is_group => {
                self.flights.rest(&job.chat, free.plus_millis(1));
                self.renew_at = Some(free);
            }
            Some(_) => {}
        }
        if is_group {
            self.rekey.insert(job.to);
        }
    }

    /// Drops the client and opens another one, with empty memory; what was under way is not.
    async fn renew(&mut self) {
        let Some(link) = self.link.clone() else {
            return;
        };
        self.renewed = Some(self.core.clock.monotonic());
        self.rekey.extend(self.flights.void());
        let groups: Vec<Address> = std::mem::take(&mut self.rekey).into_iter().collect();
        metrics::counter!("recado_links_renewed_total").increment(1);
        link.renew(&groups).await;
    }

    /// The link is gone, and with it what was under way. When a message to a group was, the library's own
    /// reconnect is not enough: its client believes that the members have the key.
    pub(super) async fn link_lost(&mut self, retrying: bool) {
        let groups = self.flights.void();
        if groups.is_empty() {
            return;
        }
        self.rekey.extend(groups);
        if retrying {
            self.renew().await;
        }
    }

    /// A fault of ours: again after a pause, some times.
    async fn faulty(&mut self, job: Job, error: Error) -> Result<()> {
        if job.attempts + 1 >= FAULTS {
            let failure = Failure::of(failure::NOT_HANDED_OVER);
            self.log(&error, "a message could not be handed over and has failed");
            return self.fail(&job, &failure).await;
        }
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        store.retry_job(&job.id, None).await?;
        conn.commit().await?;
        self.log(&error, "message not sent; trying again");
        let until = self.core.clock.monotonic();
        let until = until.plus_millis(self.rest_ms(job.attempts));
        self.flights.rest(&job.chat, until);
        Ok(())
    }

    pub(super) async fn fail(&mut self, job: &Job, failure: &Failure) -> Result<()> {
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        self.life()
            .failed(&mut store, &job.message, failure)
            .await?;
        conn.commit().await?;
        self.outcome(&job.message, MessageStatus::Failed);
        Ok(())
    }

    fn outcome(&self, message: &MessageId, status: MessageStatus) {
        metrics::counter!("recado_messages_sent_total", "outcome" => status.as_str()).increment(1);
        self.core.told_progress(&self.instance, message, status);
    }

    pub(super) fn look_soon(&mut self) {
        self.look_at = Some(self.core.clock.monotonic());
    }

    fn life(&self) -> Life<'_> {
        Life {
            core: &self.core,
            account: &self.account,
            instance: &self.instance,
            now: self.core.clock.now(),
        }
    }
}

/// Whether its time is over. Of the first try alone: what may have been on the wire may have arrived, and
/// nobody may be told that it was not sent.
fn is_too_late(job: &Job, now: Timestamp) -> bool {
    !job.tried && job.valid_until.is_some_and(|until| until < now)
}

fn finished(job: &Job, proto: Vec<u8>) -> FinishedMessage {
    FinishedMessage {
        id: job.message.clone(),
        to: job.to.clone(),
        proto,
        refresh_group: job.code.as_deref() == Some("421"),
    }
}
