//! Using a link up: what every kind needs, and the way to its own.

use recado_model::{Error, LinkKind, Result};
use recado_store::Conn;

use super::{
    super::{Users, link_invalid},
    Use, Used, is_live, lookup_of,
};
use crate::accounts;

impl Users<'_> {
    /// Does what the link is for. Whatever is missing or wrong leaves it as it is.
    pub async fn use_link(&self, used: Use) -> Result<Used> {
        let lookup = lookup_of(&used.token).ok_or_else(link_invalid)?;
        let found = {
            let mut conn = self.store().read().await?;
            conn.people().link(&lookup).await?
        };
        let link = found.filter(|link| is_live(link, self.now()));
        let link = link.ok_or_else(link_invalid)?;
        let _share = self.people().shares.enter(used.browser.from)?;
        match link.kind {
            LinkKind::Setup => self.set_up(&lookup, used).await.map(Used::SignedIn),
            LinkKind::Signup => self.sign_up(&lookup, &link, used).await.map(Used::SignedIn),
            LinkKind::Invite => self.join(&lookup, &link, used).await.map(Used::SignedIn),
            LinkKind::Reset => self.reset(&lookup, &link, used).await.map(|()| Used::Done),
            LinkKind::Email => self
                .move_to(&lookup, &link, used.browser.from)
                .await
                .map(|()| Used::Done),
        }
    }

    /// Of two who use it at once, one does.
    pub(super) async fn consume(&self, conn: &mut Conn, lookup: &[u8; 32]) -> Result<()> {
        let used = conn.people().use_link(lookup, self.now()).await?;
        used.map(|_| ()).ok_or_else(link_invalid)
    }

    pub(super) async fn chosen(&self, used: &Use, context: &[&str]) -> Result<String> {
        let password = used.password.as_ref().ok_or_else(|| required("password"))?;
        self.new_password(password, context).await
    }
}

pub(super) fn account_name(used: &Use) -> Result<String> {
    let name = used.account_name.as_deref();
    accounts::check_name(
        "account_name",
        name.ok_or_else(|| required("account_name"))?,
    )
}

pub(super) fn required(field: &'static str) -> Error {
    Error::field(field, format!("{field} is required"))
}
