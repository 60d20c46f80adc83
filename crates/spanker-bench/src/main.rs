// SPDX-License-Identifier: Apache-2.0
//! The program that measures and shows: the software Sail beside other implementations of the same
//! work, in turn, in one run.
//!
//! `cargo run --release --manifest-path crates/spanker-bench/Cargo.toml -- compute --quick`

mod bounds;
mod compute;
mod contest;
mod implementation;
mod machine;
mod ours;
mod peers;
mod report;
mod statistics;
mod workload;

use clap::{Parser, Subcommand};
use report::Report;
use std::process::ExitCode;

/// Whatever went wrong, with its context.
type Error = Box<dyn std::error::Error>;

/// Measures Sails beside other implementations of the same work, in one run.
#[derive(Debug, Parser)]
#[command(max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// GFLOP/s of a product of activations by Q4_K weights, beside ggml and others.
    Compute(compute::Arguments),
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let run = || -> Result<(), Error> {
        match &command {
            Command::Compute(arguments) => {
                let mut report = Report::new(arguments.format());
                compute::run(arguments, &mut report)?;
                report.finish()
            }
        }
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("spanker-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
