//! Chat and sender, as subscribers see them: without device parts, by phone number wherever it is known.
//!
//! WhatsApp addresses people by number (`…@s.whatsapp.net`) or by an opaque id (`…@lid`), and one
//! person's messages may come under either. We settle on the number and keep the id beside it, as
//! whatsmeow does for numbers.

use recado_model::{Address, Error, Result, message::Party};
use whatsapp_rust::{Client, Jid, types::message::MessageSource};

/// Where something was said, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    pub chat: Party,
    pub sender: Party,
}

/// Our own two addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Own {
    pub pn: Option<Jid>,
    pub lid: Option<Jid>,
}

/// Looks up what the stanza does not say. An error is the store's, and the end of the connection.
pub(super) async fn of(client: &Client, source: &MessageSource) -> Result<Addresses> {
    let own = Own {
        pn: client.pn(),
        lid: client.lid(),
    };
    let mut known = Vec::new();
    for jid in unknown(source, &own) {
        let entry = client.get_lid_pn_entry(&jid).await;
        if let Some(entry) = entry.map_err(Error::internal)? {
            let pn = Jid::pn(entry.phone_number.to_string());
            known.push((jid, pn));
        }
    }
    Ok(resolve(source, &own, &known))
}

/// By what the stanza says alone.
pub(super) fn as_stated(source: &MessageSource) -> Addresses {
    resolve(source, &Own::default(), &[])
}

/// The ids whose number neither the stanza nor our own identity tells.
fn unknown(source: &MessageSource, own: &Own) -> Vec<Jid> {
    [&source.sender, &source.chat]
        .into_iter()
        .filter(|jid| jid.is_lid() && number_of(jid, source, own, &[]).is_none())
        .map(Jid::to_non_ad)
        .collect()
}

fn number_of(lid: &Jid, source: &MessageSource, own: &Own, known: &[(Jid, Jid)]) -> Option<Jid> {
    let is_own = own.lid.as_ref().is_some_and(|own| own.user == lid.user);
    if is_own && let Some(pn) = &own.pn {
        return Some(pn.to_non_ad());
    }
    let alt = if source.sender.user == lid.user {
        source.sender_alt.as_ref()
    } else {
        source.recipient_alt.as_ref()
    };
    if let Some(alt) = alt
        && alt.is_pn()
    {
        return Some(alt.to_non_ad());
    }
    known
        .iter()
        .find(|(jid, _)| jid.user == lid.user)
        .map(|(_, pn)| pn.clone())
}

fn resolve(source: &MessageSource, own: &Own, known: &[(Jid, Jid)]) -> Addresses {
    let party = |jid: &Jid, alt: Option<&Jid>| {
        let wire = Address::from_wire(jid.to_non_ad_string());
        let number = jid
            .is_lid()
            .then(|| number_of(jid, source, own, known))
            .flatten();
        match number {
            Some(pn) => Party {
                shown: Address::from_wire(pn.to_string()),
                alt: Some(wire.clone()),
                wire,
            },
            None => Party {
                alt: alt
                    .filter(|alt| alt.is_lid())
                    .map(|alt| Address::from_wire(alt.to_non_ad_string())),
                ..Party::only(wire)
            },
        }
    };
    let sender = party(&source.sender, source.sender_alt.as_ref());
    // The chat is with whom we wrote to, or with who wrote to us.
    let alt = match source.is_from_me {
        true => source.recipient_alt.as_ref(),
        false => source
            .sender_alt
            .as_ref()
            .filter(|_| source.chat.user == source.sender.user),
    };
    let chat = party(&source.chat, alt);
    Addresses { chat, sender }
}

/// The address as the library has it.
pub(super) fn jid(field: &'static str, address: &Address) -> Result<Jid> {
    address.as_str().parse().map_err(|_| {
        Error::field(
            field,
            "must be a WhatsApp address, for example 5511999999999@s.whatsapp.net",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> Jid {
        text.parse().expect("a JID")
    }

    fn text(address: &Option<Address>) -> Option<&str> {
        address.as_ref().map(Address::as_str)
    }

    fn shown(party: &Party) -> &str {
        party.shown.as_str()
    }

    fn own() -> Own {
        Own {
            pn: Some(jid("5511000000001:3@s.whatsapp.net")),
            lid: Some(jid("100000000000001:3@lid")),
        }
    }

    #[test]
    fn a_number_stays_and_loses_its_device() {
        let source = MessageSource {
            chat: jid("5511999999999@s.whatsapp.net"),
            sender: jid("5511999999999:7@s.whatsapp.net"),
            sender_alt: Some(jid("222:7@lid")),
            ..Default::default()
        };
        let ana = Party {
            alt: Some(Address::from_wire("222@lid")),
            ..Party::only(Address::from_wire("5511999999999@s.whatsapp.net"))
        };
        assert_eq!(
            resolve(&source, &own(), &[]),
            Addresses {
                chat: ana.clone(),
                sender: ana,
            }
        );
    }

    #[test]
    fn an_id_gives_way_to_the_number_beside_it() {
        let source = MessageSource {
            chat: jid("222@lid"),
            sender: jid("222:7@lid"),
            sender_alt: Some(jid("5511999999999:7@s.whatsapp.net")),
            ..Default::default()
        };
        assert!(unknown(&source, &own()).is_empty());
        let addresses = resolve(&source, &own(), &[]);
        for party in [&addresses.chat, &addresses.sender] {
            assert_eq!(party.shown.as_str(), "5511999999999@s.whatsapp.net");
            assert_eq!(text(&party.alt), Some("222@lid"));
            assert_eq!(party.wire.as_str(), "222@lid", "as it came");
        }
    }

    #[test]
    fn an_id_alone_is_looked_up_and_kept_when_nothing_is_known() {
        let source = MessageSource {
            chat: jid("120363@g.us"),
            sender: jid("222:7@lid"),
            is_group: true,
            ..Default::default()
        };
        assert_eq!(unknown(&source, &own()), vec![jid("222@lid")]);
        assert_eq!(shown(&resolve(&source, &own(), &[]).sender), "222@lid");
        let known = [(jid("222@lid"), jid("5511999999999@s.whatsapp.net"))];
        let addresses = resolve(&source, &own(), &known);
        assert_eq!(shown(&addresses.sender), "5511999999999@s.whatsapp.net");
        assert_eq!(shown(&addresses.chat), "120363@g.us");
        assert_eq!(addresses.chat.alt, None);
    }

    #[test]
    fn our_own_message_names_the_person_it_went_to() {
        let source = MessageSource {
            chat: jid("222@lid"),
            sender: jid("100000000000001:0@lid"),
            is_from_me: true,
            recipient_alt: Some(jid("5511999999999@s.whatsapp.net")),
            ..Default::default()
        };
        let addresses = resolve(&source, &own(), &[]);
        assert_eq!(shown(&addresses.chat), "5511999999999@s.whatsapp.net");
        assert_eq!(shown(&addresses.sender), "5511000000001@s.whatsapp.net");
        assert_eq!(text(&addresses.chat.alt), Some("222@lid"));
    }
}
