//! How Recado talks to WhatsApp: the port, and `whatsapp-rust` behind it.
//!
//! [`Engine`] starts [`Link`]s; a link is one linked device on its socket. The news of it reaches
//! the [`Sink`] that the caller gave. The rest of the program knows these traits and
//! `recado_model` types only; nothing of `whatsapp-rust` leaves [`wa`].
//!
//! To add something a device can be asked: a line in `recado_model::call`, its body in `wa/calls`. To add a
//! kind of message: a file in `wa/kinds`. To add something that can happen: a [`Notice`] variant, its mapping
//! in `wa/notice.rs`, and, when it is told once and must not be lost, an entry of `wa/journal.rs`.

pub mod wa;

use std::{
    io::{self, Read, Write},
    path::Path,
    sync::Arc,
};

use async_trait::async_trait;
use recado_model::{
    AccountId, Address, Call, CallAnswer, DeviceCall, Error, History, InstanceId, MediaClass,
    MediaDigest, MediaKey, MediaRef, Result, StateReason, Timestamp,
    change::{Change, Edited},
    chat::{SyncTrouble, Synced},
    content::{Ballot, Chosen, Poll, Voting},
    group,
    history::{Frame, FrameEnd, FrameFault, HistoryNews, HistoryPart, OwnAddresses},
    media::{FilledMedia, Uploaded},
    message::{
        Draft, FinishedMessage, InboundMessage, InboundReceipt, InboundTyping, MessageId, Party,
        Rendered,
    },
    person::{InboundCall, InboundPresence, PersonChange},
};
use recado_store::Lease;
use tokio::sync::mpsc;

/// Starts links. One per process; shares sockets' TLS set-up and the HTTP client among them.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// Opens the socket of an instance, paired or not, and returns at once; what follows reaches
    /// `sink`. An unpaired one emits [`Notice::Qr`] until scanned or out of codes.
    async fn start(&self, spec: LinkSpec, sink: Arc<dyn Sink>) -> Result<Arc<dyn Link>>;

    /// The message as WhatsApp is to get it, with `secret` in it: what answers to it are encrypted under.
    /// Made once; each try repeats it byte for byte.
    fn compose(&self, draft: &Draft, secret: &[u8; 32]) -> Vec<u8>;

    /// A finished message as subscribers see it: like one that came in, but for its secret.
    fn render(&self, proto: &[u8]) -> Result<Rendered>;

    /// What a message does to an earlier one. `None` of one that does nothing of the kind.
    fn change(&self, proto: &[u8]) -> Option<Change>;

    /// What `original` holds after `edit`, a message that changes it. `None` where the one does not fit the
    /// other.
    fn edited(&self, original: &[u8], edit: &[u8]) -> Option<Edited>;

    /// A message made ready to be passed on: without its quote, its mentions and its secret, and marked as
    /// forwarded unless it is the number's `own` and was not before. `None` of one that is to be seen once.
    fn forward(&self, proto: &[u8], own: bool) -> Option<Vec<u8>>;

    /// A finished message that disappears after so many seconds.
    fn time(&self, proto: &[u8], seconds: u32) -> Result<Vec<u8>>;

    /// What can be chosen of a poll. `None` of a message that is none.
    fn poll(&self, proto: &[u8]) -> Option<Poll>;

    /// A vote in `poll`, encrypted under that poll's secret; another one each time.
    ///
    /// # Errors
    /// For the field `message_id`: the poll came without its secret.
    fn seal_vote(&self, poll: &[u8], voting: &Voting<'_>) -> Result<Ballot>;

    /// What the message `vote` chooses of `poll`, whose id is `id`. `pairs` are the addresses of who made the
    /// poll and who votes, of which any may be those that it was encrypted under. `None` where it does not
    /// open, or the poll came without its secret.
    fn open_vote(
        &self,
        poll: &[u8],
        vote: &[u8],
        id: &MessageId,
        pairs: &[(Address, Address)],
    ) -> Option<Chosen>;

    /// The medium that a message names.
    fn media(&self, proto: &[u8]) -> Option<MediaRef>;

    /// The finished message of one whose draft has a medium: with where the bytes lie and what they are
    /// sealed under.
    fn fill_media(&self, proto: &[u8], medium: &FilledMedia) -> Result<Vec<u8>>;

    /// Seals bytes as WhatsApp keeps them. Blocks; needs the same little memory for any length.
    fn seal_media(
        &self,
        class: MediaClass,
        key: &MediaKey,
        plain: &mut dyn Read,
        sealed: &mut dyn Write,
    ) -> io::Result<MediaDigest>;

    /// Opens sealed bytes and gives them to `plain`; what it takes is worth nothing before `Ok`, which says
    /// that the MAC held. Blocks, in little memory.
    fn open_media(
        &self,
        class: MediaClass,
        key: &MediaKey,
        sealed: &mut dyn Read,
        plain: &mut dyn Write,
    ) -> io::Result<MediaDigest>;

    /// A part of what was opened before: `sealed` begins with the block before the one that `from`, a
    /// multiple of 16, begins; at 0 with the first block. Its MAC is not looked at.
    fn media_reader(
        &self,
        class: MediaClass,
        key: &MediaKey,
        from: u64,
        sealed: Box<dyn Read + Send>,
    ) -> io::Result<Box<dyn Read + Send>>;

    /// Fetches the sealed bytes of a medium from WhatsApp's hosts into a new file, at most `most` of them,
    /// and opens them once, to nowhere: `Ok` says that MAC, digest and length are right. Needs no link.
    ///
    /// # Errors
    /// `Expired` where the hosts have them no more.
    async fn fetch_media(
        &self,
        medium: &MediaRef,
        most: u64,
        to: &Path,
    ) -> std::result::Result<MediaDigest, FetchFault>;

    /// Fetches a picture of somebody from WhatsApp's hosts. Needs no link.
    async fn fetch_picture(&self, url: &str) -> Result<Vec<u8>>;

    /// Takes a frame of history apart and gives its parts to `to`, each once the one before it was taken. Needs no link.
    ///
    /// # Errors
    /// `Gone` where it is not there or does not open. `Damaged` where it ends early: what came before that was given.
    async fn read_history(
        &self,
        of: (&AccountId, &InstanceId),
        own: OwnAddresses,
        frame: &Frame,
        to: mpsc::Sender<HistoryPart>,
    ) -> std::result::Result<FrameEnd, FrameFault>;

    /// Removes a frame of history: it is stored, or nobody wants it.
    fn drop_history(&self, instance: &InstanceId, frame: &str);

    /// Wipes the device of an instance from the store. Only while no link of it runs.
    async fn forget(&self, account: &AccountId, instance: &InstanceId) -> Result<()>;

    /// `whatsapp` or `sandbox`, for `/health` and the banner.
    fn network(&self) -> &'static str;
}

