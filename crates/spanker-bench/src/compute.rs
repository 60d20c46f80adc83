// SPDX-License-Identifier: Apache-2.0
//! GFLOP/s of products of activations by Q4_K weights.

use crate::contest::{by_turns, Contestant, Effort};
use crate::machine;
use crate::ours::Ours;
use crate::peers::ggml::{self, Ggml, Storage};
use crate::report::{Format, Product, Record, Report};
use crate::workload::{self, Shape};
use crate::Error;
use clap::{Args, ValueEnum};
use fastrand::Rng;
use spanker_soft::CpuEngine;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What of two products of the same operands may differ: squared, over the squares.
const AGREEMENT: f64 = 1e-4;

#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// Some sizes, for a short time each: half a minute in all.
    #[arg(long)]
    quick: bool,
    /// One JSON object a line.
    #[arg(long)]
    json: bool,
    /// Threads that compute, of each contestant; a process for each of these numbers.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<NonZeroUsize>,
    /// Shapes of weights: rows and columns.
    #[arg(long, value_delimiter = ',', value_name = "ROWSxCOLUMNS")]
    weights: Vec<Shape>,
    /// Rows of activations.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<usize>,
    /// What is multiplied.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "f32")]
    pair: Vec<Pair>,
    /// Our kernels: of these names, or `all` [default: the fastest that this CPU can run].
    #[arg(long, value_delimiter = ',')]
    kernel: Vec<String>,
    /// Kinds of CPU to use ggml's libraries for, as `haswell` [default: what scores best].
    #[arg(long, value_delimiter = ',', value_name = "VARIANT")]
    ggml_variant: Vec<String>,
    /// Seconds for one contestant at one size.
    #[arg(long)]
    seconds: Option<f64>,
}

/// What is multiplied by the weights.
#[derive(Clone, Copy, Debug, PartialEq, ValueEnum)]
pub(crate) enum Pair {
    /// F32 activations, quantised on the way: what the peers do.
    F32,
    /// Activations that are quantised already.
    Q8k,
    /// Weights by weights.
    Q4k,
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "F32xQ4_K",
            Self::Q8k => "Q8_KxQ4_K",
            Self::Q4k => "Q4_KxQ4_K",
        })
    }
}

impl Arguments {
    pub(crate) fn format(&self) -> Format {
        Format { json: self.json }
    }

    fn weights(&self) -> Vec<Shape> {
        let shape = |rows, columns| Shape { rows, columns };
        match (self.weights.is_empty(), self.quick) {
            (false, _) => self.weights.clone(),
            (true, true) => vec![shape(256, 256), shape(4096, 4096)],
            (true, false) => {
                vec![shape(256, 256), shape(640, 1024), shape(4096, 4096), shape(4096, 14336)]
            }
        }
    }

    fn rows(&self) -> Vec<usize> {
        match (self.rows.is_empty(), self.quick) {
            (false, _) => self.rows.clone(),
            (true, true) => vec![1, 8, 128],
            (true, false) => vec![1, 2, 4, 8, 32, 128, 512],
        }
    }

    fn effort(&self) -> Effort {
        let seconds = self.seconds.unwrap_or(if self.quick { 0.3 } else { 1.0 });
        Effort {
            time: Duration::from_secs_f64(seconds.clamp(0.0, 3600.0)),
            rounds: if self.quick { 3 } else { 5 },
        }
    }

    fn kernels(&self) -> Vec<&'static str> {
        let all = CpuEngine::kernels();
        if self.kernel.is_empty() {
            return vec![CpuEngine::new().kernel()];
        }
        let asked = |kernel: &&str| {
            self.kernel
                .iter()
                .any(|name| name == "all" || name.trim_start_matches("spanker-") == *kernel)
        };
        all.into_iter().filter(asked).collect()
    }
}

/// Measures and reports.
///
/// # Errors
/// If a contestant fails or computes something else than the others.
pub(crate) fn run(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    match arguments.threads.as_slice() {
        [threads] => measure(arguments, *threads, report),
        // Some implementations can be told their number of threads only once in a process.
        several => several.iter().try_for_each(|threads| in_a_process(*threads, report)),
    }
}

/// Runs this program once more, with the same arguments but for the threads.
fn in_a_process(threads: NonZeroUsize, report: &mut Report) -> Result<(), Error> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .args(["--json", "--threads", &threads.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    for line in BufReader::new(child.stdout.take().ok_or("no output")?).lines() {
        report.add(crate::report::parse(&line?)?)?;
    }
    let status = child.wait()?;
    status.success().then_some(()).ok_or_else(|| format!("with {threads} threads: {status}").into())
}

/// One contestant and what is known of it.
struct Entry<'a> {
    kernel: String,
    variant: Option<String>,
    contestant: Box<dyn Contestant + 'a>,
}

