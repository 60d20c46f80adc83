// SPDX-License-Identifier: Apache-2.0
//! `spanker completions`: for the shells that people use.

use crate::arguments::{Arguments, CompletionsArguments};
use crate::exit::Failure;
use crate::report;
use clap::CommandFactory;

pub(crate) fn run(arguments: &CompletionsArguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "spanker", &mut script);
    report::print_text(&String::from_utf8_lossy(&script))
}
