//! Letters to people: by SMTP, or as files where no mail server is configured.
//!
//! A request never waits for a letter: how long a mail server takes would tell whether an address is
//! known here. It hands the letter to the [`Outbox`] and answers. The outbox tries three times and then
//! gives up with a warning in the log and a count in the metrics; nothing is kept over a restart. That
//! is right for what is sent: links that live for minutes, and that whoever misses one asks for again;
//! and an invitation is seen as pending in the dashboard until it is used, and can be made anew.
//!
//! Neither addresses nor links are ever logged.

mod files;
pub mod letters;
mod outbox;
mod smtp;

use std::{fmt, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use lettre::{
    Address, Message,
    message::{
        Body, Mailbox, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
};
use recado_model::{Clock, Result, Rng, Secret, Timestamp};

pub use files::Files;
pub use outbox::Outbox;
pub use smtp::Smtp;

/// RFC 5321, 4.5.3.1.3, less the angle brackets.
const ADDRESS_MAX: usize = 254;

/// How letters leave.
#[derive(Clone, Debug)]
pub enum MailConfig {
    Smtp {
        /// `smtps://user:password@host:465` or `smtp://user:password@host:587` (STARTTLS).
        url: Secret,
        /// `no-reply@example.com` or `Example <no-reply@example.com>`.
        from: String,
    },
    /// Each letter is a file in `dir`, to be read there by whoever may.
    Files { dir: PathBuf },
}

impl MailConfig {
    /// The fault in it, as a sentence that begins with the setting and never shows the URL.
    pub fn check(&self) -> std::result::Result<(), String> {
        let Self::Smtp { url, from } = self else {
            return Ok(());
        };
        smtp::Server::parse(url.expose())?;
        sender(from).map(drop)
    }

    /// `smtp` or `file`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Smtp { .. } => "smtp",
            Self::Files { .. } => "file",
        }
    }

    /// `public_url` gives the name that mail servers are greeted with.
    pub fn mailer(&self, public_url: &str, rng: &Arc<dyn Rng>) -> Result<Arc<dyn Mailer>> {
        Ok(match self {
            Self::Smtp { url, from } => Arc::new(Smtp::new(url, from, public_url)?),
            Self::Files { dir } => Arc::new(Files::new(dir.clone(), rng.clone())),
        })
    }

    /// An outbox over that mailer.
    pub fn outbox(
        &self,
        public_url: &str,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Outbox> {
        let mailer = self.mailer(public_url, &rng)?;
        Ok(Outbox::new(mailer, clock, rng))
    }
}

/// One letter, plain text. Made by [`letters`].
#[derive(Clone, PartialEq, Eq)]
pub struct Letter {
    /// For the log, which must not hold more than this.
    pub kind: &'static str,
    pub to: String,
    pub subject: String,
    pub text: String,
}

/// It holds an address and often a link.
impl fmt::Debug for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Letter({}, …)", self.kind)
    }
}

/// The `Message-ID`, the same at each try, so that a mail server which got it twice can tell.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub at: Timestamp,
    /// The left half of the Message-ID.
    pub id: String,
}

/// Why a letter did not leave; says nothing of whose it is.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct MailError {
    what: String,
    /// The next try would end alike.
    pub lasting: bool,
}

impl MailError {
    fn passing(what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            what,
            lasting: false,
        }
    }

    fn lasting(what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            what,
            lasting: true,
        }
    }
}

/// Takes letters away. One try each; who asks decides about more.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    async fn send(&self, letter: &Letter, stamp: &Stamp) -> std::result::Result<(), MailError>;
}

/// Whether letters can be sent there. Users' addresses are checked with it before they are kept.
pub fn is_address(text: &str) -> bool {
    parse_address(text).is_some()
}

fn parse_address(text: &str) -> Option<Address> {
    let sane = text.len() <= ADDRESS_MAX && !text.contains(recado_model::is_unseen);
    text.parse().ok().filter(|_| sane)
}

fn sender(from: &str) -> std::result::Result<Mailbox, String> {
    let parsed = from.parse::<Mailbox>().ok();
    let sane = parsed.filter(|_| !from.contains(recado_model::is_unseen));
    sane.ok_or_else(|| {
        "mail.from must be the address that letters come from, such as no-reply@example.com or Example <no-reply@example.com>".to_owned()
    })
}

/// The letter as it travels. `readable`: without the encodings that mail servers may need, for files.
fn compose(
    letter: &Letter,
    stamp: &Stamp,
    from: &Mailbox,
    readable: bool,
) -> std::result::Result<Message, MailError> {
    // Lettre encodes what would break a header; a subject that tries is a mistake all the same.
    if letter.subject.contains(recado_model::is_unseen) {
        return Err(MailError::lasting("the subject holds a control character"));
    }
    let to = parse_address(&letter.to)
        .ok_or_else(|| MailError::lasting("the address is not one that mail can be sent to"))?;
    let at = u64::try_from(stamp.at.as_millis()).unwrap_or(0);
    let body = match readable {
        // Lettre itself breaks up a text that has a line of more than 76 characters, and the link in it.
        true => Body::dangerous_pre_encoded(
            letter.text.replace('\n', "\r\n").into_bytes(),
            ContentTransferEncoding::EightBit,
        ),
        false => Body::new(letter.text.clone()),
    };
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(letter.subject.clone())
        .date(std::time::UNIX_EPOCH + std::time::Duration::from_millis(at))
        .message_id(Some(format!("<{}@{}>", stamp.id, from.email.domain())))
        // RFC 3834: nobody's out-of-office note should answer it.
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .singlepart(
            SinglePart::builder()
                .header(ContentType::TEXT_PLAIN)
                .body(body),
        )
        .map_err(|_| MailError::lasting("the letter cannot be put into the form of mail"))
}

#[cfg(test)]
mod tests;
