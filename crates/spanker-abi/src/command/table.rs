// SPDX-License-Identifier: Apache-2.0
//! `spanker-abi table`.

use super::{print, HeaderOptions};
use clap::{Args, ValueEnum};
use spanker_abi::table::{json, tables, Drawing};
use spanker_abi::Error;
use std::path::PathBuf;

/// Show sizes, alignments, offsets, holes, constants and request codes
///
/// Exits with 0 when done, 3 if it could not run.
#[derive(Args)]
pub(super) struct Arguments {
    /// The header
    header: PathBuf,

    #[command(flatten)]
    options: HeaderOptions,

    /// How to show them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
    Markdown,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let abi = arguments.options.read(&arguments.header)?.abi;
    match arguments.format {
        Format::Text => print(tables(&abi, Drawing::Plain))?,
        Format::Markdown => print(tables(&abi, Drawing::Markdown))?,
        Format::Json => print(format_args!("{:#}\n", json(&abi)))?,
    }
    Ok(0)
}
