//! The audit log of an account: what was done to its credentials and settings, by whom, from where.
//!
//! A row is written in the transaction of what it tells of, with [`Detail`]; its owner reads it here.
//! Rows hold hints, never secrets. They go after `audit.retention_days`
//! (`recado-app`'s retention worker).

use std::net::IpAddr;

use recado_model::{AccountId, Caller, CredentialId, Error, Result, Timestamp, UserId};
use recado_store::{AccountStore, Store, audit::AuditEntry};
use serde_json::{Map, Value, json};

use crate::{Identity, access::Calls};

/// The author of something that the log keeps.
#[derive(Clone, Copy, Debug)]
pub enum Actor<'a> {
    Caller(&'a Caller),
    /// At the command line, on an account of the operator's choice.
    Operator(&'a AccountId),
}

impl Actor<'_> {
    pub fn account(&self) -> &AccountId {
        match self {
            Self::Caller(caller) => &caller.account,
            Self::Operator(account) => account,
        }
    }

    /// `None` for the operator, who shows none.
    pub(crate) fn credential(&self) -> Option<&CredentialId> {
        match self {
            Self::Caller(caller) => caller.credential(),
            Self::Operator(_) => None,
        }
    }
}

impl<'a, C: Calls + ?Sized> From<&'a C> for Actor<'a> {
    fn from(by: &'a C) -> Self {
        Self::Caller(by.caller())
    }
}

/// The detail of a row: `{"by": {"proof", "credential"}, "from", …}`.
#[derive(Clone, Debug)]
pub struct Detail(Map<String, Value>);

impl Detail {
    pub fn of<'a>(actor: impl Into<Actor<'a>>) -> Self {
        match actor.into() {
            Actor::Caller(caller) => {
                let mut by = json!({ "proof": caller.proof.kind() });
                if let Some(credential) = caller.credential() {
                    by["credential"] = json!(credential);
                }
                if let Some(user) = caller.user() {
                    by["user"] = json!(user);
                }
                let from = caller.from.map(|from| from.to_string());
                Self::by(by).with("from", from)
            }
            Actor::Operator(_) => Self::of_operator(),
        }
    }

    /// A person who has no session yet: they just proved themselves by `proof`.
    pub(crate) fn of_user(user: &UserId, proof: &str, from: Option<IpAddr>) -> Self {
        Self::by(json!({ "proof": proof, "user": user }))
            .with("from", from.map(|from| from.to_string()))
    }

    /// The operator, at the command line.
    pub fn of_operator() -> Self {
        Self::by(json!({ "proof": "operator" }))
    }

    /// The gateway itself.
    pub fn of_gateway() -> Self {
        Self::by(json!({ "proof": "gateway" }))
    }

    fn by(by: Value) -> Self {
        Self(Map::from_iter([("by".to_owned(), by)]))
    }

    /// Adds a member; `None` is left out.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        let value = value.into();
        if !value.is_null() {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    /// Writes the row; the caller commits.
    pub async fn write(
        self,
        account: &mut AccountStore<'_>,
        kind: &str,
        now: Timestamp,
    ) -> Result<()> {
        let text = Value::Object(self.0).to_string();
        Ok(account.audit(kind, &text, now).await?)
    }
}

/// One row for its reader.
#[derive(Clone, Debug)]
pub struct Entry {
    pub id: String,
    /// `credential.created`, `instance.deleted`, …
    pub kind: String,
    pub at: Timestamp,
    /// A JSON object.
    pub detail: Value,
}

#[derive(Clone, Debug)]
pub struct Page {
    /// Newest first.
    pub entries: Vec<Entry>,
    /// The value to ask with for the page after this one; `None` after the last.
    pub next: Option<String>,
}

/// Largest page.
const MAX_PAGE: u32 = 500;
pub const DEFAULT_PAGE: u32 = 50;

/// Every kind of row, sorted. A test holds that the sources write these and no others.
pub const KINDS: [&str; 41] = [
    "access.refused",
    "account.changed",
    "account.created",
    "billing.canceled",
    "billing.ended",
    "billing.granted",
    "billing.resumed",
    "billing.subscribed",
    "credential.changed",
    "credential.created",
    "credential.first_used",
    "credential.new_network",
    "credential.revoked",
    "credential.rotated",
    "credential.shown",
    "credential.signed_out",
    "instance.changed",
    "instance.created",
    "instance.deleted",
    "instance.logged_out",
    "instance.paired",
    "member.invited",
    "member.joined",
    "member.removed",
    "member.role",
    "member.withdrawn",
    "session.claimed",
    "token.revoked",
    "user.email",
    "user.email_asked",
    "user.operator",
    "user.password",
    "user.recovery_codes",
    "user.reset_asked",
    "user.second_factor_off",
    "user.second_factor_on",
    "user.session_ended",
    "user.signed_in",
    "user.signed_out",
    "user.switched_account",
    "webhook.set",
];

