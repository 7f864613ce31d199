//! People through the real surface: first start, signing in, sessions, second factor, letters, members
//! (the P group of the security checklist). Who may call which row: `access` and `people_access`.
//!
//! | file | what it proves |
//! |---|---|
//! | `setup`, `signup` | how the first one comes in, and how others do |
//! | `login`, `lockout` | signing in; what too many failures close, and to whom |
//! | `between` | a session that ends in the moment in which it is opened |
//! | `confirm`, `sessions` | the password again inside a session; the life of cookies and JWTs |
//! | `passwords`, `hashing` | which may be chosen; how they are hashed, and how many at once |
//! | `second_factor`, `recovery` | codes of an authenticator; the codes for the day it is lost |
//! | `reset`, `email` | letters that let people in, or move them |
//! | `members`, `invitations`, `names` | who else is in an account, and what it is called |
//! | `mended` | spoiled cookies, clocks that were set, changes that change nothing, whose logs tell what |
//! | `human` | Turnstile where it stands in the way |
//! | `canary` | none of what people keep secret is anywhere |

mod between;
mod canary;
mod confirm;
mod email;
mod hashing;
mod human;
mod invitations;
mod lockout;
mod login;
mod members;
mod mended;
mod names;
mod passwords;
mod recovery;
mod reset;
mod second_factor;
mod sessions;
mod setup;
mod signup;

pub use recado_testkit::browser::{
    Browser, Inbox, NEW_PASSWORD, OWNER, OWNER_TOO, PASSWORD, PROXY, audit_rows, cookie_of,
    kinds_of, text,
};
