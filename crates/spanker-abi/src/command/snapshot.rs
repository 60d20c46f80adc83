// SPDX-License-Identifier: Apache-2.0
//! `spanker-abi snapshot`.

use super::{print, HeaderOptions};
use clap::Args;
use spanker_abi::{snapshot, Error};
use std::path::PathBuf;

/// Write the facts of a header down, one a line
///
/// Exits with 0 when done, 3 if it could not run; then the file is as it was.
#[derive(Args)]
pub(super) struct Arguments {
    /// The header
    header: PathBuf,

    /// The file to write; without it, standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    #[command(flatten)]
    options: HeaderOptions,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let abi = arguments.options.read(&arguments.header)?.abi;
    match &arguments.output {
        Some(file) => snapshot::save(&abi, file)?,
        None => print(snapshot::write(&abi))?,
    }
    Ok(0)
}
