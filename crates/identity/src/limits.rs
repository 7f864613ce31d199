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
//! looked at: [`Limits::begin_login`].
//!
//! A log-in counts three times: for its network (each attempt), for the e-mail from that network, and for
//! the e-mail from wherever (failures). The last allows a hundred failures in a row (NIST SP 800-63B-4, 3.2.2) and then slows
//! strangers down to one an hour; whoever signed in from a network before, within 90 days, is no stranger
//! there, so nobody locks out who comes from where they always come from.
//!
//! Kept in memory, bounded, by process: a restart forgets, and of several nodes each counts its own.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

use ipnet::IpNet;
use quick_cache::sync::Cache;
use recado_model::{Clock, Error, ErrorCode, Monotonic, Result, UserId, network::network_of};
use sha2::{Digest, Sha256};

/// Buckets of each kind, about 150 bytes each. A flood from more networks than that pushes out
/// the least used ones.
const BUCKETS: usize = 50_000;
const WINDOW_MS: i64 = 60_000;
const FORGET_MS: i64 = 15 * 60_000;
const FIRST_WAIT_MS: i64 = 1_000;
/// Failed log-ins in a row with one e-mail, from wherever, and how long they are remembered.
const IN_A_ROW: u32 = 100;
const DAY_MS: i64 = 24 * 3600 * 1000;
/// Letters that one network may ask for in a minute.
const ASKING: u32 = 20;
/// Changes that one person may make in a minute.
const CHANGES: u32 = 60;
/// Letters that one person may have sent to others in an hour.
const LETTERS: u32 = 30;
const HOUR_MS: i64 = 3600 * 1000;

/// How many proofs may fail in a minute before the answers slow down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quotas {
    /// From one network: an IPv4 address, or a /64 of IPv6.
    pub per_network: u32,
    /// With one client token, from wherever.
    pub per_client: u32,
    /// Log-ins with one e-mail, from one network.
    pub per_login: u32,
}

impl Default for Quotas {
    fn default() -> Self {
        Self {
            per_network: 100,
            per_client: 20,
            per_login: 10,
        }
    }
}

/// How one kind of bucket behaves.
#[derive(Clone, Copy, Debug)]
struct BucketRule {
    policy: &'static str,
    quota: u32,
    window_ms: i64,
    forget_ms: i64,
    longest_ms: i64,
    /// Counts what is done and not what fails: the allowance comes back with each window, also while it
    /// is used.
    refills: bool,
}

impl BucketRule {
    fn wait_ms(self, step: u32) -> i64 {
        // 2^20 seconds is far beyond every cap.
        let doubled = FIRST_WAIT_MS << step.saturating_sub(1).min(20);
        doubled.min(self.longest_ms)
    }
}

/// Where a bucket stands; the numbers of the `RateLimit` headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    pub policy: &'static str,
    /// Failures allowed in `window_secs`.
    pub quota: u32,
    pub window_secs: i64,
    /// Failures left; 0 while it is closed.
    pub remaining: u32,
    /// Until it opens when it is closed, else until the allowance is whole again. Rounded up.
    pub reset_secs: u64,
}

/// The consequence of a failed proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitVerdict {
    /// One for each bucket that was asked.
    pub allowances: Vec<Allowance>,
    /// A bucket was closed already: the caller is told to wait so many seconds.
    pub wait_secs: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// Failures since `since`.
    counted: u32,
    since: Monotonic,
    /// How often it was closed since it was last cleared.
    step: u32,
    closed_until: Monotonic,
    last: Monotonic,
}

impl Bucket {
    fn closed(&self, now: Monotonic) -> bool {
        now < self.closed_until
    }

    /// The changes by time alone.
    fn settle(&mut self, now: Monotonic, rule: BucketRule) {
        if now.since(self.last) >= rule.forget_ms {
            *self = Self::default();
        } else if (self.step == 0 || (rule.refills && !self.closed(now)))
            && now.since(self.since) >= rule.window_ms
        {
            self.counted = 0;
            self.step = 0;
        }
    }

