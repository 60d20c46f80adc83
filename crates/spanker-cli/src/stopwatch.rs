// SPDX-License-Identifier: Apache-2.0
//! Times of stages and of repeated runs.

use std::time::{Duration, Instant};

/// Tells the time since it was last asked.
#[derive(Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let lap = now.saturating_duration_since(self.0);
        self.0 = now;
        lap
    }
}

/// The shortest of `runs`, and the one that half of them are shorter than;
/// zero of none.
pub(crate) fn best_and_median(runs: &[Duration]) -> (Duration, Duration) {
    let mut sorted = runs.to_vec();
    sorted.sort_unstable();
    let at = |index: usize| sorted.get(index).copied().unwrap_or_default();
    (at(0), at(sorted.len() / 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn best_is_the_shortest_and_median_the_middle_one() {
        let runs = |ms: &[u64]| -> Vec<Duration> {
            ms.iter().copied().map(Duration::from_millis).collect()
        };
        let both = |ms: &[u64]| {
            let (best, median) = best_and_median(&runs(ms));
            (best.as_millis(), median.as_millis())
        };
        assert_eq!(both(&[5, 1, 9]), (1, 5));
        assert_eq!(both(&[4, 3, 2, 1]), (1, 3));
        assert_eq!(both(&[7]), (7, 7));
        assert_eq!(both(&[]), (0, 0));
    }
}
