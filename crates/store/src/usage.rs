//! Traces of the use of credentials: when, from where, and who was refused. Written in
//! batches, some seconds after it happened; see `recado_identity::usage`.

use ipnet::IpNet;
use recado_model::{CredentialId, Timestamp, id::random_base32};
use serde_json::json;

use crate::{
    accounts::AccountStore,
    error::Result,
    sql::{Row, sql},
};

/// Networks that are remembered per credential; the oldest stay. Beyond it none is new any more, so
/// that one credential that travels cannot fill the disk.
pub const NETWORKS_PER_CREDENTIAL: i64 = 200;

/// One credential, used since the last batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialUse {
    pub id: CredentialId,
    /// Used with it: the client token of a client secret.
    pub parent: Option<CredentialId>,
    pub last_at: Timestamp,
    /// With the time of the first use from there.
    pub networks: Vec<(IpNet, Timestamp)>,
}

impl AccountStore<'_> {
    /// Notes a use. `last_used_at` never goes back. A network that is new for the credential is an
    /// audit row: `credential.first_used` for its first one, `credential.new_network` for others. A
    /// credential that is gone is passed over.
    pub async fn record_use(&mut self, used: &CredentialUse) -> Result<()> {
        sql(
            "UPDATE credential SET last_used_at = $4 WHERE account_id = $1 AND (id = $2 OR id = $3) \
             AND (last_used_at IS NULL OR last_used_at < $4)",
        )
        .bind(&self.id)
        .bind(&used.id)
        .bind(used.parent.as_ref())
        .bind(used.last_at)
        .execute(self.conn)
        .await?;
        for (network, first_at) in &used.networks {
            self.record_network(&used.id, *network, *first_at).await?;
        }
        Ok(())
    }

    async fn record_network(
        &mut self,
        id: &CredentialId,
        network: IpNet,
        first_at: Timestamp,
    ) -> Result<()> {
        let network = network.to_string();
        let row = sql(
            "SELECT c.kind, c.hint, c.label, \
             (SELECT COUNT(*) FROM credential_network n WHERE n.credential_id = c.id) AS known, \
             (SELECT COUNT(*) FROM credential_network n WHERE n.credential_id = c.id AND n.network = $3) AS same \
             FROM credential c WHERE c.account_id = $1 AND c.id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(&network)
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(());
        };
        let known = row.i64("known")?;
        if row.i64("same")? > 0 || known >= NETWORKS_PER_CREDENTIAL {
            return Ok(());
        }
        // Two processes may find the same network new; one of them inserts it.
        let new = sql("INSERT INTO credential_network (account_id, credential_id, network, first_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
            .bind(&self.id)
            .bind(id)
            .bind(&network)
            .bind(first_at)
            .execute(self.conn)
            .await?;
        if new == 0 {
            return Ok(());
        }
        let kind = match known {
            0 => "credential.first_used",
            _ => "credential.new_network",
        };
        let mut detail = json!({
            "credential": id.as_str(),
            "credential_kind": row.text("kind")?,
            "hint": row.text("hint")?,
            "label": row.opt_text("label")?,
            "network": network,
        });
        if known + 1 == NETWORKS_PER_CREDENTIAL {
            detail["note"] = format!(
                "This is network number {NETWORKS_PER_CREDENTIAL}; further ones are not recorded."
            )
            .into();
        }
        self.put_audit(None, kind, &detail.to_string(), first_at)
            .await?;
        Ok(())
    }

    /// Where a credential has been used from, oldest first.
    pub async fn credential_networks(
        &mut self,
        id: &CredentialId,
    ) -> Result<Vec<(String, Timestamp)>> {
        let rows = sql(
            "SELECT network, first_at FROM credential_network WHERE account_id = $1 AND credential_id = $2 ORDER BY first_at, network",
        )
        .bind(&self.id)
        .bind(id)
        .fetch_all(self.conn)
        .await?;
        let pair = |row: &Row| Ok((row.text("network")?, row.time("first_at")?));
        rows.iter().map(pair).collect()
    }

    /// A sum in the audit log: made with `known = None`, and brought up to date under the id that
    /// this answered. Writing it twice is writing it once. `None`: the account is gone.
    pub async fn record_refusals(
        &mut self,
        known: Option<&str>,
        detail: &str,
        at: Timestamp,
    ) -> Result<Option<String>> {
        self.put_audit(known, "access.refused", detail, at).await
    }

    /// From the account's own row, so that one that was deleted meanwhile makes no error, which would
    /// take the whole batch with it.
    async fn put_audit(
        &mut self,
        known: Option<&str>,
        kind: &str,
        detail: &str,
        at: Timestamp,
    ) -> Result<Option<String>> {
        let id = match known {
            Some(id) => id.to_owned(),
            None => format!("AU{}", random_base32(self.conn.store.rng())),
        };
        let written = sql("INSERT INTO audit (id, account_id, kind, detail, at) \
             SELECT $1, a.id, $3, $4, $5 FROM account a WHERE a.id = $2 \
             ON CONFLICT (id) DO UPDATE SET detail = excluded.detail WHERE audit.account_id = excluded.account_id")
        .bind(&id)
        .bind(&self.id)
        .bind(kind)
        .bind(detail)
        .bind(at)
        .execute(self.conn)
        .await?;
        Ok((written > 0).then_some(id))
    }
}
