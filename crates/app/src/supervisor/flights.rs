//! Messages under way: tried, and not answered yet. One of a chat, a few of an instance.
//!
//! This memory is lost with the process and with the link, and that is right: a try counts only if
//! both lived for all of its wait. Times are monotonic.

use std::collections::HashMap;

use recado_model::{Address, ChatId, MessageId, Monotonic};
use recado_store::Job;
use tokio::task::AbortHandle;

/// Of one instance at a time.
pub(super) const MOST: usize = 4;

struct Flight {
    job: Job,
    /// What is done for it now, which ends with the link.
    work: AbortHandle,
    phase: Phase,
    /// How long this process has waited for that, and for the answer.
    waited_ms: i64,
}

/// What a flight waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Its number is looked up; nothing of the message is on the wire.
    Asking,
    /// Its medium is brought to WhatsApp; nothing of the message is on the wire.
    Bringing,
    /// The send itself.
    Sending,
    /// The send has returned: its answer.
    Answer,
}

/// How the wait of a flight ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// The send does not return, or the medium does not get there.
    Send,
    /// No answer came.
    Answer,
}

#[derive(Default)]
pub(super) struct Flights {
    flying: HashMap<MessageId, Flight>,
    /// Chats that wait before their next try.
    resting: HashMap<ChatId, Monotonic>,
    /// All of the instance waits.
    rest_all: Option<Monotonic>,
    last_tick: Monotonic,
}

/// How long the parts of a try may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub bring_ms: i64,
    pub send_ms: i64,
    pub answer_ms: i64,
}

impl Patience {
    /// How often waits are looked at.
    pub fn tick_ms(self) -> i64 {
        (self.answer_ms / 10).clamp(20, 1_000)
    }
}

impl Flights {
    pub fn is_empty(&self) -> bool {
        self.flying.is_empty()
    }

    pub fn has_room(&self) -> bool {
        self.flying.len() < MOST
    }

    pub fn begin(&mut self, job: Job, send: AbortHandle, now: Monotonic) {
        self.add(job, send, Phase::Sending, now);
    }

    /// Its medium is on its way; [`Flights::begin`] goes on with it.
    pub fn bring(&mut self, job: Job, work: AbortHandle, now: Monotonic) {
        self.add(job, work, Phase::Bringing, now);
    }

    /// Its number is looked up.
    pub fn ask(&mut self, job: Job, work: AbortHandle, now: Monotonic) {
        self.add(job, work, Phase::Asking, now);
    }

    pub fn is_asking(&self) -> bool {
        self.flying
            .values()
            .any(|flight| flight.phase == Phase::Asking)
    }

    fn add(&mut self, job: Job, work: AbortHandle, phase: Phase, now: Monotonic) {
        if self.flying.is_empty() {
            self.last_tick = now;
        }
        let flight = Flight {
            work,
            phase,
            waited_ms: 0,
            job,
        };
        self.flying.insert(flight.job.message.clone(), flight);
    }

    /// The send has returned. `false`: it is not under way any more, its answer was quicker.
    pub fn returned(&mut self, message: &MessageId) -> bool {
        let flight = self.flying.get_mut(message);
        if let Some(flight) = flight {
            flight.phase = Phase::Answer;
            flight.waited_ms = 0;
            return true;
        }
        false
    }

    pub fn end(&mut self, message: &MessageId) -> Option<Job> {
        self.flying.remove(message).map(|flight| flight.job)
    }

    /// The send does not return: nobody waits for it any more.
    pub fn give_up(&mut self, message: &MessageId) {
        if let Some(flight) = self.flying.remove(message) {
            flight.work.abort();
        }
    }

    /// The link is gone: nothing of it is under way. The groups whose members may lack the key.
    pub fn void(&mut self) -> Vec<Address> {
        let mut groups = Vec::new();
        for (_, flight) in self.flying.drain() {
            flight.work.abort();
            if !matches!(flight.phase, Phase::Asking | Phase::Bringing)
                && flight.job.to.is_group()
                && !groups.contains(&flight.job.to)
            {
                groups.push(flight.job.to);
            }
        }
        groups
    }

    pub fn rest(&mut self, chat: &ChatId, until: Monotonic) {
        self.resting.insert(chat.clone(), until);
    }

