//! The ground that the tests of several crates stand on. Nothing of it is in a program that people run.
//!
//! | module | holds |
//! |---|---|
//! | [`database`] | a database of a test's own, on SQLite or on PostgreSQL, gone afterwards |
//! | [`store`] | the bed of the store: an open database, accounts, instances, events |
//! | [`gateway`] | the bed of the program: gateway, sandbox, two shops, a client; with more nodes |
//! | [`browser`], `people` | a person's browser, the letters that come, people who are there already |
//! | [`hook`] | a customer's endpoint that answers by a script |
//! | [`call`] | a request, and its answer with what every answer must hold |
//! | [`clock`] | real time with jumps |
//!
//! **A bed is closed** (`bed.close().await`): only that settles what is due, looks for what was left
//! undone, and takes the database away. A bed that is dropped without it fails its test, unless the test
//! is failing already. The macros `on_both!` of the tests close what they opened.
//!
//! The modules from [`gateway`] on need the feature `gateway`. To add something: what one test file needs stays
//! there; what two need comes here, as a method of the bed, in the file of its noun.
#![expect(
    clippy::disallowed_methods,
    reason = "limits of waiting are real time, and the tests call as strangers"
)]

pub mod database;
pub mod store;

#[cfg(feature = "gateway")]
pub mod browser;
#[cfg(feature = "gateway")]
pub mod call;
#[cfg(feature = "gateway")]
pub mod clock;
#[cfg(feature = "gateway")]
pub mod gateway;
#[cfg(feature = "gateway")]
pub mod hook;
#[cfg(feature = "gateway")]
mod people;
