//! Who and where, as subscribers see it: without device parts, by phone number wherever it is known.
//!
//! WhatsApp addresses people by number (`…@s.whatsapp.net`) or by an opaque id (`…@lid`), and one
//! person's messages may come under either. We settle on the number and keep the id beside it, as
//! whatsmeow does for numbers.

use recado_model::{Error, Result};
use whatsapp_rust::{Client, Jid, types::message::MessageSource};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Addresses {
    pub chat: String,
    pub sender: String,
    /// The sender's other address, where known.
    pub sender_alt: Option<String>,
    /// The other address of the person we wrote to, on our own messages.
    pub recipient_alt: Option<String>,
    pub is_group: bool,
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
    let number = |jid: &Jid| {
        jid.is_lid()
            .then(|| number_of(jid, source, own, known))
            .flatten()
    };
    let other_lid = |alt: &Option<Jid>| {
        alt.as_ref()
            .filter(|alt| alt.is_lid())
            .map(Jid::to_non_ad_string)
    };
    let (sender, sender_alt) = match number(&source.sender) {
        Some(pn) => (
            pn.to_non_ad_string(),
            Some(source.sender.to_non_ad_string()),
        ),
        None => (
            source.sender.to_non_ad_string(),
            other_lid(&source.sender_alt),
        ),
    };
    let chat_number = number(&source.chat);
    let recipient_alt = if !source.is_from_me {
        None
    } else if chat_number.is_some() {
        Some(source.chat.to_non_ad_string())
    } else {
        other_lid(&source.recipient_alt)
    };
    Addresses {
        chat: chat_number
            .unwrap_or_else(|| source.chat.to_non_ad())
            .to_string(),
        sender,
        sender_alt,
        recipient_alt,
        is_group: source.is_group,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jid(text: &str) -> Jid {
        text.parse().expect("a JID")
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
        assert_eq!(
            resolve(&source, &own(), &[]),
            Addresses {
                chat: "5511999999999@s.whatsapp.net".into(),
                sender: "5511999999999@s.whatsapp.net".into(),
                sender_alt: Some("222@lid".into()),
                ..Default::default()
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
        assert_eq!(addresses.chat, "5511999999999@s.whatsapp.net");
        assert_eq!(addresses.sender, "5511999999999@s.whatsapp.net");
        assert_eq!(addresses.sender_alt.as_deref(), Some("222@lid"));
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
        assert_eq!(resolve(&source, &own(), &[]).sender, "222@lid");
        let known = [(jid("222@lid"), jid("5511999999999@s.whatsapp.net"))];
        let addresses = resolve(&source, &own(), &known);
        assert_eq!(addresses.sender, "5511999999999@s.whatsapp.net");
        assert_eq!(addresses.chat, "120363@g.us");
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
        assert_eq!(addresses.chat, "5511999999999@s.whatsapp.net");
        assert_eq!(addresses.sender, "5511000000001@s.whatsapp.net");
        assert_eq!(addresses.recipient_alt.as_deref(), Some("222@lid"));
    }
}
