// SPDX-License-Identifier: Apache-2.0
//! `spanker-abi diff`.

use super::comparison::{Comparison, Options};
use super::side::Side;
use clap::Args;
use spanker_abi::diff::Class;
use spanker_abi::Error;
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
    pub(super) options: Options,
}

pub(super) fn run(arguments: &Arguments) -> Result<u8, Error> {
    let Arguments { old, new, options } = arguments;
    let comparison = Comparison::of(Side::open(old)?, Side::open(new)?, options)?;
    comparison.report(old, new, None)?;
    Ok(match Class::of(&comparison.changes) {
        Class::Neutral => 0,
        Class::Breaking => 1,
        Class::Additive => 2,
    })
}
