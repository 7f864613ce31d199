//! How long to wait before the next try.

use std::time::Duration;

/// `first` doubled with each time after the first, at most `most`.
pub(super) fn grown(first: Duration, most: Duration, times: u32) -> Duration {
    first
        .saturating_mul(1 << times.saturating_sub(1).min(16))
        .min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_their_bound() {
        let (first, most) = (Duration::from_secs(1), Duration::from_secs(60));
        let pauses: Vec<u64> = (1..9).map(|n| grown(first, most, n).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
