// SPDX-License-Identifier: Apache-2.0
//! `spanker-abi check`.

use super::side::{read_both, Side};
use super::{answer, print, Format, HeaderOptions};
use clap::Args;
use spanker_abi::check::{check, versions};
use spanker_abi::diff::diff;
use spanker_abi::report::Report;
use spanker_abi::version::Scheme;
use spanker_abi::{snapshot, Error};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// The gate: fail if a header changed and its version does not say so
///
/// Exits with 0 if all is well, 1 if something breaks without its bump, 2 if there is more than
/// before without its bump, 3 if it could not run.
#[derive(Args)]
pub(super) struct Arguments {
    /// The header
    #[arg(long)]
    header: PathBuf,

    /// The snapshot of the last release
    #[arg(long)]
    snapshot: PathBuf,

    /// The macros that say the version: PREFIX_MAJOR with PREFIX_MINOR, or PREFIX itself. For one
    /// macro, PREFIX:kernel reads major << 16, minor << 8, patch, and PREFIX:halves major << 16,
    /// minor; else it only increases. Without this no bump can be seen.
    #[arg(long, value_name = "PREFIX")]
    version_macros: Option<Scheme>,

    /// Targets of the snapshot; all of them where none is named
    #[arg(long = "target", short = 't', value_name = "TARGET", value_delimiter = ',')]
    targets: Vec<String>,

    /// A directory with headers that the header includes; again for more. <linux/types.h> and
    /// <linux/ioctl.h> are built in. Headers under asm/ must be those of the target.
    #[arg(long = "include", short = 'I', value_name = "DIR")]
    include: Vec<PathBuf>,

    /// How to show the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// The same as --format json
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let options =
        HeaderOptions { targets: arguments.targets.clone(), include: arguments.include.clone() };
    let old = Side::Snapshot(snapshot::load(&arguments.snapshot)?);
    let (old, new) = read_both(old, Side::Header(arguments.header.clone()), &options)?;
    let scheme = arguments.version_macros.as_ref();
    let failed = |error: &dyn std::fmt::Display| Error::Request(error.to_string());
    let changes = diff(&old.abi, &new.abi, scheme).map_err(|error| failed(&error))?;
    let versions = scheme.map(|scheme| versions(&old.abi, &new.abi, scheme)).transpose();
    let versions = versions.map_err(|error| failed(&error))?;
    let verdict = check(&changes, versions);
    let targets: BTreeSet<String> = old.abi.targets.keys().cloned().collect();
    let report = Report {
        old: &arguments.snapshot.display().to_string(),
        new: &arguments.header.display().to_string(),
        changes: &changes,
        targets: &targets,
        version: versions.map(|(old, _)| old),
        verdict: Some(&verdict),
    };
    let format = if arguments.json { Format::Json } else { arguments.format };
    print(answer(&report, format, &arguments.header, &new)?)?;
    Ok(verdict.exit)
}
