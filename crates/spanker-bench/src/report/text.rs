// SPDX-License-Identifier: Apache-2.0
//! Tables of text.

use super::sheet::{missing, sheets, Sheet};
use super::{machine, Record};
use comfy_table::{presets, CellAlignment, Table};
use std::fmt::Write;

/// Where the tables are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Terminal,
    Markdown,
}

pub(super) fn text(records: &[Record], style: Style) -> String {
    let between = if style == Style::Markdown { "\n\n" } else { "\n" };
    let mut text = format!("{}\n", machine(records));
    for sheet in sheets(records) {
        let _ = write!(text, "\n{}{between}{}\n", sheet.title, table(&sheet, style));
    }
    for (peer, reason) in missing(records) {
        let _ = write!(text, "\nMissing: {peer}: {reason}\n");
    }
    text
}

fn table(sheet: &Sheet, style: Style) -> Table {
    let mut table = Table::new();
    table.load_preset(match style {
        Style::Terminal => presets::NOTHING,
        Style::Markdown => presets::ASCII_MARKDOWN,
    });
    table.set_header(&sheet.header).add_rows(&sheet.lines);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{text, Style};
    use crate::report::tests::product;
    use crate::report::Record;

    #[test]
    fn the_text_has_the_machine_the_figures_and_what_is_missing() {
        let records = [
            Record::Compute(product("spanker-avx2", 1, 80.0)),
            Record::Compute(product("ggml-repacked", 1, 40.0)),
            Record::Missing { peer: "ggml".to_owned(), reason: "no npm".to_owned() },
        ];
        let text = text(&records, Style::Terminal);
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "a CPU; load 0.5 at most; others kept 0.00 processors busy at most");
        assert!(
            lines.iter().any(|line| line.contains("80.0 (79.0)") && line.ends_with("2.00 (2.03)")),
            "{text}"
        );
        assert_eq!(lines.last(), Some(&"Missing: ggml: no npm"));
    }

    #[test]
    fn a_table_is_markdown_if_that_is_asked_for() {
        let text = text(&[Record::Compute(product("spanker-avx2", 1, 80.0))], Style::Markdown);
        let lines: Vec<_> = text.lines().map(|line| line.replace(' ', "")).collect();
        assert_eq!(
            lines[4..],
            ["|rows|spanker-avx2|", "|------|--------------|", "|1|80.0(79.0)|"]
        );
    }
}
