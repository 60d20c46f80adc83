// SPDX-License-Identifier: Apache-2.0
//! The command `spanker`: see what Sails there are, and run int4 products on
//! them.

#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::expect_used, clippy::panic, clippy::unwrap_used))]

mod arguments;
mod chosen_sail;
mod completions;
mod demo;
mod doctor;
mod exit;
mod extract;
mod gguf_file;
mod info;
mod layer;
mod list;
mod man;
mod matmul;
mod npy_file;
mod output_file;
mod palette;
mod ping;
mod printable;
mod progress;
mod quantity;
mod random;
mod recorded;
mod reference;
mod replay;
mod report;
mod stopwatch;
mod table;
mod tensors;
mod version;

use arguments::{Arguments, Command};
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Info(arguments) => info::run(&arguments),
        Command::Ping(arguments) => ping::run(&arguments),
        Command::Version(arguments) => version::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
        Command::Tensors(arguments) => tensors::run(&arguments),
        Command::Extract(arguments) => extract::run(&arguments),
        Command::Matmul(arguments) => matmul::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
        Command::Man(arguments) => man::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
