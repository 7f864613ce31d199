//! The handle to a running network: the same operations as the control API, for tests and for it.

mod chats;
mod groups;
mod past;
mod people;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::sync::{Notify, oneshot, watch};

use crate::content::{Beside, Written};
use crate::core::Core;
use crate::history::ChatMessage;
use crate::info::{Paired, PhoneInfo, info};
use crate::phone;
use crate::refusal::{Refusal, chat_of, digits};
use crate::shelf::Shelf;
use crate::state::Addr;
use crate::trouble::{Kind, Trouble};

pub use past::PastText;

/// A client that answers nothing for this long will not pair.
const PAIRING_TIMEOUT: Duration = Duration::from_secs(30);
/// After pairing the client restarts its connection; the scan waits for it, but not for ever.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(15);

/// A client refuses to send a message again when it is asked more often.
const MOST_RETRIES: u64 = 4;

/// A running network. Cheap to clone.
#[derive(Clone)]
pub struct Network {
    shared: Arc<NetworkParts>,
}

pub(crate) struct NetworkParts {
    core: Mutex<Core>,
    /// Whether there are files.
    keeps: bool,
    pub(crate) save: Notify,
    /// The version that is on disk.
    pub(crate) saved: watch::Sender<u64>,
    changed: watch::Sender<u64>,
    /// Moves when a trouble begins or is called off.
    trouble: watch::Sender<u64>,
}

impl Network {
    /// A network whose changes count as saved at once, unless `keeps` says that they have to be
    /// written first.
    pub(crate) fn new(core: Core, keeps: bool) -> Self {
        Self {
            shared: Arc::new(NetworkParts {
                core: Mutex::new(core),
                keeps,
                save: Notify::new(),
                saved: watch::Sender::new(if keeps { 0 } else { u64::MAX }),
                changed: watch::Sender::new(0),
                trouble: watch::Sender::new(0),
            }),
        }
    }

    /// Runs one step under the lock and wakes those who wait for a change.
    pub(crate) fn with<R>(&self, step: impl FnOnce(&mut Core) -> R) -> R {
        let (result, dirty) = {
            let mut core = self
                .shared
                .core
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let result = step(&mut core);
            let dirty = !core.dirty.is_empty();
            if dirty {
                core.version += 1;
                if !self.shared.keeps {
                    core.settle();
                }
            }
            (result, dirty)
        };
        if dirty {
            self.shared.save.notify_one();
        }
        self.shared.changed.send_modify(|count| *count += 1);
        result
    }

    /// Which version has to be on disk before anything that was decided until now may leave.
    /// Waits for a step in progress, so it covers what that step said as well.
    pub(crate) fn version(&self) -> u64 {
        self.peek(|core| core.version)
    }

    /// Returns when everything that happened until now is on disk.
    pub(crate) async fn kept(&self) {
        let version = self.version();
        let mut saved = self.shared.saved.subscribe();
        // The sender lives as long as we do.
        drop(saved.wait_for(|saved| *saved >= version).await);
    }

    /// Tells when a trouble begins or is called off.
    pub(crate) fn troubled(&self) -> watch::Receiver<u64> {
        self.shared.trouble.subscribe()
    }

    /// Like [`Self::with`], without waking anybody: for what no one can observe.
    pub(crate) fn collect<R>(&self, step: impl FnOnce(&mut Core) -> R) -> R {
        let mut core = self
            .shared
            .core
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        step(&mut core)
    }

    pub(crate) fn shared(&self) -> &NetworkParts {
        &self.shared
    }

    fn known(&self, number: &str) -> Result<String, Refusal> {
        let number = digits(number)?;
        if self.peek(|core| core.phones.contains_key(&number)) {
            Ok(number)
        } else {
            Err(Refusal::UnknownPhone(number))
        }
    }

    /// Looks without waking anybody.
    pub(crate) fn peek<R>(&self, look: impl FnOnce(&Core) -> R) -> R {
        let core = self
            .shared
            .core
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        look(&core)
    }

