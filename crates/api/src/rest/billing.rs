//! Paying for an instance: subscribe, cancel, resume. By owner JWT alone, never by the instance's own
//! tokens. The answers are bare.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, ReturnTo};
use recado_model::BillingStatus;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{OwnerInstance, least::Admin},
    describe::Answer,
    error::Fail,
    extract::Loose,
};

#[derive(Deserialize, JsonSchema)]
pub struct SubscribeBody {
    #[serde(default, alias = "successUrl")]
    success_url: Option<String>,
    #[serde(default, alias = "cancelUrl")]
    cancel_url: Option<String>,
}

#[derive(Serialize, JsonSchema)]
pub struct SubscribedBody {
    /// The page to pay at; empty when there is none to visit.
    url: String,
    session_id: String,
    /// `checkout` is a page to visit.
    #[schemars(extend("enum" = ["direct", "checkout"]))]
    mode: &'static str,
    subscription_id: String,
}

/// Begins to pay for an instance.
///
/// Asked again it answers the same subscription. With `mode` `checkout`, `url` is the page to pay at.
#[operation]
pub async fn subscribe(
    OwnerInstance { granted, .. }: OwnerInstance<Admin>,
    State(app): State<App>,
    Loose(body): Loose<SubscribeBody>,
) -> Result<Answer<SubscribedBody>, Fail> {
    let return_to = ReturnTo {
        success_url: body.success_url,
        cancel_url: body.cancel_url,
    };
    let billing = app.billing();
    let done = billing.subscribe(&granted, &return_to).await?;
    Ok(Answer(SubscribedBody {
        url: done.checkout.url,
        session_id: done.checkout.session_id,
        mode: done.checkout.mode,
        subscription_id: done.subscription_id,
    }))
}

#[derive(Serialize, JsonSchema)]
pub struct Resumed {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

/// Takes back a cancel that has not come yet.
#[operation]
pub async fn resume(
    OwnerInstance { granted, .. }: OwnerInstance<Admin>,
    State(app): State<App>,
) -> Result<Answer<Resumed>, Fail> {
    app.billing().resume(&granted).await?;
    Ok(Answer(Resumed { status: "ok" }))
}

#[derive(Serialize, JsonSchema)]
pub struct Canceled {
    message: String,
}

/// Stops paying for an instance.
///
/// It works until the end of the period that runs; when none does, it stops at once. The pairing is
/// kept.
#[operation]
pub async fn cancel(
    OwnerInstance { granted, .. }: OwnerInstance<Admin>,
    State(app): State<App>,
) -> Result<Answer<Canceled>, Fail> {
    let standing = app.billing().cancel(&granted).await?;
    let message = match (standing.status, standing.cancel_at) {
        (BillingStatus::Trialing | BillingStatus::Active, None) => {
            "Billing is off on this gateway: there is nothing to cancel, and the instance keeps working. DELETE /instances/{id} removes it.".to_owned()
        }
        (BillingStatus::Trialing | BillingStatus::Active, Some(at)) => format!(
            "Instance canceled successfully. It works until {}; POST /instances/{{id}}/resume-subscription takes this back before then.",
            at.to_rfc3339()
        ),
        (BillingStatus::Canceled | BillingStatus::Unpaid, _) => {
            "Instance canceled successfully. Its pairing is kept until DELETE /instances/{id}.".to_owned()
        }
    };
    Ok(Answer(Canceled { message }))
}
