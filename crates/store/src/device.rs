//! The memory of one instance's WhatsApp device: sealed key-value rows in named spaces.
//!
//! This path is hot (each message moves keys), so it goes around the nouns: reads on the read
//! connections, each change one relaxed transaction, many rows in one statement.

use std::sync::Arc;

use recado_model::{AccountId, InstanceId};

use crate::{
    db::{Conn, Store},
    error::{Result, StoreError},
    leases::Lease,
    seal::{Context, KeyRing},
    sql::{Row, built, placeholders, sql},
};

/// Rows per statement; SQLite allows 32766 values in one.
const BATCH: usize = 500;
/// Larger statements hardly ever repeat with the same number of rows.
const CACHED: usize = 16;

/// One change; see [`DeviceStore::apply`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceOp {
    /// Writes a row or replaces it. `n` is a number of the caller's to select by, not sealed.
    Put {
        space: &'static str,
        key: String,
        n: i64,
        value: Vec<u8>,
    },
    Delete {
        space: &'static str,
        key: String,
    },
    DeleteSpace {
        space: &'static str,
    },
    /// Rows whose key starts so.
    DeletePrefix {
        space: &'static str,
        prefix: String,
    },
    /// Rows with a smaller `n`.
    DeleteBelow {
        space: &'static str,
        n: i64,
    },
}

/// A row of a scan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub n: i64,
    pub value: Vec<u8>,
}

/// The device rows of one instance. Cheap to clone.
#[derive(Clone, Debug)]
pub struct DeviceStore {
    store: Store,
    account: AccountId,
    instance: InstanceId,
    /// Under which lease changes are made; without one whoever has the store may make them.
    lease: Option<Lease>,
}

impl DeviceStore {
    pub(crate) fn new(store: Store, account: AccountId, instance: InstanceId) -> Self {
        Self {
            store,
            account,
            instance,
            lease: None,
        }
    }

    /// Changes rows only while `lease` holds: a node that was suspended writes nothing over the rows of
    /// the node that took its place. [`StoreError::Fenced`] afterwards.
    pub fn under(self, lease: Lease) -> Self {
        Self {
            lease: Some(lease),
            ..self
        }
    }

    fn is_fenced(&self) -> bool {
        self.lease.is_some() && self.store.is_shared()
    }

    async fn held(&self, conn: &mut Conn) -> Result<()> {
        match &self.lease {
            Some(lease) => lease.hold(conn, &self.instance).await,
            None => Ok(()),
        }
    }

    pub async fn get(&self, space: &str, key: &str) -> Result<Option<Vec<u8>>> {
        let mut conn = self.store.read().await?;
        let row = sql(
            "SELECT value FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3 AND key = $4",
        )
        .bind(&self.account)
        .bind(&self.instance)
        .bind(space)
        .bind(key.as_bytes())
        .fetch_optional(&mut conn)
        .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let value = row.blob("value")?;
        let ring = conn.ring_opening(&self.account, [&value]).await?;
        self.open(&ring, space, key, &value).map(Some)
    }

    /// Those of `keys` that exist, in no particular order.
    pub async fn get_many(&self, space: &str, keys: &[String]) -> Result<Vec<(String, Vec<u8>)>> {
        let mut found = Vec::with_capacity(keys.len());
        if keys.is_empty() {
            return Ok(found);
        }
        let mut conn = self.store.read().await?;
        for part in keys.chunks(BATCH) {
            let mut query = built(format!(
                "SELECT key, value FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3 AND key IN ({})",
                placeholders(4, part.len())
            ));
            if part.len() > CACHED {
                query = query.uncached();
            }
            let rows = query
                .bind(&self.account)
                .bind(&self.instance)
                .bind(space)
                .bind_all(part.iter().map(|key| key.as_bytes()))
                .fetch_all(&mut conn)
                .await?;
            let values = values_of(&rows)?;
            let ring = conn.ring_opening(&self.account, &values).await?;
            for (row, value) in rows.iter().zip(&values) {
                let key = key_of(row)?;
                let value = self.open(&ring, space, &key, value)?;
                found.push((key, value));
            }
        }
        Ok(found)
    }

