// SPDX-License-Identifier: Apache-2.0
//! The same in Node, which loads ggml so that its symbols are its own.

use super::model::{file, TENSORS};
use super::programs::Programs;
use crate::repository;
use crate::run::{command, run};

/// As many evaluations as tokens: the prompt is one, and the last token is not
/// evaluated any more.
const EVALUATIONS: usize = 16;

pub(super) fn node(programs: &Programs) -> Result<(), String> {
    let folder = repository().join("target/llama/node");
    let package = "node-llama-cpp@3.22.1";
    let install = ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"];
    run(command("npm", &install).arg(&folder).arg(package))?;
    let (script, folder) = ("build-support/ggml/generate.mjs", folder.to_string_lossy());
    let words = [script, &folder, &file()];
    let text = |said: &str| said.lines().find(|line| line.starts_with("text: ")).map(str::to_owned);
    let alone = programs.of_the_path("node", &words)?;
    let said = programs.of_the_path_offloading("node", &words)?;
    let (expected, given) = (text(&alone), text(&said));
    println!("{}", given.as_deref().unwrap_or_default());
    if expected.is_none() || expected != given {
        return Err(format!("{expected:?} without a Sail, and with one {given:?}"));
    }
    said.expect(&format!("Sail0: {} matmuls,", TENSORS * EVALUATIONS))
}
