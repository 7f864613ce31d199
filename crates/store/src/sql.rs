//! One SQL text for both databases: `sql("… $1 …").bind(x).fetch_all(conn)`.
//!
//! Texts are neutral SQL (see `0001_first.sql`) with `$1`, `$2`, … Values are integers, texts and
//! bytes; nothing else is needed and so nothing else can differ between the databases.

/// Puts the arguments into a query of whichever database.
macro_rules! prepared {
    ($sql:expr) => {{
        let mut query = sqlx::query(AssertSqlSafe($sql.text)).persistent($sql.cached);
        for arg in $sql.args {
            query = match arg {
                Arg::Int(n) => query.bind(n),
                Arg::Text(text) => query.bind(text.map(storable)),
                Arg::Blob(bytes) => query.bind(bytes),
            };
        }
        query
    }};
}

#[cfg(debug_assertions)]
mod ledger;

use std::borrow::Cow;
#[cfg(debug_assertions)]
use std::panic::Location;

use recado_model::{
    AccountId, Address, ChatId, ContactId, CredentialId, DeliveryId, EventId, InstanceId, JobId,
    LinkId, MediaId, MessageId, MessageKey, PepperId, Timestamp, UserId, UserSessionId, WebhookId,
};
use sqlx::{AssertSqlSafe, Row as _, postgres::PgRow, sqlite::SqliteRow};

use crate::{
    db::{Conn, Raw},
    error::{Result, StoreError},
};

/// A value for a `$n`.
#[derive(Clone, Copy, Debug)]
pub enum Arg<'a> {
    Int(Option<i64>),
    Text(Option<&'a str>),
    Blob(Option<&'a [u8]>),
}

impl From<i64> for Arg<'_> {
    fn from(n: i64) -> Self {
        Self::Int(Some(n))
    }
}
impl From<bool> for Arg<'_> {
    fn from(yes: bool) -> Self {
        Self::Int(Some(i64::from(yes)))
    }
}
impl From<Option<i64>> for Arg<'_> {
    fn from(n: Option<i64>) -> Self {
        Self::Int(n)
    }
}
impl From<Timestamp> for Arg<'_> {
    fn from(at: Timestamp) -> Self {
        Self::Int(Some(at.0))
    }
}
impl From<Option<Timestamp>> for Arg<'_> {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Int(at.map(|at| at.0))
    }
}
impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(Some(text))
    }
}
impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(Some(text))
    }
}
impl<'a> From<Option<&'a str>> for Arg<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::Text(text)
    }
}
impl<'a> From<&'a [u8]> for Arg<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Blob(Some(bytes))
    }
}
impl<'a> From<&'a Vec<u8>> for Arg<'a> {
    fn from(bytes: &'a Vec<u8>) -> Self {
        Self::Blob(Some(bytes))
    }
}
impl<'a> From<Option<&'a [u8]>> for Arg<'a> {
    fn from(bytes: Option<&'a [u8]>) -> Self {
        Self::Blob(bytes)
    }
}

macro_rules! id_args {
    ($($name:ident),*) => {$(
        impl<'a> From<&'a $name> for Arg<'a> {
            fn from(id: &'a $name) -> Self {
                Self::Text(Some(id.as_str()))
            }
        }
        impl<'a> From<Option<&'a $name>> for Arg<'a> {
            fn from(id: Option<&'a $name>) -> Self {
                Self::Text(id.map(|id| id.as_str()))
            }
        }
    )*};
}
id_args!(
    AccountId,
    Address,
    ChatId,
    ContactId,
    CredentialId,
    DeliveryId,
    EventId,
    InstanceId,
    JobId,
    LinkId,
    MediaId,
    MessageId,
    MessageKey,
    PepperId,
    UserId,
    UserSessionId,
    WebhookId
);

/// A statement with its values.
#[derive(Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct Sql<'a> {
    text: Cow<'static, str>,
    args: Vec<Arg<'a>>,
    cached: bool,
    #[cfg(debug_assertions)]
    from: &'static Location<'static>,
}

/// A text that is written in the source.
#[cfg_attr(debug_assertions, track_caller)]
pub fn sql<'a>(text: &'static str) -> Sql<'a> {
    Sql {
        text: Cow::Borrowed(text),
        args: Vec::new(),
        cached: true,
        #[cfg(debug_assertions)]
        from: Location::caller(),
    }
}

/// A text put together from source texts and [`placeholders`]; must hold no value from outside.
#[cfg_attr(debug_assertions, track_caller)]
pub(crate) fn built<'a>(text: String) -> Sql<'a> {
    Sql {
        text: Cow::Owned(text),
        args: Vec::new(),
        cached: true,
        #[cfg(debug_assertions)]
        from: Location::caller(),
    }
}

