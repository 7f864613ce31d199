//! From a token to the credential it belongs to, whoever's it is.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use recado_model::{
    AccountId, CredentialId, CredentialKind, InstanceId, Timestamp, Token,
    credential::CredentialRef,
};

use super::System;
use crate::{
    error::Result,
    sql::{Row, built, placeholders},
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

    /// The same by id, for a JWT that names the credential it came from.
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
     c.version, c.not_after, c.revoked_at, p.not_after AS parent_not_after, \
     p.revoked_at AS parent_revoked_at, a.generation \
     FROM credential c JOIN account a ON a.id = c.account_id \
     LEFT JOIN credential p ON p.id = c.parent_id";

fn credential_ref(row: &Row) -> Result<CredentialRef> {
    let earlier =
        |own: Option<Timestamp>, parents: Option<Timestamp>| own.into_iter().chain(parents).min();
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
        revoked_at: earlier(
            row.opt_time("revoked_at")?,
            row.opt_time("parent_revoked_at")?,
        ),
    })
}
