//! The sandbox from outside: the real client against it, and its HTTP sides.
//!
//! `support` runs a client; a new test of the protocol goes to `network`, of addresses to `hidden`, of groups to `groups`, of a route to `http`,
//! of media to `media`, of what people show to `people`, what goes wrong on purpose to `trouble`, of what stays to `keeping` and `kill`.
#![allow(
    clippy::disallowed_methods,
    reason = "tests of a real network run in real time"
)]

mod groups;
mod hidden;
mod http;
mod keeping;
mod kill;
mod media;
mod network;
mod people;
mod support;
mod trouble;
