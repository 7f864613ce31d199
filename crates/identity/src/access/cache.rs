//! The rows that proofs need, in memory: no query on a hit, one on a miss however many wait.
//!
//! An entry's key holds the change counter that was current before its row was read, so a change makes
//! every older entry unreachable at once and it ages out of its bounded cache. What is not there is
//! kept, too: a token is shown only after the commit that made it, so one that is unknown now is junk.

use std::{
    hash::Hash,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
};

use quick_cache::{Equivalent, sync::Cache};
use recado_model::{
    AccountId, Clock, Error, ErrorCode, Instance, InstanceId, Monotonic, Result, Token, TokenKind,
    credential::CredentialRef,
};
use recado_store::Store;
use sha2::{Digest, Sha256};

use crate::usage::Usage;

/// Entries per cache; a token's takes about 400 bytes, an instance's about 800.
const TOKENS: usize = 50_000;
const INSTANCES: usize = 20_000;
/// Uses of a credential from one address are noted this often.
const NOTE_EVERY_MS: i64 = 60_000;
/// How long an instance is believed: several nodes may change one in a shared database; alone, this
/// only covers a commit whose caller went away in the middle.
const SHARED_MS: i64 = 1_000;
const ALONE_MS: i64 = 30_000;

pub type Digest32 = [u8; 32];

/// The digest by which a token is known in memory, so that no plaintext stays there. Tokens carry 178
/// random bits and JWTs a MAC: a plain hash is as good as a keyed one here.
pub fn digest(text: &str) -> Digest32 {
    Sha256::digest(text.as_bytes()).into()
}

/// A credential in memory, with when and whence it was last used.
pub struct KnownCredential {
    pub credential: CredentialRef,
    noted_at: AtomicI64,
    noted_from: AtomicU64,
}

impl KnownCredential {
    pub fn new(credential: CredentialRef) -> Self {
        Self {
            credential,
            noted_at: AtomicI64::new(i64::MIN),
            noted_from: AtomicU64::new(0),
        }
    }

    /// Whether this use is worth a record: the first in a while, or from elsewhere.
    fn is_news(&self, now: Monotonic, from: Option<IpAddr>) -> bool {
        // Folded, so that it fits an atomic: two addresses that look alike cost one note too few.
        let from = match from {
            None => 0,
            Some(IpAddr::V4(v4)) => u64::from(u32::from(v4)) + 1,
            Some(IpAddr::V6(v6)) => {
                let bits = u128::from(v6);
                ((bits >> 64) as u64).rotate_left(17) ^ bits as u64
            }
        };
        let (at, known) = (
            self.noted_at.load(Ordering::Relaxed),
            self.noted_from.load(Ordering::Relaxed),
        );
        if known == from && now.as_millis().saturating_sub(at) < NOTE_EVERY_MS {
            return false;
        }
        self.noted_at.store(now.as_millis(), Ordering::Relaxed);
        self.noted_from.store(from, Ordering::Relaxed);
        true
    }
}

pub struct CredentialCache {
    store: Store,
    clock: Arc<dyn Clock>,
    usage: Arc<Usage>,
    by_token: Cache<(Digest32, u64), Option<Arc<KnownCredential>>>,
    changes: AtomicU64,
}

impl CredentialCache {
    pub fn new(store: Store, clock: Arc<dyn Clock>, usage: Arc<Usage>) -> Self {
        Self {
            store,
            clock,
            usage,
            by_token: Cache::new(TOKENS),
            changes: AtomicU64::new(0),
        }
    }

