// SPDX-License-Identifier: Apache-2.0
//! Records as tables, however these are shown.

use super::{Bound, ColdBuild, Evaluation, Product, Record, Submission};
use std::collections::BTreeSet;

/// A table. Names are in its first column, numbers in the others.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) title: String,
    pub(super) header: Vec<String>,
    pub(super) lines: Vec<Vec<String>>,
}

impl Sheet {
    fn new(title: &str, header: &[&str]) -> Self {
        let header = header.iter().map(|&name| name.to_owned()).collect();
        Self { title: title.to_owned(), header, lines: Vec::new() }
    }
}

/// All of them that have lines.
pub(super) fn sheets(records: &[Record]) -> Vec<Sheet> {
    let mut sheets = vec![evaluations(records)];
    sheets.extend(groups(records).iter().map(Group::sheet));
    sheets.extend([bounds(records), submissions(records), builds(records)]);
    sheets.retain(|sheet| !sheet.lines.is_empty());
    sheets
}

/// What is missing and why, each once.
pub(super) fn missing(records: &[Record]) -> BTreeSet<(&str, &str)> {
    let missing = records.iter().filter_map(|record| match record {
        Record::Missing { peer, reason } => Some((peer.as_str(), reason.as_str())),
        _ => None,
    });
    missing.collect()
}

/// Products that differ only in their rows and in who computed them.
#[derive(Debug)]
pub(super) struct Group<'a> {
    /// Whether the weights were in no cache.
    pub(super) cold: bool,
    pub(super) products: Vec<&'a Product>,
}

/// In the order of their first products; of several runs of the same, the best is taken.
pub(super) fn groups(records: &[Record]) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for record in records {
        let (cold, product) = match record {
            Record::Compute(product) => (false, product),
            Record::Cold(product) => (true, product),
            _ => continue,
        };
        let same = |group: &&mut Group<'_>| {
            let first = group.products[0];
            (group.cold, &first.pair, &first.weights, first.threads)
                == (cold, &product.pair, &product.weights, product.threads)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.add(product),
            None => groups.push(Group { cold, products: vec![product] }),
        }
    }
    for group in &mut groups {
        group.products.sort_by_key(|product| product.rows);
    }
    groups
}

impl<'a> Group<'a> {
    fn add(&mut self, product: &'a Product) {
        let same =
            |other: &&mut &Product| (other.rows, other.name()) == (product.rows, product.name());
        match self.products.iter_mut().find(same) {
            Some(other) if other.gflops_best < product.gflops_best => *other = product,
            Some(_) => {}
            None => self.products.push(product),
        }
    }

    /// Whether the other's products are of the same pair, weights and threads.
    pub(super) fn is_of_what(&self, other: &Group<'_>) -> bool {
        let what = |group: &Group<'_>| {
            let Product { pair, weights, threads, .. } = group.products[0];
            (pair.clone(), weights.clone(), *threads)
        };
        what(self) == what(other)
    }

    pub(super) fn title(&self) -> String {
        let Product { pair, weights, threads, .. } = self.products[0];
        let cold = if self.cold { " that are in no cache" } else { "" };
        let plural = if *threads == 1 { "" } else { "s" };
        format!("{pair}, weights {weights}{cold}, {threads} thread{plural}")
    }

    /// The contestants in the order of their first products.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for product in &self.products {
            let name = product.name();
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// A line for each number of rows, a column for each contestant.
    fn sheet(&self) -> Sheet {
        let title = format!("{}: GFLOP/s, best (median)", self.title());
        let names = self.names();
        let mut header = vec!["rows"];
        header.extend(names.iter().map(String::as_str));
        header.push(if self.cold { "of the bound" } else { "over ggml" });
        let mut sheet = Sheet::new(&title, &header);
        let mut rows: Vec<usize> = self.products.iter().map(|product| product.rows).collect();
        rows.dedup();
        for rows in rows {
            let products = || self.products.iter().filter(|product| product.rows == rows);
            let mut line = vec![rows.to_string()];
            for name in &names {
                let product = products().find(|product| product.name() == *name);
                line.push(product.map_or(String::new(), |product| {
                    format!("{:.1} ({:.1})", product.gflops_best, product.gflops_median)
                }));
            }
            // Of the first contestant, which is ours.
            let ours = products().next();
            let ggml = products().find(|product| product.kernel == "ggml-repacked");
            line.push(match (ours, ours.and_then(|ours| ours.of_bound), ggml) {
                (_, Some(share), _) => format!("{:.0} %", share * 100.0),
                (Some(ours), None, Some(ggml)) => {
                    let best = ours.gflops_best / ggml.gflops_best;
                    let median = ours.gflops_median / ggml.gflops_median;
                    format!("{best:.2} ({median:.2})")
                }
                _ => String::new(),
            });
            sheet.lines.push(line);
        }
        // Without ggml there is nothing in the last column.
        if sheet.lines.iter().all(|line| line.last().is_some_and(String::is_empty)) {
            sheet.header.pop();
            sheet.lines.iter_mut().for_each(|line| drop(line.pop()));
        }
        sheet
    }
}

