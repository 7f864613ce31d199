//! Stream errors on purpose, in the shapes that WhatsApp sends.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::ambient;
use crate::core::Core;
use crate::state::Addr;
use crate::trouble::{Kind, Trouble};

impl Core {
    /// Meets the connected clients with a stream error. The rest of its count waits for those
    /// that log in later. Returns how many were hit.
    pub(crate) fn trouble_streams(&mut self, mut trouble: Trouble) -> usize {
        let code = trouble.code.unwrap_or_default();
        let mut hit = 0;
        let mut connected: Vec<Addr> = self
            .links
            .keys()
            .filter(|addr| trouble.number.as_ref().is_none_or(|n| *n == addr.number))
            .cloned()
            .collect();
        connected.sort();
        for addr in connected {
            if trouble.count == Some(0) {
                break;
            }
            self.stream_error(&addr, code);
            trouble.count = trouble.count.map(|count| count - 1);
            hit += 1;
        }
        if trouble.count.is_some_and(|count| count > 0) {
            self.troubles.add(trouble);
        }
        hit
    }

    /// A client logged in: it may be one that a stream error waits for.
    pub(crate) fn greet_with_trouble(&mut self, addr: &Addr) {
        if let Some(trouble) = self.troubles.meet(Kind::StreamError, &addr.number) {
            self.stream_error(addr, trouble.code.unwrap_or_default());
        }
    }

    fn stream_error(&mut self, addr: &Addr, code: u16) {
        if code == 0 {
            let ack = self.ack_shaped(addr);
            if let Some(link) = self.links.get(addr) {
                Self::send_to_conn(&link.out, ack);
            }
            return;
        }
        if code == 401 {
            // That is how WhatsApp tells that the device was unlinked.
            self.remove_companion(addr, true);
            return;
        }
        let mut error = NodeBuilder::new("stream:error").attr("code", u32::from(code));
        if code == 409 {
            error = error.children([NodeBuilder::new("conflict")
                .attr("type", "replaced")
                .build()]);
        }
        if let Some(link) = self.links.remove(addr) {
            Self::end_stream(&link.out, error.build());
        }
    }

    /// The one stream error that is no end: an ack that the server could not route, wrapped up.
    fn ack_shaped(&self, addr: &Addr) -> Node {
        let waiting = self
            .companions
            .get(addr)
            .and_then(|companion| companion.queue.iter().next());
        let (class, id) = match waiting {
            Some(queued) => (queued.class.clone(), queued.id.clone()),
            None => ("receipt".to_owned(), ambient::stanza_id()),
        };
        NodeBuilder::new("stream:error")
            .children([NodeBuilder::new("ack")
                .attr("class", class)
                .attr("id", id)
                .build()])
            .build()
    }
}
