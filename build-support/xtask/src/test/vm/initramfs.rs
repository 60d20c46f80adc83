// SPDX-License-Identifier: Apache-2.0
//! The guest's file system: an archive that the kernel unpacks into memory.

use super::programs::Program;
use crate::run::command;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// Folders that something is mounted on.
const MOUNT_POINTS: [&str; 4] = ["proc", "sys", "dev", "tmp"];

/// Makes it of these programs and files.
pub(super) fn make(
    folder: &Path,
    programs: &[Program],
    files: &[(&str, &Path)],
) -> Result<PathBuf, String> {
    let told = |e| format!("{}: {e}", folder.display());
    let root = folder.join("root");
    if root.exists() {
        fs::remove_dir_all(&root).map_err(told)?;
    }
    fs::create_dir_all(&root).map_err(told)?;
    let mut names = vec![".".to_owned()];
    for name in MOUNT_POINTS {
        fs::create_dir(root.join(name)).map_err(told)?;
        names.push(name.to_owned());
    }
    // Those further up come first.
    let folders: BTreeSet<&Path> =
        programs.iter().flat_map(|program| Path::new(&program.name).ancestors().skip(1)).collect();
    for folder in folders.into_iter().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir(root.join(folder)).map_err(told)?;
        names.push(folder.display().to_string());
    }
    for Program { name, path } in programs {
        put(path, &root.join(name), 0o755)?;
        names.push(name.clone());
    }
    for (name, path) in files {
        put(path, &root.join(name), 0o644)?;
        names.push((*name).to_owned());
    }
    let archive = folder.join("initramfs");
    let mut cpio = command("cpio", &["--create", "--format=newc", "--quiet", "--owner=0:0"])
        .current_dir(&root)
        .stdin(Stdio::piped())
        .stdout(File::create(&archive).map_err(told)?)
        .spawn()
        .map_err(|e| format!("cpio: {e}"))?;
    let list = names.join("\n") + "\n";
    cpio.stdin
        .take()
        .ok_or("cpio has no standard input")?
        .write_all(list.as_bytes())
        .map_err(|e| format!("cpio: {e}"))?;
    let status = cpio.wait().map_err(|e| format!("cpio: {e}"))?;
    if status.success() {
        Ok(archive)
    } else {
        Err(format!("cpio: {status}"))
    }
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<(), String> {
    fs::copy(from, to)
        .and_then(|_| fs::set_permissions(to, fs::Permissions::from_mode(mode)))
        .map_err(|e| format!("{}: {e}", from.display()))
}
