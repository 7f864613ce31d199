//! Letters by SMTP. Always under TLS, except to a server on this machine whose URL says `tls=none`.

use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use lettre::{
    AsyncSmtpTransport, AsyncTransport, Tokio1Executor,
    message::Mailbox,
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
        extension::ClientId,
    },
};
use percent_encoding::percent_decode_str;
use recado_model::{Error, Result, Secret};
use url::{Host, Url};

use super::{Letter, MailError, Mailer, Stamp, compose, sender};

/// For one answer of the server; the outbox has a limit on the whole.
const ANSWER: Duration = Duration::from_secs(20);

pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// A mail server, as `mail.url` names it.
pub(super) struct Server {
    host: String,
    port: u16,
    security: Security,
    credentials: Option<Credentials>,
}

#[derive(Debug, PartialEq, Eq)]
enum Security {
    /// From the first byte: `smtps://`.
    Wrapped,
    /// Begun with STARTTLS, and nothing is said before it.
    Upgraded,
    None,
}

impl Server {
    /// `Err` is a sentence without the URL, which holds a password.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, String> {
        const FORM: &str = "mail.url must be smtps://USER:PASSWORD@HOST:465 or smtp://USER:PASSWORD@HOST:587 (which begins TLS with STARTTLS), with characters such as @ or / in the password written as %40 or %2F";
        let url = Url::parse(text).map_err(|_| FORM.to_owned())?;
        let bare = matches!(url.path(), "" | "/") && url.fragment().is_none();
        let host = match url.host() {
            Some(Host::Ipv6(ip)) => ip.to_string(),
            Some(Host::Ipv4(ip)) => ip.to_string(),
            Some(Host::Domain(name)) => name.to_ascii_lowercase(),
            None => String::new(),
        };
        if !bare || host.is_empty() {
            return Err(FORM.to_owned());
        }
        let security = match (url.scheme(), url.query()) {
            ("smtps", None) => Security::Wrapped,
            ("smtp", None | Some("tls=required")) => Security::Upgraded,
            ("smtp", Some("tls=none")) if is_loopback(&host) => Security::None,
            ("smtp", Some("tls=none")) => {
                return Err("mail.url: tls=none is for a mail server on this machine (127.0.0.1, ::1 or localhost); anywhere else the links in letters would travel in clear. Leave it out".to_owned());
            }
            ("smtp" | "smtps", Some(_)) => {
                return Err("mail.url: the only thing that may follow the address is ?tls=required or, for a mail server on this machine, ?tls=none".to_owned());
            }
            _ => return Err(FORM.to_owned()),
        };
        let decoded = |text: &str| percent_decode_str(text).decode_utf8().map(String::from);
        let credentials = match (url.username(), url.password()) {
            ("", None) => None,
            (user, Some(password)) if !user.is_empty() => {
                let both = decoded(user).and_then(|user| Ok((user, decoded(password)?)));
                let (user, password) = both.map_err(|_| FORM.to_owned())?;
                Some(Credentials::new(user, password))
            }
            _ => {
                return Err(
                    "mail.url must name both user and password, or neither: smtps://USER:PASSWORD@HOST".to_owned(),
                );
            }
        };
        let usual = if security == Security::Wrapped {
            465
        } else {
            587
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(usual),
            security,
            credentials,
        })
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

impl Smtp {
    pub fn new(url: &Secret, from: &str, public_url: &str) -> Result<Self> {
        let server = Server::parse(url.expose()).map_err(Error::internal)?;
        let from = sender(from).map_err(Error::internal)?;
        let tls = || TlsParameters::new(server.host.clone()).map_err(Error::internal);
        let tls = match server.security {
            Security::Wrapped => Tls::Wrapper(tls()?),
            Security::Upgraded => Tls::Required(tls()?),
            Security::None => Tls::None,
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
                .port(server.port)
                .tls(tls)
                .timeout(Some(ANSWER))
                .hello_name(own_name(public_url));
        if let Some(credentials) = server.credentials {
            builder = builder.credentials(credentials);
        }
        Ok(Self {
            transport: builder.build(),
            from,
        })
    }
}

/// The name that the server is greeted with (RFC 5321, 4.1.4): our host's name, or an address literal.
fn own_name(public_url: &str) -> ClientId {
    let url = Url::parse(public_url).ok();
    match url.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(Host::Ipv4(ip)) => ClientId::Ipv4(ip),
        Some(Host::Ipv6(ip)) => ClientId::Ipv6(ip),
        None => ClientId::default(),
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, letter: &Letter, stamp: &Stamp) -> std::result::Result<(), MailError> {
        let message = compose(letter, stamp, &self.from, false)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) => Err(explain(&error)),
        }
    }
}

