//! Questions that companions ask the server. One file per topic; add a namespace to
//! [`Core::companion_iq`] and its answer next to its kind.

mod app_state;
mod devices;
mod media;
mod pair;
mod prekeys;
mod profile;
mod settings;
mod usync;

use wacore_binary::Node;

use crate::core::{Core, iq_error, result, text};
use crate::state::Addr;

impl Core {
    /// Answers an IQ of a logged-in companion.
    pub(crate) fn companion_iq(&mut self, addr: &Addr, node: &Node) {
        let id = text(node, "id");
        let kind = text(node, "type");
        if kind == "result" || kind == "error" {
            return;
        }
        let set = kind == "set";
        let namespace = text(node, "xmlns");
        let child = node
            .children()
            .and_then(|children| children.first())
            .map(|child| child.tag.to_string())
            .unwrap_or_default();
        let answer = match (namespace.as_str(), child.as_str()) {
            ("passive", "active") => {
                self.reply(addr, result(&id, Vec::new()));
                self.start_offline(addr);
                return;
            }
            ("md", "remove-companion-device") => {
                self.reply(addr, result(&id, Vec::new()));
                self.remove_linked_device(addr, node);
                return;
            }
            ("encrypt", "count") => self.prekey_count(addr, &id),
            ("encrypt", "digest") => self.prekey_digest(addr, &id),
            ("encrypt", "key") => self.prekey_bundles(addr, &id, node),
            ("encrypt", "rotate") => self.rotate_prekey(addr, &id, node),
            ("encrypt", _) if set => self.upload_prekeys(addr, &id, node),
            ("usync", _) => self.usync(addr, &id, node),
            ("w:m", _) => self.media_conn(&id),
            ("w:sync:app:state", _) => self.app_state(addr, &id, node),
            ("abt", _) => settings::props(&id),
            ("privacy", "privacy") if !set => settings::privacy(&id),
            ("w:g2", _) => self.group_iq(addr, &id, node),
            ("w:profile:picture", _) => match self.group_picture_iq(addr, &id, node) {
                Some(answer) => answer,
                None if set => self.set_picture(addr, &id, node),
                None => self.picture(addr, &id, node),
            },
            ("status", "status") if set => self.set_about(addr, &id, node),
            ("w:biz", "business_profile") => self.business(&id, node),
            ("blocklist", _) => self.blocklist(addr, &id, node),
            ("w:p" | "urn:xmpp:ping" | "passive" | "urn:xmpp:whatsapp:dirty", _) => {
                result(&id, Vec::new())
            }
            _ => {
                tracing::debug!(device = %addr, namespace, child, kind, "unknown IQ");
                if set {
                    result(&id, Vec::new())
                } else {
                    iq_error(&id, 501, "feature-not-implemented")
                }
            }
        };
        self.reply(addr, answer);
    }

    fn reply(&self, addr: &Addr, node: Node) {
        if let Some(link) = self.links.get(addr) {
            Self::send_to_conn(&link.out, node);
        }
    }
}
