//! Stanzas that tell of groups: the whole of one, and what was done to it.

use wacore_binary::builder::NodeBuilder;
use wacore_binary::{Jid, Node};

use super::{Group, MemberResult, Rank};
use crate::ambient;
use crate::core::Core;
use crate::state::Addr;

/// Something that was done to a group.
#[derive(Clone, Debug)]
pub(super) enum Deed {
    Create,
    Add(Vec<String>),
    /// They came by themselves, by a link or an invitation.
    Joined(Vec<String>),
    Remove(Vec<String>),
    Promote(Vec<String>),
    Demote(Vec<String>),
    Subject,
    /// Its id.
    Description(String),
    Announcement(bool),
    Locked(bool),
    Approval(bool),
    MembersAdd(bool),
    Expiration(u32),
    Invite(String),
    Requested(Vec<String>),
    Unrequested(Vec<String>),
}

impl Deed {
    /// Whether it is the admins' business alone.
    fn is_for_admins(&self) -> bool {
        matches!(
            self,
            Self::Requested(_) | Self::Unrequested(_) | Self::Invite(_)
        )
    }
}

fn switch(on: bool, tags: (&'static str, &'static str)) -> Node {
    NodeBuilder::new(if on { tags.0 } else { tags.1 }).build()
}

pub(super) fn expiration_node(seconds: u32) -> Node {
    match seconds {
        0 => NodeBuilder::new("not_ephemeral").build(),
        _ => NodeBuilder::new("ephemeral")
            .attr("expiration", seconds)
            .build(),
    }
}

fn approval_node(on: bool) -> Node {
    let state = if on { "on" } else { "off" };
    NodeBuilder::new("membership_approval_mode")
        .children([NodeBuilder::new("group_join").attr("state", state).build()])
        .build()
}

fn add_mode_node(all: bool) -> Node {
    let mode = if all { "all_member_add" } else { "admin_add" };
    NodeBuilder::new("member_add_mode")
        .bytes(mode.as_bytes().to_vec())
        .build()
}

impl Core {
    /// `<participant>`: the address in the form of the group, and the other one beside it.
    pub(super) fn participant(
        &self,
        tag: &'static str,
        by_lid: bool,
        number: &str,
        rank: Option<Rank>,
    ) -> NodeBuilder {
        let addr = Addr::phone(number);
        let jid = self.member_jid(by_lid, &addr);
        let mut node = NodeBuilder::new(tag);
        if jid.is_lid() {
            node = node.attr("phone_number", addr.jid());
        } else if let Some(lid) = self.lid_jid(&addr) {
            node = node.attr("lid", lid);
        }
        if let Some(rank) = rank.and_then(Rank::wire) {
            node = node.attr("type", rank);
        }
        node.attr("jid", jid)
    }

    /// What became of each, as the answer tells it; `asked` are their addresses as they were asked for.
    pub(super) fn results(
        &self,
        by_lid: bool,
        results: &[MemberResult],
        asked: &[(Jid, String)],
    ) -> Vec<Node> {
        let node = |result: &MemberResult| {
            let known = self.phones.contains_key(&result.number);
            let as_asked = asked.iter().find(|(_, number)| *number == result.number);
            let mut node = match (known, as_asked) {
                (false, Some((jid, _))) => NodeBuilder::new("participant").attr("jid", jid),
                _ => self.participant("participant", by_lid, &result.number, None),
            };
            if let Some(error) = result.error {
                node = node.attr("error", u32::from(error));
            }
            if let Some(invitation) = &result.invitation {
                let request = NodeBuilder::new("add_request")
                    .attr("code", invitation.code.as_str())
                    .attr("expiration", invitation.expiration);
                node = node.children([request.build()]);
            }
            node.build()
        };
        results.iter().map(node).collect()
    }

    /// `<group>`, whole, or without its members for those who look at it from outside.
    pub(super) fn group_node(&self, group: &Group, with_members: bool) -> Node {
        let creator = Addr::phone(group.creator.as_str());
        let owner = Addr::phone(group.subject_by.as_str());
        let mut node = NodeBuilder::new("group")
            .attr("id", group.id.as_str())
            .attr("subject", group.subject.as_str())
            .attr("s_t", group.subject_at)
            .attr("s_o", self.member_jid(group.by_lid, &owner))
            .attr("creation", group.created)
            .attr("creator", self.member_jid(group.by_lid, &creator))
            .attr("addressing_mode", group.mode())
            .attr("size", group.members.len() as u64);
        if group.by_lid {
            node = node
                .attr("creator_pn", creator.jid())
                .attr("s_o_pn", owner.jid());
        }
        let mut children = Vec::new();
        if let Some(description) = &group.description {
            children.push(self.description_node(group.by_lid, description));
        }
        if with_members {
            let members = group.members.iter().map(|(number, rank)| {
                let node = self.participant("participant", group.by_lid, number, Some(*rank));
                node.build()
            });
            children.extend(members);
        }
        for (is, tag) in [
            (group.announcement, "announcement"),
            (group.locked, "locked"),
        ] {
            if is {
                children.push(NodeBuilder::new(tag).build());
            }
        }
        if group.expiration > 0 {
            children.push(expiration_node(group.expiration));
        }
        if group.approval {
            children.push(approval_node(true));
        }
        children.push(add_mode_node(group.members_add));
        node.children(children).build()
    }

