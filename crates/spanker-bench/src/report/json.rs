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

pub(crate) fn parse(line: &str) -> Result<Record, Error> {
    Ok(serde_json::from_str(line).map_err(|error| format!("{line}: {error}"))?)
}

#[cfg(test)]
mod tests {
    use crate::report::{Product, Record};

    #[test]
    fn a_line_has_the_documented_fields() {
        let product = Product {
            kernel: "spanker-avx2".to_owned(),
            variant: None,
            pair: "F32xQ4_K".to_owned(),
            weights: "4096x14336".to_owned(),
            rows: 8,
            threads: 2,
            gflops_best: 400.5,
            gflops_median: 390.25,
            over_ggml_best: Some(2.5),
            over_ggml_median: None,
            runs: 10,
            cpu: "a CPU".to_owned(),
            load: 0.5,
        };
        let line = serde_json::to_string(&Record::Compute(product)).unwrap();
        assert_eq!(
            line,
            r#"{"what":"compute","kernel":"spanker-avx2","variant":null,"pair":"F32xQ4_K","weights":"4096x14336","rows":8,"threads":2,"gflops_best":400.5,"gflops_median":390.25,"over_ggml_best":2.5,"over_ggml_median":null,"runs":10,"cpu":"a CPU","load":0.5}"#
        );
        assert!(matches!(super::parse(&line), Ok(Record::Compute(Product { rows: 8, .. }))));
        assert!(super::parse("{}").is_err());
    }
}
