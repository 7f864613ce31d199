//! One round: load, a fault in the midst of it, and the ledgers once the dust has settled.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::json;

use super::bed::{Bed, CHATS};
use super::collect::Collector;
use super::faults::Fault;
use super::kinds::{self, Kind};
use super::ledger::{Books, Finding};
use super::load::{self, Load};
use crate::http::Http;

/// How late acknowledgements come when the fault strikes.
const LATE_MS: u64 = 2000;
/// So long a round waits for what makes it count.
const NEEDED: Duration = Duration::from_secs(6);
/// So many accepted messages must be without an acknowledgement then.
const ENOUGH: usize = 20;
/// The ledgers should agree within this time after the fault was healed; a round that takes longer says so.
const DUST: Duration = Duration::from_secs(20);
/// A message that is missing after this time is lost.
const GIVEN_UP: Duration = Duration::from_secs(90);
/// A second look for what comes twice.
const AFTERMATH: Duration = Duration::from_millis(400);

/// The outcome of a round.
pub struct Outcome {
    pub accepted: usize,
    pub written: usize,
    pub unacknowledged: usize,
    pub repeated: usize,
    pub without_receipt: usize,
    pub took: Duration,
    /// The ledgers agreed, but not soon.
    pub late: bool,
    /// Not counted, and why.
    pub void: Option<String>,
    /// The faults that this round brought to light.
    pub findings: Vec<Finding>,
    /// Never accepted, or paired anew.
    pub complaints: Vec<String>,
}

/// The run on one bed: everything that was ever accepted stays in its books.
pub struct Run {
    bed: Bed,
    books: Books,
    collector: Collector,
    /// Keys of what was found.
    known: BTreeSet<Finding>,
    round: u32,
    http: Http,
}

impl Run {
    pub fn new(bed: Bed) -> Self {
        Self {
            collector: Collector::new(&bed),
            bed,
            books: Books::default(),
            known: BTreeSet::new(),
            round: 0,
            http: Http::new(Duration::from_secs(5)),
        }
    }

    pub fn round(&mut self, fault: Fault) -> Result<Outcome> {
        self.round += 1;
        let (round, begun) = (self.round, Instant::now());
        let written = self.books.written.len();
        let load = Load::new(&self.bed, round);
        let struck = std::thread::scope(|scope| {
            for chat in 0..CHATS.len() {
                scope.spawn({
                    let load = &load;
                    move || load.call(chat)
                });
            }
            scope.spawn(|| load.write());
            let struck = self.strike(fault, &load);
            if struck.is_err() {
                load.end();
            }
            struck
        })?;
        let (accepted, mut complaints) = load.outcome();
        let count = accepted.len();
        self.books.accepted.extend(accepted);
        let settling = Instant::now();
        self.settle()?;
        let late = settling.elapsed() > DUST;
        complaints.extend(self.vote()?);
        self.settle()?;
        complaints.extend(self.bed.paired_anew()?);
        let findings = self.news();
        self.known.extend(findings.iter().map(Finding::key));
        let unacknowledged = self.books.unacknowledged_at(struck, round);
        let repeated = self.books.repeated(round);
        Ok(Outcome {
            accepted: count,
            written: self.books.written.len() - written,
            unacknowledged,
            repeated,
            without_receipt: self.books.without_receipt(round),
            took: begun.elapsed(),
            late,
            void: void(fault, unacknowledged, repeated),
            findings,
            complaints,
        })
    }

    /// Lets the load begin, makes it hang on acknowledgements, and strikes. Returns the moment.
    fn strike(&mut self, fault: Fault, load: &Load) -> Result<i64> {
        let chats = CHATS.len();
        let calm = load::CALM as usize * chats;
        self.wait_accepted(load, calm)?;
        let url = format!("{}/trouble", self.bed.addresses.network);
        self.http
            .post(&url, &json!({"kind": "delay_acks", "ms": LATE_MS}))?
            .ok()?;
        self.radios("offline")?;
        let (before, repeated) = self.asleep()?;
        load.open_up();
        self.wait_accepted(load, calm + ENOUGH)?;
        // The network must have taken some whose acknowledgement is still to come.
        self.until(|run| Ok(run.asleep()?.0 >= before + 2))?;
        let moment = load::now();
        fault
            .strike(&mut self.bed, self.round)
            .with_context(|| format!("cannot make the fault {}", fault.name()))?;
        self.http.call("DELETE", &url, &[], None)?.ok()?;
        if fault.must_repeat() {
            // Before the phones are back, whose receipts would make it needless.
            self.until(|run| Ok(run.asleep()?.1 > repeated))?;
        }
        self.radios("online")?;
        Ok(moment)
    }

