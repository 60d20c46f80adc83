// SPDX-License-Identifier: Apache-2.0
//! The release of llama.cpp that is downloaded, what is compiled for it, and the
//! backend that it is to load.

use crate::repository;
use crate::run::{cargo, command, run};
use std::fs;
use std::path::{Path, PathBuf};

/// Where a program is made, from what, and what it is linked to.
pub(in crate::test) struct Source {
    /// A folder of libraries.
    pub(in crate::test) folder: &'static str,
    pub(in crate::test) name: &'static str,
    pub(in crate::test) paths: Vec<PathBuf>,
    pub(in crate::test) libraries: &'static [&'static str],
}

/// What a program is linked to that uses the release's ggml and no more.
const GGML: &[&str] = &["-l:libggml.v0.5.0.so", "-l:libggml-base.so"];
/// What a program is linked to that uses all of the release.
const LLAMA: &[&str] = &[
    "-l:libllama-common.so",
    "-l:libllama.v0.5.0.so",
    "-l:libggml.v0.5.0.so",
    "-l:libggml-base.so",
];

/// The folder that the release is in, downloaded unless it is there already.
pub(in crate::test) fn fetch() -> Result<PathBuf, String> {
    let cache = repository().join("target/llama");
    run(command("python3", &["build-support/ggml/fetch_release.py"]).arg(&cache))?;
    Ok(cache)
}

/// `libggml_spanker.so`, as it is built for use.
pub(in crate::test) fn backend() -> Result<PathBuf, String> {
    run(&mut cargo("build --release --package ggml-spanker"))?;
    Ok(repository().join("target/release/libggml_spanker.so"))
}

/// Upstream's own test of backends, unmodified.
pub(in crate::test) fn test_backend_ops(cache: &Path) -> Source {
    let paths = vec![cache.join("llama/tests/test-backend-ops.cpp")];
    Source { folder: "bin", name: "test-backend-ops", paths, libraries: GGML }
}

/// A program of upstream's, unmodified, that uses all of the release.
pub(in crate::test) fn of_upstream(cache: &Path, name: &'static str, files: &[&str]) -> Source {
    let paths = files.iter().map(|file| cache.join("llama").join(file)).collect();
    Source { folder: "bin", name, paths, libraries: LLAMA }
}

/// A program of ours that is linked to ggml alone.
pub(in crate::test) fn of_ours(folder: &'static str, name: &'static str) -> Source {
    let path = repository().join("build-support/ggml").join(name).with_extension("cpp");
    Source { folder, name, paths: vec![path], libraries: GGML }
}

/// Compiles a program unless it is newer than its sources, and says where it is.
pub(in crate::test) fn compile(cache: &Path, source: &Source) -> Result<PathBuf, String> {
    let folder = cache.join(source.folder);
    let program = folder.join(source.name);
    let time = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    if source.paths.iter().all(|path| time(&program) > time(path)) {
        return Ok(program);
    }
    let include = |part: &str| format!("-I{}", cache.join("llama").join(part).display());
    let includes = ["include", "common", "ggml/include", "ggml/src"].map(include);
    let mut compiler = command("g++", &["-O1", "-std=c++17", "-DGGML_BACKEND_DL"]);
    compiler.args(includes).args(&source.paths).arg("-o").arg(&program);
    compiler.arg(format!("-L{}", folder.display())).args(source.libraries);
    run(compiler.args(["-lpthread", "-Wl,-rpath,$ORIGIN"]))?;
    Ok(program)
}
