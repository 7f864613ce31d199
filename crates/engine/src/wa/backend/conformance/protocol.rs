//! Owners of sender keys, numbers and ids of people, base keys, device lists, groups.

use whatsapp_rust::{
    anyhow::Result,
    traits::{Backend as WaBackend, DeviceInfo, DeviceListRecord, LidPnMappingEntry},
};

use super::{ALICE, BOB, GROUP, OTHER_GROUP, Transcript};

fn pair(lid: &str, phone: &str) -> LidPnMappingEntry {
    LidPnMappingEntry {
        lid: lid.to_owned(),
        phone_number: phone.to_owned(),
        created_at: 1,
        updated_at: 2,
        learning_source: "usync".to_owned(),
    }
}

pub(super) async fn protocol(b: &dyn WaBackend, t: &mut Transcript) -> Result<()> {
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
