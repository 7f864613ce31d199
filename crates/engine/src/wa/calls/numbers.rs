//! Which numbers are on WhatsApp, and where.

use recado_model::{Address, PhoneNumber, Result, call::Looked};
use whatsapp_rust::{Client, IsOnWhatsAppResult, Jid};

use super::{super::core::LinkCore, ASK, within};

impl LinkCore {
    pub(in crate::wa) async fn look_up(&self, phones: &[PhoneNumber]) -> Result<Vec<Looked>> {
        let client = self.online()?;
        let found = ask(&client, phones).await?;
        // WhatsApp may know a number under a corrected form (Brazil's ninth digit), and then the
        // answer names no number that was asked for. Such a number is asked for alone.
        let is_corrected =
            |result: &IsOnWhatsAppResult| !phones.iter().any(|phone| answers(result, phone));
        let any_corrected = found
            .iter()
            .any(|result| result.is_registered && is_corrected(result));
        let mut answer = Vec::with_capacity(phones.len());
        for phone in phones {
            let alone: Vec<IsOnWhatsAppResult>;
            let result = match found.iter().find(|result| answers(result, phone)) {
                Some(result) => Some(result),
                None if any_corrected && phones.len() > 1 => {
                    alone = ask(&client, std::slice::from_ref(phone)).await?;
                    alone.first()
                }
                None => found.first().filter(|_| phones.len() == 1),
            };
            answer.push(Looked {
                phone: phone.clone(),
                address: result.and_then(address),
                lid: result.and_then(lid),
            });
        }
        Ok(answer)
    }
}

async fn ask(client: &Client, phones: &[PhoneNumber]) -> Result<Vec<IsOnWhatsAppResult>> {
    let jids: Vec<Jid> = phones.iter().map(|phone| Jid::pn(phone.as_str())).collect();
    within(ASK, client.contacts().is_on_whatsapp(&jids)).await
}

fn number(result: &IsOnWhatsAppResult) -> &Jid {
    result.pn_jid.as_ref().unwrap_or(&result.jid)
}

fn answers(result: &IsOnWhatsAppResult, phone: &PhoneNumber) -> bool {
    number(result).user == phone.as_str()
}

fn lid(result: &IsOnWhatsAppResult) -> Option<Address> {
    let lid = result.lid.as_ref().filter(|_| result.is_registered)?;
    Some(Address::from_wire(lid.to_non_ad_string()))
}

fn address(result: &IsOnWhatsAppResult) -> Option<Address> {
    result
        .is_registered
        .then(|| Address::from_wire(number(result).to_non_ad_string()))
}
