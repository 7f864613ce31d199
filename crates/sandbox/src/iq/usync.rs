//! Numbers that are on WhatsApp, and their devices.

use buffa::Message as _;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};
use waproto::whatsapp::{ADVKeyIndexList, ADVSignedKeyIndexList};

use super::profile::verified_name;
use crate::ambient;
use crate::core::{Core, iq_error, jid, node_bytes, result};
use crate::state::Addr;
use crate::trouble::Kind;

impl Core {
    pub(super) fn usync(&mut self, by: &Addr, id: &str, node: &Node) -> Node {
        let Some(usync) = node.get_optional_child("usync") else {
            return result(id, Vec::new());
        };
        let asks_for_numbers = usync
            .get_optional_child("list")
            .into_iter()
            .flat_map(|list| list.get_children_by_tag("user"))
            .any(|user| user.get_optional_child("contact").is_some());
        if asks_for_numbers
            && let Some(trouble) = self.troubles.meet(Kind::RefuseLookUps, &by.number)
        {
            return iq_error(id, trouble.code.unwrap_or(503), "refused");
        }
        let protocols: Vec<String> = usync
            .get_optional_child("query")
            .and_then(Node::children)
            .into_iter()
            .flatten()
            .map(|protocol| protocol.tag.to_string())
            .collect();
        let mut users = Vec::new();
        for user in usync
            .get_optional_child("list")
            .into_iter()
            .flat_map(|list| list.get_children_by_tag("user"))
        {
            users.push(self.usync_user(by, user, &protocols));
        }
        let answer = NodeBuilder::new("usync")
            .children([
                NodeBuilder::new("result")
                    .children(
                        protocols
                            .iter()
                            .map(|name| NodeBuilder::new_dynamic(name.clone()).build()),
                    )
                    .build(),
                NodeBuilder::new("list").children(users).build(),
            ])
            .build();
        result(id, vec![answer])
    }

    fn usync_user(&mut self, by: &Addr, user: &Node, protocols: &[String]) -> Node {
        let asked_number = user
            .get_optional_child("contact")
            .and_then(node_bytes)
            .map(|bytes| {
                String::from_utf8_lossy(bytes)
                    .chars()
                    .filter(char::is_ascii_digit)
                    .collect::<String>()
            })
            .filter(|number| !number.is_empty());
        let asked_jid = jid(user, "jid");
        let (answer_jid, number) = match (asked_jid, asked_number) {
            (Some(asked), _) => {
                let number = self.resolve(&asked).map(|addr| addr.number);
                (asked.to_non_ad(), number.unwrap_or_default())
            }
            (None, Some(asked)) => {
                let number = self.corrected(&asked).unwrap_or(asked);
                (Jid::pn(number.as_str()), number)
            }
            (None, None) => (Jid::pn(""), String::new()),
        };
        let registered = self.phones.contains_key(&number);
        let mut builder = NodeBuilder::new("user").attr("jid", &answer_jid);
        if registered {
            builder = builder.attr("pn_jid", Jid::pn(number.as_str()));
        }
        let mut children = Vec::new();
        for protocol in protocols {
            match protocol.as_str() {
                "contact" => children.push(
                    NodeBuilder::new("contact")
                        .attr("type", if registered { "in" } else { "out" })
                        .build(),
                ),
                "devices" if registered => children.push(self.devices_node(&number)),
                "lid" if registered => {
                    if let Some(lid) = self.lid_jid(&Addr::phone(number.as_str())) {
                        children.push(NodeBuilder::new("lid").attr("val", lid).build());
                    }
                }
                "status" | "picture" | "business" if registered => {
                    children.extend(self.shown(protocol, &number, &by.number));
                }
                "devices" => children.push(
                    NodeBuilder::new("devices")
                        .children([NodeBuilder::new("device-list").children([]).build()])
                        .build(),
                ),
                _ => {}
            }
        }
        builder.children(children).build()
    }

