//! Making links: with a token of its own each, and not too many to one address.

use recado_model::{
    AccountId, Error, ErrorCode, LinkId, LinkKind, Result, Role, Secret, Timestamp, UserId,
};
use recado_store::{Conn, people::links::NewLink};

use super::{super::Users, MINUTE_MS, SHORT_MS, new_token};

/// Letters of one kind to one address within an hour.
const LETTERS: i64 = 5;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Whom a link is for.
pub(crate) struct Recipient<'a> {
    pub kind: LinkKind,
    pub email: &'a str,
    /// Of reset and e-mail.
    pub user: Option<(&'a UserId, i64)>,
}

/// Where an invitation leads.
pub(crate) struct Invited<'a> {
    pub email: &'a str,
    pub account: &'a AccountId,
    pub role: Role,
    pub by: Option<&'a UserId>,
}

impl Users<'_> {
    /// Whether nobody has set this gateway up yet.
    pub async fn setup_needed(&self) -> Result<bool> {
        Ok(!self.store().read().await?.people().any_user().await?)
    }

    /// A link to an address; an older one of that kind dies. `None` when too many went there lately. The
    /// caller commits.
    pub(in crate::users) async fn link_to(
        &self,
        conn: &mut Conn,
        to: Recipient<'_>,
    ) -> Result<Option<Secret>> {
        let now = self.now();
        let mut people = conn.people();
        let since = now.plus_millis(-HOUR_MS);
        people.take_turn().await?;
        if people.count_links_since(to.kind, to.email, since).await? >= LETTERS {
            return Ok(None);
        }
        let (address, lookup) = self.new_token();
        let new = NewLink {
            id: LinkId::random(self.rng()),
            kind: to.kind,
            lookup,
            email: Some(to.email.to_owned()),
            account: None,
            role: None,
            made_by: None,
            user: to.user.map(|(user, generation)| (user.clone(), generation)),
            expires_at: now.plus_millis(SHORT_MS),
        };
        people.make_link(&new, now).await?;
        Ok(Some(address))
    }

    /// An invitation; `None` when too many went there lately. The caller commits.
    pub(crate) async fn invitation(
        &self,
        conn: &mut Conn,
        invited: Invited<'_>,
    ) -> Result<Option<(LinkId, Secret, Timestamp)>> {
        let now = self.now();
        let mut people = conn.people();
        let since = now.plus_millis(-HOUR_MS);
        people.take_turn().await?;
        let count = people.count_links_since(LinkKind::Invite, invited.email, since);
        if count.await? >= LETTERS {
            return Ok(None);
        }
        let (address, lookup) = self.new_token();
        let id = LinkId::random(self.rng());
        let expires_at = now.plus_millis(self.config().invitation_ms);
        let new = NewLink {
            id: id.clone(),
            kind: LinkKind::Invite,
            lookup,
            email: Some(invited.email.to_owned()),
            account: Some(invited.account.clone()),
            role: Some(invited.role),
            made_by: invited.by.cloned(),
            user: None,
            expires_at,
        };
        people.make_link(&new, now).await?;
        Ok(Some((id, address, expires_at)))
    }

    fn new_token(&self) -> (Secret, [u8; 32]) {
        new_token(self.rng(), &self.identity.core.config.public_url)
    }
}

pub(crate) fn too_many_letters() -> Error {
    Error::new(
        ErrorCode::RateLimited,
        "Several letters went to that address within the hour. Try again later.",
    )
    .with_retry_after(3600)
}
