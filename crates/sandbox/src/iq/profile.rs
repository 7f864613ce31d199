//! Pictures, the line below the name, businesses, and whom an account has blocked.

use buffa::Message as _;
use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;
use waproto::whatsapp::{VerifiedNameCertificate, verified_name_certificate::Details};

use crate::ambient;
use crate::core::{Core, iq_error, jid, node_bytes, result, text};
use crate::profile::{Business, Picture};
use crate::state::Addr;

impl Core {
    /// Where the picture of somebody lies.
    pub(super) fn picture(&self, by: &Addr, id: &str, node: &Node) -> Node {
        let whose = jid(node, "target").and_then(|target| self.resolve(&target));
        let Some(whose) = whose else {
            return iq_error(id, 404, "item-not-found");
        };
        if !self.shows(&whose.number, &by.number) {
            return iq_error(id, 401, "not-authorized");
        }
        let phone = self.phones.get(&whose.number);
        let Some(picture) = phone.and_then(|phone| phone.profile.picture.as_ref()) else {
            return iq_error(id, 404, "item-not-found");
        };
        let asked = node.get_optional_child("picture");
        let kind = asked.map(|asked| text(asked, "type")).unwrap_or_default();
        let path = match kind.as_str() {
            "preview" => &picture.preview_path,
            _ => &picture.path,
        };
        let found = NodeBuilder::new("picture")
            .attr("id", picture.id.as_str())
            .attr("type", kind)
            .attr("url", format!("https://{}{path}", self.media_host))
            .attr("direct_path", path.as_str());
        result(id, vec![found.build()])
    }

    /// A picture of one's own, or none any more.
    pub(super) fn set_picture(&mut self, by: &Addr, id: &str, node: &Node) -> Node {
        let bytes = node.get_optional_child("picture").and_then(node_bytes);
        let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else {
            self.change_profile(&by.number, |profile| profile.picture = None);
            return result(id, Vec::new());
        };
        // As WhatsApp's: nothing but JPEG.
        if !bytes.starts_with(&[0xff, 0xd8]) {
            return iq_error(id, 406, "not-acceptable");
        }
        match Picture::put(&self.shelf, bytes, bytes) {
            Ok(picture) => {
                let set = NodeBuilder::new("picture").attr("id", picture.id.as_str());
                let set = set.build();
                self.change_profile(&by.number, |profile| profile.picture = Some(picture));
                result(id, vec![set])
            }
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "cannot keep a picture");
                iq_error(id, 500, "internal-server-error")
            }
        }
    }

    pub(super) fn set_about(&mut self, by: &Addr, id: &str, node: &Node) -> Node {
        let about = node.get_optional_child("status").and_then(node_bytes);
        let about = String::from_utf8_lossy(about.unwrap_or_default()).into_owned();
        self.change_profile(&by.number, |profile| {
            profile.about = about;
            profile.about_at = ambient::now_secs();
        });
        result(id, Vec::new())
    }

    pub(super) fn business(&self, id: &str, node: &Node) -> Node {
        let asked = node.get_optional_child("business_profile");
        let asked = asked.and_then(|asked| asked.get_optional_child("profile"));
        let whose = asked.and_then(|asked| jid(asked, "jid"));
        let phone = whose.as_ref().and_then(|whose| self.resolve(whose));
        let phone = phone.and_then(|addr| self.phones.get(&addr.number));
        let business = phone.and_then(|phone| phone.profile.business.as_ref());
        let profiles = match (business, whose) {
            (Some(business), Some(whose)) => {
                let profile = NodeBuilder::new("profile").attr("jid", whose.to_non_ad());
                vec![profile.children(told(business)).build()]
            }
            _ => Vec::new(),
        };
        let answer = NodeBuilder::new("business_profile").children(profiles);
        result(id, vec![answer.build()])
    }

    /// Whom the account has blocked; a `set` blocks somebody or takes it back.
    pub(super) fn blocklist(&mut self, by: &Addr, id: &str, node: &Node) -> Node {
        if let Some(item) = node.get_optional_child("item") {
            let named = jid(item, "jid").and_then(|named| self.resolve(&named));
            let Some(named) = named else {
                return iq_error(id, 400, "bad-request");
            };
            let blocks = text(item, "action") == "block";
            // By number alone nobody can be blocked any more.
            if blocks && !jid(item, "jid").is_some_and(|named| named.is_lid()) {
                return iq_error(id, 400, "bad-request");
            }
            self.change_profile(&by.number, |profile| match blocks {
                true => profile.blocked.insert(named.number),
                false => profile.blocked.remove(&named.number),
            });
        }
        let phone = self.phones.get(&by.number);
        let blocked = phone.map(|phone| phone.profile.blocked.clone());
        let items = blocked.into_iter().flatten().filter_map(|number| {
            let lid = self.lid_jid(&Addr::phone(number))?;
            Some(NodeBuilder::new("item").attr("jid", lid).build())
        });
        let list = NodeBuilder::new("list").children(items);
        result(id, vec![list.build()])
    }
}

fn told(business: &Business) -> Vec<Node> {
    let mut children: Vec<Node> = [
        ("description", &business.description),
        ("address", &business.address),
        ("email", &business.email),
    ]
    .into_iter()
    .chain(business.websites.iter().map(|page| ("website", page)))
    .filter(|(_, text)| !text.is_empty())
    .map(|(tag, text)| {
        NodeBuilder::new(tag)
            .bytes(text.as_bytes().to_vec())
            .build()
    })
    .collect();
    let categories = business.categories.iter().map(|category| {
        NodeBuilder::new("category")
            .attr("id", category.id.as_str())
            .bytes(category.name.as_bytes().to_vec())
            .build()
    });
    children.push(NodeBuilder::new("categories").children(categories).build());
    if !business.timezone.is_empty() {
        let hours = NodeBuilder::new("business_hours");
        let hours = hours.attr("timezone", business.timezone.as_str());
        children.push(hours.children([]).build());
    }
    children
}

/// The name of a business with the word for it: nobody has signed it.
pub(super) fn verified_name(business: &Business) -> Node {
    let details = Details {
        serial: Some(1),
        issuer: Some("smb:wa".to_owned()),
        verified_name: Some(business.verified_name.clone()),
        ..Default::default()
    };
    let certificate = VerifiedNameCertificate {
        details: Some(details.encode_to_vec()),
        ..Default::default()
    };
    let name = NodeBuilder::new("verified_name").attr("v", "2");
    let name = name.bytes(certificate.encode_to_vec()).build();
    NodeBuilder::new("business").children([name]).build()
}
