// SPDX-License-Identifier: Apache-2.0
//! What was measured, and the ways to show it.

mod chart;
mod html;
mod json;
mod picture;
mod sheet;
mod text;

use crate::machine::Machine;
use crate::Error;
use clap::Args;
pub(crate) use json::parse;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{stdout, Write};
use std::path::{Path, PathBuf};
use text::Style;

/// One thing that was measured, or that could not be.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(tag = "what", rename_all = "lowercase")]
pub(crate) enum Record {
    /// What no product exceeds.
    Bound(Bound),
    /// A product again and again by the same weights: they are in the caches, if these are large
    /// enough for them.
    Compute(Product),
    /// A product by weights that are in no cache.
    Cold(Product),
    /// Small ops.
    Submit(Submission),
    /// A crate built with nothing built before.
    Build(ColdBuild),
    /// A model in llama.cpp.
    Llama(Evaluation),
    /// A peer that is not here, and why.
    Missing { peer: String, reason: String },
}

impl Record {
    fn machine(&self) -> Option<&Machine> {
        match self {
            Self::Bound(Bound { machine, .. })
            | Self::Compute(Product { machine, .. })
            | Self::Cold(Product { machine, .. })
            | Self::Submit(Submission { machine, .. })
            | Self::Build(ColdBuild { machine, .. })
            | Self::Llama(Evaluation { machine, .. }) => Some(machine),
            Self::Missing { .. } => None,
        }
    }
}

/// On what the records were measured, in one line.
fn machine(records: &[Record]) -> String {
    let machines: Vec<_> = records.iter().filter_map(Record::machine).collect();
    let cpu = machines.first().map_or("nothing measured", |machine| &machine.cpu);
    let load = machines.iter().filter_map(|machine| machine.load).reduce(f64::max);
    let others = machines.iter().filter_map(|machine| machine.others).reduce(f64::max);
    let load = load.map_or(String::new(), |load| format!("; load {load} at most"));
    let others = others.map_or(String::new(), |others| {
        let loss = if others > 0.1 { ", so that figures are too low" } else { "" };
        format!("; others kept {others:.2} processors busy at most{loss}")
    });
    format!("{cpu}{load}{others}")
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
    /// Of the bests and of the medians: over ggml's with repacked weights.
    pub(crate) over_ggml_best: Option<f64>,
    pub(crate) over_ggml_median: Option<f64>,
    /// Of the bests: over what reading Q4_K weights from memory allows, if they are cold.
    pub(crate) of_bound: Option<f64>,
    /// Timed runs.
    pub(crate) runs: usize,
    #[serde(flatten)]
    pub(crate) machine: Machine,
}

impl Product {
    /// Who computed it, in full.
    fn name(&self) -> String {
        match &self.variant {
            Some(variant) => format!("{} {variant}", self.kernel),
            None => self.kernel.clone(),
        }
    }
}

/// The best of several measurements of what bounds products.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Bound {
    /// `memory`: reading weights that are in no cache, for one row of activations.
    /// `integer-…`: multiplying and adding integers with such instructions and nothing else.
    pub(crate) kernel: String,
    pub(crate) threads: usize,
    pub(crate) gflops_best: f64,
    pub(crate) gigabytes_per_second: Option<f64>,
    #[serde(flatten)]
    pub(crate) machine: Machine,
}

/// What small ops cost.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Submission {
    /// What computed them.
    pub(crate) kernel: String,
    /// Ops in one submission.
    pub(crate) ops: usize,
    /// Opens that submit at the same time, each from a thread of its own.
    pub(crate) opens: usize,
    /// Threads that compute.
    pub(crate) threads: usize,
    /// From submission to completion.
    pub(crate) p50_ns: f64,
    pub(crate) p99_ns: f64,
    /// Of all opens together.
    pub(crate) ops_per_second: f64,
    /// Timed submissions.
    pub(crate) runs: usize,
    #[serde(flatten)]
    pub(crate) machine: Machine,
}

/// How long an empty crate with one dependency takes to build.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct ColdBuild {
    /// The dependency, and which of it if there is more than one way to have it.
    pub(crate) kernel: String,
    pub(crate) mode: String,
    pub(crate) version: String,
    /// Crates that are compiled, the empty one not counted.
    pub(crate) crates: usize,
    pub(crate) seconds_best: f64,
    pub(crate) seconds_median: f64,
    pub(crate) runs: usize,
    #[serde(flatten)]
    pub(crate) machine: Machine,
}

