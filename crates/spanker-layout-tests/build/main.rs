// SPDX-License-Identifier: Apache-2.0
//! Asks the compilers, for the target, what they make of the header and its
//! mirrors; stops where they differ; and has the answers compiled into the
//! library, so that the tests compare what runs on the target as well.

#[cfg(feature = "bindgen")]
mod bindgen_layouts;
mod compiled;
mod mirrors;

use spanker_layouts::compilers::{CCompiler, Language, NoAnswer, Rustc};
use spanker_layouts::header::Header;
use spanker_layouts::{c_source, ggml, Answers};
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::exit;

/// A folder with ggml's headers.
const GGML_HEADERS: &str = "GGML_HEADERS";

fn main() {
    if let Err(message) = build() {
        eprintln!("spanker-layout-tests: {message}");
        exit(1);
    }
}

fn build() -> Result<(), String> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out = PathBuf::from(variable("OUT_DIR")?);
    let target = variable("TARGET")?;
    let host = variable("HOST")?;
    let include = PathBuf::from(variable("DEP_SPANKER_INCLUDE")?);
    for changed in [root.join("build"), include.clone()] {
        println!("cargo:rerun-if-changed={}", changed.display());
    }
    // Those of C are told by the crate `cc`, which makes the library.
    let of_target = target.replace('-', "_");
    for name in ["CXX", "CXXFLAGS", &format!("CXX_{target}"), &format!("CXX_{of_target}")] {
        println!("cargo:rerun-if-env-changed={name}");
    }
    println!("cargo:rerun-if-env-changed={GGML_HEADERS}");
    println!("cargo:rustc-check-cfg=cfg(native)");
    println!("cargo:rustc-check-cfg=cfg(cplusplus)");
    println!("cargo:rustc-check-cfg=cfg(ggml)");
    let path = include.join("linux/spanker_ioctl.h");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let header = Header::parse(&text).map_err(|e| e.to_string())?;

    let rustc = Rustc {
        program: env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()),
        target: target.clone(),
        flags: flags(&env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default()),
    };
    let c = CCompiler::find(Language::C, &target, &host)?;
    let (c_answers, table) = c.ask(&header.questions(), &include, &out, "")?;
    let cpp = match CCompiler::find(Language::Cpp, &target, &host) {
        Ok(cpp) => {
            println!("cargo:rustc-cfg=cplusplus");
            let (_, table) = cpp.ask(&header.questions(), &include, &out, "cpp_")?;
            Ok((cpp, table))
        }
        Err(NoAnswer::Absent(why)) => Err(why),
        Err(other) => return Err(other.into()),
    };

    let mirrors = mirrors::all(&root)?;
    let mut wrong = Vec::new();
    for (index, mirror) in mirrors.iter().enumerate() {
        let held = mirror.ask(&rustc, &header, &target, &out, &format!("mirror{index}")).and_then(
            |rust| {
                let cpp = cpp.as_ref().ok().map(|(cpp, _)| cpp);
                hold(&rust, &c_answers, &[Some(&c), cpp], &include, &out)
            },
        );
        wrong.extend(held.err());
    }
    if !wrong.is_empty() {
        return Err(wrong.join("\n"));
    }

    let mut library = cc::Build::new();
    library.object(table);
    library.object(c.compile(&c_source::exchange(&header), &include, &out, "exchange")?);
    if let Ok((_, table)) = &cpp {
        library.object(table);
    }
    let ggml = ggml(&c, &c_answers, &include, &out)?;
    if let Ok((object, _)) = &ggml {
        library.object(object);
    }
    library.try_compile("spanker_layout").map_err(|e| e.to_string())?;

    let bindgen = bindgen_layouts(&root, &include, &target, &out)?;
    let compiled = compiled::text(&compiled::Parts {
        header: &header,
        mirrors: &mirrors,
        cpp: cpp.map(drop),
        ggml: ggml.map(|(_, count)| count),
        bindgen,
    });
    fs::write(out.join("compiled.rs"), compiled).map_err(|e| e.to_string())?;
    if host == target {
        println!("cargo:rustc-cfg=native");
    }
    println!("cargo:rustc-env=SPANKER_LAYOUT_TARGET={target}");
    println!("cargo:rustc-env=SPANKER_LAYOUT_RUSTC={}", rustc.program.to_string_lossy());
    println!("cargo:rustc-env=SPANKER_LAYOUT_RUSTFLAGS={}", rustc.flags.join("\x1f"));
    println!("cargo:rustc-env=SPANKER_LAYOUT_INCLUDE={}", include.display());
    Ok(())
}

/// Static asserts of what rustc says, by each compiler. What they refuse is told
/// once more in short, from the numbers.
fn hold(
    rust: &Answers,
    c: &Answers,
    compilers: &[Option<&CCompiler>],
    include: &Path,
    out: &Path,
) -> Result<(), String> {
    let asserts = c_source::asserts(rust);
    for compiler in compilers.iter().flatten() {
        if let Err(refused) = compiler.compile(&asserts, include, out, "asserts") {
            let differences = c.differences(rust).join("\n  ");
            return Err(format!("{}\nin short:\n  {differences}", String::from(refused)));
        }
    }
    Ok(())
}

/// ggml's answers as an object, and how many there are; or what to do to have
/// them.
fn ggml(
    c: &CCompiler,
    answers: &Answers,
    include: &Path,
    out: &Path,
) -> Result<Result<(PathBuf, usize), String>, String> {
    let Some(headers) = env::var_os(GGML_HEADERS).map(PathBuf::from) else {
        return Ok(Err(format!(
            "{GGML_HEADERS} was not set in the build: run `cargo xtask test ggml`"
        )));
    };
    println!("cargo:rerun-if-changed={}", headers.display());
    println!("cargo:rustc-cfg=ggml");
    let questions = ggml::questions(answers);
    let source = ggml::source(&questions);
    let object = c.compile_with(&source, &[include, &headers], out, "ggml")?;
    Ok(Ok((object, questions.len())))
}

/// The layouts that bindgen asserts, as its text; or why there are none.
#[cfg(feature = "bindgen")]
fn bindgen_layouts(
    root: &Path,
    include: &Path,
    target: &str,
    out: &Path,
) -> Result<Result<String, String>, String> {
    bindgen_layouts::text(root, include, target, out)
}

#[cfg(not(feature = "bindgen"))]
fn bindgen_layouts(
    _root: &Path,
    _include: &Path,
    _target: &str,
    _out: &Path,
) -> Result<Result<String, String>, String> {
    Ok(Err("the feature `bindgen` of spanker-layout-tests is off".to_owned()))
}

fn flags(encoded: &str) -> Vec<String> {
    encoded.split('\x1f').filter(|flag| !flag.is_empty()).map(str::to_owned).collect()
}

fn variable(name: &str) -> Result<String, String> {
    env::var(name).map_err(|e| format!("cargo did not set {name}: {e}"))
}
