//! The traces that using credentials leaves: when each was used last and from where, and who was refused.
//! Noted in memory, written by a worker every few seconds and once at the end: no request waits for
//! it, and a database that fails loses nothing that fits into the bounds below.
//!
//! - A use marks the credential (and the client token of a client secret) and remembers its network;
//!   the first network and each new one are audit rows.
//! - Refusals of one account are summed by minute, reason, credential and network. The row of the
//!   running minute grows until the minute is over. Beyond [`ROWS_PER_MINUTE`] sources an account's
//!   refusals of a minute share one last row, so that nobody can fill the disk.
//!
//! A program that is killed loses what the last seconds noted; one that is stopped loses nothing.

mod refused;

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;
use recado_model::{
    AccountId, Clock, CredentialId, Result, Timestamp, credential::CredentialRef,
    network::network_of,
};
use recado_store::{CredentialUse, Store, StoreError};
use tokio_util::sync::CancellationToken;

use self::refused::{Refused, Source};
use crate::{
    faults,
    workers::{self, Outcome},
};

pub use self::refused::ROWS_PER_MINUTE;

const FLUSH_EVERY_MS: i64 = 5_000;
/// Used credentials that wait to be written.
const MAX_USED: usize = 50_000;
/// Networks of one credential that wait to be written.
const MAX_NETWORKS: usize = 200;
/// Entries per transaction: on SQLite it is the only writer while it lasts.
const BATCH: usize = 200;

/// Collects uses and refusals. Each call costs one short lock.
pub struct Usage {
    clock: Arc<dyn Clock>,
    used: Mutex<HashMap<CredentialId, Used>>,
    refused: Mutex<Refused>,
    /// One flush at a time, so that none writes an older state over a newer one.
    flushing: tokio::sync::Mutex<()>,
}

#[derive(Clone, Debug)]
struct Used {
    account: AccountId,
    parent: Option<CredentialId>,
    last_at: Timestamp,
    networks: HashMap<IpNet, Timestamp>,
}

impl Used {
    fn saw(&mut self, network: IpNet, at: Timestamp) {
        if let Some(first) = self.networks.get_mut(&network) {
            *first = at.min(*first);
        } else if self.networks.len() < MAX_NETWORKS {
            self.networks.insert(network, at);
        } else {
            dropped("network", 1);
        }
    }
}

