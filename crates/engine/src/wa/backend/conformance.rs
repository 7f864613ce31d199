//! The same calls to the library's in-memory backend and to ours; every answer must be the same.

use std::{collections::HashMap, fmt::Debug, sync::Arc};

use bytes::Bytes;
use whatsapp_rust::{
    traits::{
        AppStateSyncKey, Backend as WaBackend, DeviceInfo, DeviceListRecord, LidPnMappingEntry,
        MsgSecretEntry, PendingInboundKey, PendingInboundRow, TcTokenEntry,
    },
    wacore::{
        appstate::{hash::HashState, processor::AppStateMutationMAC},
        store::{Device, InMemoryBackend},
        time::now_secs,
    },
};

use super::fixture::Fixture;
use crate::wa::gate::{Gate, Trip};

#[derive(Default)]
struct Transcript(Vec<String>);

impl Transcript {
    fn note(&mut self, what: &str, answer: impl Debug) {
        self.0.push(format!("{what}: {answer:?}"));
    }
    /// For answers whose order is nobody's business.
    fn note_sorted<T: Debug + Ord>(&mut self, what: &str, mut answer: Vec<T>) {
        answer.sort();
        self.note(what, answer);
    }
}

const ALICE: &str = "5511999990001:1@s.whatsapp.net";
const BOB: &str = "5511999990002@s.whatsapp.net";
const GROUP: &str = "120363000000000001@g.us";
const OTHER_GROUP: &str = "120363000000000002@g.us";

async fn signal(b: &dyn WaBackend, t: &mut Transcript) -> whatsapp_rust::anyhow::Result<()> {
    b.put_identity(ALICE, [1; 32]).await?;
    b.put_identities_batch(&[(Arc::from(ALICE), [2; 32]), (Arc::from(BOB), [3; 32])])
        .await?;
    t.note("identity", b.load_identity(ALICE).await?);
    t.note("no identity", b.load_identity("nobody@lid").await?);
    b.delete_identity(BOB).await?;
    t.note("deleted identity", b.load_identity(BOB).await?);

    b.put_session(ALICE, b"one").await?;
    b.put_sessions_batch(&[
        (Arc::from(ALICE), Bytes::from_static(b"two")),
        (Arc::from(BOB), Bytes::from_static(b"bob")),
    ])
    .await?;
    t.note("session", b.get_session(ALICE).await?);
    t.note("has session", b.has_session(BOB).await?);
    b.delete_session(BOB).await?;
    t.note("has deleted session", b.has_session(BOB).await?);
    for user in ["5511999990001", "5511999990002", "551199999000", "x_%"] {
        t.note(user, b.has_signal_state_for_user(user).await?);
    }

    b.store_prekey(7, b"seven", false).await?;
    let many: Vec<(u32, Bytes)> = (100..140)
        .map(|id| (id, Bytes::from(format!("k{id}"))))
        .collect();
    b.store_prekeys_batch(&many, true).await?;
    b.mark_prekeys_uploaded(&[7, 9999]).await?;
    t.note("prekey", b.load_prekey(7).await?);
    t.note("not brought back", b.load_prekey(9999).await?);
    t.note_sorted("prekeys", b.load_prekeys_batch(&[139, 7, 100, 5000]).await?);
    t.note("max prekey", b.get_max_prekey_id().await?);
    b.remove_prekey(139).await?;
    t.note("next max prekey", b.get_max_prekey_id().await?);
    b.store_signed_prekey(1, b"signed").await?;
    b.store_signed_prekey(2, b"again").await?;
    t.note("signed", b.load_signed_prekey(1).await?);
    t.note_sorted("all signed", b.load_all_signed_prekeys().await?);
    b.remove_signed_prekey(1).await?;
    t.note("removed signed", b.load_signed_prekey(1).await?);

    b.put_sender_key("g::a", b"sk").await?;
    b.put_sender_keys_batch(&[(Arc::from("g::a"), Bytes::from_static(b"sk2"))])
        .await?;
    t.note("sender key", b.get_sender_key("g::a").await?);
    b.delete_sender_key("g::a").await?;
    t.note("deleted sender key", b.get_sender_key("g::a").await?);
    Ok(())
}

