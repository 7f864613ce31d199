//! Identities, Signal sessions, prekeys and sender keys.

use std::sync::Arc;

use bytes::Bytes;
use whatsapp_rust::{anyhow::Result, traits::Backend as WaBackend};

use super::{ALICE, BOB, Transcript};

pub(super) async fn signal(b: &dyn WaBackend, t: &mut Transcript) -> Result<()> {
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
