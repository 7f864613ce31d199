//! The members of one account, who is invited, and what the account is called.
//!
//! No change leaves an account without an owner, also when several are made at once: each waits for
//! its turn on the account's row.

use recado_model::{Language, LinkId, Role, Timestamp, UserId};

use crate::{
    accounts::AccountStore,
    error::Result,
    people::users::raise_user_generation,
    sql::{Row, sql},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    pub user: UserId,
    pub email: String,
    pub role: Role,
    pub has_second_factor: bool,
    /// Since when.
    pub created_at: Timestamp,
}

/// The outcome of changing or removing a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleChange {
    Done,
    NoMember,
    /// Nothing happened: somebody else must be an owner first.
    LastOwner,
}

/// Somebody who was invited and has not come yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    pub id: LinkId,
    pub email: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The columns of a [`Member`].
macro_rules! select {
    () => {
        "SELECT m.user_id, m.role, m.created_at, u.email, \
         CAST(CASE WHEN u.totp IS NULL THEN 0 ELSE 1 END AS BIGINT) AS second_factor \
         FROM membership m JOIN app_user u ON u.id = m.user_id WHERE m.account_id = $1"
    };
}

impl AccountStore<'_> {
    /// By e-mail.
    pub async fn members(&mut self) -> Result<Vec<Member>> {
        let rows = sql(concat!(select!(), " ORDER BY u.email"))
            .bind(&self.id)
            .fetch_all(self.conn)
            .await?;
        rows.iter().map(member).collect()
    }

    pub async fn member(&mut self, user: &UserId) -> Result<Option<Member>> {
        let row = sql(concat!(select!(), " AND m.user_id = $2"))
            .bind(&self.id)
            .bind(user)
            .fetch_optional(self.conn)
            .await?;
        row.as_ref().map(member).transpose()
    }

    /// The role of a user in this account; `None` for one who is no member.
    pub async fn role_of(&mut self, user: &UserId) -> Result<Option<Role>> {
        sql("SELECT role FROM membership WHERE account_id = $1 AND user_id = $2")
            .bind(&self.id)
            .bind(user)
            .fetch_optional(self.conn)
            .await?
            .map(|row| row.parsed("role", Role::parse))
            .transpose()
    }

    /// Gives a member another role. All sessions and JWTs of that user end, in every account; with a
    /// lower role the invitations go that they have out. Nothing ends for the role that they have.
    pub async fn set_role(&mut self, user: &UserId, role: Role) -> Result<RoleChange> {
        let had = match self.changeable(user, Some(role)).await? {
            Ok(had) => had,
            Err(refused) => return Ok(refused),
        };
        if had == role {
            return Ok(RoleChange::Done);
        }
        // The user first, as everywhere (see `people::users`).
        raise_user_generation(self.conn, user).await?;
        sql("UPDATE membership SET role = $3 WHERE account_id = $1 AND user_id = $2")
            .bind(&self.id)
            .bind(user)
            .bind(role.as_str())
            .execute(self.conn)
            .await?;
        if role < had {
            self.withdraw_invitations_of(user).await?;
        }
        Ok(RoleChange::Done)
    }

    /// Ends a membership. All sessions and JWTs of that user end, in every account; the invitations
    /// go that they have out in this one.
    pub async fn remove_member(&mut self, user: &UserId) -> Result<RoleChange> {
        if let Err(refused) = self.changeable(user, None).await? {
            return Ok(refused);
        }
        raise_user_generation(self.conn, user).await?;
        sql("DELETE FROM membership WHERE account_id = $1 AND user_id = $2")
            .bind(&self.id)
            .bind(user)
            .execute(self.conn)
            .await?;
        self.withdraw_invitations_of(user).await?;
        Ok(RoleChange::Done)
    }

    /// The role that a member has who may become `to` (`None`: no member), held until the transaction
    /// ends; or why not.
    async fn changeable(
        &mut self,
        user: &UserId,
        to: Option<Role>,
    ) -> Result<std::result::Result<Role, RoleChange>> {
        self.hold().await?;
        let Some(had) = self.role_of(user).await? else {
            return Ok(Err(RoleChange::NoMember));
        };
        if had == Role::Owner && to != Some(Role::Owner) {
            let others = sql(
                "SELECT COUNT(*) AS n FROM membership WHERE account_id = $1 AND role = 'owner' AND user_id <> $2",
            )
            .bind(&self.id)
            .bind(user)
            .fetch_one(self.conn)
            .await?
            .i64("n")?;
            if others == 0 {
                return Ok(Err(RoleChange::LastOwner));
            }
        }
        Ok(Ok(had))
    }

    /// Invitations that still hold, oldest first.
    pub async fn invitations(&mut self, now: Timestamp) -> Result<Vec<Invitation>> {
        let rows = sql(
            "SELECT id, email, role, created_at, expires_at FROM user_link \
             WHERE account_id = $1 AND kind = 'invite' AND used_at IS NULL AND expires_at > $2 AND expires_at > created_at \
             ORDER BY created_at, id",
        )
        .bind(&self.id)
        .bind(now)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Invitation {
                    id: LinkId::from_text(row.text("id")?),
                    email: row.text("email")?,
                    role: row.parsed("role", Role::parse)?,
                    created_at: row.time("created_at")?,
                    expires_at: row.time("expires_at")?,
                })
            })
            .collect()
    }

    /// Ends an invitation. `false` when there is none with that id, or it was used or withdrawn.
    pub async fn withdraw_invitation(&mut self, id: &LinkId) -> Result<bool> {
        let changed = sql("UPDATE user_link SET expires_at = created_at \
             WHERE account_id = $1 AND id = $2 AND kind = 'invite' AND used_at IS NULL AND expires_at > created_at")
        .bind(&self.id)
        .bind(id)
        .execute(self.conn)
        .await?;
        Ok(changed > 0)
    }

    /// A member who is shown out must not come back by a letter to another address of theirs.
    async fn withdraw_invitations_of(&mut self, user: &UserId) -> Result<()> {
        sql("UPDATE user_link SET expires_at = created_at \
             WHERE account_id = $1 AND made_by = $2 AND kind = 'invite' AND used_at IS NULL")
        .bind(&self.id)
        .bind(user)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    /// Names the account. `false` when it was deleted.
    pub async fn rename(&mut self, name: &str) -> Result<bool> {
        let changed = sql("UPDATE account SET name = $2 WHERE id = $1")
            .bind(&self.id)
            .bind(name)
            .execute(self.conn)
            .await?;
        Ok(changed > 0)
    }

    /// The language of what the account's letters and assistants say. `false` when it was deleted.
    pub async fn set_language(&mut self, language: Language) -> Result<bool> {
        let changed = sql("UPDATE account SET language = $2 WHERE id = $1")
            .bind(&self.id)
            .bind(language.as_str())
            .execute(self.conn)
            .await?;
        Ok(changed > 0)
    }
}

fn member(row: &Row) -> Result<Member> {
    Ok(Member {
        user: UserId::from_text(row.text("user_id")?),
        email: row.text("email")?,
        role: row.parsed("role", Role::parse)?,
        has_second_factor: row.bool("second_factor")?,
        created_at: row.time("created_at")?,
    })
}
