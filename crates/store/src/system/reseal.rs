//! Sealed columns, and sealing them anew under a newer key, while programs write to the same rows.

use std::collections::HashMap;

use recado_model::AccountId;
use zeroize::Zeroizing;

use crate::{
    db::{Conn, Store},
    error::{Result, StoreError},
    keys::version,
    seal::{Context, KeyRing, prefix_of, version_of},
    sql::{Row, Sql, built, placeholders, sql},
};

/// Rows at a time.
pub(super) const PAGE: usize = 200;
/// Values that programs change while they are sealed anew are looked at again this often.
const PASSES: usize = 3;

/// A column whose values are sealed.
pub struct Sealed {
    pub table: &'static str,
    pub column: &'static str,
    /// The primary key: texts, but `device.key`, which is bytes.
    key: &'static [&'static str],
    /// Under the key of the account that the row names, or of the system.
    of_account: bool,
}

impl Sealed {
    /// The expression for whose key it is under: an account's id, or nothing for the system.
    fn owner(&self) -> &'static str {
        if self.of_account { "account_id" } else { "''" }
    }
}

/// Every sealed column. A test compares it with the migrations.
pub const SEALED: &[Sealed] = &[
    Sealed {
        table: "app_user",
        column: "totp",
        key: &["id"],
        of_account: false,
    },
    Sealed {
        table: "app_user",
        column: "totp_pending",
        key: &["id"],
        of_account: false,
    },
    Sealed {
        table: "credential",
        column: "sealed",
        key: &["id"],
        of_account: true,
    },
    Sealed {
        table: "device",
        column: "value",
        key: &["instance_id", "space", "key"],
        of_account: true,
    },
    Sealed {
        table: "jwt_key",
        column: "sealed",
        key: &["kid"],
        of_account: false,
    },
    Sealed {
        table: "medium",
        column: "secret",
        key: &["id"],
        of_account: true,
    },
    Sealed {
        table: "message_content",
        column: "proto",
        key: &["message_key"],
        of_account: true,
    },
    Sealed {
        table: "pepper",
        column: "sealed",
        key: &["id"],
        of_account: false,
    },
    Sealed {
        table: "webhook",
        column: "sealed_secret",
        key: &["id"],
        of_account: true,
    },
];

/// How many values each data key has sealed, by account id (empty for the system) and version.
pub(super) async fn usage(conn: &mut Conn) -> Result<HashMap<(String, u16), i64>> {
    let mut used = HashMap::new();
    for sealed in SEALED {
        // Reads all: a rotation of keys goes through every sealed value.
        let rows = built(format!(
            "SELECT owner, head, COUNT(*) AS n FROM (SELECT {owner} AS owner, substr({column}, 1, 3) AS head \
             FROM {table} WHERE {column} IS NOT NULL) heads GROUP BY owner, head",
            owner = sealed.owner(),
            column = sealed.column,
            table = sealed.table,
        ))
        .fetch_all(conn)
        .await?;
        for row in rows {
            if let Some(version) = version_of(&row.blob("head")?) {
                *used.entry((row.text("owner")?, version)).or_insert(0) += row.i64("n")?;
            }
        }
    }
    Ok(used)
}

/// The outcome of a pass over sealed values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Values that are under the newest key now.
    pub moved: u64,
    /// Values that do not open, and so stay as they are: damaged, or from elsewhere.
    pub unopened: u64,
    /// Values that changed under our hands; whoever changed them most likely has the newest key.
    passed_over: u64,
}

/// A key column's value.
#[derive(Clone)]
enum Part {
    Text(String),
    Bytes(Vec<u8>),
}

/// A value that may be under an older key.
struct Stale {
    key: Vec<Part>,
    /// The account; empty for the system.
    owner: String,
    value: Vec<u8>,
}