    /// Makes sure that a phone with this number exists.
    ///
    /// # Errors
    /// [`Refusal::Bad`] when `number` is not a phone number.
    pub fn add_phone(&self, number: &str, name: &str) -> Result<PhoneInfo, Refusal> {
        let number = digits(number)?;
        self.with(|core| core.add_phone(&number, name.trim()))
            .map_err(|error| Refusal::Conflict(error.to_string()))?;
        self.phone(&number)
    }

    /// All phones, by number.
    pub fn phones(&self) -> Vec<PhoneInfo> {
        self.peek(|core| core.phones.keys().filter_map(|n| info(core, n)).collect())
    }

    /// One phone.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn phone(&self, number: &str) -> Result<PhoneInfo, Refusal> {
        let number = self.known(number)?;
        self.peek(|core| info(core, &number))
            .ok_or(Refusal::UnknownPhone(number))
    }

    /// The phone reads the QR code `qr` (its text) and links the client that shows it. Returns
    /// when the client has logged in as a companion.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] when the code is not valid (any more) or the client refuses.
    pub async fn scan(&self, number: &str, qr: &str) -> Result<Paired, Refusal> {
        let number = self.known(number)?;
        let (done, outcome) = oneshot::channel();
        self.with(|core| core.scan(&number, qr, done))
            .map_err(Refusal::Conflict)?;
        self.paired(outcome).await
    }

    /// The user types the link code that a client shows. The dash is optional.
    ///
    /// # Errors
    /// [`Refusal::Bad`] when it is not a code, [`Refusal::Conflict`] when it is the wrong one or
    /// nobody asked for one.
    pub async fn pair(&self, number: &str, code: &str) -> Result<Paired, Refusal> {
        let number = self.known(number)?;
        let code = phone::normalise_code(code).map_err(Refusal::Bad)?;
        let wrapped = self
            .peek(|core| core.outstanding_code(&number))
            .map_err(Refusal::Conflict)?;
        let keys = tokio::task::spawn_blocking(move || phone::code_keys(&code, &wrapped))
            .await
            .map_err(|error| Refusal::Conflict(error.to_string()))?
            .map_err(Refusal::Conflict)?;
        let (done, outcome) = oneshot::channel();
        self.with(|core| core.primary_hello(&number, keys, done))
            .map_err(Refusal::Conflict)?;
        self.paired(outcome).await
    }

    async fn paired(
        &self,
        outcome: oneshot::Receiver<Result<Addr, String>>,
    ) -> Result<Paired, Refusal> {
        let addr = tokio::time::timeout(PAIRING_TIMEOUT, outcome)
            .await
            .map_err(|_| {
                Refusal::Timeout("the client does not answer the pairing request".to_owned())
            })?
            .map_err(|_| Refusal::Conflict("the client went away while pairing".to_owned()))?
            .map_err(Refusal::Conflict)?;
        let login = self.with(|core| {
            if core.links.contains_key(&addr) {
                return None;
            }
            let (sender, receiver) = oneshot::channel();
            core.login_waiters
                .entry(addr.clone())
                .or_default()
                .push(sender);
            Some(receiver)
        });
        let connected = match login {
            None => true,
            Some(login) => matches!(tokio::time::timeout(LOGIN_TIMEOUT, login).await, Ok(Ok(()))),
        };
        Ok(Paired {
            device: addr.device,
            jid: addr.jid().to_string(),
            connected,
        })
    }

    /// Sends a text from one number to another.
    ///
    /// # Errors
    /// [`Refusal::Conflict`] when the receiver is not on this network or the phone is offline.
    pub fn send_text(&self, number: &str, to: &str, text: &str) -> Result<ChatMessage, Refusal> {
        self.send(number, to, &Written::Text(text.to_owned()))
    }

    /// Sends a message of any kind that phones write from one number to another.
    ///
    /// # Errors
    /// [`Refusal::Bad`] when it shows nothing, else as [`Network::send_text`].
    pub fn send(&self, number: &str, to: &str, written: &Written) -> Result<ChatMessage, Refusal> {
        self.send_beside(number, to, written, &Beside::default())
    }

    /// [`Network::send`], with mentions and what it answers.
    ///
    /// # Errors
    /// As [`Network::send`].
    pub fn send_beside(
        &self,
        number: &str,
        to: &str,
        written: &Written,
        beside: &Beside,
    ) -> Result<ChatMessage, Refusal> {
        let number = self.known(number)?;
        let to = chat_of(to)?;
        if let Some(why) = written.refusal() {
            return Err(Refusal::Bad(why.to_owned()));
        }
        let uploaded = match written.medium() {
            Some((family, medium)) if medium.said.is_none() => {
                let uploaded = phone::media::upload(&self.shelf(), family, medium);
                let uploaded = uploaded.map_err(|error| Refusal::Bad(format!("{error:#}")))?;
                Some(family.written(uploaded))
            }
            _ => None,
        };
        let written = uploaded.as_ref().unwrap_or(written);
        self.with(|core| core.send(&number, &to, written, beside))
            .map_err(Refusal::Conflict)
    }

    /// [`Network::messages`], with media looked at: fetched, their MAC checked, opened, hashed; with `bytes` their
    /// bytes as well.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub async fn looked(&self, number: &str, bytes: bool) -> Result<Vec<ChatMessage>, Refusal> {
        let (number, mut messages) = (self.known(number)?, self.messages(number)?);
        let shelf = self.shelf();
        let looked = tokio::task::spawn_blocking(move || {
            for message in &mut messages {
                phone::media::look(&shelf, &number, message, bytes);
            }
            messages
        });
        looked
            .await
            .map_err(|error| Refusal::Conflict(error.to_string()))
    }

    /// The files of the media host.
    pub(crate) fn shelf(&self) -> Shelf {
        self.peek(|core| core.shelf.clone())
    }

    /// The media host forgets everything: its paths answer 410 from now on. Returns how much that was.
    ///
    /// # Errors
    /// The disk's.
    pub fn forget_media(&self) -> std::io::Result<usize> {
        self.shelf().forget_all()
    }

    /// The phone deletes its copies of media: asked to upload one again, it has none. Returns how many there were.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`], [`Refusal::Conflict`] where the disk does not obey.
    pub fn delete_media(&self, number: &str) -> Result<usize, Refusal> {
        let number = self.known(number)?;
        let deleted = self.shelf().delete_copies(&number);
        deleted.map_err(|error| Refusal::Conflict(error.to_string()))
    }

    /// The phone's history in both directions, oldest first.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn messages(&self, number: &str) -> Result<Vec<ChatMessage>, Refusal> {
        let number = self.known(number)?;
        Ok(self.peek(|core| {
            core.phones
                .get(&number)
                .map(|phone| phone.history.shown().cloned().collect())
                .unwrap_or_default()
        }))
    }

    /// Marks everything that `from` wrote, or that was written in this group, as read and tells them. Returns how many there were.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`], [`Refusal::Conflict`] when the phone is offline.
    pub fn read(&self, number: &str, from: &str) -> Result<usize, Refusal> {
        let number = self.online(number)?;
        let from = chat_of(from)?;
        Ok(self.with(|core| core.read_chat(&number, &from)))
    }

    /// Tells `from` that `ids` were read, also what nobody ever wrote: a program of somebody's own may say so.
    ///
    /// # Errors
    /// As [`Network::read`].
    pub fn claim_read(&self, number: &str, from: &str, ids: &[String]) -> Result<(), Refusal> {
        self.claim(number, from, ids, "read")
    }

    /// Tells `from` that `ids` were played, as [`Network::claim_read`] does.
    ///
    /// # Errors
    /// As [`Network::read`].
    pub fn claim_played(&self, number: &str, from: &str, ids: &[String]) -> Result<(), Refusal> {
        self.claim(number, from, ids, "played")
    }

    fn claim(&self, number: &str, from: &str, ids: &[String], word: &str) -> Result<(), Refusal> {
        let number = self.online(number)?;
        let from = digits(from)?;
        self.with(|core| core.claim(&number, &from, ids, word));
        Ok(())
    }

    /// Shows `to` a typing state: `composing`, `recording` or `paused`.
    ///
    /// # Errors
    /// [`Refusal::Bad`] for another state, [`Refusal::Conflict`] when the phone is offline.
    pub fn typing(&self, number: &str, to: &str, state: &str) -> Result<(), Refusal> {
        let number = self.online(number)?;
        let to = chat_of(to)?;
        self.with(|core| core.type_to(&number, &to, state))
            .map_err(Refusal::Bad)
    }

    fn online(&self, number: &str) -> Result<String, Refusal> {
        let number = self.known(number)?;
        if self.peek(|core| core.phones.get(&number).is_some_and(|phone| phone.online)) {
            Ok(number)
        } else {
            Err(Refusal::Conflict(
                "the phone is offline: bring it online first".to_owned(),
            ))
        }
    }

    /// Takes the phone off the network or back.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn set_online(&self, number: &str, online: bool) -> Result<(), Refusal> {
        let number = self.known(number)?;
        self.with(|core| core.set_online(&number, online));
        Ok(())
    }

    /// Unlinks all companions of the phone. Returns how many there were.
    ///
    /// # Errors
    /// [`Refusal::UnknownPhone`].
    pub fn logout(&self, number: &str) -> Result<usize, Refusal> {
        let number = self.known(number)?;
        Ok(self.with(|core| core.unlink_all(&number)))
    }

    /// The phone asks the device that sent a message for it once more, as one does that could not
    /// decrypt it; `count` is how often it asked, this time included.
    ///
    /// # Errors
    /// [`Refusal::Missing`] when it shows no such message of somebody else, [`Refusal::Conflict`]
    /// when it is offline or the device is not linked any more.
    pub fn ask_again(&self, number: &str, id: &str, count: u64) -> Result<(), Refusal> {
        let number = self.online(number)?;
        if !(1..=MOST_RETRIES).contains(&count) {
            return Err(Refusal::Bad(format!("`count` is 1 to {MOST_RETRIES}")));
        }
        self.with(|core| core.ask_for(&number, id, count))
    }

    /// Begins a trouble. `body` is that of `POST /trouble`; the second value is how many clients
    /// a stream error hit.
    ///
    /// # Errors
    /// [`Refusal::Bad`] with the field named; [`Refusal::Conflict`] for a stream error without a
    /// count when no client is connected.
    pub fn trouble(&self, body: &serde_json::Value) -> Result<(Trouble, usize), Refusal> {
        let trouble = Trouble::parse(body)?;
        let kept = trouble.clone();
        let hit = self.with(|core| match trouble.kind {
            Kind::StreamError => core.trouble_streams(trouble),
            _ => {
                core.troubles.add(trouble);
                0
            }
        });
        self.shared.trouble.send_modify(|count| *count += 1);
        if kept.kind == Kind::StreamError && kept.count.is_none() && hit == 0 {
            return Err(Refusal::Conflict(
                "no such client is connected: with `count` the next log-in is met".to_owned(),
            ));
        }
        Ok((kept, hit))
    }

    /// The rest of all troubles.
    pub fn troubles(&self) -> Vec<Trouble> {
        self.peek(|core| core.troubles.list())
    }

    /// Calls all troubles off. Acknowledgements that waited for a receipt are sent.
    pub fn clear_troubles(&self) {
        self.with(|core| {
            core.troubles.clear();
            core.release_all_acks();
        });
        self.shared.trouble.send_modify(|count| *count += 1);
    }

    /// Waits until `check` returns something, looking again after every change.
    ///
    /// # Errors
    /// When that takes longer than `limit`.
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        mut check: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T> {
        let mut changes = self.shared.changed.subscribe();
        let wait = async {
            loop {
                changes.borrow_and_update();
                if let Some(found) = check(self) {
                    return Ok(found);
                }
                changes.changed().await?;
            }
        };
        tokio::time::timeout(limit, wait)
            .await
            .map_err(|_| anyhow!("nothing of the kind happened within {limit:?}"))?
    }
}
