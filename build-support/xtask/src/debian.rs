// SPDX-License-Identifier: Apache-2.0
//! Packages of Debian that are unpacked and not installed, those of other
//! architectures among them. apt's lists and settings for this are of our own:
//! the machine's architectures stay as they are, and nobody needs to be root.

use crate::run::{command, output, run};
use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) struct Archive {
    folder: PathBuf,
    settings: PathBuf,
    is_up_to_date: Cell<bool>,
}

impl Archive {
    /// The archive that this machine's apt knows, with these architectures
    /// besides the machine's own.
    pub(crate) fn new(folder: &Path, architectures: &[&str]) -> Result<Self, String> {
        for part in ["lists/partial", "cache/archives/partial", "unpacked"] {
            let part = folder.join(part);
            fs::create_dir_all(&part).map_err(|e| format!("{}: {e}", part.display()))?;
        }
        let native = output(&mut command("dpkg", &["--print-architecture"]))?;
        let mut names = format!("\"{}\";", native.trim());
        for architecture in architectures {
            names += &format!(" \"{architecture}\";");
        }
        let place = folder.display();
        // What some machines do after an update, emptying apt's own cache, is
        // not for this one; and root's apt would else download as another user.
        let text = format!(
            "#clear APT::Architectures;\n\
             #clear APT::Update::Post-Invoke;\n\
             #clear APT::Update::Post-Invoke-Success;\n\
             APT::Architectures {{ {names} }};\n\
             APT::Sandbox::User \"root\";\n\
             Dir::State::lists \"{place}/lists\";\n\
             Dir::Cache \"{place}/cache\";\n"
        );
        let settings = folder.join("apt.conf");
        fs::write(&settings, text).map_err(|e| format!("{}: {e}", settings.display()))?;
        Ok(Self { folder: folder.to_owned(), settings, is_up_to_date: Cell::new(false) })
    }

    fn apt(&self, program: &str, words: &[&str]) -> Command {
        let mut apt = command(program, &["--config-file"]);
        apt.arg(&self.settings).args(words);
        apt
    }

    /// Unpacks the newest package of the versions that begin so, unless it has
    /// been. A package of another architecture is `name:architecture`.
    pub(crate) fn unpack(&self, package: &str, begins: &str, root: &Path) -> Result<(), String> {
        let stamp = self.folder.join("unpacked").join(package);
        if stamp.exists() && root.exists() {
            return Ok(());
        }
        let exact = self.version(package, begins)?;
        let debs = self.folder.join("download");
        let _ = fs::remove_dir_all(&debs);
        for folder in [debs.as_path(), root] {
            fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        }
        let mut download = self.apt("apt-get", &["download", "--quiet"]);
        run(download.arg(format!("{package}={exact}")).current_dir(&debs))?;
        let entries = fs::read_dir(&debs).map_err(|e| format!("{}: {e}", debs.display()))?;
        for entry in entries.flatten() {
            run(command("dpkg", &["--extract"]).arg(entry.path()).arg(root))?;
        }
        fs::remove_dir_all(&debs).map_err(|e| format!("{}: {e}", debs.display()))?;
        // Last, so that what was interrupted is done again.
        fs::write(&stamp, exact).map_err(|e| format!("{}: {e}", stamp.display()))
    }

    fn version(&self, package: &str, begins: &str) -> Result<String, String> {
        let known = || output(&mut self.apt("apt-cache", &["madison", package]));
        if let Some(exact) = newest(&known()?, begins) {
            return Ok(exact);
        }
        self.update();
        newest(&known()?, begins)
            .ok_or(format!("apt finds no {package} of a version {begins}*, which Debian 12 has"))
    }

    /// The names of the packages that match one of these, the highest numbers
    /// last: of the first pattern that matches any.
    pub(crate) fn matching(&self, patterns: &[&str]) -> Result<Vec<String>, String> {
        for _ in 0..2 {
            for pattern in patterns {
                let search = &mut self.apt("apt-cache", &["search", "--names-only", pattern]);
                let found = output(search)?;
                let words = found.lines().filter_map(|line| line.split_whitespace().next());
                let mut names: Vec<String> = words.map(str::to_owned).collect();
                names.sort_by_key(|name| numbers(name));
                if !names.is_empty() {
                    return Ok(names);
                }
            }
            self.update();
        }
        Ok(Vec::new())
    }

    /// The packages that this one cannot do without.
    pub(crate) fn dependencies(&self, package: &str) -> Result<Vec<String>, String> {
        let told = output(&mut self.apt("apt-cache", &["depends", "--important", package]))?;
        let names = told.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(names.map(str::to_owned).collect())
    }

    fn update(&self) {
        if !self.is_up_to_date.replace(true) {
            // A list that could not be had matters only if the package is not
            // in the others.
            if let Err(message) = run(&mut self.apt("apt-get", &["update", "--quiet"])) {
                println!("{message}");
            }
        }
    }
}

fn numbers(name: &str) -> Vec<u64> {
    name.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

/// apt lists a package's versions newest first: name, version and source, with
/// bars between.
fn newest(madison: &str, begins: &str) -> Option<String> {
    let versions = madison.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    versions.into_iter().find(|version| version.starts_with(begins)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn the_newest_of_the_versions_that_begin_so_is_taken() {
        let madison = " rustc | 1.96.0+1 | mirror bookworm/main amd64 Packages\n \
                       rustc | 1.85.1+2 | mirror bookworm/main amd64 Packages\n \
                       rustc | 1.85.0+9 | mirror bookworm/main amd64 Packages\n";
        assert_eq!(newest(madison, "1.85.").as_deref(), Some("1.85.1+2"));
        assert_eq!(newest(madison, "1.63."), None);
        assert_eq!(newest("", "1.85."), None);
    }
}
