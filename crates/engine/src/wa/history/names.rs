//! Who is who in a frame: it names people by number or by id, and says apart which belong together.

use std::collections::HashMap;

use recado_model::{Address, history::OwnAddresses, message::Party};
use whatsapp_rust::{Jid, waproto::whatsapp::HistorySync};

/// Numbers and ids that belong together, both ways.
#[derive(Default)]
pub(super) struct Pairs {
    numbers: HashMap<String, String>,
    lids: HashMap<String, String>,
}

impl Pairs {
    /// Of the frame's own list, and of the number itself.
    pub(super) fn of(rest: &HistorySync, own: &OwnAddresses) -> Self {
        let mut pairs = Self::default();
        for pair in &rest.phone_number_to_lid_mappings {
            pairs.learn(pair.pn_jid.as_deref(), pair.lid_jid.as_deref());
        }
        let lid = own.lid.as_ref().map(Address::as_str);
        pairs.learn(Some(own.number.as_str()), lid);
        pairs
    }

    pub(super) fn learn(&mut self, number: Option<&str>, lid: Option<&str>) {
        let jid = |text: Option<&str>| text?.parse::<Jid>().ok();
        let (Some(number), Some(lid)) = (jid(number), jid(lid)) else {
            return;
        };
        if number.is_pn() && lid.is_lid() {
            let (number, lid) = (number.to_non_ad_string(), lid.to_non_ad_string());
            self.lids.insert(number.clone(), lid.clone());
            self.numbers.insert(lid, number);
        }
    }

    /// Somebody, or a group, by all that is known.
    pub(super) fn party(&self, jid: &Jid) -> Party {
        let named = jid.to_non_ad_string();
        let wire = Address::from_wire(&named);
        if let Some(number) = self.numbers.get(&named) {
            return Party {
                shown: Address::from_wire(number),
                alt: Some(wire.clone()),
                wire,
            };
        }
        Party {
            alt: self.lids.get(&named).map(Address::from_wire),
            ..Party::only(wire)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_known_by_both_addresses_whichever_is_named() {
        let mut pairs = Pairs::default();
        pairs.learn(Some("551@s.whatsapp.net"), Some("222@lid"));
        pairs.learn(Some("nonsense"), Some("333@lid"));
        let party = |text: &str| pairs.party(&text.parse().expect("a JID"));
        let (by_number, by_lid) = (party("551@s.whatsapp.net"), party("222:4@lid"));
        for (party, wire) in [(by_number, "551@s.whatsapp.net"), (by_lid, "222@lid")] {
            assert_eq!(party.shown.as_str(), "551@s.whatsapp.net");
            assert_eq!(party.alt.as_ref().map(Address::as_str), Some("222@lid"));
            assert_eq!(party.wire.as_str(), wire);
        }
        assert_eq!(party("333@lid").alt, None);
        assert_eq!(party("1203@g.us").shown.as_str(), "1203@g.us");
    }
}
