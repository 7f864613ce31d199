//! The second factor: TOTP and recovery codes.

use recado_model::{Error, ErrorCode, Result, Secret};

use super::{Opened, Users, code::Code, recovery, sessions::gone, totp};
use crate::{Person, audit::Detail, mail::letters::{self, SecondFactor}};

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
        let seed = totp::Seed::random(self.rng());
        let mut conn = self.store().write().await?;
        conn.system()
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
        self.require_calm(&record.email, person.caller.from).await?;
        let (codes, lookups) = recovery::generate(self.rng());
        let mut conn = self.store().write().await?;
        let mut system = conn.system();
        let Some(seed) = system.pending_totp(&record.user).await? else {
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
            let user = Some(record.user.clone());
            self.failed(&record.email, user, "wrong_code", person.caller.from);
            return Err(wrong_code());
        };
        let seed = seed.as_bytes();
        let confirmed = system.confirm_totp(&record.user, seed, step, &lookups);
        if confirmed.await?.is_none() {
            return Err(Error::new(
                ErrorCode::Conflict,
                "Another second factor was begun meanwhile. Begin again.",
            ));
        }
        let renewed = self.renew(&mut conn, person).await?;
        Detail::of(&person.caller)
            .write(
                &mut conn.account(&record.account),
                "user.second_factor_on",
                now,
            )
            .await?;
        let opened = self.commit_session(conn, renewed).await?;
        self.tell(person, SecondFactor::On);
        Ok((opened, codes))
    }

    pub async fn remove_second_factor(&self, person: &Person) -> Result<Opened> {
        let record = person.record();
        if !record.has_second_factor {
            return Err(none());
        }
        let mut conn = self.store().write().await?;
        conn.system().remove_totp(&record.user).await?;
        let renewed = self.renew(&mut conn, person).await?;
        Detail::of(&person.caller)
            .write(
                &mut conn.account(&record.account),
                "user.second_factor_off",
                self.now(),
            )
            .await?;
        let opened = self.commit_session(conn, renewed).await?;
        self.tell(person, SecondFactor::Off);
        Ok(opened)
    }

    /// New recovery codes; the old ones are worth nothing from now on.
    pub async fn new_recovery_codes(&self, person: &Person) -> Result<Vec<Secret>> {
        let record = person.record();
        let (codes, lookups) = recovery::generate(self.rng());
        let mut conn = self.store().write().await?;
        let mut system = conn.system();
        // As it is now: somebody may have turned it off in another window.
        let user = system.user(&record.user).await?.ok_or_else(gone)?;
        if !user.has_second_factor {
            return Err(none());
        }
        system.set_recovery_codes(&record.user, &lookups).await?;
        Detail::of(&person.caller)
            .write(
                &mut conn.account(&record.account),
                "user.recovery_codes",
                self.now(),
            )
            .await?;
        conn.commit().await?;
        Ok(codes)
    }

    fn tell(&self, person: &Person, change: SecondFactor) {
        let record = person.record();
        let (language, to) = (record.user_language, record.email.as_str());
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
