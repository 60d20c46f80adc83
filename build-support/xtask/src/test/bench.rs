// SPDX-License-Identifier: Apache-2.0
//! The benchmarks: their own tests, and that they run, with ggml beside. How fast
//! anything is, is no test.

use crate::run::{cargo, output, run};
use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// Without candle, which takes minutes to compile.
const CRATE: &str =
    "--manifest-path crates/spanker-bench/Cargo.toml --locked --no-default-features --release";

pub(super) fn bench() -> Result<(), String> {
    run(&mut bench_cargo("clippy", "--all-targets -- -D warnings"))?;
    run(&mut bench_cargo("test", ""))?;
    let shapes = "--weights 256x256,640x1024 --rows 1,8 --threads 2";
    let peers: &[&str] = if cfg!(target_arch = "x86_64") { &["ggml-repacked"] } else { &[] };
    measures(&format!("compute --quick {shapes}"), "compute", "gflops_best", peers)?;
    measures("submit --quick", "submit", "ops_per_second", &[])
}

/// A command of cargo for the crate. Linked as is quickest: nobody looks at the
/// figures.
fn bench_cargo(command: &str, arguments: &str) -> Command {
    let mut cargo = cargo(&format!("{command} {CRATE} {arguments}"));
    cargo.env("CARGO_PROFILE_RELEASE_LTO", "off");
    cargo
}

/// A command of the program gives figures of Spanker and of these.
fn measures(command: &str, what: &str, figure: &str, peers: &[&str]) -> Result<(), String> {
    let printed = output(&mut bench_cargo("run", &format!("-- {command} --json")))?;
    let mut kernels = BTreeSet::new();
    for line in printed.lines() {
        let record: Value = serde_json::from_str(line).map_err(|e| format!("{e}: {line}"))?;
        let number = record[figure].as_f64().is_some_and(|figure| figure > 0.0);
        if record["what"] == what && number {
            kernels.extend(record["kernel"].as_str().map(str::to_owned));
        }
    }
    println!("{what}: figures of {kernels:?}");
    let ours = kernels.iter().any(|kernel| kernel.starts_with("spanker"));
    if ours && peers.iter().all(|peer| kernels.contains(*peer)) {
        return Ok(());
    }
    Err(format!("`{command}` has no figures of spanker and {peers:?}:\n{printed}"))
}
