//! App state that does not follow.
//!
//! WhatsApp says which version a collection has, in its notices and in its answers, and the library's tries to get
//! there may fail for good: a patch whose MAC does not hold fails each time, and nothing tells of it. So each version
//! that is heard of is looked for in our rows after a while. Where it is not there, the collection is forgotten and
//! fetched whole by the next client, whose snapshot tells all that was missed. A collection that breaks again is
//! mended after growing pauses; how often that was, and when, stands in a row, so that a restart begins no loop.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use recado_model::{
    chat::{SyncTrouble, TroubleCause},
    clock::Monotonic,
};
use recado_store::StoreError;

use super::Pump;
use crate::{
    Notice,
    wa::{
        backend::told::{self, Mending},
        gate::Trip,
        pauses::grown,
    },
};

/// The library's own tries are over by then.
const LATE_MS: i64 = 300_000;
/// Between two looks at a collection that is being mended, and at one whose link is offline.
const SOON_MS: i64 = 2_000;
const PAUSE_FIRST: Duration = Duration::from_secs(15 * 60);
const PAUSE_MOST: Duration = Duration::from_secs(24 * 3600);
/// A collection that kept up for so long breaks anew.
const KEPT_UP_MS: i64 = 48 * 3_600_000;

/// So many versions of a collection are waited for by themselves; of more only the newest is.
const WAITING_MOST: usize = 32;

/// The versions that were heard of and not seen in our rows yet, by collection: each with the time when it is looked
/// for, the oldest first.
#[derive(Default)]
pub(super) struct Behind(HashMap<String, VecDeque<(u64, Monotonic)>>);

impl Behind {
    fn hear(&mut self, collection: String, version: u64, look_at: Monotonic) {
        let waiting = self.0.entry(collection).or_default();
        let is_full = waiting.len() >= WAITING_MOST;
        match waiting.back_mut() {
            Some((newest, _)) if *newest >= version => {}
            Some((newest, _)) if is_full => *newest = version,
            _ => waiting.push_back((version, look_at)),
        }
    }

    /// The collection has this version by now.
    fn reached(&mut self, collection: &str, version: u64) {
        if let Some(waiting) = self.0.get_mut(collection) {
            waiting.retain(|(heard, _)| *heard > version);
        }
        self.0.retain(|_, waiting| !waiting.is_empty());
    }

    fn look_again(&mut self, collection: &str, look_at: Monotonic) {
        let waiting = self.0.get_mut(collection);
        if let Some(first) = waiting.and_then(VecDeque::front_mut) {
            first.1 = look_at;
        }
    }

    pub(super) fn look_at(&self) -> Option<Monotonic> {
        let firsts = self.0.values().filter_map(VecDeque::front);
        firsts.map(|(_, look_at)| *look_at).min()
    }

    fn due(&self, now: Monotonic) -> Vec<(String, u64)> {
        let firsts = self.0.iter();
        let firsts = firsts.filter_map(|(name, waiting)| Some((name, waiting.front()?)));
        let due = firsts.filter(|(_, (_, look_at))| *look_at <= now);
        due.map(|(name, (version, _))| (name.clone(), *version))
            .collect()
    }
}

/// How long after the last time a collection may be mended again.
fn pause_ms(tries: u32) -> i64 {
    match tries {
        0 => 0,
        tries => {
            // Four times as long each time.
            let pause = grown(PAUSE_FIRST, PAUSE_MOST, tries * 2 - 1);
            i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)
        }
    }
}

impl Pump {
    /// What a former link left unmended.
    pub(super) async fn recall_behind(&mut self) {
        let look_at = self.in_ms(SOON_MS);
        match told::mendings(&self.link.parts.device).await {
            Ok(open) => {
                for (collection, mending) in open {
                    self.behind.hear(collection, mending.version, look_at);
                }
            }
            Err(error) => {
                tracing::warn!(instance.id = %self.link.parts.spec.instance, %error, "what app state lacks could not be read");
            }
        }
    }

    /// WhatsApp has said which version a collection has.
    pub(super) fn heard(&mut self, collection: String, version: u64) {
        let look_at = self.in_ms(LATE_MS);
        self.behind.hear(collection, version, look_at);
    }

    /// WhatsApp's server does not hand these out.
    pub(super) async fn app_state_refused(&mut self, collections: &[String]) {
        for collection in collections {
            if let Err(error) = self.note_refused(collection).await {
                tracing::warn!(instance.id = %self.link.parts.spec.instance, %error, collection, "a refusal of app state could not be noted");
            }
        }
    }

    async fn note_refused(&mut self, collection: &str) -> Result<(), StoreError> {
        let device = &self.link.parts.device;
        let next = told::version(device, collection).await? + 1;
        let mut mending = told::mending(device, collection).await?;
        (mending.open, mending.version) = (true, next);
        device.apply(vec![mending.row(collection)]).await?;
        self.heard(collection.to_owned(), next);
        self.fails(collection, TroubleCause::Refused, mending.tries)
            .await;
        Ok(())
    }

