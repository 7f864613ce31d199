//! The program that people run: WhatsApp and nothing else.
#![cfg(not(feature = "sandbox"))]

use std::sync::Arc;

use recado_engine::{
    Engine as _,
    wa::{Network, WaConfig, WaEngine, WaTimers},
};
use recado_model::clock::{ManualClock, OsRng};
use recado_store::{Database, MasterKey, Options, Store};

#[tokio::test]
async fn a_sandbox_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = Store::open(Options {
        database: Database::Sqlite {
            path: folder.path().join("recado.db"),
        },
        master_key: MasterKey::generate(&OsRng).0,
        rng: Arc::new(OsRng),
        migrate: true,
        init: true,
    })
    .await
    .expect("a store");
    let engine = |network| {
        WaEngine::new(WaConfig {
            store: store.clone(),
            network,
            rng: Arc::new(OsRng),
            clock: Arc::new(ManualClock::default()),
            journal: folder.path().join("journal"),
            timers: WaTimers::default(),
        })
    };
    let sandbox = Network::Sandbox {
        url: "ws://127.0.0.1:4000/ws/chat".to_owned(),
    };
    let error = engine(sandbox).err().expect("refused");
    assert!(error.message.contains("WhatsApp only"), "{error}");
    let engine = engine(Network::WhatsApp).expect("an engine");
    assert_eq!(engine.network(), "whatsapp");
}
