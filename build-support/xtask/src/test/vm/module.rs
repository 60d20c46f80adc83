// SPDX-License-Identifier: Apache-2.0
//! The kernel module, built from a copy: the tree stays as it is.

use crate::kernel::Kernel;
use crate::repository;
use crate::run::command;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The sources, copied to `folder`.
pub(in crate::test) struct Sources {
    folder: PathBuf,
}

impl Sources {
    pub(in crate::test) fn copy(folder: &Path) -> Result<Self, String> {
        let told = |e| format!("{}: {e}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(told)?;
        }
        fs::create_dir_all(folder).map_err(told)?;
        for part in ["driver", "include"] {
            copy(&repository().join(part), &folder.join(part))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The header, for a version of the ABI that is not the one of this build.
    pub(in crate::test) fn header(&self) -> PathBuf {
        self.folder.join("include/uapi/linux/spanker_ioctl.h")
    }

    pub(in crate::test) fn driver(&self) -> PathBuf {
        self.folder.join("driver")
    }

    /// `make`, with the kernel's compiler where it is, and this machine's
    /// otherwise.
    pub(in crate::test) fn make(&self, kernel: &Kernel, words: &[&str]) -> Command {
        let mut make = command("make", &["-C"]);
        make.arg(self.driver()).arg(format!("KDIR={}", kernel.build.display())).args(words);
        make
    }

    pub(in crate::test) fn module(&self) -> PathBuf {
        self.driver().join("spanker.ko")
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let told = |e| format!("{}: {e}", from.display());
    fs::create_dir_all(to).map_err(told)?;
    for entry in fs::read_dir(from).map_err(told)? {
        let entry = entry.map_err(told)?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type().map_err(told)?.is_dir() {
            copy(&from, &to)?;
        } else {
            fs::copy(&from, &to).map_err(|e| format!("{}: {e}", from.display()))?;
        }
    }
    Ok(())
}
