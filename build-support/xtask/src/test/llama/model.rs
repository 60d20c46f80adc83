// SPDX-License-Identifier: Apache-2.0
//! A real model in upstream's own programs, with and without a Sail: what is
//! offloaded, what comes out, and how fast.

mod agreement;
mod logits;
mod products;
mod speed;

use super::programs::{Programs, Said};
use crate::repository;
use crate::run::{command, run};
use std::fs;

/// Q4_K tensors of the model, each of which is multiplied once an evaluation.
pub(super) const TENSORS: usize = 27;

/// Programs' threads wait for each other by spinning: where others compute too,
/// more than one is ruinous.
const THREADS: &str = "1";

/// What is evaluated: C, which the model follows well. In prose, rounding makes
/// more of a difference: more than is allowed here, and to ggml's CPU backend with
/// and without repacking as well.
const TEXT: &str = "driver/op.c";
/// Bytes of it: less than 512 tokens.
const LENGTH: usize = 1200;

const CACHE: &str = "target/real-model";

/// The file of the model, once it has been fetched.
pub(super) fn file() -> String {
    format!("{CACHE}/gemma-3-270m-q4_k_m.gguf")
}

pub(super) fn model(programs: &Programs) -> Result<(), String> {
    run(&mut command("python3", &["build-support/model/fetch_model.py", CACHE]))?;
    logits::logits(programs)?;
    products::products(programs)?;
    speed::speed(programs)
}

/// How each of the programs is to evaluate the text.
fn words() -> Result<Vec<String>, String> {
    let path = repository().join(TEXT);
    let mut text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    text.truncate(LENGTH);
    let words = ["--model", &file(), "--threads", THREADS, "--ctx-size", "512", "--prompt", &text];
    Ok(words.map(str::to_owned).to_vec())
}

impl Said {
    /// Every product with Q4_K weights was computed on the Sail, in so many
    /// evaluations.
    fn expect_all_offloaded(&self, evaluations: usize) -> Result<(), String> {
        let statistics: Vec<_> = self.lines().filter(|line| line.contains("Sail0: ")).collect();
        let matmuls = |line: &&str| {
            let (_, rest) = line.split_once("Sail0: ")?;
            rest.split_once(" matmuls,")?.0.parse::<usize>().ok()
        };
        let offloaded: usize = statistics.iter().filter_map(matmuls).sum();
        println!("{evaluations} evaluations: {offloaded} matmuls:\n{}", statistics.join("\n"));
        if offloaded == TENSORS * evaluations {
            return Ok(());
        }
        Err(format!("{offloaded} matmuls; {TENSORS} × {evaluations} should be the Sail's"))
    }
}
