//! The members of an account, and who was invited.
//!
//! Admins manage all but owners; owners are made and unmade by owners. An account always keeps one.

use recado_model::{Error, ErrorCode, Language, LinkId, Result, Role, Timestamp, UserId};
use recado_store::members::{Invitation, Member, RoleChange};

use crate::{
    Identity, Person, accounts,
    audit::Detail,
    email::parse_email,
    mail::letters,
    users::links::{Invited, too_many_letters},
};

pub struct Members<'a> {
    identity: &'a Identity,
}

/// A member as the others see them.
#[derive(Clone, Debug)]
pub struct MemberView {
    pub user: UserId,
    pub email: String,
    pub role: Role,
    pub second_factor: bool,
    pub created_at: Timestamp,
    /// The one who asks.
    pub you: bool,
}

#[derive(Clone, Debug)]
pub struct InvitationView {
    pub id: LinkId,
    pub email: String,
    pub role: Role,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct MemberList {
    pub members: Vec<MemberView>,
    /// To those who may invite.
    pub invitations: Vec<InvitationView>,
}

impl Identity {
    pub fn members(&self) -> Members<'_> {
        Members { identity: self }
    }
}

impl Members<'_> {
    pub async fn list(&self, person: &Person) -> Result<MemberList> {
        let now = self.identity.core.clock.now();
        let mut conn = self.identity.core.store.read().await?;
        let mut account = conn.account(&person.caller.account);
        let members = account.members().await?;
        let invitations = match person.role >= Role::Admin {
            true => account.invitations(now).await?,
            false => Vec::new(),
        };
        let you = &person.record().user;
        Ok(MemberList {
            members: members
                .into_iter()
                .map(|member| view(member, you))
                .collect(),
            invitations: invitations.into_iter().map(invitation).collect(),
        })
    }

    /// Sends an invitation. One that is open to the same address dies.
    pub async fn invite(
        &self,
        person: &Person,
        email: &str,
        role: Role,
        language: Option<Language>,
    ) -> Result<InvitationView> {
        let email = parse_email(email)?;
        require_over(person, role)?;
        let now = self.identity.core.clock.now();
        let record = person.record();
        self.identity.limits().spend_letter(&record.user)?;
        let mut conn = self.identity.core.store.write().await?;
        let own = self.identity.users().language_of(&mut conn, person).await?;
        let mut account = conn.account(&record.account);
        let members = account.members().await?;
        if members.iter().any(|member| member.email == email) {
            return Err(Error::field("email", "That person is a member already."));
        }
        let name = account.account().await?.map(|account| account.name);
        let invited = Invited {
            email: &email,
            account: &record.account,
            role,
            by: Some(&record.user),
        };
        let made = self.identity.users().invitation(&mut conn, invited).await?;
        let (id, link, expires_at) = made.ok_or_else(too_many_letters)?;
        Detail::of(&person.caller)
            .with("email", email.as_str())
            .with("role", role.as_str())
            .with("invitation", id.as_str())
            .write(&mut conn.account(&record.account), "member.invited", now)
            .await?;
        conn.commit().await?;
        let letter = letters::invite(
            language.unwrap_or(own),
            &letters::Invite {
                to: &email,
                account: name.as_deref().unwrap_or_default(),
                inviter: Some(&record.email),
                role,
                link: link.expose(),
                lasts_ms: expires_at.since(now),
            },
        );
        self.identity.users().send(letter);
        Ok(InvitationView {
            id,
            email,
            role,
            created_at: now,
            expires_at,
        })
    }

    pub async fn withdraw(&self, person: &Person, id: &LinkId) -> Result<()> {
        self.identity.limits().spend_change(&person.record().user)?;
        let now = self.identity.core.clock.now();
        let mut conn = self.identity.core.store.write().await?;
        let mut account = conn.account(&person.caller.account);
        let open = account.invitations(now).await?;
        let open = open.into_iter().find(|open| open.id == *id);
        let Some(open) = open else {
            return Err(Error::new(
                ErrorCode::NotFound,
                "There is no such invitation; it may have been used or have expired.",
            ));
        };
        require_over(person, open.role)?;
        account.withdraw_invitation(id).await?;
        Detail::of(&person.caller)
            .with("email", open.email)
            .with("invitation", id.as_str())
            .write(&mut account, "member.withdrawn", now)
            .await?;
        Ok(conn.commit().await?)
    }

    /// Ends the member's sessions and JWTs: they sign in anew as what they are now. The role that they
    /// have changes nothing.
    pub async fn set_role(&self, person: &Person, user: &UserId, role: Role) -> Result<()> {
        self.identity.limits().spend_change(&person.record().user)?;
        let now = self.identity.core.clock.now();
        let mut conn = self.identity.core.store.write().await?;
        let mut account = conn.account(&person.caller.account);
        // The rows read here must still be so when they are changed: the caller may have lost the role while
        // waiting for their turn.
        account.hold().await?;
        self.require_still(person, account.role_of(&person.record().user).await?)?;
        let member = account.member(user).await?.ok_or_else(no_member)?;
        // Neither may be beyond the one who asks: what they were, nor what they become.
        require_over(person, member.role.max(role))?;
        if member.role == role {
            return Ok(());
        }
        done(account.set_role(user, role).await?)?;
        Detail::of(&person.caller)
            .with("member", user.as_str())
            .with("was", member.role.as_str())
            .with("role", role.as_str())
            .write(&mut account, "member.role", now)
            .await?;
        self.identity.access().commit(conn).await
    }

    /// Ends a membership: an admin another's, anybody their own.
    pub async fn remove(&self, person: &Person, user: &UserId) -> Result<()> {
        self.identity.limits().spend_change(&person.record().user)?;
        let now = self.identity.core.clock.now();
        let mut conn = self.identity.core.store.write().await?;
        let mut account = conn.account(&person.caller.account);
        account.hold().await?;
        self.require_still(person, account.role_of(&person.record().user).await?)?;
        let member = account.member(user).await?.ok_or_else(no_member)?;
        if member.user != person.record().user {
            self.identity
                .access()
                .require_role(&person.caller, Role::Admin)?;
            require_over(person, member.role)?;
        }
        done(account.remove_member(user).await?)?;
        Detail::of(&person.caller)
            .with("member", user.as_str())
            .with("email", member.email)
            .write(&mut account, "member.removed", now)
            .await?;
        self.identity.access().commit(conn).await
    }

    fn require_still(&self, person: &Person, now: Option<Role>) -> Result<()> {
        match now == Some(person.role) {
            true => Ok(()),
            false => Err(Error::new(
                ErrorCode::Conflict,
                "Your own role was changed in this moment. Sign in again.",
            )),
        }
    }

    /// The account's name, and the language of its assistant's answers.
    pub async fn change_account(
        &self,
        person: &Person,
        name: Option<&str>,
        language: Option<Language>,
    ) -> Result<()> {
        let name = name
            .map(|name| accounts::check_name("name", name))
            .transpose()?;
        self.identity.limits().spend_change(&person.record().user)?;
        let now = self.identity.core.clock.now();
        let mut conn = self.identity.core.store.write().await?;
        let mut account = conn.account(&person.caller.account);
        let is = account.account().await?.ok_or_else(Error::forbidden)?;
        // Only what becomes different.
        let name = name.filter(|name| *name != is.name);
        let language = language.filter(|language| language.as_str() != is.language);
        if name.is_none() && language.is_none() {
            return Ok(());
        }
        if let Some(name) = &name {
            account.rename(name).await?;
        }
        if let Some(language) = language {
            account.set_language(language).await?;
        }
        Detail::of(&person.caller)
            .with("name", name)
            .with("language", language.map(Language::as_str))
            .write(&mut account, "account.changed", now)
            .await?;
        self.identity.access().commit(conn).await
    }
}

/// Owners are the business of owners.
fn require_over(person: &Person, role: Role) -> Result<()> {
    match role <= person.role.max(Role::Admin) && (role < Role::Owner || person.role == Role::Owner)
    {
        true => Ok(()),
        false => Err(Error::new(
            ErrorCode::RoleTooLow,
            "Only an owner makes or unmakes owners.",
        )),
    }
}

fn done(change: RoleChange) -> Result<()> {
    match change {
        RoleChange::Done => Ok(()),
        RoleChange::NoMember => Err(no_member()),
        RoleChange::LastOwner => Err(Error::new(
            ErrorCode::Conflict,
            "This is the last owner of the account. Make somebody else an owner first.",
        )),
    }
}

fn no_member() -> Error {
    Error::new(
        ErrorCode::NotFound,
        "There is no such member; they may have left already.",
    )
}

fn view(member: Member, you: &UserId) -> MemberView {
    MemberView {
        you: member.user == *you,
        user: member.user,
        email: member.email,
        role: member.role,
        second_factor: member.has_second_factor,
        created_at: member.created_at,
    }
}

fn invitation(row: Invitation) -> InvitationView {
    InvitationView {
        id: row.id,
        email: row.email,
        role: row.role,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}