    pub fn rest_all(&mut self, until: Monotonic) {
        self.rest_all = Some(self.rest_all.map_or(until, |at| at.max(until)));
    }

    /// A new connection, a new start: rests were for the old one, but for those that the server asked for.
    pub fn rested(&mut self) {
        self.resting.clear();
    }

    /// Until when nothing may be sent at all.
    pub fn held_until(&mut self, now: Monotonic) -> Option<Monotonic> {
        self.rest_all = self.rest_all.filter(|until| *until > now);
        self.rest_all
    }

    /// Chats that have nothing to start now.
    pub fn busy_chats(&mut self, now: Monotonic) -> Vec<ChatId> {
        self.resting.retain(|_, until| *until > now);
        let flying = self.flying.values().map(|flight| flight.job.chat.clone());
        flying.chain(self.resting.keys().cloned()).collect()
    }

    /// Whether a message to this address is under way.
    pub fn flies_to(&self, to: &Address) -> bool {
        self.flying.values().any(|flight| flight.job.to == *to)
    }

    /// When the first resting chat may go on.
    pub fn first_rested(&self) -> Option<Monotonic> {
        self.resting.values().min().copied()
    }

    /// Counts the time since the last tick, and names what has waited for too long. A process that was
    /// suspended counts one tick: what came meanwhile is still in the socket, unread.
    pub fn tick(&mut self, now: Monotonic, patience: Patience) -> Vec<(Job, Overdue)> {
        let passed = now.since(self.last_tick).clamp(0, 2 * patience.tick_ms());
        self.last_tick = now;
        let mut overdue = Vec::new();
        for flight in self.flying.values_mut() {
            flight.waited_ms += passed;
            let (limit, what) = match flight.phase {
                Phase::Bringing => (patience.bring_ms, Overdue::Send),
                Phase::Asking | Phase::Sending => (patience.send_ms, Overdue::Send),
                Phase::Answer => (patience.answer_ms, Overdue::Answer),
            };
            if flight.waited_ms >= limit {
                overdue.push((flight.job.clone(), what));
            }
        }
        overdue
    }
}

#[cfg(test)]
mod tests {
    use recado_model::{InstanceId, JobId, JobKind, clock::OsRng};

    use super::*;

    const PATIENCE: Patience = Patience {
        bring_ms: 600_000,
        send_ms: 60_000,
        answer_ms: 20_000,
    };

    fn job(message: &str, chat: &str) -> Job {
        Job {
            id: JobId::random(&OsRng),
            instance: InstanceId::random(&OsRng),
            kind: JobKind::Send,
            message: MessageId::from_wire(message),
            chat: ChatId::from_text(chat),
            to: Address::from_wire(chat),
            tried: true,
            asks: false,
            valid_until: None,
            attempts: 0,
            silences: 0,
            code: None,
        }
    }

    #[tokio::test]
    async fn a_wait_counts_only_while_the_process_lives() {
        let mut flights = Flights::default();
        let at = Monotonic::from_millis;
        let send = tokio::spawn(std::future::pending::<()>()).abort_handle();
        flights.begin(job("A", "1@s.whatsapp.net"), send, at(0));
        assert!(flights.returned(&MessageId::from_wire("A")));
        // Suspended for an hour.
        assert!(flights.tick(at(3_600_000), PATIENCE).is_empty());
        let mut now = 3_600_000;
        for _ in 0..17 {
            now += 1_000;
            assert!(flights.tick(at(now), PATIENCE).is_empty());
        }
        now += 1_000;
        let overdue = flights.tick(at(now), PATIENCE);
        assert_eq!(overdue.len(), 1);
        assert_eq!(overdue[0].1, Overdue::Answer);
    }

    #[tokio::test]
    async fn the_groups_of_a_lost_link_are_told() {
        let mut flights = Flights::default();
        for (message, chat) in [("A", "1@s.whatsapp.net"), ("B", "2@g.us")] {
            let send = tokio::spawn(std::future::pending::<()>()).abort_handle();
            flights.begin(job(message, chat), send, Monotonic::default());
        }
        assert_eq!(flights.void(), [Address::from_wire("2@g.us")]);
        assert!(flights.is_empty());
    }
}
