// SPDX-License-Identifier: Apache-2.0
//! What a command has to say, for people or for programs.

use crate::exit::{Code, Failure};
use anstream::AutoStream;
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints `report` on standard output: as text, or as one JSON object on one
/// line, in which numbers that are not finite are null. Text keeps its colours
/// only on a terminal.
///
/// # Errors
/// If it cannot be written. That the reader has gone is not an error.
pub(crate) fn print<R: Display + Serialize>(report: &R, json: bool) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string(report).map(|line| line + "\n")
    } else {
        Ok(report.to_string())
    };
    text.map_err(io::Error::from).map_or_else(|error| told(Err(error)), |text| print_text(&text))
}

/// Prints `text` on standard output, as `print` does.
///
/// # Errors
/// As `print`.
pub(crate) fn print_text(text: &str) -> Result<(), Failure> {
    let mut stdout = AutoStream::auto(io::stdout().lock());
    told(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

fn told(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Output, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
