// SPDX-License-Identifier: Apache-2.0
//! The machine that is looked at: all that is asked of /dev, /proc, /sys and
//! the environment is asked here, so that tests can lay out another one.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A machine, and the user who asks.
#[derive(Debug)]
pub(super) struct Host {
    root: PathBuf,
    variables: Vec<(OsString, OsString)>,
    open: fn(&Path) -> io::Result<()>,
}

/// Who may do what with a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Node {
    pub(super) owner: String,
    pub(super) group: String,
    /// The lowest nine bits of its mode.
    pub(super) mode: u32,
}

/// The user who asks.
#[derive(Debug, Default)]
pub(super) struct User {
    pub(super) name: String,
    groups: Vec<u32>,
}

impl Host {
    /// This machine.
    pub(super) fn this() -> Self {
        let open = |path: &Path| File::options().read(true).write(true).open(path).map(drop);
        Self { root: PathBuf::from("/"), variables: std::env::vars_os().collect(), open }
    }

    #[cfg(test)]
    pub(super) fn laid_out(
        root: &Path,
        variables: &[(&str, &str)],
        open: fn(&Path) -> io::Result<()>,
    ) -> Self {
        let variables = variables.iter().map(|(name, value)| (name.into(), value.into()));
        Self { root: root.to_owned(), variables: variables.collect(), open }
    }

    /// Where what is at `path`, which is absolute, can be found.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The variable, if it is set and not empty.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        let (_, value) = self.variables.iter().find(|(known, _)| known == name)?;
        Some(value.as_os_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.place(Path::new(path)).exists()
    }

    /// The text of a file, without the end of its last line.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        let text = fs::read_to_string(self.place(Path::new(path))).ok()?;
        Some(text.trim_end().to_owned())
    }

    /// The names of what is in a folder, sorted; none if there is no such folder.
    pub(super) fn names(&self, folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(self.place(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> =
            entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Opens a node as the library does, and closes it.
    pub(super) fn try_open(&self, path: &str) -> io::Result<()> {
        (self.open)(&self.place(Path::new(path)))
    }

    pub(super) fn node(&self, path: &str) -> Option<Node> {
        let metadata = fs::metadata(self.place(Path::new(path))).ok()?;
        Some(Node {
            owner: self.name_of("/etc/passwd", metadata.uid()),
            group: self.name_of("/etc/group", metadata.gid()),
            mode: metadata.mode() & 0o777,
        })
    }

    pub(super) fn user(&self) -> User {
        let status = self.text("/proc/self/status").unwrap_or_default();
        let numbers = |field: &str| -> Vec<u32> {
            let line = status.lines().find_map(|line| line.strip_prefix(field));
            line.unwrap_or("").split_whitespace().filter_map(|word| word.parse().ok()).collect()
        };
        // Real, effective, saved, of the file system: the last one opens.
        let [uid, gid] = ["Uid:", "Gid:"].map(|field| numbers(field).last().copied());
        User {
            name: uid.map_or_else(String::new, |uid| self.name_of("/etc/passwd", uid)),
            groups: numbers("Groups:").into_iter().chain(gid).collect(),
        }
    }

    /// Whether the user is in the group of this name, as this process has it.
    pub(super) fn is_in(&self, user: &User, group: &str) -> bool {
        self.number_of_group(group).is_some_and(|number| user.groups.contains(&number))
    }

    /// Whether the group's list names the user: so it will be after a log-in.
    pub(super) fn is_listed_in(&self, user: &User, group: &str) -> bool {
        let Some(list) = self.text("/etc/group") else { return false };
        let line = list.lines().find(|line| line.split(':').next() == Some(group));
        line.and_then(|line| line.split(':').nth(3))
            .is_some_and(|members| members.split(',').any(|member| member == user.name))
    }

    pub(super) fn number_of_group(&self, name: &str) -> Option<u32> {
        let list = self.text("/etc/group")?;
        let line = list.lines().find(|line| line.split(':').next() == Some(name))?;
        line.split(':').nth(2)?.parse().ok()
    }

    /// The name that `list` has for a number, else the number.
    fn name_of(&self, list: &str, number: u32) -> String {
        let number = number.to_string();
        let list = self.text(list).unwrap_or_default();
        let line = list.lines().find(|line| line.split(':').nth(2) == Some(number.as_str()));
        match line.and_then(|line| line.split(':').next()) {
            Some(name) => name.to_owned(),
            None => number,
        }
    }
}
