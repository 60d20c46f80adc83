// SPDX-License-Identifier: Apache-2.0
//! gcc, which is not what the facts come from.

use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub(crate) struct Compiler {
    program: String,
    include: Vec<PathBuf>,
}

impl Compiler {
    /// This machine's, with these directories of headers before its own.
    pub(crate) fn of_machine(include: &[PathBuf]) -> Option<Self> {
        Self::named("gcc".to_owned(), include)
    }

    /// That for another architecture, with its own headers.
    pub(crate) fn cross(triple: &str) -> Option<Self> {
        Self::named(format!("{triple}-gcc"), &[])
    }

    fn named(program: String, include: &[PathBuf]) -> Option<Self> {
        let version = Command::new(&program).arg("--version").output().ok()?;
        version.status.success().then(|| Self { program, include: include.to_vec() })
    }

    /// Compiles a header and these assertions, and returns the errors.
    pub(crate) fn compile(&self, header: &str, assertions: &[String]) -> Result<(), String> {
        let mut text = format!("#include <stddef.h>\n#include <{header}>\n");
        for assertion in assertions {
            text += &format!("_Static_assert({assertion}, \"\");\n");
        }
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("assertions.c");
        fs::write(&file, text).unwrap();
        // What the kernel takes out of its headers when it installs them.
        fs::create_dir(folder.path().join("linux")).unwrap();
        for left_out in ["linux/compiler.h", "linux/compiler_types.h"] {
            fs::write(folder.path().join(left_out), "").unwrap();
        }
        let mut gcc = Command::new(&self.program);
        gcc.args(["-std=gnu11", "-fsyntax-only", "-w", "-fmax-errors=20"]);
        for directory in &self.include {
            gcc.arg("-isystem").arg(directory);
        }
        if !self.include.is_empty() {
            gcc.arg("-isystem").arg(folder.path()).args(["-D__user=", "-D__force="]);
        }
        let output = gcc.arg(&file).output().unwrap();
        if output.status.success() {
            return Ok(());
        }
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.program)
    }
}
