//! The instance API: one file per noun, each handler guard → body → service → shape.
//!
//! Envelopes are *mixed*, as the contract has them: session, webhook and chat answers come in
//! `{code, success, data}`; token, account, instances, chats, contact/list and
//! session/disconnect are bare.

pub mod account;
pub mod audit;
pub mod billing;
pub mod chat;
pub mod chats;
pub mod connections;
pub mod contacts;
pub mod credentials;
pub mod group;
pub mod instances;
pub mod labels;
pub mod media;
pub mod queue;
pub mod token;
pub mod users;
pub mod webhook;

/// The contract's word, in the names of the operations.
pub use connections as session;

use schemars::JsonSchema;
use serde::Serialize;

use crate::describe::Answer;

#[derive(Serialize, JsonSchema)]
pub struct Envelope<T> {
    #[schemars(extend("const" = 200))]
    code: u16,
    #[schemars(extend("const" = true))]
    success: bool,
    data: T,
}

/// `{code: 200, success: true, data}`.
fn enveloped<T>(data: T) -> Answer<Envelope<T>> {
    Answer(Envelope {
        code: 200,
        success: true,
        data,
    })
}
