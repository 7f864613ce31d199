//! Failed proofs are limited: per network, and per public id that was shown (a client token at
//! `/token`, an e-mail at a log-in).
//!
//! A *bucket* holds an allowance of failures per minute. The failure that uses it up closes the
//! bucket for a second, each later one for twice as long as the last, up to a cap; while it is closed
//! failures are answered "wait" and do not prolong it. A quarter of an hour without a failure clears
//! it. So no bucket is ever closed for good, whatever anybody sends.
//!
//! Tokens are random enough to need no limit against guessing: it saves the database and the log, and
//! tells a broken client to slow down. So whoever shows a credential that holds always passes, even
//! from the network of an attacker. Only what people choose, passwords, is limited *before* it is
//! looked at: [`Limits::check_before`].
//!
//! Kept in memory, bounded, by process: a restart forgets, and of several nodes each counts its own.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use quick_cache::sync::Cache;
use recado_model::{Clock, Error, ErrorCode, Result, Timestamp, network::network_of};
use sha2::{Digest, Sha256};

/// Buckets of each kind, about 150 bytes each. Who floods us from more networks than that pushes out
/// the least used ones.
const BUCKETS: usize = 50_000;
const WINDOW_MS: i64 = 60_000;
const FORGET_MS: i64 = 15 * 60_000;
const FIRST_WAIT_MS: i64 = 1_000;

/// How many proofs may fail in a minute before the answers slow down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// From one network: an IPv4 address, or a /64 of IPv6.
    pub per_network: u32,
    /// With one client token, from wherever.
    pub per_client: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            per_network: 100,
            per_client: 20,
        }
    }
}

/// How one kind of bucket behaves.
#[derive(Clone, Copy, Debug)]
struct Rule {
    policy: &'static str,
    quota: u32,
    longest_ms: i64,
}

impl Rule {
    fn wait_ms(self, step: u32) -> i64 {
        // 2^20 seconds is far beyond every cap.
        let doubled = FIRST_WAIT_MS << step.saturating_sub(1).min(20);
        doubled.min(self.longest_ms)
    }
}

/// Where a bucket stands; the numbers of the `RateLimit` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub policy: &'static str,
    /// Failures allowed in `window_secs`.
    pub quota: u32,
    pub window_secs: i64,
    /// Failures left; 0 while it is closed.
    pub remaining: u32,
    /// Until it opens when it is closed, else until the allowance is whole again. Rounded up.
    pub reset_secs: u64,
}

/// What a failed proof has led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// One for each bucket that was asked.
    pub standings: Vec<Standing>,
    /// A bucket was closed already: the caller is told to wait so many seconds.
    pub wait_secs: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Failures since `since`.
    counted: u32,
    since: Timestamp,
    /// How often it was closed since it was last cleared.
    step: u32,
    closed_until: Timestamp,
    last: Timestamp,
}

impl Bucket {
    fn closed(&self, now: Timestamp) -> bool {
        now < self.closed_until
    }

    /// What time alone has changed.
    fn settle(&mut self, now: Timestamp, rule: Rule) {
        if now < self.last {
            // The clock was set back. Without this the bucket would stay closed for as long.
            self.last = now;
            self.since = self.since.min(now);
            let longest = now.plus_millis(rule.wait_ms(self.step));
            self.closed_until = self.closed_until.min(longest);
        }
        if now.since(self.last) >= FORGET_MS {
            *self = Self::default();
        } else if self.step == 0 && now.since(self.since) >= WINDOW_MS {
            self.counted = 0;
        }
    }

    /// Counts a failure; whether the bucket was closed already.
    fn fail(&mut self, now: Timestamp, rule: Rule) -> bool {
        self.settle(now, rule);
        self.last = now;
        if self.closed(now) {
            return true;
        }
        if self.counted == 0 {
            self.since = now;
        }
        self.counted = self.counted.saturating_add(1);
        if self.counted >= rule.quota {
            self.step = self.step.saturating_add(1);
            self.closed_until = now.plus_millis(rule.wait_ms(self.step));
        }
        false
    }

    fn standing(&self, now: Timestamp, rule: Rule) -> Standing {
        let (remaining, ends) = if self.closed(now) {
            (0, self.closed_until)
        } else {
            // Open again after a wait: one more may fail before it closes.
            let left = rule.quota.saturating_sub(self.counted).max(1);
            (left, self.since.plus_millis(WINDOW_MS))
        };
        Standing {
            policy: rule.policy,
            quota: rule.quota,
            window_secs: WINDOW_MS / 1000,
            remaining,
            reset_secs: ceil_secs(ends.since(now)),
        }
    }
}