fn measure(arguments: &Arguments, threads: NonZeroUsize, report: &mut Report) -> Result<(), Error> {
    let kernels = arguments.kernels();
    if kernels.is_empty() {
        let all = CpuEngine::kernels().join(", ");
        return Err(format!("this CPU has no such kernel; it has {all}").into());
    }
    let ours = kernels
        .into_iter()
        .map(|kernel| Ours::new(kernel, threads))
        .collect::<Result<Vec<_>, _>>()?;
    let peers = ggmls(arguments, threads, report)?;
    for shape in arguments.weights() {
        let mut rng = Rng::with_seed(1);
        let blocks = workload::weights(&mut rng, shape.rows * shape.columns);
        let mut our_weights = Vec::new();
        for ours in &ours {
            our_weights.push((ours, vec![ours.weights(shape, &blocks)?]));
        }
        let mut ggml_weights = Vec::new();
        for ggml in &peers {
            for storage in [Storage::Plain, Storage::Repacked] {
                let weights = vec![ggml.weights(shape, &blocks, storage)?];
                ggml_weights.push((ggml, storage, weights));
            }
        }
        for pair in &arguments.pair {
            for rows in arguments.rows() {
                eprintln!("{pair}, weights {shape}, {rows} row(s), {threads} thread(s)");
                let x = workload::activations(&mut rng, rows * shape.columns);
                let quantised = match pair {
                    Pair::Q4k => workload::weights(&mut rng, x.len()),
                    Pair::F32 | Pair::Q8k => Vec::new(),
                };
                let mut entries = Vec::new();
                for (ours, weights) in &our_weights {
                    entries.push(Entry {
                        kernel: ours.name(),
                        variant: None,
                        contestant: ours.product(*pair, (rows, &x), &quantised, weights)?,
                    });
                }
                if *pair == Pair::F32 {
                    for (ggml, storage, weights) in &ggml_weights {
                        entries.push(Entry {
                            kernel: storage.kernel().to_owned(),
                            variant: Some(ggml.variant().to_owned()),
                            contestant: Box::new(ggml::Product::new(weights, rows, &x)?),
                        });
                    }
                }
                agree(&mut entries)?;
                let load = machine::load();
                let mut contestants: Vec<_> =
                    entries.iter_mut().map(|entry| &mut *entry.contestant as _).collect();
                let times = by_turns(&mut contestants, arguments.effort())?;
                let gflops: Vec<_> = times
                    .iter()
                    .map(|times| {
                        let gflops = |seconds| shape.operations(rows) / seconds * 1e-9;
                        (gflops(times.least()), gflops(times.median()))
                    })
                    .collect();
                let ggml = entries.iter().position(|entry| entry.kernel == "ggml-repacked");
                for (index, entry) in entries.iter().enumerate() {
                    let (best, median) = gflops[index];
                    report.add(Record::Compute(Product {
                        kernel: entry.kernel.clone(),
                        variant: entry.variant.clone(),
                        pair: pair.to_string(),
                        weights: shape.to_string(),
                        rows,
                        threads: threads.get(),
                        gflops_best: best,
                        gflops_median: median,
                        over_ggml_best: ggml.map(|ggml| best / gflops[ggml].0),
                        over_ggml_median: ggml.map(|ggml| median / gflops[ggml].1),
                        runs: times[index].count(),
                        cpu: machine::cpu(),
                        load,
                    }))?;
                }
            }
        }
    }
    Ok(())
}

fn ggmls(
    arguments: &Arguments,
    threads: NonZeroUsize,
    report: &mut Report,
) -> Result<Vec<Ggml>, Error> {
    let wanted = match arguments.ggml_variant.as_slice() {
        [] => vec![None],
        several => several.iter().map(|variant| Some(variant.as_str())).collect(),
    };
    let mut found = Vec::new();
    for variant in wanted {
        match Ggml::new(variant, threads) {
            Ok(ggml) => found.push(ggml),
            Err(reason) => {
                let peer = variant.map_or("ggml".to_owned(), |v| format!("ggml for {v}"));
                eprintln!("missing: {peer}: {reason}");
                report.add(Record::Missing { peer, reason: reason.to_string() })?;
            }
        }
    }
    Ok(found)
}

/// # Errors
/// If one computes something else than the first: the speed of a wrong result is none.
fn agree(entries: &mut [Entry<'_>]) -> Result<(), Error> {
    let mut outputs = Vec::new();
    for entry in &mut *entries {
        entry.contestant.run()?;
        outputs.push(entry.contestant.output()?);
        entry.contestant.rest();
    }
    for (entry, output) in entries.iter().zip(&outputs) {
        let error = workload::normalised_error(output, &outputs[0]);
        // Not `error > AGREEMENT`, which a NaN is not either.
        if !(error <= AGREEMENT) {
            let (one, other) = (&entry.kernel, &entries[0].kernel);
            return Err(format!("{one} and {other} do not agree: NMSE {error:.1e}").into());
        }
    }
    Ok(())
}
