//! Refusals, summed by account, minute and source; bounded in every direction.

use std::collections::{HashMap, HashSet};

use ipnet::IpNet;
use recado_model::{AccountId, CredentialId, Timestamp};
use serde_json::{Value, json};

/// Sources that an account's audit log tells apart in one minute; the rest is one sum.
pub const ROWS_PER_MINUTE: usize = 20;
/// Sums in memory, over all accounts.
const MAX_ROWS: usize = 10_000;
const MINUTE_MS: i64 = 60_000;

/// The subject of one sum.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Source {
    pub reason: &'static str,
    pub credential: Option<CredentialId>,
    pub network: Option<IpNet>,
}

/// Where a sum is kept. No source: all further ones.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SumKey {
    pub account: AccountId,
    minute: i64,
    pub source: Option<Source>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    pub count: u64,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    /// The audit row that shows it, once it is written.
    pub audit_id: Option<String>,
    /// How much of `count` that row shows.
    written: u64,
}

impl Sum {
    /// The audit row's detail.
    pub fn detail(&self, source: &Option<Source>) -> Value {
        let mut detail = match source {
            Some(source) => json!({
                "reason": source.reason,
                "credential": source.credential.as_ref().map(CredentialId::as_str),
                "network": source.network.map(|network| network.to_string()),
            }),
            None => json!({
                "reason": "more_sources",
                "note": format!("Refusals beyond the {ROWS_PER_MINUTE} sources that are told apart in a minute."),
            }),
        };
        detail["count"] = self.count.into();
        detail["first_at"] = self.first_at.to_rfc3339().into();
        detail["last_at"] = self.last_at.to_rfc3339().into();
        detail
    }
}

#[derive(Debug, Default)]
pub struct Refused {
    rows: HashMap<SumKey, Sum>,
    /// How many sources of an account and minute are told apart in `rows`.
    sources: HashMap<(AccountId, i64), usize>,
}

impl Refused {
    /// Counts one refusal; `false` when there was no room for it.
    pub fn note(&mut self, account: &AccountId, source: Source, now: Timestamp) -> bool {
        let minute = now.as_millis().div_euclid(MINUTE_MS);
        let mut place = SumKey {
            account: account.clone(),
            minute,
            source: Some(source),
        };
        if self.add(&place, now) {
            return true;
        }
        let key = (account.clone(), minute);
        let told_apart = self.sources.get(&key).copied().unwrap_or_default();
        if self.rows.len() < MAX_ROWS && told_apart < ROWS_PER_MINUTE {
            self.sources.insert(key, told_apart + 1);
        } else {
            place.source = None;
            if self.add(&place, now) {
                return true;
            }
            // The sum of the rest has some room of its own: most accounts that are refused anything
            // should find a trace of it, whoever fills the table.
            if self.rows.len() >= 2 * MAX_ROWS {
                return false;
            }
        }
        let row = Sum {
            count: 1,
            first_at: now,
            last_at: now,
            audit_id: None,
            written: 0,
        };
        self.rows.insert(place, row);
        true
    }

    fn add(&mut self, place: &SumKey, now: Timestamp) -> bool {
        let Some(row) = self.rows.get_mut(place) else {
            return false;
        };
        row.count += 1;
        row.last_at = row.last_at.max(now);
        true
    }

    /// The refusals that the database does not show yet.
    pub fn changed(&self) -> Vec<(SumKey, Sum)> {
        let changed = self.rows.iter().filter(|(_, row)| row.count > row.written);
        changed
            .map(|(place, row)| (place.clone(), row.clone()))
            .collect()
    }

    /// After the commit of a batch. `None` for an account that is gone: nothing more will come of it.
    pub fn written(&mut self, batch: &[(SumKey, Sum)], ids: Vec<Option<String>>) {
        for ((place, shown), id) in batch.iter().zip(ids) {
            if let Some(row) = self.rows.get_mut(place) {
                row.written = shown.count;
                row.audit_id = id;
            }
        }
    }

    /// Drops what is written whole and can grow no more.
    pub fn forget_written(&mut self, now: Timestamp) {
        let minute = now.as_millis().div_euclid(MINUTE_MS);
        self.rows
            .retain(|place, row| place.minute == minute || row.count > row.written);
        let left: HashSet<_> = self
            .rows
            .keys()
            .map(|place| (place.account.clone(), place.minute))
            .collect();
        self.sources.retain(|key, _| left.contains(key));
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.rows.len().max(self.sources.len())
    }
}
