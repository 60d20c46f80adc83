// SPDX-License-Identifier: Apache-2.0
//! The library crates as their users get them: packaged, unpacked away from
//! this repository, and built there with nothing of it around.

mod contents;

use crate::libclang;
use crate::repository;
use crate::run::{cargo, command, output, run};
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

/// In the order of their dependence.
pub(super) const LIBRARIES: [&str; 5] =
    ["spanker-kernels", "spanker-sys", "spanker-soft", "spanker", "ggml-spanker"];

pub(super) fn packages() -> Result<(), String> {
    let unpacked = Unpacked::new()?;
    for library in LIBRARIES {
        contents::check(unpacked.folder(library)?, library)?;
    }
    contents::check(unpacked.folder(READER)?, READER)?;
    unpacked.with_libclang()?;
    unpacked.without_libclang()?;
    unpacked.features_off()?;
    unpacked.documentation()?;
    fs::remove_dir_all(&unpacked.root).map_err(|e| format!("{}: {e}", unpacked.root.display()))
}

/// Alone, beside these: it reads any header, and needs libclang for that.
pub(super) const READER: &str = "spanker-abi";

/// The folders that the packages were unpacked into.
struct Unpacked {
    root: PathBuf,
    folders: Vec<(&'static str, PathBuf)>,
}

impl Unpacked {
    fn new() -> Result<Self, String> {
        if !output(&mut command("git", &["status", "--porcelain"]))?.is_empty() {
            println!("not everything here is committed; what is here is packaged");
        }
        let target = repository().join("target/packages");
        let package = target.join("crates/package");
        // What an earlier version has left must not be taken for this one's.
        let _ = fs::remove_dir_all(&package);
        let mut pack = cargo("package --no-verify --allow-dirty --target-dir");
        pack.arg(target.join("crates"));
        for library in LIBRARIES.into_iter().chain([READER]) {
            pack.args(["--package", library]);
        }
        run(&mut pack)?;

        let root = fresh_folder()?;
        same_toolchain(&root)?;
        let mut folders = Vec::new();
        for library in LIBRARIES.into_iter().chain([READER]) {
            let version = env!("CARGO_PKG_VERSION");
            let archive = package.join(format!("{library}-{version}.crate"));
            // The time of unpacking, so that no earlier build passes for this one's.
            let mut unpack = command("tar", &["--extract", "--gzip", "--touch", "--file"]);
            run(unpack.arg(&archive).arg("--directory").arg(&root))?;
            folders.push((library, root.join(format!("{library}-{version}"))));
        }
        Ok(Self { root, folders })
    }

    fn folder(&self, library: &str) -> Result<&Path, String> {
        let found = self.folders.iter().find(|(name, _)| *name == library);
        found.map(|(_, folder)| folder.as_path()).ok_or(format!("{library} was not packaged"))
    }

    /// `cargo` in a package, which finds the others where they were unpacked.
    fn cargo_in(&self, library: &str, words: &str, target: &str) -> Result<Command, String> {
        let mut cargo = cargo(words);
        cargo.current_dir(self.folder(library)?);
        // As in this repository, and so is what follows.
        cargo.args(["--config", "profile.dev.debug=\"line-tables-only\""]);
        let others = self.folders.iter().take_while(|(other, _)| *other != library);
        for (other, folder) in others.filter(|_| library != READER) {
            let patch = format!("patch.crates-io.{other}.path=\"{}\"", folder.display());
            cargo.args(["--config", &patch]);
        }
        if library != "spanker-sys" && library != READER {
            // The kernels are too slow for tests otherwise.
            cargo.args(["--config", "profile.dev.package.spanker-kernels.opt-level=2"]);
        }
        cargo.env("CARGO_TARGET_DIR", repository().join("target/packages").join(target));
        Ok(cargo)
    }

    fn with_libclang(&self) -> Result<(), String> {
        for library in LIBRARIES {
            let mut test = self.cargo_in(library, "test --all-features", "with")?;
            run(test.env("SPANKER_SYS_BINDGEN", "require"))?;
        }
        // Its mutations are of the header of this repository.
        let tests = "--lib --bins --test against_gcc --test command --test diff --test reading";
        run(&mut self.cargo_in(READER, &format!("test --all-features {tests}"), "with")?)
    }

    fn without_libclang(&self) -> Result<(), String> {
        libclang::check_absence(self.cargo_in("spanker-sys", "check --quiet", "without")?)?;
        for library in LIBRARIES {
            let test = self.cargo_in(library, "test --all-features", "without")?;
            run(&mut libclang::without(&test))?;
        }
        run(&mut libclang::without(&self.cargo_in(READER, "check --all-features", "without")?))
    }

    fn features_off(&self) -> Result<(), String> {
        for (library, words) in [
            ("spanker-kernels", ""),
            ("spanker-sys", ""),
            ("spanker-soft", ""),
            // The examples in the documentation need the software Sail.
            ("spanker", "--lib --tests"),
            ("spanker", "--features soft"),
            ("ggml-spanker", ""),
        ] {
            let words = format!("test --no-default-features {words}");
            run(&mut self.cargo_in(library, &words, "off")?)?;
        }
        Ok(())
    }

    /// As docs.rs does it, which has no network.
    fn documentation(&self) -> Result<(), String> {
        for library in LIBRARIES.into_iter().chain([READER]) {
            let mut doc =
                self.cargo_in(library, "doc --no-deps --all-features --offline", "with")?;
            run(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
        }
        Ok(())
    }
}

/// An empty folder outside the repository, and the same one each time, since
/// what is compiled depends on the path.
fn fresh_folder() -> Result<PathBuf, String> {
    let mut hasher = DefaultHasher::new();
    repository().hash(&mut hasher);
    let folder = env::temp_dir().join(format!("spanker-packages-{:016x}", hasher.finish()));
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    }
    fs::create_dir(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    match folder.ancestors().find(|above| holds_settings(above)) {
        None => Ok(folder),
        Some(above) => Err(format!(
            "the packages are to be built with nothing around them, but {} holds settings of \
             cargo or rustup: set TMPDIR to another folder",
            above.display()
        )),
    }
}

/// There, rust-toolchain.toml does not say which toolchain it is to be.
fn same_toolchain(folder: &Path) -> Result<(), String> {
    let here = output(&mut command("cargo", &["--version"]))?;
    let there = output(command("cargo", &["--version"]).current_dir(folder))?;
    if here == there {
        return Ok(());
    }
    Err(format!(
        "the packages would be built by {} and not by {}: run this as `cargo xtask`, which chooses \
         the toolchain for both",
        there.trim(),
        here.trim()
    ))
}

fn holds_settings(folder: &Path) -> bool {
    let files = [".cargo/config.toml", ".cargo/config", "Cargo.toml", "rust-toolchain.toml"];
    files.iter().any(|file| folder.join(file).exists())
}
