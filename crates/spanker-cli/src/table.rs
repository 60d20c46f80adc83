// SPDX-License-Identifier: Apache-2.0
//! Rows of cells, shown below each other with aligned columns.

use std::fmt::{self, Display};
use tabled::builder::Builder;
use tabled::settings::{Padding, Style};

/// A table without lines around its cells, so that what reads words or columns
/// can read it. Cells are never wrapped or cut.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: Builder,
}

impl Table {
    /// Adds a row. Each cell is one line.
    pub(crate) fn row<const N: usize>(&mut self, cells: [&dyn Display; N]) -> &mut Self {
        self.rows.push_record(cells.map(ToString::to_string));
        self
    }
}

impl Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = self.rows.clone().build();
        table.with(Style::empty()).with(Padding::new(2, 0, 0, 0));
        for line in table.to_string().lines() {
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::palette::{styled, BAD};

    #[test]
    fn columns_are_aligned_by_characters_and_lines_end_with_text() {
        let mut table = Table::default();
        table.row([&"x", &"32×4096", &"F32"]).row([&"weights", &"1", &""]);
        assert_eq!(table.to_string(), "  x        32×4096  F32\n  weights  1\n");
    }

    #[test]
    fn colours_take_no_room() {
        let mut table = Table::default();
        table.row([&styled(BAD, "no"), &"a"]).row([&"yes", &"b"]);
        let text = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(text, "  no   a\n  yes  b\n");
    }
}
