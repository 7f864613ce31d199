//! Rows that the protocol needs beside keys: address pairs, device lists, group snapshots, tokens, and
//! messages that wait.

use async_trait::async_trait;
use recado_store::DeviceOp;
use whatsapp_rust::{
    traits::{
        DeviceListRecord, LidPnMappingEntry, PendingInboundKey, PendingInboundRow, ProtocolStore,
        TcTokenEntry,
    },
    wacore::store::error::{Result, StoreError as WaStoreError},
};

use super::{Backend, SEPARATOR, delete, encode, key_of, put, space};

#[async_trait]
impl ProtocolStore for Backend {
    async fn get_sender_key_devices(&self, group_jid: &str) -> Result<Vec<(String, bool)>> {
        let prefix = key_of(&[group_jid, ""]);
        let rows = self
            .rows
            .scan_prefix(space::SENDER_KEY_DEVICE, &prefix)
            .await?;
        Ok(rows
            .into_iter()
            .map(|row| (row.key[prefix.len()..].to_owned(), row.n != 0))
            .collect())
    }

    async fn set_sender_key_status(&self, group_jid: &str, entries: &[(&str, bool)]) -> Result<()> {
        let ops = entries
            .iter()
            .map(|(device, has_key)| {
                put(
                    space::SENDER_KEY_DEVICE,
                    key_of(&[group_jid, device]),
                    i64::from(*has_key),
                    Vec::new(),
                )
            })
            .collect();
        self.apply(ops).await
    }

    async fn clear_sender_key_devices(&self, group_jid: &str) -> Result<()> {
        self.apply(vec![super::forget_group_keys(group_jid)]).await
    }

    async fn delete_sender_key_device_rows(&self, device_jids: &[&str]) -> Result<()> {
        if device_jids.is_empty() {
            return Ok(());
        }
        let keys = self.rows.keys(space::SENDER_KEY_DEVICE).await?;
        let ops = keys
            .into_iter()
            .filter(|key| {
                key.rsplit(SEPARATOR)
                    .next()
                    .is_some_and(|device| device_jids.contains(&device))
            })
            .map(|key| delete(space::SENDER_KEY_DEVICE, key))
            .collect();
        self.apply(ops).await
    }

    async fn clear_all_sender_key_devices(&self) -> Result<()> {
        self.apply(vec![DeviceOp::DeleteSpace {
            space: space::SENDER_KEY_DEVICE,
        }])
        .await
    }

    async fn get_lid_mapping(&self, lid: &str) -> Result<Option<LidPnMappingEntry>> {
        self.get_json(space::LID, lid).await
    }

    async fn get_pn_mapping(&self, phone: &str) -> Result<Option<LidPnMappingEntry>> {
        let Some(lid) = self.get(space::PHONE, phone).await? else {
            return Ok(None);
        };
        let lid = String::from_utf8(lid).map_err(|error| {
            self.rows
                .broken(WaStoreError::Serialization(Box::new(error)))
        })?;
        self.get_lid_mapping(&lid).await
    }

    async fn put_lid_mapping(&self, entry: &LidPnMappingEntry) -> Result<()> {
        self.put_lid_mappings(std::slice::from_ref(entry)).await
    }

    async fn put_lid_mappings(&self, entries: &[LidPnMappingEntry]) -> Result<()> {
        let _merging = self.merging.lock().await;
        let lids: Vec<String> = entries.iter().map(|entry| entry.lid.clone()).collect();
        let known = self.rows.get_many(space::LID, &lids).await?;
        let mut ops = Vec::with_capacity(entries.len() * 2 + known.len());
        for (lid, bytes) in known {
            let old: LidPnMappingEntry = self.rows.decode(&bytes)?;
            // The number's own row may by now name another LID; only a row that names this one is stale.
            let is_stale = entries
                .iter()
                .any(|entry| entry.lid == lid && entry.phone_number != old.phone_number)
                && self.get(space::PHONE, &old.phone_number).await?.as_deref()
                    == Some(lid.as_bytes());
            if is_stale {
                ops.push(delete(space::PHONE, old.phone_number));
            }
        }
        for entry in entries {
            ops.push(put(space::LID, entry.lid.as_str(), 0, encode(entry)?));
            ops.push(put(
                space::PHONE,
                entry.phone_number.as_str(),
                0,
                entry.lid.clone().into_bytes(),
            ));
        }
        self.apply(ops).await
    }

    async fn get_all_lid_mappings(&self) -> Result<Vec<LidPnMappingEntry>> {
        let rows = self.rows.scan(space::LID).await?;
        rows.iter()
            .map(|row| self.rows.decode(&row.value))
            .collect()
    }

    async fn save_base_key(&self, address: &str, message_id: &str, base_key: &[u8]) -> Result<()> {
        let key = key_of(&[address, message_id]);
        self.put(space::BASE_KEY, &key, 0, base_key.to_vec()).await
    }

