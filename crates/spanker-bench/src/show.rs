// SPDX-License-Identifier: Apache-2.0
//! What earlier runs have measured, as tables or as one page.

use crate::report::{parse, Format, Report};
use crate::Error;
use clap::Args;
use std::fs;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) format: Format,
    /// What runs with --json have printed.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// # Errors
/// If a file cannot be read, or a line of it is no record.
pub(crate) fn run(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    for path in &arguments.files {
        let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = fs::read_to_string(path).map_err(|error| named(&error))?;
        for (index, line) in text.lines().enumerate() {
            let record =
                parse(line).map_err(|error| named(&format!("line {}: {error}", index + 1)));
            report.add(record?)?;
        }
    }
    Ok(())
}
