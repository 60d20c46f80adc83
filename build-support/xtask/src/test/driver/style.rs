// SPDX-License-Identifier: Apache-2.0
//! The kernel's style, by the kernel's own script, which is in the package of
//! its source.

use crate::kernel;
use crate::repository;
use crate::run::{command, run};
use std::fs;
use std::path::{Path, PathBuf};

const VERSION: &str = "linux-source-6.1";

/// The script, and the lists that it reads from beside it.
const PARTS: [&str; 3] = ["checkpatch.pl", "spelling.txt", "const_structs.checkpatch"];

/// In versions.h alone: a driver in the kernel's tree is for one version, this
/// one is not; and two constants have no right side.
const OF_VERSIONS: &str = "--ignore=LINUX_VERSION_CODE,CONSTANT_COMPARISON";

/// In the header alone: one of its variables is called `is`.
const OF_HEADER: &str = "--ignore=REPEATED_WORD";
const HEADER: &str = "include/uapi/linux/spanker_ioctl.h";

pub(super) fn check() -> Result<(), String> {
    let script = checkpatch()?;
    let driver = repository().join("driver");
    let told = |e| format!("{}: {e}", driver.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&driver).map_err(told)? {
        let path = entry.map_err(told)?.path();
        if path.file_name().is_some_and(|name| name != "README.md") {
            files.push(path);
        }
    }
    files.sort();
    let (versions, others) =
        files.iter().partition::<Vec<&PathBuf>, _>(|file| file.ends_with("versions.h"));
    let checkpatch = |words: &[&str], files: &[&PathBuf]| {
        let mut perl = command("perl", &[&script]);
        run(perl.args(["--no-tree", "--strict", "--terse"]).args(words).arg("--file").args(files))
    };
    checkpatch(&[], &others)?;
    checkpatch(&[OF_VERSIONS], &versions)?;
    // By this path it knows that programs include it.
    checkpatch(&[OF_HEADER], &[&PathBuf::from(HEADER)])
}

fn checkpatch() -> Result<PathBuf, String> {
    let folder = repository().join("target/checkpatch");
    let script = folder.join(PARTS[0]);
    if PARTS.iter().all(|part| folder.join(part).exists()) {
        return Ok(script);
    }
    let package = kernel::unpack(VERSION)?;
    let archive = package.join("usr/src").join(format!("{VERSION}.tar.xz"));
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let parts = PARTS.map(|part| format!("{VERSION}/scripts/{part}"));
    run(command("tar", &["--strip-components=2", "-xJf"])
        .arg(&archive)
        .arg("-C")
        .arg(&folder)
        .args(parts))?;
    forget(&package)?;
    Ok(script)
}

/// The rest is large.
fn forget(package: &Path) -> Result<(), String> {
    fs::remove_dir_all(package).map_err(|e| format!("{}: {e}", package.display()))
}
