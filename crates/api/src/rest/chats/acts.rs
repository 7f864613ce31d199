//! What is done to a chat. The phone and the other devices of the number show it, too.

use axum::extract::State;
use recado_api_macros::operation;
use recado_app::App;
use recado_model::{
    Error, Result,
    chat::{ChatAct, Mute},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    auth::{InstanceAccess, least::Developer},
    describe::Answer,
    error::Fail,
    extract::{Loose, Segment, some_whole},
};

/// Ten years.
const MUTE_MOST_SECS: i64 = 10 * 365 * 86_400;

#[derive(Serialize, JsonSchema)]
pub struct StatusOk {
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
}

#[derive(Deserialize, JsonSchema)]
pub struct MuteBody {
    /// Left out, or 0: for ever.
    #[serde(default, alias = "durationSeconds", deserialize_with = "some_whole")]
    #[schemars(range(min = 0, max = 315_360_000))]
    duration_seconds: Option<i64>,
}

#[derive(Deserialize, JsonSchema)]
pub struct ClearBody {
    /// Whether devices forget the media, too.
    #[serde(default, alias = "deleteMedia")]
    delete_media: bool,
}

#[derive(Deserialize, JsonSchema)]
pub struct ExpirationBody {
    #[serde(default)]
    #[schemars(extend("enum" = ["24_HOURS", "7_DAYS", "90_DAYS", "OFF"]))]
    expiration: String,
}

impl ExpirationBody {
    fn seconds(&self) -> Result<u32> {
        match self.expiration.trim().to_uppercase().as_str() {
            "24_HOURS" => Ok(86_400),
            "7_DAYS" => Ok(604_800),
            "90_DAYS" => Ok(7_776_000),
            "OFF" => Ok(0),
            "" => Err(Error::field(
                "expiration",
                "expiration is required: 24_HOURS, 7_DAYS, 90_DAYS or OFF",
            )),
            _ => Err(Error::field(
                "expiration",
                "expiration is one of 24_HOURS, 7_DAYS, 90_DAYS and OFF",
            )),
        }
    }
}

pub type Done = Result<Answer<StatusOk>, Fail>;

pub fn done() -> Done {
    Ok(Answer(StatusOk { status: "ok" }))
}

async fn change(
    access: &InstanceAccess<Developer>,
    app: &App,
    (phone, act): (&str, ChatAct),
) -> Done {
    app.chats().change(&access.granted, phone, act).await?;
    done()
}

macro_rules! acts {
    // The docs as they are: the attribute below reads them.
    ($($(#[$($doc:tt)*])* $name:ident => $act:expr;)*) => {$(
        $(#[$($doc)*])*
        #[operation]
        pub async fn $name(
            access: InstanceAccess<Developer>,
            State(app): State<App>,
            Segment((_, phone)): Segment<(String, String)>,
        ) -> Done {
            change(&access, &app, (&phone, $act)).await
        }
    )*};
}

acts! {
    /// Puts a chat away.
    ///
    /// It is not queued: an instance that is offline answers 409.
    archive => ChatAct::Archive(true);
    /// Takes a chat back that was put away.
    ///
    /// It is not queued: an instance that is offline answers 409.
    unarchive => ChatAct::Archive(false);
    /// Pins a chat to the top of the phone's list.
    ///
    /// It is not queued: an instance that is offline answers 409.
    pin => ChatAct::Pin(true);
    /// Takes a chat off the top of the phone's list.
    ///
    /// It is not queued: an instance that is offline answers 409.
    unpin => ChatAct::Pin(false);
    /// Lets a chat make sound again.
    ///
    /// It is not queued: an instance that is offline answers 409.
    unmute => ChatAct::Mute(Mute::Off);
    /// Marks a chat as read, and tells whoever wrote in it.
    ///
    /// It is not queued: an instance that is offline answers 409.
    mark_read => ChatAct::Read(true);
    /// Marks a chat as unread.
    ///
    /// It is not queued: an instance that is offline answers 409.
    mark_unread => ChatAct::Read(false);
}

/// Silences a chat, for some time or for ever.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn mute(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
    Loose(body): Loose<MuteBody>,
) -> Done {
    let mute = match body.duration_seconds.unwrap_or(0) {
        0 => Mute::Forever,
        seconds @ 1..=MUTE_MOST_SECS => Mute::Until(app.clock().now().plus_millis(seconds * 1_000)),
        _ => {
            let text = "duration_seconds is 1 to 315360000, or 0 for ever";
            return Err(Error::field("duration_seconds", text).into());
        }
    };
    change(&access, &app, (&phone, ChatAct::Mute(mute))).await
}

/// Clears a chat: what is in it goes on all devices of the number, and it stays.
///
/// It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn clear(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
    Loose(body): Loose<ClearBody>,
) -> Done {
    let media = body.delete_media;
    change(&access, &app, (&phone, ChatAct::Clear { media })).await
}

/// Deletes a chat, with what is in it, on all devices of the number.
///
/// It is not queued: an instance that is offline answers 409. With the next message it begins anew.
#[operation]
pub async fn delete(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
    Loose(body): Loose<ClearBody>,
) -> Done {
    let media = body.delete_media;
    change(&access, &app, (&phone, ChatAct::Delete { media })).await
}

/// Sets after how long messages of a chat disappear.
///
/// The other side sees that, and goes by it. It is not queued: an instance that is offline answers 409.
#[operation]
pub async fn set_expiration(
    access: InstanceAccess<Developer>,
    State(app): State<App>,
    Segment((_, phone)): Segment<(String, String)>,
    Loose(body): Loose<ExpirationBody>,
) -> Done {
    let seconds = body.seconds()?;
    let chats = app.chats();
    chats.set_timer(&access.granted, &phone, seconds).await?;
    done()
}
