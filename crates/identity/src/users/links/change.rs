//! Links that change what a user signs in with, and sign nobody in: reset, new e-mail.

use std::net::IpAddr;

use recado_model::{Error, ErrorCode, Result, UserId};
use recado_store::{Conn, StoreError, people::links::LinkRecord};

use super::{
    super::{Users, link_invalid, login::Count},
    Use,
};
use crate::{audit::Detail, mail::letters};

impl Users<'_> {
    /// A new password. It ends every session and JWT, and does not sign in: the second factor is asked
    /// for here, and again there.
    pub(super) async fn reset(
        &self,
        lookup: &[u8; 32],
        link: &LinkRecord,
        used: Use,
    ) -> Result<()> {
        let id = link.user.as_ref().ok_or_else(link_invalid)?;
        let from = used.browser.from;
        let (user, accounts) = {
            let mut conn = self.store().read().await?;
            let user = conn.people().user(id).await?.ok_or_else(link_invalid)?;
            (user, conn.people().memberships_of(id).await?)
        };
        // Only a code can be guessed here: who holds the link is locked out by nobody else's failures.
        self.identity.limits().begin_proof(id)?;
        let names = accounts.iter().map(|account| account.account_name.as_str());
        let context: Vec<&str> = std::iter::once(user.email.as_str()).chain(names).collect();
        let hash = self.chosen(&used, &context).await?;
        let otp = used.otp.as_ref();
        self.require_second_factor(&user, otp, Count::Person(id), from)
            .await?;
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        conn.people().set_password(&user.id, &hash).await?;
        self.tell_accounts(&mut conn, &user.id, "user.password", from)
            .await?;
        self.identity.access().commit(conn).await?;
        self.identity.limits().proof_held(id);
        self.identity.limits().login_held(from, &user.email);
        let letter = letters::password_changed(user.language, &user.email, &self.dashboard());
        self.send(letter);
        Ok(())
    }

    pub(super) async fn move_to(
        &self,
        lookup: &[u8; 32],
        link: &LinkRecord,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let (Some(id), Some(email)) = (&link.user, &link.email) else {
            return Err(link_invalid());
        };
        let mut conn = self.store().write().await?;
        self.consume(&mut conn, lookup).await?;
        let old = conn.people().user(id).await?.ok_or_else(link_invalid)?;
        let moved = match conn.people().set_email(id, email).await {
            // Somebody took it in this moment.
            Err(StoreError::Unique { .. }) => false,
            moved => moved?,
        };
        if !moved {
            return Err(Error::new(
                ErrorCode::Conflict,
                "Another user has this address already. Sign in as that user, or choose another address.",
            ));
        }
        self.tell_accounts(&mut conn, id, "user.email", from)
            .await?;
        self.identity.access().commit(conn).await?;
        let letter = letters::email_changed(old.language, &old.email, &self.dashboard());
        self.send(letter);
        Ok(())
    }

    /// A row in the log of each account of a person.
    pub(in crate::users) async fn tell_accounts(
        &self,
        conn: &mut Conn,
        user: &UserId,
        kind: &str,
        from: Option<IpAddr>,
    ) -> Result<()> {
        for membership in conn.people().memberships_of(user).await? {
            Detail::of_user(user, "link", from)
                .write(&mut conn.account(&membership.account), kind, self.now())
                .await?;
        }
        Ok(())
    }
}
