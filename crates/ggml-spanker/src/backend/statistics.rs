// SPDX-License-Identifier: Apache-2.0
//! What was computed, as one line.

use std::env;
use std::fmt;
use std::time::Duration;

/// The environment variable that asks for the line, by being set.
const VARIABLE: &str = "SPANKER_STATISTICS";

pub(super) fn are_asked_for() -> bool {
    env::var_os(VARIABLE).is_some_and(|value| !value.is_empty() && value != "0")
}

/// What one stream has computed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Statistics {
    /// Of ggml.
    pub(super) matmuls: u64,
    pub(super) macs: u64,
    /// Of weights, activations and results.
    pub(super) bytes: u64,
    pub(super) batches: u64,
    /// From submission to result.
    pub(super) time: Duration,
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { matmuls, macs, bytes, batches, time } = self;
        let (gmac, seconds) = (*macs as f64 / 1e9, time.as_secs_f64());
        write!(
            f,
            "{matmuls} matmuls, {gmac:.3} GMAC, {bytes} bytes, {batches} batches, {seconds:.3} s \
             on the Sail"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_all_of_it() {
        let time = Duration::from_millis(1500);
        let all = Statistics { matmuls: 27, macs: 2_500_000_000, bytes: 4096, batches: 18, time };
        let line = "27 matmuls, 2.500 GMAC, 4096 bytes, 18 batches, 1.500 s on the Sail";
        assert_eq!(all.to_string(), line);
    }
}