/// Whole seconds, never fewer than `ms`, at least one.
fn ceil_secs(ms: i64) -> u64 {
    u64::try_from(ms).unwrap_or(0).div_ceil(1000).max(1)
}

type Buckets<K> = Cache<K, Arc<Mutex<Bucket>>>;

/// The counts of failed proofs.
pub struct Limits {
    clock: Arc<dyn Clock>,
    network_rule: Rule,
    id_rule: Rule,
    networks: Buckets<IpNet>,
    /// By SHA-256: a client token is a secret, and what is shown as one may be anything.
    ids: Buckets<[u8; 32]>,
}

impl Limits {
    pub fn new(clock: Arc<dyn Clock>, quotas: Quotas) -> Self {
        Self {
            clock,
            network_rule: Rule {
                policy: "failed-proofs",
                quota: quotas.per_network.max(1),
                longest_ms: 60_000,
            },
            id_rule: Rule {
                policy: "failed-proofs-client",
                quota: quotas.per_client.max(1),
                longest_ms: 300_000,
            },
            networks: Cache::new(BUCKETS),
            ids: Cache::new(BUCKETS),
        }
    }

    /// Counts a proof that failed. Callers whose address is unknown share one bucket.
    pub fn failed(&self, from: Option<IpAddr>, public_id: Option<&str>) -> Verdict {
        let now = self.clock.now();
        let bucket = of(&self.networks, &network(from));
        let (mut held, standing) = counted(&bucket, now, self.network_rule);
        let mut standings = vec![standing];
        if let Some(id) = public_id {
            let key = digest(id);
            // A network that is told to wait no longer drives up the count of somebody's client.
            let (closed, standing) = if held {
                peeked(self.ids.get(&key), now, self.id_rule)
            } else {
                counted(&of(&self.ids, &key), now, self.id_rule)
            };
            standings.push(standing);
            held |= closed;
        }
        // Of all that are closed now: the header must not send anybody back too early.
        let closed = standings.iter().filter(|standing| standing.remaining == 0);
        let wait = closed.map(|standing| standing.reset_secs).max();
        Verdict {
            wait_secs: wait.filter(|_| held),
            standings,
        }
    }

    /// For log-ins, before a password is hashed: 429 with the wait while a bucket is closed. Counts
    /// nothing; call [`Limits::failed`] when the password turns out wrong.
    pub fn check_before(&self, from: Option<IpAddr>, public_id: Option<&str>) -> Result<()> {
        let now = self.clock.now();
        let network = self.networks.get(&network(from));
        let mut wait = closed_for(network, now, self.network_rule);
        if let Some(id) = public_id {
            wait = wait.max(closed_for(self.ids.get(&digest(id)), now, self.id_rule));
        }
        match wait {
            None => Ok(()),
            Some(secs) => Err(Error::new(
                ErrorCode::RateLimited,
                format!("Too many attempts have failed. Try again in {secs} s."),
            )
            .with_retry_after(secs)),
        }
    }
}

fn network(from: Option<IpAddr>) -> IpNet {
    network_of(from.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
}

fn digest(id: &str) -> [u8; 32] {
    Sha256::digest(id.as_bytes()).into()
}

fn of<K: Clone + Eq + std::hash::Hash>(all: &Buckets<K>, key: &K) -> Arc<Mutex<Bucket>> {
    let Ok(bucket) = all.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
    bucket
}

/// Whether it was closed before, and where it stands now.
fn counted(bucket: &Mutex<Bucket>, now: Timestamp, rule: Rule) -> (bool, Standing) {
    let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
    let held = bucket.fail(now, rule);
    (held, bucket.standing(now, rule))
}

/// The same without counting. What time has changed is kept: a clock that was set back must be noticed
/// by whoever looks first.
fn peeked(bucket: Option<Arc<Mutex<Bucket>>>, now: Timestamp, rule: Rule) -> (bool, Standing) {
    let bucket = bucket.unwrap_or_default();
    let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
    bucket.settle(now, rule);
    if bucket.counted == 0 {
        bucket.since = now;
    }
    (bucket.closed(now), bucket.standing(now, rule))
}

fn closed_for(bucket: Option<Arc<Mutex<Bucket>>>, now: Timestamp, rule: Rule) -> Option<u64> {
    let (closed, standing) = peeked(Some(bucket?), now, rule);
    closed.then_some(standing.reset_secs)
}

#[cfg(test)]
mod tests;
