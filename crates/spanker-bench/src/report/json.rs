// SPDX-License-Identifier: Apache-2.0
//! One object a line.

use super::Record;
use crate::Error;
use std::io::{stdout, Write};

pub(super) fn print(record: &Record) -> Result<(), Error> {
    let mut stdout = stdout().lock();
    serde_json::to_writer(&mut stdout, record)?;
    writeln!(stdout)?;
    Ok(stdout.flush()?)
}

/// What was printed so.
pub(crate) fn parse(line: &str) -> Result<Record, Error> {
    // Anything may be in the file.
    let shown: String = line.chars().take(60).collect();
    Ok(serde_json::from_str(line).map_err(|error| format!("no record: {error}: {shown}"))?)
}
