//! Looking at a link, for the page that it opens; it is not used by that.

use recado_model::{LinkKind, Result, Secret};

use super::{
    super::{Users, link_invalid},
    Link, is_live, lookup_of,
};

impl Users<'_> {
    /// 410 for one that is dead.
    pub async fn look(&self, token: &Secret) -> Result<Link> {
        let lookup = lookup_of(token).ok_or_else(link_invalid)?;
        let mut conn = self.store().read().await?;
        let mut people = conn.people();
        let link = people.link(&lookup).await?;
        let link = link.filter(|link| is_live(link, self.now()));
        let link = link.ok_or_else(link_invalid)?;
        let user = match (&link.user, &link.email) {
            (Some(id), _) => people.user(id).await?,
            (None, Some(email)) => people.user_by_email(email).await?,
            (None, None) => None,
        };
        let asks = link.kind != LinkKind::Email;
        Ok(Link {
            kind: link.kind,
            known: user.is_some() && matches!(link.kind, LinkKind::Signup | LinkKind::Invite),
            needs_otp: asks && user.is_some_and(|user| user.has_second_factor),
            email: link.email,
            account_name: link.account_name,
            role: link.role,
            expires_at: link.expires_at,
        })
    }
}
