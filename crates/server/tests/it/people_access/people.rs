//! People for the tests of access: members by the store, signed in through the real surface.

use recado_model::{AccountId, Clock as _, Language, Role, UserId, clock::OsRng};
use recado_store::NewUser;
use serde_json::{Value, json};

use crate::{
    access::COOKIE,
    browser::Names,
    gateway::{Answer, Bed, Call},
};

pub(crate) const OWNER_A: &str = "a@example.com";
pub(crate) const OWNER_B: &str = "b@example.com";
/// Everybody's here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A new user with that e-mail, a member of `account`. The password is everybody's, and so is its hash:
/// making one costs more than a test has to spend.
pub(crate) async fn hire(bed: &Bed, account: &AccountId, email: &str, role: Role) -> UserId {
    let id = UserId::random(&OsRng);
    let now = bed.clock.now();
    let mut conn = bed.write().await;
    let mut people = conn.people();
    let owner = people.user_by_email(OWNER_A).await.expect("a look");
    let hash = owner.expect("the owner").password_hash;
    let new = NewUser {
        id: &id,
        email,
        password_hash: hash.expose(),
        operator: false,
        language: Language::default(),
    };
    people.create_user(&new, now).await.expect("a user");
    let added = people.add_member(account, &id, role, now).await;
    assert!(added.expect("a member"));
    conn.commit().await.expect("commit");
    id
}

/// A further membership of somebody.
pub(crate) async fn join(bed: &Bed, account: &AccountId, user: &UserId, role: Role) {
    let now = bed.clock.now();
    let mut conn = bed.write().await;
    let added = conn.people().add_member(account, user, role, now).await;
    assert!(added.expect("a member"));
    conn.commit().await.expect("commit");
    bed.gateway().app.access().invalidate();
}

/// What `POST /login` gave.
#[derive(Clone)]
pub(crate) struct SignedIn {
    pub(crate) cookie: String,
    pub(crate) jwt: String,
    /// Whom the page shows.
    pub(crate) names: Names,
}

pub(crate) async fn log_in(bed: &Bed, body: Value) -> Answer {
    let call = bed.post("/login").header("origin", &own_origin(bed));
    call.json(body).send().await
}

pub(crate) async fn sign_in(bed: &Bed, email: &str) -> SignedIn {
    let body = json!({"email": email, "password": PASSWORD});
    let answer = log_in(bed, body).await;
    let cookie = cookie_of(&answer).expect("a cookie");
    let jwt = answer.ok()["access_token"]
        .as_str()
        .expect("a JWT")
        .to_owned();
    SignedIn::new(bed, cookie, jwt).await
}

/// The cookie that an answer sets.
pub(crate) fn cookie_of(answer: &Answer) -> Option<String> {
    let set = answer.header("set-cookie").strip_prefix(COOKIE)?;
    let value = set.strip_prefix('=')?.split(';').next()?;
    (!value.is_empty()).then(|| value.to_owned())
}

pub(crate) fn own_origin(bed: &Bed) -> String {
    bed.gateway().base_url.clone()
}

impl SignedIn {
    pub(crate) async fn new(bed: &Bed, cookie: String, jwt: String) -> Self {
        let names = bed.names(&cookie).await.unwrap_or_default();
        Self { cookie, jwt, names }
    }

    /// As a page of ours asks.
    pub(crate) fn ask(&self, bed: &Bed, method: &str, path: &str) -> Call {
        let call = bed.call(method, path).header("origin", &own_origin(bed));
        let call = call.headers(self.names.headers());
        call.header("cookie", &format!("{COOKIE}={}", self.cookie))
    }

    /// With the password given just now.
    pub(crate) async fn confirmed(self, bed: &Bed) -> Self {
        let call = self.ask(bed, "POST", "/dashboard/api/confirm");
        call.json(json!({"password": PASSWORD})).send().await.ok();
        self
    }

    pub(crate) async fn me(&self, bed: &Bed) -> Answer {
        self.ask(bed, "GET", "/dashboard/api/me").send().await
    }

    /// What the JWT opens that is open to every role.
    pub(crate) async fn account(&self, bed: &Bed) -> Answer {
        bed.get("/account").bearer(&self.jwt).send().await
    }
}
