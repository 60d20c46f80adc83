// SPDX-License-Identifier: Apache-2.0
//! What the tests need of the machine, and how it is installed.

use crate::run::{command, run};
use std::fs;
use std::process::{Command, Stdio};

/// Something that may be missing, and the Debian package it comes in.
struct Need {
    what: &'static str,
    package: &'static str,
    is_here: fn() -> bool,
}

const NEEDS: &[Need] = &[
    Need { what: "gcc", package: "gcc", is_here: || starts("gcc") },
    Need { what: "g++", package: "g++", is_here: || starts("g++") },
    Need { what: "clang", package: "clang", is_here: || starts("clang") },
    Need { what: "libclang", package: "libclang-dev", is_here: || clang_sys::load().is_ok() },
    Need { what: "linux/types.h", package: "linux-libc-dev", is_here: has_kernel_headers },
    Need { what: "python3", package: "python3", is_here: || starts("python3") },
    Need { what: "python3's venv", package: "python3-venv", is_here: has_venv },
    Need { what: "valgrind", package: "valgrind", is_here: || starts("valgrind") },
    Need { what: "npm", package: "npm", is_here: || starts("npm") },
    Need { what: "git", package: "git", is_here: || starts("git") },
    Need { what: "unshare", package: "util-linux", is_here: || starts("unshare") },
];

fn starts(program: &str) -> bool {
    succeeds(Command::new(program).arg("--version"))
}

fn has_kernel_headers() -> bool {
    fs::metadata("/usr/include/linux/types.h").is_ok()
}

fn has_venv() -> bool {
    succeeds(Command::new("python3").args(["-c", "import venv, ensurepip"]))
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// Installs what is missing, or says what to install.
pub(crate) fn prepare() -> Result<(), String> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| !(need.is_here)()).collect();
    if missing.is_empty() {
        println!("everything the tests need is here");
        return Ok(());
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    let what: Vec<&str> = missing.iter().map(|need| need.what).collect();
    println!("missing: {}", what.join(", "));
    if !is_root() {
        return Err(format!(
            "install what is missing: sudo apt-get install {}",
            packages.join(" ")
        ));
    }
    run(&mut command("apt-get", &["update", "--quiet"]))?;
    run(command("apt-get", &["install", "--yes", "--quiet", "--no-install-recommends"])
        .args(&packages)
        .env("DEBIAN_FRONTEND", "noninteractive"))?;
    match missing.iter().find(|need| !(need.is_here)()) {
        None => Ok(()),
        Some(need) => Err(format!("{} is missing even with {} installed", need.what, need.package)),
    }
}
