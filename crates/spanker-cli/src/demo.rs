// SPDX-License-Identifier: Apache-2.0
//! `spanker demo`: a layer of a language model, run, timed and checked.

mod report;

use crate::arguments::DemoArguments;
use crate::chosen_sail::ChosenSail;
use crate::exit::{Code, Failure};
use crate::layer;
use crate::progress::Progress;
use crate::quantity::{gflops, ms};
use crate::random::Random;
use crate::recorded::{self, MaybeRecorded};
use crate::reference::{compare, product, MOST_NMSE};
use crate::stopwatch::{best_and_median, Stopwatch};
use report::{DemoReport, Pair};
use spanker::{Matmul, Matrix, Sail, F32, Q4K};
use std::time::Duration;

pub(crate) fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    let [m, n, k] = [arguments.tokens, arguments.rows, arguments.k].map(|size| size as usize);
    let record = recorded::prepare(arguments.record.path.as_deref(), &[])?;

    let progress = Progress::start(!arguments.output.json);
    progress.stage("making random weights", 0);
    let mut clock = Stopwatch::start();
    let mut random = Random::new(0);
    let weights = layer::weights(&mut random, n, k);
    let activations = layer::activations(&mut random, m, k);
    let make = clock.lap();

    let ChosenSail { sail, name } =
        ChosenSail::open(Some(&arguments.sail), arguments.threads.count)?;
    let open = clock.lap();

    let card = sail.info().name.clone();
    let abi = sail.version().to_string();
    let sail = MaybeRecorded::begin(sail, record)?;
    let layer = Layer { shape: [m, n, k], weights: &weights, activations: &activations };
    let timed = time(&sail, &layer, arguments.runs, &progress);
    let Timed { out, upload, warm_up, runs, busy_ns, ops } = sail.finish(timed)?;

    progress.stage("the same in f64", n);
    clock.lap();
    let found = out.to_vec()?;
    let download = clock.lap();
    let agreement = compare(&weights, &activations, k, &found, &|rows| progress.advance(rows));
    let reference = clock.lap();
    drop(progress);

    let (best, median) = best_and_median(&runs);
    let samples = found
        .iter()
        .zip(weights.chunks_exact(weights.len() / n))
        .map(|(&found, row)| Pair { found, expected: product(row, &activations[..k]) })
        .take(4)
        .collect();
    let report = DemoReport {
        sail: name.to_string(),
        card,
        abi,
        weight_rows: n,
        k,
        tokens: m,
        runs: runs.len(),
        weights_bytes: weights.len(),
        make_ms: ms(make),
        open_ms: ms(open),
        upload_ms: ms(upload),
        warm_up_ms: ms(warm_up),
        best_ms: ms(best),
        median_ms: ms(median),
        download_ms: ms(download),
        reference_ms: ms(reference),
        gflops_best: gflops([m, n, k], best),
        gflops_median: gflops([m, n, k], median),
        card_busy_ms: ms(Duration::from_nanos(busy_ns)),
        card_ops: ops,
        nmse: agreement.nmse(),
        most_nmse: MOST_NMSE,
        right: agreement.is_right(),
        record: arguments.record.path.as_ref().map(|path| path.display().to_string()),
        samples,
        run_times: runs,
    };
    crate::report::print(&report, arguments.output.json)?;
    if report.right {
        Ok(())
    } else {
        Err(Failure::new(
            Code::Wrong,
            format!(
                "the result of Sail {name} is wrong: NMSE {:.1e} against f64, at most {MOST_NMSE:.0e} is \
                 right; try --sail soft, and report this card or driver",
                report.nmse
            ),
        ))
    }
}

/// What the Sail computes: rows of activations, rows of weights and k.
struct Layer<'a> {
    shape: [usize; 3],
    weights: &'a [u8],
    activations: &'a [f32],
}

/// What the Sail has done, and how long it took.
struct Timed {
    out: Matrix<F32>,
    upload: Duration,
    warm_up: Duration,
    runs: Vec<Duration>,
    /// As the card has counted, for the timed runs.
    busy_ns: u64,
    ops: u64,
}

fn time(sail: &Sail, layer: &Layer<'_>, runs: u32, progress: &Progress) -> Result<Timed, Failure> {
    let [m, n, k] = layer.shape;
    progress.stage("first run", 0);
    let mut clock = Stopwatch::start();
    let b = sail.upload_bytes::<Q4K>(n, k, layer.weights)?;
    let a = sail.upload::<F32>(m, k, layer.activations)?;
    let mut out = sail.matrix::<F32>(m, n)?;
    let upload = clock.lap();

    out = sail.submit(Matmul::new(&a, &b, out))?.wait()?;
    let warm_up = clock.lap();

    let before = sail.telemetry()?;
    let mut times = Vec::with_capacity(runs as usize);
    progress.stage("timed runs", runs as usize);
    for _ in 0..runs {
        clock.lap();
        out = sail.submit(Matmul::new(&a, &b, out))?.wait()?;
        times.push(clock.lap());
        progress.advance(1);
    }
    let after = sail.telemetry()?;
    let busy_ns = after.busy_ns.saturating_sub(before.busy_ns);
    let ops = after.ops.saturating_sub(before.ops);
    Ok(Timed { out, upload, warm_up, runs: times, busy_ns, ops })
}
