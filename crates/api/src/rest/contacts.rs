//! People: who the phone's address book has, who has written, and saving one there.

use std::collections::BTreeMap;

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, ListContacts};
use recado_model::Error;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Envelope,
    chats::{PersonBody, given, size},
    enveloped,
};
use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::Answer,
    error::Fail,
    extract::{Loose, Params, flag, text_or_number},
};

#[derive(Deserialize, JsonSchema)]
pub struct ContactsQuery {
    /// 1 to 200, else 50.
    #[serde(default, alias = "page_size")]
    limit: Option<i64>,
    /// `next` of the page before.
    #[serde(default)]
    before: Option<String>,
    /// Part of a name or number.
    #[serde(default)]
    #[schemars(length(max = 100))]
    search: Option<String>,
    /// Only those of the phone's address book.
    #[serde(default, deserialize_with = "flag")]
    saved: Option<bool>,
}

/// A page of people.
#[derive(Serialize, JsonSchema)]
pub struct ContactList {
    contacts: Vec<PersonBody>,
    /// What to pass as `before` for the page after this one; `null` at the end.
    next: Option<String>,
}

/// People by their WhatsApp address.
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub struct ContactMap(BTreeMap<String, PersonBody>);

#[derive(Deserialize, JsonSchema)]
pub struct AddBody {
    #[serde(default, deserialize_with = "text_or_number")]
    #[schemars(with = "String", extend("pattern" = r"^\+?[1-9][0-9]{6,14}$"))]
    phone: String,
    #[serde(default, alias = "firstName")]
    #[schemars(length(max = 255))]
    first_name: Option<String>,
    #[serde(default, alias = "fullName")]
    #[schemars(length(min = 1, max = 255))]
    full_name: String,
}

/// So many people in one answer of `user/contacts`; more are listed by `contact/list`.
const AT_ONCE: usize = 10_000;
const READ_SIZE: u32 = 500;

/// Lists people whose name is known, page by page.
///
/// Those of the phone's address book, and those who have written. `next` of a page is what to pass as `before`.
#[operation]
pub async fn list(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
    Params(query): Params<ContactsQuery>,
) -> Result<Answer<ContactList>, Fail> {
    let list = ListContacts {
        search: query.search,
        saved: query.saved == Some(true),
        limit: size(query.limit),
        before: given(query.before),
    };
    let page = app.contacts().list(&access.granted, &list).await?;
    Ok(Answer(ContactList {
        contacts: page.items.into_iter().map(Into::into).collect(),
        next: page.next,
    }))
}

/// Gives people whose name is known, by their WhatsApp address.
///
/// At most 10000 of them: `contact/list` gives all, in pages.
#[operation]
pub async fn map(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
) -> Result<Answer<Envelope<ContactMap>>, Fail> {
    let (mut found, mut before) = (BTreeMap::new(), None);
    loop {
        let list = ListContacts {
            limit: READ_SIZE,
            before,
            ..ListContacts::default()
        };
        let page = app.contacts().list(&access.granted, &list).await?;
        for person in page.items {
            found.insert(person.address.to_string(), PersonBody::from(person));
        }
        before = page.next;
        if before.is_none() || found.len() >= AT_ONCE {
            return Ok(enveloped(ContactMap(found)));
        }
    }
}

/// Saves somebody in the phone's address book.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn add(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<AddBody>,
) -> Result<Answer<Envelope<PersonBody>>, Fail> {
    if body.phone.is_empty() {
        let text = "phone is required: the number of who is to be saved";
        return Err(Error::field("phone", text).into());
    }
    let names = (body.full_name.as_str(), body.first_name.as_deref());
    let contacts = app.contacts();
    let saved = contacts.save(&access.granted, &body.phone, names).await?;
    Ok(enveloped(saved.into()))
}
