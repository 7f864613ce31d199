//! A connection after the handshake: log-in or lobby, and sorting its stanzas.

use std::collections::BTreeMap;

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp::ClientPayload;

use crate::ambient;
use crate::core::{Core, Link, Phase, Sender, jid, text};
use crate::group::group_id;
use crate::messages::is_from_a_person;
use crate::state::Addr;

impl Core {
    /// A handshake finished. Known companions are logged in, new clients go to the lobby.
    pub(crate) fn connected(
        &mut self,
        conn: u64,
        out: Sender,
        client_key: &[u8],
        payload: &ClientPayload,
    ) {
        if let Some(data) = payload.device_pairing_data.as_option() {
            self.enter_lobby(conn, out, client_key, data);
            return;
        }
        let Some(addr) = payload.username.map(|number| {
            Addr::new(
                number.to_string(),
                u16::try_from(payload.device.unwrap_or_default()).unwrap_or_default(),
            )
        }) else {
            fail(&out, "405");
            return;
        };
        let known = self
            .companions
            .get(&addr)
            .is_some_and(|companion| companion.noise_public.0 == client_key);
        if !known {
            tracing::debug!(device = %addr, "log-in of a device that is not linked");
            fail(&out, "401");
            return;
        }
        if let Some(old) = self.links.remove(&addr) {
            let error = NodeBuilder::new("stream:error")
                .children([NodeBuilder::new("conflict")
                    .attr("type", "replaced")
                    .build()])
                .build();
            Self::end_stream(&old.out, error);
        }
        let mut success = NodeBuilder::new("success")
            .attr("t", ambient::now_secs())
            .attr("props", "27")
            .attr("location", "lo");
        if let Some(lid) = self.lid_jid(&addr) {
            success = success.attr("lid", lid);
        }
        Self::send_to_conn(&out, success.build());
        self.logged_in.insert(conn, addr.clone());
        self.links.insert(
            addr.clone(),
            Link {
                conn,
                out,
                phase: Phase::Passive,
                available: false,
                watches: BTreeMap::new(),
            },
        );
        for waiter in self.login_waiters.remove(&addr).unwrap_or_default() {
            if waiter.send(()).is_err() {
                tracing::debug!(device = %addr, "nobody waits for this log-in any more");
            }
        }
        self.greet_with_trouble(&addr);
    }

    /// A stanza came in.
    pub(crate) fn stanza(&mut self, conn: u64, node: &Node) {
        // A connection that was replaced or logged out still has an entry here, but no link.
        let addr = self
            .logged_in
            .get(&conn)
            .cloned()
            .filter(|addr| self.links.get(addr).is_some_and(|link| link.conn == conn));
        let number = addr
            .as_ref()
            .map(|addr| addr.number.as_str())
            .unwrap_or_default();
        if self.troubles.swallows(number, is_from_a_person(node)) {
            tracing::debug!(conn, tag = %node.tag, "swallowed");
            return;
        }
        match addr {
            Some(addr) => self.companion_stanza(&addr, node),
            None if self.lobby.contains_key(&conn) => self.lobby_stanza(conn, node),
            None => tracing::debug!(conn, tag = %node.tag, "stanza from a connection that ended"),
        }
    }

    fn companion_stanza(&mut self, addr: &Addr, node: &Node) {
        match node.tag.as_ref() {
            "iq" => self.companion_iq(addr, node),
            "message" => self.companion_message(addr, node),
            "receipt" => self.companion_receipt(addr, node),
            "ack" => self.companion_ack(addr, node),
            "ib" => {
                if let Some(batch) = node.get_optional_child("offline_batch") {
                    let wanted = text(batch, "count").parse().unwrap_or(200);
                    self.offline_batch(addr, wanted);
                }
            }
            "chatstate" => self.companion_chatstate(addr, node),
            "presence" => self.companion_presence(addr, node),
            "call" => self.companion_call(addr, node),
            other => tracing::debug!(device = %addr, tag = other, "ignored a stanza"),
        }
    }

    fn companion_chatstate(&mut self, from: &Addr, node: &Node) {
        let Some(named) = jid(node, "to") else {
            return;
        };
        let Some(state) = node.children().and_then(|children| children.first()) else {
            return;
        };
        let name = match (state.tag.as_ref(), text(state, "media").as_str()) {
            ("composing", "audio") => "recording",
            ("composing", _) => "composing",
            _ => "paused",
        };
        if let Some(group) = group_id(&named) {
            self.type_to_group(from, &group, state, name);
            return;
        }
        let Some(to) = self.resolve(&named) else {
            return;
        };
        let stanza = NodeBuilder::new("chatstate")
            .attr("from", self.jid_like(from, &named).to_non_ad())
            .children([state.clone()])
            .build();
        for companion in self.companions_of(&to.number) {
            self.deliver_now(&companion, stanza.clone());
        }
        if let Some(phone) = self.phone_mut(&to.number)
            && phone.online
        {
            phone.typing.insert(from.number.clone(), name.to_owned());
        }
    }
}

/// Refuses a log-in.
fn fail(out: &Sender, reason: &'static str) {
    let failure = NodeBuilder::new("failure")
        .attr("reason", reason)
        .attr("location", "lo")
        .build();
    Core::end_stream(out, failure);
}