async fn app_sync(b: &dyn WaBackend, t: &mut Transcript) -> whatsapp_rust::anyhow::Result<()> {
    t.note("no latest key", b.get_latest_sync_key_id().await?);
    for id in [[0_u8, 1], [0, 2]] {
        let key = AppStateSyncKey {
            key_data: vec![id[1]; 32],
            fingerprint: vec![9],
            timestamp: 5,
        };
        b.set_sync_key(&id, key).await?;
    }
    t.note("latest key", b.get_latest_sync_key_id().await?);
    let key = b.get_sync_key(&[0, 1]).await?;
    t.note(
        "key",
        key.map(|key| (key.key_data, key.fingerprint, key.timestamp)),
    );
    t.note("no version", b.get_version("regular").await?.version);
    let state = HashState {
        version: 12,
        hash: [5; 128],
        index_value_map: HashMap::from([("a".to_owned(), vec![1, 2])]),
        ..HashState::default()
    };
    let mac = |n: u8| AppStateMutationMAC {
        index_mac: vec![n; 32],
        value_mac: vec![n, n],
    };
    // In the order of a patch, which is what the library does.
    b.set_version("regular", state).await?;
    b.put_mutation_macs("regular", 12, &[mac(1), mac(2), mac(3)])
        .await?;
    b.put_mutation_macs("regular_low", 1, &[mac(4)]).await?;
    let state = b.get_version("regular").await?;
    t.note(
        "version",
        (state.version, state.hash, state.index_value_map),
    );
    t.note("mac", b.get_mutation_mac("regular", &[1; 32]).await?);
    let mut macs: Vec<_> = b
        .get_mutation_macs("regular", &[[1; 32], [3; 32], [4; 32]])
        .await?
        .into_iter()
        .collect();
    macs.sort();
    t.note("macs", macs);
    b.delete_mutation_macs("regular", &[vec![1; 32]]).await?;
    t.note(
        "deleted mac",
        b.get_mutation_mac("regular", &[1; 32]).await?,
    );
    b.clear_mutation_macs("regular").await?;
    t.note(
        "cleared mac",
        b.get_mutation_mac("regular", &[2; 32]).await?,
    );
    t.note(
        "neighbour's mac",
        b.get_mutation_mac("regular_low", &[4; 32]).await?,
    );
    Ok(())
}

fn pair(lid: &str, phone: &str) -> LidPnMappingEntry {
    LidPnMappingEntry {
        lid: lid.to_owned(),
        phone_number: phone.to_owned(),
        created_at: 1,
        updated_at: 2,
        learning_source: "usync".to_owned(),
    }
}

async fn protocol(b: &dyn WaBackend, t: &mut Transcript) -> whatsapp_rust::anyhow::Result<()> {
    b.set_sender_key_status(GROUP, &[(ALICE, true), (BOB, false)])
        .await?;
    b.set_sender_key_status(GROUP, &[(BOB, true)]).await?;
    b.set_sender_key_status(OTHER_GROUP, &[(ALICE, true)])
        .await?;
    t.note_sorted("devices", b.get_sender_key_devices(GROUP).await?);
    b.delete_sender_key_device_rows(&[ALICE]).await?;
    t.note_sorted("without alice", b.get_sender_key_devices(GROUP).await?);
    t.note_sorted(
        "there neither",
        b.get_sender_key_devices(OTHER_GROUP).await?,
    );
    b.clear_sender_key_devices(GROUP).await?;
    t.note_sorted("cleared", b.get_sender_key_devices(GROUP).await?);
    b.set_sender_key_status(OTHER_GROUP, &[(BOB, true)]).await?;
    b.clear_all_sender_key_devices().await?;
    t.note_sorted("all cleared", b.get_sender_key_devices(OTHER_GROUP).await?);

    let text = |entry: Option<LidPnMappingEntry>| entry.map(|e| (e.lid, e.phone_number));
    b.put_lid_mapping(&pair("100", "5511")).await?;
    b.put_lid_mappings(&[pair("200", "5522"), pair("300", "5533")])
        .await?;
    t.note("by lid", text(b.get_lid_mapping("200").await?));
    t.note("by phone", text(b.get_pn_mapping("5533").await?));
    b.put_lid_mapping(&pair("100", "5544")).await?;
    t.note("moved", text(b.get_lid_mapping("100").await?));
    t.note("old phone", text(b.get_pn_mapping("5511").await?));
    t.note("new phone", text(b.get_pn_mapping("5544").await?));
    b.put_lid_mapping(&pair("400", "5522")).await?;
    t.note(
        "newest lid of a phone",
        text(b.get_pn_mapping("5522").await?),
    );
    let all = b.get_all_lid_mappings().await?;
    t.note_sorted(
        "all",
        all.into_iter().map(|e| (e.lid, e.phone_number)).collect(),
    );

    b.save_base_key(ALICE, "M1", b"base").await?;
    t.note(
        "same base",
        b.has_same_base_key(ALICE, "M1", b"base").await?,
    );
    t.note(
        "other base",
        b.has_same_base_key(ALICE, "M1", b"else").await?,
    );
    b.delete_base_key(ALICE, "M1").await?;
    t.note("no base", b.has_same_base_key(ALICE, "M1", b"base").await?);

    let list = |user: &str, n: u32| DeviceListRecord {
        user: user.to_owned(),
        devices: (0..n).map(|id| DeviceInfo::new(id, Some(id))).collect(),
        timestamp: 3,
        phash: Some("2:x".to_owned()),
        raw_id: Some(8),
    };
    b.update_device_list(list("5511", 1)).await?;
    b.update_device_lists(vec![list("5511", 3), list("5522", 2)])
        .await?;
    for user in ["5511", "5522", "none"] {
        let found = b.get_devices(user).await?;
        t.note(
            user,
            found.map(|r| (r.devices.len(), r.timestamp, r.phash, r.raw_id)),
        );
    }
    b.delete_devices("5511").await?;
    t.note("deleted devices", b.get_devices("5511").await?.is_some());

    b.put_group_metadata(GROUP, b"v1").await?;
    b.put_group_metadata(GROUP, b"v2").await?;
    t.note("group", b.get_group_metadata(GROUP).await?);
    b.delete_group_metadata(GROUP).await?;
    t.note("deleted group", b.get_group_metadata(GROUP).await?);
    Ok(())
}

