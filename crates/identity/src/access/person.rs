//! People: the dashboard's cookie, and what stands behind a person's JWT.
//!
//! A session is one row; it holds while the membership, both generations and its two ends do. Signing
//! out, a new password or role, "sign out everywhere": each makes the row go or its generations old,
//! and is seen by the next request.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use quick_cache::sync::Cache;
use recado_model::{
    Caller, Clock, Error, ErrorCode, InstanceId, Proof, Result, Rng, Role, Scope, Secret,
    Timestamp, UserId, UserSessionId,
};
use recado_store::{Conn, Store, people::user_sessions::SessionRecord};

use super::{
    Access, IssuedToken,
    cache::{Digest32, digest},
    granted::{Calls, Granted},
};
use crate::faults;

/// A session that nobody uses ends after this.
pub const IDLE_MS: i64 = 12 * 3600 * 1000;
/// And every one after this.
pub const LONGEST_MS: i64 = 30 * 24 * 3600 * 1000;
/// How long a password that was asked for inside a session counts.
pub const PROOF_MS: i64 = 10 * 60 * 1000;
/// Times may lie ahead of now by less than this: the clock was ahead when they were written, and was
/// corrected since. They count as now, so that an hour's correction signs nobody out, and nobody stays
/// signed in for longer than this beyond the ends above. Of a time further ahead nobody knows how long
/// ago it was: that session has ended.
pub const AHEAD_MS: i64 = IDLE_MS;
/// The database learns of a use this often.
const NOTE_EVERY_MS: i64 = 5 * 60 * 1000;
const SESSIONS: usize = 20_000;

/// The cookie of a new session: 256 random bits, and the hash by which it is found.
pub fn new_cookie(rng: &dyn Rng) -> (Secret, Digest32) {
    let mut bytes = [0u8; 32];
    rng.fill(&mut bytes);
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let lookup = digest(&text);
    (Secret::new(text), lookup)
}

/// Whether `at` is less than `longest_ms` ago.
pub fn is_within(longest_ms: i64, at: Timestamp, now: Timestamp) -> bool {
    (-AHEAD_MS..longest_ms).contains(&now.since(at))
}

/// A session in memory, with when it was last used.
pub struct Session {
    pub(crate) record: SessionRecord,
    seen_at: AtomicI64,
    noted_at: AtomicI64,
}

/// A person who is signed in.
#[derive(Clone)]
pub struct Person {
    /// The account they act in, as who.
    pub(crate) caller: Caller,
    pub(crate) role: Role,
    pub(crate) session: Arc<Session>,
}

impl Calls for Person {
    fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Person {
    pub(crate) fn record(&self) -> &SessionRecord {
        &self.session.record
    }

    pub fn user(&self) -> &UserId {
        &self.record().user
    }

    /// Whether both came by one session.
    pub fn is_same_session(&self, other: &Self) -> bool {
        self.record().id == other.record().id
    }

    /// Until when the password that was asked for inside the session counts; `None` when it does not.
    pub fn proven_until(&self, now: Timestamp) -> Option<Timestamp> {
        let at = self.record().proven_at?;
        // A time that lies ahead is no proof: the clock was set back.
        let holds = (0..PROOF_MS).contains(&now.since(at));
        holds.then(|| at.plus_millis(PROOF_MS))
    }
}

pub struct SessionCache {
    store: Store,
    clock: Arc<dyn Clock>,
    by_cookie: Cache<(Digest32, u64), Option<Arc<Session>>>,
    by_id: Cache<(UserSessionId, u64), Option<Arc<Session>>>,
}

impl SessionCache {
    pub(super) fn new(store: Store, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            clock,
            by_cookie: Cache::new(SESSIONS),
            by_id: Cache::new(SESSIONS),
        }
    }

    /// By its id, whoever's it is; `seen` as in the other caches.
    pub async fn by_id(&self, id: &UserSessionId, seen: u64) -> Result<Option<Arc<Session>>> {
        let key = (id.clone(), seen);
        let load = async {
            let mut conn = self.store.read().await?;
            let found = conn.people().user_session(id).await?;
            Ok::<_, Error>(found.map(Session::new))
        };
        self.by_id.get_or_insert_async(&key, load).await
    }

    /// By its cookie, open ones only; notes the use.
    async fn by_cookie(&self, text: &str, seen: u64) -> Result<Option<Arc<Session>>> {
        // 32 bytes in base64: what cannot be one of ours costs nothing.
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        if text.len() != 43 || !text.bytes().all(fits) {
            return Ok(None);
        }
        let key = (digest(text), seen);
        let load = async {
            let mut conn = self.store.read().await?;
            let found = conn.people().user_session_by_lookup(&key.0).await?;
            Ok::<_, Error>(found.map(Session::new))
        };
        let found = self.by_cookie.get_or_insert_async(&key, load).await?;
        let Some(session) = found.filter(|session| self.is_used(session)) else {
            return Ok(None);
        };
        self.note(&session).await;
        Ok(Some(session))
    }