/// The best that was measured of each.
pub(super) fn best_bounds(records: &[Record]) -> Vec<&Bound> {
    let mut best: Vec<&Bound> = Vec::new();
    for record in records {
        let Record::Bound(bound) = record else { continue };
        let same =
            |other: &&mut &Bound| (&other.kernel, other.threads) == (&bound.kernel, bound.threads);
        match best.iter_mut().find(same) {
            Some(other) if other.gflops_best < bound.gflops_best => *other = bound,
            Some(_) => {}
            None => best.push(bound),
        }
    }
    best
}

fn bounds(records: &[Record]) -> Sheet {
    let header = ["bound", "threads", "GFLOP/s", "GB/s"];
    let mut sheet = Sheet::new("Bounds", &header);
    for Bound { kernel, threads, gflops_best, gigabytes_per_second, .. } in best_bounds(records) {
        sheet.lines.push(vec![
            kernel.clone(),
            threads.to_string(),
            format!("{gflops_best:.1}"),
            gigabytes_per_second.map_or(String::new(), |speed| format!("{speed:.1}")),
        ]);
    }
    sheet
}

fn submissions(records: &[Record]) -> Sheet {
    let title = "1x256 by 8x256, from submission to completion";
    let header = ["kernel", "ops", "opens", "p50 µs", "p99 µs", "million ops/s"];
    let mut sheet = Sheet::new(title, &header);
    for record in records {
        let Record::Submit(Submission {
            kernel, ops, opens, p50_ns, p99_ns, ops_per_second, ..
        }) = record
        else {
            continue;
        };
        sheet.lines.push(vec![
            kernel.clone(),
            ops.to_string(),
            opens.to_string(),
            format!("{:.2}", p50_ns * 1e-3),
            format!("{:.2}", p99_ns * 1e-3),
            format!("{:.3}", ops_per_second * 1e-6),
        ]);
    }
    sheet
}

/// A line for each work and number of threads, a column for each contestant; of several runs of
/// the same, the best is taken.
fn evaluations(records: &[Record]) -> Sheet {
    let title = "Gemma-3-270M Q4_K_M in llama.cpp: tokens per second, best (median)";
    let mut names: Vec<&str> = Vec::new();
    let mut lines: Vec<(usize, &str, Vec<&Evaluation>)> = Vec::new();
    for record in records {
        let Record::Llama(evaluation) = record else { continue };
        let Evaluation { kernel, work, threads, .. } = evaluation;
        if !names.contains(&kernel.as_str()) {
            names.push(kernel);
        }
        let Some((.., line)) = lines.iter_mut().find(|line| (line.0, line.1) == (*threads, work))
        else {
            lines.push((*threads, work, vec![evaluation]));
            continue;
        };
        let speed = |evaluation: &Evaluation| evaluation.tokens_per_second_best;
        match line.iter_mut().find(|other| other.kernel == *kernel) {
            Some(other) if speed(other) < speed(evaluation) => *other = evaluation,
            Some(_) => {}
            None => line.push(evaluation),
        }
    }
    let header: Vec<&str> =
        ["work", "threads"].into_iter().chain(names.iter().copied()).chain(["over ggml"]).collect();
    let mut sheet = Sheet::new(title, &header);
    for (threads, work, evaluations) in lines {
        let of = |name: &str| evaluations.iter().find(|evaluation| evaluation.kernel == name);
        let best = |one: &Evaluation| one.tokens_per_second_best;
        let median = |one: &Evaluation| one.tokens_per_second_median;
        let mut line = vec![work.to_owned(), threads.to_string()];
        for name in &names {
            let cell = of(name).map(|one| format!("{:.1} ({:.1})", best(one), median(one)));
            line.push(cell.unwrap_or_default());
        }
        // Of the first contestant, which is ours.
        let ratio = of(names[0]).zip(of("ggml-repacked")).map(|(ours, ggml)| {
            format!("{:.2} ({:.2})", best(ours) / best(ggml), median(ours) / median(ggml))
        });
        line.push(ratio.unwrap_or_default());
        sheet.lines.push(line);
    }
    sheet
}

