//! Contacts: the people that an instance has had to do with, and the addresses of each.
//!
//! A person may come first under a number, an id or a username, and be known by another later. Each has one
//! contact and one chat, whichever came first: [`AccountStore::contact`] finds them by any of their
//! addresses, learns the others, and makes one of two that turn out to be the same. So the key of a
//! message, which names chat and sender by contact, does not depend on how it arrived.
//!
//! An id (LID) is a person's for good; a number may pass to another person. So two contacts with
//! different ids stay two, and the number goes to whom the message says.

mod merge;

use recado_model::{
    Address, AddressKind, ChatId, ContactId, InstanceId, Timestamp, message::Party,
};

use crate::{accounts::AccountStore, error::Result, sql::sql};

/// An alias that is known.
#[derive(Clone, Debug)]
struct Alias {
    address: Address,
    contact: ContactId,
    since: Timestamp,
}

impl AccountStore<'_> {
    /// The chat with this party; made when there is none.
    pub async fn chat(
        &mut self,
        instance: &InstanceId,
        party: &Party,
        now: Timestamp,
    ) -> Result<ChatId> {
        if !party.shown.is_person() {
            return self.chat_at(instance, &party.shown, now).await;
        }
        let contact = self.contact(instance, party, now).await?;
        if let Some(chat) = self.chat_with(instance, &contact).await? {
            return Ok(chat);
        }
        self.lock_instance(instance).await?;
        if let Some(chat) = self.chat_with(instance, &contact).await? {
            return Ok(chat);
        }
        self.insert_chat(instance, Some(&contact), None, now).await
    }

    /// The chat with this address, if there ever was one.
    pub async fn known_chat(
        &mut self,
        instance: &InstanceId,
        address: &Address,
    ) -> Result<Option<ChatId>> {
        let look = match address.is_person() {
            true => sql(
                "SELECT c.id FROM chat c JOIN contact_alias a ON a.contact_id = c.contact_id \
                 WHERE a.account_id = $1 AND a.instance_id = $2 AND a.address = $3 AND c.instance_id = $2",
            ),
            false => sql(
                "SELECT id FROM chat WHERE account_id = $1 AND instance_id = $2 AND address = $3",
            ),
        };
        look.bind(&self.id)
            .bind(instance)
            .bind(address)
            .fetch_optional(self.conn)
            .await?
            .map(|row| row.text("id").map(ChatId::from_text))
            .transpose()
    }

    /// The person behind these addresses; made when nobody is known by any of them.
    pub async fn contact(
        &mut self,
        instance: &InstanceId,
        party: &Party,
        now: Timestamp,
    ) -> Result<ContactId> {
        let addresses = party.addresses();
        let known = self.aliases(instance, &addresses).await?;
        if let Some(contact) = settled(&known, &addresses) {
            return Ok(contact);
        }
        // Looked at again under the lock: somebody may have been quicker.
        self.lock_instance(instance).await?;
        let known = self.aliases(instance, &addresses).await?;
        if let Some(contact) = settled(&known, &addresses) {
            return Ok(contact);
        }
        let lid = addresses.iter().find(|address| address.is_lid());
        let contact = match self.choose(instance, &known, lid.copied()).await? {
            Some(contact) => contact,
            None => self.insert_contact(instance, addresses[0], now).await?,
        };
        for address in addresses {
            if !known.iter().any(|alias| alias.address == *address) {
                self.insert_alias(instance, address, &contact).await?;
            }
        }
        let mut gone: Vec<&ContactId> = Vec::new();
        for alias in known.iter().filter(|alias| alias.contact != contact) {
            if !gone.contains(&&alias.contact) && self.give(instance, alias, &contact).await? {
                gone.push(&alias.contact);
            }
        }
        self.show_best(instance, &contact, &party.shown).await?;
        Ok(contact)
    }

    /// Whether somebody is known by one of these addresses, and not by all of them.
    pub async fn is_half_known(&mut self, instance: &InstanceId, party: &Party) -> Result<bool> {
        let addresses = party.addresses();
        let known = self.aliases(instance, &addresses).await?;
        Ok(!known.is_empty() && settled(&known, &addresses).is_none())
    }

    /// Somebody has another number: whoever was known before, and whoever is known by the new addresses, are one, and
    /// shown by the new number. The old one leads to them until somebody else has it. The caller holds the instance.
    pub async fn move_person(
        &mut self,
        instance: &InstanceId,
        before: &Party,
        after: &Party,
    ) -> Result<()> {
        let old = self.aliases(instance, &before.addresses()).await?;
        let new = self.aliases(instance, &after.addresses()).await?;
        let first = old.first().or(new.first());
        let kept = match first {
            Some(alias) => alias.contact.clone(),
            // Nobody has had to do with them.
            None => return Ok(()),
        };
        let mut gone: Vec<ContactId> = Vec::new();
        for alias in old.iter().chain(&new) {
            if alias.contact != kept && !gone.contains(&alias.contact) {
                self.merge_contacts(instance, &alias.contact, &kept).await?;
                gone.push(alias.contact.clone());
            }
        }
        for address in after.addresses() {
            if !old
                .iter()
                .chain(&new)
                .any(|alias| alias.address == *address)
            {
                self.insert_alias(instance, address, &kept).await?;
            }
        }
        self.show_best(instance, &kept, &after.shown).await
    }

    /// Of several that the addresses lead to, the one that stays: whose id it is, else the oldest. `None`
    /// when none may: the id is new, and those known have another.
    async fn choose(
        &mut self,
        instance: &InstanceId,
        known: &[Alias],
        lid: Option<&Address>,
    ) -> Result<Option<ContactId>> {
        if let Some(by_lid) = known.iter().find(|alias| Some(&alias.address) == lid) {
            return Ok(Some(by_lid.contact.clone()));
        }
        let oldest = known
            .iter()
            .min_by_key(|alias| (alias.since, alias.contact.clone()));
        let Some(oldest) = oldest else {
            return Ok(None);
        };
        if lid.is_some() && self.has_lid(instance, &oldest.contact).await? {
            return Ok(None);
        }
        Ok(Some(oldest.contact.clone()))
    }

    /// The alias becomes `to`'s: all of its contact does when that is the same person, and the alias alone
    /// when both have an id of their own. Whether its contact is gone.
    async fn give(&mut self, instance: &InstanceId, alias: &Alias, to: &ContactId) -> Result<bool> {
        let apart = self.has_lid(instance, to).await?;
        if apart && self.has_lid(instance, &alias.contact).await? {
            sql("UPDATE contact_alias SET contact_id = $4 WHERE account_id = $1 AND instance_id = $2 AND address = $3")
                .bind(&self.id)
                .bind(instance)
                .bind(&alias.address)
                .bind(to)
                .execute(self.conn)
                .await?;
            self.show_what_is_left(instance, &alias.contact).await?;
            return Ok(false);
        }
        self.merge_contacts(instance, &alias.contact, to).await?;
        Ok(true)
    }

    async fn has_lid(&mut self, instance: &InstanceId, contact: &ContactId) -> Result<bool> {
        let addresses = self.addresses_of(instance, contact).await?;
        Ok(addresses.iter().any(Address::is_lid))
    }

    /// Every address of a contact.
    pub async fn addresses_of(
        &mut self,
        instance: &InstanceId,
        contact: &ContactId,
    ) -> Result<Vec<Address>> {
        let rows = sql(
            "SELECT address FROM contact_alias WHERE account_id = $1 AND instance_id = $2 AND contact_id = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(contact)
        .fetch_all(self.conn)
        .await?;
        let addresses = rows.iter().map(|row| row.text("address"));
        let addresses = addresses.map(|text| text.map(Address::from_wire));
        let mut addresses = addresses.collect::<Result<Vec<_>>>()?;
        // Not by the database: it may order texts by a language.
        addresses.sort_unstable();
        Ok(addresses)
    }

    /// Whether two addresses are known to be one person's.
    pub async fn is_one_person(
        &mut self,
        instance: &InstanceId,
        one: &Address,
        other: &Address,
    ) -> Result<bool> {
        let row = sql(
            "SELECT a.contact_id FROM contact_alias a JOIN contact_alias b ON b.instance_id = a.instance_id AND b.contact_id = a.contact_id \
             WHERE a.account_id = $1 AND a.instance_id = $2 AND a.address = $3 AND b.address = $4",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(one)
        .bind(other)
        .fetch_optional(self.conn)
        .await?;
        Ok(row.is_some())
    }

    /// Whether the person behind this address is shown by it.
    pub(crate) async fn is_shown(
        &mut self,
        instance: &InstanceId,
        address: &Address,
    ) -> Result<bool> {
        let row = sql(
            "SELECT c.id FROM contact_alias a JOIN contact c ON c.id = a.contact_id \
             WHERE a.account_id = $1 AND a.instance_id = $2 AND a.address = $3 AND c.address = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(address)
        .fetch_optional(self.conn)
        .await?;
        Ok(row.is_some())
    }

    async fn aliases(
        &mut self,
        instance: &InstanceId,
        addresses: &[&Address],
    ) -> Result<Vec<Alias>> {
        let Some(first) = addresses.first() else {
            return Ok(Vec::new());
        };
        // Filled up by repeating, so that one text serves all.
        let slots = (0..3).map(|at| *addresses.get(at).unwrap_or(first));
        let rows = sql(
            "SELECT a.address, a.contact_id, c.created_at FROM contact_alias a JOIN contact c ON c.id = a.contact_id \
             WHERE a.account_id = $1 AND a.instance_id = $2 AND a.address IN ($3, $4, $5)",
        )
        .bind(&self.id)
        .bind(instance)
        .bind_all(slots)
        .fetch_all(self.conn)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Alias {
                    address: Address::from_wire(row.text("address")?),
                    contact: ContactId::from_text(row.text("contact_id")?),
                    since: row.time("created_at")?,
                })
            })
            .collect()
    }

    /// Until the end of the transaction nobody else makes, merges or numbers anything of the instance.
    /// Contacts and chats are made by one transaction at a time: two that met the same people in two orders
    /// would wait for each other. A writer of a message takes it first: a chat that it found could be
    /// merged into another one before the message is there.
    pub async fn lock_instance(&mut self, instance: &InstanceId) -> Result<()> {
        sql("UPDATE instance SET updated_at = updated_at WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn insert_contact(
        &mut self,
        instance: &InstanceId,
        shown: &Address,
        now: Timestamp,
    ) -> Result<ContactId> {
        let id = ContactId::random(self.conn.store.rng());
        sql("INSERT INTO contact (id, account_id, instance_id, address, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(&id)
            .bind(&self.id)
            .bind(instance)
            .bind(shown)
            .bind(now)
            .execute(self.conn)
            .await?;
        Ok(id)
    }

    async fn insert_alias(
        &mut self,
        instance: &InstanceId,
        address: &Address,
        contact: &ContactId,
    ) -> Result<()> {
        sql("INSERT INTO contact_alias (account_id, instance_id, address, contact_id) VALUES ($1, $2, $3, $4)")
            .bind(&self.id)
            .bind(instance)
            .bind(address)
            .bind(contact)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn insert_chat(
        &mut self,
        instance: &InstanceId,
        contact: Option<&ContactId>,
        address: Option<&Address>,
        now: Timestamp,
    ) -> Result<ChatId> {
        let id = ChatId::random(self.conn.store.rng());
        sql("INSERT INTO chat (id, account_id, instance_id, contact_id, address, created_at) VALUES ($1, $2, $3, $4, $5, $6)")
            .bind(&id)
            .bind(&self.id)
            .bind(instance)
            .bind(contact)
            .bind(address)
            .bind(now)
            .execute(self.conn)
            .await?;
        Ok(id)
    }

    async fn chat_at(
        &mut self,
        instance: &InstanceId,
        address: &Address,
        now: Timestamp,
    ) -> Result<ChatId> {
        if let Some(chat) = self.known_chat(instance, address).await? {
            return Ok(chat);
        }
        self.lock_instance(instance).await?;
        match self.known_chat(instance, address).await? {
            Some(chat) => Ok(chat),
            None => self.insert_chat(instance, None, Some(address), now).await,
        }
    }

    async fn chat_with(
        &mut self,
        instance: &InstanceId,
        contact: &ContactId,
    ) -> Result<Option<ChatId>> {
        sql("SELECT id FROM chat WHERE account_id = $1 AND instance_id = $2 AND contact_id = $3")
            .bind(&self.id)
            .bind(instance)
            .bind(contact)
            .fetch_optional(self.conn)
            .await?
            .map(|row| row.text("id").map(ChatId::from_text))
            .transpose()
    }

    /// Shows the best of a contact's addresses: of several numbers the one it was met by now.
    async fn show_best(
        &mut self,
        instance: &InstanceId,
        contact: &ContactId,
        met_by: &Address,
    ) -> Result<()> {
        let mut addresses = self.addresses_of(instance, contact).await?;
        addresses.sort_by_key(|address| (rank(address), address != met_by));
        let Some(best) = addresses.first() else {
            return Ok(());
        };
        sql("UPDATE contact SET address = $3 WHERE account_id = $1 AND id = $2 AND address <> $3")
            .bind(&self.id)
            .bind(contact)
            .bind(best)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    async fn show_what_is_left(
        &mut self,
        instance: &InstanceId,
        contact: &ContactId,
    ) -> Result<()> {
        let left = self.addresses_of(instance, contact).await?;
        match left.first() {
            Some(any) => self.show_best(instance, contact, any).await,
            None => Ok(()),
        }
    }
}

/// The contact, when all of the addresses are its own already.
fn settled(known: &[Alias], addresses: &[&Address]) -> Option<ContactId> {
    let first = known.first()?;
    let all = addresses
        .iter()
        .all(|address| known.iter().any(|alias| alias.address == **address));
    let one = known.iter().all(|alias| alias.contact == first.contact);
    (all && one).then(|| first.contact.clone())
}

/// The name that a person is shown by.
fn rank(address: &Address) -> u8 {
    match address.kind() {
        AddressKind::Number => 0,
        AddressKind::Username => 1,
        _ => 2,
    }
}
