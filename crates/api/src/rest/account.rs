//! The account itself, for its owner.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_model::{AccountId, account::AccountKind};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;

use crate::{
    auth::{AccountOwner, least::Viewer},
    describe::{Answer, Rfc3339, one_of},
    error::Fail,
};

#[derive(Serialize, JsonSchema)]
pub struct AccountBody {
    #[schemars(with = "String")]
    id: AccountId,
    name: String,
    #[schemars(schema_with = "kinds")]
    kind: &'static str,
    language: String,
    created_at: Rfc3339,
}

fn kinds(_: &mut SchemaGenerator) -> Schema {
    one_of([AccountKind::Full, AccountKind::Guest].map(AccountKind::as_str))
}

/// Shows the account.
#[operation]
pub async fn read(
    AccountOwner { caller, .. }: AccountOwner<Viewer>,
    State(app): State<App>,
) -> Result<Answer<AccountBody>, Fail> {
    let account = app.shop().account(&caller).await?;
    Ok(Answer(AccountBody {
        id: account.id,
        name: account.name,
        kind: account.kind.as_str(),
        language: account.language,
        created_at: Rfc3339(account.created_at),
    }))
}
