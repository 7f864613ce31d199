//! A store with one instance, for unit tests.

use std::sync::Arc;

use recado_model::{
    AccountId, InstanceId, Rng, Timestamp,
    account::AccountKind,
    clock::OsRng,
    instance::{NewInstance, Origin},
};
use recado_store::{Database, MasterKey, Options, Store};

use super::Backend;
use crate::wa::gate::Gate;

/// A database in a folder of its own, with one instance; the folder goes with the value.
pub(in crate::wa) struct Fixture {
    pub(in crate::wa) store: Store,
    pub(in crate::wa) account: AccountId,
    pub(in crate::wa) instance: InstanceId,
    _folder: tempfile::TempDir,
}

impl Fixture {
    pub(in crate::wa) async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let rng: Arc<dyn Rng> = Arc::new(OsRng);
        let store = Store::open(Options {
            database: Database::Sqlite {
                path: folder.path().join("recado.db"),
            },
            master_key: MasterKey::generate(rng.as_ref()).0,
            rng: rng.clone(),
            migrate: true,
            init: true,
        })
        .await
        .expect("a store");
        let account = AccountId::random(rng.as_ref());
        let instance = InstanceId::random(rng.as_ref());
        let now = Timestamp(1);
        let mut conn = store.write().await.expect("a connection");
        conn.system()
            .create_account(&account, "Acme", AccountKind::Full, None, now)
            .await
            .expect("an account");
        conn.account(&account)
            .create_instance(&instance, Origin::Api, &NewInstance::default(), now)
            .await
            .expect("an instance");
        conn.commit().await.expect("a commit");
        Self {
            store,
            account,
            instance,
            _folder: folder,
        }
    }

    pub(super) fn backend(&self, gate: Gate) -> Backend {
        Backend::new(self.store.device(&self.account, &self.instance), gate)
    }
}
