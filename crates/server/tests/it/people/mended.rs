//! Odd days of a person's session: cookies that others spoiled, clocks that were set, changes that
//! change nothing, and what the logs of all their accounts say.

mod clocks;
mod cookies;
mod logs;
mod nothing;
