//! Messages out: accepted in one transaction with their place in the instance's queue.

use recado_model::{
    Caller, Error, ErrorCode, Instance, JobId, MessageStatus, PhoneNumber, Result,
    message::{MessageId, OutgoingText, QuotedMessage},
};

use crate::{App, instances::require_paired};

pub struct Messages<'a> {
    pub(crate) app: &'a App,
}

/// A text as a caller gives it.
#[derive(Clone, Debug, Default)]
pub struct SendText {
    /// A number, or a full address (`…@g.us`).
    pub phone: String,
    pub message: String,
    /// The caller's own message id; repeating it repeats nothing.
    pub id: Option<String>,
    /// Wait before it is sent.
    pub delay_ms: Option<i64>,
    pub mentioned_ids: Vec<String>,
    pub reply_to_message_id: Option<String>,
    /// The id stands for one message in the whole account, whichever number sends it.
    pub once_in_account: bool,
}

/// A message got further.
#[derive(Clone, Debug)]
pub struct Progress {
    pub instance: recado_model::InstanceId,
    pub message: MessageId,
    pub status: MessageStatus,
}

/// Job kind of a queued text; its payload is an `OutgoingText` as JSON.
pub(crate) const SEND_TEXT: &str = "send_text";

/// WhatsApp's own limit on a text.
const TEXT_MAX: usize = 65_536;
const DELAY_MAX_MS: i64 = 24 * 3600 * 1000;
const MENTIONS_MAX: usize = 1024;

