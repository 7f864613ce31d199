//! The operator's settings, and which of them are refused.

use recado_model::Secret;
use url::{Host, Url};

/// Public keys that anybody can read in the vendor's documentation. With such a secret every token
/// passes, or none.
pub(super) const DUMMY_SECRETS: [&str; 3] = [
    "1x0000000000000000000000000000000AA",
    "2x0000000000000000000000000000000AA",
    "3x0000000000000000000000000000000AA",
];
pub(super) const DUMMY_SITE_KEYS: [&str; 5] = [
    "1x00000000000000000000AA",
    "2x00000000000000000000AB",
    "1x00000000000000000000BB",
    "2x00000000000000000000BB",
    "3x00000000000000000000FF",
];

#[derive(Clone, Debug)]
pub struct TurnstileConfig {
    /// Public: the page shows the widget with it.
    pub site_key: String,
    pub secret: Secret,
    /// Of siteverify.
    pub url: String,
    /// Where the widget must have been shown: the host of our own address.
    pub hostname: String,
}

impl TurnstileConfig {
    /// The fault in it, as a sentence that begins with the setting. The vendor's dummy keys are
    /// for programs that reach nobody (`dummies`).
    pub fn check(&self, dummies: bool) -> std::result::Result<(), String> {
        let missing = |set: &str, absent: &str| {
            Err(format!(
                "turnstile.{absent} is missing while turnstile.{set} is set: the widget and the check need both. Copy both from the widget's settings at Cloudflare, or empty both to ask nobody"
            ))
        };
        match (self.site_key.is_empty(), self.secret.expose().is_empty()) {
            (true, false) => return missing("secret", "site_key"),
            (false, true) => return missing("site_key", "secret"),
            _ => {}
        }
        let dummy = [
            ("secret", DUMMY_SECRETS.contains(&self.secret.expose())),
            (
                "site_key",
                DUMMY_SITE_KEYS.contains(&self.site_key.as_str()),
            ),
        ];
        if let Some((name, _)) = dummy.iter().find(|(_, is)| *is && !dummies) {
            return Err(format!(
                "turnstile.{name} is one of Cloudflare's keys for tests, which everybody knows: with them the check passes programs or refuses people. Use the keys of a widget of your own, or empty turnstile.site_key and turnstile.secret to ask nobody"
            ));
        }
        let url = Url::parse(&self.url).ok();
        let sound = url.is_some_and(|url| {
            let bare = url.username().is_empty() && url.password().is_none();
            bare && (url.scheme() == "https" || (url.scheme() == "http" && loopback(&url)))
        });
        if !sound {
            return Err("turnstile.url must be a complete https:// address without user name or password (http:// only on loopback): the secret travels to it".to_owned());
        }
        let port = self.hostname.contains(':') && !self.hostname.starts_with('[');
        if self.hostname.is_empty() || self.hostname.contains(['/', ' ']) || port {
            return Err("turnstile.hostname must be a bare host name such as wa.example.com, or empty for that of public_url".to_owned());
        }
        Ok(())
    }

    /// Answers to a dummy secret name neither our host nor an action.
    pub(super) fn is_dummy(&self) -> bool {
        DUMMY_SECRETS.contains(&self.secret.expose())
    }
}

fn loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
