//! Weak points in how people come in.

use anyhow::Result;
use axum::http::Uri;
use recado_identity::{Signup, mail::MailConfig};
use recado_store::Store;

use super::{Report, private};
use crate::config::Settings;

/// The findings that need the settings alone.
pub fn settings(report: &mut Report, settings: &Settings) -> Result<()> {
    let url = settings.public_url();
    if !keeps_cookies(&url) {
        report.weak(&format!(
            "nobody can sign in: browsers keep the session cookie over HTTPS or on this machine only, and public_url is {url}. Put a TLS proxy in front and set its https:// address"
        ));
    }
    let users = settings.users(&url)?;
    match &users.mail {
        MailConfig::Smtp { .. } => report.fine("letters go to a mail server"),
        MailConfig::Files { dir } => {
            report.weak(&format!(
                "mail.url is empty: invitations and links for a new password are files in {}, and reach nobody unless you pass them on. Name a mail server",
                dir.display()
            ));
            if dir.exists() {
                private(report, "the mail folder", dir, 0o077);
            }
        }
    }
    if users.signup == Signup::Open && users.turnstile.is_none() {
        report.weak(
            "users.signup is open and nobody is asked to prove that they are a person: programs can make accounts and have letters sent. Set turnstile.site_key and turnstile.secret",
        );
    }
    Ok(())
}

/// The findings that need the database.
pub async fn kept(report: &mut Report, store: &Store) -> Result<()> {
    let users = store.read().await?.people().users().await?;
    if users.is_empty() {
        report.weak(
            "nobody has signed up yet: whoever opens the link of the first start owns this gateway. Open it, or run `recado account create`",
        );
    }
    let bare = users
        .iter()
        .filter(|user| user.operator && !user.second_factor)
        .count();
    if bare > 0 {
        report.weak(&format!(
            "{bare} operators sign in by password alone: they turn a second factor on under Security in the dashboard"
        ));
    }
    Ok(())
}

/// The conditions that a browser sets for a `__Host-` cookie.
fn keeps_cookies(public_url: &str) -> bool {
    let uri: Option<Uri> = public_url.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let loopback = bare
        .parse::<std::net::IpAddr>()
        .map_or(bare == "localhost", |ip| ip.is_loopback());
    public_url.starts_with("https://") || loopback
}

#[cfg(test)]
mod tests {
    use super::keeps_cookies;

    #[test]
    fn over_https_or_on_this_machine() {
        for (url, keeps) in [
            ("https://wa.example.com", true),
            ("http://127.0.0.1:8080", true),
            ("http://[::1]:8080", true),
            ("http://localhost", true),
            ("http://10.0.0.1:8080", false),
            ("http://wa.example.com", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(keeps_cookies(url), keeps, "{url}");
        }
    }
}
