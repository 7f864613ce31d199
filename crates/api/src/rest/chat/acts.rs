//! What is done to earlier messages: a reaction, an edit, a deletion. Each is queued like any message.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::{Act, Acted, App, Named, SendOptions};
use recado_model::content::Text;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::given;
use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::{Answer, Rfc3339},
    error::Fail,
    extract::{Loose, Names, Segment, some_whole, text_or_number},
    rest::{Envelope, enveloped},
};

/// A body of an act: fields of its own, and those that every act has.
macro_rules! act_body {
    ($name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(Deserialize, JsonSchema)]
        pub struct $name {
            $($(#[$attr])* $field: $type,)*
            /// Where the message is. Need not be given: it is known by its id.
            #[serde(default, deserialize_with = "text_or_number")]
            #[schemars(with = "Option<String>")]
            phone: String,
            /// The caller's own id for this act.
            #[serde(default)]
            id: Option<String>,
            /// Milliseconds.
            #[serde(default, deserialize_with = "some_whole")]
            #[schemars(range(min = 0, max = 86_400_000))]
            delay: Option<i64>,
            /// RFC 3339. An act whose first try has not begun by then is not sent any more: it has failed.
            #[serde(default, alias = "validUntil")]
            #[schemars(extend("format" = "date-time"))]
            valid_until: Option<String>,
        }

        impl $name {
            fn how(&mut self) -> SendOptions {
                SendOptions {
                    id: given(self.id.take()),
                    delay_ms: self.delay,
                    valid_until: self.valid_until.take(),
                    ..Default::default()
                }
            }

            fn named(&mut self, message_id: String) -> Named {
                let chat = given(Some(std::mem::take(&mut self.phone)));
                Named { message_id, chat, ..Named::default() }
            }
        }
    };
}

act_body!(ReactBody {
    /// `me:` before it: one of your own.
    #[serde(default, alias = "messageId")]
    #[schemars(length(min = 1))]
    message_id: String,
    /// An emoji; `""` takes yours back.
    #[schemars(length(max = 32))]
    reaction: String,
});

act_body!(UnreactBody {
    /// `me:` before it: one of your own.
    #[serde(default, alias = "messageId")]
    #[schemars(length(min = 1))]
    message_id: String,
});

act_body!(EditBody {
    #[serde(default)]
    #[schemars(length(min = 1, max = 65_536))]
    message: String,
    #[serde(default, alias = "mentionedIds")]
    mentioned_ids: Option<Names>,
});

act_body!(DeleteBody {});

/// An act that was accepted.
#[derive(Serialize, JsonSchema)]
pub struct Done {
    details: &'static str,
    /// When it was accepted.
    timestamp: Rfc3339,
    /// Of the act, by which its own status can be read.
    id: String,
}

/// One that changed a message.
#[derive(Serialize, JsonSchema)]
pub struct Changed {
    details: &'static str,
    /// When it was accepted.
    timestamp: Rfc3339,
    /// Of the act, by which its own status can be read.
    id: String,
    /// Of the message that it changes.
    message_id: String,
}

pub(super) fn done(acted: Acted, details: &'static str) -> Answer<Envelope<Done>> {
    enveloped(Done {
        details,
        timestamp: Rfc3339(acted.at),
        id: acted.id.as_str().to_owned(),
    })
}

fn changed(acted: Acted, details: &'static str) -> Answer<Envelope<Changed>> {
    enveloped(Changed {
        details,
        timestamp: Rfc3339(acted.at),
        id: acted.id.as_str().to_owned(),
        message_id: acted.target.as_str().to_owned(),
    })
}

async fn accept(
    access: &InstanceAccess<Developer>,
    app: &App,
    (named, how): (Named, SendOptions),
    act: Act,
) -> Result<Acted, Fail> {
    let messages = app.messages();
    let acted = messages.act(&access.granted, &named, act, how);
    Ok(acted.await?)
}

/// Puts a sign on a message.
///
/// Each person has one: another takes its place, and `""` takes it back. Anything can have signs but what
/// changes another message itself.
#[operation]
pub async fn react(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<ReactBody>,
) -> Result<Answer<Envelope<Done>>, Fail> {
    let details = match body.reaction.is_empty() {
        true => "The reaction is being taken back.",
        false => "The reaction is being sent.",
    };
    let (id, sign) = (
        std::mem::take(&mut body.message_id),
        std::mem::take(&mut body.reaction),
    );
    let what = (body.named(id), body.how());
    let acted = accept(&access, &app, what, Act::React(sign)).await?;
    Ok(done(acted, details))
}

/// Takes your sign off a message.
#[operation]
pub async fn unreact(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Loose(mut body): Loose<UnreactBody>,
) -> Result<Answer<Envelope<Done>>, Fail> {
    let id = std::mem::take(&mut body.message_id);
    let what = (body.named(id), body.how());
    let acted = accept(&access, &app, what, Act::React(String::new())).await?;
    Ok(done(acted, "The reaction is being taken back."))
}

/// Gives a text of yours another wording.
///
/// WhatsApp takes that for 20 minutes after it was sent, of texts of this number. What is read and quoted of
/// it changes once WhatsApp has the edit.
#[operation]
pub async fn edit(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, id)): Segment<(String, String)>,
    Loose(mut body): Loose<EditBody>,
) -> Result<Answer<Envelope<Changed>>, Fail> {
    let text = Text::new(std::mem::take(&mut body.message))?;
    let (named, mut how) = (body.named(id), body.how());
    how.mentioned_ids = body
        .mentioned_ids
        .take()
        .map(|Names(ids)| ids)
        .unwrap_or_default();
    let acted = accept(&access, &app, (named, how), Act::Edit(text)).await?;
    Ok(changed(acted, "The edit is being sent."))
}

/// Deletes a message of yours for everybody; of a group's admin anybody's.
///
/// Its content goes once WhatsApp has the deletion. Events that told of it before stay as they are.
#[operation]
pub async fn delete(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, id)): Segment<(String, String)>,
    Loose(mut body): Loose<DeleteBody>,
) -> Result<Answer<Envelope<Changed>>, Fail> {
    let what = (body.named(id), body.how());
    let acted = accept(&access, &app, what, Act::Delete).await?;
    Ok(changed(acted, "The deletion is being sent."))
}
