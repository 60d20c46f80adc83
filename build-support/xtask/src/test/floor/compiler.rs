// SPDX-License-Identifier: Apache-2.0
//! The oldest Rust that can be had where this is run: rustup's, or Debian's,
//! which is unpacked and not installed.

use crate::repository;
use crate::run::{command, output, run};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version. Debian carries it for the browsers it builds.
const VERSION: &str = "1.85.0";

/// The compiler proper, its driver, the standard library, and LLVM.
const PACKAGES: [(&str, &str); 4] = [
    ("rustc-web", "1.85."),
    ("libstd-rust-web-1.85", "1.85."),
    ("libstd-rust-web-dev", "1.85."),
    ("libllvm19", "1:19."),
];

pub(super) struct Compiler {
    pub(super) rustc: PathBuf,
    pub(super) rustdoc: PathBuf,
}

/// That Rust, unpacked unless it is there already.
pub(super) fn old() -> Result<Compiler, String> {
    let compiler = match of_rustup() {
        Some(rustc) => Compiler { rustdoc: rustc.with_file_name("rustdoc"), rustc },
        None => of_debian().map_err(|message| {
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

fn of_debian() -> Result<Compiler, String> {
    let folder = repository().join("target/floor");
    let root = folder.join("root");
    let [rustc, rustdoc] = ["rustc", "rustdoc"].map(|program| folder.join(program));
    // Written last, so all else is there too.
    if !rustdoc.exists() {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&root).map_err(|e| format!("{}: {e}", folder.display()))?;
        for (package, version) in PACKAGES {
            unpack(package, version, &folder)?;
        }
        for program in [&rustc, &rustdoc] {
            wrap(&root, program)?;
        }
    }
    Ok(Compiler { rustc, rustdoc })
}

/// Unpacks the newest Debian package of the versions that begin so.
fn unpack(package: &str, version: &str, folder: &Path) -> Result<(), String> {
    let known = || output(&mut command("apt-cache", &["madison", package]));
    let mut exact = newest(&known()?, version);
    if exact.is_none() && crate::machine::is_root() {
        run(&mut command("apt-get", &["update", "--quiet"]))?;
        exact = newest(&known()?, version);
    }
    let exact = exact.ok_or(format!(
        "apt knows no {package} of a version {version}*: `apt-get update`, if this is Debian 12"
    ))?;
    let archive = folder.join(package);
    fs::create_dir_all(&archive).map_err(|e| format!("{}: {e}", archive.display()))?;
    // As root, apt would first try to download as another user.
    let mut download = command("apt-get", &["download", "--quiet", "-oAPT::Sandbox::User=root"]);
    run(download.arg(format!("{package}={exact}")).current_dir(&archive))?;
    let entries = fs::read_dir(&archive).map_err(|e| format!("{}: {e}", archive.display()))?;
    for entry in entries.flatten() {
        run(command("dpkg", &["--extract"]).arg(entry.path()).arg(folder.join("root")))?;
    }
    fs::remove_dir_all(&archive).map_err(|e| format!("{}: {e}", archive.display()))
}

/// apt lists a package's versions newest first: name, version and source, with
/// bars between.
fn newest(madison: &str, begins: &str) -> Option<String> {
    let versions = madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.into_iter().find(|version| version.starts_with(begins)).map(str::to_owned)
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
    fs::write(script, text)
        .and_then(|()| fs::set_permissions(script, fs::Permissions::from_mode(0o755)))
        .map_err(|e| format!("{}: {e}", script.display()))
}
