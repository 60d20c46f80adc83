// SPDX-License-Identifier: Apache-2.0
//! What a command has to say, for people or for programs.

use crate::exit::{Code, Failure};
use serde::Serialize;
use std::fmt::{self, Display};
use std::io::{self, ErrorKind, Write};

/// Prints `report` on standard output: as text, or as one JSON object on one
/// line, in which numbers that are not finite are null.
///
/// # Errors
/// If it cannot be written. That the reader has gone is not an error.
pub(crate) fn print<R: Display + Serialize>(report: &R, json: bool) -> Result<(), Failure> {
    let text = if json {
        serde_json::to_string(report).map(|line| line + "\n")
    } else {
        Ok(report.to_string())
    };
    let written = text.map_err(io::Error::from).and_then(|text| {
        let mut stdout = io::stdout().lock();
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    });
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failure::new(Code::Output, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Rows of cells, shown below each other with aligned columns.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// Adds a row.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&dyn Display; N]) -> &mut Self {
        self.rows.push(cells.iter().map(ToString::to_string).collect());
        self
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut widths: Vec<usize> = Vec::new();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        for row in &self.rows {
            let cells = row.iter().zip(&widths);
            let line: String = cells.map(|(cell, width)| format!("  {cell:<width$}")).collect();
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_characters_and_lines_end_with_text() {
        let mut table = Table::default();
        table.row([&"x", &"32×4096", &"F32"]).row([&"weights", &"1", &""]);
        assert_eq!(table.to_string(), "  x        32×4096  F32\n  weights  1\n");
    }
}
