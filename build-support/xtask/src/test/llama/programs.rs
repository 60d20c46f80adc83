// SPDX-License-Identifier: Apache-2.0
//! Programs that are linked to the release that was downloaded: upstream's own,
//! unmodified, and some of ours.

use super::release::{compile, of_ours, of_upstream, test_backend_ops, Source};
use crate::run::command;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(super) struct Programs {
    cache: PathBuf,
    library: PathBuf,
}

/// All that a program has said; of which the end is shown.
pub(super) struct Said(String);

impl Deref for Said {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&last_lines(&self.0))
    }
}

/// Enough of what a program has said to see why it is wrong.
fn last_lines(text: &str) -> String {
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// More than the kernel numbers.
const ABSENT_CARD: &str = "/dev/spanker-absent";

const API_3_GGML: &[&str] = &["-l:libggml.so", "-l:libggml-base.so"];
const OLD_GGML: &[&str] = &["-l:libggml.b6845.so", "-l:libggml-base.so"];

impl Programs {
    pub(super) fn compile(cache: &Path, library: &Path) -> Result<Self, String> {
        for source in [
            test_backend_ops(cache),
            of_ours("bin", "on_the_cpu"),
            Source { libraries: OLD_GGML, ..of_ours("old", "on_the_cpu") },
            Source { libraries: API_3_GGML, ..of_ours("api-3", "on_the_cpu") },
            of_ours("bin", "products"),
            of_upstream(cache, "llama-results", &["tools/results/results.cpp"]),
            of_upstream(cache, "llama-debug", &["examples/debug/debug.cpp"]),
            of_upstream(
                cache,
                "llama-bench",
                &["tools/llama-bench/llama-bench.cpp", "tools/llama-bench/main.cpp"],
            ),
        ] {
            compile(cache, &source)?;
        }
        Ok(Self { cache: cache.to_owned(), library: library.to_owned() })
    }

    /// A folder for what programs write, empty.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.cache.join("written").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(folder)
    }

    fn command(&self, folder: &str, name: &str, words: &[impl AsRef<OsStr>]) -> Command {
        command(&self.cache.join(folder).join(name).to_string_lossy(), words)
    }

    /// What a program says that has no Sails.
    pub(super) fn without(&self, name: &str, words: &[impl AsRef<OsStr>]) -> Result<Said, String> {
        said(self.command("bin", name, words).env_remove("GGML_BACKEND_PATH"))
    }

    /// What a program says that is to use a card, and there is no such card.
    pub(super) fn without_its_card(
        &self,
        name: &str,
        words: &[impl AsRef<OsStr>],
    ) -> Result<Said, String> {
        let mut command = self.command("bin", name, words);
        said(self.with_sail(&mut command).env("SPANKER_SAIL", ABSENT_CARD))
    }

    /// What a program says that can use the software Sail.
    pub(super) fn offloading(
        &self,
        name: &str,
        words: &[impl AsRef<OsStr>],
    ) -> Result<Said, String> {
        self.offloading_in("bin", name, words)
    }

    /// The same with the ggml of another folder.
    pub(super) fn offloading_in(
        &self,
        folder: &str,
        name: &str,
        words: &[impl AsRef<OsStr>],
    ) -> Result<Said, String> {
        said(self.with_sail(&mut self.command(folder, name, words)))
    }

    /// What a program of the machine's own says that has no Sails.
    pub(super) fn of_the_path(&self, name: &str, words: &[&str]) -> Result<Said, String> {
        said(command(name, words).env_remove("GGML_BACKEND_PATH"))
    }

    /// The same of one that can use the software Sail.
    pub(super) fn of_the_path_offloading(
        &self,
        name: &str,
        words: &[&str],
    ) -> Result<Said, String> {
        said(self.with_sail(&mut command(name, words)))
    }

    pub(super) fn under_valgrind(
        &self,
        name: &str,
        words: &[impl AsRef<OsStr>],
    ) -> Result<Said, String> {
        let program = self.cache.join("bin").join(name);
        let mut valgrind =
            command("valgrind", &["--leak-check=full", "--errors-for-leak-kinds=definite"]);
        valgrind.args(["--error-exitcode=9"]).arg(program).args(words);
        said(self.with_sail(&mut valgrind))
    }

    fn with_sail<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.env("GGML_BACKEND_PATH", &self.library).env("SPANKER_SAIL", "soft");
        command.env_remove("SPANKER_SAILS").env("SPANKER_STATISTICS", "1")
    }
}

/// All that a program says, if it succeeds.
fn said(command: &mut Command) -> Result<Said, String> {
    println!("$ {:?}", command.get_program());
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    if output.status.success() {
        return Ok(Said(text));
    }
    Err(format!("{command:?}: {}\n{}", output.status, last_lines(&text)))
}