    /// Counts a failure; whether the bucket was closed already.
    fn fail(&mut self, now: Monotonic, rule: BucketRule) -> bool {
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

    fn allowance(&self, now: Monotonic, rule: BucketRule) -> Allowance {
        let (remaining, ends) = if self.closed(now) {
            (0, self.closed_until)
        } else {
            // Open again after a wait: one more may fail before it closes.
            let left = rule.quota.saturating_sub(self.counted).max(1);
            (left, self.since.plus_millis(rule.window_ms))
        };
        Allowance {
            policy: rule.policy,
            quota: rule.quota,
            window_secs: rule.window_ms / 1000,
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
    network_rule: BucketRule,
    id_rule: BucketRule,
    login_rule: BucketRule,
    in_a_row_rule: BucketRule,
    attempt_rule: BucketRule,
    asking_rule: BucketRule,
    letter_rule: BucketRule,
    change_rule: BucketRule,
    networks: Buckets<IpNet>,
    /// By [`key`]: a client token is a secret, and what is shown as one may be anything.
    ids: Buckets<[u8; 32]>,
}

impl Limits {
    pub fn new(clock: Arc<dyn Clock>, quotas: Quotas) -> Self {
        let rule = |policy, quota: u32, longest_ms| BucketRule {
            policy,
            quota: quota.max(1),
            window_ms: WINDOW_MS,
            forget_ms: FORGET_MS,
            longest_ms,
            refills: false,
        };
        let done = |policy, quota: u32, longest_ms| BucketRule {
            refills: true,
            ..rule(policy, quota, longest_ms)
        };
        Self {
            clock,
            network_rule: rule("failed-proofs", quotas.per_network, 60_000),
            id_rule: rule("failed-proofs-client", quotas.per_client, 300_000),
            login_rule: rule("failed-logins", quotas.per_login, 300_000),
            in_a_row_rule: BucketRule {
                window_ms: DAY_MS,
                forget_ms: DAY_MS,
                ..rule("failed-logins-in-a-row", IN_A_ROW, 3_600_000)
            },
            attempt_rule: done("logins", quotas.per_network, 60_000),
            asking_rule: done("asking", quotas.per_network.min(ASKING), 300_000),
            change_rule: done("changes", quotas.per_network.max(CHANGES), 60_000),
            letter_rule: BucketRule {
                window_ms: HOUR_MS,
                forget_ms: HOUR_MS,
                ..done("letters", LETTERS, HOUR_MS)
            },
            networks: Cache::new(BUCKETS),
            ids: Cache::new(BUCKETS),
        }
    }

    /// Counts a proof that failed. Callers whose address is unknown share one bucket.
    pub fn failed(&self, from: Option<IpAddr>, public_id: Option<&str>) -> LimitVerdict {
        let now = self.clock.monotonic();
        let bucket = of(&self.networks, &network(from));
        let (mut held, allowance) = counted(&bucket, now, self.network_rule);
        let mut allowances = vec![allowance];
        if let Some(id) = public_id {
            let key = key("client", &[id]);
            // A network that is told to wait no longer drives up the count of somebody's client.
            let (closed, allowance) = if held {
                peeked(self.ids.get(&key), now, self.id_rule)
            } else {
                counted(&of(&self.ids, &key), now, self.id_rule)
            };
            allowances.push(allowance);
            held |= closed;
        }
        // Of all that are closed now: the header must not send anybody back too early.
        let closed = allowances
            .iter()
            .filter(|allowance| allowance.remaining == 0);
        let wait = closed.map(|allowance| allowance.reset_secs).max();
        LimitVerdict {
            wait_secs: wait.filter(|_| held),
            allowances,
        }
    }

    /// Before a password is hashed: counts the attempt against its network, whatever becomes of it,
    /// because it is the hashing that costs. 429 with the wait while the network, or the e-mail from that
    /// network, is closed. `Some(wait)` in seconds when only strangers to the e-mail are to wait.
    pub fn begin_login(&self, from: Option<IpAddr>, email: &str) -> Result<Option<u64>> {
        let now = self.clock.monotonic();
        let attempts = of(&self.ids, &key("logins", &[&network(from).to_string()]));
        let (held, allowance) = counted(&attempts, now, self.attempt_rule);
        let here = self.ids.get(&login_here(from, email));
        let wait = held.then_some(allowance.reset_secs);
        match wait.max(closed_for(here, now, self.login_rule)) {
            Some(secs) => Err(too_many(secs)),
            None => {
                let anywhere = self.ids.get(&login_anywhere(email));
                Ok(closed_for(anywhere, now, self.in_a_row_rule))
            }
        }
    }

    /// Counts a log-in that failed, also with an e-mail that nobody has.
    pub fn login_failed(&self, from: Option<IpAddr>, email: &str) {
        let now = self.clock.monotonic();
        for (key, rule) in [
            (login_here(from, email), self.login_rule),
            (login_anywhere(email), self.in_a_row_rule),
        ] {
            counted(&of(&self.ids, &key), now, rule);
        }
    }

    /// A log-in that held ends the row of failures.
    pub fn login_held(&self, from: Option<IpAddr>, email: &str) {
        self.ids.remove(&login_here(from, email));
        self.ids.remove(&login_anywhere(email));
    }

    /// Before a password or a code of one person is looked at who holds a session or a link of theirs
    /// already: strangers' failures do not count here.
    pub fn begin_proof(&self, user: &UserId) -> Result<()> {
        let now = self.clock.monotonic();
        let closed =
            proofs(user, self).map(|(key, rule)| closed_for(self.ids.get(&key), now, rule));
        match closed.into_iter().flatten().max() {
            Some(secs) => Err(too_many(secs)),
            None => Ok(()),
        }
    }

    pub fn proof_failed(&self, user: &UserId) {
        let now = self.clock.monotonic();
        for (key, rule) in proofs(user, self) {
            counted(&of(&self.ids, &key), now, rule);
        }
    }

    pub fn proof_held(&self, user: &UserId) {
        for (key, _) in proofs(user, self) {
            self.ids.remove(&key);
        }
    }

    /// Counts what a network asks letters for; 429 for too many.
    pub fn spend_asking(&self, from: Option<IpAddr>) -> Result<()> {
        self.spend("asking", &network(from).to_string(), self.asking_rule)
    }

    /// Counts a letter that a person has sent to somebody; 429 for one too many.
    pub fn spend_letter(&self, user: &UserId) -> Result<()> {
        self.spend("letters", user.as_str(), self.letter_rule)
    }

    /// Counts a change that a person makes through the dashboard: each is a row in a log and a commit.
    pub fn spend_change(&self, user: &UserId) -> Result<()> {
        self.spend("changes", user.as_str(), self.change_rule)
    }

    fn spend(&self, kind: &str, who: &str, rule: BucketRule) -> Result<()> {
        let bucket = of(&self.ids, &key(kind, &[who]));
        let (closed, allowance) = counted(&bucket, self.clock.monotonic(), rule);
        match closed {
            true => Err(Error::new(
                ErrorCode::RateLimited,
                format!("That was often. Try again in {} s.", allowance.reset_secs),
            )
            .with_retry_after(allowance.reset_secs)),
            false => Ok(()),
        }
    }
}

/// 429.
pub(crate) fn too_many(secs: u64) -> Error {
    Error::new(
        ErrorCode::RateLimited,
        format!("Too many attempts have failed. Try again in {secs} s."),
    )
    .with_retry_after(secs)
}

/// Ten in a minute and a hundred in a row, as for log-ins.
fn proofs(user: &UserId, limits: &Limits) -> [([u8; 32], BucketRule); 2] {
    [
        (key("proof", &[user.as_str()]), limits.login_rule),
        (
            key("proofs in a row", &[user.as_str()]),
            limits.in_a_row_rule,
        ),
    ]
}

fn login_here(from: Option<IpAddr>, email: &str) -> [u8; 32] {
    key("login", &[&network(from).to_string(), email])
}

fn login_anywhere(email: &str) -> [u8; 32] {
    key("logins in a row", &[email])
}

/// The key of a bucket: its kind and what it counts, each with its length, so that no text that somebody
/// sends is the key of another kind.
fn key(kind: &str, parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in std::iter::once(&kind).chain(parts) {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

fn network(from: Option<IpAddr>) -> IpNet {
    network_of(from.unwrap_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
}

fn of<K: Clone + Eq + std::hash::Hash>(all: &Buckets<K>, key: &K) -> Arc<Mutex<Bucket>> {
    let Ok(bucket) = all.get_or_insert_with(key, || Ok::<_, Infallible>(Arc::default()));
    bucket
}

/// Whether it was closed before, and where it stands now.
fn counted(bucket: &Mutex<Bucket>, now: Monotonic, rule: BucketRule) -> (bool, Allowance) {
    let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
    let held = bucket.fail(now, rule);
    (held, bucket.allowance(now, rule))
}

/// The same without counting. The changes by time are kept.
fn peeked(
    bucket: Option<Arc<Mutex<Bucket>>>,
    now: Monotonic,
    rule: BucketRule,
) -> (bool, Allowance) {
    let bucket = bucket.unwrap_or_default();
    let mut bucket = bucket.lock().unwrap_or_else(PoisonError::into_inner);
    bucket.settle(now, rule);
    if bucket.counted == 0 {
        bucket.since = now;
    }
    (bucket.closed(now), bucket.allowance(now, rule))
}

fn closed_for(bucket: Option<Arc<Mutex<Bucket>>>, now: Monotonic, rule: BucketRule) -> Option<u64> {
    let (closed, allowance) = peeked(Some(bucket?), now, rule);
    closed.then_some(allowance.reset_secs)
}

#[cfg(test)]
mod tests;
