//! Instances: made, listed, and where their connection stands.
//!
//! Programs keep instances in memory: whatever changes what [`Instance`] shows calls `Conn::touch`,
//! and the commit tells them ([`crate::Store::instance_changes`]).

use recado_model::{
    Address, Billing, ConnectionState, Instance, InstanceId, Settings, StateReason, Timestamp,
    instance::{InstanceQuery, InstanceSort, NewInstance, Origin, Pairing},
    message::Party,
};

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    sql::{Row, built, placeholders, sql},
};

/// All columns of `instance` that [`Instance`] has.
macro_rules! columns {
    () => {
        "id, account_id, number, name, origin, labels, reject_calls, auto_read_messages, settings, state, reason, paired, wanted, phone, jid, lid, push_name, business_name, connected_at, troubled, subscription_id, trial_until, paid_until, cancel_at, created_at, updated_at"
    };
}

/// The condition of a list: account $1, and $2 a LIKE pattern or null for all.
macro_rules! matching {
    () => {
        "account_id = $1 AND ($2 IS NULL OR name_lower LIKE $2 ESCAPE '!' OR phone LIKE $2 ESCAPE '!' OR LOWER(id) LIKE $2 ESCAPE '!')"
    };
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq)]
pub struct InstancePage {
    pub items: Vec<Instance>,
    /// Of the whole list, not of the page.
    pub total: i64,
    /// How many of the whole list are in each state; states without any are left out.
    pub by_state: Vec<(ConnectionState, i64)>,
}

