// SPDX-License-Identifier: Apache-2.0
//! What the figures are measured on.

use serde::{Deserialize, Serialize};
use std::fs;
use std::time::Instant;

/// The machine, and how much of it others had.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Machine {
    /// The model of the CPU, as the kernel names it.
    pub(crate) cpu: String,
    /// Runnable threads over the minute before.
    pub(crate) load: Option<f64>,
    /// Processors that others kept busy meanwhile: figures are then too low.
    pub(crate) others: Option<f64>,
}

/// Watches the machine while something is measured.
#[derive(Debug)]
pub(crate) struct Watch {
    load: Option<f64>,
    begin: Instant,
    /// Processes that are part of the measurement and still run.
    children: Vec<u32>,
    busy: Option<f64>,
}

impl Watch {
    pub(crate) fn start() -> Self {
        Self::start_with(Vec::new())
    }

    /// What these child processes do is no work of others.
    pub(crate) fn start_with(children: Vec<u32>) -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().and_then(|load| load.parse().ok());
        let busy = others(&children);
        Self { load, begin: Instant::now(), children, busy }
    }

    pub(crate) fn stop(&self) -> Machine {
        let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let mut lines = info.lines();
        let name = lines.find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
        let seconds = self.begin.elapsed().as_secs_f64();
        let others = || Some((others(&self.children)? - self.busy?) / seconds);
        Machine {
            cpu: name.unwrap_or("unknown CPU").to_owned(),
            load: self.load,
            // The kernel counts in hundredths of a second, for each processor and process.
            others: others().map(|others: f64| (others.max(0.0) * 100.0).round() / 100.0),
        }
    }
}

/// Seconds that processors have worked for other processes than this, its children that have ended
/// and these that have not.
fn others(children: &[u32]) -> Option<f64> {
    let ticks = |path: &str| own_ticks(&fs::read_to_string(path).ok()?);
    let mut own = ticks("/proc/self/stat")?;
    for child in children {
        own += ticks(&format!("/proc/{child}/stat"))?;
    }
    let all = fs::read_to_string("/proc/stat").ok()?;
    Some((all_ticks(&all)? - own) / TICKS)
}

/// From `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn all_ticks(stat: &str) -> Option<f64> {
    let all = stat.lines().next()?.strip_prefix("cpu ")?;
    let all: Vec<f64> = all.split_whitespace().map_while(|ticks| ticks.parse().ok()).collect();
    Some(all.iter().take(8).sum::<f64>() - all.get(3)? - all.get(4)?)
}

/// From `/proc/self/stat`: utime, stime and those of children, which are the 12th to 15th behind
/// the name. That may hold anything.
fn own_ticks(stat: &str) -> Option<f64> {
    let own = stat.rsplit_once(')')?.1.split_whitespace();
    own.skip(11).take(4).map(|ticks| ticks.parse::<f64>().ok()).sum()
}

/// In a second: what the kernel tells user space, whatever it counts with.
const TICKS: f64 = 100.0;

/// Bytes of the largest cache, or 32 MiB if the system does not tell.
pub(crate) fn largest_cache() -> usize {
    let size = |index: usize| {
        let path = format!("/sys/devices/system/cpu/cpu0/cache/index{index}/size");
        let text = fs::read_to_string(path).ok()?;
        text.trim().strip_suffix('K')?.parse::<usize>().ok()
    };
    (0..8).filter_map(size).max().unwrap_or(32 << 10) << 10
}

#[cfg(test)]
mod tests {
    use super::{all_ticks, others, own_ticks, Watch};
    use std::process::{Command, Stdio};

    #[test]
    fn idle_time_is_not_work_and_childrens_work_is_ones_own() {
        assert_eq!(all_ticks("cpu  1 2 4 8000 9000 16 32 64 0 0\ncpu0 1"), Some(119.0));
        let own = "12 (a ) name) R 1 1 1 0 -1 4194304 9 9 9 9 100 20 3 4 20 0 1 0 77";
        assert_eq!(own_ticks(own), Some(127.0));
        assert_eq!((all_ticks(""), own_ticks("")), (None, None));
    }

    #[test]
    fn a_watch_tells_load_and_others_on_linux() {
        let machine = Watch::start().stop();
        assert!(machine.load.is_some() && machine.others.is_some(), "{machine:?}");
    }

    #[test]
    fn a_child_that_runs_can_be_told_from_others() {
        let mut busy = Command::new("sh");
        let mut child =
            busy.args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn().unwrap();
        let stat = format!("/proc/{}/stat", child.id());
        while own_ticks(&std::fs::read_to_string(&stat).unwrap()) < Some(20.0) {
            std::thread::yield_now();
        }
        // What others do in between can only make the difference larger.
        let [without, with] = [vec![child.id()], vec![]].map(|children| others(&children).unwrap());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(with - without > 0.19, "{with} {without}");
    }
}
