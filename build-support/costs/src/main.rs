// SPDX-License-Identifier: Apache-2.0
//! What the safe API costs, in instructions, beside the same work written by
//! hand on raw libc. Both talk to a card that answers at once, in one process,
//! and valgrind counts.
//!
//! ```text
//! cargo run --release -p spanker-costs             the figures
//! cargo run --release -p spanker-costs -- --check  fail if they are too high
//! ```

mod callgrind;
mod device;
mod raw;
mod safe;

use callgrind::instructions_per_round;
use device::Device;
use std::env;
use std::error::Error;
use std::process::ExitCode;

/// Matrices of activations and of weights; a batch multiplies each by each.
const ROWS: usize = 16;
const COLUMNS: usize = 16;
/// Their rows.
const M: usize = 4;
const N: usize = 8;

/// Something that is counted.
struct Work {
    what: &'static str,
    /// The functions that do it, through the safe API and by hand.
    safe: &'static str,
    raw: &'static str,
    ops: f64,
    /// How much more than by hand it may cost through the safe API.
    most: f64,
}

const BATCH: f64 = (ROWS * COLUMNS) as f64;

const WORK: [Work; 3] = [
    Work {
        what: "batch of 256 ops, outputs written anew",
        safe: "safe_batches",
        raw: "raw_batches",
        ops: BATCH,
        most: 1.15,
    },
    Work {
        what: "batch of 256 ops, outputs taken out and moved in",
        safe: "safe_moving_batches",
        raw: "raw_batches",
        ops: BATCH,
        most: 1.6,
    },
    Work { what: "single op", safe: "safe_single", raw: "raw_single", ops: 1.0, most: 6.0 },
];

/// An op is 96 bytes, which nobody fills in with fewer instructions than this.
const LEAST_PER_OP: f64 = 12.0;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        [] => report(false),
        ["--check"] => report(true),
        // What valgrind is given to run.
        ["work", rounds] => rounds.parse().map_err(Into::into).and_then(work),
        _ => Err("usage: spanker-costs [--check]".into()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// All of the work, so many times.
fn work(rounds: usize) -> Result<(), Box<dyn Error>> {
    let device = Device::new()?;
    let mut safe = safe::Safe::new(&device.path())?;
    let mut raw = raw::Raw::new();
    safe::safe_batches(&mut safe, rounds)?;
    raw::raw_batches(&mut raw, rounds)?;
    safe::safe_moving_batches(&mut safe, rounds)?;
    safe::safe_single(&mut safe, rounds)?;
    raw::raw_single(&mut raw, rounds)?;
    Ok(())
}

fn report(check: bool) -> Result<(), Box<dyn Error>> {
    if cfg!(debug_assertions) {
        return Err("instructions of a debug build mean nothing: add --release".into());
    }
    let names: Vec<&str> = WORK.iter().flat_map(|work| [work.safe, work.raw]).collect();
    let counts = instructions_per_round(&names)?;
    println!("{:50} {:>8} {:>8} {:>6}", "instructions for a", "safe", "raw", "ratio");
    let mut failures = Vec::new();
    for (work, counts) in WORK.iter().zip(counts.chunks(2)) {
        let Work { what, ops, most, .. } = work;
        let ratio = counts[0] / counts[1];
        println!("{what:50} {:8.0} {:8.0} {ratio:6.2}", counts[0], counts[1]);
        if counts.iter().any(|count| *count < ops * LEAST_PER_OP) {
            failures.push(format!("{what}: fewer instructions than there is work"));
        } else if ratio > *most {
            failures
                .push(format!("{what}: {ratio:.2} times what it costs by hand, at most {most}"));
        }
    }
    if check && !failures.is_empty() {
        return Err(failures.join("\n").into());
    }
    Ok(())
}
