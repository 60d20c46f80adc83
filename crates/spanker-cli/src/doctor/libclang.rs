// SPDX-License-Identifier: Apache-2.0
//! Where this build's mirror of the header is from, and whether a build on this
//! machine would find libclang.

use super::finding::Finding;
use super::host::Host;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the crate clang-sys looks; a star is any name that begins so.
const FOLDERS: [&str; 8] = [
    "/usr/local/llvm*/lib*",
    "/usr/local/lib*/*/*",
    "/usr/local/lib*/*",
    "/usr/local/lib*",
    "/usr/lib*/*/*",
    "/usr/lib*/*",
    "/usr/lib*",
    "/opt/llvm*/lib*",
];

pub(super) fn examine(host: &Host, origin: &str, findings: &mut Vec<Finding>) {
    let mirror = match origin {
        "bindgen" => "generated from the header when it was built (bindgen)",
        _ => "the committed one, which was checked to be of this very header",
    };
    findings.push(Finding::ok("mirror", format!("This command's mirror of the ABI is {mirror}.")));
    findings.push(match find(host) {
        Some(path) => Finding::ok(
            "libclang",
            format!("Builds on this machine find libclang: {}.", path.display()),
        ),
        None => Finding::note(
            "libclang",
            "There is no libclang on this machine: builds take the committed mirror of the header, \
             which is the same. Nothing is lost.",
        )
        .remedy(
            "Only to change the header: sudo apt install libclang-dev, or set LIBCLANG_PATH to its \
             folder.",
        ),
    });
}

/// The library that a build would load, without loading it.
fn find(host: &Host) -> Option<PathBuf> {
    if let Some(path) = host.variable("LIBCLANG_PATH") {
        // A file, or a folder.
        let path = PathBuf::from(path);
        let is_file = path.file_name().and_then(|name| name.to_str()).is_some_and(is_libclang);
        return if is_file { Some(path) } else { within(host, &path) }
            .filter(|path| host.place(path).is_file());
    }
    let from_llvm = llvm_folder(host).and_then(|folder| within(host, &folder));
    from_llvm.or_else(|| {
        FOLDERS
            .iter()
            .flat_map(|pattern| matching(host, pattern))
            .find_map(|folder| within(host, &folder))
    })
}

/// What llvm-config says, where the variable names it or it is in the usual
/// folder.
fn llvm_folder(host: &Host) -> Option<PathBuf> {
    let named = host.variable("LLVM_CONFIG_PATH").map(PathBuf::from);
    let program = host.place(&named.unwrap_or_else(|| "/usr/bin/llvm-config".into()));
    let output = Command::new(program).arg("--libdir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| PathBuf::from(folder.trim()))
}

fn within(host: &Host, folder: &Path) -> Option<PathBuf> {
    let name = host.names(folder).into_iter().find(|name| is_libclang(name))?;
    Some(folder.join(name))
}

/// `libclang.so`, `libclang.so.1`, `libclang-14.so.1`; not `libclang-cpp.so`.
fn is_libclang(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("libclang") else { return false };
    let version = |text: &str| text.chars().all(|char| char.is_ascii_digit() || char == '.');
    match rest.split_once(".so") {
        Some((before, after)) => {
            version(before.strip_prefix('-').unwrap_or(before)) && version(after)
        }
        None => false,
    }
}

/// The folders that `pattern` stands for.
fn matching(host: &Host, pattern: &str) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        folders = match part.strip_suffix('*') {
            None => folders.iter().map(|folder| folder.join(part)).collect(),
            Some(start) => folders
                .iter()
                .flat_map(|folder| {
                    let names = host.names(folder).into_iter();
                    names.filter(|name| name.starts_with(start)).map(|name| folder.join(name))
                })
                .filter(|folder| host.place(folder).is_dir())
                .collect(),
        };
    }
    folders
}
