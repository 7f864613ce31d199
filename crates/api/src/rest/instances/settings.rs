//! What bodies say of how an instance behaves.

use recado_model::{History, Interactive, MediaRule, OwnPresence, Result, SettingsChange};

/// A body of an instance: fields of its own, then its settings, of which what is left out stays as it is. All stand in
/// one struct: in a flattened one an error would name no field.
macro_rules! with_settings {
    ($name:ident { $($(#[$attr:meta])* $field:ident: $type:ty,)* }) => {
        #[derive(serde::Deserialize, schemars::JsonSchema)]
        pub struct $name {
            $($(#[$attr])* $field: $type,)*
            /// What becomes of buttons and lists: `text`, a numbered text; `native`, WhatsApp's own form;
            /// `refuse`, nothing.
            #[serde(default)]
            #[schemars(extend("enum" = ["text", "native", "refuse"]))]
            interactive: Option<String>,
            /// When media that come in are fetched: `always`, up to the operator's size; `on_demand`, when their link is
            /// first opened; `off`, never.
            #[serde(default)]
            #[schemars(extend("enum" = ["off", "on_demand", "always"]))]
            media: Option<String>,
            /// Milliseconds between the starts of two sends, 0 to 600000. Never less than the operator has it; 0 goes back
            /// to that.
            #[serde(default, alias = "sendIntervalMs", deserialize_with = "crate::extract::some_whole")]
            send_interval_ms: Option<i64>,
            /// At most so many milliseconds come on top, by chance: 0 to 600000.
            #[serde(default, alias = "sendJitterMs", deserialize_with = "crate::extract::some_whole")]
            send_jitter_ms: Option<i64>,
            /// Whether others see the number as online while it is connected: `unavailable`, the default, or `available`.
            #[serde(default)]
            #[schemars(extend("enum" = ["unavailable", "available"]))]
            presence: Option<String>,
            /// How much of its past a phone sends when it is linked: `recent`, the default, the last months; `full`, all that it
            /// gives; `off`, nothing is kept.
            #[serde(default)]
            #[schemars(extend("enum" = ["off", "recent", "full"]))]
            history: Option<String>,
            /// Written to those whose calls are declined, at most once an hour to each; `""` is nothing.
            #[serde(default, alias = "rejectCallsMessage")]
            #[schemars(length(max = 1_000))]
            reject_calls_message: Option<String>,
        }

        impl $name {
            fn settings(&self) -> recado_model::Result<recado_model::SettingsChange> {
                let pause = (self.send_interval_ms, self.send_jitter_ms);
                let presence = self.presence.as_deref();
                let change = settings::change(
                    self.interactive.as_deref(),
                    self.media.as_deref(),
                    presence,
                    pause,
                )?;
                Ok(recado_model::SettingsChange {
                    history: settings::history(self.history.as_deref())?,
                    reject_calls_message: self.reject_calls_message.clone(),
                    ..change
                })
            }
        }
    };
}
pub(super) use with_settings;

/// `""` is the same as nothing.
pub(super) fn change(
    interactive: Option<&str>,
    media: Option<&str>,
    presence: Option<&str>,
    (send_interval_ms, send_jitter_ms): (Option<i64>, Option<i64>),
) -> Result<SettingsChange> {
    let given = |text: &&str| !text.trim().is_empty();
    let interactive = interactive.filter(given).map(Interactive::parse);
    let media = media.filter(given).map(MediaRule::parse);
    let presence = presence.filter(given).map(OwnPresence::parse);
    Ok(SettingsChange {
        interactive: interactive.transpose()?,
        media: media.transpose()?,
        send_interval_ms,
        send_jitter_ms,
        presence: presence.transpose()?,
        history: None,
        reject_calls_message: None,
    })
}

/// `""` is the same as nothing.
pub(super) fn history(text: Option<&str>) -> Result<Option<History>> {
    let given = text.filter(|text| !text.trim().is_empty());
    given.map(History::parse).transpose()
}
