//! Groups, as an instance was told of them last. Lists are read from here; what becomes of a group is told by
//! notices, and what was not told is marked and asked for.

use recado_model::{
    Address, ChatId, ContactId, InstanceId, Timestamp,
    group::{Deed, Group, Member, Rank},
};

use crate::{
    accounts::AccountStore,
    error::{Result, StoreError},
    sql::{Row, built, placeholders, sql},
};

/// Rows per statement; SQLite allows 32766 values in one.
const BATCH: usize = 500;

/// A group with what is known of its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// Without its members, where a page was asked for.
    pub group: Group,
    /// Something happened to it that was not told.
    pub stale: bool,
}

/// A page of groups, and how many there are.
#[derive(Clone, Debug, Default)]
pub struct GroupPage {
    pub groups: Vec<GroupRow>,
    pub total: u64,
}

impl AccountStore<'_> {
    /// Whether all groups of the instance are known.
    pub async fn knows_groups(&mut self, instance: &InstanceId) -> Result<bool> {
        let row = sql("SELECT at FROM wa_group_list WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .fetch_optional(self.conn)
            .await?;
        Ok(row.is_some())
    }

    /// These are all groups of the instance.
    pub async fn put_all_groups(
        &mut self,
        instance: &InstanceId,
        groups: &[Group],
        now: Timestamp,
    ) -> Result<()> {
        self.lock_instance(instance).await?;
        self.forget_groups(instance).await?;
        for group in groups {
            self.write_group(instance, group, now).await?;
            self.write_members(instance, &group.address, &group.members)
                .await?;
        }
        sql("INSERT INTO wa_group_list (account_id, instance_id, at) VALUES ($1, $2, $3)")
            .bind(&self.id)
            .bind(instance)
            .bind(now)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// No group of the instance is known any more.
    pub async fn forget_groups(&mut self, instance: &InstanceId) -> Result<()> {
        sql("DELETE FROM wa_group_list WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        sql("DELETE FROM wa_group_member WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        sql("DELETE FROM wa_group WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.id)
            .bind(instance)
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// A group, whole, as it is now.
    pub async fn put_group(
        &mut self,
        instance: &InstanceId,
        group: &Group,
        now: Timestamp,
    ) -> Result<()> {
        self.lock_instance(instance).await?;
        self.drop_members(instance, &group.address).await?;
        self.write_group(instance, group, now).await?;
        self.write_members(instance, &group.address, &group.members)
            .await
    }

    /// The number is in it no more.
    pub async fn drop_group(&mut self, instance: &InstanceId, group: &Address) -> Result<()> {
        self.drop_members(instance, group).await?;
        sql("DELETE FROM wa_group WHERE account_id = $1 AND instance_id = $2 AND address = $3")
            .bind(&self.id)
            .bind(instance)
            .bind(group.as_str())
            .execute(self.conn)
            .await?;
        Ok(())
    }

    /// In the order of their names, from the first one after `skip`.
    pub async fn group_page(
        &mut self,
        instance: &InstanceId,
        skip: u64,
        most: u32,
    ) -> Result<GroupPage> {
        let row =
            sql("SELECT COUNT(*) AS n FROM wa_group WHERE account_id = $1 AND instance_id = $2")
                .bind(&self.id)
                .bind(instance)
                .fetch_one(self.conn)
                .await?;
        let total = row.i64("n")?.unsigned_abs();
        let rows = sql(
            "SELECT g.info, g.stale, (SELECT COUNT(*) FROM wa_group_member m WHERE m.account_id = $1 \
             AND m.instance_id = $2 AND m.group_address = g.address) AS size FROM wa_group g \
             WHERE g.account_id = $1 AND g.instance_id = $2 ORDER BY g.name, g.address LIMIT $3 OFFSET $4",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(i64::from(most))
        .bind(i64::try_from(skip).unwrap_or(i64::MAX))
        .fetch_all(self.conn)
        .await?;
        let groups = rows.iter().map(from_row).collect::<Result<_>>()?;
        Ok(GroupPage { groups, total })
    }

    /// One group with its members.
    pub async fn group(
        &mut self,
        instance: &InstanceId,
        address: &Address,
    ) -> Result<Option<GroupRow>> {
        let row = sql(
            "SELECT info, stale, CAST(0 AS BIGINT) AS size FROM wa_group \
             WHERE account_id = $1 AND instance_id = $2 AND address = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(address.as_str())
        .fetch_optional(self.conn)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let mut row = from_row(&row)?;
        row.group.members = self.members_of(instance, address).await?;
        row.group.size = u32::try_from(row.group.members.len()).unwrap_or(u32::MAX);
        Ok(Some(row))
    }

    async fn members_of(&mut self, instance: &InstanceId, group: &Address) -> Result<Vec<Member>> {
        let rows = sql("SELECT address, number, lid, rank FROM wa_group_member \
             WHERE account_id = $1 AND instance_id = $2 AND group_address = $3 ORDER BY address")
        .bind(&self.id)
        .bind(instance)
        .bind(group.as_str())
        .fetch_all(self.conn)
        .await?;
        rows.iter().map(member).collect()
    }

    /// Whether somebody is an admin of the group that this chat is, as far as that is known.
    pub async fn is_group_admin(
        &mut self,
        instance: &InstanceId,
        chat: &ChatId,
        who: &ContactId,
    ) -> Result<bool> {
        let row = sql(
            "SELECT m.rank FROM chat h JOIN wa_group_member m ON m.instance_id = h.instance_id AND m.group_address = h.address \
             JOIN contact_alias a ON a.instance_id = h.instance_id AND a.contact_id = $4 AND a.address IN (m.address, m.number, m.lid) \
             WHERE h.account_id = $1 AND h.instance_id = $2 AND h.id = $3 AND m.rank IN ('admin', 'superadmin') LIMIT 1",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(chat)
        .bind(who)
        .fetch_optional(self.conn)
        .await?;
        Ok(row.is_some())
    }

    /// Does to a group what was done to it. Nothing where it is not known. `own` are the addresses of the
    /// number itself, which is in no group that it was removed from.
    pub async fn apply_to_group(
        &mut self,
        instance: &InstanceId,
        address: &Address,
        deed: &Deed,
        own: &[Address],
        now: Timestamp,
    ) -> Result<()> {
        self.lock_instance(instance).await?;
        let known = self.group(instance, address).await?;
        let Some(GroupRow { mut group, .. }) = known else {
            return self.learn_group(instance, address, deed, own, now).await;
        };
        match deed {
            // What is known is as new, or newer.
            Deed::Made(_) => return Ok(()),
            Deed::Ended => return self.drop_group(instance, address).await,
            Deed::Other => return self.mark_stale(instance, address).await,
            Deed::Removed(gone) if includes(gone, own) => {
                return self.drop_group(instance, address).await;
            }
            Deed::Removed(gone) => return self.remove_members(instance, address, gone).await,
            Deed::Added(members) => {
                return self.write_members(instance, address, members).await;
            }
            Deed::Promoted(members) => {
                return self
                    .rank_members(instance, address, members, Rank::Admin)
                    .await;
            }
            Deed::Demoted(members) => {
                return self
                    .rank_members(instance, address, members, Rank::Member)
                    .await;
            }
            Deed::Named(name) => group.name.clone_from(name),
            Deed::Described(text) => group.description.clone_from(text),
            Deed::AdminsWrite(on) => group.admins_write = *on,
            Deed::AdminsSet(on) => group.admins_set = *on,
            Deed::Approval(on) => group.approval = *on,
            Deed::MembersAdd(on) => group.members_add = Some(*on),
            Deed::Expires(seconds) => group.expiration = *seconds,
            // Kept by WhatsApp alone.
            Deed::Requested(_) | Deed::Unrequested(_) | Deed::LinkReset(_) => return Ok(()),
        }
        self.write_group(instance, &group, now).await
    }

    /// Of a group that was not known: what it is, or that it is to be asked for.
    async fn learn_group(
        &mut self,
        instance: &InstanceId,
        address: &Address,
        deed: &Deed,
        own: &[Address],
        now: Timestamp,
    ) -> Result<()> {
        // Before all groups were listed none is, one by one.
        if !self.knows_groups(instance).await? {
            return Ok(());
        }
        match deed {
            Deed::Made(group) => {
                self.write_group(instance, group, now).await?;
                self.write_members(instance, address, &group.members).await
            }
            Deed::Added(members) if includes(members, own) => {
                let group = Group {
                    address: address.clone(),
                    name: String::new(),
                    description: None,
                    owner: None,
                    created_at: None,
                    by_lid: false,
                    admins_write: false,
                    admins_set: false,
                    approval: false,
                    members_add: None,
                    expiration: 0,
                    size: 0,
                    community: None,
                    members: Vec::new(),
                };
                self.write_group(instance, &group, now).await?;
                self.mark_stale(instance, address).await
            }
            _ => Ok(()),
        }
    }

    async fn mark_stale(&mut self, instance: &InstanceId, group: &Address) -> Result<()> {
        sql(
            "UPDATE wa_group SET stale = 1 WHERE account_id = $1 AND instance_id = $2 AND address = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(group.as_str())
        .execute(self.conn)
        .await?;
        Ok(())
    }

    async fn write_group(
        &mut self,
        instance: &InstanceId,
        group: &Group,
        now: Timestamp,
    ) -> Result<()> {
        let mut bare = group.clone();
        bare.members.clear();
        let info = serde_json::to_string(&bare).map_err(|_| StoreError::Column("info"))?;
        sql(
            "INSERT INTO wa_group (account_id, instance_id, address, name, info, stale, updated_at) \
             VALUES ($1, $2, $3, $4, $5, 0, $6) ON CONFLICT (instance_id, address) DO UPDATE SET \
             name = excluded.name, info = excluded.info, stale = 0, updated_at = excluded.updated_at \
             WHERE wa_group.account_id = excluded.account_id",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(group.address.as_str())
        .bind(&group.name)
        .bind(&info)
        .bind(now)
        .execute(self.conn)
        .await?;
        Ok(())
    }

    async fn drop_members(&mut self, instance: &InstanceId, group: &Address) -> Result<()> {
        sql(
            "DELETE FROM wa_group_member WHERE account_id = $1 AND instance_id = $2 AND group_address = $3",
        )
        .bind(&self.id)
        .bind(instance)
        .bind(group.as_str())
        .execute(self.conn)
        .await?;
        Ok(())
    }

    async fn write_members(
        &mut self,
        instance: &InstanceId,
        group: &Address,
        members: &[Member],
    ) -> Result<()> {
        for part in members.chunks(BATCH) {
            let values: Vec<String> = (0..part.len())
                .map(|at| format!("($1,$2,$3,{})", placeholders(4 + at * 4, 4)))
                .collect();
            let mut query = built(format!(
                "INSERT INTO wa_group_member (account_id, instance_id, group_address, address, number, lid, rank) \
                 VALUES {} ON CONFLICT (instance_id, group_address, address) DO UPDATE SET \
                 number = COALESCE(excluded.number, wa_group_member.number), \
                 lid = COALESCE(excluded.lid, wa_group_member.lid), rank = excluded.rank \
                 WHERE wa_group_member.account_id = excluded.account_id",
                values.join(",")
            ))
            .uncached()
            .bind(&self.id)
            .bind(instance)
            .bind(group.as_str());
            for member in part {
                query = query
                    .bind(member.address.as_str())
                    .bind(member.number.as_ref().map(Address::as_str))
                    .bind(member.lid.as_ref().map(Address::as_str))
                    .bind(member.rank.as_str());
            }
            query.execute(self.conn).await?;
        }
        Ok(())
    }

    async fn remove_members(
        &mut self,
        instance: &InstanceId,
        group: &Address,
        gone: &[Member],
    ) -> Result<()> {
        for member in gone {
            sql(
                "DELETE FROM wa_group_member WHERE account_id = $1 AND instance_id = $2 AND group_address = $3 \
                 AND (address = $4 OR number = $5 OR lid = $6)",
            )
            .bind(&self.id)
            .bind(instance)
            .bind(group.as_str())
            .bind(member.address.as_str())
            .bind(member.number.as_ref().map(Address::as_str))
            .bind(member.lid.as_ref().map(Address::as_str))
            .execute(self.conn)
            .await?;
        }
        Ok(())
    }

    /// Who made the group stays what they are.
    async fn rank_members(
        &mut self,
        instance: &InstanceId,
        group: &Address,
        members: &[Member],
        rank: Rank,
    ) -> Result<()> {
        for member in members {
            sql(
                "UPDATE wa_group_member SET rank = $7 WHERE account_id = $1 AND instance_id = $2 \
                 AND group_address = $3 AND (address = $4 OR number = $5 OR lid = $6) AND rank <> 'superadmin'",
            )
            .bind(&self.id)
            .bind(instance)
            .bind(group.as_str())
            .bind(member.address.as_str())
            .bind(member.number.as_ref().map(Address::as_str))
            .bind(member.lid.as_ref().map(Address::as_str))
            .bind(rank.as_str())
            .execute(self.conn)
            .await?;
        }
        Ok(())
    }
}

fn includes(members: &[Member], own: &[Address]) -> bool {
    members
        .iter()
        .any(|member| own.iter().any(|own| member.is(own)))
}

fn from_row(row: &Row) -> Result<GroupRow> {
    let mut group: Group =
        serde_json::from_str(&row.text("info")?).map_err(|_| StoreError::Column("info"))?;
    group.size = u32::try_from(row.i64("size")?).unwrap_or_default();
    Ok(GroupRow {
        group,
        stale: row.bool("stale")?,
    })
}

fn member(row: &Row) -> Result<Member> {
    Ok(Member {
        address: Address::from_wire(row.text("address")?),
        number: row.opt_text("number")?.map(Address::from_wire),
        lid: row.opt_text("lid")?.map(Address::from_wire),
        rank: row.parsed("rank", Rank::parse)?,
    })
}