impl AccountStore<'_> {
    /// A new instance, disconnected and unpaired, with the account's next number. The webhook that
    /// `new` may carry is for [`AccountStore::set_webhook`].
    pub async fn create_instance(
        &mut self,
        id: &InstanceId,
        origin: Origin,
        new: &NewInstance,
        now: Timestamp,
    ) -> Result<Instance> {
        let number = sql(
            "UPDATE account SET last_number = last_number + 1 WHERE id = $1 RETURNING last_number",
        )
        .bind(&self.id)
        .fetch_optional(self.conn)
        .await?
        .ok_or(StoreError::NoParent)?
        .i64("last_number")?;
        let labels =
            serde_json::to_string(&new.labels).map_err(|_| StoreError::Column("labels"))?;
        sql(concat!(
            "INSERT INTO instance (id, account_id, number, name, name_lower, origin, labels, reject_calls, auto_read_messages, settings, state, paired, wanted, last_seq, lease_fence, trial_until, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $13, $10, 0, 0, 0, 0, $12, $11, $11) RETURNING ",
            columns!()
        ))
        .bind(id)
        .bind(&self.id)
        .bind(number)
        .bind(&new.name)
        .bind(&new.name.to_lowercase())
        .bind(origin.as_str())
        .bind(&labels)
        .bind(new.reject_calls)
        .bind(new.auto_read_messages)
        .bind(ConnectionState::Disconnected.as_str())
        .bind(now)
        .bind(new.trial_until)
        .bind(&settings_text(&new.settings)?)
        .fetch_one(self.conn)
        .await
        .and_then(|row| from_row(&row))
    }

    pub async fn instance(&mut self, id: &InstanceId) -> Result<Option<Instance>> {
        sql(concat!(
            "SELECT ",
            columns!(),
            " FROM instance WHERE account_id = $1 AND id = $2"
        ))
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// Name, labels and settings, all at once; what is not to change is given as it was. `false`: it is not
    /// there.
    pub async fn change_instance(&mut self, instance: &Instance, now: Timestamp) -> Result<bool> {
        let labels =
            serde_json::to_string(&instance.labels).map_err(|_| StoreError::Column("labels"))?;
        let changed = sql(
            "UPDATE instance SET name = $3, name_lower = $4, labels = $5, reject_calls = $6, auto_read_messages = $7, \
             settings = $8, updated_at = $9 WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(&instance.id)
        .bind(&instance.name)
        .bind(&instance.name.to_lowercase())
        .bind(&labels)
        .bind(instance.reject_calls)
        .bind(instance.auto_read_messages)
        .bind(&settings_text(&instance.settings)?)
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.touch(&instance.id);
        Ok(changed > 0)
    }

    /// How the instance behaves now, for the process that runs it: whoever changed it may be another one.
    pub async fn behaviour(&mut self, id: &InstanceId) -> Result<Option<(Settings, bool)>> {
        let row = sql(
            "SELECT settings, auto_read_messages FROM instance WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .fetch_optional(self.conn)
        .await?;
        row.map(|row| {
            let settings = row.parsed("settings", |text| serde_json::from_str(text).ok())?;
            Ok((settings, row.bool("auto_read_messages")?))
        })
        .transpose()
    }

    /// By the small number that MCP calls `session_id`.
    pub async fn instance_by_number(&mut self, number: i64) -> Result<Option<Instance>> {
        sql(concat!(
            "SELECT ",
            columns!(),
            " FROM instance WHERE account_id = $1 AND number = $2"
        ))
        .bind(&self.id)
        .bind(number)
        .fetch_optional(self.conn)
        .await?
        .map(|row| from_row(&row))
        .transpose()
    }

    /// A page; `query` is looked for in name, phone and id, whatever the case.
    pub async fn instances(&mut self, query: &InstanceQuery) -> Result<InstancePage> {
        let pattern = query
            .query
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        let pattern = pattern.map(like_pattern);
        let order = match query.sort {
            InstanceSort::CreatedAt => "created_at",
            InstanceSort::UpdatedAt => "updated_at",
            InstanceSort::Name => "name_lower",
            InstanceSort::Status => "state",
        };
        // The number decides among equals, so that pages neither repeat nor skip.
        let way = if query.descending { "DESC" } else { "ASC" };
        let scope = query.scope.only();
        let within = |first| match scope {
            None => String::new(),
            // An empty IN () is an error, and no instance is meant.
            Some([]) => " AND 1 = 0".to_owned(),
            Some(ids) => format!(" AND id IN ({})", placeholders(first, ids.len())),
        };
        let scope = scope.unwrap_or_default();
        let text = format!(
            concat!(
                "SELECT ",
                columns!(),
                " FROM instance WHERE ",
                matching!(),
                "{within} ORDER BY {order} {way}, number {way} LIMIT $3 OFFSET $4"
            ),
            within = within(5),
            order = order,
            way = way
        );
        let size = i64::from(query.size);
        let offset = i64::from(query.page.saturating_sub(1)).saturating_mul(size);
        let rows = built(text)
            .bind(&self.id)
            .bind(pattern.as_deref())
            .bind(size)
            .bind(offset)
            .bind_all(scope)
            .fetch_all(self.conn)
            .await?;
        let items = rows.iter().map(from_row).collect::<Result<_>>()?;
        let rows = built(format!(
            concat!(
                "SELECT state, COUNT(*) AS n FROM instance WHERE ",
                matching!(),
                "{} GROUP BY state ORDER BY state"
            ),
            within(3)
        ))
        .bind(&self.id)
        .bind(pattern.as_deref())
        .bind_all(scope)
        .fetch_all(self.conn)
        .await?;
        let by_state = rows
            .iter()
            .map(|row| Ok((row.parsed("state", ConnectionState::parse)?, row.i64("n")?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(InstancePage {
            items,
            total: by_state.iter().map(|(_, n)| n).sum(),
            by_state,
        })
    }

    /// All of them, by number.
    pub async fn all_instances(&mut self) -> Result<Vec<Instance>> {
        let rows = sql(concat!(
            "SELECT ",
            columns!(),
            " FROM instance WHERE account_id = $1 ORDER BY number"
        ))
        .bind(&self.id)
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(from_row).collect()
    }

    pub async fn count_instances(&mut self) -> Result<i64> {
        sql("SELECT COUNT(*) AS n FROM instance WHERE account_id = $1")
            .bind(&self.id)
            .fetch_one(self.conn)
            .await?
            .i64("n")
    }

    /// Removes it and everything below it: credentials, messages, events, jobs, device rows. Its
    /// number is never given again. `false` when there is none.
    pub async fn delete_instance(&mut self, id: &InstanceId) -> Result<bool> {
        let deleted = sql("DELETE FROM instance WHERE account_id = $1 AND id = $2")
            .bind(&self.id)
            .bind(id)
            .execute(self.conn)
            .await?;
        self.conn.touch(id);
        // Its tokens died with it.
        self.conn.raise_epoch();
        Ok(deleted > 0)
    }

    /// Where its connection stands now; `Connected` also sets `connected_at`. `false` when there is
    /// no such instance.
    pub async fn set_state(
        &mut self,
        id: &InstanceId,
        state: ConnectionState,
        reason: Option<StateReason>,
        now: Timestamp,
    ) -> Result<bool> {
        let connected_at = (state == ConnectionState::Connected).then_some(now);
        let changed = sql(
            "UPDATE instance SET state = $3, reason = $4, connected_at = COALESCE($5, connected_at), updated_at = $6 \
             WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(state.as_str())
        .bind(reason.map(StateReason::as_str))
        .bind(connected_at)
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.touch(id);
        Ok(changed > 0)
    }

    /// A phone took the code: keeps who it is.
    pub async fn set_paired(
        &mut self,
        id: &InstanceId,
        pairing: &Pairing,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE instance SET paired = 1, phone = $3, jid = $4, lid = $5, push_name = $6, business_name = $7, updated_at = $8 \
             WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(&pairing.phone)
        .bind(&pairing.jid)
        .bind(pairing.lid.as_ref())
        .bind(pairing.push_name.as_deref())
        .bind(pairing.business_name.as_deref())
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.touch(id);
        if changed > 0 {
            let own = Party {
                alt: pairing.lid.clone(),
                ..Party::only(pairing.jid.clone())
            };
            self.contact(id, &own, now).await?;
        }
        Ok(changed > 0)
    }

    pub async fn set_push_name(
        &mut self,
        id: &InstanceId,
        push_name: &str,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE instance SET push_name = $3, updated_at = $4 WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(push_name)
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.touch(id);
        Ok(changed > 0)
    }

    /// The link is over: forgets whose phone it was and wants no connection.
    pub async fn set_unpaired(
        &mut self,
        id: &InstanceId,
        state: ConnectionState,
        reason: StateReason,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE instance SET paired = 0, wanted = 0, phone = NULL, jid = NULL, lid = NULL, state = $3, reason = $4, updated_at = $5 \
             WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(state.as_str())
        .bind(reason.as_str())
        .bind(now)
        .execute(self.conn)
        .await?;
        self.unwatch_all(id).await?;
        self.forget_history(id).await?;
        self.drop_sync_troubles(id).await?;
        self.drop_labels(id).await?;
        self.conn.touch(id);
        Ok(changed > 0)
    }

    /// Whether the supervisor should hold a connection.
    pub async fn set_wanted(
        &mut self,
        id: &InstanceId,
        wanted: bool,
        now: Timestamp,
    ) -> Result<bool> {
        let changed = sql(
            "UPDATE instance SET wanted = $3, updated_at = $4 WHERE account_id = $1 AND id = $2",
        )
        .bind(&self.id)
        .bind(id)
        .bind(wanted)
        .bind(now)
        .execute(self.conn)
        .await?;
        self.conn.touch(id);
        Ok(changed > 0)
    }
}

/// `text` anywhere, lower-cased, its wildcards meaning themselves (escape character `!`).
fn like_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for c in text.to_lowercase().chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

fn settings_text(settings: &Settings) -> Result<String> {
    serde_json::to_string(settings).map_err(|_| StoreError::Column("settings"))
}

fn from_row(row: &Row) -> Result<Instance> {
    let reason = match row.opt_text("reason")? {
        None => None,
        Some(text) => Some(StateReason::parse(&text).ok_or(StoreError::Column("reason"))?),
    };
    Ok(Instance {
        id: InstanceId::from_text(row.text("id")?),
        account: recado_model::AccountId::from_text(row.text("account_id")?),
        number: row.i64("number")?,
        name: row.text("name")?,
        origin: row.parsed("origin", Origin::parse)?,
        labels: row.parsed("labels", |text| serde_json::from_str(text).ok())?,
        reject_calls: row.bool("reject_calls")?,
        auto_read_messages: row.bool("auto_read_messages")?,
        settings: row.parsed("settings", |text| serde_json::from_str(text).ok())?,
        state: row.parsed("state", ConnectionState::parse)?,
        reason,
        paired: row.bool("paired")?,
        wanted: row.bool("wanted")?,
        phone: row.opt_text("phone")?,
        jid: row.opt_text("jid")?.map(Address::from_wire),
        lid: row.opt_text("lid")?.map(Address::from_wire),
        push_name: row.opt_text("push_name")?,
        business_name: row.opt_text("business_name")?,
        connected_at: row.opt_time("connected_at")?,
        troubled: row.bool("troubled")?,
        billing: Billing {
            subscription_id: row.opt_text("subscription_id")?,
            trial_until: row.opt_time("trial_until")?,
            paid_until: row.opt_time("paid_until")?,
            cancel_at: row.opt_time("cancel_at")?,
        },
        created_at: row.time("created_at")?,
        updated_at: row.time("updated_at")?,
    })
}