impl Usage {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            used: Mutex::default(),
            refused: Mutex::default(),
            flushing: tokio::sync::Mutex::default(),
        }
    }

    /// A credential has proven its caller. To be called for the first use in a while, and for one
    /// from elsewhere; not for each request.
    pub fn used(&self, credential: &CredentialRef, from: Option<IpAddr>) {
        let now = self.clock.now();
        let mut used = lock(&self.used);
        if !used.contains_key(&credential.id) {
            if used.len() >= MAX_USED {
                return dropped("use", 1);
            }
            let new = Used {
                account: credential.account.clone(),
                parent: credential.parent.clone(),
                last_at: now,
                networks: HashMap::new(),
            };
            used.insert(credential.id.clone(), new);
        }
        if let Some(entry) = used.get_mut(&credential.id) {
            entry.last_at = entry.last_at.max(now);
            if let Some(from) = from {
                entry.saw(network_of(from), now);
            }
        }
    }

    /// Somebody was refused who showed a credential of that account.
    pub fn refused(
        &self,
        account: &AccountId,
        credential: Option<&CredentialId>,
        reason: &'static str,
        from: Option<IpAddr>,
    ) {
        let source = Source {
            reason,
            credential: credential.cloned(),
            network: from.map(network_of),
        };
        let kept = lock(&self.refused).note(account, source, self.clock.now());
        if !kept {
            dropped("refusal", 1);
        }
    }

    /// Writes what has been noted. Notes that could not be written are kept for the next time.
    pub(crate) async fn flush(&self, store: &Store) -> Result<()> {
        let _alone = self.flushing.lock().await;
        let uses = self.flush_used(store).await;
        let refusals = self.flush_refused(store).await;
        Ok(uses.and(refusals)?)
    }

    async fn flush_used(&self, store: &Store) -> Result<(), StoreError> {
        let mut taken = Taken::of(self);
        while !taken.rest.is_empty() {
            let first = taken.rest.len().saturating_sub(BATCH);
            let mut conn = store.write_relaxed().await?;
            for (id, used) in &taken.rest[first..] {
                let networks = used.networks.iter().map(|(network, at)| (*network, *at));
                let note = CredentialUse {
                    id: id.clone(),
                    parent: used.parent.clone(),
                    last_at: used.last_at,
                    networks: networks.collect(),
                };
                conn.account(&used.account).record_use(&note).await?;
            }
            conn.commit().await?;
            taken.rest.truncate(first);
        }
        Ok(())
    }

    async fn flush_refused(&self, store: &Store) -> Result<(), StoreError> {
        let changed = lock(&self.refused).changed();
        for batch in changed.chunks(BATCH) {
            let mut conn = store.write_relaxed().await?;
            let mut ids = Vec::with_capacity(batch.len());
            for (place, row) in batch {
                let detail = row.detail(&place.source).to_string();
                let mut account = conn.account(&place.account);
                let known = row.audit_id.as_deref();
                ids.push(
                    account
                        .record_refusals(known, &detail, row.first_at)
                        .await?,
                );
            }
            conn.commit().await?;
            lock(&self.refused).written(batch, ids);
        }
        lock(&self.refused).forget_written(self.clock.now());
        Ok(())
    }

    /// Notes that a batch could not write come back, unless newer notes have taken its place.
    fn put_back(&self, rest: Vec<(CredentialId, Used)>) {
        let mut used = lock(&self.used);
        for (id, old) in rest {
            if let Some(newer) = used.get_mut(&id) {
                newer.last_at = newer.last_at.max(old.last_at);
                for (network, at) in old.networks {
                    newer.saw(network, at);
                }
            } else if used.len() < MAX_USED {
                used.insert(id, old);
            } else {
                dropped("use", 1);
            }
        }
    }

    /// Notes that still wait, for the log of a program that ends.
    fn waiting(&self) -> usize {
        lock(&self.used).len() + lock(&self.refused).changed().len()
    }
}

/// Uses on their way to the database. Whatever ends the writing early, an error or a caller that goes
/// away, they are put back.
struct Taken<'a> {
    usage: &'a Usage,
    /// Sorted, so that two processes lock rows in one order.
    rest: Vec<(CredentialId, Used)>,
}

impl<'a> Taken<'a> {
    fn of(usage: &'a Usage) -> Self {
        let all = std::mem::take(&mut *lock(&usage.used));
        let mut rest: Vec<_> = all.into_iter().collect();
        rest.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self { usage, rest }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.usage.put_back(std::mem::take(&mut self.rest));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn dropped(record: &'static str, count: u64) {
    metrics::counter!("recado_usage_dropped_total", "record" => record).increment(count);
}

/// Writes every few seconds, and what is left when the program stops.
pub(crate) async fn run(usage: &Usage, store: &Store, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = usage.clock.sleep_ms(FLUSH_EVERY_MS) => {}
        }
        let outcome = match usage.flush(store).await {
            Ok(()) => Outcome::Done,
            Err(error) => {
                faults::warn(
                    &error,
                    "could not write when credentials were used; trying again",
                );
                Outcome::Again
            }
        };
        workers::ran("usage", outcome, usage.clock.now());
    }
    if let Err(error) = usage.flush(store).await {
        tracing::error!(
            error = &error as &dyn std::error::Error,
            lost = usage.waiting(),
            "could not write when credentials were used before the end"
        );
    }
}

#[cfg(test)]
mod tests;
