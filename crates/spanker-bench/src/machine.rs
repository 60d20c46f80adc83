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
pub(crate) fn load() -> Option<f64> {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next()?.parse().ok()
}

/// Bytes of the largest cache, or 32 MiB if the system does not tell.
pub(crate) fn largest_cache() -> usize {
    let size = |index: usize| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
        let text = fs::read_to_string(path).ok()?;
        text.trim().strip_suffix('K')?.parse::<usize>().ok()
    };
    (0..8).filter_map(size).max().unwrap_or(32 << 10) << 10
}
