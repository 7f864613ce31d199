//! Many instances that send and receive at the pacing limit: every message once, in order, and what that takes.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, anyhow};
use serde_json::{Value, json};

use super::bed::Bed;
use super::ledger::{Side, Sight, Trace};
use crate::http::Http;
use crate::process::Stop;
use crate::program::Addresses;

/// The least time between two messages of an instance, as the program has it unless an operator says otherwise.
const INTERVAL_MS: u32 = 1000;
/// Each caller's time between two: a little more, or what one call is late by would add up.
const PERIOD: Duration = Duration::from_millis(1020);
/// What has not arrived by then after the last one was sent is lost.
const PATIENCE: Duration = Duration::from_secs(300);

pub struct Plan {
    pub instances: usize,
    pub time: Duration,
}

pub struct Outcome {
    pub instances: usize,
    pub seconds: u64,
    /// From the answer to a call until the phone shows the message.
    pub out: Side,
    /// From a phone's writing until the webhook's receiver has the event.
    pub back: Side,
    /// Of the gateway, of each message in either direction.
    pub cpu: Duration,
    /// Of the machine's cores, how many the gateway used on average.
    pub cores: f64,
    pub idle_kib: u64,
    pub peak_kib: u64,
    /// Of the disk: what is accepted is made durable first.
    pub sync: Duration,
}

/// An instance with its shop's phone, and a customer of it and of the next.
struct Member {
    instance: String,
    shop: String,
    customer: String,
}

pub fn run(program: &Path, plan: &Plan, stop: &Stop) -> Result<Outcome> {
    let bed = Bed::start(program, INTERVAL_MS, stop)?;
    let crowd = Crowd::gather(&bed, plan.instances)?;
    crowd.meet()?;
    let gauge = bed.gauge();
    let idle_kib = gauge.settle(Duration::from_secs(60), stop)?;
    eprintln!(
        "{} instances talk for {} s …",
        plan.instances,
        plan.time.as_secs()
    );
    gauge.forget_peak()?;
    let (cpu, begun) = (gauge.cpu()?, Instant::now());
    let (over, heard) = (AtomicBool::new(false), AtomicUsize::new(0));
    bed.forget_deliveries()?;
    let (sent, written, told, sync) = std::thread::scope(|scope| {
        let collector = scope.spawn(|| collect(&bed.at, &over, &heard));
        let syncs = scope.spawn(|| bed.sync_time(&over));
        let talked = crowd.talk(plan.time);
        let settled = talked.and_then(|(sent, written)| {
            crowd.wait_shown(&sent)?;
            crowd.wait(|| Ok(heard.load(Ordering::SeqCst) >= written.len()))?;
            // Once more for what comes twice.
            gauge.settle(Duration::from_secs(30), stop)?;
            Ok((sent, written))
        });
        over.store(true, Ordering::SeqCst);
        let told = collector
            .join()
            .map_err(|_| anyhow!("the collector has failed"))??;
        let (sent, written) = settled?;
        let sync = syncs
            .join()
            .map_err(|_| anyhow!("the disk's watch has failed"))??;
        anyhow::Ok((sent, written, told, sync))
    })?;
    let (used, took) = (gauge.cpu()?.saturating_sub(cpu), begun.elapsed());
    let messages = u32::try_from(sent.len() + written.len())?.max(1);
    Ok(Outcome {
        instances: plan.instances,
        seconds: plan.time.as_secs(),
        out: Side::of(&sent, &crowd.sights()?),
        back: Side::of(&written, &told),
        cpu: used / messages,
        cores: used.as_secs_f64() / took.as_secs_f64(),
        idle_kib,
        peak_kib: gauge.peak_kib()?,
        sync,
    })
}

struct Crowd<'a> {
    bed: &'a Bed,
    members: Vec<Member>,
}

impl<'a> Crowd<'a> {
    fn gather(bed: &'a Bed, count: usize) -> Result<Self> {
        let mut members = Vec::new();
        for number in 0..count {
            let [shop, customer] =
                ["551199850", "551199860"].map(|start| format!("{start}{number:04}"));
            bed.phone(&customer)?;
            let instance = bed.pair(&shop)?;
            members.push(Member {
                instance,
                shop,
                customer,
            });
            if (number + 1) % 20 == 0 {
                eprintln!("{} of {count} instances are paired", number + 1);
            }
        }
        bed.all_online(count)?;
        Ok(Self { bed, members })
    }

    /// Whom instance and customer of this place talk to in their message of this number.
    fn pair(&self, place: usize, number: usize) -> (&Member, &Member) {
        let next = (place + number % 2) % self.members.len();
        (&self.members[place], &self.members[next])
    }

    /// A first message in every chat, both ways: what every chat costs once is there before anything is measured.
    fn meet(&self) -> Result<()> {
        let sent = self.talk(2 * PERIOD)?.0;
        self.wait_shown(&sent)
    }