async fn tokens(b: &dyn WaBackend, t: &mut Transcript) -> whatsapp_rust::anyhow::Result<()> {
    let show = |entry: Option<TcTokenEntry>| {
        entry.map(|e| (e.token, e.token_timestamp, e.sender_timestamp))
    };
    b.touch_tc_token_sender_timestamp("a@lid", 50).await?;
    b.touch_tc_token_sender_timestamp("a@lid", 40).await?;
    t.note("placeholder", show(b.get_tc_token("a@lid").await?));
    b.store_received_tc_token("a@lid", b"tok", 10).await?;
    t.note(
        "a placeholder gives way",
        show(b.get_tc_token("a@lid").await?),
    );
    b.store_received_tc_token("a@lid", b"old", 5).await?;
    t.note("newer wins", show(b.get_tc_token("a@lid").await?));
    b.store_received_tc_token("b@lid", b"tok", 100).await?;
    t.note("received first", show(b.get_tc_token("b@lid").await?));
    let entry = TcTokenEntry {
        token: b"c".to_vec(),
        token_timestamp: 1,
        sender_timestamp: Some(2),
    };
    b.put_tc_token("c@lid", &entry).await?;
    b.put_tc_token("d@lid", &entry).await?;
    b.delete_tc_token("d@lid").await?;
    t.note_sorted("tokens", b.get_all_tc_token_jids().await?);
    t.note("expired", b.delete_expired_tc_tokens(20, 45).await?);
    t.note_sorted("tokens left", b.get_all_tc_token_jids().await?);
    Ok(())
}

async fn waiting(b: &dyn WaBackend, t: &mut Transcript) -> whatsapp_rust::anyhow::Result<()> {
    b.store_sent_message(BOB, "S1", b"sent").await?;
    t.note("taken", b.take_sent_message(BOB, "S1").await?);
    t.note("never sent", b.take_sent_message(BOB, "S0").await?);
    b.store_sent_message(BOB, "S2", b"sent").await?;
    b.store_sent_message(BOB, "S1", b"sent").await?;
    t.note(
        "none old",
        b.delete_expired_sent_messages(now_secs() - 60).await?,
    );
    t.note(
        "all old",
        b.delete_expired_sent_messages(now_secs() + 60).await?,
    );
    t.note("gone", b.take_sent_message(BOB, "S2").await?);

    let row = |id: &'static str, message: &'static [u8]| PendingInboundRow {
        chat: GROUP,
        sender: ALICE,
        id,
        message,
    };
    b.store_pending_inbound(GROUP, ALICE, "P1", b"one").await?;
    b.store_pending_inbound_batch(&[row("P1", b"again"), row("P2", b"two"), row("P3", b"three")])
        .await?;
    t.note("pending", b.get_pending_inbound(GROUP, ALICE, "P1").await?);
    t.note(
        "another sender's",
        b.get_pending_inbound(GROUP, BOB, "P1").await?,
    );
    b.delete_pending_inbound(GROUP, ALICE, "P1").await?;
    t.note("done", b.get_pending_inbound(GROUP, ALICE, "P1").await?);
    b.delete_pending_inbound_batch(&[PendingInboundKey {
        chat: GROUP,
        sender: ALICE,
        id: "P2",
    }])
    .await?;
    t.note(
        "also done",
        b.get_pending_inbound(GROUP, ALICE, "P2").await?,
    );
    t.note(
        "still waiting",
        b.delete_expired_pending_inbound(now_secs() - 60).await?,
    );
    t.note(
        "given up",
        b.delete_expired_pending_inbound(now_secs() + 60).await?,
    );
    t.note(
        "not there",
        b.get_pending_inbound(GROUP, ALICE, "P3").await?,
    );
    Ok(())
}

