// SPDX-License-Identifier: Apache-2.0
//! `spanker list`: the Sails there are.

use crate::arguments::ListArguments;
use crate::exit::Failure;
use crate::palette::{styled, HEADING};
use crate::printable::{one_line, paragraph};
use crate::quantity::bytes;
use crate::report;
use crate::table::Table;
use serde::Serialize;
use spanker::{Error, Sail, SailName, SpankerControl, CONTROL_DEVICE_PATH};
use std::fmt;
use std::io;

pub(crate) fn run(arguments: &ListArguments) -> Result<(), Failure> {
    let (driver, cards, failure) = match cards() {
        Ok((abi, cards)) => (Driver::with_abi(abi), cards, None),
        Err(error) => (
            Driver::with_problem(&error),
            Vec::new(),
            // That there is no driver is an answer, and not a failure.
            Some(error).filter(|error| !is_missing(error)),
        ),
    };
    let sails = cards.into_iter().map(SailName::Index);
    let report = ListReport {
        driver,
        sails: sails.chain([SailName::Software]).map(|name| Entry::of(&name)).collect(),
    };
    report::print(&report, arguments.output.json)?;
    failure.map_or(Ok(()), |error| Err(error.into()))
}

/// The ABI of the driver, and the cards it has.
fn cards() -> Result<(String, Vec<u32>), Error> {
    let control = SpankerControl::open()?;
    Ok((control.version().to_string(), control.sails()?))
}

fn is_missing(error: &Error) -> bool {
    matches!(error, Error::Open { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

#[derive(Debug, Serialize)]
struct ListReport {
    driver: Driver,
    sails: Vec<Entry>,
}

#[derive(Debug, Serialize)]
struct Driver {
    node: &'static str,
    abi: Option<String>,
    problem: Option<String>,
}

impl Driver {
    fn with_abi(abi: String) -> Self {
        Self { node: CONTROL_DEVICE_PATH, abi: Some(abi), problem: None }
    }

    fn with_problem(error: &Error) -> Self {
        let problem = if is_missing(error) {
            format!(
                "there is no {CONTROL_DEVICE_PATH}, so there are no cards; to have some, virtual \
                 ones too, install the driver and load it: `modprobe spanker`"
            )
        } else {
            error.to_string()
        };
        Self { node: CONTROL_DEVICE_PATH, abi: None, problem: Some(problem) }
    }
}

#[derive(Debug, Serialize)]
struct Entry {
    sail: String,
    node: Option<String>,
    card: Option<String>,
    #[serde(rename = "virtual")]
    is_virtual: Option<bool>,
    memory_bytes: Option<u64>,
    problem: Option<String>,
}

impl Entry {
    fn of(name: &SailName) -> Self {
        let opened = Sail::open_named(name);
        let info = opened.as_ref().ok().map(Sail::info);
        let node = opened.as_ref().ok().and_then(Sail::path).map(|path| path.display().to_string());
        Self {
            sail: name.to_string(),
            node,
            card: info.map(|info| info.name.clone()),
            is_virtual: info.map(|info| info.is_virtual),
            memory_bytes: info.map(|info| info.memory_bytes),
            problem: opened.as_ref().err().map(ToString::to_string),
        }
    }
}

impl fmt::Display for ListReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::default();
        let [sail, card, memory, node] =
            ["Sail", "card", "memory", "node"].map(|name| styled(HEADING, name));
        table.row([&sail, &card, &memory, &node]);
        for entry in &self.sails {
            let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let memory = entry.memory_bytes.map(bytes);
            let node = match (&entry.problem, &entry.node) {
                (Some(_), _) => "cannot be opened: see below".to_owned(),
                (None, Some(node)) => one_line(node),
                (None, None) => "none: it runs in this process".to_owned(),
            };
            table.row([&entry.sail, &or_dash(&entry.card), &or_dash(&memory), &node]);
        }
        write!(f, "{table}")?;
        let of_sails = self.sails.iter().filter_map(|entry| entry.problem.as_ref());
        for problem in of_sails.chain(&self.driver.problem) {
            writeln!(f, "\n{}", paragraph(problem, "", ""))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sail_with_a_problem_has_its_row_and_the_problem_below() {
        let entry = |sail: &str, node: Option<&str>, problem: Option<&str>| Entry {
            sail: sail.to_owned(),
            node: node.map(str::to_owned),
            card: node.map(|_| "Sail X1".to_owned()),
            is_virtual: node.map(|_| false),
            memory_bytes: node.map(|_| 32 << 30),
            problem: problem.map(str::to_owned),
        };
        let problem = "cannot open /dev/spanker1: Permission denied (add the user to the node's \
                       group, `spanker`, and log in again)";
        let report = ListReport {
            driver: Driver::with_abi("0.2.0".to_owned()),
            sails: vec![entry("0", Some("/dev/spanker0"), None), entry("1", None, Some(problem))],
        };
        let text = anstream::adapter::strip_str(&report.to_string()).to_string();
        let expected = "  Sail  card     memory    node
  0     Sail X1  32.0 GiB  /dev/spanker0
  1     -        -         cannot be opened: see below

cannot open /dev/spanker1: Permission denied (add the user to the node's group,
`spanker`, and log in again)
";
        assert_eq!(text, expected);
    }
}
