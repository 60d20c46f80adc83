// SPDX-License-Identifier: Apache-2.0
//! Instructions counted by valgrind's callgrind.

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};

/// Two numbers of rounds, the difference between which is what is looked at: so
/// what is done once, such as growing an array, does not count.
const FEW: usize = 100;
const MANY: usize = 300;

/// Instructions in each of these functions and what it calls, per round.
pub(crate) fn instructions_per_round(functions: &[&str]) -> Result<Vec<f64>, Box<dyn Error>> {
    let few = instructions(functions, FEW)?;
    let many = instructions(functions, MANY)?;
    let pairs = few.iter().zip(&many);
    Ok(pairs.map(|(few, many)| (many - few) as f64 / (MANY - FEW) as f64).collect())
}

/// A file that goes when this does.
struct Scratch(PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn instructions(functions: &[&str], rounds: usize) -> Result<Vec<i64>, Box<dyn Error>> {
    let file = Scratch(env::temp_dir().join(format!("spanker-costs-{}", process::id())));
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--quiet"])
        .arg(format!("--callgrind-out-file={}", file.0.display()))
        .arg(env::current_exe()?)
        .args(["work", &rounds.to_string()]);
    run(&mut valgrind, "valgrind")?;
    let listing = run(annotate(&file.0).stdout(Stdio::piped()), "callgrind_annotate")?;
    functions
        .iter()
        .map(|name| {
            let line = listing.lines().find(|line| names(line, name));
            let count = line.and_then(count).ok_or_else(|| format!("{name} was not counted"))?;
            Ok(count)
        })
        .collect()
}

fn annotate(file: &Path) -> Command {
    let mut command = Command::new("callgrind_annotate");
    command.args(["--inclusive=yes", "--threshold=100"]).arg(file);
    command
}

fn run(command: &mut Command, name: &str) -> Result<String, Box<dyn Error>> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|error| {
        format!("{name} does not start ({error}): install it (Debian: apt-get install valgrind)")
    })?;
    if !output.status.success() {
        return Err(format!("{name}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Whether a line of the listing is that of this function.
fn names(line: &str, function: &str) -> bool {
    let path = line.split(" [").next().unwrap_or(line);
    path.rsplit("::").next().is_some_and(|last| last.trim() == function)
}

/// The count at the beginning of a line, as in `1,234 (5.6%)  file:function`.
fn count(line: &str) -> Option<i64> {
    line.split_whitespace().next()?.replace(',', "").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_listing_is_read() {
        let line = "3,847,269 (40.59%)  ???:costs::safe::safe_batches [/target/costs]";
        assert!(names(line, "safe_batches"));
        assert!(!names(line, "batches"));
        assert_eq!(count(line), Some(3_847_269));
    }
}
