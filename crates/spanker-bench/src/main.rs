// SPDX-License-Identifier: Apache-2.0
//! The program that measures and shows: the software Sail beside other implementations of the same
//! work, in turn, in one run.
//!
//! `cargo run --release --manifest-path crates/spanker-bench/Cargo.toml -- compute --quick`

mod bounds;
mod cold_build;
mod compute;
mod contest;
mod implementation;
mod llama;
mod machine;
mod ours;
mod peers;
mod report;
mod show;
mod statistics;
mod submit;
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
    /// Nanoseconds from submission to completion of a small op, and ops per second.
    Submit(submit::Arguments),
    /// Seconds to build an empty crate that depends on spanker, beside crates of its kind.
    Build(cold_build::Arguments),
    /// Tokens per second of a model in llama.cpp, and products in ggml, with a Sail and without.
    Llama(llama::Arguments),
    /// Shows what earlier runs printed with --json.
    Show(show::Arguments),
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let run = || -> Result<(), Error> {
        let mut report = Report::new(match &command {
            Command::Compute(arguments) => arguments.format(),
            Command::Submit(arguments) => arguments.format.clone(),
            Command::Build(arguments) => arguments.format.clone(),
            Command::Llama(arguments) => arguments.format.clone(),
            Command::Show(arguments) => arguments.format.clone(),
        })?;
        match &command {
            Command::Compute(arguments) => compute::run(arguments, &mut report)?,
            Command::Submit(arguments) => submit::run(arguments, &mut report)?,
            Command::Build(arguments) => cold_build::run(arguments, &mut report)?,
            Command::Llama(arguments) => llama::run(arguments, &mut report)?,
            Command::Show(arguments) => show::run(arguments, &mut report)?,
        }
        report.finish()
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("spanker-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Arguments;
    use clap::{CommandFactory, Parser};

    #[test]
    fn the_documented_commands_are_understood() {
        Arguments::command().debug_assert();
        for line in [
            "compute --quick --json --threads 1,2 --weights 4096x14336 --rows 1,512 --pair f32,q4k",
            "compute --kernel all --ggml-variant zen4,haswell --seconds 2 --html page.html",
            "submit --quick --opens 1,2,8 --batch 1,256",
            "build --rounds 2 --beside gpiocdev",
            "llama --quick --json --threads 1,2 --rounds 3",
            "llama --markdown",
            "show a.jsonl b.jsonl --html page.html --svg picture.svg --markdown",
        ] {
            let arguments = ["spanker-bench"].into_iter().chain(line.split(' '));
            assert!(Arguments::try_parse_from(arguments).is_ok(), "{line}");
        }
        for line in [
            "",
            "compute --weights 4096x100",
            "compute --seconds=-1",
            "compute --rows 0",
            "build --rounds 0",
            "llama --rounds 0",
            "llama --threads 0",
            "show",
            "submit --opens 0",
        ] {
            let arguments = ["spanker-bench"].into_iter().chain(line.split(' '));
            assert!(Arguments::try_parse_from(arguments).is_err(), "{line}");
        }
    }
}
