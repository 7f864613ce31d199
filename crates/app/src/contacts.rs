//! People: who the phone's address book has, who has written, and saving one there.

use recado_identity::Granted;
use recado_model::{
    ContactId, Error, PhoneNumber, Result,
    call::SaveContact,
    chat::ContactUpdate,
    message::Party,
    text::{is_blank, require_seen},
};

use crate::{
    App,
    chats::{Person, decoded, encoded, no_place, searched, view},
    instances::require_paired,
    messages::numbers,
};

pub struct Contacts<'a> {
    pub(crate) app: &'a App,
}

/// A page of people, and where the next one begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactPage {
    pub items: Vec<Person>,
    pub next: Option<String>,
}

/// Whom a caller wants to see.
#[derive(Clone, Debug, Default)]
pub struct ListContacts {
    pub search: Option<String>,
    /// Only those of the address book.
    pub saved: bool,
    pub limit: u32,
    pub before: Option<String>,
}

const NAME_MOST: usize = 255;

impl Contacts<'_> {
    /// A page of the people who have a name, in an order that stays.
    pub async fn list(&self, granted: &Granted, list: &ListContacts) -> Result<ContactPage> {
        let after = list.before.as_deref().map(place).transpose()?;
        let search = searched(list.search.as_deref())?;
        let mut conn = self.app.core.store.read().await?;
        let mut store = conn.account(granted.account());
        let wanted = (search.as_deref(), list.saved);
        let mut rows = store
            .contacts(granted.id(), wanted, after.as_ref(), list.limit + 1)
            .await?;
        let more = rows.len() > list.limit as usize;
        rows.truncate(list.limit as usize);
        let last = rows.last().filter(|_| more);
        let next = last.map(|row| encoded(row.id.as_str()));
        Ok(ContactPage {
            items: rows.into_iter().map(view::person).collect(),
            next,
        })
    }

    /// Saves somebody in the address book of all devices of the account.
    pub async fn save(
        &self,
        granted: &Granted,
        phone: &str,
        (full, first): (&str, Option<&str>),
    ) -> Result<Person> {
        let given = PhoneNumber::parse(phone)?;
        let full = name("full_name", full)?
            .ok_or_else(|| Error::field("full_name", "full_name is required: what to call them"))?;
        let first = name("first_name", first.unwrap_or_default())?;
        require_paired(granted.instance())?;
        self.app.supervisor.require_here(granted.id()).await?;
        let address = numbers::address_of(self.app, granted, &given).await?;
        let phone = match address.number() {
            Some(number) => PhoneNumber::parse(number)?,
            None => given,
        };
        let (account, instance) = (granted.account(), granted.id());
        let call = SaveContact {
            phone,
            full_name: full.clone(),
            first_name: first.clone(),
        };
        self.app.exchange.ask(account, instance, call).await?;
        // The device's own word of it has come by now; should it be lost with its connection, this is the same.
        let update = ContactUpdate {
            who: Party::only(address.clone()),
            full_name: Some(full),
            first_name: first,
        };
        let now = self.app.core.clock.now();
        let mut conn = self.app.core.store.write().await?;
        let mut store = conn.account(account);
        store.lock_instance(instance).await?;
        store.save_names(instance, &update, now).await?;
        let row = store.contact_at(instance, &address).await?;
        conn.commit().await?;
        row.map(view::person)
            .ok_or_else(|| Error::internal("somebody who was saved is not there"))
    }
}

fn place(text: &str) -> Result<ContactId> {
    let id = decoded(text)?;
    match id.starts_with(ContactId::PREFIX) {
        true => Ok(ContactId::from_text(id)),
        false => Err(no_place()),
    }
}

/// `None` of one that shows nothing.
fn name(field: &'static str, given: &str) -> Result<Option<String>> {
    let name = given.trim();
    if is_blank(name) {
        return Ok(None);
    }
    require_seen(field, name)?;
    match name.chars().count() > NAME_MOST {
        true => {
            let text = format!("{field} has at most {NAME_MOST} characters");
            Err(Error::field(field, text))
        }
        false => Ok(Some(name.to_owned())),
    }
}