impl Stale {
    fn of(sealed: &Sealed, row: &Row) -> Result<Self> {
        let part = |column: &&'static str| {
            Ok(match (sealed.table, *column) {
                ("device", "key") => Part::Bytes(row.blob(column)?),
                _ => Part::Text(row.text(column)?),
            })
        };
        Ok(Self {
            key: sealed.key.iter().map(part).collect::<Result<_>>()?,
            owner: row.text("owner")?,
            value: row.blob("value_now")?,
        })
    }

    /// The name that the value is bound to besides table, column and account, as whoever wrote it named it.
    fn row_name(&self) -> Result<String> {
        let texts = self.key.iter().map(|part| match part {
            Part::Text(text) => Ok(text.as_str()),
            Part::Bytes(bytes) => std::str::from_utf8(bytes).map_err(|_| StoreError::Column("key")),
        });
        Ok(texts.collect::<Result<Vec<_>>>()?.join("/"))
    }
}

fn bind<'a>(mut query: Sql<'a>, key: &'a [Part]) -> Sql<'a> {
    for part in key {
        query = match part {
            Part::Text(text) => query.bind(text),
            Part::Bytes(bytes) => query.bind(bytes),
        };
    }
    query
}

impl Store {
    /// Seals under the newest key of its owner whatever is under an older one. Quick when nothing is.
    pub async fn reseal(&self) -> Result<Moved> {
        self.reload_keys().await?;
        let mut total = Moved::default();
        for _ in 0..PASSES {
            let newest = self.newest_versions().await?;
            let used = usage(&mut self.read().await?).await?;
            let stale = |((owner, version), _): (&(String, u16), &i64)| {
                newest.get(owner).is_some_and(|newest| version < newest)
            };
            if !used.iter().any(stale) {
                break;
            }
            let highest = newest.values().copied().max().unwrap_or_default();
            let mut pass = Moved::default();
            for sealed in SEALED {
                self.reseal_column(sealed, highest, &mut pass).await?;
            }
            total.moved += pass.moved;
            // Counted anew in each pass.
            total.unopened = pass.unopened;
            if pass.passed_over == 0 {
                break;
            }
        }
        Ok(total)
    }

    async fn reseal_column(&self, sealed: &Sealed, highest: u16, pass: &mut Moved) -> Result<()> {
        let mut after = Vec::new();
        loop {
            let mut conn = self.read().await?;
            let page = stale_page(&mut conn, sealed, highest, &after).await?;
            let mut changes = Vec::with_capacity(page.len());
            for stale in &page {
                match self.seal_anew(&mut conn, sealed, stale).await {
                    Ok(Some(value)) => changes.push((stale, value)),
                    Ok(None) => {}
                    // The account went away meanwhile, with all it had.
                    Err(StoreError::NoParent) => {}
                    Err(StoreError::Sealed(_)) => pass.unopened += 1,
                    Err(error) => return Err(error),
                }
            }
            drop(conn);
            let text = format!(
                "UPDATE {table} SET {column} = $1 WHERE {column} = $2 AND ({key}) = ({})",
                placeholders(3, sealed.key.len()),
                table = sealed.table,
                column = sealed.column,
                key = sealed.key.join(", "),
            );
            if !changes.is_empty() {
                // Each its own transaction: programs write many device rows at once and in any order,
                // and two transactions that hold some each would wait for one another. A crash that
                // undoes some leaves them under the old key, which is still there.
                let mut conn = self.write_one_relaxed().await?;
                for (stale, value) in &changes {
                    let query = built(text.clone()).bind(value).bind(&stale.value);
                    match bind(query, &stale.key).execute(&mut conn).await? {
                        0 => pass.passed_over += 1,
                        _ => pass.moved += 1,
                    }
                }
            }
            match page.last() {
                Some(last) if page.len() == PAGE => after = last.key.clone(),
                _ => return Ok(()),
            }
        }
    }