    /// Everybody talks for so long. Gives what was accepted, and what phones wrote.
    fn talk(&self, time: Duration) -> Result<(Vec<Trace>, Vec<Trace>)> {
        let begun = Instant::now();
        let run = format!("{:X}", now());
        std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for place in 0..self.members.len() {
                let run = &run;
                let rhythm = Rhythm::new(begun, time, place, self.members.len());
                threads.push((
                    scope.spawn(move || self.send(place, run, rhythm)),
                    scope.spawn(move || self.write(place, rhythm)),
                ));
            }
            let (mut sent, mut written) = (Vec::new(), Vec::new());
            for (sender, writer) in threads {
                let failed = |_| anyhow!("a caller has failed");
                sent.extend(sender.join().map_err(failed)??);
                written.extend(writer.join().map_err(failed)??);
            }
            Ok((sent, written))
        })
    }

    fn send(&self, place: usize, run: &str, rhythm: Rhythm) -> Result<Vec<Trace>> {
        let http = Http::new(Duration::from_secs(30));
        let bearer = [("authorization", self.bed.at.bearer.as_str())];
        let mut sent = Vec::new();
        for number in rhythm {
            self.bed.stop.check()?;
            let (member, other) = self.pair(place, number);
            let id = format!("CROWD-{run}-{place:04}-{number:04}");
            let url = format!(
                "{}/instances/{}/chat/send/text",
                self.bed.at.gateway, member.instance
            );
            let body =
                json!({"phone": other.customer, "message": format!("Number {number}"), "id": id});
            http.call("POST", &url, &bearer, Some(&body))?.ok()?;
            sent.push(Trace {
                id,
                chat: format!("{} {}", member.shop, other.customer),
                at_ms: now(),
            });
        }
        Ok(sent)
    }

    fn write(&self, place: usize, rhythm: Rhythm) -> Result<Vec<Trace>> {
        let http = Http::new(Duration::from_secs(30));
        let mut written = Vec::new();
        for number in rhythm {
            self.bed.stop.check()?;
            let (member, other) = self.pair(place, number);
            let url = format!(
                "{}/phones/{}/messages",
                self.bed.at.network, member.customer
            );
            let body = json!({"to": other.shop, "text": format!("Answer {number}")});
            let message = http.post(&url, &body)?.ok()?.json()?;
            written.push(Trace {
                id: text(&message["id"])?,
                chat: format!("{} {}", member.customer, other.shop),
                at_ms: message["timestamp"].as_i64().context("no timestamp")?,
            });
        }
        Ok(written)
    }

    fn wait_shown(&self, sent: &[Trace]) -> Result<()> {
        self.wait(|| {
            let shown = self.sights()?.into_iter().map(|sight| sight.id);
            let shown: HashSet<_> = shown.collect();
            Ok(sent.iter().all(|trace| shown.contains(&trace.id)))
        })
    }

    /// Until it is so, or for as long as patience lasts.
    fn wait(&self, mut is: impl FnMut() -> Result<bool>) -> Result<()> {
        let begun = Instant::now();
        while !is()? && begun.elapsed() < PATIENCE {
            self.bed.stop.check()?;
            std::thread::sleep(Duration::from_millis(250));
        }
        Ok(())
    }

    /// What customers' phones show of the instances' messages, in their order.
    fn sights(&self) -> Result<Vec<Sight>> {
        let mut sights = Vec::new();
        for member in &self.members {
            for message in self.bed.shown(&member.customer)? {
                if message["to"] != member.customer.as_str() {
                    continue;
                }
                sights.push(Sight {
                    id: text(&message["id"])?,
                    at_ms: message["shown_at"].as_i64().context("no shown_at")?,
                    times: message["arrivals"].as_u64().unwrap_or(1),
                });
            }
        }
        Ok(sights)
    }
}

/// The numbers of messages, each at its time.
#[derive(Clone, Copy)]
struct Rhythm {
    begin: Instant,
    end: Instant,
    number: u32,
}

impl Rhythm {
    /// They begin one after another within the first period.
    fn new(begun: Instant, time: Duration, place: usize, count: usize) -> Self {
        let begin = begun + PERIOD.mul_f64(place as f64 / count as f64);
        let end = begun + time;
        let number = 0;
        Self { begin, end, number }
    }
}

impl Iterator for Rhythm {
    type Item = usize;

    /// Sleeps until it is time for the next one.
    fn next(&mut self) -> Option<usize> {
        let at = self.begin + PERIOD * self.number;
        if at >= self.end {
            return None;
        }
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        self.number += 1;
        Some(self.number as usize - 1)
    }
}

/// The incoming messages that the receiver is told of, in its order, until it is over.
/// `heard` says how many there are by now.
fn collect(at: &Addresses, over: &AtomicBool, heard: &AtomicUsize) -> Result<Vec<Sight>> {
    let http = Http::new(Duration::from_secs(30));
    let (mut seen, mut told) = (0, Vec::new());
    let mut keys = HashSet::new();
    loop {
        let last = over.load(Ordering::SeqCst);
        let url = format!("{}/deliveries?after={seen}", at.receiver);
        let deliveries = http.get(&url)?.ok()?.json()?;
        for delivery in deliveries.as_array().into_iter().flatten() {
            seen = seen.max(delivery["id"].as_u64().context("a delivery has no id")?);
            let (body, info) = (&delivery["body"], &delivery["body"]["event"]["info"]);
            let key = text(&delivery["headers"]["webhook-id"])?;
            // A delivery may be repeated; an event may not.
            let incoming = body["type"] == "Message" && info["is_from_me"] == false;
            if incoming && keys.insert(key) {
                let at_ms = delivery["received_at"].as_i64();
                told.push(Sight {
                    id: text(&info["id"])?,
                    at_ms: at_ms.context("a delivery has no time")?,
                    times: 1,
                });
            }
        }
        heard.store(told.len(), Ordering::SeqCst);
        if last {
            return Ok(told);
        }
        std::thread::sleep(Duration::from_millis(400));
    }
}

fn text(value: &Value) -> Result<String> {
    let text = value
        .as_str()
        .with_context(|| format!("{value} is no text"));
    Ok(text?.to_owned())
}

/// Unix time in milliseconds.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_millis() as i64)
}
