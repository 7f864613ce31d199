//! The inbox of an instance's actor: commands from callers, from the sink of its link, from the supervisor and
//! from tasks that it started itself.

use recado_engine::Notice;
use recado_model::{Call, CallAnswer, MessageId, Result};
use tokio::sync::oneshot;

pub(crate) enum Command {
    Notice(Notice),
    /// Something is in the queue.
    Wake,
    /// Ask the device.
    Call {
        call: Call,
        reply: oneshot::Sender<Result<CallAnswer>>,
    },
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
