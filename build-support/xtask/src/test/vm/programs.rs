// SPDX-License-Identifier: Apache-2.0
//! The programs that run in the guest. They are static, but for those of
//! llama.cpp's.

use super::llama;
use crate::old_rust::{self, Other};
use crate::repository;
use crate::run::{cargo, command, output, run};
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

const NATIVE: &str = "x86_64-unknown-linux-gnu";

/// The 32-bit programs that a 64-bit kernel runs as well.
const SMALL: Other = Other { target: "i686-unknown-linux-gnu", debian: "i386" };

/// A program, or a library, and where it is in the guest, without the first `/`.
pub(super) struct Program {
    pub(super) name: String,
    pub(super) path: PathBuf,
}

pub(super) fn all() -> Result<Vec<Program>, String> {
    let mut programs = Vec::new();
    // What has most of its dependencies in common is built together.
    let own = "build -p spanker-guest -p spanker-conformance -p spanker-cli";
    let printed = output(&mut build(own, NATIVE))?;
    for (name, target) in [
        ("init", "spanker-guest"),
        ("spanker-conformance", "spanker-conformance"),
        ("spanker", "spanker"),
    ] {
        programs.push(Program { name: name.to_owned(), path: executable(&printed, target)? });
    }
    let tests = "test --no-run -p spanker --features soft,tokio --test device";
    let printed = output(&mut build(tests, NATIVE))?;
    let path = executable(&printed, "device")?;
    programs.push(Program { name: "device-tests".to_owned(), path });
    programs.push(small()?);
    programs.push(c()?);
    programs.extend(llama::programs()?);
    Ok(programs)
}

/// Optimised, since the guest's processor is emulated.
fn build(words: &str, target: &str) -> Command {
    let mut build = cargo(&format!(
        "{words} --locked --release --no-default-features --target {target} --target-dir \
         target/vm/cargo --message-format json-render-diagnostics"
    ));
    let settings = format!("CARGO_TARGET_{}", target.replace('-', "_").to_uppercase());
    build
        .env(format!("{settings}_RUSTFLAGS"), "-C target-feature=+crt-static")
        // What is run once and waited for is compiled sooner than optimised whole.
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("SPANKER_SYS_BINDGEN", "never")
        // It would take the place of the settings above.
        .env_remove("RUSTFLAGS");
    build
}

/// Where cargo says that it put the executable of this name.
fn executable(printed: &str, name: &str) -> Result<PathBuf, String> {
    printed
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == name)
        .find_map(|message| Some(PathBuf::from(message["executable"].as_str()?)))
        .ok_or(format!("cargo made no executable {name}"))
}

fn small() -> Result<Program, String> {
    let compiler = old_rust::old(&[SMALL])?;
    let mut build = build("build -p spanker-conformance", SMALL.target);
    build
        .env("RUSTC", &compiler.rustc)
        .env("CARGO_TARGET_I686_UNKNOWN_LINUX_GNU_LINKER", "i686-linux-gnu-gcc");
    let path = executable(&output(&mut build)?, "spanker-conformance")?;
    Ok(Program { name: "spanker-conformance-32".to_owned(), path })
}

/// What the safe API is measured beside.
fn c() -> Result<Program, String> {
    let path = repository().join("target/vm/submit-wait");
    let words = ["-O2", "-static", "-pthread", "-Wall", "-Wextra", "-Werror", "-Iinclude/uapi"];
    run(command("gcc", &words).arg("-o").arg(&path).arg("build-support/guest/src/submit_wait.c"))?;
    Ok(Program { name: "submit-wait".to_owned(), path })
}
