// SPDX-License-Identifier: Apache-2.0
//! `spanker ping`: whether a Sail is there.

use crate::arguments::PingArguments;
use crate::chosen_sail::ChosenSail;
use crate::exit::Failure;
use crate::quantity::duration;
use crate::report;
use crate::stopwatch::{best_and_median, Stopwatch};
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// Enough for a median that means something.
const PINGS: usize = 100;

pub(crate) fn run(arguments: &PingArguments) -> Result<(), Failure> {
    let ChosenSail { sail, name } = ChosenSail::open(arguments.sail.name.as_ref(), None)?;
    let mut times = Vec::with_capacity(PINGS);
    let mut clock = Stopwatch::start();
    for _ in 0..PINGS {
        sail.ping()?;
        times.push(clock.lap());
    }
    let (best, median) = best_and_median(&times);
    let report = PingReport {
        sail: name.to_string(),
        node: sail.path().map(|path| path.display().to_string()),
        card: sail.info().name.clone(),
        pings: PINGS,
        best_ns: best.as_nanos() as u64,
        median_ns: median.as_nanos() as u64,
    };
    report::print(&report, arguments.output.json)
}

#[derive(Debug, Serialize)]
struct PingReport {
    sail: String,
    node: Option<String>,
    card: String,
    pings: usize,
    best_ns: u64,
    median_ns: u64,
}

impl fmt::Display for PingReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [best, median] =
            [self.best_ns, self.median_ns].map(|ns| duration(Duration::from_nanos(ns)));
        writeln!(
            f,
            "Sail {}, {}, answered {} of {} pings: {best} best, {median} median",
            self.sail, self.card, self.pings, self.pings
        )
    }
}
