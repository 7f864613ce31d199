//! People who are there already, and what is known of them past the surfaces.

use std::collections::HashSet;

use recado_identity::mail::MailConfig;
use recado_model::{Clock as _, Language, Role, UserId, clock::OsRng};
use recado_store::{NewUser, UserRecord};
use sha2::{Digest as _, Sha256};

use crate::{
    browser::{Inbox, Names, OWNER},
    gateway::{Bed, Shop},
};

impl Bed {
    pub fn inbox(&self) -> Inbox {
        let MailConfig::Files { dir } = &self.gateway().app.config().users.mail else {
            panic!("letters are files here");
        };
        Inbox {
            dir: dir.clone(),
            read: HashSet::new(),
        }
    }

    pub async fn find_user(&self, email: &str) -> Option<UserRecord> {
        let mut conn = self.read().await;
        let found = conn.people().user_by_email(email).await;
        found.expect("an answer")
    }

    pub async fn user(&self, email: &str) -> UserRecord {
        let found = self.find_user(email).await;
        found.unwrap_or_else(|| panic!("no user {email}"))
    }

    /// A user with the owners' password who is a member of nothing yet, made past every rule.
    pub async fn person(&self, email: &str) -> UserId {
        let hash = self.user(OWNER).await.password_hash;
        let id = UserId::random(&OsRng);
        let new = NewUser {
            id: &id,
            email,
            password_hash: hash.expose(),
            operator: false,
            language: Language::English,
        };
        let mut conn = self.write().await;
        let made = conn.people().create_user(&new, self.clock.now()).await;
        made.expect("a user");
        conn.commit().await.expect("commit");
        id
    }

    pub async fn join(&self, shop: &Shop, user: &UserId, role: Role) {
        let mut conn = self.write().await;
        let now = self.clock.now();
        let joined = conn.people().add_member(&shop.id, user, role, now).await;
        assert!(joined.expect("an answer"), "a member already");
        conn.commit().await.expect("commit");
    }

    pub async fn member(&self, shop: &Shop, email: &str, role: Role) -> UserId {
        let id = self.person(email).await;
        self.join(shop, &id, role).await;
        id
    }

    /// How many passwords were hashed so far.
    pub fn hashed(&self) -> u64 {
        self.gateway().app.users().hashes_begun()
    }

    /// A door that failures have just closed for a second, closed for two minutes and more: whoever looks
    /// at it next may be slow. These are seven failures more.
    pub fn slam(&self, from: &str, email: &str) {
        let from = Some(from.parse().expect("an address"));
        for secs in [1, 2, 4, 8, 16, 32, 64] {
            self.clock.jump_secs(secs);
            self.gateway().app.limits().login_failed(from, email);
        }
    }

    /// The same for a person's password and codes, inside a session or over a link.
    pub async fn slam_proof(&self, email: &str) {
        let user = self.user(email).await.id;
        for secs in [1, 2, 4, 8, 16, 32, 64] {
            self.clock.jump_secs(secs);
            self.gateway().app.limits().proof_failed(&user);
        }
    }

    /// Whom the cookie stands for, past the dashboard's API; `None` when its session is gone.
    pub async fn names(&self, cookie: &str) -> Option<Names> {
        let lookup = Sha256::digest(cookie.as_bytes()).into();
        let mut conn = self.read().await;
        let found = conn.people().user_session_by_lookup(&lookup).await;
        found.expect("an answer").map(|session| Names {
            account: session.account.to_string(),
            user: session.user.to_string(),
        })
    }
}
