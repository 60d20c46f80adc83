// SPDX-License-Identifier: Apache-2.0
//! `spanker doctor`: whether programs get a Sail on this machine, and what to
//! do if not.

mod driver;
mod finding;
mod host;
mod libclang;
mod software;
#[cfg(test)]
mod tests;
mod trial;

use crate::arguments::DoctorArguments;
use crate::exit::Failure;
use crate::report;
use finding::Finding;
use host::Host;
use serde::Serialize;
use spanker::{Error, SailName};
use spanker_sys::ORIGIN;
use std::fmt;

pub(crate) fn run(arguments: &DoctorArguments) -> Result<(), Failure> {
    let (report, outcome) = examine(&Host::this(), ORIGIN, SailName::from_environment);
    report::print(&report, arguments.output.json)?;
    outcome
}

/// Looks at `host`, and tries the Sail that `choose` answers with: what a
/// program would get, or the failure that it would.
fn examine(
    host: &Host,
    origin: &str,
    choose: impl FnOnce() -> Result<SailName, Error>,
) -> (DoctorReport, Result<(), Failure>) {
    let mut findings = Vec::new();
    driver::examine(host, &mut findings);
    libclang::examine(host, origin, &mut findings);
    software::examine(host, &mut findings);
    let (sail, outcome) = match choose() {
        Ok(name) => (Some(name.to_string()), trial::run(&name, &mut findings)),
        Err(error) => {
            let failure = Failure::from(error);
            let found = format!("A program gets no Sail: {failure}.");
            findings.push(Finding::problem("trial", found).remedy(trial::AVOID));
            (None, Err(failure))
        }
    };
    (DoctorReport { works: outcome.is_ok(), sail, findings }, outcome)
}

#[derive(Debug, Serialize)]
struct DoctorReport {
    works: bool,
    sail: Option<String>,
    findings: Vec<Finding>,
}

impl fmt::Display for DoctorReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.findings.iter().try_for_each(|finding| write!(f, "{finding}"))
    }
}
