//! Credential look-ups, cached. An entry counts only while no credential has changed since it was
//! read; its times are checked on each use.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use quick_cache::sync::Cache;
use recado_model::{Clock, CredentialId, Result, Token, TokenKind, credential::CredentialRef};
use recado_store::Store;
use sha2::{Digest, Sha256};

/// Entries per cache; about 300 bytes each.
const CAPACITY: usize = 50_000;

type Digest32 = [u8; 32];

#[derive(Clone)]
struct Entry {
    credential: Arc<CredentialRef>,
    /// The change counter when the row was read.
    seen: u64,
}

pub struct Credentials {
    store: Store,
    clock: Arc<dyn Clock>,
    /// By digest, so that no plaintext token stays in memory. Tokens carry 178 random bits: a plain
    /// hash is as good as a keyed one here.
    by_token: Cache<Digest32, Entry>,
    by_id: Cache<CredentialId, Entry>,
    changes: AtomicU64,
}

impl Credentials {
    pub fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            by_token: Cache::new(CAPACITY),
            by_id: Cache::new(CAPACITY),
            changes: AtomicU64::new(0),
        }
    }

    pub fn invalidate(&self) {
        self.changes.fetch_add(1, Ordering::SeqCst);
    }

    /// The live credential of a token; `None` for what is malformed, unknown, expired or revoked.
    pub async fn find(&self, kind: TokenKind, text: &str) -> Result<Option<Arc<CredentialRef>>> {
        let Some(token) = Token::parse(kind, text) else {
            return Ok(None);
        };
        let key: Digest32 = Sha256::digest(text.as_bytes()).into();
        if let Some(known) = self.by_token.get(&key).and_then(|entry| self.fresh(entry)) {
            return Ok(self.live(known));
        }
        // The counter is read before the row: a change in between makes the entry stale, not wrong.
        let seen = self.changes.load(Ordering::SeqCst);
        let found = self
            .store
            .read()
            .await?
            .system()
            .credential_by_token(&token)
            .await?;
        let Some(found) = found.map(Arc::new) else {
            return Ok(None);
        };
        self.by_token.insert(
            key,
            Entry {
                credential: found.clone(),
                seen,
            },
        );
        Ok(self.live(found))
    }

    pub async fn by_id(&self, id: &CredentialId) -> Result<Option<Arc<CredentialRef>>> {
        if let Some(known) = self.by_id.get(id).and_then(|entry| self.fresh(entry)) {
            return Ok(self.live(known));
        }
        let seen = self.changes.load(Ordering::SeqCst);
        let found = self.store.read().await?.system().credential(id).await?;
        let Some(found) = found.map(Arc::new) else {
            return Ok(None);
        };
        self.by_id.insert(
            id.clone(),
            Entry {
                credential: found.clone(),
                seen,
            },
        );
        Ok(self.live(found))
    }

    fn fresh(&self, entry: Entry) -> Option<Arc<CredentialRef>> {
        (entry.seen == self.changes.load(Ordering::SeqCst)).then_some(entry.credential)
    }

    fn live(&self, credential: Arc<CredentialRef>) -> Option<Arc<CredentialRef>> {
        credential.is_live(self.clock.now()).then_some(credential)
    }
}