/// A server's own words often quote the address: only its code is told.
fn explain(error: &lettre::transport::smtp::Error) -> MailError {
    if let Some(code) = error.status() {
        let what = format!("the mail server answered {code}");
        return match error.is_permanent() {
            true => MailError::lasting(what),
            false => MailError::passing(what),
        };
    }
    if error.is_response() {
        return MailError::passing("the mail server's answer is not SMTP");
    }
    if error.is_timeout() {
        return MailError::passing("the mail server did not answer in time");
    }
    // Sockets, TLS and our own side of the talk speak of the server, not of the letter.
    let mut what = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        let text = inner.to_string();
        if !what.contains(&text) {
            what = format!("{what}: {text}");
        }
        source = inner.source();
    }
    match error.is_client() {
        true => MailError::lasting(what),
        false => MailError::passing(what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_server() {
        let parse = |text: &str| {
            let server = Server::parse(text).expect(text);
            (server.host, server.port, server.security)
        };
        for (text, host, port, security) in [
            (
                "smtps://u:p@Mail.example.com",
                "mail.example.com",
                465,
                Security::Wrapped,
            ),
            (
                "smtps://u:p@mail.example.com:4650/",
                "mail.example.com",
                4650,
                Security::Wrapped,
            ),
            (
                "smtp://u:p%40%2F@mail.example.com",
                "mail.example.com",
                587,
                Security::Upgraded,
            ),
            (
                "smtp://mail.example.com:25?tls=required",
                "mail.example.com",
                25,
                Security::Upgraded,
            ),
            (
                "smtp://127.0.0.1:2525",
                "127.0.0.1",
                2525,
                Security::Upgraded,
            ),
            (
                "smtp://127.0.0.1:2525?tls=none",
                "127.0.0.1",
                2525,
                Security::None,
            ),
            ("smtp://[::1]:25?tls=none", "::1", 25, Security::None),
            (
                "smtp://LOCALHOST?tls=none",
                "localhost",
                587,
                Security::None,
            ),
        ] {
            assert_eq!(parse(text), (host.to_owned(), port, security), "{text}");
        }
        let server = Server::parse("smtps://me%40a.example:p%2Fw@b.example").ok();
        let expected = Credentials::new("me@a.example".into(), "p/w".into());
        assert_eq!(server.and_then(|server| server.credentials), Some(expected));
    }

    #[test]
    fn what_would_not_work_or_not_be_private() {
        for (text, says) in [
            ("", "mail.url must be"),
            ("mail.example.com", "mail.url must be"),
            ("https://u:hunter2@mail.example.com", "mail.url must be"),
            ("smtp://", "mail.url must be"),
            (
                "smtps://u:hunter2@mail.example.com/path",
                "mail.url must be",
            ),
            ("smtps://u:hunter2@mail.example.com#x", "mail.url must be"),
            ("smtps://u@mail.example.com", "both user and password"),
            (
                "smtps://:hunter2@mail.example.com",
                "both user and password",
            ),
            ("smtp://mail.example.com?tls=none", "on this machine"),
            ("smtp://10.0.0.1?tls=none", "on this machine"),
            ("smtp://localhost.example.com?tls=none", "on this machine"),
            (
                "smtp://u:hunter2@127.0.0.1?tls=opportunistic",
                "?tls=required",
            ),
            ("smtps://mail.example.com?tls=none", "?tls=required"),
        ] {
            let refused = Server::parse(text).err().expect(text);
            assert!(refused.contains(says), "{text}: {refused}");
            assert!(!refused.contains("hunter2"), "{text}: {refused}");
        }
    }
}