fn builds(records: &[Record]) -> Sheet {
    let title = "Building an empty crate with one dependency, nothing built before";
    let mut sheet =
        Sheet::new(title, &["dependency", "version", "crates", "seconds, best", "median"]);
    for record in records {
        let Record::Build(ColdBuild {
            kernel,
            mode,
            version,
            crates,
            seconds_best,
            seconds_median,
            ..
        }) = record
        else {
            continue;
        };
        sheet.lines.push(vec![
            if mode.is_empty() { kernel.clone() } else { format!("{kernel}, {mode}") },
            version.clone(),
            crates.to_string(),
            format!("{seconds_best:.1}"),
            format!("{seconds_median:.1}"),
        ]);
    }
    sheet
}

#[cfg(test)]
mod tests {
    use super::{missing, sheets};
    use crate::report::tests::{evaluation, product};
    use crate::report::{Bound, Product, Record};

    #[test]
    fn a_model_has_a_line_a_work_and_number_of_threads() {
        let records = [
            evaluation("spanker-sail", "prefill of 512", 1, 300.0),
            evaluation("ggml-repacked", "prefill of 512", 1, 250.0),
            evaluation("spanker-sail", "prefill of 512", 2, 600.0),
            evaluation("spanker-sail", "prefill of 512", 1, 350.0),
            evaluation("spanker-sail", "decode of 64", 1, 40.0),
        ];
        let sheets = sheets(&records);
        assert_eq!(sheets.len(), 1);
        let header = ["work", "threads", "spanker-sail", "ggml-repacked", "over ggml"];
        assert_eq!(sheets[0].header, header);
        assert_eq!(
            sheets[0].lines,
            [
                ["prefill of 512", "1", "350.0 (349.0)", "250.0 (249.0)", "1.40 (1.40)"],
                ["prefill of 512", "2", "600.0 (599.0)", "", ""],
                ["decode of 64", "1", "40.0 (39.0)", "", ""],
            ]
        );
    }

    #[test]
    fn a_sheet_has_a_line_a_number_of_rows_and_a_column_a_contestant() {
        let records = [
            Record::Compute(product("spanker-avx2", 1, 80.0)),
            Record::Compute(product("ggml-repacked", 1, 40.0)),
            Record::Compute(product("spanker-avx2", 8, 200.0)),
            Record::Compute(product("spanker-avx2", 8, 150.0)),
            Record::Cold(Product { of_bound: Some(0.25), ..product("spanker-avx2", 1, 30.0) }),
        ];
        let sheets = sheets(&records);
        assert_eq!(sheets.len(), 2);
        assert_eq!(sheets[0].header, ["rows", "spanker-avx2", "ggml-repacked", "over ggml"]);
        assert_eq!(sheets[0].lines[0], ["1", "80.0 (79.0)", "40.0 (39.0)", "2.00 (2.03)"]);
        assert_eq!(sheets[0].lines[1], ["8", "200.0 (199.0)", "", ""]);
        assert_eq!(sheets[1].header, ["rows", "spanker-avx2", "of the bound"]);
        assert_eq!(sheets[1].lines, [["1", "30.0 (29.0)", "25 %"]]);
    }

    #[test]
    fn a_bound_is_the_best_that_was_measured_with_so_many_threads() {
        let records = [(1, 50.0), (1, 70.0), (1, 60.0), (2, 65.0)].map(|(threads, gflops_best)| {
            Record::Bound(Bound {
                kernel: "memory".to_owned(),
                threads,
                gflops_best,
                gigabytes_per_second: None,
                machine: product("", 1, 1.0).machine,
            })
        });
        let sheets = sheets(&records);
        assert_eq!(sheets[0].lines, [["memory", "1", "70.0", ""], ["memory", "2", "65.0", ""]]);
    }

    #[test]
    fn a_column_that_would_be_empty_is_not_there() {
        let sheets = sheets(&[Record::Compute(product("spanker-avx2", 1, 80.0))]);
        assert_eq!(sheets[0].header, ["rows", "spanker-avx2"]);
        assert_eq!(sheets[0].lines, [["1", "80.0 (79.0)"]]);
    }

    #[test]
    fn what_is_missing_is_told_once() {
        let record = Record::Missing { peer: "ggml".to_owned(), reason: "no npm".to_owned() };
        let records = [record.clone(), record];
        let missing: Vec<_> = missing(&records).into_iter().collect();
        assert_eq!(missing, [("ggml", "no npm")]);
    }
}