#[derive(Clone, Debug)]
pub struct LinkSpec {
    pub account: AccountId,
    pub instance: InstanceId,
    /// Shown on the phone under "Linked devices".
    pub device_name: String,
    /// Whether what comes in may wait in the device's rows until its commit. Without it a message
    /// that is not acknowledged in time comes again, and no content is written before the sink has it.
    pub keep_inbound: bool,
    /// How much of its past a phone is asked for that links this device now. What comes of it is always given to the sink,
    /// unless nothing is kept.
    pub history: History,
    /// Under which the device's rows are changed: without it they stay as they are.
    pub lease: Lease,
    /// Groups with a message that may have been on the wire and is not acknowledged: their members get
    /// the key of the group anew, or they could not read the repeat.
    pub rekey: Vec<Address>,
}

/// Why a medium was not fetched.
#[derive(Debug)]
pub enum FetchFault {
    /// WhatsApp's hosts have it no more; the phone may.
    Expired,
    /// It is larger than it may be.
    TooLarge,
    /// What came is not what the message says.
    Wrong,
    /// The network, the hosts, our disk: again later.
    Failed(Error),
}

/// One running link. [`Link::stop`] ends it and waits; dropping the last handle ends it, too, but
/// without anybody waiting.
#[async_trait]
pub trait Link: Send + Sync + 'static {
    /// Hands a message to WhatsApp. `Ok` once it is written to the socket, and no more than that: what the
    /// server says arrives as [`Notice::ServerAck`], or as a receipt, also before this returns. May wait
    /// a minute for the end of the offline messages. Repeating it is safe: the phone shows it once.
    async fn send(&self, message: &FinishedMessage) -> Result<()>;

    /// Any other question to a device. [`recado_model::ErrorCode::InstanceNotConnected`] while it is offline,
    /// but for link codes, which are asked for before there is a pairing.
    async fn call(&self, call: Call) -> Result<CallAnswer>;

    /// Brings sealed bytes to WhatsApp's hosts. Repeating it is harmless.
    async fn upload(
        &self,
        class: MediaClass,
        key: &MediaKey,
        digest: &MediaDigest,
        sealed: &Path,
    ) -> Result<Uploaded>;

    /// Asks the phone to upload a medium anew that WhatsApp's hosts have no more: where it is then. `None`:
    /// the phone has it no more either. Waits half a minute for the phone.
    async fn reupload(
        &self,
        chat: &Address,
        sender: Option<&Address>,
        from_me: bool,
        id: &MessageId,
        key: &MediaKey,
    ) -> Result<Option<String>>;

    /// Ends the pairing at WhatsApp (best effort), closes, and wipes the device.
    async fn logout(&self) -> Result<()>;

    /// Drops the client as if it had died, and opens one that remembers nothing of its sends but what
    /// is stored; the keys of `groups` are shared out anew with the next message to each. For a link
    /// that takes messages and never answers. Returns at once: [`Notice::Offline`] and
    /// [`Notice::Online`] tell the rest. How often is the caller's business.
    async fn renew(&self, groups: &[Address]);

    /// Closes the socket and ends every task of the link; the pairing stays.
    async fn stop(&self);
}

