//! Password, e-mail, language: one's own.

use recado_model::{Error, Language, LinkKind, Result, Secret};

use super::{
    Opened, Users,
    links::{Recipient, SHORT_MS},
};
use crate::{Person, audit::Detail, email::parse_email, mail::letters};

impl Users<'_> {
    pub async fn set_language(&self, person: &Person, language: Language) -> Result<()> {
        let user = &person.record().user;
        self.identity.limits().spend_change(user)?;
        let mut conn = self.store().write().await?;
        if self.language_of(&mut conn, person).await? == language {
            return Ok(());
        }
        conn.people().set_user_language(user, language).await?;
        // Nothing in memory depends on it.
        Ok(conn.commit().await?)
    }

    /// Ends every other session and every JWT of the person; this one goes on under a new cookie.
    pub async fn set_password(&self, person: &Person, password: &Secret) -> Result<Opened> {
        let record = person.record();
        self.identity.limits().spend_change(&record.user)?;
        let name = self.account_name(person).await?;
        let context = [record.email.as_str(), name.as_str()];
        let _share = self.people().shares.enter(person.caller.from)?;
        let hash = self.new_password(password, &context).await?;
        let mut conn = self.store().write().await?;
        let language = self.language_of(&mut conn, person).await?;
        conn.people().set_password(&record.user, &hash).await?;
        let renewed = self.renew(&mut conn, person).await?;
        self.log_everywhere(&mut conn, person, "user.password")
            .await?;
        let opened = self.commit_renewed(conn, renewed).await?;
        let to = record.email.as_str();
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
        self.identity.limits().spend_letter(&record.user)?;
        let to = Recipient {
            kind: LinkKind::Email,
            email: &email,
            user: Some((&record.user, record.user_generation)),
        };
        let mut conn = self.store().write().await?;
        let language = self.language_of(&mut conn, person).await?;
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
