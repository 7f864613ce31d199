//! Places for what takes its time, of which no account has more than its share: whoever is slow is slow for
//! itself.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use recado_model::{AccountId, Error, Result};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

pub(crate) struct Shares {
    places: Arc<Semaphore>,
    share: usize,
    /// Those of accounts that have a place or wait for one.
    own: Mutex<HashMap<AccountId, Weak<Semaphore>>>,
}

/// One place. Dropped, it is free again.
#[derive(Debug)]
pub(crate) struct Place {
    _place: OwnedSemaphorePermit,
    _own: OwnedSemaphorePermit,
}

impl Shares {
    pub fn new(places: usize, share: usize) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            share,
            own: Mutex::default(),
        }
    }

    /// A place, if there is one and the account has not its share.
    pub fn try_take(&self, account: &AccountId) -> Option<Place> {
        let own = self.own(account).try_acquire_owned().ok()?;
        let place = self.places.clone().try_acquire_owned().ok()?;
        Some(Place {
            _place: place,
            _own: own,
        })
    }

    /// Waits for a place. An account that has its share waits for its own, and nobody behind it.
    pub async fn take(&self, account: &AccountId) -> Result<Place> {
        let own = self.own(account).acquire_owned().await;
        let own = own.map_err(Error::internal)?;
        let place = self.places.clone().acquire_owned().await;
        Ok(Place {
            _place: place.map_err(Error::internal)?,
            _own: own,
        })
    }

    pub fn is_full(&self) -> bool {
        self.places.available_permits() == 0
    }

    /// The accounts that have their share.
    pub fn full(&self) -> Vec<AccountId> {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        own.iter()
            .filter(|(_, own)| {
                own.upgrade()
                    .is_some_and(|own| own.available_permits() == 0)
            })
            .map(|(account, _)| account.clone())
            .collect()
    }

    fn own(&self, account: &AccountId) -> Arc<Semaphore> {
        let mut all = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = all.get(account).and_then(Weak::upgrade) {
            return own;
        }
        all.retain(|_, own| own.strong_count() > 0);
        let own = Arc::new(Semaphore::new(self.share));
        all.insert(account.clone(), Arc::downgrade(&own));
        own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_has_its_share_and_no_more() {
        let shares = Shares::new(3, 2);
        let [a, b] = ["a", "b"].map(AccountId::from_text);
        let first = shares.try_take(&a).expect("a place");
        assert!(shares.full().is_empty());
        let second = shares.try_take(&a).expect("a place");
        assert_eq!(shares.full(), std::slice::from_ref(&a));
        assert!(shares.try_take(&a).is_none(), "its share");
        let third = shares.try_take(&b).expect("a place");
        assert!(shares.is_full());
        assert!(shares.try_take(&b).is_none(), "all are taken");
        drop(first);
        assert!(shares.try_take(&a).is_some());
        drop((second, third));
        assert!(shares.full().is_empty());
    }
}