/// `$first, $first+1, …`, `count` of them (at least one).
pub(crate) fn placeholders(first: usize, count: usize) -> String {
    let mut text = String::with_capacity(count * 5);
    for n in first..first + count {
        if n > first {
            text.push(',');
        }
        text.push('$');
        text.push_str(&n.to_string());
    }
    text
}

/// PostgreSQL has no NUL in texts and refuses the statement. Callers and WhatsApp may send one: a
/// message that can never be stored would come again for ever, so it is stored with the sign for
/// what cannot be shown, and in both databases alike.
fn storable(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

impl<'a> Sql<'a> {
    pub fn bind(mut self, value: impl Into<Arg<'a>>) -> Self {
        self.args.push(value.into());
        self
    }

    pub fn bind_all(mut self, values: impl IntoIterator<Item = impl Into<Arg<'a>>>) -> Self {
        self.args.extend(values.into_iter().map(Into::into));
        self
    }

    /// Keeps a text that hardly repeats out of the statement cache.
    pub(crate) fn uncached(mut self) -> Self {
        self.cached = false;
        self
    }

    /// For the tests' ledger; in what people install there is none.
    #[cfg_attr(
        not(debug_assertions),
        expect(clippy::unused_async, reason = "the other build awaits")
    )]
    async fn note(&self, conn: &mut Conn) {
        #[cfg(debug_assertions)]
        ledger::note(&self.text, &self.args, self.from, conn.raw()).await;
        #[cfg(not(debug_assertions))]
        let _ = conn;
    }

    pub async fn fetch_all(self, conn: &mut Conn) -> Result<Vec<Row>> {
        self.note(conn).await;
        let rows = match conn.begin_statement(&self.text)? {
            Raw::Sqlite(db) => {
                let rows = prepared!(self).fetch_all(db).await;
                rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
            }
            Raw::Postgres(db) => {
                let rows = prepared!(self).fetch_all(db).await;
                rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
            }
        };
        rows.map_err(|error| conn.failed(error.into()))
    }

    pub async fn fetch_optional(self, conn: &mut Conn) -> Result<Option<Row>> {
        self.note(conn).await;
        let row = match conn.begin_statement(&self.text)? {
            Raw::Sqlite(db) => {
                let row = prepared!(self).fetch_optional(db).await;
                row.map(|row| row.map(Row::Sqlite))
            }
            Raw::Postgres(db) => {
                let row = prepared!(self).fetch_optional(db).await;
                row.map(|row| row.map(Row::Postgres))
            }
        };
        row.map_err(|error| conn.failed(error.into()))
    }

    /// For statements that always answer one row, such as counts.
    pub async fn fetch_one(self, conn: &mut Conn) -> Result<Row> {
        self.fetch_optional(conn)
            .await?
            .ok_or(StoreError::Database(sqlx::Error::RowNotFound))
    }

    /// The number of rows changed.
    pub async fn execute(self, conn: &mut Conn) -> Result<u64> {
        self.note(conn).await;
        let done = match conn.begin_statement(&self.text)? {
            Raw::Sqlite(db) => {
                let done = prepared!(self).execute(db).await;
                done.map(|done| done.rows_affected())
            }
            Raw::Postgres(db) => {
                let done = prepared!(self).execute(db).await;
                done.map(|done| done.rows_affected())
            }
        };
        done.map_err(|error| conn.failed(error.into()))
    }
}

/// A row of either database, read by column name.
#[derive(Debug)]
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! get {
    ($row:expr, $column:expr, $type:ty) => {
        match $row {
            Row::Sqlite(row) => row.try_get::<$type, _>($column),
            Row::Postgres(row) => row.try_get::<$type, _>($column),
        }
        .map_err(|_| StoreError::Column($column))
    };
}

impl Row {
    pub fn i64(&self, column: &'static str) -> Result<i64> {
        get!(self, column, i64)
    }
    pub fn opt_i64(&self, column: &'static str) -> Result<Option<i64>> {
        get!(self, column, Option<i64>)
    }
    pub fn bool(&self, column: &'static str) -> Result<bool> {
        Ok(self.i64(column)? != 0)
    }
    pub fn time(&self, column: &'static str) -> Result<Timestamp> {
        self.i64(column).map(Timestamp)
    }
    pub fn opt_time(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.opt_i64(column)?.map(Timestamp))
    }
    pub fn text(&self, column: &'static str) -> Result<String> {
        get!(self, column, String)
    }
    pub fn opt_text(&self, column: &'static str) -> Result<Option<String>> {
        get!(self, column, Option<String>)
    }
    pub fn blob(&self, column: &'static str) -> Result<Vec<u8>> {
        get!(self, column, Vec<u8>)
    }
    pub fn opt_blob(&self, column: &'static str) -> Result<Option<Vec<u8>>> {
        get!(self, column, Option<Vec<u8>>)
    }
    /// A text that names a value of one of our enums.
    pub fn parsed<T>(
        &self,
        column: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T> {
        parse(&self.text(column)?).ok_or(StoreError::Column(column))
    }
}
