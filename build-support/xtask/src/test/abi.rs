// SPDX-License-Identifier: Apache-2.0
//! The gate of spanker-abi on this repository's own header, and spanker-abi
//! against others: gcc on the kernel's headers, abidiff on time.

mod action;
mod fields;
mod kernel;
mod releases;
mod times;

use crate::libclang;
use crate::run::{cargo, command, run};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The header, from the repository's root.
const HEADER: &str = "include/uapi/linux/spanker_ioctl.h";

/// What its version macros begin with.
const VERSION: &str = "SPANKER_ABI_VERSION";

pub(super) fn abi() -> Result<(), String> {
    run(&mut cargo("build --release --package spanker-abi"))?;
    releases::check()?;
    fields::check()?;
    action::run()?;
    times::measure()?;
    let headers = kernel::headers()?;
    let mut test = cargo("test --quiet --package spanker-abi --test against_gcc -- --nocapture");
    run(test.env("SPANKER_ABI_KERNEL_HEADERS", headers))
}

/// spanker-abi in its release build.
fn spanker_abi(arguments: &[&str]) -> Command {
    command("target/release/spanker-abi", arguments)
}

/// An empty folder for what this step makes.
fn scratch(name: &str) -> Result<PathBuf, String> {
    let folder = crate::repository().join("target/abi").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    Ok(folder)
}

/// Fails unless the command, built so, says what to do where there is no libclang.
pub(super) fn without_libclang(build: &str) -> Result<(), String> {
    run(&mut libclang::without(&cargo(&format!("build --package spanker-abi {build}"))))?;
    let table = cargo(&format!("run --quiet --package spanker-abi {build} -- table {HEADER}"));
    let ran = libclang::without(&table)
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| format!("unshare does not start: {e}"))?;
    let log = String::from_utf8_lossy(&ran.stderr);
    if ran.status.code() == Some(3) && log.contains("libclang was not found") {
        println!("spanker-abi, without libclang: {}", log.trim());
        return Ok(());
    }
    Err(format!("spanker-abi without libclang: {}, {log}", ran.status))
}
