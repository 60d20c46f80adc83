// SPDX-License-Identifier: Apache-2.0
//! What programs with ggml do and upstream's test does not: several contexts at
//! once, unloading, a number of threads, a Sail that fails.

use super::programs::{Programs, Said};

const PROGRAM: &str = "products";

pub(super) fn host(programs: &Programs) -> Result<(), String> {
    contexts(programs)?;
    reload(programs)?;
    threads(programs)?;
    failure(programs)
}

/// Two contexts of one device and one of another, at once: their results are the
/// CPU's, and memory is touched as it may be.
fn contexts(programs: &Programs) -> Result<(), String> {
    programs.offloading(PROGRAM, &["contexts", "500"])?;
    let said = programs.under_valgrind(PROGRAM, &["contexts", "6"])?;
    said.expect("ERROR SUMMARY: 0 errors")
}

/// Loaded by path, used, let go and unloaded, again and again: nothing is lost,
/// and nothing piles up. What is there for good are the devices.
fn reload(programs: &Programs) -> Result<(), String> {
    let kept = |times: &str| {
        let said = programs.under_valgrind(PROGRAM, &["reload", times])?;
        said.expect("ERROR SUMMARY: 0 errors")?;
        said.expect("definitely lost: 0 bytes")?;
        said.number("in use at exit:", 3)
    };
    let (few, many) = (kept("2")?, kept("8")?);
    println!("{few} blocks are kept from 2 uses, {many} from 8");
    // A thread may be late and come to have its own only in the longer run.
    if many < few + 6.0 {
        return Ok(());
    }
    Err(format!("{few} blocks are kept from 2 uses, {many} from 8"))
}

/// The program says how many threads compute.
fn threads(programs: &Programs) -> Result<(), String> {
    // With what it is told, or nothing, so many of four threads compute.
    for (told, fewest, most) in [("1", 0.9, 1.1), ("2", 1.5, 2.4), ("0", 2.4, 4.5)] {
        let said = programs.offloading(PROGRAM, &["threads", told])?;
        let computed = said.number("threads:", 0)?;
        println!("told `{told}`: {computed} threads compute");
        if !(fewest..most).contains(&computed) {
            return Err(format!("told `{told}`, {computed} threads computed"));
        }
    }
    Ok(())
}

/// A Sail that fails is a status and a line; the program goes on to its end.
fn failure(programs: &Programs) -> Result<(), String> {
    let said = programs.offloading(PROGRAM, &["failure"])?;
    said.expect("Sail0: batch 2: the Sail failed at op 0 of batch 2")?;
    let said = programs.under_valgrind(PROGRAM, &["failure"])?;
    said.expect("ERROR SUMMARY: 0 errors")
}

impl Said {
    /// The number that is this many words behind `label`.
    fn number(&self, label: &str, word: usize) -> Result<f64, String> {
        let rest = self.split_once(label).map(|(_, rest)| rest);
        let word = rest.and_then(|rest| rest.split_whitespace().nth(word));
        let number = word.and_then(|word| word.replace(',', "").parse().ok());
        number.ok_or_else(|| format!("this should have a number at `{label}`:\n{self}"))
    }
}
