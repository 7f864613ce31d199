//! The sandbox from outside: the real client against it, and its HTTP sides.
//!
//! `support` runs a client; a new test of the protocol goes to `network`, of a route to `http`.

mod http;
mod network;
mod support;
