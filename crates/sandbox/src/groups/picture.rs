//! A group's picture: JPEG bytes under an id that changes with them.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use super::{NOT_ACCEPTABLE, NOT_FOUND, No, Picture, group_id};
use crate::ambient;
use crate::blob::Blob;
use crate::core::{Core, iq_error, jid, node_bytes, result, text};
use crate::state::Addr;

/// No picture of a profile is larger.
const LARGEST: usize = 1024 * 1024;

impl Core {
    /// `w:profile:picture` about a group; `None` where it is about a person.
    pub(crate) fn group_picture_iq(&mut self, addr: &Addr, id: &str, node: &Node) -> Option<Node> {
        let named = jid(node, "target").or_else(|| jid(node, "to"));
        let group = named.as_ref().and_then(group_id)?;
        let given = node.get_optional_child("picture");
        let answer = match text(node, "type").as_str() {
            "set" => {
                let jpeg = given.and_then(node_bytes).filter(|bytes| !bytes.is_empty());
                self.set_group_picture(&addr.number, &group, jpeg)
            }
            _ => self.group_picture(&addr.number, &group),
        };
        Some(match answer {
            Ok(Some(id_of)) => {
                let picture = NodeBuilder::new("picture").attr("id", id_of);
                result(id, vec![picture.build()])
            }
            Ok(None) => result(id, Vec::new()),
            Err(No(code, why)) => iq_error(id, code, why),
        })
    }

    fn group_picture(&self, by: &str, id: &str) -> Result<Option<String>, No> {
        let group = self.group_with(by, id)?;
        let picture = group.picture.as_ref().ok_or(NOT_FOUND)?;
        Ok(Some(picture.id.clone()))
    }

    /// Without bytes the group has none any more.
    pub(crate) fn set_group_picture(
        &mut self,
        by: &str,
        id: &str,
        jpeg: Option<&[u8]>,
    ) -> Result<Option<String>, No> {
        self.group_open_to(by, id)?;
        if jpeg.is_some_and(|jpeg| !jpeg.starts_with(&[0xff, 0xd8]) || jpeg.len() > LARGEST) {
            return Err(NOT_ACCEPTABLE);
        }
        let picture = jpeg.map(|jpeg| Picture {
            id: ambient::now_ms().to_string(),
            jpeg: Blob(jpeg.to_vec()),
        });
        let id_of = picture.as_ref().map(|picture| picture.id.clone());
        if let Some(group) = self.groups.get_mut(id) {
            group.picture = picture;
        }
        self.touch_group(id);
        self.tell_picture(id, by, id_of.as_deref());
        Ok(id_of)
    }

    fn tell_picture(&mut self, id: &str, by: &str, id_of: Option<&str>) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        let author = self.member_jid(group.by_lid, &Addr::phone(by));
        let child = match id_of {
            Some(id_of) => NodeBuilder::new("set").attr("id", id_of),
            None => NodeBuilder::new("delete"),
        };
        let child = child
            .attr("jid", group.jid())
            .attr("author", author)
            .build();
        let stanza = self.notification(group, "picture", by, child);
        for number in group.numbers() {
            for companion in self.companions_of(&number) {
                self.deliver(&companion, stanza.clone());
            }
        }
    }
}
