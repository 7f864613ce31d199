//! The account itself, for its owner.

use axum::{extract::State, response::Response};
use serde::Serialize;

use crate::{Shared, auth::AccountOwner, error::Fail};

use super::bare;

#[derive(Serialize)]
struct AccountBody<'a> {
    id: &'a str,
    name: &'a str,
    kind: &'static str,
    language: &'a str,
    created_at: String,
}

pub async fn read(
    AccountOwner(caller): AccountOwner,
    State(shared): State<Shared>,
) -> Result<Response, Fail> {
    let account = shared.app.shop().account(&caller).await?;
    Ok(bare(&AccountBody {
        id: account.id.as_str(),
        name: &account.name,
        kind: account.kind.as_str(),
        language: &account.language,
        created_at: account.created_at.to_rfc3339(),
    }))
}
