// SPDX-License-Identifier: Apache-2.0
//! A folder of headers, and the command run in it.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use tempfile::TempDir;

/// A header with a version, a constant, a struct and a request.
pub(crate) const OLD: &str = "#include <linux/types.h>\n#include <linux/ioctl.h>\n\
                              #define X_VERSION_MAJOR 1\n#define X_VERSION_MINOR 4\n\
                              struct x { __u32 a; __u32 b; };\n#define X_GET _IOR('x', 1, struct x)\n";

pub(crate) struct Scene(TempDir);

pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// `old.h` and `new.h`, in which something is replaced, and `old.json`.
    pub(crate) fn changed(from: &str, to: &str) -> Self {
        assert!(OLD.contains(from), "{from}");
        let scene = Self::new();
        scene.file("old.h", OLD);
        scene.file("new.h", OLD.replace(from, to));
        scene.snapshot("old");
        scene
    }

    pub(crate) fn snapshot(&self, name: &str) {
        let (header, output) = (format!("{name}.h"), format!("{name}.json"));
        let ran = self.run(&["snapshot", &header, "-o", &output, "-t", "x86_64,i686"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let file = self.path(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// The names of what is there, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_spanker-abi"));
        command.args(arguments).current_dir(self.0.path()).env_remove("GITHUB_STEP_SUMMARY");
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        ran(&self.command(arguments).output().unwrap())
    }
}

pub(crate) fn ran(output: &Output) -> Ran {
    Ran {
        code: output.status.code().expect("it ends by itself"),
        stdout: String::from_utf8(output.stdout.clone()).unwrap(),
        stderr: String::from_utf8(output.stderr.clone()).unwrap(),
    }
}
