//! `w:g2`: what companions ask about groups and do to them.

use wacore::messages::MessageUtils;
use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use super::acts::{GroupSettings, NewGroup};
use super::joining::Joined;
use super::{BAD_REQUEST, MemberResult, NOT_FOUND, No, group_id};
use crate::core::{Core, iq_error, jid, node_bytes, result, text};
use crate::state::Addr;

type Answer = Result<Vec<Node>, No>;

fn content(node: &Node) -> String {
    node_bytes(node)
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .unwrap_or_default()
}

/// Digits of somebody who is not here: so that the answer can name them.
fn number_of(core: &Core, jid: &Jid) -> String {
    let known = core.resolve(jid).map(|addr| addr.number);
    known.unwrap_or_else(|| jid.user.to_string())
}

/// The people in a stanza, each with the address that it has there.
fn people(core: &Core, node: &Node) -> Vec<(Jid, String)> {
    let named = node.get_children_by_tag("participant");
    let addressed = named.filter_map(|participant| {
        // Who is unknown by id may be known by the number beside it.
        let named = jid(participant, "jid")?;
        let known = core.resolve(&named).is_some();
        let beside = jid(participant, "phone_number").filter(|_| !known);
        let number = number_of(core, beside.as_ref().unwrap_or(&named));
        Some((named, number))
    });
    addressed.collect()
}

fn numbers(people: &[(Jid, String)]) -> Vec<String> {
    people.iter().map(|(_, number)| number.clone()).collect()
}

/// Of a switch that a stanza turns.
fn setting(child: &Node) -> Option<GroupSettings> {
    let mut settings = GroupSettings::default();
    match child.tag.as_ref() {
        "announcement" => settings.announcement = Some(true),
        "not_announcement" => settings.announcement = Some(false),
        "locked" => settings.locked = Some(true),
        "unlocked" => settings.locked = Some(false),
        "not_ephemeral" => settings.expiration = Some(0),
        "ephemeral" => settings.expiration = Some(text(child, "expiration").parse().ok()?),
        "member_add_mode" => settings.members_add = Some(content(child) == "all_member_add"),
        "membership_approval_mode" => {
            let state = text(child.get_optional_child("group_join")?, "state");
            settings.approval = Some(state == "on");
        }
        _ => return None,
    }
    Some(settings)
}

impl Core {
    /// Answers a question about groups. `addr` is the device that asks.
    pub(crate) fn group_iq(&mut self, addr: &Addr, id: &str, node: &Node) -> Node {
        let set = text(node, "type") == "set";
        let by = addr.number.clone();
        let to = jid(node, "to");
        let group = to.as_ref().and_then(group_id);
        let child = node.children().and_then(|children| children.first());
        let answer = match (child, group) {
            (None, _) => Err(BAD_REQUEST),
            (Some(child), Some(group)) if set => self.group_set(&by, &group, child),
            (Some(child), Some(group)) => self.group_get(&by, &group, child),
            (Some(child), None) if set => self.groups_set(&by, child),
            (Some(child), None) => self.groups_get(&by, child),
        };
        match answer {
            Ok(children) => result(id, children),
            Err(No(code, why)) => {
                tracing::debug!(device = %addr, code, "a question about groups is refused");
                iq_error(id, code, why)
            }
        }
    }

    fn groups_get(&self, by: &str, child: &Node) -> Answer {
        match child.tag.as_ref() {
            "participating" => {
                let groups = self.groups_of(by);
                let groups: Vec<Node> = groups.map(|group| self.group_node(group, true)).collect();
                Ok(vec![NodeBuilder::new("groups").children(groups).build()])
            }
            "invite" => {
                let group = self.group_by_code(&text(child, "code"))?;
                Ok(vec![self.group_node(group, false)])
            }
            "query" => {
                let asked = child.get_children_by_tag("group");
                let groups = asked.filter_map(|asked| jid(asked, "jid"));
                let groups: Vec<Node> = groups.map(|jid| self.one_of_many(by, &jid)).collect();
                Ok(vec![NodeBuilder::new("groups").children(groups).build()])
            }
            _ => Err(No(501, "feature-not-implemented")),
        }
    }

    fn one_of_many(&self, by: &str, jid: &Jid) -> Node {
        let id = group_id(jid).unwrap_or_default();
        match self.group_with(by, &id) {
            Ok(group) => self.group_node(group, true),
            Err(No(code, _)) => NodeBuilder::new("group")
                .attr("id", id)
                .attr("error", u32::from(code))
                .build(),
        }
    }

    fn groups_set(&mut self, by: &str, child: &Node) -> Answer {
        match child.tag.as_ref() {
            "create" => self.create_asked(by, child),
            "leave" => {
                let mut left = Vec::new();
                for asked in child.get_children_by_tag("group") {
                    let id = jid(asked, "id").and_then(|jid| group_id(&jid));
                    let id = id.unwrap_or_else(|| text(asked, "id"));
                    self.leave_group(by, &id)?;
                    let node = NodeBuilder::new("group").attr("id", Jid::group(id.as_str()));
                    left.push(node.build());
                }
                Ok(vec![NodeBuilder::new("leave").children(left).build()])
            }
            "invite" => Ok(vec![joined(self.join_by_code(by, &text(child, "code"))?)]),
            _ => Err(No(501, "feature-not-implemented")),
        }
    }

