// SPDX-License-Identifier: Apache-2.0
//! Mutations of a header, one test each: what the command says of them, and what
//! the gate exits with.

mod cancelling;
mod command;
mod constants;
mod fields;
mod kinds;
mod mutation;
mod records;
mod requests;
mod wording;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use command::Bench;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let bench: &'static Bench = match Bench::set_up() {
        Ok(bench) => Box::leak(Box::new(bench)),
        Err(error) if error.contains("libclang was not found") => {
            println!("SKIPPED: {error}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::FAILURE;
        }
    };
    let files = [
        ("fields", fields::ALL),
        ("records", records::ALL),
        ("cancelling", cancelling::ALL),
        ("constants", constants::ALL),
        ("requests", requests::ALL),
        ("wording", wording::ALL),
        ("kinds", kinds::ALL),
    ];
    let mutations = files.iter().flat_map(|(file, all)| all.iter().map(move |one| (file, one)));
    let trials = mutations.map(|(file, mutation)| {
        let name = format!("{file}: {}", mutation.name);
        Trial::test(name, move || bench.holds(mutation).map_err(Into::into))
    });
    let trials = trials.collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}
