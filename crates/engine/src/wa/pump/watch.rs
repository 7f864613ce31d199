//! Whether a link that says "online" still is. A socket can be dead for minutes without a word: the
//! other side is gone, packets vanish, the library dials anew and calls that expected.

use std::time::Duration;

use tokio::time::Instant;

use super::Pump;
use crate::wa::WaTimers;

/// When to look at the socket next, and what was seen there.
pub(super) struct Watch {
    silence: Duration,
    answer: Duration,
    look_at: Option<Instant>,
    /// The last sign of life when we asked for another one.
    asked: Option<Instant>,
}

#[derive(Debug, PartialEq, Eq)]
enum Finding {
    Alive,
    /// Silent for so long that one should ask.
    Silent,
    /// Asked already; the answer may still come.
    Asked,
    Dead,
}

impl Watch {
    pub(super) fn new(timers: &WaTimers) -> Self {
        Self {
            silence: Duration::from_millis(timers.silence_ms),
            answer: Duration::from_millis(timers.probe_ms),
            look_at: None,
            asked: None,
        }
    }

    pub(super) fn start(&mut self) {
        self.look_at = Some(Instant::now() + self.silence);
        self.asked = None;
    }

    pub(super) fn stop(&mut self) {
        self.look_at = None;
    }

    pub(super) fn look_at(&self) -> Option<Instant> {
        self.look_at
    }

    fn judge(&mut self, heard_at: Instant, now: Instant) -> Finding {
        let silent = now.saturating_duration_since(heard_at);
        if silent < self.silence {
            self.look_at = Some(heard_at + self.silence);
            return Finding::Alive;
        }
        if self.asked != Some(heard_at) {
            self.asked = Some(heard_at);
            // Counted from the question: we may come late ourselves, as after a machine's sleep.
            self.look_at = Some(now + self.answer);
            return Finding::Silent;
        }
        if self.look_at.is_some_and(|at| now < at) {
            return Finding::Asked;
        }
        self.look_at = None;
        Finding::Dead
    }
}

impl Pump {
    pub(super) async fn look(&mut self) {
        let Some(connection) = self.link.connection().filter(|_| self.online) else {
            self.watch.stop();
            return;
        };
        // Some refusals end the log-in and leave the socket open.
        if !connection.client.is_logged_in() {
            self.lost().await;
            return;
        }
        match self.watch.judge(connection.heard_at(), Instant::now()) {
            Finding::Alive | Finding::Asked => {}
            Finding::Silent => connection.ask_for_life(self.watch.answer),
            Finding::Dead => {
                metrics::counter!("recado_engine_silent_connections_total").increment(1);
                tracing::warn!(instance.id = %self.link.parts.spec.instance, "nothing comes from WhatsApp any more; connecting anew");
                self.lost().await;
                connection.dial_again();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch() -> Watch {
        Watch::new(&WaTimers {
            silence_ms: 20_000,
            probe_ms: 15_000,
            ..WaTimers::default()
        })
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_dead_socket_is_known_within_a_minute() {
        let mut watch = watch();
        let heard = Instant::now();
        watch.start();
        assert_eq!(watch.judge(heard, heard + 19 * SECOND), Finding::Alive);
        assert_eq!(watch.look_at(), Some(heard + 20 * SECOND));
        assert_eq!(watch.judge(heard, heard + 20 * SECOND), Finding::Silent);
        assert_eq!(
            watch.judge(heard, heard + 30 * SECOND),
            Finding::Asked,
            "asked once"
        );
        assert_eq!(watch.look_at(), Some(heard + 35 * SECOND));
        assert_eq!(watch.judge(heard, heard + 35 * SECOND), Finding::Dead);
        assert_eq!(watch.look_at(), None);
    }

    #[test]
    fn any_byte_is_a_sign_of_life() {
        let mut watch = watch();
        let mut heard = Instant::now();
        watch.start();
        for _ in 0..5 {
            let now = heard + 20 * SECOND;
            assert_eq!(watch.judge(heard, now), Finding::Silent);
            heard = now + SECOND;
            assert_eq!(watch.judge(heard, now + 15 * SECOND), Finding::Alive);
            assert_eq!(watch.look_at(), Some(heard + 20 * SECOND));
        }
    }

    #[test]
    fn a_late_look_is_no_verdict() {
        let mut watch = watch();
        let heard = Instant::now();
        watch.start();
        let late = heard + 3600 * SECOND;
        assert_eq!(
            watch.judge(heard, late),
            Finding::Silent,
            "asked before judged"
        );
        assert_eq!(watch.look_at(), Some(late + 15 * SECOND));
    }
}
