//! Links that are sent to people. Each is good once and for a short time, and dies when a newer one
//! takes its place.
//!
//! A dead one keeps its row until [`People::prune_links`]: the second click is told what happened, and
//! [`People::count_links_since`] counts letters, whatever became of them. An act that ends one before its time
//! moves its end to when it was made, so that no clock that is set back brings it to life.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use recado_model::{AccountId, LinkId, LinkKind, Role, Timestamp, UserId};

use super::{People, users::normal_email};
use crate::{
    error::Result,
    sql::{Row, built, sql},
};

#[derive(Clone, Debug)]
pub struct NewLink {
    pub id: LinkId,
    pub kind: LinkKind,
    /// SHA-256 of the token.
    pub lookup: [u8; 32],
    /// The address that it goes to; of [`LinkKind::Email`] the new address.
    pub email: Option<String>,
    /// Of an invitation: where to, as what, and by whom (`None`: the operator).
    pub account: Option<AccountId>,
    pub role: Option<Role>,
    pub made_by: Option<UserId>,
    /// Of reset and e-mail: whose, and the user's generation now. It dies when that rises.
    pub user: Option<(UserId, i64)>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRecord {
    pub id: LinkId,
    pub kind: LinkKind,
    pub email: Option<String>,
    pub account: Option<AccountId>,
    pub account_name: Option<String>,
    pub role: Option<Role>,
    pub made_by: Option<UserId>,
    pub user: Option<UserId>,
    /// The user's generation when the link was made.
    pub user_generation: Option<i64>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub used_at: Option<Timestamp>,
    /// Neither used nor replaced nor withdrawn, and its user has not changed since. Whether its time is
    /// over is the caller's to say.
    pub alive: bool,
}

impl People<'_> {
    /// Keeps a new link. An older one that has the same kind, address, account and user dies.
    pub async fn make_link(&mut self, new: &NewLink, now: Timestamp) -> Result<()> {
        let email = new.email.as_deref().map(normal_email);
        let (user, generation) = new.user.as_ref().map(|(user, n)| (user, *n)).unzip();
        let address = match email {
            Some(_) => "email = $2",
            None => "email IS NULL AND $2 = ''",
        };
        built(format!(
            "UPDATE user_link SET expires_at = created_at WHERE kind = $1 AND {address} \
             AND COALESCE(account_id, '') = $3 AND COALESCE(user_id, '') = $4 AND used_at IS NULL"
        ))
        .bind(new.kind.as_str())
        .bind(email.as_deref().unwrap_or_default())
        .bind(new.account.as_ref().map_or("", AccountId::as_str))
        .bind(user.map_or("", UserId::as_str))
        .execute(self.conn)
        .await?;
        sql(
            "INSERT INTO user_link (id, kind, lookup, email, account_id, role, made_by, user_id, user_generation, \
             created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(&new.id)
        .bind(new.kind.as_str())
        .bind(new.lookup.as_slice())
        .bind(email.as_deref())
        .bind(new.account.as_ref())
        .bind(new.role.map(Role::as_str))
        .bind(new.made_by.as_ref())
        .bind(user)
        .bind(generation)
        .bind(now)
        .bind(new.expires_at)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// The link of a token, by the token's SHA-256; dead ones too.
    pub async fn link(&mut self, lookup: &[u8; 32]) -> Result<Option<LinkRecord>> {
        let row = sql(
            "SELECT l.id, l.kind, l.lookup, l.email, l.account_id, l.role, l.made_by, l.user_id, l.user_generation, \
             l.created_at, l.expires_at, l.used_at, a.name, u.generation \
             FROM user_link l LEFT JOIN account a ON a.id = l.account_id LEFT JOIN app_user u ON u.id = l.user_id \
             WHERE l.lookup = $1",
        )
        .bind(lookup.as_slice())
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        // The index is no comparison in constant time.
        if verify_slices_are_equal(lookup, &row.blob("lookup")?).is_err() {
            return Ok(None);
        }
        record(&row).map(Some)
    }

    /// Uses a link up. `None` when there is no such link or it is dead: used, expired, replaced, or its
    /// user has changed since. Of two at once, one gets it.
    pub async fn use_link(
        &mut self,
        lookup: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<LinkRecord>> {
        // A change of the user is waited for: its end of the link is seen then.
        sql("UPDATE app_user SET generation = generation \
             WHERE id = (SELECT l.user_id FROM user_link l WHERE l.lookup = $1)")
        .bind(lookup.as_slice())
        .execute(self.conn)
        .await?;
        let used = sql(
            "UPDATE user_link SET used_at = $2 WHERE lookup = $1 AND used_at IS NULL AND expires_at > $2 \
             AND expires_at > created_at AND (user_id IS NULL OR user_generation = \
             (SELECT u.generation FROM app_user u WHERE u.id = user_link.user_id))",
        )
        .bind(lookup.as_slice())
        .bind(now)
        .execute(self.conn)
        .await?;
        match used {
            0 => Ok(None),
            _ => self.link(lookup).await,
        }
    }

    /// Ends the links of that kind to an address (of all accounts), or with `None` all of that kind. The
    /// number that died.
    pub async fn drop_links(&mut self, kind: LinkKind, email: Option<&str>) -> Result<u64> {
        let email = email.map(normal_email);
        let query = match &email {
            Some(email) => sql("UPDATE user_link SET expires_at = created_at \
                 WHERE kind = $1 AND email = $2 AND used_at IS NULL AND expires_at > created_at")
            .bind(kind.as_str())
            .bind(email),
            // Reads all: the operator ends every link of a kind, which is rare.
            None => sql("UPDATE user_link SET expires_at = created_at \
                 WHERE kind = $1 AND used_at IS NULL AND expires_at > created_at")
            .bind(kind.as_str()),
        };
        query.execute(self.conn).await
    }

    /// How many of that kind were made for that address from `since` on, whatever became of them.
    pub async fn count_links_since(
        &mut self,
        kind: LinkKind,
        email: &str,
        since: Timestamp,
    ) -> Result<i64> {
        sql(
            "SELECT COUNT(*) AS n FROM user_link WHERE email = $1 AND kind = $2 AND created_at >= $3",
        )
        .bind(&normal_email(email))
        .bind(kind.as_str())
        .bind(since)
        .fetch_one(self.conn)
        .await?
        .i64("n")
    }

    /// Removes links that ended before `before`, used or not, at most `limit`. The number removed. Leave
    /// them longer than [`People::count_links_since`] looks back.
    pub async fn prune_links(&mut self, before: Timestamp, limit: u32) -> Result<u64> {
        sql("DELETE FROM user_link WHERE id IN ( \
             SELECT id FROM user_link WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)")
        .bind(before)
        .bind(i64::from(limit))
        .execute(self.conn)
        .await
    }
}

fn record(row: &Row) -> Result<LinkRecord> {
    let user_generation = row.opt_i64("user_generation")?;
    let (created_at, expires_at) = (row.time("created_at")?, row.time("expires_at")?);
    let used_at = row.opt_time("used_at")?;
    Ok(LinkRecord {
        id: LinkId::from_text(row.text("id")?),
        kind: row.parsed("kind", LinkKind::parse)?,
        email: row.opt_text("email")?,
        account: row.opt_text("account_id")?.map(AccountId::from_text),
        account_name: row.opt_text("name")?,
        role: match row.opt_text("role")? {
            Some(_) => Some(row.parsed("role", Role::parse)?),
            None => None,
        },
        made_by: row.opt_text("made_by")?.map(UserId::from_text),
        user: row.opt_text("user_id")?.map(UserId::from_text),
        user_generation,
        created_at,
        expires_at,
        used_at,
        alive: used_at.is_none()
            && expires_at > created_at
            && row.opt_i64("generation")? == user_generation,
    })
}
