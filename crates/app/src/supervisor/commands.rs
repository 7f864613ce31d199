//! The commands of an actor: from callers, from the supervisor and from tasks that it started itself.

use recado_model::{Call, CallAnswer, ConnectionState, Error, ErrorCode, Result, StateReason};
use tokio::sync::oneshot;

use super::{
    actor::{Actor, End, Reply, over},
    changes::Change,
};
use crate::inbox::{Command, Reupload};

impl Actor {
    /// `Some` when that is its end.
    pub(super) async fn told(&mut self, command: Command) -> Option<End> {
        match command {
            Command::Notice(notice) => return self.noticed(notice).await,
            Command::Wake => self.look_soon(),
            Command::Appear => self.appear(),
            Command::LookedUp { id, result } => self.looked_up(id, result).await,
            Command::Brought { id, result } => self.brought(id, result).await,
            Command::Reupload(asked) => self.reupload(asked),
            Command::SendReturned { id, result } => self.send_returned(id, result).await,
            Command::Answered { id, verdict } => self.answered(&id, verdict).await,
            Command::Call { call, reply } => self.call(call, reply),
            Command::Disconnect { reply } => {
                self.close().await;
                let done = self.disconnected_by_owner().await;
                return Some(End {
                    reply: Some(Reply::Disconnected(reply, done)),
                    ..over(StateReason::DisconnectedByOwner)
                });
            }
            Command::Logout { reply } => return Some(self.log_out(reply).await),
            Command::LeaseLost => return Some(over(StateReason::StreamReplaced)),
            Command::Unpaid => {
                let (state, reason) = (ConnectionState::Disconnected, StateReason::Unpaid);
                let was = self.online;
                self.close().await;
                self.persist(Change::Offline { state, reason, was }).await;
                return Some(over(reason));
            }
            Command::Stop { reply } => return Some(self.stop(reply)),
        }
        None
    }

    fn reupload(&self, asked: Reupload) {
        let Some(link) = self.link.clone().filter(|_| self.online) else {
            let none = "There is no connection to WhatsApp now.";
            let none = Error::new(ErrorCode::InstanceNotConnected, none);
            drop(asked.reply.send(Err(none)));
            return;
        };
        // On its own: the phone may take half a minute.
        tokio::spawn(async move {
            let Reupload {
                chat,
                sender,
                from_me,
                id,
                key,
                reply,
            } = asked;
            let again = link.reupload(&chat, sender.as_ref(), from_me, &id, &key);
            drop(reply.send(again.await));
        });
    }

    fn call(&self, call: Call, reply: oneshot::Sender<Result<CallAnswer>>) {
        let Some(link) = self.link.clone() else {
            let none = "There is no connection to WhatsApp yet. Ask again in a moment.";
            drop(reply.send(Err(Error::new(ErrorCode::EngineUnavailable, none))));
            return;
        };
        let instance = self.instance.clone();
        // On its own: WhatsApp may take its time, and the actor has other things to hear.
        tokio::spawn(async move {
            // The caller may have given up.
            if let Err(Err(error)) = reply.send(link.call(call).await) {
                tracing::debug!(instance.id = %instance, error = &error as &dyn std::error::Error, "a call that nobody waits for failed");
            }
        });
    }

    async fn log_out(&mut self, reply: oneshot::Sender<()>) -> End {
        if let Some(link) = self.link.take()
            && let Err(error) = link.logout().await
        {
            self.log(
                &error,
                "WhatsApp did not confirm the log-out; the device is wiped here",
            );
        }
        End {
            reply: Some(Reply::Closed(reply)),
            ..over(StateReason::LoggedOutByOwner)
        }
    }

    fn stop(&mut self, reply: oneshot::Sender<()>) -> End {
        self.handing_over = self.core.store.is_shared();
        // A paired instance comes back at the next start; a QR that nobody scanned does not.
        let state = match self.live.borrow().paired {
            true => ConnectionState::Connecting,
            false => ConnectionState::Disconnected,
        };
        End {
            state: Some(state),
            reply: Some(Reply::Closed(reply)),
            ..over(StateReason::Starting)
        }
    }
}
