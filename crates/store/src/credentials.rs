//! Credentials: issued, shown again, revoked. Looking one up by its token is in `system`.
//!
//! Every end of one raises the epoch in its transaction, so that other processes drop what they cached. A
//! new one does not: nobody can have shown its token before.
//!
//! Ending one leaves its `version` alone. JWTs carry the version, so raising it would kill those that
//! are out at once, and the owner may have chosen a grace. A revoked one has ended for good, whatever
//! time it says: clocks are set back. `grace_until` and `not_after` are ends to come.

use std::{collections::HashMap, sync::Arc};

use ipnet::IpNet;
use recado_model::{CredentialId, CredentialKind, InstanceId, Scope, Secret, Timestamp, Token};

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    sql::{Row, built, placeholders, sql},
};

/// The columns of a [`CredentialInfo`].
macro_rules! columns {
    () => {
        "id, kind, label, hint, instance_id, parent_id, created_at, last_used_at, not_after, grace_until, revoked_at, cidrs, instances, version"
    };
}
/// The terms of a new credential.
#[derive(Clone, Debug)]
pub struct NewCredential<'a> {
    pub id: CredentialId,
    pub token: &'a Token,
    pub kind: CredentialKind,
    pub label: Option<&'a str>,
    /// The instance it dies with.
    pub instance: Option<&'a InstanceId>,
    /// The credential it dies with.
    pub parent: Option<&'a CredentialId>,
    pub not_after: Option<Timestamp>,
    /// Where it may be used from; empty is anywhere.
    pub networks: &'a [IpNet],
    /// The instances that it may be used for.
    pub scope: Scope,
}

impl<'a> NewCredential<'a> {
    /// Of the account itself, for ever, from anywhere, for everything.
    pub fn new(id: CredentialId, token: &'a Token, kind: CredentialKind) -> Self {
        Self {
            id,
            token,
            kind,
            label: None,
            instance: None,
            parent: None,
            not_after: None,
            networks: &[],
            scope: Scope::All,
        }
    }
}

/// A credential for a list: all but the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialInfo {
    pub id: CredentialId,
    pub kind: CredentialKind,
    pub label: Option<String>,
    /// Prefix and last four characters.
    pub hint: String,
    pub instance: Option<InstanceId>,
    pub parent: Option<CredentialId>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
    pub not_after: Option<Timestamp>,
    /// Rotated: holds until then.
    pub grace_until: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    pub networks: Vec<IpNet>,
    pub scope: Scope,
    pub version: i64,
}

