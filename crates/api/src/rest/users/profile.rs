//! What others see of this number: ours, beside the contract.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{App, ProfileChange};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::business::BusinessBody;
use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::{Answer, NoContent},
    error::Fail,
    extract::{Json, bytes_of},
};

#[derive(Serialize, JsonSchema)]
pub struct ProfileBody {
    name: Option<String>,
    about: Option<String>,
    /// Another one for each picture.
    picture_id: Option<String>,
    /// For some days.
    picture_url: Option<String>,
    verified_name: Option<String>,
    business_profile: Option<BusinessBody>,
}

/// Shows what others see of this number, as WhatsApp tells it now.
#[operation]
pub async fn read(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
) -> Result<Answer<ProfileBody>, Fail> {
    let own = app.profiles().read(&access.granted).await?;
    Ok(Answer(ProfileBody {
        name: access.granted.instance().push_name.clone(),
        about: own.about,
        picture_id: own.picture_id,
        picture_url: own.picture_url,
        verified_name: own.verified_name,
        business_profile: own.business.as_ref().map(BusinessBody::of),
    }))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeProfileBody {
    #[serde(default)]
    #[schemars(length(min = 1, max = 25))]
    name: Option<String>,
    /// `""` takes it away.
    #[serde(default)]
    #[schemars(length(max = 139))]
    about: Option<String>,
}

/// Changes the name of this number and the line below it.
#[operation]
pub async fn change(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Json(body): Json<ChangeProfileBody>,
) -> Result<NoContent, Fail> {
    let change = ProfileChange {
        name: body.name,
        about: body.about,
    };
    app.profiles().change(&access.granted, change).await?;
    Ok(NoContent)
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PictureBody {
    /// A JPEG of up to 700 KiB, as base64 or a data URL. WhatsApp shows 640 by 640 pixels.
    #[serde(default)]
    image: String,
}

#[derive(Serialize, JsonSchema)]
pub struct PictureSet {
    picture_id: Option<String>,
}

/// Sets the picture of this number.
#[operation]
pub async fn set_picture(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Json(body): Json<PictureBody>,
) -> Result<Answer<PictureSet>, Fail> {
    let jpeg = bytes_of("image", &body.image)?;
    let profiles = app.profiles();
    let picture_id = profiles.set_picture(&access.granted, Some(jpeg)).await?;
    Ok(Answer(PictureSet { picture_id }))
}

/// Takes the picture of this number away.
#[operation]
pub async fn remove_picture(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
) -> Result<NoContent, Fail> {
    app.profiles().set_picture(&access.granted, None).await?;
    Ok(NoContent)
}
