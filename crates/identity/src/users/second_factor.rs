//! The second factor: TOTP and recovery codes.

use recado_model::{Error, ErrorCode, Language, Result, Secret};

use super::{Opened, Users, code::Code, gone, login::Count, recovery, totp};
use crate::{
    Person,
    mail::letters::{self, SecondFactor},
};

/// A seed that was made and not confirmed yet.
pub struct Begun {
    pub secret: Secret,
    pub otpauth_url: Secret,
}

impl Users<'_> {
    /// A seed for an authenticator. It counts once a code of it was sent back.
    pub async fn begin_second_factor(&self, person: &Person) -> Result<Begun> {
        let record = person.record();
        if record.has_second_factor {
            return Err(Error::new(
                ErrorCode::Conflict,
                "You have a second factor already. Turn it off first.",
            ));
        }
        self.identity.limits().spend_change(&record.user)?;
        let seed = totp::Seed::random(self.rng());
        let mut conn = self.store().write().await?;
        conn.people()
            .begin_totp(&record.user, seed.as_bytes())
            .await?;
        conn.commit().await?;
        Ok(Begun {
            secret: seed.base32(),
            otpauth_url: seed.otpauth_url("Recado", &record.email),
        })
    }

    /// Turns it on; the recovery codes are shown this once. Ends every other session.
    pub async fn confirm_second_factor(
        &self,
        person: &Person,
        otp: &Secret,
    ) -> Result<(Opened, Vec<Secret>)> {
        let record = person.record();
        let now = self.now();
        self.identity.limits().spend_change(&record.user)?;
        self.identity.limits().begin_proof(&record.user)?;
        let (codes, lookups) = recovery::generate(self.rng());
        let mut conn = self.store().write().await?;
        let mut people = conn.people();
        let Some(seed) = people.pending_totp(&record.user).await? else {
            return Err(Error::new(
                ErrorCode::Conflict,
                "There is no second factor to confirm. Begin again.",
            ));
        };
        let Code::Totp(code) = Code::parse(otp.expose()) else {
            return Err(wrong_code());
        };
        let seed = totp::Seed::from_bytes(&seed);
        let Some(step) = totp::matching_step(&seed, &code, now, i64::MIN) else {
            let (user, count) = (record.user.clone(), Count::Person(&record.user));
            self.failed(count, Some(user), "wrong_code", person.caller.from);
            return Err(wrong_code());
        };
        let seed = seed.as_bytes();
        let confirmed = people.confirm_totp(&record.user, seed, step, &lookups);
        if confirmed.await?.is_none() {
            return Err(Error::new(
                ErrorCode::Conflict,
                "Another second factor was begun meanwhile. Begin again.",
            ));
        }
        let renewed = self.renew(&mut conn, person).await?;
        let language = self.language_of(&mut conn, person).await?;
        self.log_everywhere(&mut conn, person, "user.second_factor_on")
            .await?;
        let opened = self.commit_renewed(conn, renewed).await?;
        self.tell(person, language, SecondFactor::On);
        Ok((opened, codes))
    }

    pub async fn remove_second_factor(&self, person: &Person) -> Result<Opened> {
        let record = person.record();
        if !record.has_second_factor {
            return Err(none());
        }
        self.identity.limits().spend_change(&record.user)?;
        let mut conn = self.store().write().await?;
        conn.people().remove_totp(&record.user).await?;
        let renewed = self.renew(&mut conn, person).await?;
        let language = self.language_of(&mut conn, person).await?;
        self.log_everywhere(&mut conn, person, "user.second_factor_off")
            .await?;
        let opened = self.commit_renewed(conn, renewed).await?;
        self.tell(person, language, SecondFactor::Off);
        Ok(opened)
    }

    /// New recovery codes; the old ones are worth nothing from now on.
    pub async fn new_recovery_codes(&self, person: &Person) -> Result<Vec<Secret>> {
        let record = person.record();
        self.identity.limits().spend_change(&record.user)?;
        let (codes, lookups) = recovery::generate(self.rng());
        let mut conn = self.store().write().await?;
        let mut people = conn.people();
        // As it is now: somebody may have turned it off in another window.
        let user = people.user(&record.user).await?.ok_or_else(gone)?;
        if !user.has_second_factor {
            return Err(none());
        }
        people.set_recovery_codes(&record.user, &lookups).await?;
        self.log_everywhere(&mut conn, person, "user.recovery_codes")
            .await?;
        conn.commit().await?;
        self.tell(person, user.language, SecondFactor::RecoveryCodes);
        Ok(codes)
    }

    fn tell(&self, person: &Person, language: Language, change: SecondFactor) {
        let to = person.record().email.as_str();
        let letter = letters::second_factor_changed(language, to, change, &self.dashboard());
        self.send(letter);
    }
}

fn wrong_code() -> Error {
    Error::new(
        ErrorCode::OtpInvalid,
        "That code does not hold. Check that the clock of your phone is right, and type the code that it shows now.",
    )
    .with_field("otp")
}

fn none() -> Error {
    Error::new(
        ErrorCode::Conflict,
        "You have no second factor. Turn it on first.",
    )
}
