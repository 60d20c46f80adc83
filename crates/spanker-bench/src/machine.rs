// SPDX-License-Identifier: Apache-2.0
//! What the figures are measured on.

use serde::{Deserialize, Serialize};
use std::fs;

/// The machine at one time.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    /// The model of the CPU, as the kernel names it.
    pub(crate) cpu: String,
    /// Runnable threads over the last minute. More than are measured with means that something
    /// else was running.
    pub(crate) load: Option<f64>,
}

impl Machine {
    pub(crate) fn now() -> Self {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut lines = info.lines();
        let name = lines.find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok());
        Self { cpu: name.unwrap_or("unknown CPU").to_owned(), load }
    }
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
