//! Whether every message arrived once and in order, and how long that took.

use std::collections::HashMap;

/// A message at its beginning.
#[derive(Clone, Debug)]
pub struct Trace {
    pub id: String,
    /// Messages of one chat have an order: that of the traces.
    pub chat: String,
    /// Unix time.
    pub at_ms: i64,
}

/// A message at its end.
#[derive(Clone, Debug)]
pub struct Sight {
    pub id: String,
    /// Unix time.
    pub at_ms: i64,
    /// How often it was handed over in this one.
    pub times: u64,
}

/// One direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Side {
    pub messages: usize,
    pub lost: usize,
    pub doubled: usize,
    /// Came before one of its chat that began earlier.
    pub disorder: usize,
    /// How long messages took: the middle one, all but a hundredth, the slowest.
    pub p50_ms: i64,
    pub p99_ms: i64,
    pub most_ms: i64,
}

impl Side {
    /// Compares what began with what arrived, in the order of arrival. Others may have arrived as well.
    pub fn of(traces: &[Trace], sights: &[Sight]) -> Self {
        let mut arrived: HashMap<&str, (i64, u64, usize)> = HashMap::new();
        for (place, sight) in sights.iter().enumerate() {
            let entry = arrived.entry(&sight.id).or_insert((sight.at_ms, 0, place));
            entry.1 += sight.times;
        }
        let mut side = Self {
            messages: traces.len(),
            ..Self::default()
        };
        let mut last: HashMap<&str, usize> = HashMap::new();
        let mut times = Vec::new();
        for trace in traces {
            let Some((at_ms, count, place)) = arrived.get(trace.id.as_str()).copied() else {
                side.lost += 1;
                continue;
            };
            side.doubled += usize::from(count > 1);
            // The answer to a call may be read after the phone has the message.
            times.push((at_ms - trace.at_ms).max(0));
            let last = last.entry(&trace.chat).or_insert(place);
            side.disorder += usize::from(place < *last);
            *last = place.max(*last);
        }
        times.sort_unstable();
        let at = |share: usize| {
            let place = (times.len() * share).div_ceil(100).saturating_sub(1);
            times.get(place).copied().unwrap_or_default()
        };
        (side.p50_ms, side.p99_ms, side.most_ms) = (at(50), at(99), at(100));
        side
    }

    /// Every message once, in order.
    pub fn is_right(&self) -> bool {
        self.lost + self.doubled + self.disorder == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(id: &str, chat: &str, at_ms: i64) -> Trace {
        let (id, chat) = (id.to_owned(), chat.to_owned());
        Trace { id, chat, at_ms }
    }

    fn sight(id: &str, at_ms: i64) -> Sight {
        let (id, times) = (id.to_owned(), 1);
        Sight { id, at_ms, times }
    }

    #[test]
    fn what_is_right_is_right() {
        let traces = [trace("a", "x", 0), trace("b", "y", 5), trace("c", "x", 10)];
        // Chats have no order among each other, and strangers count for nothing.
        let sights = [sight("b", 7), sight("z", 8), sight("a", 9), sight("c", 9)];
        let side = Side::of(&traces, &sights);
        assert!(side.is_right(), "{side:?}");
        assert_eq!((side.messages, side.p50_ms, side.p99_ms), (3, 2, 9));
    }

    #[test]
    fn what_is_wrong_is_counted() {
        let traces = [trace("a", "x", 0), trace("b", "x", 0), trace("c", "x", 0)];
        let side = Side::of(&traces, &[sight("b", 1), sight("a", 2), sight("b", 3)]);
        assert_eq!((side.lost, side.doubled, side.disorder), (1, 1, 1));
        assert!(!side.is_right());
        let twice = Sight {
            times: 2,
            ..sight("a", 1)
        };
        assert_eq!(Side::of(&traces[..1], &[twice]).doubled, 1);
    }

    #[test]
    fn a_hundredth_may_be_slower() {
        let traces: Vec<_> = (0..200).map(|n| trace(&n.to_string(), "x", 0)).collect();
        let sights: Vec<_> = (0..200).map(|n| sight(&n.to_string(), n)).collect();
        let side = Side::of(&traces, &sights);
        assert_eq!((side.p50_ms, side.p99_ms, side.most_ms), (99, 197, 199));
    }
}
