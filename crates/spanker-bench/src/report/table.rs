// SPDX-License-Identifier: Apache-2.0
//! Tables for a terminal.

use super::{Bound, Product, Record};
use comfy_table::{presets, CellAlignment, Table};
use std::collections::BTreeSet;
use std::fmt::Write;

pub(super) fn text(records: &[Record]) -> String {
    let mut text = String::new();
    let (mut cpu, mut load) = ("", 0.0);
    for record in records {
        if let Record::Compute(Product { cpu: at, load: now, .. })
        | Record::Cold(Product { cpu: at, load: now, .. })
        | Record::Bound(Bound { cpu: at, load: now, .. }) = record
        {
            (cpu, load) = (at, f64::max(load, now.unwrap_or(0.0)));
        }
    }
    let _ = writeln!(text, "{cpu}; load {load:.2} at most");
    for group in groups(records) {
        let _ = write!(text, "\n{}\n{}\n", group.title(), group.table());
    }
    let bounds: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Bound(bound) => Some(bound),
            _ => None,
        })
        .collect();
    if !bounds.is_empty() {
        let _ = write!(text, "\nWhat no product exceeds\n{}\n", bounds_table(&bounds));
    }
    // Each number of threads may have missed the same.
    let missing: BTreeSet<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Missing { peer, reason } => Some((peer, reason)),
            _ => None,
        })
        .collect();
    for (peer, reason) in missing {
        let _ = writeln!(text, "\nMissing: {peer}: {reason}");
    }
    text
}

/// Products that differ only in their rows and in who computed them.
#[derive(Debug)]
pub(super) struct Group<'a> {
    cold: bool,
    products: Vec<&'a Product>,
}

/// In the order of their first products.
pub(super) fn groups(records: &[Record]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for record in records {
        let (cold, product) = match record {
            Record::Compute(product) => (false, product),
            Record::Cold(product) => (true, product),
            _ => continue,
        };
        let key = |p: &Product| (p.pair.clone(), p.weights.clone(), p.threads);
        let same =
            |group: &&mut Group<'_>| group.cold == cold && key(group.products[0]) == key(product);
        match groups.iter_mut().find(same) {
            Some(group) => group.products.push(product),
            None => groups.push(Group { cold, products: vec![product] }),
        }
    }
    groups
}

impl Group<'_> {
    fn title(&self) -> String {
        let Product { pair, weights, threads, .. } = self.products[0];
        let cold = if self.cold { ", weights in no cache" } else { "" };
        format!(
            "{pair}, weights {weights}, {threads} thread{}{cold}: GFLOP/s, best (median)",
            if *threads == 1 { "" } else { "s" }
        )
    }

    /// A line for each number of rows, a column for each contestant.
    fn table(&self) -> Table {
        let mut rows: Vec<usize> = self.products.iter().map(|product| product.rows).collect();
        rows.dedup();
        let mut kernels: Vec<String> = Vec::new();
        for product in &self.products {
            let name = name(product);
            if !kernels.contains(&name) {
                kernels.push(name);
            }
        }
        let mut header = vec!["rows".to_owned()];
        header.extend(kernels.clone());
        header.push(if self.cold { "of the bound" } else { "over ggml" }.to_owned());
        let mut table = new_table(&header);
        for rows in rows {
            let mut line = vec![rows.to_string()];
            let products = || self.products.iter().filter(|product| product.rows == rows);
            for kernel in &kernels {
                let product = products().find(|product| name(product) == *kernel);
                line.push(product.map_or(String::new(), |product| {
                    format!("{:.1} ({:.1})", product.gflops_best, product.gflops_median)
                }));
            }
            // Of the first contestant, which is ours.
            line.push(products().next().map_or(String::new(), |product| {
                match (product.of_bound, product.over_ggml_best, product.over_ggml_median) {
                    (Some(share), ..) => format!("{:.0} %", share * 100.0),
                    (None, Some(best), Some(median)) => format!("{best:.2} ({median:.2})"),
                    _ => String::new(),
                }
            }));
            table.add_row(line);
        }
        table
    }
}

fn name(product: &Product) -> String {
    match &product.variant {
        Some(variant) => format!("{} {variant}", product.kernel),
        None => product.kernel.clone(),
    }
}

fn bounds_table(bounds: &[&Bound]) -> Table {
    let mut table = new_table(&["bound", "threads", "GFLOP/s", "GB/s"].map(str::to_owned));
    for bound in bounds {
        table.add_row([
            bound.kernel.clone(),
            bound.threads.to_string(),
            format!("{:.1}", bound.gflops_best),
            bound.gigabytes_per_second.map_or(String::new(), |speed| format!("{speed:.1}")),
        ]);
    }
    table
}

/// Numbers are in all columns but the first.
fn new_table(header: &[String]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_header(header);
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::text;
    use crate::report::tests::product;
    use crate::report::Record;

    #[test]
    fn a_table_has_a_line_a_row_count_and_a_column_a_contestant() {
        let records = [
            Record::Compute(product("spanker-avx2", 1, 80.0)),
            Record::Compute(product("ggml-repacked", 1, 40.0)),
            Record::Compute(product("spanker-avx2", 8, 200.0)),
            Record::Missing { peer: "ggml".to_owned(), reason: "no npm".to_owned() },
        ];
        let text = text(&records);
        let lines: Vec<_> = text.lines().map(str::trim_end).collect();
        assert_eq!(lines[0], "a CPU; load 0.50 at most");
        let header = lines.iter().position(|line| line.contains("over ggml")).unwrap();
        assert!(lines[header].contains("spanker-avx2"), "{text}");
        assert!(lines[header + 1].contains("80.0 (79.0)"), "{text}");
        assert!(lines[header + 1].contains("40.0 (39.0)"), "{text}");
        assert!(lines[header + 2].contains("200.0 (199.0)"), "{text}");
        assert!(lines.contains(&"Missing: ggml: no npm"), "{text}");
    }
}