    /// Whether it holds, however long ago it was used: a JWT lives shorter than an idle session.
    pub fn is_open(&self, session: &Session) -> bool {
        let record = &session.record;
        record.generations_hold && is_within(LONGEST_MS, record.created_at, self.clock.now())
    }

    /// Whether it holds and was used lately.
    fn is_used(&self, session: &Session) -> bool {
        let seen = Timestamp::from_millis(session.seen_at.load(Ordering::Relaxed));
        self.is_open(session) && is_within(IDLE_MS, seen, self.clock.now())
    }

    async fn note(&self, session: &Session) {
        let now = self.clock.now();
        session.seen_at.store(now.as_millis(), Ordering::Relaxed);
        let before = session.noted_at.load(Ordering::Relaxed);
        // A clock that was set back must not hold it up.
        let fresh = (0..NOTE_EVERY_MS).contains(&now.as_millis().saturating_sub(before));
        let swap = |before| {
            let (new, order) = (now.as_millis(), Ordering::Relaxed);
            session
                .noted_at
                .compare_exchange(before, new, order, order)
                .is_ok()
        };
        if fresh || !swap(before) {
            return;
        }
        let id = &session.record.id;
        let noted = async {
            let mut conn = self.store.write_relaxed().await?;
            conn.people().touch_user_session(id, now).await?;
            conn.commit().await
        };
        if let Err(error) = noted.await {
            // The next use tries again: a session that is not noted for half a day would be over.
            session.noted_at.store(before, Ordering::Relaxed);
            faults::warn(&error, "could not note that a session was used");
        }
    }
}

impl Session {
    fn new(record: SessionRecord) -> Arc<Self> {
        let seen = record.seen_at.as_millis();
        Arc::new(Self {
            record,
            seen_at: AtomicI64::new(seen),
            noted_at: AtomicI64::new(seen),
        })
    }
}

impl Access {
    /// The person of a cookie; 401 for one that does not hold, and for none.
    pub async fn person(&self, cookie: Option<&str>, from: Option<IpAddr>) -> Result<Person> {
        let found = match cookie {
            Some(text) => {
                let seen = self.credentials.seen();
                self.sessions.by_cookie(text, seen).await?
            }
            None => None,
        };
        found
            .map(|session| person(session, from))
            .ok_or_else(not_signed_in)
    }

    /// The same person in the session as it is now.
    pub fn person_of(&self, session: &Arc<Session>, before: &Person) -> Person {
        person(session.clone(), before.caller.from)
    }

    /// One of the account's instances; foreign and missing alike are 403.
    pub async fn members_instance(
        &self,
        person: Person,
        id: &InstanceId,
    ) -> Result<Granted<Person>> {
        let seen = self.credentials.seen();
        let account = &person.caller.account;
        match self.instances.find(account, id, seen).await? {
            Some(found) => Granted::new(person, found),
            None => {
                self.refused(&person.caller, "foreign");
                Err(Error::forbidden())
            }
        }
    }

    /// 403 unless the password was asked for inside the session lately: an open browser alone must not
    /// be enough.
    pub fn require_proof(&self, person: &Person) -> Result<()> {
        match person.proven_until(self.clock.now()) {
            Some(_) => Ok(()),
            None => Err(Error::new(
                ErrorCode::ProofRequired,
                "Confirm with your password first: POST /dashboard/api/confirm. It counts for 10 minutes.",
            )),
        }
    }

    /// A JWT for the person, for an hour; it dies with the session.
    pub fn issue_to(&self, session: &Session) -> Result<IssuedToken> {
        self.jwts.issue_to(session)
    }

    /// The session as the transaction that makes or changes it leaves it.
    pub(crate) async fn made(&self, conn: &mut Conn, id: &UserSessionId) -> Result<Arc<Session>> {
        let record = conn.people().user_session(id).await?;
        record.map(Session::new).ok_or_else(not_signed_in)
    }

    /// The same behind its commit, as it stands in the database now; `None` when it has ended since.
    pub async fn opened(&self, id: &UserSessionId) -> Result<Option<Arc<Session>>> {
        let seen = self.credentials.seen();
        let found = self.sessions.by_id(id, seen).await?;
        Ok(found.filter(|session| self.sessions.is_open(session)))
    }
}

fn person(session: Arc<Session>, from: Option<IpAddr>) -> Person {
    let record = &session.record;
    Person {
        caller: Caller {
            account: record.account.clone(),
            proof: Proof::UserSession {
                user: record.user.clone(),
                session: record.id.clone(),
                role: record.role,
            },
            scope: Scope::All,
            from,
        },
        role: record.role,
        session,
    }
}

fn not_signed_in() -> Error {
    Error::new(
        ErrorCode::Unauthorized,
        "You are not signed in, or your session has ended. Sign in at the dashboard.",
    )
}
