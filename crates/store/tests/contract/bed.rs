//! The kit's bed of the store, on which each noun's file hangs the words of its tests.

use std::ops::Deref;

pub use recado_testkit::{
    database::Kind,
    store::{NOW, StoreBed, event, open_with, secret},
};

pub struct Bed(StoreBed);

impl Bed {
    pub async fn on(kind: Kind) -> Self {
        Self(StoreBed::on(kind).await)
    }

    pub async fn close(self) {
        self.0.close().await;
    }
}

impl Deref for Bed {
    type Target = StoreBed;

    fn deref(&self) -> &StoreBed {
        &self.0
    }
}
