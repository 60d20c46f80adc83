// SPDX-License-Identifier: Apache-2.0
//! Upstream's `llama-bench` measures tokens per second, with and without a Sail.

use super::{file, THREADS};
use crate::test::llama::programs::{Programs, Said};

/// Tokens that are read and tokens that are generated, and how often.
const READ: usize = 64;
const GENERATED: usize = 16;
const TIMES: usize = 2;

/// What is measured is not judged here, but all of it was the Sail's work.
pub(super) fn speed(programs: &Programs) -> Result<(), String> {
    let (model, read, generated) = (file(), READ.to_string(), GENERATED.to_string());
    let times = TIMES.to_string();
    let words = ["-m", &model, "-t", THREADS, "-p", &read, "-n", &generated, "-r", &times, "-v"];
    let table = |said: &Said| {
        let lines = said.lines().filter(|line| line.starts_with("| "));
        lines.map(|line| format!("{line}\n")).collect::<String>()
    };
    let alone = programs.without("llama-bench", &words)?;
    let said = programs.offloading("llama-bench", &words)?;
    print!("{}{}", table(&alone), table(&said));
    // To warm up it reads all tokens, and generates one.
    said.expect_all_offloaded((1 + TIMES) + (1 + TIMES * GENERATED))
}