    pub(super) async fn look_at_app_state(&mut self) {
        let now = self.link.parts.engine.clock.monotonic();
        for (collection, first) in self.behind.due(now) {
            let looked = self.judge(&collection, first).await;
            let again = looked.unwrap_or_else(|error| {
                tracing::warn!(instance.id = %self.link.parts.spec.instance, %error, collection, "app state could not be looked at");
                Some(LATE_MS)
            });
            if let Some(ms) = again {
                let look_at = self.in_ms(ms);
                self.behind.look_again(&collection, look_at);
            }
        }
    }

    /// After how many milliseconds to look again; `None` where it follows.
    async fn judge(&mut self, collection: &str, first: u64) -> Result<Option<i64>, StoreError> {
        if !self.online {
            return Ok(Some(SOON_MS));
        }
        let device = self.link.parts.device.clone();
        let stored = told::version(&device, collection).await?;
        let mut mending = told::mending(&device, collection).await?;
        if stored >= first {
            if mending.open && self.follows_again(collection).await {
                mending.open = false;
                device.apply(vec![mending.row(collection)]).await?;
            }
            self.behind.reached(collection, stored);
            return Ok(None);
        }
        let since = self.link.parts.engine.clock.now().since(mending.at);
        if mending.open && mending.tries > 0 && (0..LATE_MS).contains(&since) {
            // It is being fetched.
            return Ok(Some(SOON_MS));
        }
        if !mending.open && since > KEPT_UP_MS {
            mending.tries = 0;
        }
        // A wall clock that was set back holds nothing up for longer than the pause.
        let rest = pause_ms(mending.tries) - since.max(0);
        if mending.tries > 0 && rest > 0 {
            return Ok(Some(rest.min(LATE_MS)));
        }
        self.mend_collection(collection, (first, mending)).await?;
        Ok(Some(SOON_MS))
    }

    /// The next client begins this collection anew.
    async fn mend_collection(
        &mut self,
        collection: &str,
        (first, mending): (u64, Mending),
    ) -> Result<(), StoreError> {
        let mending = Mending {
            version: first,
            tries: mending.tries.saturating_add(1),
            at: self.link.parts.engine.clock.now(),
            open: true,
        };
        tracing::warn!(instance.id = %self.link.parts.spec.instance, collection, version = first, tries = mending.tries, "app state does not follow; all of it is fetched anew");
        metrics::counter!("recado_engine_app_state_mended_total").increment(1);
        // Before anybody hears of it: a process that ends now leaves it to the next one.
        let rows = vec![told::anew(collection), mending.row(collection)];
        self.link.parts.device.apply(rows).await?;
        // And once more when this client is gone, which may write a step of its own meanwhile.
        self.mending.forget(vec![told::anew(collection)]);
        self.fails(collection, TroubleCause::Broken, mending.tries)
            .await;
        if let Some(connection) = self.link.connection() {
            connection.gate.trip(Trip::Behind);
        }
        Ok(())
    }

    async fn fails(&self, collection: &str, cause: TroubleCause, tries: u32) {
        self.tell(Notice::Unsynced(SyncTrouble {
            collection: collection.to_owned(),
            cause,
            tries,
        }))
        .await;
    }

    /// Whether it was taken.
    async fn follows_again(&self, collection: &str) -> bool {
        let notice = Notice::SyncedAgain {
            collection: collection.to_owned(),
        };
        let told = self.link.parts.sink.notice(notice).await;
        if let Err(error) = &told {
            tracing::warn!(instance.id = %self.link.parts.spec.instance, error = error as &dyn std::error::Error, "that app state follows again was not taken");
        }
        told.is_ok()
    }

    fn in_ms(&self, ms: i64) -> Monotonic {
        self.link.parts.engine.clock.monotonic().plus_millis(ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_day() {
        let minutes: Vec<i64> = (0..6).map(|tries| pause_ms(tries) / 60_000).collect();
        assert_eq!(minutes, [0, 15, 60, 240, 960, 1_440]);
    }

    #[test]
    fn what_is_reached_in_time_is_forgotten() {
        let at = Monotonic::from_millis;
        let mut behind = Behind::default();
        behind.hear("regular".to_owned(), 4, at(10));
        behind.hear("regular".to_owned(), 6, at(20));
        assert_eq!(behind.look_at(), Some(at(10)));
        assert!(behind.due(at(9)).is_empty());
        assert_eq!(behind.due(at(10)), [("regular".to_owned(), 4)]);
        // It moved, and the rest has its own time.
        behind.reached("regular", 5);
        assert!(behind.due(at(19)).is_empty());
        assert_eq!(behind.due(at(20)), [("regular".to_owned(), 6)]);
        behind.reached("regular", 6);
        assert_eq!(behind.look_at(), None);
    }
}
