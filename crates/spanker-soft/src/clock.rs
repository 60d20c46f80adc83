// SPDX-License-Identifier: Apache-2.0
//! CLOCK_MONOTONIC, the clock of deadlines and telemetry.

use nix::time::{clock_gettime, ClockId};

/// Nanoseconds on CLOCK_MONOTONIC.
pub(crate) fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC);
    // The clock exists on every Linux and starts at boot, so neither the call
    // nor the conversions fail.
    now.map_or(0, |now| now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64)
}