    pub fn invalidate(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The counter of changes; read before a row, it says how current what was read is.
    pub fn seen(&self) -> u64 {
        self.changes.load(Ordering::SeqCst)
    }

    /// The live credential of a token; `None` for what is malformed, unknown, expired, revoked or not
    /// to be used from there.
    pub async fn find(
        &self,
        kind: TokenKind,
        text: &str,
        from: Option<IpAddr>,
    ) -> Result<Option<Arc<KnownCredential>>> {
        // The prefix is the kind, and part of what is digested: a token of another kind is not found.
        if !text.starts_with(kind.prefix()) {
            return Ok(None);
        }
        let key = (digest(text), self.seen());
        let found = match self.by_token.get(&key) {
            Some(found) => found,
            None => {
                let Some(token) = Token::parse(kind, text) else {
                    return Ok(None);
                };
                let load = async {
                    let mut conn = self.store.read().await?;
                    let found = conn.system().credential_by_token(&token).await?;
                    Ok::<_, Error>(
                        found.map(|credential| Arc::new(KnownCredential::new(credential))),
                    )
                };
                self.by_token.get_or_insert_async(&key, load).await?
            }
        };
        if found.is_none() && !self.store.keys_are_current() {
            return Err(not_now());
        }
        let found = found.filter(|known| known.credential.kind.token_kind() == kind);
        Ok(found.filter(|known| self.holds(known, from)))
    }

    /// Whether a credential that was found counts now and from there; notes its use, or why not.
    pub fn holds(&self, known: &KnownCredential, from: Option<IpAddr>) -> bool {
        let (credential, now) = (&known.credential, self.clock.now());
        let refused = if !credential.is_live(now) {
            match credential.not_after.is_some_and(|at| at <= now) {
                true => Some("expired"),
                false => Some("revoked"),
            }
        } else if !credential.may_come_from(from) {
            Some("network")
        } else {
            None
        };
        match refused {
            Some(reason) => {
                let id = Some(&credential.id);
                self.usage.refused(&credential.account, id, reason, from);
            }
            None if known.is_news(self.clock.monotonic(), from) => {
                self.usage.used(credential, from)
            }
            None => {}
        }
        refused.is_none()
    }
}

/// The keys changed and this process cannot read the new ones yet: that it does not know a token says
/// nothing about the token.
pub fn not_now() -> Error {
    Error::new(
        ErrorCode::Unavailable,
        "The gateway's keys are being replaced. Try again in a moment.",
    )
    .with_retry_after(1)
}

#[derive(Clone)]
struct CachedInstance {
    instance: Arc<Instance>,
    /// Changes of this process to the instance, and of anybody to credentials, before it was read.
    changes: u64,
    seen: u64,
    read_at: Monotonic,
}

pub struct InstanceCache {
    store: Store,
    clock: Arc<dyn Clock>,
    by_id: Cache<(AccountId, InstanceId), CachedInstance>,
    believe_ms: i64,
}

impl InstanceCache {
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            believe_ms: match store.is_shared() {
                true => SHARED_MS,
                false => ALONE_MS,
            },
            store,
            clock,
            by_id: Cache::new(INSTANCES),
        }
    }

    /// The instance, if it is the account's. `seen`: [`CredentialCache::seen`], because another process
    /// that deletes one bumps the epoch.
    pub async fn find(
        &self,
        account: &AccountId,
        id: &InstanceId,
        seen: u64,
    ) -> Result<Option<Arc<Instance>>> {
        // Ids that cannot be ours would only push others out.
        if id.as_str().len() > 64 {
            return Ok(None);
        }
        loop {
            // Before the row is read: a change in between makes the entry stale, not wrong.
            let changes = self.store.instance_changes(id);
            let now = self.clock.monotonic();
            let is_fresh = |entry: &CachedInstance| {
                entry.changes == changes
                    && entry.seen == seen
                    && now.since(entry.read_at) < self.believe_ms
            };
            // With the account in it: nobody waits for the look-up of somebody else.
            let asked = Asked(account, id);
            let guard = match self.by_id.get(&asked) {
                Some(entry) if is_fresh(&entry) => return Ok(Some(entry.instance)),
                Some(_) => {
                    self.by_id.remove_if(&asked, |entry| !is_fresh(entry));
                    continue;
                }
                None => {
                    let key = (account.clone(), id.clone());
                    match self.by_id.get_value_or_guard_async(&key).await {
                        Ok(entry) if is_fresh(&entry) => return Ok(Some(entry.instance)),
                        Ok(_) => continue,
                        Err(guard) => guard,
                    }
                }
            };
            let mut conn = self.store.read().await?;
            let Some(found) = conn.account(account).instance(id).await? else {
                return Ok(None);
            };
            let instance = Arc::new(found);
            let entry = CachedInstance {
                instance: instance.clone(),
                changes,
                seen,
                read_at: now,
            };
            // Lost only when the cache is being emptied meanwhile.
            let _ = guard.insert(entry);
            return Ok(Some(instance));
        }
    }
}

/// A key to look up by, without a copy of the ids.
#[derive(Hash)]
struct Asked<'a>(&'a AccountId, &'a InstanceId);

impl Equivalent<(AccountId, InstanceId)> for Asked<'_> {
    fn equivalent(&self, key: &(AccountId, InstanceId)) -> bool {
        *self.0 == key.0 && *self.1 == key.1
    }
}