    /// The value under its owner's newest key; `None` when it is already.
    async fn seal_anew(
        &self,
        conn: &mut Conn,
        sealed: &Sealed,
        stale: &Stale,
    ) -> Result<Option<Vec<u8>>> {
        let name = stale.row_name()?;
        let context = Context::new(sealed.table, sealed.column, &stale.owner, &name);
        let anew = |ring: &KeyRing| {
            if version_of(&stale.value).is_some_and(|version| version >= ring.newest()) {
                return Ok(None);
            }
            let plain = Zeroizing::new(ring.open(&context, &stale.value)?);
            ring.seal(&context, &plain, self.rng()).map(Some)
        };
        if sealed.of_account {
            let account = AccountId::from_text(&stale.owner);
            let ring = conn.ring_opening(&account, [&stale.value]).await?;
            anew(&ring)
        } else {
            anew(&conn.system_ring().await?)
        }
    }

    /// The newest version of each owner's data key.
    async fn newest_versions(&self) -> Result<HashMap<String, u16>> {
        let mut conn = self.read().await?;
        // Reads all: a rotation of keys goes through every key.
        let rows = sql("SELECT '' AS owner, MAX(version) AS version FROM system_key \
             UNION ALL SELECT account_id AS owner, MAX(version) AS version FROM account_key GROUP BY account_id")
        .fetch_all(&mut conn)
        .await?;
        rows.iter()
            .map(|row| Ok((row.text("owner")?, version(row)?)))
            .collect()
    }
}

/// Up to a page of values after that key, in its order, that are under an older version than the
/// newest of all. Whether one is older than its own owner's newest is seen at the row.
async fn stale_page(
    conn: &mut Conn,
    sealed: &Sealed,
    highest: u16,
    after: &[Part],
) -> Result<Vec<Stale>> {
    let key = sealed.key.join(", ");
    let beyond = match after.len() {
        0 => String::new(),
        parts => format!("AND ({key}) > ({})", placeholders(2, parts)),
    };
    let bound = prefix_of(highest);
    // Reads all: a rotation of keys goes through every sealed value.
    let query = built(format!(
        "SELECT {key}, {owner} AS owner, {column} AS value_now FROM {table} \
         WHERE {column} < $1 {beyond} ORDER BY {key} LIMIT {PAGE}",
        owner = sealed.owner(),
        column = sealed.column,
        table = sealed.table,
    ))
    .bind(bound.as_slice());
    let rows = bind(query, after).fetch_all(conn).await?;
    rows.iter().map(|row| Stale::of(sealed, row)).collect()
}

#[cfg(test)]
mod tests {
    use super::SEALED;
    use crate::{db::tests::fresh, sql::sql};

    /// Bytes that no data key seals.
    const OTHERWISE: &[(&str, &str)] = &[
        // Under the master key.
        ("account_key", "wrapped"),
        ("meta", "value"),
        ("system_key", "wrapped"),
        // Hashes.
        ("credential", "lookup"),
        ("recovery_code", "lookup"),
        ("user_link", "lookup"),
        ("user_session", "lookup"),
        // No secret: bytes so that a prefix is a range.
        ("device", "key"),
    ];

    /// A value in a sealed column that is not in the list would not open any more once its key went.
    #[tokio::test]
    async fn every_sealed_column_is_listed() {
        let folder = tempfile::tempdir().expect("folder");
        let store = fresh(&folder).await;
        let mut conn = store.read().await.expect("read");
        let rows = sql(
            "SELECT t.name AS of, c.name AS named FROM sqlite_master t JOIN pragma_table_info(t.name) c \
             WHERE t.type = 'table' AND c.type = 'BYTEA' ORDER BY of, named",
        )
        .fetch_all(&mut conn)
        .await
        .expect("the schema");
        let mut found: Vec<_> = rows
            .iter()
            .map(|row| {
                (
                    row.text("of").expect("a text"),
                    row.text("named").expect("a text"),
                )
            })
            .collect();
        let all = found.len();
        found.retain(|(table, column)| !OTHERWISE.contains(&(table, column)));
        assert_eq!(
            all - found.len(),
            OTHERWISE.len(),
            "an exception that is gone"
        );
        let listed: Vec<_> = SEALED
            .iter()
            .map(|sealed| (sealed.table.to_owned(), sealed.column.to_owned()))
            .collect();
        assert_eq!(found, listed);
    }
}
