// SPDX-License-Identifier: Apache-2.0
//! One executable of tests, run under emulation.

use super::build::Executable;
use super::Architecture;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How many tests it ran. What it printed is shown if one failed.
pub(super) fn run(architecture: &Architecture, executable: &Executable) -> Result<usize, String> {
    let Architecture { name: of, emulator, cpu, page, .. } = architecture;
    let Executable { name, path, folder } = executable;
    let begin = Instant::now();
    let ended = Command::new(emulator)
        .args(["-cpu", cpu])
        .arg(path)
        // The option for it is gone from newer emulators, which have pages of
        // this machine's size.
        .env("QEMU_PAGESIZE", page.to_string())
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .map_err(|e| format!("{emulator} does not start: {e}"))?;
    let printed = String::from_utf8_lossy(&ended.stdout);
    let counted = passed(&printed);
    match counted {
        Some(tests) if ended.status.success() => {
            println!("{of}: {name}: {tests} passed in {:.1} s", begin.elapsed().as_secs_f32());
            Ok(tests)
        }
        _ => {
            println!("{printed}{}", String::from_utf8_lossy(&ended.stderr));
            Err(format!("{name}: {}", ended.status))
        }
    }
}

/// The count in the line that tells how all went, unless a test was ignored or
/// left out.
fn passed(printed: &str) -> Option<usize> {
    let result = printed.lines().find_map(|line| line.strip_prefix("test result: ok. "))?;
    let counts: Vec<(usize, &str)> = result
        .split("; ")
        .filter_map(|part| part.split_once(' '))
        .filter_map(|(count, what)| Some((count.parse().ok()?, what)))
        .collect();
    let (first, others) = counts.split_first()?;
    (first.1 == "passed" && others.len() == 4 && others.iter().all(|(count, _)| *count == 0))
        .then_some(first.0)
}

#[cfg(test)]
mod tests {
    use super::passed;

    fn result(counts: &str) -> String {
        format!("running\ntest a ... ok\n\ntest result: {counts}; finished in 0.01s\n")
    }

    #[test]
    fn tests_are_counted_if_every_one_ran_and_passed() {
        let all = "ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!(passed(&result(all)), Some(12));
        for less in [
            "ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out",
            "ok. 12 passed; 0 failed; 0 ignored; 0 measured; 3 filtered out",
            "FAILED. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out",
            "ok. 12 passed",
        ] {
            assert_eq!(passed(&result(less)), None, "{less}");
        }
        assert_eq!(passed("running\n"), None);
    }
}
