// SPDX-License-Identifier: Apache-2.0
//! What was measured, and the ways to show it.

mod json;
mod table;

use crate::Error;
pub(crate) use json::parse;
use serde::{Deserialize, Serialize};

/// One thing that was measured, or that could not be.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub(crate) enum Record {
    /// A product whose weights are in the caches, if these are large enough for them.
    Compute(Product),
    /// A peer that is not here, and why.
    Missing { peer: String, reason: String },
}

/// The speed of one product by one contestant.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Product {
    /// Who computed it; names of ours begin with `spanker`.
    pub(crate) kernel: String,
    /// The kind of CPU that the contestant was built for, if there are several.
    pub(crate) variant: Option<String>,
    pub(crate) pair: String,
    /// Rows and columns of the weights, as `4096x14336`.
    pub(crate) weights: String,
    /// Rows of activations.
    pub(crate) rows: usize,
    pub(crate) threads: usize,
    pub(crate) gflops_best: f64,
    pub(crate) gflops_median: f64,
    /// Of the bests and medians: this contestant's over ggml's with repacked weights.
    pub(crate) over_ggml_best: Option<f64>,
    pub(crate) over_ggml_median: Option<f64>,
    /// Timed runs.
    pub(crate) runs: usize,
    pub(crate) cpu: String,
    /// The machine's load when this was measured.
    pub(crate) load: f64,
}

/// How to show what is measured.
#[derive(Clone, Debug)]
pub(crate) struct Format {
    /// One JSON object a line, as soon as it is measured, instead of tables at the end.
    pub(crate) json: bool,
}

/// What has been measured so far.
#[derive(Debug)]
pub(crate) struct Report {
    format: Format,
    records: Vec<Record>,
}

impl Report {
    pub(crate) fn new(format: Format) -> Self {
        Self { format, records: Vec::new() }
    }

    pub(crate) fn add(&mut self, record: Record) -> Result<(), Error> {
        if self.format.json {
            json::print(&record)?;
        }
        self.records.push(record);
        Ok(())
    }

    /// Shows what is shown at the end.
    pub(crate) fn finish(self) -> Result<(), Error> {
        if !self.format.json {
            print!("{}", table::text(&self.records));
        }
        Ok(())
    }
}
