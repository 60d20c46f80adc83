// SPDX-License-Identifier: Apache-2.0
//! What is in a package, and what its manifest tells of it.

use crate::run::{command, json};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The categories of crates.io that could fit: for another one look up how
/// crates.io spells it, since it takes no other.
const CATEGORIES: [&str; 13] = [
    "api-bindings",
    "asynchronous",
    "command-line-utilities",
    "concurrency",
    "development-tools",
    "emulators",
    "external-ffi-bindings",
    "hardware-support",
    "mathematics",
    "no-std",
    "os::linux-apis",
    "science",
    "simulation",
];

/// What a package has at its top.
const TOP: [&str; 14] = [
    ".cargo_vcs_info.json",
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "LICENSES",
    "README.md",
    "benches",
    "build",
    "examples",
    "fallback",
    "include",
    "shims",
    "src",
    "tests",
];

/// No file written by hand is longer, nor should one be.
const LONGEST_FILE: u64 = 64 << 10;

/// Fails unless the package unpacked here is complete, and nothing more.
pub(super) fn check(folder: &Path, name: &str) -> Result<(), String> {
    let mut faults = Vec::new();
    let metadata = json(
        command("cargo", &["metadata", "--no-deps", "--format-version", "1"]).current_dir(folder),
    )?;
    let package = &metadata["packages"][0];
    if package["name"] != name {
        return Err(format!("{}: cargo takes it for another package", folder.display()));
    }
    check_manifest(package, &mut faults);
    let files = files(folder)?;
    check_files(folder, &files, &mut faults)?;
    let here = crate::repository().join("crates").join(name);
    for part in ["tests", "examples"].iter().filter(|part| here.join(part).exists()) {
        for file in self::files(&here.join(part))? {
            let file = Path::new(part).join(file);
            if !files.contains(&file) {
                faults.push(format!("{} is not in it", file.display()));
            }
        }
    }
    check_licences(folder, &files, package["license"].as_str().unwrap_or(""), &mut faults)?;
    if faults.is_empty() {
        println!("{name}: {} files, and the manifest tells all of it", files.len());
        return Ok(());
    }
    Err(format!("package {name}:\n  {}", faults.join("\n  ")))
}

fn check_manifest(package: &Value, faults: &mut Vec<String>) {
    let text = |key: &str| package[key].as_str().unwrap_or("");
    let list = |key: &str| -> Vec<&str> {
        let items = package[key].as_array().map_or(&[][..], Vec::as_slice);
        items.iter().filter_map(Value::as_str).collect()
    };
    for key in ["description", "license", "readme", "rust_version"] {
        if text(key).is_empty() {
            faults.push(format!("its Cargo.toml has no `{key}`"));
        }
    }
    let keywords = list("keywords");
    if keywords.is_empty() || keywords.len() > 5 {
        faults.push(format!("1 to 5 `keywords` are needed, there are {}", keywords.len()));
    }
    for keyword in keywords.iter().filter(|word| !is_keyword(word)) {
        faults.push(format!("crates.io does not take the keyword `{keyword}`"));
    }
    let categories = list("categories");
    if categories.is_empty() || categories.len() > 5 {
        faults.push(format!("1 to 5 `categories` are needed, there are {}", categories.len()));
    }
    for category in categories.iter().filter(|category| !CATEGORIES.contains(category)) {
        faults.push(format!("`{category}` is not among the known categories of crates.io"));
    }
    let docs = &package["metadata"]["docs"]["rs"];
    if docs["all-features"] != true || docs["targets"].as_array().is_none() {
        faults.push(
            "[package.metadata.docs.rs] is to say `all-features = true` and for which `targets`"
                .to_owned(),
        );
    }
}

/// The rule of crates.io.
fn is_keyword(word: &str) -> bool {
    let begins = word.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+".contains(&byte);
    begins && word.len() <= 20 && word.bytes().all(fits)
}

/// The files of a folder, by their path in it.
fn files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let fault = |path: &Path, e: std::io::Error| format!("{}: {e}", path.display());
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(|e| fault(&next, e))? {
            let path = entry.map_err(|e| fault(&next, e))?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap_or(&path).to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

fn check_files(folder: &Path, files: &[PathBuf], faults: &mut Vec<String>) -> Result<(), String> {
    for file in files {
        let top = file.iter().next().unwrap_or_default();
        if !TOP.iter().any(|known| top == *known) {
            faults.push(format!("what is {} for in a package?", file.display()));
        }
        let length =
            fs::metadata(folder.join(file)).map_err(|e| format!("{}: {e}", file.display()))?.len();
        if length > LONGEST_FILE {
            faults.push(format!("{} has {length} bytes", file.display()));
        }
    }
    Ok(())
}

/// The licence in the manifest is what the files say, neither more nor less,
/// and the text of each part of it is there.
fn check_licences(
    folder: &Path,
    files: &[PathBuf],
    license: &str,
    faults: &mut Vec<String>,
) -> Result<(), String> {
    let declared = identifiers(license);
    let mut said = BTreeSet::new();
    let mut texts = BTreeSet::new();
    for file in files {
        if file.starts_with("LICENSES") {
            texts.extend(file.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            continue;
        }
        let text = fs::read_to_string(folder.join(file))
            .map_err(|e| format!("{}: {e}", file.display()))?;
        let mut first = text.lines().take(1);
        if let Some((_, expression)) = first.find_map(|line| line.split_once(TAG)) {
            said.extend(identifiers(expression.trim_end_matches("*/")));
        }
    }
    for (what, found) in [("its files say", &said), ("the texts in LICENSES are of", &texts)] {
        if *found != declared {
            faults.push(format!("its licence is `{license}`, but {what} {found:?}"));
        }
    }
    Ok(())
}

/// What stands before the licence in a file.
const TAG: &str = concat!("SPDX-License-", "Identifier: ");

/// The licences and exceptions that an SPDX expression is made of.
fn identifiers(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|c: char| c.is_whitespace() || c == '(' || c == ')');
    let names = words.filter(|word| !["", "AND", "OR", "WITH"].contains(word));
    names.map(str::to_owned).collect()
}