async fn secrets(b: &dyn WaBackend, t: &mut Transcript) -> whatsapp_rust::anyhow::Result<()> {
    let entry = |id: &str, secret: u8, expires_at: i64, message_ts: i64| MsgSecretEntry {
        chat: Arc::from(BOB),
        sender: Arc::from(ALICE),
        msg_id: Arc::from(id),
        secret: [secret; 32],
        expires_at,
        message_ts,
    };
    t.note(
        "stored",
        b.put_msg_secrets(vec![entry("A", 1, 100, 10), entry("B", 2, 50, 0)])
            .await?,
    );
    b.put_msg_secret(BOB, ALICE, "C", &[3; 32]).await?;
    b.put_msg_secrets(vec![
        entry("A", 4, 80, 0),
        entry("B", 5, 0, 7),
        entry("D", 6, 60, 1),
        entry("D", 7, 40, 9),
    ])
    .await?;
    for id in ["A", "B", "C", "D", "E"] {
        t.note(id, b.get_msg_secret_with_ts(BOB, ALICE, id).await?);
    }
    t.note("plain", b.get_msg_secret(BOB, ALICE, "A").await?);
    t.note("expired at 60", b.delete_expired_msg_secrets(60).await?);
    t.note("expired at 99", b.delete_expired_msg_secrets(99).await?);
    t.note("expired at 100", b.delete_expired_msg_secrets(100).await?);
    for id in ["A", "B", "C", "D"] {
        t.note(id, b.get_msg_secret(BOB, ALICE, id).await?.is_some());
    }
    Ok(())
}

async fn device(b: &dyn WaBackend, t: &mut Transcript) -> whatsapp_rust::anyhow::Result<()> {
    t.note("none yet", b.exists().await?);
    t.note("id", b.create().await?);
    t.note("exists", b.exists().await?);
    let mut device = Device::new();
    device.push_name = "Ana".to_owned();
    device.pn = Some("5511999990001:4@s.whatsapp.net".parse()?);
    device.adv_secret_key = [7; 32];
    device.login_counter = 3;
    b.save(&device).await?;
    let loaded = b
        .load()
        .await?
        .ok_or_else(|| whatsapp_rust::anyhow::anyhow!("no device"))?;
    t.note(
        "name",
        (
            &loaded.push_name,
            &loaded.pn,
            loaded.adv_secret_key,
            loaded.login_counter,
        ),
    );
    t.note(
        "keys survive",
        loaded.noise_key.private_key.serialize() == device.noise_key.private_key.serialize()
            && loaded.signed_pre_key_signature == device.signed_pre_key_signature,
    );
    Ok(())
}

async fn everything(backend: &dyn WaBackend) -> Vec<String> {
    let mut transcript = Transcript::default();
    let t = &mut transcript;
    signal(backend, t).await.expect("signal");
    app_sync(backend, t).await.expect("app sync");
    protocol(backend, t).await.expect("protocol");
    tokens(backend, t).await.expect("tokens");
    waiting(backend, t).await.expect("waiting");
    secrets(backend, t).await.expect("secrets");
    device(backend, t).await.expect("device");
    transcript.0
}

#[tokio::test(flavor = "multi_thread")]
async fn ours_answers_as_the_librarys_own() {
    let expected = everything(&InMemoryBackend::new()).await;
    let fixture = Fixture::new().await;
    let ours = everything(&fixture.backend(Gate::new(|_| ()))).await;
    assert!(expected.len() > 60, "{}", expected.len());
    for (ours, expected) in ours.iter().zip(&expected) {
        assert_eq!(ours, expected);
    }
    assert_eq!(ours.len(), expected.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_for_again_can_be_asked_for_once_more() {
    use whatsapp_rust::traits::ProtocolStore as _;

    let fixture = Fixture::new().await;
    let backend = fixture.backend(Gate::new(|_| ()));
    backend
        .store_sent_message(BOB, "S1", b"sent")
        .await
        .expect("stored");
    for _ in 0..2 {
        // The library stores it again after each; the process may end before it does.
        let taken = backend.take_sent_message(BOB, "S1").await.expect("read");
        assert_eq!(taken.as_deref(), Some(b"sent".as_slice()));
    }
}

/// Any call of the traits whose row cannot be read or written.
type Call = (
    &'static str,
    fn(
        &super::Backend,
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
        space: super::space::TC_TOKEN,
        key: "1@lid".to_owned(),
        n: 0,
        value: b"garbage".to_vec(),
    };
    let device = fixture.store.device(&fixture.account, &fixture.instance);
    device.apply(vec![garbage]).await.expect("written");
    assert!(backend.get_tc_token("1@lid").await.is_err());
    assert_eq!(gate.tripped(), Some(Trip::Store));
}
