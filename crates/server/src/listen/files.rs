//! How many connections the system's limit on open files leaves room for.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Open files that are no caller's connection: the database, links to WhatsApp, webhooks, metrics.
pub const OTHERS: u64 = 256;
/// Served however low the limit: at worst some wait until a file is closed.
const LEAST: u64 = 64;

/// Raises this process's own limit as far as it may. Shells and service managers start programs with
/// a low one, mostly 1024, for those that break with more; the hard limit is what was meant.
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::debug!(%error, "could not raise the limit on open files");
    }
}

/// As many of `wanted` connections as the limit leaves room for now.
pub fn room(wanted: usize) -> usize {
    let limit = getrlimit(Resource::Nofile).current;
    let room = within(wanted, limit);
    if room < wanted {
        tracing::info!(
            open_files = limit,
            connections = room,
            wanted,
            "fewer connections than limits.connections; allow the program more open files (ulimit -Hn)"
        );
    }
    room
}

/// The hard limit, where it leaves no room for `wanted` connections.
pub fn too_low_for(wanted: usize) -> Option<u64> {
    let limit = getrlimit(Resource::Nofile).maximum?;
    let needed = OTHERS.saturating_add(u64::try_from(wanted).unwrap_or(u64::MAX));
    (limit < needed).then_some(limit)
}

/// `None` is no limit.
pub(super) fn within(wanted: usize, limit: Option<u64>) -> usize {
    let room = limit.map(|limit| limit.saturating_sub(OTHERS).max(LEAST));
    let room = room.and_then(|room| usize::try_from(room).ok());
    room.map_or(wanted, |room| wanted.min(room))
}