    fn create_asked(&mut self, by: &str, child: &Node) -> Answer {
        let people = people(self, child);
        let mut settings = GroupSettings::default();
        for child in child.children().unwrap_or_default() {
            let Some(one) = setting(child) else { continue };
            settings = GroupSettings {
                announcement: one.announcement.or(settings.announcement),
                locked: one.locked.or(settings.locked),
                approval: one.approval.or(settings.approval),
                members_add: one.members_add.or(settings.members_add),
                expiration: one.expiration.or(settings.expiration),
            };
        }
        let description = child.get_optional_child("description");
        let description = description.and_then(|node| node.get_optional_child("body"));
        let new = NewGroup {
            subject: text(child, "subject"),
            participants: numbers(&people),
            description: description.map(content),
            by_number: false,
            settings,
        };
        let (id, results) = self.create_group(by, &new)?;
        let group = self.groups.get(&id).ok_or(NOT_FOUND)?;
        let mut node = self.group_node(group, true);
        // Who could not be added is named as well, with the reason.
        let refused: Vec<MemberResult> = results.into_iter().filter(|r| !r.is_done()).collect();
        let refused = self.results(group.by_lid, &refused, &people);
        if let Some(wacore_binary::NodeContent::Nodes(children)) = &mut node.content {
            children.extend(refused);
        }
        Ok(vec![node])
    }

    fn group_get(&mut self, by: &str, id: &str, child: &Node) -> Answer {
        match child.tag.as_ref() {
            "query" => {
                let group = self.group_with(by, id)?;
                let members = group.members.keys();
                let members: Vec<Jid> = members
                    .map(|number| self.member_jid(group.by_lid, &Addr::phone(number.as_str())))
                    .collect();
                let hash = MessageUtils::participant_list_hash(&members).ok();
                // Who has the same members in mind need not be told.
                if hash.is_some() && hash == Some(text(child, "phash")) {
                    return Ok(Vec::new());
                }
                Ok(vec![self.group_node(group, true)])
            }
            "invite" => {
                let code = self.invite_code(by, id, false)?;
                Ok(vec![NodeBuilder::new("invite").attr("code", code).build()])
            }
            "membership_approval_requests" => {
                let by_lid = self.group_with(by, id)?.by_lid;
                let requests = self.join_requests(by, id)?.into_iter().map(|(who, at)| {
                    self.participant("membership_approval_request", by_lid, &who, None)
                        .attr("request_time", at)
                        .attr("request_method", "invite_link")
                        .build()
                });
                let requests: Vec<Node> = requests.collect();
                let list = NodeBuilder::new("membership_approval_requests").children(requests);
                Ok(vec![list.build()])
            }
            _ => Err(No(501, "feature-not-implemented")),
        }
    }

    fn group_set(&mut self, by: &str, id: &str, child: &Node) -> Answer {
        if let Some(settings) = setting(child) {
            self.set_group(by, id, &settings)?;
            return Ok(Vec::new());
        }
        match child.tag.as_ref() {
            "add" | "remove" | "promote" | "demote" => self.participants_asked(by, id, child),
            "membership_requests_action" => self.decision_asked(by, id, child),
            "subject" => {
                self.rename_group(by, id, &content(child))?;
                Ok(Vec::new())
            }
            "description" => {
                let body = child.get_optional_child("body").map(content);
                let named = |key| Some(text(child, key)).filter(|value| !value.is_empty());
                let (new, prev) = (named("id"), named("prev"));
                self.describe_group(by, id, body.as_deref(), (new.as_deref(), prev.as_deref()))?;
                Ok(Vec::new())
            }
            "invite" => {
                let code = self.invite_code(by, id, true)?;
                Ok(vec![NodeBuilder::new("invite").attr("code", code).build()])
            }
            "accept" => Ok(vec![joined(self.accept_invitation(
                by,
                id,
                &text(child, "code"),
            )?)]),
            "cancel_membership_requests" => {
                self.cancel_request(by, id)?;
                let people = people(self, child);
                let results: Vec<_> = people.iter().map(|(_, n)| MemberResult::done(n)).collect();
                let results = self.results(true, &results, &people);
                let tag = "cancel_membership_requests";
                Ok(vec![NodeBuilder::new(tag).children(results).build()])
            }
            "ack" => Ok(Vec::new()),
            _ => Err(No(501, "feature-not-implemented")),
        }
    }

    fn participants_asked(&mut self, by: &str, id: &str, child: &Node) -> Answer {
        let people = people(self, child);
        if people.is_empty() {
            return Err(BAD_REQUEST);
        }
        let by_lid = self.group_with(by, id)?.by_lid;
        let numbers = numbers(&people);
        let (tag, results) = match child.tag.as_ref() {
            "add" => ("add", self.add_members(by, id, &numbers)?),
            "remove" => ("remove", self.remove_members(by, id, &numbers)?),
            "promote" => ("promote", self.set_admins(by, id, &numbers, true)?),
            _ => ("demote", self.set_admins(by, id, &numbers, false)?),
        };
        let results = self.results(by_lid, &results, &people);
        Ok(vec![NodeBuilder::new(tag).children(results).build()])
    }

    fn decision_asked(&mut self, by: &str, id: &str, child: &Node) -> Answer {
        let inner = child.children().and_then(|children| children.first());
        let inner = inner.ok_or(BAD_REQUEST)?;
        let people = people(self, inner);
        let by_lid = self.group_with(by, id)?.by_lid;
        let approve = inner.tag == "approve";
        let results = self.decide(by, id, &numbers(&people), approve)?;
        let results = self.results(by_lid, &results, &people);
        let tag = if approve { "approve" } else { "reject" };
        let inner = NodeBuilder::new(tag).children(results).build();
        let tag = "membership_requests_action";
        Ok(vec![NodeBuilder::new(tag).children([inner]).build()])
    }
}

fn joined(joined: Joined) -> Node {
    let tag = match joined.pending {
        true => "membership_approval_request",
        false => "group",
    };
    NodeBuilder::new(tag).attr("jid", joined.group).build()
}
