// SPDX-License-Identifier: Apache-2.0
//! A real model, evaluated with and without a Sail: what is offloaded, and what
//! comes out.

use super::programs::{Programs, Said, ANOTHER_CPU};
use crate::repository;
use crate::run::{command, run};
use std::fs;
use std::path::Path;

/// Q4_K tensors of the model, each of which is multiplied once an evaluation.
pub(super) const TENSORS: u64 = 27;
const FEWEST_POSITIONS: u64 = 64;
/// The largest difference of logits, as a normalised mean square.
const LOGITS: f64 = 1e-3;
/// The same of the products by themselves.
const PRODUCTS: f64 = 2e-4;
/// By how much products may be larger or smaller on the whole.
const SCALE: f64 = 2e-3;

/// Programs' threads wait for each other by spinning: where others compute too,
/// more than one is ruinous.
const THREADS: &str = "1";

const CACHE: &str = "target/real-model";

/// The file of the model, once it has been fetched.
pub(super) fn model() -> String {
    format!("{CACHE}/gemma-3-270m-q4_k_m.gguf")
}

pub(super) fn evaluation(programs: &Programs) -> Result<(), String> {
    run(&mut command("python3", &["build-support/model/fetch_model.py", CACHE]))?;
    let model = model();
    let folders = ["cpu", "another", "sail"].map(|name| programs.folder(name));
    let [cpu, another, sail] = folders;
    let (cpu, another, sail) = (cpu?, another?, sail?);
    let text = repository().join("driver/op.c");
    let words = |folder: &Path| {
        [model.clone(), THREADS.into(), text.display().to_string(), folder.display().to_string()]
    };
    programs.without("bin", "evaluate", &words(&cpu))?;
    programs.without(ANOTHER_CPU, "evaluate", &words(&another))?;
    let said = programs.offloading("evaluate", &words(&sail))?;
    everything_was_offloaded(&said)?;

    let [expected, given] = [&cpu, &sail].map(|folder| floats(&folder.join("products")));
    let (expected, given) = (expected?, given?);
    same_products(&expected, &given)?;
    // Logits hardly change with the scale of what is normalised afterwards, and
    // mean squares allow much. This check does not.
    let scaled: Vec<f32> = given.iter().map(|value| value * 1.02).collect();
    if same_products(&expected, &scaled).is_ok() {
        return Err("products that are 2 % too large would pass".to_owned());
    }

    let [cpu, another, sail] = [cpu, another, sail].map(|folder| floats(&folder.join("logits")));
    let (cpu, another, sail) = (cpu?, another?, sail?);
    let (difference, own) = (nmse(&cpu, &sail)?, nmse(&cpu, &another)?);
    println!("logits: NMSE {difference:.2e} with the Sail; two CPU backends of ggml: {own:.2e}");
    // Rounding differs between ggml's own backends, and the model amplifies it.
    if difference <= LOGITS.max(1.5 * own) {
        return Ok(());
    }
    Err(format!("logits differ by {difference:.2e}, {LOGITS:.0e} is allowed"))
}

/// Every product with Q4_K weights was computed on the Sail.
fn everything_was_offloaded(said: &Said) -> Result<(), String> {
    let number = |label: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(label));
        line.and_then(|number| number.trim().parse::<u64>().ok())
            .ok_or_else(|| format!("`{label}` is missing:\n{said}"))
    };
    let (positions, evaluations) = (number("positions:")?, number("evaluations:")?);
    let line = said.lines().find(|line| line.contains("Sail0: "));
    let line = line.ok_or_else(|| format!("there are no statistics:\n{said}"))?;
    println!("{positions} positions in {evaluations} evaluations: {line}");
    let offloaded = format!("Sail0: {} matmuls,", TENSORS * evaluations);
    if !line.contains(&offloaded) || number("products:")? != TENSORS * evaluations {
        return Err(format!("it should have been `{offloaded}`"));
    }
    if positions < FEWEST_POSITIONS {
        return Err(format!("{positions} positions are too few"));
    }
    Ok(())
}

fn same_products(expected: &[f32], given: &[f32]) -> Result<(), String> {
    let difference = nmse(expected, given)?;
    let pairs = || expected.iter().zip(given).map(|(e, g)| (f64::from(*e), f64::from(*g)));
    let scale = pairs().map(|(e, g)| e * g).sum::<f64>() / pairs().map(|(e, _)| e * e).sum::<f64>();
    println!("{} products' results: NMSE {difference:.2e}, scale {scale:.5}", given.len());
    if difference <= PRODUCTS && (scale - 1.0).abs() <= SCALE {
        return Ok(());
    }
    Err(format!("products: NMSE {difference:.2e}, scale {scale:.5}"))
}

/// The square of the difference, in squares of what is expected.
fn nmse(expected: &[f32], given: &[f32]) -> Result<f64, String> {
    if expected.is_empty() || expected.len() != given.len() {
        return Err(format!("{} numbers, and {} of the CPU", given.len(), expected.len()));
    }
    let pairs = || expected.iter().zip(given).map(|(e, g)| (f64::from(*e), f64::from(*g)));
    let difference: f64 = pairs().map(|(e, g)| (e - g).powi(2)).sum();
    let nmse = difference / pairs().map(|(e, _)| e * e).sum::<f64>();
    if nmse.is_nan() {
        return Err("there are results that are no numbers".to_owned());
    }
    Ok(nmse)
}

fn floats(file: &Path) -> Result<Vec<f32>, String> {
    let bytes = fs::read(file).map_err(|e| format!("{}: {e}", file.display()))?;
    let float = |bytes: &[u8]| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    Ok(bytes.chunks_exact(4).map(float).collect())
}