impl AccountStore<'_> {
    /// Keeps the token's hash under the pepper that signs now and, where the owner may see it again, the
    /// token itself, sealed.
    pub async fn issue(&mut self, new: NewCredential<'_>, now: Timestamp) -> Result<()> {
        if new.token.kind() != new.kind.token_kind() {
            return Err(StoreError::Misuse(
                "a token of another kind than its credential",
            ));
        }
        let peppers = self.conn.store.peppers();
        let pepper = crate::pepper::signing(&peppers, now)
            .ok_or(StoreError::Misuse("the store has no pepper"))?;
        let lookup = pepper.hash(new.kind, new.token)?;
        let sealed = if new.kind.is_shown_again() {
            let plain = new.token.expose().as_bytes();
            let sealing =
                self.conn
                    .seal_for(&self.id, "credential", "sealed", new.id.as_str(), plain);
            Some(sealing.await?)
        } else {
            None
        };
        let hint = new.token.hint();
        sql(
            "INSERT INTO credential (id, account_id, kind, instance_id, parent_id, label, lookup, pepper_id, sealed, hint, version, created_at, not_after, cidrs, instances) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $13, $14)",
        )
        .bind(&new.id)
        .bind(&self.id)
        .bind(new.kind.as_str())
        .bind(new.instance)
        .bind(new.parent)
        .bind(new.label)
        .bind(lookup.as_slice())
        .bind(&pepper.id)
        .bind(sealed.as_deref())
        .bind(&hint)
        .bind(now)
        .bind(new.not_after)
        .bind(networks_text(new.networks).as_deref())
        .bind(scope_text(&new.scope).as_deref())
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// The newest token of that kind that holds at `now` and was not rotated: of the instance, or (with
    /// `None`) of the account itself. `None` when there is none, or its kind is never shown again.
    pub async fn reveal(
        &mut self,
        kind: CredentialKind,
        instance: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Option<Secret>> {
        let query = match instance {
            Some(_) => sql(
                "SELECT id, sealed FROM credential WHERE account_id = $1 AND kind = $2 AND instance_id = $4 \
                 AND revoked_at IS NULL AND grace_until IS NULL AND sealed IS NOT NULL \
                 AND (not_after IS NULL OR not_after > $3) ORDER BY created_at DESC, id DESC LIMIT 1",
            ),
            None => sql(
                "SELECT id, sealed FROM credential WHERE account_id = $1 AND kind = $2 AND instance_id IS NULL \
                 AND revoked_at IS NULL AND grace_until IS NULL AND sealed IS NOT NULL \
                 AND (not_after IS NULL OR not_after > $3) ORDER BY created_at DESC, id DESC LIMIT 1",
            ),
        };
        let mut query = query.bind(&self.id).bind(kind.as_str()).bind(now);
        if let Some(instance) = instance {
            query = query.bind(instance);
        }
        match query.fetch_optional(self.conn).await? {
            Some(row) => self.unseal_token(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The newest live instance token of each instance, for a list.
    pub async fn reveal_instance_tokens(
        &mut self,
        instances: &[InstanceId],
        now: Timestamp,
    ) -> Result<HashMap<InstanceId, Secret>> {
        let mut tokens = HashMap::with_capacity(instances.len());
        for part in instances.chunks(200) {
            let rows = built(format!(
                "SELECT id, instance_id, sealed FROM credential WHERE account_id = $1 AND kind = $2 AND revoked_at IS NULL \
                 AND grace_until IS NULL AND (not_after IS NULL OR not_after > $3) \
                 AND sealed IS NOT NULL AND instance_id IN ({}) ORDER BY created_at, id",
                placeholders(4, part.len())
            ))
            .bind(&self.id)
            .bind(CredentialKind::InstanceToken.as_str())
            .bind(now)
            .bind_all(part)
            .fetch_all(self.conn)
            .await?;
            for row in rows {
                // In order of age: the newest stays.
                let instance = InstanceId::from_text(row.text("instance_id")?);
                tokens.insert(instance, self.unseal_token(&row).await?);
            }
        }
        Ok(tokens)
    }

    async fn unseal_token(&mut self, row: &Row) -> Result<Secret> {
        let (id, sealed) = (row.text("id")?, row.blob("sealed")?);
        self.conn
            .unseal_for(&self.id, "credential", "sealed", &id, &sealed)
            .await
    }

    /// Waits for its turn to change the account's credentials, and holds it until the transaction
    /// ends: what is counted or read after it stays so.
    pub async fn hold_credentials(&mut self) -> Result<()> {
        self.hold().await
    }

    /// Client tokens and API tokens of the account that hold at `now`, rotated ones in their grace too.
    pub async fn count_live_credentials(&mut self, now: Timestamp) -> Result<i64> {
        sql(
            "SELECT COUNT(*) AS n FROM credential WHERE account_id = $1 AND kind IN ($2, $3) \
             AND (not_after IS NULL OR not_after > $4) AND (grace_until IS NULL OR grace_until > $4) \
             AND revoked_at IS NULL",
        )
        .bind(&self.id)
        .bind(CredentialKind::ClientToken.as_str())
        .bind(CredentialKind::ApiToken.as_str())
        .bind(now)
        .fetch_one(self.conn)
        .await?
        .i64("n")
    }

    /// How many like `of` (its kind, of the same instance or parent) are rotated and hold at `now`.
    pub async fn count_in_grace(&mut self, of: &CredentialInfo, now: Timestamp) -> Result<i64> {
        sql(
            "SELECT COUNT(*) AS n FROM credential WHERE account_id = $1 AND kind = $2 \
             AND COALESCE(instance_id, '') = $3 AND COALESCE(parent_id, '') = $4 \
             AND grace_until > $5 AND revoked_at IS NULL \
             AND (not_after IS NULL OR not_after > $5)",
        )
        .bind(&self.id)
        .bind(of.kind.as_str())
        .bind(of.instance.as_ref().map_or("", InstanceId::as_str))
        .bind(of.parent.as_ref().map_or("", CredentialId::as_str))
        .bind(now)
        .fetch_one(self.conn)
        .await?
        .i64("n")
    }

    /// All of them, revoked ones too, oldest first.
    pub async fn credentials(&mut self) -> Result<Vec<CredentialInfo>> {
        let rows = sql(concat!(
            "SELECT ",
            columns!(),
            " FROM credential WHERE account_id = $1 ORDER BY created_at, id"
        ))
        .bind(&self.id)
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(info).collect()
    }

    pub async fn credential(&mut self, id: &CredentialId) -> Result<Option<CredentialInfo>> {
        let row = sql(concat!(
            "SELECT ",
            columns!(),
            " FROM credential WHERE account_id = $1 AND id = $2"
        ))
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?;
        row.as_ref().map(info).transpose()
    }

    /// The token itself, of a kind that may be shown again. `None` for one that is not kept.
    pub async fn reveal_credential(&mut self, id: &CredentialId) -> Result<Option<Secret>> {
        let row = sql(
            "SELECT id, sealed FROM credential WHERE account_id = $1 AND id = $2 AND sealed IS NOT NULL",
        )
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?;
        match row {
            Some(row) => self.unseal_token(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Label, end and restrictions, all at once; what is not to change is given as it was.
    pub async fn change_credential(
        &mut self,
        id: &CredentialId,
        label: Option<&str>,
        not_after: Option<Timestamp>,
        networks: &[IpNet],
        scope: &Scope,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE credential SET label = $3, not_after = $4, cidrs = $5, instances = $6 WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(label)
        .bind(not_after)
        .bind(networks_text(networks).as_deref())
        .bind(scope_text(scope).as_deref())
        .execute(self.conn)
        .await?;
        self.conn.raise_epoch();
        Ok(changed > 0)
    }

    /// A successor took its place: it and its children hold until `until`, and no longer. One that
    /// was rotated before keeps its earlier end.
    pub async fn set_grace(&mut self, id: &CredentialId, until: Timestamp) -> Result<bool> {
        let changed = sql("UPDATE credential SET grace_until = $3 \
             WHERE account_id = $1 AND (id = $2 OR parent_id = $2) AND (grace_until IS NULL OR grace_until > $3)")
        .bind(&self.id)
        .bind(id)
        .bind(until)
        .execute(self.conn)
        .await?;
        self.conn.raise_epoch();
        Ok(changed > 0)
    }

    /// Ends a credential and its children, for good. `false` when nothing changed.
    pub async fn revoke(&mut self, id: &CredentialId, now: Timestamp) -> Result<bool> {
        let changed = sql("UPDATE credential SET revoked_at = $3 \
             WHERE account_id = $1 AND (id = $2 OR parent_id = $2) AND revoked_at IS NULL")
        .bind(&self.id)
        .bind(id)
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.raise_epoch();
        Ok(changed > 0)
    }
}

fn info(row: &Row) -> Result<CredentialInfo> {
    Ok(CredentialInfo {
        id: CredentialId::from_text(row.text("id")?),
        kind: row.parsed("kind", CredentialKind::parse)?,
        label: row.opt_text("label")?,
        hint: row.text("hint")?,
        instance: row.opt_text("instance_id")?.map(InstanceId::from_text),
        parent: row.opt_text("parent_id")?.map(CredentialId::from_text),
        created_at: row.time("created_at")?,
        last_used_at: row.opt_time("last_used_at")?,
        not_after: row.opt_time("not_after")?,
        grace_until: row.opt_time("grace_until")?,
        revoked_at: row.opt_time("revoked_at")?,
        networks: read_networks(row, "cidrs")?,
        scope: read_scope(row, "instances")?,
        version: row.i64("version")?,
    })
}

fn networks_text(networks: &[IpNet]) -> Option<String> {
    let all: Vec<_> = networks.iter().map(IpNet::to_string).collect();
    (!all.is_empty()).then(|| all.join(","))
}

fn scope_text(scope: &Scope) -> Option<String> {
    let ids = scope.only()?.iter().map(InstanceId::as_str);
    Some(ids.collect::<Vec<_>>().join(","))
}

/// A restriction that cannot be read is an error: it must never turn into none.
pub(crate) fn read_networks(row: &Row, column: &'static str) -> Result<Vec<IpNet>> {
    let Some(text) = row.opt_text(column)? else {
        return Ok(Vec::new());
    };
    text.split(',')
        .map(|part| part.parse().map_err(|_| StoreError::Column(column)))
        .collect()
}

/// An empty text is the scope of no instance, not of all.
pub(crate) fn read_scope(row: &Row, column: &'static str) -> Result<Scope> {
    Ok(match row.opt_text(column)? {
        None => Scope::All,
        Some(text) => {
            let ids = text.split(',').filter(|id| !id.is_empty());
            Scope::Only(ids.map(InstanceId::from_text).collect::<Arc<[_]>>())
        }
    })
}
