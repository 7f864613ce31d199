//! Trusted-contact tokens. Two writers own two halves of one row (what a contact sent us, and when we
//! last sent ours), so each change is one atomic step.

use whatsapp_rust::{traits::TcTokenEntry, wacore::store::error::Result};

use super::{Backend, encode, space};

impl Backend {
    /// `change` gets the row as it is and answers as it shall be; `None` removes it.
    async fn change_token(
        &self,
        jid: &str,
        change: impl FnOnce(Option<TcTokenEntry>) -> Option<TcTokenEntry> + Send,
    ) -> Result<()> {
        let mut outcome = Ok(());
        self.rows
            .update(space::TC_TOKEN, jid, |bytes| {
                let changed = bytes
                    .as_deref()
                    .map(|bytes| self.rows.decode::<TcTokenEntry>(bytes))
                    .transpose()
                    .map(change)
                    .and_then(|entry| entry.as_ref().map(encode).transpose());
                match changed {
                    Ok(value) => value,
                    Err(error) => {
                        outcome = Err(error);
                        bytes
                    }
                }
            })
            .await?;
        outcome
    }

    pub(super) async fn touch_token_sender(&self, jid: &str, at: i64) -> Result<()> {
        self.change_token(jid, |known| {
            Some(match known {
                Some(entry) => TcTokenEntry {
                    sender_timestamp: Some(entry.sender_timestamp.map_or(at, |old| old.max(at))),
                    ..entry
                },
                None => TcTokenEntry {
                    token: Vec::new(),
                    token_timestamp: at,
                    sender_timestamp: Some(at),
                },
            })
        })
        .await
    }

    pub(super) async fn keep_received_token(&self, jid: &str, token: &[u8], at: i64) -> Result<()> {
        let token = token.to_vec();
        self.change_token(jid, move |known| {
            Some(match known {
                // A stale write must not replace a fresher token; a placeholder never stands in the way.
                Some(entry) if !entry.token.is_empty() && at < entry.token_timestamp => entry,
                known => TcTokenEntry {
                    token,
                    token_timestamp: at,
                    sender_timestamp: known.and_then(|entry| entry.sender_timestamp),
                },
            })
        })
        .await
    }

    /// Removes rows of which neither half is fresh; says how many.
    pub(super) async fn expire_tokens(&self, token_cutoff: i64, sender_cutoff: i64) -> Result<u32> {
        let is_live = move |entry: &TcTokenEntry| {
            let token_live = !entry.token.is_empty() && entry.token_timestamp >= token_cutoff;
            token_live || entry.sender_timestamp.is_some_and(|at| at >= sender_cutoff)
        };
        let mut removed = 0;
        for row in self.rows.scan(space::TC_TOKEN).await? {
            if is_live(&self.rows.decode(&row.value)?) {
                continue;
            }
            // Judged again inside: it may have been refreshed since the scan.
            self.change_token(&row.key, |known| {
                let kept = known.filter(is_live);
                removed += u32::from(kept.is_none());
                kept
            })
            .await?;
        }
        Ok(removed)
    }
}