/// A page of an account's log: `limit` rows (1 to [`MAX_PAGE`]) that come before the cursor, of one
/// kind or of all. A kind that is none is refused: an empty answer would read as "it never happened".
pub async fn read(
    store: &Store,
    account: &AccountId,
    limit: u32,
    before: Option<&str>,
    kind: Option<&str>,
) -> Result<Page> {
    if kind.is_some_and(|kind| !KINDS.contains(&kind)) {
        let text = format!("kind is one of {}", KINDS.join(", "));
        return Err(Error::field("kind", text));
    }
    if !(1..=MAX_PAGE).contains(&limit) {
        let text = format!("limit is from 1 to {MAX_PAGE}");
        return Err(Error::field("limit", text));
    }
    let before = match before {
        None => None,
        Some(text) => Some(cursor(text).ok_or_else(|| {
            Error::field("before", "before is the `next` of the page before this one")
        })?),
    };
    let mut conn = store.read().await?;
    let mut rows = conn
        .account(account)
        // One more than asked for tells whether there is a next page.
        .audit_page(limit + 1, before, kind)
        .await?;
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let last = rows.last().filter(|_| more);
    let next = last.map(|row| format!("{}-{}", row.at.as_millis(), row.id));
    Ok(Page {
        entries: rows.into_iter().map(entry).collect(),
        next,
    })
}

fn cursor(text: &str) -> Option<(Timestamp, &str)> {
    let (at, id) = text.split_once('-')?;
    let fits = id.len() <= 64 && id.bytes().all(|b| b.is_ascii_alphanumeric());
    let at = at.parse().ok().map(Timestamp::from_millis)?;
    fits.then_some((at, id))
}

fn entry(row: AuditEntry) -> Entry {
    Entry {
        detail: serde_json::from_str(&row.detail).unwrap_or(Value::Null),
        id: row.id,
        kind: row.kind,
        at: row.at,
    }
}

impl Identity {
    /// See [`read`].
    pub async fn audit_log(
        &self,
        by: &dyn Calls,
        limit: u32,
        before: Option<&str>,
        kind: Option<&str>,
    ) -> Result<Page> {
        let account = &by.caller().account;
        read(&self.core.store, account, limit, before, kind).await
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use recado_model::Proof;

    use super::*;

    #[test]
    fn details_break_no_line_and_name_who_it_was() {
        let mut caller = Caller::new(
            AccountId::from_text("ACX"),
            Proof::ApiToken {
                credential: CredentialId::from_text("CRX"),
            },
        );
        caller.from = Some([192, 0, 2, 7].into());
        let detail = Detail::of(&caller)
            .with("label", "two\r\nlines\u{85}\u{2028}")
            .with("hint", None::<String>);
        let text = Value::Object(detail.0).to_string();
        assert!(!text.contains(['\r', '\n']), "{text}");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(
            read,
            json!({
                "by": {"proof": "api_token", "credential": "CRX"},
                "from": "192.0.2.7",
                "label": "two\r\nlines\u{85}\u{2028}",
            })
        );
    }

    /// The Rust files below `folder`, without their tests.
    fn sources(folder: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs")
                && !path.ends_with("tests.rs")
                && !path.ends_with("audit.rs")
            {
                found.push(std::fs::read_to_string(&path).expect("a source"));
            }
        }
    }

    fn kinds_of(text: &str) -> impl Iterator<Item = &str> {
        let word = |word: &str| {
            let mut bytes = word.bytes();
            !word.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b == b'_')
        };
        let parts = text.split('"');
        parts.filter(move |part| {
            let halves = part.split_once('.');
            halves.is_some_and(|(noun, verb)| word(noun) && word(verb) && verb != "rs")
        })
    }

    #[test]
    fn the_sources_write_these_kinds_and_no_others() {
        assert!(KINDS.is_sorted());
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = Vec::new();
        for who_writes in ["store", "identity", "app"] {
            sources(&crates.join(who_writes).join("src"), &mut found);
        }
        let nouns: BTreeSet<_> = KINDS
            .iter()
            .filter_map(|kind| kind.split_once('.'))
            .collect();
        let nouns: BTreeSet<_> = nouns.into_iter().map(|(noun, _)| noun).collect();
        let mut written = BTreeSet::new();
        for source in &found {
            // In the call itself, whatever its noun; elsewhere, on the way to one, by the noun.
            for call in source
                .split(".audit(")
                .skip(1)
                .chain(source.split(".write(").skip(1))
            {
                let call = call.split(';').next().unwrap_or_default();
                written.extend(kinds_of(call));
            }
            let all = kinds_of(source);
            written.extend(all.filter(|kind| nouns.contains(kind.split('.').next().unwrap_or(""))));
        }
        assert_eq!(written, BTreeSet::from(KINDS));
    }

    #[test]
    fn cursors() {
        assert_eq!(cursor("17-AUABC"), Some((Timestamp(17), "AUABC")));
        for bad in [
            "",
            "17",
            "x-AU",
            "17-A'B",
            "17-A B",
            "99999999999999999999-A",
        ] {
            assert_eq!(cursor(bad), None, "{bad}");
        }
    }
}
