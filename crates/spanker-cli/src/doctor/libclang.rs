// SPDX-License-Identifier: Apache-2.0
//! Where this build's mirror of the header is from, and whether a build on this
//! machine would find libclang.

use super::finding::Finding;
use super::host::Host;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The variable that says where it is, and that rules out all other places.
const PATH_VARIABLE: &str = "LIBCLANG_PATH";

/// Where the crate clang-sys looks last; a star is any name that begins so.
const FOLDERS: [&str; 7] = [
    "/usr/local/llvm*/lib*",
    "/usr/local/lib*/*/*",
    "/usr/local/lib*/*",
    "/usr/local/lib*",
    "/usr/lib*/*/*",
    "/usr/lib*/*",
    "/usr/lib*",
];

pub(super) fn examine(host: &Host, origin: &str, findings: &mut Vec<Finding>) {
    let mirror = match origin {
        "bindgen" => "was generated from its header when this was built (bindgen)",
        _ => "is the committed one, which fits its header to the byte",
    };
    findings.push(Finding::ok("mirror", format!("The mirror of the ABI in here {mirror}.")));
    let named = host.variable(PATH_VARIABLE).map(Path::new);
    let found = match named {
        Some(path) => at(host, path),
        None => find(host),
    };
    findings.push(match (found, named) {
        (Some(path), _) => Finding::ok(
            "libclang",
            format!("Builds on this machine find libclang: {}", path.display()),
        ),
        (None, Some(path)) => Finding::note(
            "libclang",
            format!(
                "{PATH_VARIABLE} is {}, and there is no libclang there: builds take the committed \
                 mirror of the header, which is the same.",
                path.display()
            ),
        )
        .remedy(format!("unset {PATH_VARIABLE}, or set it to the folder of libclang.so")),
        (None, None) => Finding::note(
            "libclang",
            "There is no libclang on this machine: builds take the committed mirror of the header, \
             which is the same.",
        )
        .remedy("Only whoever changes or checks the header needs it: sudo apt install libclang-dev"),
    });
}

/// The library that `path` is, or has in it.
fn at(host: &Host, path: &Path) -> Option<PathBuf> {
    let is_named = path.file_name().and_then(|name| name.to_str()).is_some_and(is_libclang);
    if is_named && host.place(path).is_file() {
        return Some(path.to_owned());
    }
    within(host, path)
}

/// A library that a build would load, without loading it.
fn find(host: &Host) -> Option<PathBuf> {
    let prefix = llvm_prefix(host).into_iter();
    let of_llvm = prefix.flat_map(|prefix| ["bin", "lib", "lib64"].map(|part| prefix.join(part)));
    let named = ["LD_LIBRARY_PATH", "LIBRARY_PATH"].into_iter();
    let of_linkers = named.filter_map(|name| host.variable(name)).flat_map(env::split_paths);
    let usual = FOLDERS.iter().flat_map(|pattern| matching(host, pattern));
    of_llvm.chain(of_linkers).chain(usual).find_map(|folder| within(host, &folder))
}

/// Where LLVM is installed, if there is an llvm-config that says so.
fn llvm_prefix(host: &Host) -> Option<PathBuf> {
    let program = match host.variable("LLVM_CONFIG_PATH") {
        Some(path) => PathBuf::from(path),
        None => env::split_paths(host.variable("PATH")?)
            .map(|folder| folder.join("llvm-config"))
            .find(|program| host.place(program).is_file())?,
    };
    let output = Command::new(host.place(&program)).arg("--prefix").output().ok()?;
    let prefix = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| prefix.lines().next().map(PathBuf::from))?
}

fn within(host: &Host, folder: &Path) -> Option<PathBuf> {
    let names = host.names(folder).into_iter().filter(|name| is_libclang(name));
    names.map(|name| folder.join(name)).find(|path| host.place(path).is_file())
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
