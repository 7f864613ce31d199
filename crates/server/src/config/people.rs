//! Settings about people: who may come in, the letters to them, and whether they are people.

use std::{path::Path, thread::available_parallelism};

use anyhow::{Context, Result, anyhow, bail, ensure};
use axum::http::Uri;
use recado_identity::{Signup, UsersConfig, mail::MailConfig, turnstile::TurnstileConfig};
use recado_model::Secret;

use super::Settings;

/// More would only take memory from each other.
const THREADS_MAX: usize = 64;

impl Settings {
    /// All of it, checked. `public_url` names the host that people see.
    pub fn users(&self, public_url: &str) -> Result<UsersConfig> {
        let users = &self.users;
        let signup = match users.signup.as_str() {
            "closed" => Signup::Closed,
            "invite" => Signup::Invite,
            "open" => Signup::Open,
            other => bail!("users.signup must be closed, invite or open, not {other:?}"),
        };
        ensure!(
            (10..=10_080).contains(&users.invitation_minutes),
            "users.invitation_minutes must be from 10 to 10080 (a week)"
        );
        ensure!(
            users.password_threads <= THREADS_MAX,
            "users.password_threads must be from 1 to {THREADS_MAX}, or 0 for half the cores"
        );
        ensure!(
            (1..=1_000_000).contains(&self.limits.failed_logins_per_user),
            "limits.failed_logins_per_user must be from 1 to 1000000: so many may fail in a minute from one network"
        );
        let blocklist = Some(&users.password_blocklist_file).filter(|file| !file.is_empty());
        if let Some(file) = blocklist {
            // Opened, not only looked for: without the right to read it the list would not count.
            std::fs::File::open(file).with_context(|| {
                format!("users.password_blocklist_file: cannot read {file}: name a text file with one password a line, or leave it empty")
            })?;
        }
        let threads = match users.password_threads {
            0 => available_parallelism().map_or(1, |cores| cores.get() / 2),
            threads => threads,
        };
        Ok(UsersConfig {
            signup,
            invitation_ms: users.invitation_minutes * 60_000,
            blocklist: blocklist.map(Into::into),
            password_threads: threads.clamp(1, THREADS_MAX),
            mail: self.mail()?,
            turnstile: self.turnstile(public_url)?,
        })
    }

    fn mail(&self) -> Result<MailConfig> {
        let (text, file) = (&self.mail.url, &self.mail.url_file);
        let url = secret_or_file("mail.url", text, file.as_deref())?;
        let mail = match url.expose().is_empty() {
            true => MailConfig::Files {
                dir: self.data_dir.join("mail"),
            },
            false => MailConfig::Smtp {
                url,
                from: self.mail.from.clone(),
            },
        };
        mail.check().map_err(|why| anyhow!(why))?;
        Ok(mail)
    }

    fn turnstile(&self, public_url: &str) -> Result<Option<TurnstileConfig>> {
        let own = &self.turnstile;
        let secret = secret_or_file("turnstile.secret", &own.secret, own.secret_file.as_deref())?;
        if own.site_key.is_empty() && secret.expose().is_empty() {
            return Ok(None);
        }
        let hostname = match own.hostname.as_str() {
            "" => {
                let uri: Option<Uri> = public_url.parse().ok();
                let host = uri.as_ref().and_then(Uri::host);
                host.unwrap_or_default().to_owned()
            }
            name => name.to_owned(),
        };
        let turnstile = TurnstileConfig {
            site_key: own.site_key.clone(),
            secret,
            url: own.url.clone(),
            hostname,
        };
        // The sandbox reaches loopback only: there is nobody to keep out.
        let dummies = cfg!(feature = "sandbox");
        turnstile.check(dummies).map_err(|why| anyhow!(why))?;
        Ok(Some(turnstile))
    }
}

/// The secret `name` from its file where one is named.
pub(super) fn secret_or_file(name: &str, text: &Secret, file: Option<&Path>) -> Result<Secret> {
    let Some(file) = file else {
        return Ok(text.clone());
    };
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read {name}_file {}", file.display()))?;
    Ok(Secret::new(text.trim()))
}