impl dyn Link {
    /// A call with its own answer.
    pub async fn ask<C: DeviceCall + Send>(&self, call: C) -> Result<C::Answer> {
        C::answer(self.call(call.into()).await?)
    }
}

/// Where a link reports. Messages come in order, and so do notices of the state, and so do receipts
/// with acknowledgements; among these three there is no order.
#[async_trait]
pub trait Sink: Send + Sync + 'static {
    /// Must commit before it answers `Ok`: only then does the link acknowledge to WhatsApp. `Err`
    /// leaves the batch unacknowledged and ends the connection, so that it is delivered again.
    async fn messages(&self, batch: Vec<InboundMessage>) -> Result<()>;

    /// Whether a message need not come again: it is committed, or nobody wants it. Asked about a repeat
    /// whose first arrival left no other trace.
    async fn has(&self, id: &MessageId) -> Result<bool>;

    /// `Err` means "not taken, give it again": a receipt, an acknowledgement, an undecryptable message,
    /// what was done to a group, what became of somebody, news of chats or of history is then offered until it is
    /// taken, with growing pauses and before any later one, also by the next link of the instance. One that was taken may
    /// come again after a crash. State and
    /// typing are told once.
    async fn notice(&self, notice: Notice) -> Result<()>;
}

/// Everything but messages that happens on a link.
#[derive(Clone, Debug, PartialEq)]
pub enum Notice {
    /// A code to show; the next one replaces it.
    Qr {
        code: String,
        valid_ms: i64,
    },
    /// Nobody scanned; the link is closed.
    QrExhausted,
    /// Pairing went wrong; the text is for a person.
    PairFailed {
        message: String,
    },
    /// A phone took the code. `phone` is digits.
    Paired {
        phone: String,
        jid: Address,
        lid: Option<Address>,
        push_name: Option<String>,
        business_name: Option<String>,
    },
    /// Logged in and able to send.
    Online {
        push_name: Option<String>,
    },
    /// The socket is gone, or silent for too long. `retrying`: the link opens it again by itself.
    Offline {
        reason: StateReason,
        retrying: bool,
    },
    /// The pairing is over: the device has been wiped and the link is closed.
    LoggedOut {
        reason: StateReason,
    },
    /// Another process leads the instance: this link wrote nothing since and is closed for good.
    Fenced,
    Receipt(InboundReceipt),
    /// A message came that could not be read, and was asked for again. The answer to that is a message
    /// like any other, with the same id.
    Undecryptable {
        chat: Party,
        sender: Party,
        from_me: bool,
        id: MessageId,
        at: Timestamp,
        /// Its content was not sent to linked devices (view-once media and the like); the phone has it.
        unavailable: bool,
        /// Nothing that a chat shows: a reaction, an edit.
        hidden: bool,
    },
    Typing(InboundTyping),
    /// Somebody whose presence is watched came or went. Told once.
    Presence(InboundPresence),
    /// Somebody calls, or a call is over. Told once.
    Call(InboundCall),
    /// Something became of somebody.
    Person(PersonChange),
    /// The number has another name, by its phone or another device.
    Renamed {
        push_name: String,
    },
    /// Something was done to a group.
    Group(group::Done),
    /// Of what the phone sends of its past.
    History(HistoryNews),
    /// What other devices of the account, or this one, did to chats and the address book, in their order.
    Synced(Vec<Synced>),
    /// A collection of what the account's devices tell each other does not follow. Told with each try to mend it.
    Unsynced(SyncTrouble),
    /// It follows again.
    SyncedAgain {
        collection: String,
    },
    /// WhatsApp's server took (`None`) or refused (`Some(code)`) a message we sent.
    ServerAck {
        id: MessageId,
        refused: Option<String>,
    },
}