/// How fast llama.cpp evaluates Gemma-3-270M Q4_K_M.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Evaluation {
    /// Where products by Q4_K weights are computed: `spanker-sail`, or on the CPU as
    /// `ggml-repacked` or `ggml-plain`. All else is computed on the CPU, and repacked except with
    /// the last.
    pub(crate) kernel: String,
    /// `prefill of 512`, `decode of 64` tokens one after the other, or the products by Q4_K weights
    /// of one of these and nothing else.
    pub(crate) work: String,
    /// Of llama.cpp, and of the software Sail as many.
    pub(crate) threads: usize,
    pub(crate) tokens_per_second_best: f64,
    pub(crate) tokens_per_second_median: f64,
    /// Of the bests and of the medians: over ggml's with repacked weights.
    pub(crate) over_ggml_best: Option<f64>,
    pub(crate) over_ggml_median: Option<f64>,
    /// Timed runs.
    pub(crate) runs: usize,
    #[serde(flatten)]
    pub(crate) machine: Machine,
}

/// How much to measure and how to show it.
#[derive(Args, Clone, Debug)]
pub(crate) struct Format {
    /// Measures less, and for a shorter time.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Prints one JSON object a line, as soon as it is measured, instead of tables at the end.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints the tables as Markdown.
    #[arg(long, conflicts_with = "json")]
    pub(crate) markdown: bool,
    /// Writes a page with curves and tables into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Draws the curves into this file, as one SVG picture.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
}

/// What has been measured so far.
#[derive(Debug)]
pub(crate) struct Report {
    format: Format,
    records: Vec<Record>,
}

impl Report {
    /// # Errors
    /// If a file that is to be written cannot be: better now than when all is
    /// measured.
    pub(crate) fn new(format: Format) -> Result<Self, Error> {
        for path in format.html.iter().chain(&format.svg) {
            File::options()
                .append(true)
                .create(true)
                .open(path)
                .map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(Self { format, records: Vec::new() })
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
        if let Some(path) = &self.format.html {
            write(path, &html::page(&self.records)?)?;
        }
        if let Some(path) = &self.format.svg {
            write(path, &picture::svg(&self.records)?)?;
        }
        if !self.format.json {
            let style = if self.format.markdown { Style::Markdown } else { Style::Terminal };
            stdout().write_all(text::text(&self.records, style).as_bytes())?;
        }
        Ok(())
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()).into())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{parse, Evaluation, Product, Record};
    use crate::machine::Machine;

    /// A product whose other fields do not matter.
    pub(crate) fn product(kernel: &str, rows: usize, gflops: f64) -> Product {
        Product {
            kernel: kernel.to_owned(),
            variant: None,
            pair: "F32xQ4_K".to_owned(),
            weights: "4096x14336".to_owned(),
            rows,
            threads: 2,
            gflops_best: gflops,
            gflops_median: gflops - 1.0,
            over_ggml_best: Some(2.0),
            over_ggml_median: Some(1.5),
            of_bound: None,
            runs: 10,
            machine: Machine { cpu: "a CPU".to_owned(), load: Some(0.5), others: Some(0.0) },
        }
    }

    pub(crate) fn evaluation(kernel: &str, work: &str, threads: usize, speed: f64) -> Record {
        Record::Llama(Evaluation {
            kernel: kernel.to_owned(),
            work: work.to_owned(),
            threads,
            tokens_per_second_best: speed,
            tokens_per_second_median: speed - 1.0,
            over_ggml_best: Some(1.5),
            over_ggml_median: Some(1.25),
            runs: 6,
            machine: Machine { cpu: "a CPU".to_owned(), load: Some(0.5), others: Some(0.0) },
        })
    }

    #[test]
    fn a_line_has_the_documented_fields() {
        let record = Record::Compute(product("spanker-avx2", 8, 400.5));
        let line = serde_json::to_string(&record).unwrap();
        assert_eq!(
            line,
            concat!(
                r#"{"what":"compute","kernel":"spanker-avx2","variant":null,"pair":"F32xQ4_K","#,
                r#""weights":"4096x14336","rows":8,"threads":2,"gflops_best":400.5,"#,
                r#""gflops_median":399.5,"over_ggml_best":2.0,"over_ggml_median":1.5,"#,
                r#""of_bound":null,"runs":10,"cpu":"a CPU","load":0.5,"others":0.0}"#
            )
        );
        assert!(matches!(parse(&line), Ok(Record::Compute(Product { rows: 8, .. }))));
        assert!(parse("{}").is_err());
        let line = serde_json::to_string(&evaluation("ggml-plain", "decode of 64", 2, 40.5));
        assert_eq!(
            line.unwrap(),
            concat!(
                r#"{"what":"llama","kernel":"ggml-plain","work":"decode of 64","threads":2,"#,
                r#""tokens_per_second_best":40.5,"tokens_per_second_median":39.5,"#,
                r#""over_ggml_best":1.5,"over_ggml_median":1.25,"runs":6,"#,
                r#""cpu":"a CPU","load":0.5,"others":0.0}"#
            )
        );
    }
}
