// SPDX-License-Identifier: Apache-2.0
//! What it costs to have a small op done: 1×256 by 8×256, single and in batches.

use crate::compute::parse_seconds;
use crate::machine::Watch;
use crate::report::{Format, Record, Report, Submission};
use crate::statistics::Sorted;
use crate::workload::{weights, SUPERBLOCK};
use crate::Error;
use clap::Args;
use fastrand::Rng;
use spanker::{Batch, Matmul, Matrix, Sail, F32, Q4K};
use spanker_soft::{CardConfig, Config, CpuEngine, Machine};
use std::num::NonZeroUsize;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

/// Rows of the weights.
const ROWS: usize = 8;

#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) format: Format,
    /// Threads that compute [default: one for each processor].
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Opens that submit at the same time, each from a thread of its own.
    #[arg(long, value_delimiter = ',', default_value = "1,2,8")]
    opens: Vec<NonZeroUsize>,
    /// Ops in one submission.
    #[arg(long, value_delimiter = ',', default_value = "1,256", value_parser = parse_ops)]
    batch: Vec<NonZeroUsize>,
    /// Seconds for one measurement.
    #[arg(long, value_parser = parse_seconds)]
    seconds: Option<Duration>,
}

/// Each op of a submission has a buffer of its own, and there are two for all of them.
fn parse_ops(text: &str) -> Result<NonZeroUsize, String> {
    let most = CardConfig::default().max_bufs as usize - 2;
    match text.parse() {
        Ok(ops) if NonZeroUsize::get(ops) <= most => Ok(ops),
        _ => Err(format!("from 1 to {most}")),
    }
}

/// Measures and reports.
///
/// # Errors
/// If the Sail refuses or fails an op.
pub(crate) fn run(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    let usual = Duration::from_millis(if arguments.format.quick { 500 } else { 3000 });
    let limit = arguments.seconds.unwrap_or(usual);
    let processors = thread::available_parallelism()?;
    let engine = CpuEngine::new();
    let kernel = format!("spanker-{}", engine.kernel().trim_start_matches("spanker-"));
    for ops in &arguments.batch {
        for opens in &arguments.opens {
            eprintln!("1x256 by 8x256, {ops} op(s) a submission, {opens} open(s)");
            let machine = Machine::new(Config { threads: arguments.threads, ..Config::default() })?;
            let watch = Watch::start();
            let Measured { times, ops_per_second } = measure(&machine, *opens, *ops, limit)?;
            let nanoseconds = |percent| (times.percentile(percent) * 1e9).round();
            report.add(Record::Submit(Submission {
                kernel: kernel.clone(),
                ops: ops.get(),
                opens: opens.get(),
                threads: arguments.threads.unwrap_or(processors).get(),
                p50_ns: nanoseconds(50),
                p99_ns: nanoseconds(99),
                ops_per_second: ops_per_second.round(),
                runs: times.count(),
                machine: watch.stop(),
            }))?;
        }
    }
    Ok(())
}

struct Measured {
    /// Seconds from submission to completion.
    times: Sorted,
    /// Of all opens together, with all that is done between submissions.
    ops_per_second: f64,
}

fn measure(
    machine: &Machine,
    opens: NonZeroUsize,
    ops: NonZeroUsize,
    limit: Duration,
) -> Result<Measured, Error> {
    let barrier = Barrier::new(opens.get());
    let results: Vec<Result<(Vec<f64>, f64), String>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..opens.get())
            .map(|_| {
                let barrier = &barrier;
                scope.spawn(move || {
                    submit(machine, ops.get(), limit, barrier).map_err(|error| error.to_string())
                })
            })
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join());
        ended.map(|ended| ended.unwrap_or_else(|_| Err("a thread panicked".into()))).collect()
    });
    let (mut times, mut ops_per_second) = (Vec::new(), 0.0);
    for result in results {
        let (one, seconds) = result?;
        ops_per_second += (one.len() * ops.get()) as f64 / seconds;
        times.extend(one);
    }
    let times = Sorted::new(times).ok_or("nothing was submitted")?;
    Ok(Measured { times, ops_per_second })
}

/// Submits from one open until the time is up: the seconds of each, and of all together.
fn submit(
    machine: &Machine,
    ops: usize,
    limit: Duration,
    barrier: &Barrier,
) -> Result<(Vec<f64>, f64), Error> {
    let ready = Submitter::new(machine, ops);
    // Each arrives, or the others would wait for it for ever.
    barrier.wait();
    let mut submitter = ready?;
    submitter.until(limit / 10)?;
    barrier.wait();
    let begin = Instant::now();
    let times = submitter.until(limit)?;
    Ok((times, begin.elapsed().as_secs_f64()))
}

struct Submitter {
    sail: Sail,
    a: Matrix<F32>,
    b: Matrix<Q4K>,
    ops: usize,
}

impl Submitter {
    fn new(machine: &Machine, ops: usize) -> Result<Self, Error> {
        let sail = Sail::on_machine(machine, 0)?;
        let a = sail.upload::<F32>(1, SUPERBLOCK, &[0.5; SUPERBLOCK])?;
        let blocks = weights(&mut Rng::with_seed(1), ROWS * SUPERBLOCK);
        let b = sail.upload::<Q4K>(ROWS, SUPERBLOCK, &blocks)?;
        Ok(Self { sail, a, b, ops })
    }

    fn until(&mut self, limit: Duration) -> Result<Vec<f64>, Error> {
        if self.ops == 1 {
            self.single(limit)
        } else {
            self.batches(limit)
        }
    }

    fn single(&mut self, limit: Duration) -> Result<Vec<f64>, Error> {
        let mut times = Vec::new();
        let mut out = self.sail.matrix(1, ROWS)?;
        let begin = Instant::now();
        while begin.elapsed() < limit {
            let matmul = Matmul::new(&self.a, &self.b, out);
            let submitted = Instant::now();
            let pending = self.sail.submit(matmul).map_err(spanker::Error::from)?;
            out = pending.wait()?;
            times.push(submitted.elapsed().as_secs_f64());
        }
        Ok(times)
    }

    /// The same matrices again and again, as the example `batch` does it.
    fn batches(&mut self, limit: Duration) -> Result<Vec<f64>, Error> {
        let mut times = Vec::new();
        let mut batch = Batch::new(&self.sail);
        for _ in 0..self.ops {
            let out = self.sail.matrix(1, ROWS)?;
            batch.push(Matmul::new(&self.a, &self.b, out)).map_err(spanker::Error::from)?;
        }
        let begin = Instant::now();
        loop {
            let submitted = Instant::now();
            batch = self.sail.submit(batch).map_err(spanker::Error::from)?.wait()?;
            times.push(submitted.elapsed().as_secs_f64());
            if begin.elapsed() >= limit {
                return Ok(times);
            }
            batch.recycle();
            for _ in 0..self.ops {
                batch.push_recycled(&self.a, &self.b)?;
            }
        }
    }
}
