// SPDX-License-Identifier: Apache-2.0
//! The same tests on other architectures: compiled for them by an old Rust and
//! run by qemu's emulation of their user mode. One is of 32 bits, one is
//! big-endian, and one has the other encoding of request codes.

mod architecture;
mod build;
mod execution;

use crate::old_rust;
use architecture::{Architecture, ARCHITECTURES};
use build::{build, Executable};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

/// A source of the mirror, and what is built with it.
struct Way {
    /// What `SPANKER_SYS_BINDGEN` is set to.
    choice: &'static str,
    /// What spanker-sys then says of its mirror.
    origin: &'static str,
    /// Words for cargo.
    features: &'static str,
    packages: &'static [&'static str],
}

/// With the one mirror everything is tested, and that it is the other mirror.
const WAYS: [Way; 2] = [
    Way {
        choice: "require",
        origin: "bindgen",
        features: "",
        packages: &[
            "spanker-sys",
            "spanker-layout-tests",
            "spanker-kernels",
            "spanker-soft",
            "spanker-conformance",
            "spanker-driver-arithmetic",
            "spanker",
            "ggml-spanker",
        ],
    },
    Way {
        choice: "never",
        origin: "committed",
        features: "--no-default-features",
        packages: &["spanker-sys", "spanker-layout-tests"],
    },
];

/// Executables in which no test is no mistake. Any other without one is.
const WITHOUT_TESTS: [&str; 6] = [
    // On machines of 32 bits and big-endian ones there is no C face.
    "ggml-spanker lib ggml_spanker",
    "spanker lib spanker",
    "spanker test without_software",
    "spanker-conformance bin spanker-conformance",
    "spanker-driver-arithmetic lib spanker_driver_arithmetic",
    "spanker-layout-tests lib spanker_layout_tests",
];

/// What runs longest begins first.
const LONGEST: [&str; 3] =
    ["spanker-soft test allocations", "spanker test allocations", "spanker-conformance test soft"];

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
    let mut executables = build(compiler, architecture, way)?;
    executables.sort_by_key(|executable| {
        let place = LONGEST.iter().position(|name| *name == executable.name);
        (place.unwrap_or(LONGEST.len()), executable.name.clone())
    });
    let run = |executable: &Executable| {
        architecture.check(&executable.path)?;
        let tests = execution::run(architecture, executable)?;
        if tests == 0 && !WITHOUT_TESTS.contains(&executable.name.as_str()) {
            return Err(format!("{}: no test ran", executable.name));
        }
        Ok(tests)
    };
    let results = side_by_side(&executables, run);
    let failures: Vec<&str> =
        results.iter().filter_map(|result| Some(result.as_ref().err()?.as_str())).collect();
    if failures.is_empty() {
        Ok((results.iter().flatten().sum(), results.len()))
    } else {
        Err(failures.join("\n"))
    }
}

/// The results for all, two at a time: most tests keep one processor busy.
fn side_by_side<T: Sync, R: Send>(all: &[T], run: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(one) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = run(one);
                    results.lock().unwrap_or_else(PoisonError::into_inner).push(result);
                }
            });
        }
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}
