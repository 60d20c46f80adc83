// SPDX-License-Identifier: Apache-2.0
//! `spanker-abi diff`.

use super::side::{read_both, Side};
use super::{answer, print, Format, HeaderOptions};
use clap::Args;
use spanker_abi::diff::{diff, Class};
use spanker_abi::report::Report;
use spanker_abi::version::Scheme;
use spanker_abi::Error;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Tell what changed between two ABIs, and what each change breaks
///
/// Headers that need other --include directories each are compared as snapshots.
///
/// Exits with 0 if all is neutral, 1 if something breaks, 2 if there is more than before and nothing
/// breaks, 3 if it could not run.
#[derive(Args)]
pub(super) struct Arguments {
    /// A header, or a snapshot of one
    old: PathBuf,

    /// A header, or a snapshot of one
    new: PathBuf,

    #[command(flatten)]
    options: HeaderOptions,

    /// The macros that say the version: PREFIX_MAJOR with PREFIX_MINOR, or PREFIX itself. For one
    /// macro, PREFIX:kernel reads major << 16, minor << 8, patch, and PREFIX:halves major << 16,
    /// minor; else it only increases.
    #[arg(long, value_name = "PREFIX")]
    version_macros: Option<Scheme>,

    /// How to show them
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let (old, new) = (Side::open(&arguments.old)?, Side::open(&arguments.new)?);
    let (old, new) = read_both(old, new, &arguments.options)?;
    let scheme = arguments.version_macros.as_ref();
    let failed = |error: &dyn std::fmt::Display| Error::Request(error.to_string());
    let changes = diff(&old.abi, &new.abi, scheme).map_err(|error| failed(&error))?;
    let version = scheme.map(|scheme| scheme.version(&old.abi));
    let version = version.transpose().map_err(|error| failed(&error))?;
    let targets: BTreeSet<String> =
        old.abi.targets.keys().chain(new.abi.targets.keys()).cloned().collect();
    let report = Report {
        old: &arguments.old.display().to_string(),
        new: &arguments.new.display().to_string(),
        changes: &changes,
        targets: &targets,
        version,
        verdict: None,
    };
    let format = if arguments.json { Format::Json } else { arguments.format };
    print(answer(&report, format, &arguments.new, &new)?)?;
    Ok(match report.class() {
        Class::Neutral => 0,
        Class::Breaking => 1,
        Class::Additive => 2,
    })
}
