//! Rows that are kept for a while and then go: tokens, messages that may be asked for again, messages that
//! wait, secrets of messages.

use std::sync::Arc;

use whatsapp_rust::{
    anyhow::Result,
    traits::{
        Backend as WaBackend, MsgSecretEntry, PendingInboundKey, PendingInboundRow, TcTokenEntry,
    },
    wacore::time::now_secs,
};

use super::{ALICE, BOB, GROUP, Transcript};

pub(super) async fn tokens(b: &dyn WaBackend, t: &mut Transcript) -> Result<()> {
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

pub(super) async fn waiting(b: &dyn WaBackend, t: &mut Transcript) -> Result<()> {
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

pub(super) async fn secrets(b: &dyn WaBackend, t: &mut Transcript) -> Result<()> {
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
