//! What businesses say of themselves.

use std::collections::BTreeMap;

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_model::{Address, person::BusinessProfile};
use schemars::JsonSchema;
use serde::Serialize;

use super::PersonBody;
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::Loose,
    rest::{Envelope, enveloped},
};

/// As `session/status` has it. What is unknown is left out.
#[derive(Serialize, JsonSchema)]
pub struct BusinessBody {
    #[serde(skip_serializing_if = "Option::is_none")]
    business_hours_timezone: Option<String>,
    categories: Vec<CategoryBody>,
    /// WhatsApp's words, in whatever language.
    profile_options: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct CategoryBody {
    id: String,
    name: String,
}

impl BusinessBody {
    pub fn of(business: &BusinessProfile) -> Self {
        let said = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Self {
            business_hours_timezone: said(&business.timezone),
            categories: business
                .categories
                .iter()
                .map(|category| CategoryBody {
                    id: category.id.clone(),
                    name: category.name.clone(),
                })
                .collect(),
            profile_options: BTreeMap::new(),
            address: said(&business.address),
            email: said(&business.email),
        }
    }
}

#[derive(Serialize, JsonSchema)]
pub struct BusinessAnswer {
    #[schemars(with = "String")]
    jid: Address,
    /// `null` of who is no business.
    business_profile: Option<BusinessDetail>,
}

#[derive(Serialize, JsonSchema)]
struct BusinessDetail {
    #[serde(flatten)]
    body: BusinessBody,
    description: String,
    websites: Vec<String>,
    business_hours: Vec<HoursBody>,
}

/// When it is open on a day.
#[derive(Serialize, JsonSchema)]
struct HoursBody {
    day: String,
    mode: String,
    /// Minutes since midnight.
    opens: Option<u32>,
    closes: Option<u32>,
}

/// Shows what a business says of itself.
#[operation]
pub async fn read(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<PersonBody>,
) -> Result<Answer<Envelope<BusinessAnswer>>, Fail> {
    let people = app.people();
    let (jid, told) = people.business(&access.granted, body.phone()?).await?;
    let business_profile = told.map(|told| BusinessDetail {
        body: BusinessBody::of(&told),
        description: told.description,
        websites: told.websites,
        business_hours: told
            .hours
            .into_iter()
            .map(|hours| HoursBody {
                day: hours.day,
                mode: hours.mode,
                opens: hours.opens,
                closes: hours.closes,
            })
            .collect(),
    });
    Ok(enveloped(BusinessAnswer {
        jid,
        business_profile,
    }))
}
