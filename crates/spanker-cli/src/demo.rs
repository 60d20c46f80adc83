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
use crate::reference::{compare, product, MOST_NMSE};
use crate::stopwatch::{best_and_median, Stopwatch};
use report::{DemoReport, Pair};
use spanker::{Matmul, F32, Q4K};
use std::time::Duration;

pub(crate) fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    let [m, n, k] = [arguments.tokens, arguments.rows, arguments.k].map(|size| size as usize);

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

    progress.stage("first run", 0);
    let b = sail.upload_bytes::<Q4K>(n, k, &weights)?;
    let a = sail.upload::<F32>(m, k, &activations)?;
    let mut out = sail.matrix::<F32>(m, n)?;
    let upload = clock.lap();

    out = sail.submit(Matmul::new(&a, &b, out))?.wait()?;
    let warm_up = clock.lap();

    let before = sail.telemetry()?;
    let mut runs = Vec::with_capacity(arguments.runs as usize);
    progress.stage("timed runs", arguments.runs as usize);
    for _ in 0..arguments.runs {
        clock.lap();
        out = sail.submit(Matmul::new(&a, &b, out))?.wait()?;
        runs.push(clock.lap());
        progress.advance(1);
    }
    let after = sail.telemetry()?;

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
        .zip(weights.chunks_exact(b.row_bytes()))
        .map(|(&found, row)| Pair { found, expected: product(row, &activations[..k]) })
        .take(4)
        .collect();
    let report = DemoReport {
        sail: name.to_string(),
        card: sail.info().name.clone(),
        abi: sail.version().to_string(),
        weight_rows: n,
        k,
        tokens: m,
        runs: runs.len(),
        weights_bytes: b.byte_len(),
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
        card_busy_ms: ms(Duration::from_nanos(after.busy_ns.saturating_sub(before.busy_ns))),
        card_ops: after.ops.saturating_sub(before.ops),
        nmse: agreement.nmse(),
        most_nmse: MOST_NMSE,
        right: agreement.is_right(),
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
