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

/// How much more than by hand a batch may cost through the safe API.
const MOST: f64 = 1.15;

/// What is counted: the function that does it safely, and by hand.
const WORK: [(&str, &str, &str); 3] = [
    ("batch of 256 ops, outputs written anew", "safe_batches", "raw_batches"),
    ("batch of 256 ops, outputs taken out and moved in", "safe_moving_batches", "raw_batches"),
    ("single op", "safe_single", "raw_single"),
];

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
    let names: Vec<&str> = WORK.iter().flat_map(|(_, safe, raw)| [*safe, *raw]).collect();
    let counts = instructions_per_round(&names)?;
    println!("{:50} {:>8} {:>8} {:>6}", "instructions for a", "safe", "raw", "ratio");
    let mut first = None;
    for ((what, _, _), counts) in WORK.iter().zip(counts.chunks(2)) {
        let ratio = counts[0] / counts[1];
        println!("{what:50} {:8.0} {:8.0} {ratio:6.2}", counts[0], counts[1]);
        first.get_or_insert(ratio);
    }
    match first {
        Some(ratio) if check && ratio > MOST => {
            Err(format!("a batch costs {ratio:.2} times what it does by hand, at most {MOST}")
                .into())
        }
        _ => Ok(()),
    }
}
