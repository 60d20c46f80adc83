// SPDX-License-Identifier: Apache-2.0
//! Tables for a terminal.

use super::{Product, Record};
use comfy_table::{presets, CellAlignment, Table};
use std::fmt::Write;

pub(super) fn text(records: &[Record]) -> String {
    let mut text = String::new();
    let products: Vec<_> = records
        .iter()
        .filter_map(|record| match record {
            Record::Compute(product) => Some(product),
            Record::Missing { .. } => None,
        })
        .collect();
    if let Some(first) = products.first() {
        let load = products.iter().map(|product| product.load).fold(0.0, f64::max);
        let _ = writeln!(text, "{}, load {load:.2} at most; GFLOP/s", first.cpu);
        let _ = writeln!(text, "{}", products_table(&products));
    }
    for record in records {
        if let Record::Missing { peer, reason } = record {
            let _ = writeln!(text, "missing: {peer}: {reason}");
        }
    }
    text
}

fn products_table(products: &[&Product]) -> Table {
    let mut table = table(&[
        "pair",
        "weights",
        "threads",
        "rows",
        "kernel",
        "best",
        "median",
        "over ggml",
        "median",
    ]);
    for product in products {
        let times = |ratio: Option<f64>| ratio.map_or(String::new(), |r| format!("{r:.2}×"));
        let kernel = match &product.variant {
            Some(variant) => format!("{} ({variant})", product.kernel),
            None => product.kernel.clone(),
        };
        table.add_row([
            product.pair.clone(),
            product.weights.clone(),
            product.threads.to_string(),
            product.rows.to_string(),
            kernel,
            format!("{:.1}", product.gflops_best),
            format!("{:.1}", product.gflops_median),
            times(product.over_ggml_best),
            times(product.over_ggml_median),
        ]);
    }
    for column in [2, 3, 5, 6, 7, 8] {
        table.column_mut(column).map(|column| column.set_cell_alignment(CellAlignment::Right));
    }
    table
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY).set_header(header);
    table
}
