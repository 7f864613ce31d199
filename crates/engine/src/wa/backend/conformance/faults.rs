//! A store that fails: whatever was called, the connection's gate shuts.

use crate::wa::{
    backend::{Backend, fixture::Fixture, space},
    gate::{Gate, Trip},
};

use super::{ALICE, BOB, GROUP};

/// Any call of the traits whose row cannot be read or written.
type Call = (
    &'static str,
    fn(
        &Backend,
    ) -> std::pin::Pin<
        Box<dyn Future<Output = Result<(), whatsapp_rust::store::error::StoreError>> + Send + '_>,
    >,
);

fn calls() -> Vec<Call> {
    use whatsapp_rust::traits::{
        AppSyncStore as _, DeviceStore as _, MsgSecretStore as _, ProtocolStore as _,
        SignalStore as _,
    };
    macro_rules! call {
        ($name:ident($($arg:expr),*)) => {
            (stringify!($name), |b| Box::pin(async move { b.$name($($arg),*).await.map(drop) }))
        };
    }
    vec![
        call!(get_session(ALICE)),
        call!(put_session(ALICE, b"s")),
        call!(load_identity(ALICE)),
        call!(load_prekey(1)),
        call!(load_prekeys_batch(&[1])),
        call!(get_max_prekey_id()),
        call!(has_signal_state_for_user("551")),
        call!(load_all_signed_prekeys()),
        call!(get_sender_key("g::a")),
        call!(get_sync_key(b"k")),
        call!(get_version("regular")),
        call!(get_mutation_mac("regular", &[1; 32])),
        call!(get_sender_key_devices(GROUP)),
        call!(get_lid_mapping("1")),
        call!(get_pn_mapping("1")),
        call!(get_all_lid_mappings()),
        call!(get_devices("1")),
        call!(get_group_metadata(GROUP)),
        call!(get_tc_token("1@lid")),
        call!(touch_tc_token_sender_timestamp("1@lid", 1)),
        call!(get_all_tc_token_jids()),
        call!(store_sent_message(BOB, "S", b"x")),
        call!(take_sent_message(BOB, "S")),
        call!(delete_expired_sent_messages(1)),
        call!(store_pending_inbound(GROUP, ALICE, "P", b"x")),
        call!(get_pending_inbound(GROUP, ALICE, "P")),
        call!(get_msg_secret(GROUP, ALICE, "M")),
        call!(load()),
        call!(exists()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn any_error_of_the_store_shuts_the_gate_for_good() {
    let fixture = Fixture::new().await;
    for (name, call) in calls() {
        let gate = Gate::new(|_| ());
        let backend = fixture.backend(gate.clone());
        call(&backend).await.expect(name);
        assert_eq!(gate.tripped(), None, "{name}");
        backend.rows.faults().after(Some(0));
        call(&backend).await.expect_err(name);
        assert_eq!(gate.tripped(), Some(Trip::Store), "{name}");
        // The store is back; for this connection that is too late.
        backend.rows.faults().after(None);
        let error = call(&backend).await.expect_err(name);
        assert!(error.to_string().contains("is over"), "{name}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_does_not_read_shuts_the_gate() {
    use recado_store::DeviceOp;
    use whatsapp_rust::traits::ProtocolStore as _;

    let fixture = Fixture::new().await;
    let gate = Gate::new(|_| ());
    let backend = fixture.backend(gate.clone());
    let garbage = DeviceOp::Put {
        space: space::TC_TOKEN,
        key: "1@lid".to_owned(),
        n: 0,
        value: b"garbage".to_vec(),
    };
    let device = fixture.store.device(&fixture.account, &fixture.instance);
    device.apply(vec![garbage]).await.expect("written");
    assert!(backend.get_tc_token("1@lid").await.is_err());
    assert_eq!(gate.tripped(), Some(Trip::Store));
}
