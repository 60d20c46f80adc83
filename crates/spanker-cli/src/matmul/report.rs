// SPDX-License-Identifier: Apache-2.0
//! What a product has to show.

use crate::palette::{styled, BAD, CAREFUL, GOOD};
use crate::printable::one_line;
use crate::quantity::{duration, three_digits, with_threads};
use crate::reference::MOST_NMSE;
use crate::table::Table;
use serde::Serialize;
use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

/// All of it; the fields are those of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct MatmulReport {
    pub(super) sail: String,
    pub(super) node: Option<String>,
    pub(super) card: String,
    pub(super) threads: Option<NonZeroUsize>,
    pub(super) weights: String,
    pub(super) tensor: String,
    #[serde(rename = "type")]
    pub(super) tensor_type: &'static str,
    pub(super) weight_rows: usize,
    pub(super) k: usize,
    pub(super) input: Option<String>,
    pub(super) random: Option<usize>,
    pub(super) seed: Option<u64>,
    pub(super) input_rows: usize,
    pub(super) output: Option<String>,
    pub(super) read_ms: f64,
    pub(super) upload_ms: f64,
    pub(super) compute_ms: f64,
    pub(super) download_ms: f64,
    pub(super) verify_ms: Option<f64>,
    pub(super) gflops: f64,
    pub(super) first: Vec<f32>,
    pub(super) not_finite: usize,
    pub(super) nmse: Option<f64>,
    pub(super) verified: Option<bool>,
    pub(super) record: Option<String>,
}

impl fmt::Display for MatmulReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weight_rows, k, input_rows, .. } = self;
        let threads = with_threads(self.threads);
        writeln!(f, "Sail {}: {}{threads}\n", self.sail, self.card)?;

        let input = match (&self.input, self.seed) {
            (Some(path), _) => one_line(path),
            (None, seed) => format!("random, seed {}", seed.unwrap_or(0)),
        };
        let output = one_line(self.output.as_deref().unwrap_or("not kept: no --output"));
        let mut operands = Table::default();
        operands
            .row([
                &"weights",
                &format!("{weight_rows}×{k}"),
                &self.tensor_type,
                &one_line(&self.tensor),
            ])
            .row([&"x", &format!("{input_rows}×{k}"), &"F32", &input])
            .row([&"out", &format!("{input_rows}×{weight_rows}"), &"F32", &output]);
        writeln!(f, "{operands}")?;

        let time = |ms: f64| duration(Duration::from_secs_f64(ms / 1e3));
        let mut stages = Table::default();
        stages
            .row([&"read", &time(self.read_ms)])
            .row([&"upload", &time(self.upload_ms)])
            .row([&"submit to completion", &time(self.compute_ms)])
            .row([&"copy out", &time(self.download_ms)]);
        if let Some(ms) = self.verify_ms {
            stages.row([&"the same in f64", &time(ms)]);
        }
        writeln!(f, "{stages}")?;

        let first: Vec<String> = self.first.iter().take(4).map(f32::to_string).collect();
        let more = if *weight_rows > first.len() { ", …" } else { "" };
        let mut results = Table::default();
        results
            .row([&"speed", &format!("{} GFLOP/s in this one run", three_digits(self.gflops))])
            .row([&"out[0]", &format!("{}{more}", first.join(", "))]);
        if self.not_finite > 0 {
            results.row([
                &styled(CAREFUL, "careful"),
                &format!("{} values are NaN or infinite", self.not_finite),
            ]);
        }
        if let (Some(nmse), Some(verified)) = (self.nmse, self.verified) {
            let verdict =
                if verified { styled(GOOD, "verified") } else { styled(BAD, "NOT verified") };
            let text = format!("{nmse:.1e} against f64, at most {MOST_NMSE:.0e}: {verdict}");
            results.row([&"NMSE", &text]);
        }
        if let Some(record) = &self.record {
            results.row([&"record", &one_line(record)]);
        }
        write!(f, "{results}")
    }
}
