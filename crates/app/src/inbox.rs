//! The inbox of an instance's actor: commands from callers, from the sink of its link, from the supervisor and
//! from tasks that it started itself.

use recado_engine::Notice;
use recado_model::{Address, Call, CallAnswer, MediaKey, MessageId, Result, call::Looked};
use tokio::sync::oneshot;

pub(crate) enum Command {
    Notice(Notice),
    /// Something is in the queue.
    Wake,
    /// The setting of the presence changed.
    Appear,
    /// Ask the device.
    Call {
        call: Call,
        reply: oneshot::Sender<Result<CallAnswer>>,
    },
    /// The number of a message that waits was looked up, and others with it.
    LookedUp {
        id: MessageId,
        result: Result<Vec<Looked>>,
    },
    /// The medium of a message was brought to WhatsApp, or was not.
    Brought {
        id: MessageId,
        result: Result<()>,
    },
    /// Ask the phone to bring a medium to WhatsApp again.
    Reupload(Reupload),
    /// A send came back: the message was written to the socket, or not.
    SendReturned {
        id: MessageId,
        result: Result<()>,
    },
    /// The sink heard what became of a message.
    Answered {
        id: MessageId,
        verdict: Verdict,
    },
    /// The owner wants it off; the pairing stays.
    Disconnect {
        reply: oneshot::Sender<Result<bool>>,
    },
    /// End the pairing at WhatsApp.
    Logout {
        reply: oneshot::Sender<()>,
    },
    /// Another process has the lease now: let go at once.
    LeaseLost,
    /// The paid time is over; the pairing stays.
    Unpaid,
    /// The program ends.
    Stop {
        reply: oneshot::Sender<()>,
    },
}

/// A medium of a message that WhatsApp's hosts have no more.
pub(crate) struct Reupload {
    pub chat: Address,
    pub sender: Option<Address>,
    pub from_me: bool,
    pub id: MessageId,
    pub key: MediaKey,
    /// Where it is then.
    pub reply: oneshot::Sender<Result<Option<String>>>,
}

/// The end of a message's try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing is left to do for it.
    Done,
    /// Again, after a pause of its chat.
    Again { attempts: u32 },
    /// Again, after a pause of all chats.
    Slower { attempts: u32 },
    /// Again at once.
    Anew,
    /// Again, on a new connection.
    NewConnection,
}
