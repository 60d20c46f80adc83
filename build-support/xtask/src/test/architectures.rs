// SPDX-License-Identifier: Apache-2.0
//! The same tests on other architectures: compiled for them by an old Rust and
//! run by qemu's emulation of their user mode. One is of 32 bits, one is
//! big-endian, and one has the other encoding of request codes.

mod architecture;
mod build;
mod execution;

use crate::old_rust;
use architecture::{Architecture, ARCHITECTURES};
use build::build;
use std::time::Instant;

/// A source of the mirror, and what is built with it.
struct Way {
    /// What `SPANKER_SYS_BINDGEN` is set to.
    choice: &'static str,
    /// What spanker-sys then says of its mirror.
    origin: &'static str,
    packages: &'static [&'static str],
}

const WAYS: [Way; 2] = [
    Way {
        choice: "require",
        origin: "bindgen",
        packages: &["spanker-sys", "spanker-soft", "spanker-conformance", "spanker"],
    },
    Way {
        choice: "never",
        origin: "committed",
        packages: &["spanker-sys", "spanker-soft", "spanker-conformance", "spanker"],
    },
];

/// Executables in which no test is no mistake. Any other without one is.
const WITHOUT_TESTS: [&str; 3] = [
    "spanker lib spanker",
    "spanker test without_software",
    "spanker-conformance bin spanker-conformance",
];

pub(super) fn architectures() -> Result<(), String> {
    let compiler = old_rust::old(&ARCHITECTURES.map(|architecture| architecture.rust()))?;
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    // One way for all architectures and then the other: what cargo compiles
    // for this machine on the way serves them all.
    for way in &WAYS {
        for architecture in &ARCHITECTURES {
            let begin = Instant::now();
            let name = format!("{}, the mirror from: {}", architecture.name, way.origin);
            println!("--- {name}");
            match tests(&compiler, architecture, way) {
                Ok((tests, executables)) => lines.push(format!(
                    "{name}: {tests} tests in {executables} executables passed in {} s",
                    begin.elapsed().as_secs()
                )),
                Err(message) => {
                    lines.push(format!("{name}: FAILED"));
                    failures.push(format!("{name}: {message}"));
                }
            }
        }
    }
    println!("\n{}", lines.join("\n"));
    if failures.is_empty() {
        Ok(())
    } else {
        Err(failures.join("\n"))
    }
}

/// How many tests passed, in how many executables.
fn tests(
    compiler: &old_rust::Compiler,
    architecture: &Architecture,
    way: &Way,
) -> Result<(usize, usize), String> {
    let executables = build(compiler, architecture, way)?;
    let mut passed = 0;
    let mut failures = Vec::new();
    for executable in &executables {
        architecture.check(&executable.path)?;
        let may_be_empty = WITHOUT_TESTS.contains(&executable.name.as_str());
        match execution::run(architecture, executable) {
            Ok(0) if !may_be_empty => failures.push(format!("{}: no test ran", executable.name)),
            Ok(tests) => passed += tests,
            Err(message) => failures.push(message),
        }
    }
    if failures.is_empty() {
        Ok((passed, executables.len()))
    } else {
        Err(failures.join("\n"))
    }
}
