//! The traffic of a round: one careful caller per chat, and customers who write.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::json;

use super::bed::{Bed, CHATS};
use super::kinds::Kind;
use super::ledger::Accepted;
use crate::http::Http;
use crate::program::Addresses;

/// Messages of each chat before the trouble, and in all.
pub const CALM: u32 = 4;
pub const ALL: u32 = 24;
/// Messages that each customer writes.
const WRITTEN: u32 = 8;
/// A caller gives up a message that is not accepted for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The state that callers and main thread share.
pub struct Load {
    round: u32,
    addresses: Addresses,
    instances: Vec<String>,
    /// How many messages a chat may send by now.
    allowed: AtomicU32,
    over: AtomicBool,
    accepted: Mutex<Vec<Accepted>>,
    refused: Mutex<Vec<String>>,
}

impl Load {
    pub fn new(bed: &Bed, round: u32) -> Self {
        Self {
            round,
            addresses: bed.addresses.clone(),
            instances: bed.instances.iter().map(|i| i.id.clone()).collect(),
            allowed: AtomicU32::new(CALM),
            over: AtomicBool::new(false),
            accepted: Mutex::default(),
            refused: Mutex::default(),
        }
    }

    /// Lets every chat send to its end.
    pub fn open_up(&self) {
        self.allowed.store(ALL, Ordering::SeqCst);
    }

    /// Everybody stops at the next message.
    pub fn end(&self) {
        self.over.store(true, Ordering::SeqCst);
    }

    pub fn accepted_so_far(&self) -> usize {
        lock(&self.accepted).len()
    }

    /// The messages that were accepted, and those that never were.
    pub fn outcome(&self) -> (Vec<Accepted>, Vec<String>) {
        (
            std::mem::take(&mut lock(&self.accepted)),
            std::mem::take(&mut lock(&self.refused)),
        )
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// One caller: in order, each message with the same id until the answer is 200.
    pub fn call(&self, chat: usize) {
        let http = Http::new(Duration::from_secs(3));
        let with = &CHATS[chat];
        let instance = format!(
            "{}/instances/{}",
            self.addresses.gateway, self.instances[with.instance]
        );
        let bearer = [("authorization", self.addresses.bearer.as_str())];
        for number in 0..ALL {
            while number >= self.allowed.load(Ordering::SeqCst) && !self.is_over() {
                std::thread::sleep(Duration::from_millis(5));
            }
            let id = format!("CHAOSR{:04}C{chat}N{number:04}", self.round);
            let text = format!("Round {}, chat {chat}, message {number}", self.round);
            let kind = Kind::of(number);
            let url = format!("{instance}/chat/send/{}", kind.route());
            let mut body = kind.body(&text);
            body["phone"] = json!(with.customer);
            body["id"] = json!(id);
            let begun = Instant::now();
            loop {
                if self.is_over() {
                    return;
                }
                let said = match http.call("POST", &url, &bearer, Some(&body)) {
                    Ok(reply) if reply.status == 200 => break,
                    Ok(reply) => format!("{} {}", reply.status, reply.text.trim()),
                    Err(error) => format!("{error:#}"),
                };
                if begun.elapsed() > PATIENCE {
                    lock(&self.refused).push(format!("never accepted: {id}: {said}"));
                    return;
                }
                std::thread::sleep(Duration::from_millis(50));
            }
            let (round, at) = (self.round, now());
            lock(&self.accepted).push(Accepted {
                id,
                chat,
                kind,
                round,
                at,
            });
        }
    }

    /// The customers, in turn. Whether a message was written is what the phone says later.
    pub fn write(&self) {
        let http = Http::new(Duration::from_secs(2));
        for number in 0..WRITTEN {
            for (index, chat) in CHATS.iter().enumerate() {
                if self.is_over() {
                    return;
                }
                let url = format!(
                    "{}/phones/{}/messages",
                    self.addresses.network, chat.customer
                );
                let text = format!("Answer {number} in round {}, chat {index}", self.round);
                let body = json!({"to": chat.shop(), "text": text});
                // One that a dead network did not take is not written again: nobody is owed it.
                let _ = http.post(&url, &body);
                std::thread::sleep(Duration::from_millis(40));
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unix time in milliseconds.
pub fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |time| time.as_millis() as i64)
}
