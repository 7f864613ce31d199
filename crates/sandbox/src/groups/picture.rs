//! A group's picture: JPEG bytes under an id that changes with them.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use super::{NOT_ACCEPTABLE, NOT_FOUND, No, Picture, group_id};
use crate::blob::Blob;
use crate::core::{Core, iq_error, jid, node_bytes, result, text};
use crate::profile;
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
                let set = self.set_group_picture(&addr.number, &group, jpeg);
                set.map(|id_of| id_of.map(|id_of| NodeBuilder::new("picture").attr("id", id_of)))
            }
            _ => {
                let kind = given.map(|asked| text(asked, "type")).unwrap_or_default();
                self.group_picture(&addr.number, &group)
                    .map(|found| Some(found.attr("type", kind)))
            }
        };
        Some(match answer {
            Ok(Some(picture)) => result(id, vec![picture.build()]),
            Ok(None) => result(id, Vec::new()),
            Err(No(code, why)) => iq_error(id, code, why),
        })
    }

    fn group_picture(&self, by: &str, id: &str) -> Result<NodeBuilder, No> {
        let group = self.group_with(by, id)?;
        let picture = group.picture.as_ref().ok_or(NOT_FOUND)?;
        let url = format!("https://{}{}", self.media_host, picture.path);
        Ok(NodeBuilder::new("picture")
            .attr("id", picture.id.as_str())
            .attr("url", url)
            .attr("direct_path", picture.path.as_str()))
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
        let picture = jpeg.map(|jpeg| self.keep_picture(jpeg)).transpose()?;
        let id_of = picture.as_ref().map(|picture| picture.id.clone());
        if let Some(group) = self.groups.get_mut(id) {
            group.picture = picture;
        }
        self.touch_group(id);
        self.tell_picture(id, by, id_of.as_deref());
        Ok(id_of)
    }

    fn keep_picture(&self, jpeg: &[u8]) -> Result<Picture, No> {
        let kept = profile::Picture::put(&self.shelf, jpeg, jpeg).map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "cannot keep a picture");
            No(500, "internal-server-error")
        })?;
        Ok(Picture {
            id: kept.id,
            jpeg: Blob(jpeg.to_vec()),
            path: kept.path,
        })
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
