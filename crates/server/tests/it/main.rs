//! The gateway in one process with its tests, through its real surfaces: HTTP, MCP, webhooks, and
//! phones of the sandbox. Every test runs on SQLite and on PostgreSQL.
//!
//! | file | what it proves |
//! |---|---|
//! | `harness`, `clock`, `wire` | the bed that tests stand on, time that jumps, requests that no client library sends |
//! | `story` | the whole path, and the life of a pairing |
//! | `access`, `slots` | every route against every credential |
//! | `bad_input`, `token` | what is refused, and in which words |
//! | `webhooks` | retries, guards, subscriptions, one transaction |
//! | `mcp` | the contract's table, the confirmation step, batches, the modern revision |
//! | `duplicates` | one id, one message |
//!
//! PostgreSQL is found by `RECADO_TEST_POSTGRES_URL`, a server where databases may be made; `cargo
//! xtask test` starts one. To add a test: an `async fn name(bed: Bed)` in the file of its topic, and
//! its name in that file's `on_both!`.
#![allow(
    clippy::disallowed_methods,
    reason = "limits of waiting are real time, and the tests call as strangers"
)]

/// Each test of a file on both databases. `with = …` are lines of configuration over the bed's own.
macro_rules! on_both {
    (@bodies $db:ident, $settings:expr, $($name:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            super::$name(crate::harness::Bed::$db($settings).await).await;
        })*
    };
    (with = $settings:expr; $($name:ident),* $(,)?) => {
        mod sqlite { on_both!(@bodies sqlite, $settings, $($name),*); }
        mod postgres { on_both!(@bodies postgres, $settings, $($name),*); }
    };
    ($($name:ident),* $(,)?) => { on_both!(with = ""; $($name),*); };
}

mod access;
mod bad_input;
mod clock;
mod duplicates;
mod harness;
mod mcp;
mod slots;
mod story;
mod token;
mod webhooks;
mod wire;
