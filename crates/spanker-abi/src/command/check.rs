// SPDX-License-Identifier: Apache-2.0
//! `spanker-abi check`.

use super::comparison::{Comparison, Options};
use super::side::Side;
use clap::Args;
use spanker_abi::check::check;
use spanker_abi::{snapshot, Error};
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

    #[command(flatten)]
    pub(super) options: Options,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let Arguments { header, snapshot, options } = arguments;
    let old = Side::Snapshot(snapshot::load(snapshot)?);
    let new = match Side::open(header)? {
        Side::Snapshot(_) => {
            let message =
                format!("{}: a header is checked, and this is a snapshot", header.display());
            return Err(Error::Request(message));
        }
        new => new,
    };
    let comparison = Comparison::of(old, new, options)?;
    let verdict = check(&comparison.changes, comparison.versions);
    comparison.report(snapshot, header, Some(&verdict))?;
    Ok(verdict.exit)
}
