// SPDX-License-Identifier: Apache-2.0
//! What the demo shows.

use crate::palette::{styled, BAD, GOOD, HEADING};
use crate::printable::one_line;
use crate::quantity::{bytes, duration, three_digits};
use crate::table::Table;
use serde::Serialize;
use std::fmt;
use std::time::Duration;

/// All of it; the fields are those of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct DemoReport {
    pub(super) sail: String,
    pub(super) card: String,
    pub(super) abi: String,
    pub(super) weight_rows: usize,
    pub(super) k: usize,
    pub(super) tokens: usize,
    pub(super) runs: usize,
    pub(super) weights_bytes: usize,
    pub(super) make_ms: f64,
    pub(super) open_ms: f64,
    pub(super) upload_ms: f64,
    pub(super) warm_up_ms: f64,
    pub(super) best_ms: f64,
    pub(super) median_ms: f64,
    pub(super) download_ms: f64,
    pub(super) reference_ms: f64,
    pub(super) gflops_best: f64,
    pub(super) gflops_median: f64,
    pub(super) card_busy_ms: f64,
    pub(super) card_ops: u64,
    pub(super) nmse: f64,
    pub(super) most_nmse: f64,
    pub(super) right: bool,
    pub(super) record: Option<String>,
    /// The first few results.
    #[serde(skip)]
    pub(super) samples: Vec<Pair>,
    #[serde(skip)]
    pub(super) run_times: Vec<Duration>,
}

/// A result, and what it should be.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) found: f32,
    pub(super) expected: f64,
}

impl fmt::Display for DemoReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weight_rows, k, tokens, .. } = self;
        writeln!(f, "One layer of a language model: out = x · weightsᵀ\n")?;
        writeln!(f, "  Sail {}: {}, ABI {}\n", self.sail, self.card, self.abi)?;

        let float_bytes = |values: usize| bytes(values as u64 * 4);
        let mut operands = Table::default();
        operands
            .row([
                &"weights",
                &format!("{weight_rows}×{k}"),
                &"Q4_K",
                &bytes(self.weights_bytes as u64),
            ])
            .row([&"x", &format!("{tokens}×{k}"), &"F32", &float_bytes(tokens * k)])
            .row([
                &"out",
                &format!("{tokens}×{weight_rows}"),
                &"F32",
                &float_bytes(tokens * weight_rows),
            ]);
        writeln!(f, "{operands}")?;

        let time = |ms: f64| duration(Duration::from_secs_f64(ms / 1e3));
        let mut stages = Table::default();
        stages
            .row([&"make random weights and x", &time(self.make_ms)])
            .row([&"open the Sail", &time(self.open_ms)])
            .row([&"create, map and fill buffers", &time(self.upload_ms)])
            .row([&"first run: submit to completion", &time(self.warm_up_ms)])
            .row([&format!("best of {} more", self.runs), &time(self.best_ms)])
            .row([&"median of them", &time(self.median_ms)])
            .row([&"copy out", &time(self.download_ms)])
            .row([&"the same product in f64", &time(self.reference_ms)]);
        writeln!(f, "{stages}")?;

        writeln!(f, "  run by run, from 0 to {}:", time(self.longest_ms()))?;
        writeln!(f, "  {}\n", self.bars())?;

        let mut values = Table::default();
        let [sail, right] = ["Sail", "f64"].map(|name| styled(HEADING, format!("{name:>9}")));
        values.row([&"", &sail, &right]);
        for (j, Pair { found, expected }) in self.samples.iter().enumerate() {
            values.row([
                &format!("out[0][{j}]"),
                &format!("{found:>9.5}"),
                &format!("{expected:>9.5}"),
            ]);
        }
        writeln!(f, "{values}")?;

        let verdict = if self.right { styled(GOOD, "right") } else { styled(BAD, "WRONG") };
        let best = three_digits(self.gflops_best);
        let median = three_digits(self.gflops_median);
        let (nmse, most) = (self.nmse, self.most_nmse);
        let mut results = Table::default();
        results
            .row([&"speed", &format!("{best} GFLOP/s best, {median} median")])
            .row([&"NMSE", &format!("{nmse:.1e} against f64, at most {most:.0e}: {verdict}")])
            .row([
                &"card",
                &format!("counted {} ops in {} of work", self.card_ops, time(self.card_busy_ms)),
            ]);
        if let Some(record) = &self.record {
            results.row([&"record", &one_line(record)]);
        }
        write!(f, "{results}")?;
        if self.sail == "soft" {
            writeln!(
                f,
                "\nNo card, driver or root was needed. `spanker list` shows what Sails there are."
            )?;
        }
        Ok(())
    }
}

impl DemoReport {
    fn longest_ms(&self) -> f64 {
        let longest = self.run_times.iter().max().copied();
        longest.unwrap_or_default().as_secs_f64() * 1e3
    }

    /// A bar for each run, or for the longest of several where there are many.
    fn bars(&self) -> String {
        const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        const MOST_BARS: usize = 60;
        let longest = self.longest_ms().max(f64::MIN_POSITIVE);
        let together = self.run_times.len().div_ceil(MOST_BARS).max(1);
        self.run_times
            .chunks(together)
            .filter_map(|runs| runs.iter().max())
            .map(|run| {
                let eighths = run.as_secs_f64() * 1e3 / longest * 8.0;
                HEIGHTS[(eighths.ceil() as usize).clamp(1, 8) - 1]
            })
            .collect()
    }
}
