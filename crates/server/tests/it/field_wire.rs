//! Faults from the field (`docs/field-faults.md`): a proxy in front, and other people's clients.

mod clients;
mod json;
mod mcp;
mod paths;
mod proxy;
