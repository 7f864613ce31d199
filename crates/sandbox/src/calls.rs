//! Calls: a phone rings others, and what becomes of that. Nothing is ever heard in one.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use crate::ambient;
use crate::core::{Core, jid, text};
use crate::profile::Call;
use crate::state::Addr;

impl Core {
    /// Rings another account: all of its linked devices.
    pub(crate) fn call(&mut self, number: &str, to: &str, video: bool) -> Call {
        let call = Call {
            id: ambient::message_id(),
            from: number.to_owned(),
            to: to.to_owned(),
            video,
            state: "ringing",
        };
        if !self.has_blocked(to, number) {
            let mut media = vec![
                NodeBuilder::new("audio")
                    .attr("enc", "opus")
                    .attr("rate", "16000")
                    .build(),
            ];
            if video {
                media.push(NodeBuilder::new("video").attr("dec", "H264").build());
            }
            self.ring(&call, "offer", media, None);
        }
        self.calls.push(call.clone());
        call
    }

    /// The caller hangs up. `None`: there is no such call, or it does not ring any more.
    pub(crate) fn hang_up(&mut self, number: &str, id: &str) -> Option<Call> {
        let call = self
            .calls
            .iter_mut()
            .find(|call| call.id == id && call.from == number && call.state == "ringing")?;
        call.state = "ended";
        let call = call.clone();
        self.ring(&call, "terminate", Vec::new(), None);
        Some(call)
    }

    /// One part of a call to every linked device of who is called.
    fn ring(&mut self, call: &Call, part: &'static str, children: Vec<Node>, but: Option<&Addr>) {
        let caller = Addr::phone(call.from.as_str());
        let creator = self.lid_jid(&caller).unwrap_or_else(|| caller.jid());
        let mut action = NodeBuilder::new(part)
            .attr("call-id", call.id.as_str())
            .attr("call-creator", creator.clone());
        if part == "offer" {
            action = action.attr("caller_pn", caller.account());
        }
        if but.is_some() {
            action = action.attr("reason", "rejected_elsewhere");
        }
        let action = action.children(children).build();
        for companion in self.companions_of(&call.to) {
            if but == Some(&companion) {
                continue;
            }
            let stanza = NodeBuilder::new("call")
                .attr("from", creator.to_non_ad())
                .attr("id", ambient::stanza_id())
                .attr("t", ambient::now_secs())
                .children([action.clone()]);
            self.deliver(&companion, stanza.build());
        }
    }

    /// `<call>` from a companion. Declining is what they do.
    pub(crate) fn companion_call(&mut self, by: &Addr, node: &Node) {
        let ack = NodeBuilder::new("ack")
            .attr("class", "call")
            .attr("id", text(node, "id"));
        let ack = match jid(node, "to") {
            Some(to) => ack.attr("from", to),
            None => ack,
        };
        if let Some(link) = self.links.get(by) {
            Self::send_to_conn(&link.out, ack.build());
        }
        let Some(reject) = node.get_optional_child("reject") else {
            return;
        };
        let id = text(reject, "call-id");
        let caller: Option<Jid> = jid(node, "to");
        let caller = caller.and_then(|to| self.resolve(&to));
        let caller = caller.map(|addr| addr.number).unwrap_or_default();
        let call = self.calls.iter_mut().find(|call| {
            call.id == id && call.to == by.number && call.from == caller && call.state == "ringing"
        });
        if let Some(call) = call {
            call.state = "rejected";
            let call = call.clone();
            self.ring(&call, "terminate", Vec::new(), Some(by));
        }
    }
}