    async fn has_same_base_key(
        &self,
        address: &str,
        message_id: &str,
        current_base_key: &[u8],
    ) -> Result<bool> {
        let saved = self
            .get(space::BASE_KEY, &key_of(&[address, message_id]))
            .await?;
        Ok(saved.as_deref() == Some(current_base_key))
    }

    async fn delete_base_key(&self, address: &str, message_id: &str) -> Result<()> {
        self.delete(space::BASE_KEY, &key_of(&[address, message_id]))
            .await
    }

    async fn update_device_list(&self, record: DeviceListRecord) -> Result<()> {
        self.update_device_lists(vec![record]).await
    }

    async fn update_device_lists(&self, records: Vec<DeviceListRecord>) -> Result<()> {
        let ops = records
            .iter()
            .map(|record| {
                Ok(put(
                    space::DEVICE_LIST,
                    record.user.as_str(),
                    0,
                    encode(record)?,
                ))
            })
            .collect::<Result<_>>()?;
        self.apply(ops).await
    }

    async fn get_devices(&self, user: &str) -> Result<Option<DeviceListRecord>> {
        self.get_json(space::DEVICE_LIST, user).await
    }

    async fn delete_devices(&self, user: &str) -> Result<()> {
        self.delete(space::DEVICE_LIST, user).await
    }

    async fn get_group_metadata(&self, group_jid: &str) -> Result<Option<Vec<u8>>> {
        self.get(space::GROUP, group_jid).await
    }

    async fn put_group_metadata(&self, group_jid: &str, blob: &[u8]) -> Result<()> {
        self.put(space::GROUP, group_jid, 0, blob.to_vec()).await
    }

    async fn delete_group_metadata(&self, group_jid: &str) -> Result<()> {
        self.delete(space::GROUP, group_jid).await
    }

    async fn get_tc_token(&self, jid: &str) -> Result<Option<TcTokenEntry>> {
        self.get_json(space::TC_TOKEN, jid).await
    }

    async fn put_tc_token(&self, jid: &str, entry: &TcTokenEntry) -> Result<()> {
        self.put(space::TC_TOKEN, jid, 0, encode(entry)?).await
    }

    async fn delete_tc_token(&self, jid: &str) -> Result<()> {
        self.delete(space::TC_TOKEN, jid).await
    }

    async fn get_all_tc_token_jids(&self) -> Result<Vec<String>> {
        self.rows.keys(space::TC_TOKEN).await
    }

    async fn delete_expired_tc_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u32> {
        self.expire_tokens(token_cutoff, sender_cutoff).await
    }

    async fn touch_tc_token_sender_timestamp(
        &self,
        jid: &str,
        sender_timestamp: i64,
    ) -> Result<()> {
        self.touch_token_sender(jid, sender_timestamp).await
    }

    async fn store_received_tc_token(
        &self,
        jid: &str,
        token: &[u8],
        token_timestamp: i64,
    ) -> Result<()> {
        self.keep_received_token(jid, token, token_timestamp).await
    }

    async fn store_sent_message(
        &self,
        chat_jid: &str,
        message_id: &str,
        payload: &[u8],
    ) -> Result<()> {
        self.keep_sent(chat_jid, message_id, payload).await
    }

    async fn take_sent_message(&self, chat_jid: &str, message_id: &str) -> Result<Option<Vec<u8>>> {
        self.sent(chat_jid, message_id).await
    }

    async fn delete_expired_sent_messages(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.delete_below(space::SENT, cutoff_timestamp).await
    }

    async fn store_pending_inbound(
        &self,
        chat: &str,
        sender: &str,
        id: &str,
        message: &[u8],
    ) -> Result<()> {
        self.keep_pending(&[PendingInboundRow {
            chat,
            sender,
            id,
            message,
        }])
        .await
    }

    async fn get_pending_inbound(
        &self,
        chat: &str,
        sender: &str,
        id: &str,
    ) -> Result<Option<Vec<u8>>> {
        match self.pending(chat, sender, id).await? {
            Some(kept) => Ok(Some(kept)),
            None => self.judge_repeat(chat, sender, id).await.map(|()| None),
        }
    }

    async fn delete_pending_inbound(&self, chat: &str, sender: &str, id: &str) -> Result<()> {
        self.drop_pending(&[PendingInboundKey { chat, sender, id }])
            .await
    }

    async fn delete_expired_pending_inbound(&self, cutoff_timestamp: i64) -> Result<u32> {
        self.delete_below(space::PENDING, cutoff_timestamp).await
    }

    async fn store_pending_inbound_batch(&self, rows: &[PendingInboundRow<'_>]) -> Result<()> {
        self.keep_pending(rows).await
    }

    async fn delete_pending_inbound_batch(&self, keys: &[PendingInboundKey<'_>]) -> Result<()> {
        self.drop_pending(keys).await
    }
}
