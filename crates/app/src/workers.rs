//! The work that the program does by itself, again and again: a worker a file, each a function `run` that ends when the
//! program stops. How each run ended is noted ([`ran`]), where the operator reads it.
//!
//! Two more are `recado_identity`'s: what other processes changed (`epoch`), and what the use of credentials
//! leaves to write (`usage`).
//!
//! To add one: a file here, its line in `App::start`, its name in `docs/LOGGING.md`.

pub mod billing;
pub mod deliveries;
pub mod guests;
pub mod history;
pub mod leases;
pub mod media;
pub mod queues;
pub mod retention;
pub mod starts;

use recado_identity::faults;
pub use recado_identity::workers::{Outcome, ran};
use recado_model::Result;

/// How a run ended that is tried again when it fails: what failed is said, as often as it is worth a line.
fn tried(run: Result<Outcome>, what: &str) -> Outcome {
    run.unwrap_or_else(|error| {
        faults::warn(&error, what);
        Outcome::Again
    })
}
