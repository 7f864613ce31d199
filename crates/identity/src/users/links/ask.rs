//! The two open forms, "forgot password" and signing up: letters to whoever the address belongs to.

use std::net::IpAddr;

use recado_model::{Error, ErrorCode, Language, LinkKind, Result};

use super::{super::Users, Recipient, SHORT_MS};
use crate::{config::Signup, email::parse_email, faults, mail::letters};

impl Users<'_> {
    /// "Forgot password". The answer is the same at the same time whoever asks about whom; what is to
    /// be done is done afterwards.
    pub async fn ask_reset(
        &self,
        email: &str,
        turnstile_token: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<()> {
        let email = self.may_ask(email, turnstile_token, from, "reset").await?;
        let identity = self.identity.clone();
        tokio::spawn(async move {
            let users = identity.users();
            let sent = users.send_reset(&email).await;
            log_failure(sent, "a reset");
        });
        Ok(())
    }

    async fn send_reset(&self, email: &str) -> Result<()> {
        let mut conn = self.store().write().await?;
        let Some(user) = conn.people().user_by_email(email).await? else {
            return Ok(());
        };
        let to = Recipient {
            kind: LinkKind::Reset,
            email: &user.email,
            user: Some((&user.id, user.generation)),
        };
        let Some(link) = self.link_to(&mut conn, to).await? else {
            return Ok(());
        };
        conn.commit().await?;
        let link = link.expose();
        self.send(letters::reset(user.language, &user.email, link, SHORT_MS));
        Ok(())
    }

    /// Signing up, where it is open: a letter to the address. As [`Users::ask_reset`].
    pub async fn ask_sign_up(
        &self,
        email: &str,
        language: Language,
        turnstile_token: Option<&str>,
        from: Option<IpAddr>,
    ) -> Result<()> {
        if self.config().signup != Signup::Open {
            return Err(Error::new(
                ErrorCode::SignupClosed,
                "Nobody can sign up here by themselves. Ask the operator for an account, or an owner of one to invite you.",
            ));
        }
        let email = self.may_ask(email, turnstile_token, from, "signup").await?;
        let identity = self.identity.clone();
        tokio::spawn(async move {
            let sent = identity.users().send_sign_up(&email, language).await;
            log_failure(sent, "a sign-up");
        });
        Ok(())
    }

    pub(in crate::users) async fn send_sign_up(
        &self,
        email: &str,
        language: Language,
    ) -> Result<bool> {
        let mut conn = self.store().write().await?;
        let known = conn.people().user_by_email(email).await?;
        let to = Recipient {
            kind: LinkKind::Signup,
            email,
            user: None,
        };
        // For who is known, too, although nobody gets it: letters are counted by their links.
        let Some(link) = self.link_to(&mut conn, to).await? else {
            return Ok(false);
        };
        conn.commit().await?;
        self.send(match known {
            // They get to know that they are known; whoever typed the address does not.
            Some(user) => letters::signup_known(user.language, email, &self.dashboard()),
            None => letters::signup(language, email, link.expose(), SHORT_MS),
        });
        Ok(true)
    }

    /// Limits and the person check of the two open forms; the address as it is kept.
    async fn may_ask(
        &self,
        email: &str,
        turnstile_token: Option<&str>,
        from: Option<IpAddr>,
        action: &str,
    ) -> Result<String> {
        let email = parse_email(email)?;
        // Before anybody is looked up: a full outbox is told to everybody alike.
        self.people().outbox.check_room()?;
        // By network only: that somebody asks again and again about an address must not keep its owner
        // from asking. How many letters go there is counted with its links.
        self.identity.limits().spend_asking(from)?;
        let _share = self.people().shares.enter(from)?;
        self.people()
            .human
            .check(turnstile_token, from, action)
            .await?;
        Ok(email)
    }
}

fn log_failure<T>(done: Result<T>, what: &str) {
    if let Err(error) = done {
        faults::warn(&error, &format!("could not prepare the letter of {what}"));
    }
}