impl Messages<'_> {
    /// Accepts a text: from here on it is ours to bring to WhatsApp, over restarts.
    pub async fn send_text(
        &self,
        caller: &Caller,
        instance: &Instance,
        send: SendText,
    ) -> Result<MessageId> {
        let core = &self.app.core;
        let to = address(&send.phone)?;
        if send.message.is_empty() {
            return Err(Error::field(
                "message",
                "message is required: the text to send",
            ));
        }
        if send.message.len() > TEXT_MAX {
            return Err(Error::field("message", "message has at most 65536 bytes"));
        }
        if send.mentioned_ids.len() > MENTIONS_MAX {
            return Err(Error::field("mentioned_ids", "at most 1024 mentions"));
        }
        let delay = send.delay_ms.unwrap_or(0);
        if !(0..=DELAY_MAX_MS).contains(&delay) {
            return Err(Error::field(
                "delay",
                "delay is in milliseconds, 0 to 86400000",
            ));
        }
        let id = match send.id.as_deref().filter(|id| !id.is_empty()) {
            Some(id) => MessageId::from_caller(id).ok_or_else(|| {
                Error::field("id", "id has 8 to 64 characters of A-Z a-z 0-9 - _ .")
            })?,
            None => MessageId::random(&*core.rng),
        };
        let mentioned = send
            .mentioned_ids
            .iter()
            .map(|id| address(id))
            .collect::<Result<_>>()?;

        let now = core.clock.now();
        let mut conn = core.store.write().await?;
        let mut account = conn.account(&caller.account);
        // Two calls at once may have chosen two numbers; the second to get here sends nothing.
        if send.once_in_account
            && let Some(known) = account.find_message(&id).await?
            && known.instance != instance.id
        {
            return Err(Error::new(
                ErrorCode::Conflict,
                "This key was used on another number of the account a moment ago.",
            ));
        }
        let reply_to = match send
            .reply_to_message_id
            .as_deref()
            .filter(|id| !id.is_empty())
        {
            None => None,
            Some(quoted) => {
                let quoted = MessageId::from_wire(quoted);
                let row = account
                    .message(&instance.id, &quoted)
                    .await?
                    .ok_or_else(|| {
                        Error::field(
                            "reply_to_message_id",
                            "no message with this id is known on this instance",
                        )
                    })?;
                Some(QuotedMessage {
                    id: quoted,
                    sender: row.sender,
                    text: row.text.unwrap_or_default(),
                })
            }
        };
        let text = OutgoingText {
            id: id.clone(),
            to,
            text: send.message,
            mentioned,
            reply_to,
        };
        let own = instance.jid.as_deref().unwrap_or_default();
        if !account
            .insert_outgoing(&instance.id, &text, own, now)
            .await?
        {
            let known = account.message(&instance.id, &id).await?;
            let same = known.is_some_and(|row| {
                row.chat == text.to && row.text.as_deref() == Some(text.text.as_str())
            });
            return if same {
                Ok(id)
            } else {
                Err(Error::new(
                    ErrorCode::Conflict,
                    "This id was used for another message of this instance. Give each message its own id.",
                ))
            };
        }
        // Judged inside the transaction: it may have been logged out, or have come to the end of what
        // is paid, since the caller was proven. Dropping the transaction takes the row above back.
        let instance = account
            .instance(&instance.id)
            .await?
            .ok_or_else(Error::forbidden)?;
        self.app.billing().require(&instance)?;
        require_paired(&instance)?;
        let payload = serde_json::to_string(&text).map_err(Error::internal)?;
        let job = JobId::random(&*core.rng);
        account
            .enqueue(
                &job,
                &instance.id,
                SEND_TEXT,
                &payload,
                now.plus_millis(delay),
                now,
            )
            .await?;
        conn.commit().await?;
        self.app.supervisor.wake(&instance.id);
        Ok(id)
    }

    pub async fn status(
        &self,
        caller: &Caller,
        instance: &Instance,
        id: &MessageId,
    ) -> Result<Option<MessageStatus>> {
        let mut conn = self.app.core.store.read().await?;
        let row = conn
            .account(&caller.account)
            .message(&instance.id, id)
            .await?;
        Ok(row.map(|row| row.status))
    }

    /// Where in the account a message of this id was sent from, and how far it got. `None` also for
    /// one of an instance that the caller may not use: sending the id anew is a conflict then.
    pub async fn find_anywhere(
        &self,
        caller: &Caller,
        id: &MessageId,
    ) -> Result<Option<(Instance, MessageStatus)>> {
        let mut conn = self.app.core.store.read().await?;
        let mut account = conn.account(&caller.account);
        let found = account.find_message(id).await?;
        let Some(row) = found.filter(|row| caller.scope.allows(&row.instance)) else {
            return Ok(None);
        };
        let instance = account.instance(&row.instance).await?;
        Ok(instance.map(|instance| (instance, row.status)))
    }

    /// Waits until the message is sent or has failed, at most `max_ms`; answers where it stands then.
    pub async fn wait_sent(
        &self,
        caller: &Caller,
        instance: &Instance,
        id: &MessageId,
        max_ms: i64,
    ) -> Result<MessageStatus> {
        // Listening before the first look, so that nothing falls between the two.
        let mut progress = self.app.core.progress.subscribe();
        let deadline = self.app.core.clock.sleep_ms(max_ms);
        tokio::pin!(deadline);
        loop {
            let status = self
                .status(caller, instance, id)
                .await?
                .unwrap_or(MessageStatus::Queued);
            if status >= MessageStatus::Sent {
                return Ok(status);
            }
            loop {
                tokio::select! {
                    () = &mut deadline => return Ok(status),
                    step = progress.recv() => match step {
                        Ok(step) if step.instance == instance.id && step.message == *id => break,
                        Ok(_) => {}
                        // Missed some: look at the row again.
                        Err(_) => break,
                    }
                }
            }
        }
    }
}

/// A number becomes a person's address; a full group or person address stays.
pub(crate) fn address(text: &str) -> Result<String> {
    let text = text.trim();
    if let Some(group) = text.strip_suffix("@g.us") {
        let fits = !group.is_empty()
            && group.len() <= 64
            && group.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        return if fits {
            Ok(text.to_owned())
        } else {
            Err(Error::new(
                ErrorCode::InvalidPhone,
                "a group address looks like 120363000000000000@g.us",
            ))
        };
    }
    if let Some(lid) = text.strip_suffix("@lid")
        && !lid.is_empty()
        && lid.len() <= 20
        && lid.bytes().all(|b| b.is_ascii_digit())
    {
        return Ok(text.to_owned());
    }
    Ok(format!("{}@s.whatsapp.net", PhoneNumber::parse(text)?))
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn addresses() {
        assert_eq!(
            address("+55 11 99999-9999").expect("number"),
            "5511999999999@s.whatsapp.net"
        );
        assert_eq!(
            address("120363000000000000@g.us").expect("group"),
            "120363000000000000@g.us"
        );
        assert_eq!(
            address("12345678901234@lid").expect("lid"),
            "12345678901234@lid"
        );
        for bad in [
            "",
            "@g.us",
            "evil@g.us",
            "x@lid",
            "1@evil.example",
            "5511999999999@s.whatsapp.net@g.us",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
