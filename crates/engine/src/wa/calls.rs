//! The calls to a linked device, a noun a file. (Sending is `outbound`: a message has a queue, an id and
//! an acknowledgement of its own.)
//!
//! To add one: its line in `recado_model::call`, an arm in [`LinkCore::call`], and a file here.

mod numbers;
mod pairing;
mod reading;
mod typing;

use std::time::Duration;

use recado_model::{Call, CallAnswer, Error, ErrorCode, Result};

use super::core::LinkCore;

/// How long WhatsApp may take to answer.
const ASK: Duration = Duration::from_secs(30);

impl LinkCore {
    pub(super) async fn call(&self, call: Call) -> Result<CallAnswer> {
        Ok(match call {
            Call::LookUp(call) => CallAnswer::LookUp(self.look_up(&call.phones).await?),
            Call::PairCode(call) => CallAnswer::PairCode(self.pair_code(&call.phone).await?),
            Call::MarkRead(call) => CallAnswer::MarkRead(self.mark_read(&call).await?),
            Call::Typing(call) => CallAnswer::Typing(self.show_typing(&call).await?),
        })
    }
}

/// For questions and signals, whose failures all mean the same to the caller.
async fn within<T, E>(
    limit: Duration,
    work: impl Future<Output = std::result::Result<T, E>>,
) -> Result<T>
where
    E: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Error::new(
            ErrorCode::EngineUnavailable,
            "WhatsApp did not carry this out. Try again.",
        )
        .with_source(error)),
        Err(_) => Err(too_slow()),
    }
}

fn too_slow() -> Error {
    Error::new(
        ErrorCode::Timeout,
        "WhatsApp did not answer in time. Try again; a repeated message is shown once.",
    )
}
