// SPDX-License-Identifier: Apache-2.0
//! What the figures were measured on.

use std::fs;

/// The model of the CPU, as the kernel names it.
pub(crate) fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    name.unwrap_or("unknown CPU").to_owned()
}

/// Runnable threads over the last minute; more than are measured with means that something else
/// was running.
pub(crate) fn load() -> f64 {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}