    /// All rows of a space, by key.
    pub async fn scan(&self, space: &str) -> Result<Vec<Entry>> {
        self.scan_prefix(space, "").await
    }

    /// The rows whose key starts with `prefix`, by key.
    pub async fn scan_prefix(&self, space: &str, prefix: &str) -> Result<Vec<Entry>> {
        let mut conn = self.store.read().await?;
        let end = prefix_end(prefix);
        let rows = sql(
            "SELECT key, n, value FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3 \
             AND key >= $4 AND ($5 IS NULL OR key < $5) ORDER BY key",
        )
        .bind(&self.account)
        .bind(&self.instance)
        .bind(space)
        .bind(prefix.as_bytes())
        .bind(end.as_deref())
        .fetch_all(&mut conn)
        .await?;
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let values = values_of(&rows)?;
        let ring = conn.ring_opening(&self.account, &values).await?;
        rows.iter()
            .zip(&values)
            .map(|(row, value)| {
                let key = key_of(row)?;
                Ok(Entry {
                    n: row.i64("n")?,
                    value: self.open(&ring, space, &key, value)?,
                    key,
                })
            })
            .collect()
    }

    /// The keys of a space, in order, without opening the values.
    pub async fn keys(&self, space: &str) -> Result<Vec<String>> {
        let mut conn = self.store.read().await?;
        let rows = sql(
            "SELECT key FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3 ORDER BY key",
        )
        .bind(&self.account)
        .bind(&self.instance)
        .bind(space)
        .fetch_all(&mut conn)
        .await?;
        rows.iter().map(key_of).collect()
    }

    pub async fn count(&self, space: &str) -> Result<i64> {
        let mut conn = self.store.read().await?;
        sql("SELECT COUNT(*) AS n FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3")
            .bind(&self.account)
            .bind(&self.instance)
            .bind(space)
            .fetch_one(&mut conn)
            .await?
            .i64("n")
    }

    /// Whether anything is kept for the instance.
    pub async fn exists(&self) -> Result<bool> {
        let mut conn = self.store.read().await?;
        let row = sql("SELECT n FROM device WHERE account_id = $1 AND instance_id = $2 LIMIT 1")
            .bind(&self.account)
            .bind(&self.instance)
            .fetch_optional(&mut conn)
            .await?;
        Ok(row.is_some())
    }

    /// Applies the changes in their order, all or none.
    /// [`StoreError::NoParent`] when the instance is gone.
    pub async fn apply(&self, ops: Vec<DeviceOp>) -> Result<()> {
        let steps = steps(ops);
        let mut conn = match steps.len() {
            0 => return Ok(()),
            1 if !self.is_fenced() => self.store.write_one_relaxed().await?,
            _ => self.store.write_relaxed().await?,
        };
        self.held(&mut conn).await?;
        for step in &steps {
            self.run(&mut conn, step).await?;
        }
        conn.commit().await
    }

