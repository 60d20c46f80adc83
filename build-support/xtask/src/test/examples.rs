// SPDX-License-Identifier: Apache-2.0
//! The examples, run as they say.

use crate::repository;
use crate::run::{cargo, run};
use std::fs;

pub(super) fn examples() -> Result<(), String> {
    let folder = repository().join("crates/spanker/examples");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter_map(|name| name.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    if names.is_empty() {
        return Err(format!("there are no examples in {}", folder.display()));
    }
    for name in &names {
        let words =
            format!("run --quiet --package spanker --features record,tokio --example {name}");
        run(cargo(&words).env("SPANKER_SAIL", "soft"))?;
    }
    println!("{} examples ran", names.len());
    c_program()
}

/// C compiled against the header that spanker-sys hands on.
fn c_program() -> Result<(), String> {
    let target = repository().join("target");
    let mut program = cargo("run --quiet --manifest-path examples/c-program/Cargo.toml");
    run(program.arg("--target-dir").arg(target))
}