    fn description_node(&self, by_lid: bool, description: &super::Description) -> Node {
        let by = Addr::phone(description.by.as_str());
        let body = NodeBuilder::new("body")
            .bytes(description.text.as_bytes().to_vec())
            .build();
        let mut node = NodeBuilder::new("description")
            .attr("id", description.id.as_str())
            .attr("participant", self.member_jid(by_lid, &by))
            .attr("t", description.at);
        if by_lid {
            node = node.attr("participant_pn", by.jid());
        }
        node.children([body]).build()
    }

    fn deed_node(&self, group: &Group, deed: &Deed) -> Node {
        let people = |tag: &'static str, child: &'static str, numbers: &[String]| {
            let children = numbers.iter().map(|number| {
                let rank = group.rank(number);
                self.participant(child, group.by_lid, number, rank).build()
            });
            NodeBuilder::new(tag).children(children.collect::<Vec<_>>())
        };
        match deed {
            Deed::Create => NodeBuilder::new("create")
                .children([self.group_node(group, true)])
                .build(),
            Deed::Add(who) => people("add", "participant", who).build(),
            Deed::Joined(who) => people("add", "participant", who)
                .attr("reason", "invite")
                .build(),
            Deed::Remove(who) => people("remove", "participant", who).build(),
            Deed::Promote(who) => people("promote", "participant", who).build(),
            Deed::Demote(who) => people("demote", "participant", who).build(),
            Deed::Subject => {
                let owner = Addr::phone(group.subject_by.as_str());
                NodeBuilder::new("subject")
                    .attr("subject", group.subject.as_str())
                    .attr("s_t", group.subject_at)
                    .attr("s_o", self.member_jid(group.by_lid, &owner))
                    .build()
            }
            Deed::Description(id) => match &group.description {
                Some(description) => self.description_node(group.by_lid, description),
                None => NodeBuilder::new("description")
                    .attr("id", id.as_str())
                    .children([NodeBuilder::new("delete").build()])
                    .build(),
            },
            Deed::Announcement(on) => switch(*on, ("announcement", "not_announcement")),
            Deed::Locked(on) => switch(*on, ("locked", "unlocked")),
            Deed::Approval(on) => approval_node(*on),
            Deed::MembersAdd(all) => add_mode_node(*all),
            Deed::Expiration(seconds) => expiration_node(*seconds),
            Deed::Invite(code) => NodeBuilder::new("invite")
                .attr("code", code.as_str())
                .build(),
            Deed::Requested(who) => people("created_membership_requests", "requested_user", who)
                .attr("request_method", "invite_link")
                .build(),
            Deed::Unrequested(who) => {
                people("revoked_membership_requests", "participant", who).build()
            }
        }
    }

    /// Tells the linked devices of those whom it concerns. Phones look at the group itself.
    pub(super) fn tell_group(&mut self, id: &str, by: &str, deed: &Deed) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        let child = self.deed_node(group, deed);
        let stanza = self.notification(group, "w:gp2", by, child);
        let concerned: Vec<String> = group
            .members
            .iter()
            .filter(|(_, rank)| rank.is_admin() || !deed.is_for_admins())
            .map(|(number, _)| number.clone())
            .collect();
        for number in concerned {
            for companion in self.companions_of(&number) {
                self.deliver(&companion, stanza.clone());
            }
        }
    }

    pub(super) fn notification(
        &self,
        group: &Group,
        kind: &'static str,
        by: &str,
        child: Node,
    ) -> Node {
        let author = Addr::phone(by);
        let mut stanza = NodeBuilder::new("notification")
            .attr("from", group.jid())
            .attr("id", ambient::stanza_id())
            .attr("type", kind)
            .attr("t", ambient::now_secs())
            .attr("addressing_mode", group.mode())
            .attr("participant", self.member_jid(group.by_lid, &author));
        if group.by_lid {
            stanza = stanza.attr("participant_pn", author.jid());
        }
        if let Some(phone) = self.phones.get(by) {
            stanza = stanza.attr("notify", phone.name.as_str());
        }
        stanza.children([child]).build()
    }
}
