//! Whom a call of the dashboard means: each names the account and the person that its page shows.

mod stale;