    /// Reads, lets `change` decide and writes, with no other change in between: `None` to `change`
    /// when there is no row, `None` from it to have none. An existing row keeps its `n`, a new one
    /// has 0.
    pub async fn update(
        &self,
        space: &'static str,
        key: &str,
        change: impl FnOnce(Option<Vec<u8>>) -> Option<Vec<u8>> + Send,
    ) -> Result<()> {
        let mut conn = self.store.write_relaxed().await?;
        self.held(&mut conn).await?;
        let old = loop {
            // Writing is what locks the row; PostgreSQL's SELECT would not.
            let row = sql(
                "UPDATE device SET n = n WHERE account_id = $1 AND instance_id = $2 AND space = $3 AND key = $4 RETURNING value",
            )
            .bind(&self.account)
            .bind(&self.instance)
            .bind(space)
            .bind(key.as_bytes())
            .fetch_optional(&mut conn)
            .await?;
            if let Some(row) = row {
                let value = row.blob("value")?;
                let ring = conn.ring_opening(&self.account, [&value]).await?;
                break Some(self.open(&ring, space, key, &value)?);
            }
            // Nobody sees this placeholder: it is filled or removed below, in the transaction.
            let placed = sql(
                "INSERT INTO device (account_id, instance_id, space, key, n, value) VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT DO NOTHING",
            )
            .bind(&self.account)
            .bind(&self.instance)
            .bind(space)
            .bind(key.as_bytes())
            .bind(b"".as_slice())
            .execute(&mut conn)
            .await?;
            if placed > 0 {
                break None;
            }
        };
        match change(old) {
            Some(value) => {
                let ring = conn.account_ring(&self.account).await?;
                let sealed = self.seal(&ring, space, key, &value)?;
                sql(
                    "UPDATE device SET value = $5 WHERE account_id = $1 AND instance_id = $2 AND space = $3 AND key = $4",
                )
                .bind(&self.account)
                .bind(&self.instance)
                .bind(space)
                .bind(key.as_bytes())
                .bind(&sealed)
                .execute(&mut conn)
                .await?;
            }
            None => {
                self.run(&mut conn, &Step::Delete(space, vec![key.to_owned()]))
                    .await?;
            }
        }
        conn.commit().await
    }

    /// Forgets everything: the device is unlinked.
    pub async fn wipe(&self) -> Result<()> {
        let mut conn = self.store.write().await?;
        sql("DELETE FROM device WHERE account_id = $1 AND instance_id = $2")
            .bind(&self.account)
            .bind(&self.instance)
            .execute(&mut conn)
            .await?;
        conn.commit().await
    }

    async fn run(&self, conn: &mut Conn, step: &Step) -> Result<()> {
        match step {
            Step::Put(rows) => self.put(conn, rows).await,
            Step::Delete(space, keys) => {
                let mut query = built(format!(
                    "DELETE FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3 AND key IN ({})",
                    placeholders(4, keys.len())
                ));
                if keys.len() > CACHED {
                    query = query.uncached();
                }
                query
                    .bind(&self.account)
                    .bind(&self.instance)
                    .bind(*space)
                    .bind_all(keys.iter().map(|key| key.as_bytes()))
                    .execute(conn)
                    .await
                    .map(drop)
            }
            Step::DeletePrefix(space, prefix) => {
                let end = prefix_end(prefix);
                sql(
                    "DELETE FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3 AND key >= $4 AND ($5 IS NULL OR key < $5)",
                )
                .bind(&self.account)
                .bind(&self.instance)
                .bind(*space)
                .bind(prefix.as_bytes())
                .bind(end.as_deref())
                .execute(conn)
                .await
                .map(drop)
            }
            Step::DeleteBelow(space, n) => sql(
                "DELETE FROM device WHERE account_id = $1 AND instance_id = $2 AND space = $3 AND n < $4",
            )
            .bind(&self.account)
            .bind(&self.instance)
            .bind(*space)
            .bind(*n)
            .execute(conn)
            .await
            .map(drop),
        }
    }

    async fn put(&self, conn: &mut Conn, rows: &[PutRow]) -> Result<()> {
        let ring = conn.account_ring(&self.account).await?;
        let sealed = rows
            .iter()
            .map(|row| self.seal(&ring, row.space, &row.key, &row.value))
            .collect::<Result<Vec<_>>>()?;
        let values: Vec<String> = (0..rows.len())
            .map(|at| format!("($1,$2,{})", placeholders(3 + at * 4, 4)))
            .collect();
        // The account of the row cannot change: another account's instance is refused by the
        // foreign key, and its rows are passed over here.
        let mut query = built(format!(
            "INSERT INTO device (account_id, instance_id, space, key, n, value) VALUES {} \
             ON CONFLICT (instance_id, space, key) DO UPDATE SET n = excluded.n, value = excluded.value \
             WHERE device.account_id = excluded.account_id",
            values.join(",")
        ));
        if rows.len() > CACHED {
            query = query.uncached();
        }
        query = query.bind(&self.account).bind(&self.instance);
        for (row, value) in rows.iter().zip(&sealed) {
            query = query
                .bind(row.space)
                .bind(row.key.as_bytes())
                .bind(row.n)
                .bind(value);
        }
        let written = query.execute(conn).await?;
        if written != rows.len() as u64 {
            return Err(StoreError::NoParent);
        }
        Ok(())
    }

