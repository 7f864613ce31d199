//! Numbers that could not be looked up when their message was accepted: asked for before its first try. So the
//! bytes and the address of a message are what they will be before any of it may have been on the wire.

use recado_engine::Link;
use recado_model::{
    Address, ErrorCode, Failure, MessageId, PhoneNumber, Result,
    call::{LookUp, Looked},
    failure,
};
use recado_store::Job;
use std::sync::Arc;

use super::actor::Actor;
use crate::inbox::Command;

/// Numbers in one question: WhatsApp looks askance at many.
const AT_ONCE: u32 = 32;
/// How long a chat waits for a question that is under way.
const UNDER_WAY_MS: i64 = 200;
/// Questions without an answer, before a message goes to its number as it was given.
const TRIES: u32 = 3;

impl Actor {
    /// Before the first try of a message whose number nobody has looked up. Nothing of it goes out now.
    pub(super) async fn look_up(&mut self, job: Job) -> Result<()> {
        let number = job.to.number().map(PhoneNumber::parse);
        let Some(Ok(phone)) = number else {
            return self.found(&job, &job.to).await;
        };
        let now = self.core.clock.monotonic();
        match self.core.numbers.answer(&self.instance, &phone, now) {
            Some(Some(address)) => return self.found(&job, &address).await,
            Some(None) => {
                let failure = Failure::of(failure::NOT_ON_WHATSAPP);
                return self.fail(&job, &failure).await;
            }
            None => {}
        }
        let may_ask = !self.flights.is_asking() && self.core.asking.may(&self.instance, now);
        let Some(link) = self.link.clone().filter(|_| may_ask) else {
            let until = now.plus_millis(UNDER_WAY_MS);
            self.flights.rest(&job.chat, until);
            return Ok(());
        };
        self.ask(link, job, phone).await
    }

    /// One question for all that wait for one.
    async fn ask(&mut self, link: Arc<dyn Link>, job: Job, phone: PhoneNumber) -> Result<()> {
        let (wall, now) = (self.core.clock.now(), self.core.clock.monotonic());
        let mut conn = self.core.store.read().await?;
        let mut store = conn.account(&self.account);
        let others = store.unasked(&self.instance, wall, AT_ONCE).await?;
        drop(conn);
        let others = others.iter().filter_map(Address::number);
        let others = others.filter_map(|number| PhoneNumber::parse(number).ok());
        let numbers = &self.core.numbers;
        let unknown = |other: &PhoneNumber| {
            *other != phone && numbers.answer(&self.instance, other, now).is_none()
        };
        let mut phones: Vec<PhoneNumber> = others.filter(unknown).collect();
        phones.insert(0, phone);
        let (commands, id) = (self.commands.clone(), job.message.clone());
        let work = tokio::spawn(async move {
            let result = link.ask(LookUp { phones }).await;
            // The actor being gone means that nobody waits for it.
            drop(commands.send(Command::LookedUp { id, result }));
        });
        self.flights.ask(job, work.abort_handle(), now);
        Ok(())
    }

    /// WhatsApp has answered, or has not.
    pub(super) async fn looked_up(&mut self, id: MessageId, result: Result<Vec<Looked>>) {
        let Some(job) = self.flights.end(&id) else {
            return;
        };
        let now = self.core.clock.monotonic();
        let judged = match result {
            Ok(answers) => {
                for looked in answers {
                    self.core.numbers.remember(&self.instance, &looked, now);
                }
                Ok(())
            }
            // No fault of the message: with the next link, or on this one in a moment.
            Err(error) if error.code == ErrorCode::InstanceNotConnected => {
                self.flights.rest(&job.chat, now.plus_millis(1_000));
                Ok(())
            }
            Err(error) => {
                self.log(&error, "a number could not be looked up");
                self.not_answered(job).await
            }
        };
        if let Err(error) = judged {
            self.log(&error, "what was looked up could not be stored");
        }
        self.look_soon();
    }

    /// What cannot be looked up goes to the number as it was given: that may be right.
    async fn not_answered(&mut self, job: Job) -> Result<()> {
        if job.attempts + 1 >= TRIES {
            return self.found(&job, &job.to).await;
        }
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        store.retry_job(&job.id, None).await?;
        conn.commit().await?;
        let until = self.core.clock.monotonic();
        let until = until.plus_millis(self.rest_ms(job.attempts));
        self.flights.rest(&job.chat, until);
        Ok(())
    }

    /// The messages for that number get the address, and the timer of the chat that they are in by now.
    async fn found(&self, job: &Job, to: &Address) -> Result<()> {
        let mut conn = self.held.write().await?;
        let mut store = conn.account(&self.account);
        let keys = match *to == job.to {
            true => Vec::new(),
            false => store.unsent_to(&self.instance, &job.to).await?,
        };
        store.found(job, to, self.core.clock.now()).await?;
        if !keys.is_empty()
            && let Some(seconds) = store.chat_timer(&self.instance, to).await?
        {
            for key in keys {
                if let Some(proto) = store.proto(&key).await? {
                    let proto = self.core.engine.time(&proto, seconds)?;
                    store.replace_proto(&key, &proto).await?;
                }
            }
        }
        conn.commit().await?;
        Ok(())
    }
}
