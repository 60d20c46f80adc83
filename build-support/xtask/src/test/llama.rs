// SPDX-License-Identifier: Apache-2.0
//! `libggml_spanker.so` in llama.cpp as others have built it: a release is
//! downloaded, with its own tests, and so is a real model.

mod host;
mod model;
mod node;
mod programs;
pub(super) mod release;

use crate::run::{cargo, command, run};
use programs::{Programs, Said};
use std::path::Path;

const NO_WORDS: &[&str] = &[];

/// What upstream's tests have of products of Q4_K by f32, at least.
const FEWEST_CASES: usize = 54;

pub(super) fn llama() -> Result<(), String> {
    let cache = release::fetch()?;
    run(command("python3", &["build-support/ggml/build_api_3.py"]).arg(&cache))?;
    mirror(&cache)?;
    let programs = Programs::compile(&cache, &release::backend()?)?;
    operations(&programs)?;
    speed_of_operations(&programs)?;
    memory(&programs)?;
    refusal(&programs)?;
    host::host(&programs)?;
    model::model(&programs)?;
    node::node(&programs)
}

/// The structs that pass the boundary are those of ggml's headers.
fn mirror(cache: &Path) -> Result<(), String> {
    let test = "test --package ggml-spanker --lib -- --include-ignored --exact";
    let mut test = cargo(test);
    test.arg("backend::ggml::tests::the_mirror_is_what_ggmls_headers_say");
    run(test.env("GGML_SOURCE", cache.join("llama/ggml")))
}

/// Upstream's own test of backends: every product with Q4_K weights that the CPU
/// computes, the Sail computes as well.
fn operations(programs: &Programs) -> Result<(), String> {
    let words = ["test", "-b", "Sail0", "-o", "MUL_MAT", "-p", "type_a=q4_K"];
    let said = programs.offloading("test-backend-ops", &words)?;
    let cases = said.lines().filter(|line| line.contains("MUL_MAT(type_a=q4_K"));
    let (mut passed, mut faults) = (0, Vec::new());
    for case in cases {
        match case.rsplit_once("): ").map(|(_, verdict)| verdict) {
            Some(verdict) if verdict.contains("OK") => passed += 1,
            // The CPU does not compute it either.
            Some(verdict) if verdict.contains("not supported") && verdict.contains("CPU") => {}
            _ => faults.push(case),
        }
    }
    println!("{passed} cases of MUL_MAT with q4_K weights passed");
    if !faults.is_empty() {
        return Err(format!("upstream's test of backends:\n{}", faults.join("\n")));
    }
    if passed < FEWEST_CASES {
        return Err(format!("only {passed} cases ran, {FEWEST_CASES} should:\n{said}"));
    }
    Ok(())
}

/// Upstream's measurement runs; what it measures is not judged here.
fn speed_of_operations(programs: &Programs) -> Result<(), String> {
    let pattern = "type_a=q4_K,type_b=f32,m=4096,n=(1|8|512),k=14336";
    let words = ["perf", "-b", "Sail0", "-o", "MUL_MAT", "-p", pattern];
    let said = programs.offloading("test-backend-ops", &words)?;
    let measured: Vec<&str> = said.lines().filter(|line| line.contains("FLOPS")).collect();
    println!("{}", measured.join("\n"));
    if measured.len() < 3 {
        return Err(format!("upstream's measurement of three products:\n{said}"));
    }
    Ok(())
}

/// Loaded, used and let go, without a fault and with nothing lost.
fn memory(programs: &Programs) -> Result<(), String> {
    let pattern = "type_a=q4_K,type_b=f32,m=16,n=1,k=256,bs=.3,2.,nr=.2,2.";
    let words = ["test", "-b", "Sail0", "-o", "MUL_MAT", "-p", pattern];
    let said = programs.under_valgrind("test-backend-ops", &words)?;
    said.expect("1/1 tests passed")?;
    said.expect("ERROR SUMMARY: 0 errors")
}

/// A ggml of another version gets no device, is told why, and goes on: of the
/// layout that API 2 had before, and of API 3.
fn refusal(programs: &Programs) -> Result<(), String> {
    let said = programs.offloading("on_the_cpu", NO_WORDS)?;
    said.expect("device: Sail0")?;
    said.expect("api: 2, with 2-D copies")?;
    said.expect("sum: 42")?;
    for (folder, version, api) in [
        ("old", "0.9.4", "api: 2, without 2-D copies"),
        ("api-3", "0.26.0", "api: 3, with 2-D copies"),
    ] {
        let said = programs.offloading_in(folder, "on_the_cpu", NO_WORDS)?;
        said.expect(api)?;
        let refusal =
            format!("built for ggml 0.25.1, and this is ggml {version}: it gets no Sails");
        let told = said.lines().filter(|line| line.contains(&refusal)).count();
        if told != 1 || said.contains("device: Sail") {
            return Err(format!("`{refusal}`, once, and no Sail:\n{said}"));
        }
        said.expect("sum: 42")?;
        println!("{api}: {refusal}");
    }
    Ok(())
}

impl Said {
    fn expect(&self, text: &str) -> Result<(), String> {
        if self.contains(text) {
            return Ok(());
        }
        Err(format!("this should have said `{text}`:\n{self}"))
    }
}