    fn seal(&self, ring: &Arc<KeyRing>, space: &str, key: &str, value: &[u8]) -> Result<Vec<u8>> {
        let row = self.row_name(space, key);
        let context = Context::new("device", "value", self.account.as_str(), &row);
        ring.seal(&context, value, self.store.rng())
    }

    fn open(&self, ring: &Arc<KeyRing>, space: &str, key: &str, value: &[u8]) -> Result<Vec<u8>> {
        let name = self.row_name(space, key);
        let context = Context::new("device", "value", self.account.as_str(), &name);
        ring.open(&context, value)
    }

    fn row_name(&self, space: &str, key: &str) -> String {
        row_name(&self.instance, space, key)
    }
}

/// The name that a sealed value is bound to.
pub(crate) fn row_name(instance: &InstanceId, space: &str, key: &str) -> String {
    format!("{instance}/{space}/{key}")
}

fn values_of(rows: &[Row]) -> Result<Vec<Vec<u8>>> {
    rows.iter().map(|row| row.blob("value")).collect()
}

fn key_of(row: &Row) -> Result<String> {
    String::from_utf8(row.blob("key")?).map_err(|_| StoreError::Column("key"))
}

/// The least text above every one that starts with `prefix`; `None` when there is no bound.
fn prefix_end(prefix: &str) -> Option<Vec<u8>> {
    let mut end = prefix.as_bytes().to_vec();
    // UTF-8 has no 0xff, so the last byte can always rise.
    *end.last_mut()? += 1;
    Some(end)
}

struct PutRow {
    space: &'static str,
    key: String,
    n: i64,
    value: Vec<u8>,
}

/// One statement.
enum Step {
    Put(Vec<PutRow>),
    Delete(&'static str, Vec<String>),
    DeletePrefix(&'static str, String),
    DeleteBelow(&'static str, i64),
}

/// Joins neighbours into as few statements as keep the meaning of the order.
fn steps(ops: Vec<DeviceOp>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for op in ops {
        match op {
            DeviceOp::Put {
                space,
                key,
                n,
                value,
            } => {
                let row = PutRow {
                    space,
                    key,
                    n,
                    value,
                };
                match steps.last_mut() {
                    Some(Step::Put(rows)) if rows.len() < BATCH => {
                        // One statement may not write a row twice; the later value counts.
                        let same = rows
                            .iter_mut()
                            .find(|other| other.space == row.space && other.key == row.key);
                        match same {
                            Some(other) => *other = row,
                            None => rows.push(row),
                        }
                    }
                    _ => steps.push(Step::Put(vec![row])),
                }
            }
            DeviceOp::Delete { space, key } => match steps.last_mut() {
                Some(Step::Delete(last, keys)) if *last == space && keys.len() < BATCH => {
                    keys.push(key);
                }
                _ => steps.push(Step::Delete(space, vec![key])),
            },
            DeviceOp::DeleteSpace { space } => {
                steps.push(Step::DeletePrefix(space, String::new()));
            }
            DeviceOp::DeletePrefix { space, prefix } => {
                steps.push(Step::DeletePrefix(space, prefix));
            }
            DeviceOp::DeleteBelow { space, n } => steps.push(Step::DeleteBelow(space, n)),
        }
    }
    steps
}
