// SPDX-License-Identifier: Apache-2.0
//! What is fetched and built before anything is measured: a release of llama.cpp, a model, our
//! library for them, and the program that is measured.

use crate::Error;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

#[derive(Debug)]
pub(super) struct Files {
    pub(super) program: PathBuf,
    pub(super) model: PathBuf,
    pub(super) library: PathBuf,
}

impl Files {
    pub(super) fn prepare() -> Result<Self, Error> {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
        let (release, models) =
            (repository.join("target/llama"), repository.join("target/real-model"));
        fetch(&repository.join("build-support/ggml/fetch_release.py"), &release)?;
        fetch(&repository.join("build-support/model/fetch_model.py"), &models)?;
        Ok(Self {
            library: library(&repository)?,
            program: program(&repository.join("build-support/ggml/speed.cpp"), &release)?,
            model: models.join("gemma-3-270m-q4_k_m.gguf"),
        })
    }
}

/// Runs it; what it says goes to stderr, as all progress does.
fn run(command: &mut Command) -> Result<(), Error> {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| format!("{command:?}: {error}"))?;
    eprint!("{}", String::from_utf8_lossy(&output.stdout));
    let status = output.status;
    status.success().then_some(()).ok_or_else(|| format!("{command:?}: {status}").into())
}

fn fetch(script: &Path, cache: &Path) -> Result<(), Error> {
    run(Command::new("python3").arg(script).arg(cache))
}

/// `libggml_spanker.so`, built for release.
fn library(repository: &Path) -> Result<PathBuf, Error> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--locked", "--package", "ggml-spanker"]);
    command.arg("--message-format=json-render-diagnostics").current_dir(repository);
    let output = command.stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    let messages = String::from_utf8(output.stdout)?;
    library_among(&messages).ok_or_else(|| "cargo has built no libggml_spanker.so".into())
}

/// The library among what cargo says that it has built.
fn library_among(messages: &str) -> Option<PathBuf> {
    let named = |message: serde_json::Value| {
        let files = message.get("filenames")?.as_array()?.clone();
        let mut paths = files.iter().filter_map(|file| file.as_str().map(PathBuf::from));
        paths.find(|path| path.ends_with("libggml_spanker.so"))
    };
    messages.lines().filter_map(|line| serde_json::from_str(line).ok()).find_map(named)
}

/// The program, compiled beside the libraries of the release unless it is newer than its source.
fn program(source: &Path, release: &Path) -> Result<PathBuf, Error> {
    let libraries = release.join("bin");
    let program = libraries.join("speed");
    let time = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    if time(&program) > time(source) {
        return Ok(program);
    }
    let include = |part: &str| format!("-I{}", release.join("llama").join(part).display());
    let includes = ["include", "ggml/include", "ggml/src"].map(include);
    let mut compiler = Command::new("g++");
    compiler.args(["-O2", "-std=c++17", "-DGGML_BACKEND_DL"]).args(includes);
    compiler.arg(source).arg("-o").arg(&program).arg(format!("-L{}", libraries.display()));
    compiler.args(["-l:libllama.v0.5.0.so", "-l:libggml.v0.5.0.so", "-l:libggml-base.so"]);
    run(compiler.args(["-lpthread", "-Wl,-rpath,$ORIGIN"]))?;
    Ok(program)
}

#[cfg(test)]
mod tests {
    use super::library_among;
    use std::path::Path;

    #[test]
    fn the_library_is_found_among_what_cargo_has_built() {
        let messages = concat!(
            r#"{"reason":"build-script-executed","out_dir":"/t/release/build"}"#,
            "\nno JSON\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/release/libspanker.rlib"]}"#,
            "\n",
            r#"{"reason":"compiler-artifact","filenames":["/t/release/libggml_spanker.rlib","#,
            r#""/t/release/libggml_spanker.so"]}"#,
        );
        let library = Path::new("/t/release/libggml_spanker.so");
        assert_eq!(library_among(messages).as_deref(), Some(library));
        assert_eq!(library_among(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
