//! Getting stanzas to companions: nothing is forgotten before the companion acknowledged it.

use std::time::Duration;

use anyhow::{Context as _, Result};
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Node, util::unpack};

use crate::backlog::Queued;
use crate::blob::Blob;
use crate::core::{Core, Entity, Out, Phase, text};
use crate::state::Addr;

/// How long a companion that logged itself out may stay to read the answer.
const LOGOUT_GRACE: Duration = Duration::from_millis(500);

/// The binary form of a stanza, for the queue and the state file.
pub(crate) fn pack(node: &Node) -> Result<Blob> {
    Ok(Blob(
        wacore_binary::marshal(node).context("a stanza could not be encoded")?,
    ))
}

/// The inverse of [`pack`].
pub(crate) fn unpack_stanza(blob: &Blob) -> Result<Node> {
    let data = unpack(&blob.0).context("a stored stanza is damaged")?;
    Ok(wacore_binary::marshal::unmarshal_ref(&data)
        .context("a stored stanza is damaged")?
        .to_owned())
}

impl Core {
    /// Hands a stanza to a device: to the phone, or into the companion's queue and, when it is
    /// connected, onto its connection.
    pub(crate) fn deliver(&mut self, to: &Addr, node: Node) {
        if to.is_phone() {
            self.deliver_to_phone(&to.number, node);
            return;
        }
        let stanza = match pack(&node) {
            Ok(stanza) => stanza,
            Err(error) => {
                tracing::warn!(%error, device = %to, "dropped a stanza");
                return;
            }
        };
        let from = crate::core::jid(&node, "from")
            .map(|jid| self.party(&jid))
            .unwrap_or_default();
        let class = node.tag.to_string();
        let kind = (class == "receipt")
            .then(|| text(&node, "type"))
            .filter(|kind| !kind.is_empty());
        let Some(companion) = self.companions.get_mut(to) else {
            tracing::debug!(device = %to, "no such companion; the stanza has no addressee");
            return;
        };
        let live = self.links.get(to).filter(|link| link.phase == Phase::Live);
        companion.queue.push(Queued {
            class,
            id: text(&node, "id"),
            from,
            kind,
            stanza,
            sent_on: live.map(|link| link.conn),
        });
        if let Some(link) = live {
            Self::send_to_conn(&link.out, node);
        }
        self.dirty.insert(Entity::Queue(to.clone()));
    }

    /// Sends something that is not worth keeping (typing, presence) if the companion is there.
    pub(crate) fn deliver_now(&self, to: &Addr, node: Node) {
        if let Some(link) = self.links.get(to).filter(|link| link.phase == Phase::Live) {
            Self::send_to_conn(&link.out, node);
        }
    }

    /// The companion has taken a stanza; `from` is the account it came from.
    pub(crate) fn acknowledged(
        &mut self,
        by: &Addr,
        class: &str,
        id: &str,
        from: &str,
        kind: Option<&str>,
    ) {
        let Some(companion) = self.companions.get_mut(by) else {
            return;
        };
        let taken = companion.queue.take(|queued| {
            queued.class == class
                && queued.id == id
                && queued.from == from
                && (class != "receipt" || queued.kind.as_deref() == kind)
        });
        if taken {
            self.dirty.insert(Entity::Queue(by.clone()));
        }
    }

    /// The companion went active: announce what waited for it.
    pub(crate) fn start_offline(&mut self, addr: &Addr) {
        let Some(companion) = self.companions.get(addr) else {
            return;
        };
        let Some(link) = self.links.get_mut(addr) else {
            return;
        };
        if link.phase != Phase::Passive {
            return;
        }
        let total = companion.queue.len();
        let count = |class: &str| {
            companion
                .queue
                .iter()
                .filter(|queued| queued.class == class)
                .count() as u64
        };
        link.phase = Phase::Offline { left: total, total };
        let preview = NodeBuilder::new("offline_preview")
            .attr("count", total as u64)
            .attr("message", count("message"))
            .attr("receipt", count("receipt"))
            .attr("notification", count("notification"))
            .attr("appdata", 0u64)
            .attr("call", 0u64)
            .build();
        if total > 0 {
            Self::send_to_conn(&link.out, ib(preview));
        }
        self.offline_batch(addr, 0);
    }

    /// Sends up to `wanted` stanzas of the backlog, and the end marker after the last one.
    pub(crate) fn offline_batch(&mut self, addr: &Addr, wanted: usize) {
        let (Some(companion), Some(link)) =
            (self.companions.get_mut(addr), self.links.get_mut(addr))
        else {
            return;
        };
        let Phase::Offline { mut left, total } = link.phase else {
            return;
        };
        let mut sent = 0;
        for queued in companion.queue.iter_mut() {
            if sent == wanted || left == 0 {
                break;
            }
            if queued.sent_on == Some(link.conn) {
                continue;
            }
            queued.sent_on = Some(link.conn);
            left -= 1;
            sent += 1;
            match unpack_stanza(&queued.stanza) {
                Ok(mut node) => {
                    node.attrs.insert("offline", "0");
                    Self::send_to_conn(&link.out, node);
                }
                Err(error) => tracing::warn!(%error, device = %addr, "dropped a stanza"),
            }
        }
        // A backlog can shrink under us when the client acknowledges late stanzas of its last
        // connection; nothing left to send means that the backlog is through.
        if sent < wanted {
            left = 0;
        }
        link.phase = Phase::Offline { left, total };
        if left > 0 {
            return;
        }
        link.phase = Phase::Live;
        let end = NodeBuilder::new("offline")
            .attr("count", total as u64)
            .build();
        Self::send_to_conn(&link.out, ib(end));
        // Stanzas that came in while the backlog was running.
        for queued in companion.queue.iter_mut() {
            if queued.sent_on == Some(link.conn) {
                continue;
            }
            queued.sent_on = Some(link.conn);
            match unpack_stanza(&queued.stanza) {
                Ok(node) => Self::send_to_conn(&link.out, node),
                Err(error) => tracing::warn!(%error, device = %addr, "dropped a stanza"),
            }
        }
    }

    /// Unlinks a companion: its connection ends with 401 and its identity is forgotten.
    pub(crate) fn remove_companion(&mut self, addr: &Addr, stream_error: bool) {
        if let Some(link) = self.links.remove(addr) {
            if stream_error {
                let error = NodeBuilder::new("stream:error")
                    .attr("code", "401")
                    .children([NodeBuilder::new("conflict")
                        .attr("type", "device_removed")
                        .build()])
                    .build();
                Self::end_stream(&link.out, error);
            } else {
                // The answer to the log-out is on its way; closing right behind it would overtake
                // it inside a client that reads answers and goodbyes on different tasks.
                let out = link.out;
                tokio::spawn(async move {
                    tokio::time::sleep(LOGOUT_GRACE).await;
                    if out.send(Out::Close).is_err() {
                        tracing::debug!("the client hung up first");
                    }
                });
            }
        }
        if self.companions.remove(addr).is_none() {
            return;
        }
        self.touch_companion(addr);
        if let Some(phone) = self.phones.get_mut(&addr.number) {
            let key = addr.to_string();
            phone.ratchets.forget(&key);
            phone.identities.remove(&key);
            phone.key_shares.retain(|_, device| device != addr);
        }
        self.touch_phone(&addr.number);
        self.announce_device(addr, "remove");
    }
}

/// Wraps a child into the server's information stanza.
pub(crate) fn ib(child: Node) -> Node {
    NodeBuilder::new("ib")
        .attr("from", wacore_binary::SERVER_JID)
        .children([child])
        .build()
}
