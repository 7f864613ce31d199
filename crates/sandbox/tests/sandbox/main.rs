//! The sandbox from outside: the real client against it, and its HTTP sides.
//!
//! `support` runs a client; a new test of the protocol goes to `network`, of a route to `http`.
#![allow(
    clippy::disallowed_methods,
    reason = "tests of a real network run in real time"
)]

mod http;
mod network;
mod support;
