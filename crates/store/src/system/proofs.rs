//! From a token to the credential it belongs to, whoever's it is.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use recado_model::{
    AccountId, CredentialId, CredentialKind, InstanceId, PepperId, Scope, Timestamp, Token,
    credential::CredentialRef,
};

use super::System;
use crate::{
    credentials::{read_networks, read_scope},
    error::Result,
    sql::{Row, built, placeholders, sql},
};

impl System<'_> {
    /// The credential of a token, revoked and expired ones too: whether it holds now is
    /// [`CredentialRef::is_live`]. One query, whatever the number of peppers.
    pub async fn credential_by_token(&mut self, token: &Token) -> Result<Option<CredentialRef>> {
        let kind = CredentialKind::ALL
            .into_iter()
            .find(|kind| kind.token_kind() == token.kind());
        let Some(kind) = kind else {
            return Ok(None);
        };
        let peppers = self.conn.store.peppers();
        let hashes = peppers
            .iter()
            .map(|pepper| pepper.hash(kind, token))
            .collect::<Result<Vec<_>>>()?;
        if hashes.is_empty() {
            return Ok(None);
        }
        let rows = built(format!(
            "{SELECT} WHERE c.kind = $1 AND c.lookup IN ({})",
            placeholders(2, hashes.len())
        ))
        .bind(kind.as_str())
        .bind_all(hashes.iter().map(|hash| hash.as_slice()))
        .fetch_all(self.conn)
        .await?;
        for row in rows {
            // The index found it by bytes that the caller does not know; this ties it to the pepper
            // that the row names.
            let (pepper_id, lookup) = (row.text("pepper_id")?, row.blob("lookup")?);
            let same = peppers.iter().zip(&hashes).any(|(pepper, hash)| {
                pepper.id.as_str() == pepper_id && verify_slices_are_equal(hash, &lookup).is_ok()
            });
            if !same {
                continue;
            }
            return credential_ref(&row).map(Some);
        }
        Ok(None)
    }

    /// Of a client token and a client secret at once: whatever is unknown of the two costs the same.
    /// Texts that are no tokens are looked up all the same.
    pub async fn client_pair(
        &mut self,
        token: &str,
        secret: &str,
    ) -> Result<(Option<CredentialRef>, Option<CredentialRef>)> {
        let peppers = self.conn.store.peppers();
        let mut hashes = Vec::with_capacity(2 * peppers.len());
        for (kind, text) in [
            (CredentialKind::ClientToken, token),
            (CredentialKind::ClientSecret, secret),
        ] {
            for pepper in peppers.iter() {
                hashes.push((kind, &pepper.id, pepper.hash_text(kind, text)?));
            }
        }
        let rows = built(format!(
            "{SELECT} WHERE c.lookup IN ({})",
            placeholders(1, hashes.len())
        ))
        .bind_all(hashes.iter().map(|(_, _, hash)| hash.as_slice()))
        .fetch_all(self.conn)
        .await?;
        let mut found = (None, None);
        for row in rows {
            let (pepper_id, lookup) = (row.text("pepper_id")?, row.blob("lookup")?);
            let credential = credential_ref(&row)?;
            let same = hashes.iter().any(|(kind, pepper, hash)| {
                *kind == credential.kind
                    && pepper.as_str() == pepper_id
                    && verify_slices_are_equal(hash, &lookup).is_ok()
            });
            match credential.kind {
                CredentialKind::ClientToken if same => found.0 = Some(credential),
                CredentialKind::ClientSecret if same => found.1 = Some(credential),
                _ => {}
            }
        }
        Ok(found)
    }

    /// Of a JWT: the credential it came from, and whether its account has revoked single JWTs.
    pub async fn credential_of_jwts(
        &mut self,
        id: &CredentialId,
    ) -> Result<Option<(CredentialRef, bool)>> {
        let row = built(format!(
            "{} WHERE c.id = $1",
            SELECT.replacen(
                "SELECT ",
                "SELECT (SELECT COUNT(*) FROM jwt_revoked r WHERE r.account_id = c.account_id) AS revocations, ",
                1
            )
        ))
        .bind(id)
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some((credential_ref(&row)?, row.i64("revocations")? > 0)))
    }

    /// Whether this very JWT was revoked.
    pub async fn is_jwt_revoked(&mut self, jti: &str) -> Result<bool> {
        let row = sql("SELECT jti FROM jwt_revoked WHERE jti = $1")
            .bind(jti)
            .fetch_optional(self.conn)
            .await?;
        Ok(row.is_some())
    }

    /// Revoked JWTs that would have expired by now need no row any more. The number removed.
    pub async fn prune_revoked_jwts(&mut self, now: Timestamp) -> Result<u64> {
        sql("DELETE FROM jwt_revoked WHERE expires_at <= $1")
            .bind(now)
            .execute(self.conn)
            .await
    }

    /// The same by id, whatever it came from.
    pub async fn credential(&mut self, id: &CredentialId) -> Result<Option<CredentialRef>> {
        let row = built(format!("{SELECT} WHERE c.id = $1"))
            .bind(id)
            .fetch_optional(self.conn)
            .await?;
        row.as_ref().map(credential_ref).transpose()
    }
}

/// With the parent's end, because a child dies with it, and the account's generation.
const SELECT: &str = "SELECT c.id, c.account_id, c.kind, c.instance_id, c.parent_id, c.lookup, c.pepper_id, \
     c.version, c.not_after, c.grace_until, c.revoked_at, c.cidrs, c.instances, \
     p.not_after AS parent_not_after, p.grace_until AS parent_grace_until, \
     p.revoked_at AS parent_revoked_at, p.cidrs AS parent_cidrs, p.instances AS parent_instances, a.generation \
     FROM credential c JOIN account a ON a.id = c.account_id \
     LEFT JOIN credential p ON p.id = c.parent_id";

fn credential_ref(row: &Row) -> Result<CredentialRef> {
    let earlier =
        |own: Option<Timestamp>, parents: Option<Timestamp>| own.into_iter().chain(parents).min();
    // Restrictions are set on the parent (the client token, for its secret); a child has its own only
    // where its parent has none.
    let mut networks = read_networks(row, "parent_cidrs")?;
    if networks.is_empty() {
        networks = read_networks(row, "cidrs")?;
    }
    let scope = match read_scope(row, "parent_instances")? {
        Scope::All => read_scope(row, "instances")?,
        only => only,
    };
    Ok(CredentialRef {
        id: CredentialId::from_text(row.text("id")?),
        account: AccountId::from_text(row.text("account_id")?),
        kind: row.parsed("kind", CredentialKind::parse)?,
        instance: row.opt_text("instance_id")?.map(InstanceId::from_text),
        parent: row.opt_text("parent_id")?.map(CredentialId::from_text),
        version: row.i64("version")?,
        generation: row.i64("generation")?,
        not_after: earlier(
            row.opt_time("not_after")?,
            row.opt_time("parent_not_after")?,
        ),
        grace_until: earlier(
            row.opt_time("grace_until")?,
            row.opt_time("parent_grace_until")?,
        ),
        revoked: row.opt_time("revoked_at")?.is_some()
            || row.opt_time("parent_revoked_at")?.is_some(),
        networks: networks.into(),
        scope,
        pepper: PepperId::from_text(row.text("pepper_id")?),
    })
}
