//! Other phones and other numbers: WhatsApp installed anew, a number that changes, and what others are told of it.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use crate::ambient;
use crate::core::Core;
use crate::ratchets::Ratchets;
use crate::sender_keys::SenderKeys;
use crate::state::Addr;

impl Core {
    /// The person has WhatsApp on another phone: other keys, no linked device, and everything else as it was.
    pub(crate) fn reinstall(&mut self, number: &str) -> Result<(), String> {
        self.unlink_all(number);
        let name = self.phones.get(number).map(|phone| phone.name.clone());
        let fresh = self
            .new_phone(number, &name.unwrap_or_default())
            .map_err(|error| format!("{error:#}"))?;
        let Some(phone) = self.phones.get_mut(number) else {
            return Err("no such phone".to_owned());
        };
        phone.identity_private = fresh.identity_private;
        phone.registration_id = fresh.registration_id;
        phone.signed_prekey_private = fresh.signed_prekey_private;
        phone.signed_prekey = fresh.signed_prekey;
        phone.adv_raw_id = fresh.adv_raw_id;
        phone.ratchets = Ratchets::default();
        phone.sender_keys = SenderKeys::default();
        phone.keyed.clear();
        phone.identities.clear();
        self.touch_phone(number);
        let from = Addr::phone(number);
        let mut told = self.notification_of(&from, "encrypt");
        if let Some(lid) = self.lid_jid(&from) {
            told = told.attr("lid", lid);
        }
        let told = told.children([NodeBuilder::new("identity").build()]);
        self.tell_acquaintances(number, &told.build());
        Ok(())
    }

    /// The account goes by another number from now on; its hidden id and its profile stay. The old number is
    /// a stranger's, who is not there yet.
    pub(crate) fn change_number(&mut self, old: &str, new: &str) -> Result<(), String> {
        let name = self.phones.get(old).map(|phone| phone.name.clone());
        self.add_phone(new, &name.unwrap_or_default())
            .map_err(|error| format!("{error:#}"))?;
        self.unlink_all(old);
        let (Some(mut before), Some(mut after)) =
            (self.phones.remove(old), self.phones.remove(new))
        else {
            return Err("no such phone".to_owned());
        };
        std::mem::swap(&mut before.lid, &mut after.lid);
        after.profile = before.profile.clone();
        before.online = false;
        self.lids.insert(before.lid.clone(), old.to_owned());
        self.lids.insert(after.lid.clone(), new.to_owned());
        self.phones.insert(old.to_owned(), before);
        self.phones.insert(new.to_owned(), after);
        self.touch_phone(old);
        self.touch_phone(new);
        let (was, is) = (Addr::phone(old), Addr::phone(new));
        let mut modify = NodeBuilder::new("modify")
            .attr("old", was.account())
            .attr("new", is.account());
        if let Some(lid) = self.lid_jid(&is) {
            modify = modify.attr("old_lid", lid.clone()).attr("new_lid", lid);
        }
        let told = self.notification_of(&was, "contacts");
        let told = told.children([modify.build()]).build();
        self.tell_acquaintances(old, &told);
        Ok(())
    }

    /// The account shows another picture, or none.
    pub(crate) fn tell_own_picture(&mut self, number: &str) {
        let from = Addr::phone(number);
        let Some(phone) = self.phones.get(number) else {
            return;
        };
        let child = match &phone.profile.picture {
            Some(picture) => NodeBuilder::new("set").attr("id", picture.id.as_str()),
            None => NodeBuilder::new("delete"),
        };
        let hidden = phone.profile.hidden;
        let child = child.attr("jid", from.account()).build();
        let told = self.notification_of(&from, "picture").children([child]);
        if !hidden {
            self.tell_acquaintances(number, &told.build());
        }
    }

    fn notification_of(&self, from: &Addr, kind: &'static str) -> NodeBuilder {
        NodeBuilder::new("notification")
            .attr("from", from.account())
            .attr("type", kind)
            .attr("id", ambient::stanza_id())
            .attr("t", ambient::now_secs())
    }

    /// The linked devices of everybody who has a chat with this account.
    fn tell_acquaintances(&mut self, number: &str, told: &Node) {
        let others = self.phones.values();
        let others = others
            .filter(|phone| phone.number != number && !phone.history.of_chat(number).is_empty());
        let others: Vec<String> = others.map(|phone| phone.number.clone()).collect();
        for other in others {
            for companion in self.companions_of(&other) {
                self.deliver(&companion, told.clone());
            }
        }
    }
}
