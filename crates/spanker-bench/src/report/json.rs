// SPDX-License-Identifier: Apache-2.0
//! One object a line.

use super::Record;
use crate::Error;
use serde_json::Value;
use std::io::{stdout, Write};

pub(super) fn print(record: &Record) -> Result<(), Error> {
    let mut stdout = stdout().lock();
    serde_json::to_writer(&mut stdout, record)?;
    writeln!(stdout)?;
    Ok(stdout.flush()?)
}

/// What was printed so.
pub(crate) fn parse(line: &str) -> Result<Record, Error> {
    record(line).map_err(|error| {
        // Anything may be in the file.
        let shown: String = line.chars().take(60).collect();
        format!("no record: {error}: {shown}").into()
    })
}

fn record(line: &str) -> Result<Record, Error> {
    let value: Value = serde_json::from_str(line)?;
    for (name, field) in value.as_object().into_iter().flatten() {
        // Axes are drawn up to the largest number, and XML has no such characters.
        if field.as_f64().is_some_and(|number| number.abs() > MOST) {
            return Err(format!("{name} is more than {MOST:e}").into());
        }
        if field.as_str().is_some_and(|text| text.contains(char::is_control)) {
            return Err(format!("{name} has a control character").into());
        }
    }
    Ok(serde_json::from_value(value)?)
}

/// More than anything that is measured.
const MOST: f64 = 1e15;

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::report::tests::product;
    use crate::report::Record;

    #[test]
    fn what_cannot_be_drawn_is_no_record() {
        let line = |kernel: &str, gflops| {
            serde_json::to_string(&Record::Compute(product(kernel, 8, gflops))).unwrap()
        };
        assert!(parse(&line("a peer", 80.0)).is_ok());
        let error = |line: &str| parse(line).unwrap_err().to_string();
        assert!(error(&line("a peer", f64::MAX)).contains("gflops_best is more"));
        assert!(error(&line("a\u{1}peer", 80.0)).contains("kernel has a control character"));
        assert!(error("{}").contains("missing field `what`"));
    }
}
