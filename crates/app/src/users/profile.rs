//! Password, e-mail, language: one's own.

use recado_model::{Error, Language, LinkKind, Result, Secret};

use super::{
    Opened, Users,
    links::{Recipient, SHORT_MS},
    parse_email,
};
use crate::{Person, audit::Detail, mail::letters};

impl Users<'_> {
    pub async fn set_language(&self, person: &Person, language: Language) -> Result<()> {
        let mut conn = self.store().write().await?;
        let user = &person.record().user;
        conn.system().set_user_language(user, language).await?;
        self.app.access.commit(conn).await
    }

    /// Ends every other session and every JWT of the person; this one goes on under a new cookie.
    pub async fn set_password(&self, person: &Person, password: &Secret) -> Result<Opened> {
        let record = person.record();
        let name = self.account_name(person).await?;
        let context = [record.email.as_str(), name.as_str()];
        let hash = self.new_password(password, &context).await?;
        let now = self.now();
        let mut conn = self.store().write().await?;
        conn.system().set_password(&record.user, &hash).await?;
        let renewed = self.renew(&mut conn, person).await?;
        Detail::of(&person.caller)
            .write(&mut conn.account(&record.account), "user.password", now)
            .await?;
        let opened = self.commit_session(conn, renewed).await?;
        let (language, to) = (record.user_language, record.email.as_str());
        self.send(letters::password_changed(language, to, &self.dashboard()));
        Ok(opened)
    }

    /// Sends a link to the new address; nothing changes before it is used.
    pub async fn ask_email(&self, person: &Person, email: &str) -> Result<()> {
        let email = parse_email(email)?;
        let record = person.record();
        if email == record.email {
            return Err(Error::field("email", "That is your address already."));
        }
        self.app.limits.spend_letter(&record.user)?;
        let to = Recipient {
            kind: LinkKind::Email,
            email: &email,
            user: Some((&record.user, record.user_generation)),
        };
        let mut conn = self.store().write().await?;
        let Some(link) = self.link_to(&mut conn, to).await? else {
            // So many letters went there lately that one more would be a nuisance.
            return Err(super::links::too_many_letters());
        };
        // Whether somebody else has it must not show here: that person is told when the link is used.
        Detail::of(&person.caller)
            .with("email", email.as_str())
            .write(
                &mut conn.account(&record.account),
                "user.email_asked",
                self.now(),
            )
            .await?;
        conn.commit().await?;
        let language = record.user_language;
        self.send(letters::email(language, &email, link.expose(), SHORT_MS));
        let (to, dashboard) = (record.email.as_str(), self.dashboard());
        self.send(letters::email_change_asked(language, to, &dashboard));
        Ok(())
    }

    pub(super) async fn account_name(&self, person: &Person) -> Result<String> {
        let mut conn = self.store().read().await?;
        let account = conn.account(&person.caller.account).account().await?;
        Ok(account.map(|account| account.name).unwrap_or_default())
    }
}
