// SPDX-License-Identifier: Apache-2.0
//! The library crates' public Rust API has lost nothing since the baseline: the
//! newest commit that changed a file of the repository, which a change that
//! breaks the API on purpose edits.

use super::packages::LIBRARIES;
use crate::repository;
use crate::run::{command, output, run};
use std::path::PathBuf;
use std::process::Command;

const TOOL: &str = "cargo-semver-checks";
/// It reads rustdoc's JSON, whose format is of the compiler's version: to be
/// looked at when rust-toolchain.toml changes.
const VERSION: &str = "0.51.0";

const MARKER: &str = ".github/semver-baseline";

pub(super) fn semver() -> Result<(), String> {
    let baseline = baseline()?;
    let tool = tool()?;
    // Called as cargo would call it, which looks for subcommands in the PATH only.
    let mut check = command(&tool.to_string_lossy(), &["semver-checks"]);
    // Nothing but additions, whatever the versions in Cargo.toml.
    check.args(["--release-type", "minor", "--baseline-rev", &baseline]);
    // One that is newer than the baseline has nothing to lose.
    let is_old = |library: &&&str| {
        let manifest = format!("{baseline}:crates/{library}/Cargo.toml");
        output(&mut command("git", &["cat-file", "-t", &manifest])).is_ok()
    };
    for library in LIBRARIES.iter().filter(is_old) {
        check.args(["--package", library]);
    }
    run(&mut check).map_err(|message| {
        format!(
            "{message}\nthe API of {baseline} is kept by default; where it has to break, say why \
             in {MARKER} in the commit that breaks it, which makes that commit the new baseline"
        )
    })
}

/// The commit to compare with.
fn baseline() -> Result<String, String> {
    let git = |words: &[&str]| output(&mut command("git", words));
    let remedy = "the API is compared with an earlier commit, so the whole history is needed: \
                  `git fetch --unshallow`, or `fetch-depth: 0` in a workflow";
    let shallow = git(&["rev-parse", "--is-shallow-repository"])
        .map_err(|message| format!("{message}\n{remedy}"))?;
    if shallow.trim() != "false" {
        return Err(format!("the clone is shallow; {remedy}"));
    }
    if !repository().join(MARKER).exists() {
        return Err(format!("{MARKER} is missing: restore it from an earlier commit"));
    }
    let commit = git(&["log", "-1", "--format=%H", "--", MARKER])?;
    match commit.trim() {
        "" => Err(format!("no commit holds {MARKER} yet: commit it")),
        commit => Ok(commit.to_owned()),
    }
}

/// The one in the PATH if it is of this version, or else one installed for here.
fn tool() -> Result<PathBuf, String> {
    let version = Command::new(TOOL).arg("--version").output();
    if version.is_ok_and(|told| told.stdout.starts_with(format!("{TOOL} {VERSION}\n").as_bytes())) {
        return Ok(PathBuf::from(TOOL));
    }
    let root = repository().join(format!("target/tools/{TOOL}-{VERSION}"));
    let program = root.join("bin").join(TOOL);
    if !program.exists() {
        let mut install = command("cargo", &["install", "--locked", "--root"]);
        install.arg(&root).arg(format!("{TOOL}@{VERSION}"));
        // It is built for few runs: most of the time is its own optimisation.
        install
            .env("CARGO_PROFILE_RELEASE_LTO", "off")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
            .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0");
        run(&mut install)?;
    }
    Ok(program)
}