    /// Waits for something that the round needs to count, for a while.
    fn until(&self, is: impl Fn(&Self) -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        while !is(self)? && begun.elapsed() < NEEDED {
            self.bed.pause(Duration::from_millis(20))?;
        }
        Ok(())
    }

    /// The customers vote in every poll of the round: one that was sent again must take votes as well. What a phone
    /// does not let them choose.
    fn vote(&self) -> Result<Vec<String>> {
        let mut complaints = Vec::new();
        let polls = self.books.of_round(self.round);
        for poll in polls.filter(|message| message.kind == Kind::Poll) {
            let chat = &CHATS[poll.chat];
            let url = format!(
                "{}/phones/{}/messages",
                self.bed.addresses.network, chat.customer
            );
            let vote = json!({"poll_id": poll.id, "options": [kinds::OPTION]});
            let reply = self
                .http
                .post(&url, &json!({"to": chat.shop(), "vote": vote}))?;
            if reply.status >= 300 {
                complaints.push(format!("no vote in {}: {}", poll.id, reply.text.trim()));
            }
        }
        Ok(complaints)
    }

    /// How many messages to phones that are offline the network has taken, and how many of them twice: the
    /// shops' own phones show them.
    fn asleep(&self) -> Result<(usize, usize)> {
        let (mut taken, mut twice) = (0, 0);
        for chat in CHATS.iter().filter(|chat| chat.sleeps) {
            let url = format!(
                "{}/phones/{}/messages",
                self.bed.addresses.network,
                chat.shop()
            );
            let history = self.http.get(&url)?.ok()?.json()?;
            for message in history.as_array().into_iter().flatten() {
                if message["to"] == chat.customer {
                    taken += 1;
                    twice += usize::from(message["arrivals"].as_u64() > Some(1));
                }
            }
        }
        Ok((taken, twice))
    }

    /// Switches the phones that are offline during a fault.
    fn radios(&self, state: &str) -> Result<()> {
        for chat in CHATS.iter().filter(|chat| chat.sleeps) {
            let url = format!(
                "{}/phones/{}/{state}",
                self.bed.addresses.network, chat.customer
            );
            self.http.post(&url, &json!({}))?.ok()?;
        }
        Ok(())
    }

    fn wait_accepted(&mut self, load: &Load, count: usize) -> Result<()> {
        let begun = Instant::now();
        while load.accepted_so_far() < count {
            self.bed.stop.check()?;
            self.bed.gateway.check()?;
            self.bed.network.check()?;
            if begun.elapsed() > DUST {
                bail!(
                    "only {} of {count} messages were accepted within {} s, before any fault",
                    load.accepted_so_far(),
                    DUST.as_secs()
                );
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// The faults that no earlier round found.
    fn news(&self) -> Vec<Finding> {
        let now = self.books.findings().into_iter();
        now.filter(|finding| !self.known.contains(&finding.key()))
            .collect()
    }

    /// Reads the ledgers until they agree and every message has its receipt, or time is up.
    fn settle(&mut self) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.bed.stop.check()?;
            self.bed.gateway.check()?;
            let read = self.collector.all(&mut self.books);
            let late = begun.elapsed() > GIVEN_UP;
            match read {
                Ok(()) => {
                    if self.news().is_empty() && self.books.without_receipt(self.round) == 0 {
                        break;
                    }
                }
                Err(error) if late => return Err(error),
                Err(_) => {}
            }
            if late {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(150));
        }
        self.bed.pause(AFTERMATH)?;
        self.collector.all(&mut self.books)
    }
}

fn void(fault: Fault, unacknowledged: usize, repeated: usize) -> Option<String> {
    if unacknowledged < ENOUGH {
        return Some(format!("only {unacknowledged} were unacknowledged"));
    }
    (fault.must_repeat() && repeated == 0).then(|| "nothing was sent again".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_round_does_not_count() {
        assert!(void(Fault::Kill9, 19, 5).is_some());
        assert!(void(Fault::Kill9, 20, 0).is_some());
        assert!(void(Fault::Kill9, 20, 1).is_none());
        assert!(void(Fault::Diskfull, 20, 0).is_none());
        assert!(void(Fault::Stop, 0, 3).is_some());
    }
}
