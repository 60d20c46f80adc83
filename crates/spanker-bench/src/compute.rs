// SPDX-License-Identifier: Apache-2.0
//! GFLOP/s of products of activations by Q4_K weights: what is measured, and in which process.

mod measure;

use crate::contest::Effort;
use crate::implementation::Pair;
use crate::report::{parse, Format, Report};
use crate::workload::Shape;
use crate::Error;
use clap::Args;
use spanker_soft::CpuEngine;
use std::io::{BufRead, BufReader};
use std::num::NonZeroUsize;
use std::process::{Command, Stdio};
use std::time::Duration;

#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) format: Format,
    /// Threads that compute, of each contestant; a process for each of these numbers.
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    threads: Vec<NonZeroUsize>,
    /// Shapes of weights: rows and columns.
    #[arg(long, value_delimiter = ',', value_name = "ROWSxCOLUMNS")]
    weights: Vec<Shape>,
    /// Rows of activations.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<NonZeroUsize>,
    /// What is multiplied.
    #[arg(long, value_enum, value_delimiter = ',', default_value = "f32")]
    pair: Vec<Pair>,
    /// Our kernels: of these names, or `all` [default: the fastest that this CPU can run].
    #[arg(long, value_delimiter = ',')]
    kernel: Vec<String>,
    /// Kinds of CPU to use ggml's libraries for, as `haswell` [default: what scores best].
    #[arg(long, value_delimiter = ',', value_name = "VARIANT")]
    ggml_variant: Vec<String>,
    /// In this very process, with so many threads; records only.
    #[arg(long, hide = true)]
    in_process: Option<NonZeroUsize>,
    /// Seconds for one contestant at one size.
    #[arg(long, value_parser = parse_seconds)]
    seconds: Option<Duration>,
}

impl Arguments {
    /// Of this process.
    pub(crate) fn format(&self) -> Format {
        match self.in_process {
            // What the process that started this one reads.
            Some(_) => Format {
                quick: self.format.quick,
                json: true,
                markdown: false,
                html: None,
                svg: None,
            },
            None => self.format.clone(),
        }
    }

    fn weights(&self) -> Vec<Shape> {
        let shape = |rows, columns| Shape { rows, columns };
        match (self.weights.is_empty(), self.format.quick) {
            (false, _) => self.weights.clone(),
            (true, true) => vec![shape(256, 256), shape(4096, 4096)],
            (true, false) => {
                vec![shape(256, 256), shape(640, 1024), shape(4096, 4096), shape(4096, 14336)]
            }
        }
    }

    fn rows(&self) -> Vec<usize> {
        match (self.rows.is_empty(), self.format.quick) {
            (false, _) => self.rows.iter().map(|rows| rows.get()).collect(),
            (true, true) => vec![1, 8, 128],
            (true, false) => vec![1, 2, 4, 8, 32, 128, 512],
        }
    }

    fn effort(&self) -> Effort {
        let usual = Duration::from_millis(if self.format.quick { 250 } else { 1000 });
        Effort {
            time: self.seconds.unwrap_or(usual),
            rounds: if self.format.quick { 3 } else { 5 },
        }
    }

    /// # Errors
    /// If one is not of this CPU.
    fn kernels(&self) -> Result<Vec<&'static str>, Error> {
        let all = CpuEngine::kernels();
        if self.kernel.is_empty() {
            return Ok(vec![CpuEngine::new().kernel()]);
        }
        let is = |name: &str, kernel: &str| name.trim_start_matches("spanker-") == kernel;
        for name in self.kernel.iter().filter(|name| *name != "all") {
            if !all.iter().any(|kernel| is(name, kernel)) {
                let all = all.join(", ");
                return Err(format!("no kernel `{name}` on this CPU; there are {all}").into());
            }
        }
        let asked =
            |kernel: &&str| self.kernel.iter().any(|name| name == "all" || is(name, kernel));
        // The fastest first, as all ratios are of the first.
        Ok(all.into_iter().rev().filter(asked).collect())
    }
}

/// A time for a measurement.
pub(crate) fn parse_seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().map_err(|error| format!("{error}"))?;
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() && seconds <= 3600.0 => Ok(time),
        _ => Err("more than 0, and 3600 at most".to_owned()),
    }
}

/// Measures and reports.
///
/// # Errors
/// If a contestant fails or computes something else than the others.
pub(crate) fn run(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    // Before anything is measured, and not in each process.
    arguments.kernels()?;
    let Some(threads) = arguments.in_process else {
        // Some implementations can be told their number of threads only once in a process.
        return arguments.threads.iter().try_for_each(|threads| in_a_process(*threads, report));
    };
    // Read by the threads of peers when they start.
    std::env::set_var("RAYON_NUM_THREADS", threads.to_string());
    measure::all(arguments, threads, report)
}

/// Runs this program once more, with the same arguments.
fn in_a_process(threads: NonZeroUsize, report: &mut Report) -> Result<(), Error> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .args(["--in-process", &threads.to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    for line in BufReader::new(child.stdout.take().ok_or("no output")?).lines() {
        report.add(parse(&line?)?)?;
    }
    let status = child.wait()?;
    status.success().then_some(()).ok_or_else(|| format!("with {threads} threads: {status}").into())
}
