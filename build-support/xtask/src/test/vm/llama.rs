// SPDX-License-Identifier: Apache-2.0
//! Programs with a ggml that was downloaded, and the libraries that they cannot
//! do without: such programs are linked to what is on the machine.

use super::programs::Program;
use crate::run::{command, output};
use crate::test::llama::release::{self, compile, of_ours, test_backend_ops};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Where in the guest all of it is but the loader.
const FOLDER: &str = "llama";

/// Runs on every processor, and so on the emulated one.
const CPU_BACKEND: &str = "libggml-cpu-x64.so";

pub(super) fn programs() -> Result<Vec<Program>, String> {
    let cache = release::fetch()?;
    let mut wanted = vec![release::backend()?, cache.join("bin").join(CPU_BACKEND)];
    for source in [test_backend_ops(&cache), of_ours("bin", "until_it_fails")] {
        wanted.push(compile(&cache, &source)?);
    }
    // By their names, so that what several need is there once.
    let mut all = BTreeMap::new();
    for path in wanted {
        let told = output(command("ldd", &[&path]).env("LC_ALL", "C"))?;
        let missing = |name| format!("{}: {name} is not on this machine", path.display());
        all.extend(needed(&told).map_err(missing)?);
        all.insert(in_folder(&path), path);
    }
    Ok(all.into_iter().map(|(name, path)| Program { name, path }).collect())
}

fn in_folder(path: &Path) -> String {
    format!("{FOLDER}/{}", path.file_name().unwrap_or_default().to_string_lossy())
}

/// The libraries that `ldd` has told of, by where they are to be; or the name of
/// one that it has not found.
fn needed(told: &str) -> Result<BTreeMap<String, PathBuf>, &str> {
    let mut found = BTreeMap::new();
    for line in told.lines().map(str::trim) {
        let path = |text: &str| PathBuf::from(text.split(" (").next().unwrap_or_default());
        match line.split_once(" => ") {
            Some((name, "not found")) => return Err(name),
            Some((name, place)) => drop(found.insert(format!("{FOLDER}/{name}"), path(place))),
            // The loader, which every program looks for at this very place.
            None if line.starts_with('/') => {
                let path = path(line);
                found.insert(path.to_string_lossy().trim_start_matches('/').to_owned(), path);
            }
            // The kernel's own, which is in no file.
            None => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::needed;
    use std::path::Path;

    #[test]
    fn libraries_go_to_one_folder_and_the_loader_to_its_own() {
        let told = "\tlinux-vdso.so.1 (0x00007f08)\n\
                    \tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f07)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f06)\n";
        let found = needed(told).unwrap();
        let found: Vec<_> = found.iter().map(|(at, path)| (at.as_str(), path.as_path())).collect();
        let loader = "/lib64/ld-linux-x86-64.so.2";
        assert_eq!(
            found,
            [
                (&loader[1..], Path::new(loader)),
                ("llama/libm.so.6", Path::new("/lib/x86_64-linux-gnu/libm.so.6")),
            ]
        );
    }

    #[test]
    fn what_is_not_there_is_told_by_name() {
        assert_eq!(needed("\tlibgomp.so.1 => not found\n"), Err("libgomp.so.1"));
    }
}
