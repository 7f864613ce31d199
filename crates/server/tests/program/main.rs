//! The program as an operator runs it: real processes on free ports with data folders of their own.
//!
//! | file | what it proves |
//! |---|---|
//! | `support` | starting, asking, killing and stopping the program |
//! | `network` | the WhatsApp network, and a shop paired on it |
//! | `search` | secrets in all their disguises |
//! | `crash` | `kill -9` loses no message and doubles none |
//! | `secrets` | no secret in the database file, the log or the metrics |
//! | `bad_days` | each wrong setting or place ends with one sentence that says what to do |
//! | `credentials` | the operator at an account's credentials |
//! | `field` | faults from the field: settings, terminals, signals, odd databases |
//! | `full` | a disk that is full for a while: 503, nothing accepted is lost, a line a minute |
//! | `keys` | every key is replaced under a gateway that serves |
//! | `life` | draining, coming back, and the commands |
//! | `logs` | what the log looks like |
//! | `people` | the first start, and the operator at those who sign in |
//!
//! To add a topic: a file here with its line above. Waiting is always for a condition, with
//! [`support::PATIENCE`] as its end.
#![allow(clippy::disallowed_methods, reason = "real processes run in real time")]

mod bad_days;
mod crash;
mod credentials;
mod field;
mod full;
mod keys;
mod life;
mod logs;
mod network;
mod people;
mod search;
mod secrets;
mod support;
