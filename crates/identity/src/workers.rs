//! How the runs of workers end. The operator reads it in the metrics: for each worker, when its last run was, and
//! with what result.

use recado_model::Timestamp;

/// How a run ended; of several parts, the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// All that was due is done.
    Done,
    /// Something is left, and is tried again in a moment.
    Again,
    /// Something is left until its turn comes again, or for good.
    GaveUp,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again => "again",
            Self::GaveUp => "gave_up",
        }
    }
}

/// Notes that a run of `worker` has ended just now.
pub fn ran(worker: &'static str, outcome: Outcome, now: Timestamp) {
    let outcome = outcome.as_str();
    metrics::counter!("recado_worker_runs_total", "worker" => worker, "outcome" => outcome)
        .increment(1);
    metrics::gauge!("recado_worker_last_run_seconds", "worker" => worker, "outcome" => outcome)
        .set(now.as_secs() as f64);
}
