//! E-mail addresses of people.

use recado_model::{Error, Result};

use crate::mail;

/// An e-mail address as it is kept; only its form is checked, the letter that arrives proves the rest.
pub(crate) fn parse_email(text: &str) -> Result<String> {
    let email = normal_email(text);
    let form = email.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && (host.contains('.') || host == "localhost")
    });
    let odd = |c: char| c.is_whitespace() || recado_model::is_unseen(c);
    if !form || email.contains(odd) || !mail::is_address(&email) {
        return Err(Error::field(
            "email",
            "email must look like person@example.com",
        ));
    }
    Ok(email)
}

/// E-mails are compared as they are kept.
pub fn normal_email(email: &str) -> String {
    email.trim().to_lowercase()
}
