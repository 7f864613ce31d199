//! Virtual phones: what a person with the app would do. One file per thing they do.

mod account;
mod chat;
mod groups;
mod incoming;
pub(crate) mod media;
mod moving;
pub(crate) mod pair;
mod pair_code;
mod past;
mod settings;
mod signal;

pub(crate) use pair_code::{code_keys, normalise as normalise_code};
