//! Questions about groups, with answers in our own words.

use recado_model::group::{Group, JoinRequest, Rank};
use whatsapp_rust::{
    Jid,
    anyhow::{Result, anyhow},
    wacore::{
        iq::{
            groups::{
                GetGroupInviteInfoIq, GetMembershipRequestsIq, GroupParticipatingIq, GroupQueryIq,
            },
            spec::IqSpec,
        },
        request::InfoQuery,
    },
    wacore_binary::NodeRef,
};

use crate::wa::roster::{member, seconds, whole};

fn one(response: &NodeRef<'_>) -> Result<Group> {
    let group = response
        .get_optional_child("group")
        .or_else(|| response.get_optional_child("community"));
    whole(group.ok_or_else(|| anyhow!("the answer has no group"))?)
}

/// One group, whatever is known of it.
pub(super) struct Look(pub Jid);

impl IqSpec for Look {
    type Response = Group;

    fn build_iq(&self) -> InfoQuery<'static> {
        GroupQueryIq::new(&self.0).build_iq()
    }

    fn parse_response(&self, response: &NodeRef<'_>) -> Result<Group> {
        one(response)
    }
}

/// The group behind a link.
pub(super) struct Preview(pub String);

impl IqSpec for Preview {
    type Response = Group;

    fn build_iq(&self) -> InfoQuery<'static> {
        GetGroupInviteInfoIq::new(self.0.clone()).build_iq()
    }

    fn parse_response(&self, response: &NodeRef<'_>) -> Result<Group> {
        one(response)
    }
}

/// Who wants to join a group, by the id that the group knows them by, and by number.
pub(super) struct Requests(pub Jid);

impl IqSpec for Requests {
    type Response = Vec<JoinRequest>;

    fn build_iq(&self) -> InfoQuery<'static> {
        GetMembershipRequestsIq::new(&self.0).build_iq()
    }

    fn parse_response(&self, response: &NodeRef<'_>) -> Result<Vec<JoinRequest>> {
        let list = response
            .get_optional_child("membership_approval_requests")
            .ok_or_else(|| anyhow!("the answer has no requests"))?;
        let mut requests = Vec::new();
        for request in list.get_children_by_tag("membership_approval_request") {
            let mut attrs = request.attrs();
            let named = attrs.optional_jid("jid");
            let named = named.ok_or_else(|| anyhow!("a request without an address"))?;
            let (number, lid) = (
                attrs.optional_jid("phone_number"),
                attrs.optional_jid("lid"),
            );
            let at = attrs.optional_u64("request_time");
            requests.push(JoinRequest {
                member: member(&named, number.as_ref(), lid.as_ref(), Rank::Member),
                at: at.and_then(seconds),
            });
        }
        Ok(requests)
    }
}

/// All groups that the number is in.
pub(super) struct All;

impl IqSpec for All {
    type Response = Vec<Group>;

    fn build_iq(&self) -> InfoQuery<'static> {
        GroupParticipatingIq::new().build_iq()
    }

    fn parse_response(&self, response: &NodeRef<'_>) -> Result<Vec<Group>> {
        let list = response.get_optional_child("groups").unwrap_or(response);
        list.get_children_by_tag("group").map(whole).collect()
    }
}
