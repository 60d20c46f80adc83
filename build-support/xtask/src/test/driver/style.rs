// SPDX-License-Identifier: Apache-2.0
//! The kernel's own judge of style. It comes with the kernel's sources only, of
//! which nothing else is kept.

use crate::debian::Archive;
use crate::repository;
use crate::run::{command, run};
use std::fs;
use std::path::{Path, PathBuf};

/// Names of the package: Debian's, Ubuntu's.
const PACKAGES: [&str; 2] = [r"^linux-source-6\.[0-9]+$", r"^linux-source-6\.[0-9]+\.0$"];

/// What it needs of the sources.
const PARTS: [&str; 3] = ["checkpatch.pl", "spelling.txt", "const_structs.checkpatch"];

/// What it says of code that is in the kernel, and is not so of code beside it.
const IGNORED: [&str; 4] = [
    // The module is for more than one version of the kernel.
    "LINUX_VERSION_CODE",
    "CONSTANT_COMPARISON",
    // Buses are constant in newer kernels only.
    "CONST_STRUCT",
    // The header has a variable `is`.
    "REPEATED_WORD",
];

pub(super) fn style() -> Result<(), String> {
    let checkpatch = checkpatch()?;
    let mut files = vec![PathBuf::from("include/uapi/linux/spanker_ioctl.h")];
    let folder = repository().join("driver");
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    for entry in entries.flatten() {
        let path = entry.path();
        let is_of_c = path.extension().is_some_and(|end| end == "c" || end == "h");
        if is_of_c || path.ends_with("Kbuild") || path.ends_with("Makefile") {
            files.push(path);
        }
    }
    files.sort();
    let words = ["--no-tree", "--strict", "--terse", "--show-types", "--no-summary", "--quiet"];
    run(command("perl", &[&checkpatch])
        .args(words)
        .args(["--ignore", &IGNORED.join(",")])
        .arg("--file")
        .args(files))
}

fn checkpatch() -> Result<PathBuf, String> {
    let folder = repository().join("target/checkpatch");
    let checkpatch = folder.join("checkpatch.pl");
    if checkpatch.exists() {
        return Ok(checkpatch);
    }
    let archive = Archive::new(&folder.join("apt"), &[])?;
    let names = archive.matching(&PACKAGES)?;
    let name = names.last().ok_or(format!("apt knows no package {}", PACKAGES[0]))?;
    let root = folder.join("root");
    archive.unpack(name, "", &root)?;
    let sources =
        sources(&root.join("usr/src")).ok_or(format!("there are no sources in {name}"))?;
    let whole = folder.join("whole");
    fs::create_dir_all(&whole).map_err(|e| format!("{}: {e}", whole.display()))?;
    let extract = ["--extract", "--strip-components=2", "--occurrence=1", "--wildcards"];
    run(command("tar", &extract)
        .arg("--file")
        .arg(sources)
        .arg("--directory")
        .arg(&whole)
        .args(PARTS.map(|part| format!("*/scripts/{part}"))))?;
    // The program itself last, so that what was interrupted is done again.
    for part in PARTS.iter().rev() {
        fs::rename(whole.join(part), folder.join(part)).map_err(|e| format!("{part}: {e}"))?;
    }
    fs::remove_dir_all(&root).map_err(|e| format!("{}: {e}", root.display()))?;
    Ok(checkpatch)
}

/// The archive in which the package has them.
fn sources(folder: &Path) -> Option<PathBuf> {
    let paths: Vec<PathBuf> =
        fs::read_dir(folder).ok()?.flatten().map(|entry| entry.path()).collect();
    let is_archive = |path: &&PathBuf| path.to_string_lossy().contains(".tar.") && path.is_file();
    let here = paths.iter().find(is_archive).cloned();
    here.or_else(|| paths.iter().filter(|path| path.is_dir()).find_map(|path| sources(path)))
}
