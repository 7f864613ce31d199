//! Credentials made past the product's own ways, so that they end, or open less, as a test needs it.

use recado_model::{
    CredentialId, Scope, Timestamp, Token, TokenKind, clock::OsRng, credential::CredentialKind,
};
use recado_store::credentials::NewCredential;
use serde_json::json;

use crate::gateway::{Bed, Made};

pub(crate) fn unknown(kind: TokenKind) -> String {
    Token::random(kind, &OsRng).expose().to_owned()
}

/// A further credential of shop A; `not_after` says when its life ends.
pub(crate) async fn issue(
    bed: &Bed,
    kind: CredentialKind,
    instance: Option<&Made>,
    parent: Option<&CredentialId>,
    not_after: Option<Timestamp>,
) -> (CredentialId, String) {
    let (id, token) = (
        CredentialId::random(&OsRng),
        Token::random(kind.token_kind(), &OsRng),
    );
    let instance = instance.map(Made::instance);
    let now = recado_model::Clock::now(&*bed.clock);
    let new = NewCredential {
        id: id.clone(),
        token: &token,
        kind,
        label: Some("extra"),
        instance: instance.as_ref(),
        parent,
        not_after,
        networks: &[],
        scope: Default::default(),
    };
    let mut conn = bed.write().await;
    conn.account(&bed.a.id)
        .issue(new, now)
        .await
        .expect("issued");
    conn.commit().await.expect("commit");
    (id, token.expose().to_owned())
}

/// A credential that its owner keeps to a network, or to an instance.
pub(super) async fn restrict(
    bed: &Bed,
    id: &CredentialId,
    network: Option<&str>,
    instance: Option<&Made>,
) {
    let networks: Vec<_> = network
        .iter()
        .map(|net| net.parse().expect("a net"))
        .collect();
    let scope = match instance {
        Some(made) => Scope::Only([made.instance()].into()),
        None => Scope::All,
    };
    let mut conn = bed.write().await;
    let mut account = conn.account(&bed.a.id);
    let changed = account.change_credential(id, None, None, &networks, &scope);
    assert!(changed.await.expect("changed"));
    conn.commit().await.expect("commit");
    bed.gateway().app.access().invalidate();
}

/// Not where the tests call from.
pub(super) const ELSEWHERE: &str = "203.0.113.0/24";

/// One client pair, with a JWT that came from it before it was restricted.
pub(super) struct Restricted {
    pub(super) client: String,
    pub(super) jwt: String,
}

pub(super) async fn restricted(
    bed: &Bed,
    network: Option<&str>,
    instance: Option<&Made>,
) -> Restricted {
    let (id, client) = issue(bed, CredentialKind::ClientToken, None, None, None).await;
    let (_, secret) = issue(bed, CredentialKind::ClientSecret, None, Some(&id), None).await;
    let body = json!({"client_token": client, "client_secret": secret});
    let answer = bed.post("/token").json(body).send().await.ok();
    let jwt = answer["access_token"].as_str().expect("a token").to_owned();
    restrict(bed, &id, network, instance).await;
    Restricted { client, jwt }
}
