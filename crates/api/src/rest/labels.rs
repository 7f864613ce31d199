//! Labels, by which the owner of a number sorts chats. The phone and the other devices show them, too.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chats::{LabelBody, StatusOk, done};
use crate::{
    auth::{
        InstanceAccess,
        least::{Developer, Viewer},
    },
    describe::Answer,
    error::Fail,
    extract::{Loose, Segment, some_whole},
};

#[derive(Serialize, JsonSchema)]
pub struct LabelList {
    labels: Vec<LabelBody>,
}

#[derive(Deserialize, JsonSchema)]
pub struct LabelInput {
    /// 1 to 100 characters. Left out of a change: it stays.
    #[serde(default)]
    #[schemars(length(max = 100))]
    name: Option<String>,
    /// One of WhatsApp's colours. Left out: 0, or as it is.
    #[serde(default, deserialize_with = "some_whole")]
    #[schemars(range(min = 0, max = 19))]
    color: Option<i64>,
}

/// Lists the labels of the number.
#[operation]
pub async fn list(
    access: InstanceAccess<Viewer>,
    State(app): State<App>,
) -> Result<Answer<LabelList>, Fail> {
    let labels = app.labels().list(&access.granted).await?;
    Ok(Answer(LabelList {
        labels: labels.into_iter().map(Into::into).collect(),
    }))
}

/// Makes a label.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn create(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(body): Loose<LabelInput>,
) -> Result<Answer<LabelBody>, Fail> {
    let (name, color) = (body.name.unwrap_or_default(), body.color.unwrap_or(0));
    let label = app.labels().create(&access.granted, &name, color).await?;
    Ok(Answer(label.into()))
}

/// Renames a label, or gives it another colour.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn change(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, label_id)): Segment<(String, String)>,
    Loose(body): Loose<LabelInput>,
) -> Result<Answer<LabelBody>, Fail> {
    let labels = app.labels();
    let wanted = (body.name.as_deref(), body.color);
    let label = labels.change(&access.granted, &label_id, wanted).await?;
    Ok(Answer(label.into()))
}

/// Deletes a label: no chat has it any more.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn delete(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, label_id)): Segment<(String, String)>,
) -> Result<Answer<StatusOk>, Fail> {
    app.labels().delete(&access.granted, &label_id).await?;
    done()
}

/// Puts a label on a chat.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn put_on(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone, label_id)): Segment<(String, String, String)>,
) -> Result<Answer<StatusOk>, Fail> {
    let labels = app.labels();
    labels.put(&access.granted, &phone, &label_id, true).await?;
    done()
}

/// Takes a label off a chat.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn take_off(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone, label_id)): Segment<(String, String, String)>,
) -> Result<Answer<StatusOk>, Fail> {
    let labels = app.labels();
    labels
        .put(&access.granted, &phone, &label_id, false)
        .await?;
    done()
}
