//! The gateway in one process with its tests, through its real surfaces: HTTP, MCP, webhooks, and
//! phones of the sandbox. Every test runs on SQLite and on PostgreSQL.
//!
//! | file | what it proves |
//! |---|---|
//! | `harness`, `call`, `clock`, `hook`, `log`, `wire` | the bed that tests stand on: requests and answers, time that jumps, a receiver by script, what is logged, requests that no client library sends |
//! | `story`, `direct` | the whole path, the life of a pairing, sessions of the Direct API |
//! | `kinds` | messages of every kind, both ways |
//! | `acts` | reactions, edits and deletions, both ways |
//! | `menus` | links with a preview, things to choose from |
//! | `signals` | what a chat is told beside messages: typing, read |
//! | `groups` | groups: managed, written in, joined, left, and what goes wrong with them |
//! | `chats` | chats and people: listed, read, what is done to them here and on the phone |
//! | `history` | what phones send of their past: stored once, in order; what is lost of it |
//! | `guests` | sessions without a shop: what they may do, their claiming, their end |
//! | `access`, `slots` | every route against every credential |
//! | `people_access` | people: every route against cookies, roles and pages; what ends a session in use |
//! | `named` | a page that shows another account or person than the cookie's does nothing |
//! | `seeds` | both founding documents, sentence by sentence |
//! | `forged`, `tokens`, `cache` | JWTs that nobody issued; asking about them and revoking them; what a proof costs |
//! | `simulation` | lives of credentials by chance, against a small model |
//! | `checklist` | challenges, fields that set nothing, ids that open nothing |
//! | `security_tests` | the list of `docs/security-tests.md` names tests that exist |
//! | `bad_input`, `unrouted`, `token` | what is refused, and in which words |
//! | `field_wire` | faults from the field: a proxy in front, and other people's clients |
//! | `edge` | heads too large, odd framing, slow senders, CORS, security headers |
//! | `below` | a `public_url` with a path, behind proxies that take it off or do not |
//! | `limits` | failed proofs beyond the limit |
//! | `full` | a disk without space: 503, not ready, and all by itself as before |
//! | `usage` | when credentials were used, from where, who was refused |
//! | `credentials`, `rotation` | the life of a credential, its end on the very next request |
//! | `management` | who may manage credentials, and slips of the hand |
//! | `networks`, `scopes` | what a credential may be restricted to |
//! | `audit` | who did what, from where |
//! | `webhooks` | retries, guards, subscriptions, one transaction |
//! | `mcp`, `tools` | the contract's table, batches, the modern revision; the confirmation step |
//! | `people` | people through the real surface: first start, signing in, second factor, letters, members |
//! | `mail`, `turnstile` | letters to people over SMTP; whether they are people, against a siteverify by the vendor's documents |
//! | `every_kind` | each kind of message out and in; a kind without its line does not compile |
//! | `duplicates` | one id, one message |
//! | `nodes` | two nodes on one PostgreSQL: who leads, who lost, who takes over |
//! | `users` | people on WhatsApp: who is there, what they show, whom a number blocks and hears of; its own profile |
//! | `instances` | a connection begun anew and ended, calls, lists of instances |
//! | `look_ups` | numbers that could not be looked up when their message was accepted |
//! | `dead_link` | a network or a store that is dead under a link: told, mended, nothing lost |
//! | `sent` | sent means sent: refusals, silence, repeats, delays, clocks |
//! | `field_sends`, `field_webhooks`, `field_busy` | faults from the field: numbers, texts, times; receivers with odd certificates and connections; what is busy |
//! | `billing` | what is paid for, and what happens to what is not |
//!
//! PostgreSQL is found by `RECADO_TEST_POSTGRES_URL`, a server where databases may be made; `cargo
//! xtask test` starts one. To add a test: an `async fn name(bed: &mut Bed)` in the file of its topic, and
//! its name in that file's `on_both!`.
#![allow(
    clippy::disallowed_methods,
    reason = "limits of waiting are real time, and the tests call as strangers"
)]

pub(crate) use recado_testkit::{browser, call, clock, gateway, hook};

/// Each test of a file on both databases. `with = …` are lines of configuration over the bed's own.
macro_rules! on_both {
    (@bodies $db:ident, $settings:expr, $($name:ident),*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            let mut bed = crate::gateway::Bed::$db($settings).await;
            super::$name(&mut bed).await;
            bed.close().await;
        })*
    };
    (with = $settings:expr; $($name:ident),* $(,)?) => {
        mod sqlite { on_both!(@bodies sqlite, $settings, $($name),*); }
        mod postgres { on_both!(@bodies postgres, $settings, $($name),*); }
    };
    ($($name:ident),* $(,)?) => { on_both!(with = ""; $($name),*); };
}

mod access;
mod acts;
mod audit;
mod bad_input;
mod below;
mod billing;
mod cache;
mod chats;
mod checklist;
mod credentials;
mod dead_link;
mod direct;
mod duplicates;
mod edge;
mod every_kind;
mod field_busy;
mod field_sends;
mod field_webhooks;
mod field_wire;
mod forged;
mod full;
mod groups;
mod guests;
mod history;
mod instances;
mod kinds;
mod limits;
mod log;
mod look_ups;
mod mail;
mod management;
mod mcp;
mod media;
mod menus;
mod named;
mod networks;
mod nodes;
mod people;
mod people_access;
mod queue;
mod rotation;
mod scopes;
mod security_tests;
mod seeds;
mod sent;
mod settings;
mod signals;
mod simulation;
mod slots;
mod story;
mod token;
mod tokens;
mod tools;
mod turnstile;
mod unrouted;
mod usage;
mod users;
mod webhooks;
mod wire;
