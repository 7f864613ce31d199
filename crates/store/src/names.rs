//! The names of people: in the phone's address book, and as they call themselves.

use recado_model::{Address, ContactId, InstanceId, Timestamp, chat::ContactUpdate};

use crate::{
    accounts::AccountStore,
    chats::{ContactRow, names, opt_address, pattern},
    error::Result,
    sql::{Row, sql},
};

macro_rules! select_contact {
    () => {
        "SELECT p.id, p.address, \
         (SELECT MIN(a.address) FROM contact_alias a WHERE a.contact_id = p.id AND a.address LIKE '%@lid') AS lid, \
         (SELECT MIN(a.address) FROM contact_alias a WHERE a.contact_id = p.id AND a.address LIKE '@%') AS username, \
         p.full_name, p.first_name, p.push_name, p.business_name, p.identity_changed_at FROM contact p "
    };
}

impl AccountStore<'_> {
    /// Somebody is in the address book under these names. The caller holds the instance.
    pub async fn save_names(
        &mut self,
        instance: &InstanceId,
        update: &ContactUpdate,
        now: Timestamp,
    ) -> Result<()> {
        let contact = self.contact(instance, &update.who, now).await?;
        let full = update.full_name.as_deref();
        let first = update.first_name.as_deref();
        let both = [first, full].map(Option::unwrap_or_default).join(" ");
        sql("UPDATE contact SET full_name = $3, first_name = $4, saved_lower = $5 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(&contact)
            .bind(full)
            .bind(first)
            .bind(both.trim().to_lowercase().as_str())
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Somebody's security code is another one: when it changed before.
    pub async fn identity_changed(
        &mut self,
        contact: &ContactId,
        now: Timestamp,
    ) -> Result<Option<Timestamp>> {
        let row = sql("SELECT identity_changed_at FROM contact WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(contact)
            .fetch_optional(self.conn)
            .await?;
        sql("UPDATE contact SET identity_changed_at = $3 WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(contact)
            .bind(now)
            .execute(self.conn)
            .await?;
        match row {
            Some(row) => row.opt_time("identity_changed_at"),
            None => Ok(None),
        }
    }

    /// The name that somebody goes by now.
    pub(crate) async fn note_push_name(&mut self, contact: &ContactId, name: &str) -> Result<()> {
        sql("UPDATE contact SET push_name = $3, push_lower = $4 WHERE account_id = $1 AND id = $2 AND (push_name IS NULL OR push_name <> $3)")
            .bind(&self.id)
            .bind(contact)
            .bind(name)
            .bind(name.to_lowercase().as_str())
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// The name that somebody goes by, where none is known: it may be an old one.
    pub(crate) async fn note_first_name(&mut self, contact: &ContactId, name: &str) -> Result<()> {
        sql("UPDATE contact SET push_name = $3, push_lower = $4 WHERE account_id = $1 AND id = $2 AND push_name IS NULL")
            .bind(&self.id)
            .bind(contact)
            .bind(name)
            .bind(name.to_lowercase().as_str())
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// Two that are one keep what either was called.
    pub(crate) async fn merge_names(&mut self, gone: &ContactId, kept: &ContactId) -> Result<()> {
        let row = sql(
            "SELECT full_name, first_name, saved_lower, push_name, push_lower, business_name, identity_changed_at FROM contact WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(gone)
        .fetch_one(self.conn)
        .await?;
        sql("UPDATE contact SET first_name = CASE WHEN full_name IS NULL THEN $4 ELSE first_name END, \
             saved_lower = CASE WHEN full_name IS NULL THEN $5 ELSE saved_lower END, full_name = COALESCE(full_name, $3), \
             push_lower = CASE WHEN push_name IS NULL THEN $7 ELSE push_lower END, push_name = COALESCE(push_name, $6), \
             business_name = COALESCE(business_name, $8), \
             identity_changed_at = CASE WHEN COALESCE(identity_changed_at, 0) < $9 THEN $9 ELSE identity_changed_at END WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(kept)
            .bind(row.opt_text("full_name")?.as_deref())
            .bind(row.opt_text("first_name")?.as_deref())
            .bind(row.opt_text("saved_lower")?.as_deref())
            .bind(row.opt_text("push_name")?.as_deref())
            .bind(row.opt_text("push_lower")?.as_deref())
            .bind(row.opt_text("business_name")?.as_deref())
            .bind(row.opt_i64("identity_changed_at")?.unwrap_or_default())
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// People who have any name, in an order of their own: a page behind `after`.
    pub async fn contacts(
        &mut self,
        instance: &InstanceId,
        (search, saved): (Option<&str>, bool),
        after: Option<&ContactId>,
        limit: u32,
    ) -> Result<Vec<ContactRow>> {
        let pattern = search.map(pattern);
        let rows = sql(concat!(
            select_contact!(),
            "WHERE p.account_id = $1 AND p.instance_id = $2 AND p.id > $3 \
             AND (p.full_name IS NOT NULL OR $5 = 0 AND (p.first_name IS NOT NULL OR p.push_name IS NOT NULL OR p.business_name IS NOT NULL)) \
             AND ($4 IS NULL OR p.saved_lower LIKE $4 ESCAPE '!' OR p.push_lower LIKE $4 ESCAPE '!' \
             OR EXISTS (SELECT 1 FROM contact_alias a WHERE a.contact_id = p.id AND a.address LIKE $4 ESCAPE '!')) \
             ORDER BY p.id LIMIT $6"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(after.map(ContactId::as_str).unwrap_or_default())
        .bind(pattern.as_deref())
        .bind(saved)
        .bind(i64::from(limit))
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(contact_row).collect()
    }

    /// The person with this address.
    pub async fn contact_at(
        &mut self,
        instance: &InstanceId,
        address: &Address,
    ) -> Result<Option<ContactRow>> {
        sql(concat!(
            select_contact!(),
            "WHERE p.account_id = $1 AND p.instance_id = $2 AND p.id = \
             (SELECT o.contact_id FROM contact_alias o WHERE o.account_id = $1 AND o.instance_id = $2 AND o.address = $3)"
        ))
        .bind(&self.id)
        .bind(instance)
        .bind(address)
        .fetch_optional(self.conn)
        .await?
        .map(|row| contact_row(&row))
        .transpose()
    }
}

fn contact_row(row: &Row) -> Result<ContactRow> {
    Ok(ContactRow {
        id: ContactId::from_text(row.text("id")?),
        address: Address::from_wire(row.text("address")?),
        lid: opt_address(row, "lid")?,
        username: opt_address(row, "username")?,
        names: names(row)?,
        identity_changed_at: row.opt_time("identity_changed_at")?,
    })
}
