// SPDX-License-Identifier: Apache-2.0
//! The oldest Rust that can be had where this is run: rustup's, or Debian's,
//! which is unpacked and not installed. It compiles for other architectures
//! too.

use crate::debian::Archive;
use crate::repository;
use crate::run::{command, output};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version. Debian carries it for the browsers it builds.
const VERSION: &str = "1.85.0";

/// What the versions of its packages begin with. apt itself would choose a
/// newer one, which is there for this machine's architecture only.
const DEBIAN_VERSION: &str = "1.85.";

/// An architecture to compile for, as rustc and as Debian call it.
#[derive(Clone, Copy)]
pub(crate) struct Other {
    pub(crate) target: &'static str,
    pub(crate) debian: &'static str,
}

pub(crate) struct Compiler {
    pub(crate) rustc: PathBuf,
    pub(crate) rustdoc: PathBuf,
}

/// That Rust, with the standard library of these architectures besides this
/// machine's, unpacked unless it is there already.
pub(crate) fn old(others: &[Other]) -> Result<Compiler, String> {
    let compiler = match of_rustup() {
        Some(rustc) => {
            expect_targets(&rustc, others)?;
            Compiler { rustdoc: rustc.with_file_name("rustdoc"), rustc }
        }
        None => of_debian(others).map_err(|message| {
            format!(
                "{message}\nRust {VERSION} is taken from rustup where it is installed (`rustup \
                 toolchain install {VERSION} --profile minimal`), and otherwise from Debian 12"
            )
        })?,
    };
    let version = output(&mut command(&compiler.rustc.to_string_lossy(), &["--version"]))?;
    print!("{version}");
    if version.starts_with(&format!("rustc {VERSION} ")) {
        Ok(compiler)
    } else {
        Err(format!("{} is not Rust {VERSION}", compiler.rustc.display()))
    }
}

fn of_rustup() -> Option<PathBuf> {
    let which = Command::new("rustup")
        .args(["which", "--toolchain", VERSION, "rustc"])
        .env("RUSTUP_AUTO_INSTALL", "0")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let path = String::from_utf8(which.stdout).ok()?;
    which.status.success().then(|| PathBuf::from(path.trim()))
}

/// Fails, with the line that helps, unless this Rust of rustup has these
/// standard libraries.
fn expect_targets(rustc: &Path, others: &[Other]) -> Result<(), String> {
    let sysroot = rustc.ancestors().nth(2).unwrap_or(rustc);
    let is_here = |other: &&Other| sysroot.join("lib/rustlib").join(other.target).exists();
    if others.iter().all(|other| is_here(&other)) {
        return Ok(());
    }
    let targets: Vec<&str> = others.iter().map(|other| other.target).collect();
    Err(format!(
        "rustup's Rust {VERSION} cannot compile for other architectures: rustup target add \
         --toolchain {VERSION} {}",
        targets.join(" ")
    ))
}

fn of_debian(others: &[Other]) -> Result<Compiler, String> {
    let folder = repository().join("target/old-rust");
    let architectures: Vec<&str> = others.iter().map(|other| other.debian).collect();
    let archive = Archive::new(&folder.join("apt"), &architectures)?;
    let root = folder.join("root");
    // The compiler proper, its driver, LLVM, and the standard library.
    archive.unpack("rustc-web", DEBIAN_VERSION, &root)?;
    archive.unpack("libstd-rust-web-1.85", DEBIAN_VERSION, &root)?;
    archive.unpack("libllvm19", "1:19.", &root)?;
    archive.unpack("libstd-rust-web-dev", DEBIAN_VERSION, &root)?;
    for architecture in architectures {
        archive.unpack(&format!("libstd-rust-web-dev:{architecture}"), DEBIAN_VERSION, &root)?;
    }
    let [rustc, rustdoc] = ["rustc", "rustdoc"].map(|program| folder.join(program));
    for program in [&rustc, &rustdoc] {
        wrap(&root, program)?;
    }
    Ok(Compiler { rustc, rustdoc })
}

/// A script that runs a program of the unpacked Rust with its own libraries.
fn wrap(root: &Path, script: &Path) -> Result<(), String> {
    let name = script.file_name().unwrap_or_default().to_string_lossy();
    let usr = root.join("usr");
    let usr = usr.display();
    let text = format!(
        "#!/bin/sh\nLD_LIBRARY_PATH='{usr}/lib/{}-linux-gnu' exec '{usr}/bin/{name}' \
         --sysroot '{usr}' \"$@\"\n",
        std::env::consts::ARCH
    );
    // Cargo compiles anew what a newer compiler is there for.
    if fs::read_to_string(script).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(script, text)
        .and_then(|()| fs::set_permissions(script, fs::Permissions::from_mode(0o755)))
        .map_err(|e| format!("{}: {e}", script.display()))
}
