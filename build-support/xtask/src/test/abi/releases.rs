// SPDX-License-Identifier: Apache-2.0
//! The snapshots of releases, each against the one before, and the header
//! against that of its own version.

use super::{spanker_abi, HEADER, VERSION};
use crate::repository;
use crate::run::{output, run};
use spanker_abi::check;
use spanker_abi::diff::diff;
use spanker_abi::model::Abi;
use spanker_abi::snapshot;
use spanker_abi::version::{Scheme, Version};
use std::fs;
use std::path::{Path, PathBuf};

/// The folder of the snapshots.
const FOLDER: &str = "include/abi";

pub(super) fn check() -> Result<(), String> {
    let scheme: Scheme = VERSION.parse().map_err(|e| format!("{VERSION}: {e}"))?;
    let releases = releases(&scheme)?;
    for pair in releases.windows(2) {
        let [(old_path, old, _), (new_path, new, _)] = pair else { continue };
        let failed = |e: &dyn std::fmt::Display| format!("{}: {e}", new_path.display());
        let changes = diff(old, new, Some(&scheme)).map_err(|e| failed(&e))?;
        let versions = check::versions(old, new, &scheme).map_err(|e| failed(&e))?;
        let verdict = check::check(&changes, Some(versions));
        println!("{} → {}: {}", old_path.display(), new_path.display(), verdict.message);
        if verdict.exit != 0 {
            return Err(failed(&verdict.message));
        }
    }

    let current = current()?;
    let (old, new) = (HEADER, current.to_string_lossy());
    run(&mut spanker_abi(&[
        "check",
        "--header",
        old,
        "--snapshot",
        &new,
        "--version-macros",
        VERSION,
    ]))?;
    let fresh = output(&mut spanker_abi(&["snapshot", HEADER]))?;
    let committed = read(&current)?;
    if fresh == committed {
        println!("{} is what spanker-abi writes", current.display());
        return Ok(());
    }
    Err(format!(
        "{0} is not the snapshot of the header. In a version that is not released yet: \
         `spanker-abi snapshot {HEADER} -o {0}`; otherwise the header needs another version",
        current.display()
    ))
}

/// The snapshot of the header's own version, from the repository's root.
pub(super) fn current() -> Result<PathBuf, String> {
    let text = read(Path::new(HEADER))?;
    let part = |name: &str| {
        let begin = format!("#define {VERSION}_{name}");
        let value = text.lines().find_map(|line| line.strip_prefix(&begin));
        value.map(str::trim).ok_or(format!("{HEADER} has no {VERSION}_{name}"))
    };
    let (major, minor, patch) = (part("MAJOR")?, part("MINOR")?, part("PATCH")?);
    Ok(Path::new(FOLDER).join(format!("{major}.{minor}.{patch}.json")))
}

fn read(path: &Path) -> Result<String, String> {
    let path = repository().join(path);
    fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))
}

/// A snapshot's path, what is in it, and the version.
type Release = (PathBuf, Abi, (u64, u64, u64));

/// Each release's snapshot, with the version in it, which its name tells too.
fn releases(scheme: &Scheme) -> Result<Vec<Release>, String> {
    let folder = repository().join(FOLDER);
    let entries = fs::read_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut releases = Vec::new();
    for entry in entries.flatten() {
        let path = Path::new(FOLDER).join(entry.file_name());
        let abi = snapshot::load(&entry.path()).map_err(|e| e.to_string())?;
        let version = scheme.version(&abi).map_err(|e| format!("{}: {e}", path.display()))?;
        let Version::Numbered { major, minor, patch } = version else {
            return Err(format!("{}: {version} is no release", path.display()));
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if name != version.to_string() {
            return Err(format!("{} is of version {version}", path.display()));
        }
        releases.push((path, abi, (major, minor, patch)));
    }
    releases.sort_by_key(|(_, _, version)| *version);
    if releases.len() < 2 {
        return Err(format!("{FOLDER} has {} snapshots, and had two", releases.len()));
    }
    Ok(releases)
}