    /// What an account shows of itself to another.
    fn shown(&self, protocol: &str, number: &str, to: &str) -> Option<Node> {
        let profile = &self.phones.get(number)?.profile;
        let shows = self.shows(number, to);
        match protocol {
            "status" if shows => Some(
                NodeBuilder::new("status")
                    .attr("t", profile.about_at)
                    .bytes(profile.about.as_bytes().to_vec())
                    .build(),
            ),
            "status" => Some(NodeBuilder::new("status").attr("code", "401").build()),
            "picture" => {
                let picture = profile.picture.as_ref().filter(|_| shows)?;
                let node = NodeBuilder::new("picture").attr("id", picture.id.as_str());
                Some(node.build())
            }
            _ => profile.business.as_ref().map(verified_name),
        }
    }

    /// The form of a number under which it is registered: some countries have changed theirs, and people write
    /// both.
    fn corrected(&self, asked: &str) -> Option<String> {
        let mut forms = forms(asked).into_iter();
        forms.find(|form| self.phones.contains_key(form))
    }

    fn devices_node(&mut self, number: &str) -> Node {
        let devices = self.devices_of(number);
        let has_companions = devices.len() > 1;
        let list = devices.iter().map(|addr| {
            let device = NodeBuilder::new("device").attr("id", u32::from(addr.device));
            match self.companions.get(addr) {
                Some(companion) => device.attr("key-index", companion.key_index).build(),
                None => device.build(),
            }
        });
        let mut children = vec![NodeBuilder::new("device-list").children(list).build()];
        if has_companions && let Some((signed, timestamp)) = self.key_index_list(number) {
            children.push(
                NodeBuilder::new("key-index-list")
                    .attr("ts", timestamp)
                    .bytes(signed)
                    .build(),
            );
        }
        NodeBuilder::new("devices").children(children).build()
    }

    /// The phone's signed word on which companions are its own, and when it gave it (seconds).
    pub(crate) fn key_index_list(&self, number: &str) -> Option<(Vec<u8>, i64)> {
        let phone = self.phones.get(number)?;
        let timestamp = ambient::now_secs();
        let details = ADVKeyIndexList {
            raw_id: Some(phone.adv_raw_id),
            timestamp: u64::try_from(timestamp).ok(),
            current_index: Some(u32::from(phone.next_device.saturating_sub(1))),
            valid_indexes: self
                .companions_of(number)
                .iter()
                .filter_map(|addr| self.companions.get(addr))
                .map(|companion| companion.key_index)
                .collect(),
            ..Default::default()
        }
        .encode_to_vec();
        let signature = phone.sign(&[&[6, 2], &details])?;
        let signed = ADVSignedKeyIndexList {
            details: Some(details),
            account_signature: Some(signature),
            account_signature_key: phone.identity_public(),
        };
        Some((signed.encode_to_vec(), timestamp))
    }
}

/// How else people write a number: Brazil's ninth digit, Mexico's 1 and Argentina's 9 between the country and
/// the rest.
fn forms(number: &str) -> Vec<String> {
    let mut forms = vec![number.to_owned()];
    // The country, its area's digits, what may be between, and the digits of the rest.
    for (country, area, between, rest) in
        [("55", 2, "9", 8), ("52", 0, "1", 10), ("54", 0, "9", 10)]
    {
        let Some(tail) = number.strip_prefix(country) else {
            continue;
        };
        let Some((area, tail)) = tail.split_at_checked(area) else {
            continue;
        };
        match tail.strip_prefix(between) {
            Some(short) if short.len() == rest => forms.push(format!("{country}{area}{short}")),
            _ if tail.len() == rest => forms.push(format!("{country}{area}{between}{tail}")),
            _ => {}
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_two_forms() {
        for (one, other) in [
            ("5511987654321", "551187654321"),
            ("5215512345678", "525512345678"),
            ("5491112345678", "541112345678"),
        ] {
            assert_eq!(forms(one), [one, other]);
            assert_eq!(forms(other), [other, one]);
        }
        assert_eq!(forms("15551234567"), ["15551234567"]);
        assert_eq!(forms("55"), ["55"]);
    }
}
