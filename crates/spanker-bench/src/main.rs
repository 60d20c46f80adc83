// SPDX-License-Identifier: Apache-2.0
//! Measures the software Sail beside another implementation of the same work:
//! in turn, in one run, on the same weights, and as a ratio.
//!
//! `cargo run --release --manifest-path crates/spanker-bench/Cargo.toml -- --threads 1`

use candle_core::quantized::{GgmlDType, QMatMul, QTensor};
use candle_core::{Device, Module, Tensor};
use clap::Parser;
use spanker::{Matmul, Matrix, Sail, F32, Q4K};
use spanker_soft::{Config, Machine};
use std::error::Error;
use std::fs;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

/// F32 activations by Q4_K weights, quantisation of the activations included.
#[derive(Parser)]
struct Arguments {
    /// Threads that compute, of each implementation.
    #[arg(long, default_value = "1")]
    threads: NonZeroUsize,
    /// Rows of weights.
    #[arg(long, default_value_t = 4096)]
    weights: usize,
    /// Columns: a multiple of 256.
    #[arg(long, default_value_t = 4096)]
    columns: usize,
    /// Rows of activations, one measurement each.
    #[arg(long, value_delimiter = ',', default_value = "1,4,32,128,512")]
    rows: Vec<usize>,
    /// Seconds for one measurement.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = Arguments::parse();
    // Read by candle's thread pool when it starts.
    std::env::set_var("RAYON_NUM_THREADS", arguments.threads.to_string());
    let machine = Machine::new(Config { threads: Some(arguments.threads), ..Config::default() })?;
    let sail = Sail::on_machine(&machine, 0)?;

    let (weights, columns) = (arguments.weights, arguments.columns);
    let device = Device::Cpu;
    let floats = Tensor::randn(0_f32, 0.05, (weights, columns), &device)?;
    let quantised = QTensor::quantize(&floats, GgmlDType::Q4K)?;
    let b = sail.upload_bytes::<Q4K>(weights, columns, &quantised.data()?)?;
    let peer = QMatMul::from_qtensor(quantised)?;

    println!("{}, {} thread(s), load {}", cpu(), arguments.threads, load());
    println!("F32 × Q4_K, weights {weights}×{columns}; GFLOP/s, best and median");
    println!("{:>5} {:>17} {:>17} {:>7}", "rows", "spanker", "candle", "ratio");
    for rows in &arguments.rows {
        let x = Tensor::randn(0_f32, 1.0, (*rows, columns), &device)?;
        let a = sail.upload::<F32>(*rows, columns, &x.flatten_all()?.to_vec1()?)?;
        let mut out = Some(sail.matrix(*rows, weights)?);
        let mut ours = || multiply(&sail, &a, &b, &mut out);
        let mut theirs = || peer.forward(&x).map(drop).map_err(Into::into);
        let limit = Duration::from_secs_f64(arguments.seconds);
        let (ours, theirs) = in_turn(&mut ours, &mut theirs, limit)?;
        let gflops = |seconds: f64| 2e-9 * (*rows * weights * columns) as f64 / seconds;
        println!(
            "{rows:>5} {:>8.1} {:>8.1} {:>8.1} {:>8.1} {:>6.2}×",
            gflops(ours.best),
            gflops(ours.median),
            gflops(theirs.best),
            gflops(theirs.median),
            theirs.median / ours.median,
        );
    }
    Ok(())
}

type Run<'a> = dyn FnMut() -> Result<(), Box<dyn Error>> + 'a;

/// From submission to completion, through the public API.
fn multiply(
    sail: &Sail,
    a: &Matrix<F32>,
    b: &Matrix<Q4K>,
    out: &mut Option<Matrix<F32>>,
) -> Result<(), Box<dyn Error>> {
    let room = out.take().ok_or("the last product failed")?;
    let pending = sail.submit(Matmul::new(a, b, room)).map_err(spanker::Error::from)?;
    *out = Some(pending.wait()?);
    Ok(())
}

/// Seconds of one run.
struct Times {
    best: f64,
    median: f64,
}

/// Runs one and the other by turns until the time is up, after a warm-up.
fn in_turn<'a>(
    one: &mut Run<'a>,
    two: &mut Run<'a>,
    limit: Duration,
) -> Result<(Times, Times), Box<dyn Error>> {
    one()?;
    two()?;
    let mut times = [Vec::new(), Vec::new()];
    let begin = Instant::now();
    while begin.elapsed() < limit || times[0].len() < 5 {
        for (run, times) in [&mut *one, &mut *two].into_iter().zip(&mut times) {
            let begin = Instant::now();
            run()?;
            times.push(begin.elapsed().as_secs_f64());
        }
    }
    let [one, two] = times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        Times { best: times[0], median: times[times.len() / 2] }
    });
    Ok((one, two))
}

fn cpu() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    name.unwrap_or("unknown CPU").to_owned()
}

fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_owned()
}
