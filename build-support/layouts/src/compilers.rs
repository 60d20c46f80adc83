// SPDX-License-Identifier: Apache-2.0
//! The compilers that are asked. What they make is read and never run, so they
//! may be of another machine than this.

use crate::answers::Answers;
use crate::c_source;
use crate::header::Header;
use crate::object_file;
use crate::question::Question;
use crate::rust_source;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A C or C++ compiler.
#[derive(Debug)]
pub struct CCompiler {
    tool: cc::Tool,
    language: Language,
}

/// What a C compiler is asked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// C11.
    C,
    /// C++17.
    Cpp,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The compiler does not start.
    Absent(String),
    /// It refused the source.
    Refused(String),
    /// The rest: files that cannot be written or read.
    Failed(String),
}

impl From<NoAnswer> for String {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Absent(words) | NoAnswer::Refused(words) | NoAnswer::Failed(words) => words,
        }
    }
}

impl CCompiler {
    /// The one that the crate `cc` finds for a target.
    ///
    /// # Errors
    /// It finds none, or the one it finds does not start.
    pub fn find(language: Language, target: &str, host: &str) -> Result<Self, NoAnswer> {
        let mut build = cc::Build::new();
        build.cpp(language == Language::Cpp).target(target).host(host).opt_level(0);
        let tool = build
            .cargo_metadata(false)
            .cargo_warnings(false)
            .try_get_compiler()
            .map_err(|e| NoAnswer::Absent(e.to_string()))?;
        let starts = tool.to_command().arg("--version").output();
        if !starts.is_ok_and(|output| output.status.success()) {
            let (name, package) = match language {
                Language::C => ("C", "gcc"),
                Language::Cpp => ("C++", "g++"),
            };
            return Err(NoAnswer::Absent(format!(
                "`{}`, the {name} compiler for {target}, does not start: install it (Debian: \
                 apt-get install {package}, or {package}- with the target's name), or name \
                 another in {}",
                tool.path().display(),
                if language == Language::C { "CC" } else { "CXX" },
            )));
        }
        Ok(Self { tool, language })
    }

    /// Compiles a text to an object in a folder.
    ///
    /// # Errors
    /// The compiler refuses it.
    pub fn compile(
        &self,
        text: &str,
        include: &Path,
        folder: &Path,
        name: &str,
    ) -> Result<PathBuf, NoAnswer> {
        self.compile_with(text, &[include], folder, name)
    }

    /// The same with several folders of headers.
    ///
    /// # Errors
    /// The compiler refuses it.
    pub fn compile_with(
        &self,
        text: &str,
        includes: &[&Path],
        folder: &Path,
        name: &str,
    ) -> Result<PathBuf, NoAnswer> {
        let (extension, standard) = match self.language {
            Language::C => ("c", "-std=c11"),
            Language::Cpp => ("cpp", "-std=c++17"),
        };
        let source = write(folder, &format!("{name}.{extension}"), text)?;
        let object = folder.join(format!("{name}.{extension}.o"));
        let mut command = self.tool.to_command();
        // Of every constant it is asked whether it is below 0.
        command.args([standard, "-Wall", "-Wextra", "-pedantic", "-Wno-type-limits"]);
        for include in includes {
            command.arg("-I").arg(include);
        }
        run(command.arg("-c").arg(&source).arg("-o").arg(&object)).map_err(|e| match e {
            NoAnswer::Refused(words) if words.contains("linux/types.h") => {
                NoAnswer::Refused(format!(
                    "{words}\nthe kernel's headers for the target are needed (Debian: apt-get \
                     install linux-libc-dev, or linux-libc-dev-ARCHITECTURE-cross)"
                ))
            }
            other => other,
        })?;
        Ok(object)
    }

    /// What it says about a header in the folder `include`; the object, which
    /// has the answers in an array that begins with `prefix`, is left in
    /// `folder`.
    ///
    /// # Errors
    /// It refuses the header.
    pub fn ask(
        &self,
        questions: &[Question],
        include: &Path,
        folder: &Path,
        prefix: &str,
    ) -> Result<(Answers, PathBuf), NoAnswer> {
        let text = c_source::facts(prefix, questions);
        let object = self.compile(&text, include, folder, &format!("{prefix}facts"))?;
        let symbol = format!("{prefix}{}", c_source::FACTS);
        let numbers = object_file::numbers(&object, &symbol, questions.len());
        let numbers = numbers.map_err(NoAnswer::Failed)?;
        let who = match self.language {
            Language::C => "C",
            Language::Cpp => "C++",
        };
        let answers = Answers::new(who, questions, &numbers).map_err(NoAnswer::Failed)?;
        Ok((answers, object))
    }
}

/// rustc, for a target.
#[derive(Debug, Clone)]
pub struct Rustc {
    /// The program.
    pub program: OsString,
    /// Its name of the target.
    pub target: String,
    /// What cargo was told to give it besides.
    pub flags: Vec<String>,
}

impl Rustc {
    /// What it says about the mirror in a file.
    ///
    /// # Errors
    /// It refuses the mirror, which then lacks what the header declares.
    pub fn ask(
        &self,
        who: &str,
        header: &Header,
        mirror: &Path,
        folder: &Path,
        name: &str,
    ) -> Result<Answers, NoAnswer> {
        let source = write(folder, &format!("{name}.rs"), &rust_source::by_itself(header, mirror))?;
        let object = folder.join(format!("{name}.rs.o"));
        let mut command = Command::new(&self.program);
        command.args(["--edition", "2021", "--crate-type", "lib", "--crate-name", "layout"]);
        command.args(["-C", "codegen-units=1", "--emit", "obj", "--target", &self.target]);
        run(command.args(&self.flags).arg("-o").arg(&object).arg(&source))?;
        let questions = rust_source::questions(header);
        let numbers = object_file::numbers(&object, rust_source::FACTS, questions.len());
        let numbers = numbers.map_err(NoAnswer::Failed)?;
        Answers::new(who, &questions, &numbers).map_err(NoAnswer::Failed)
    }
}

fn write(folder: &Path, name: &str, text: &str) -> Result<PathBuf, NoAnswer> {
    let path = folder.join(name);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&path, text))
        .map_err(|e| NoAnswer::Failed(format!("{}: {e}", path.display())))?;
    Ok(path)
}

fn run(command: &mut Command) -> Result<(), NoAnswer> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output =
        command.output().map_err(|e| NoAnswer::Absent(format!("{program} does not start: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(NoAnswer::Refused(format!("{program}: {}\n{words}", output.status)))
}
