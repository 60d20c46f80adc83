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
            run_elsewhere(&printed).for_each(|line| println!("{of}: {name}: {line}"));
            Ok(tests)
        }
        _ => {
            println!("{printed}{}", String::from_utf8_lossy(&ended.stderr));
            Err(format!("{name}: {}", ended.status))
        }
    }
}

/// Tests that other steps run: what they need is not emulated, or has nothing
/// to do with the architecture. They say why themselves, which is printed.
const ELSEWHERE: [&str; 5] = [
    "backend::ggml::tests::the_mirror_is_what_ggmls_headers_say",
    "backend::host::tests::what_is_loaded_is_looked_through",
    "block_formats_are_those_of_ggml",
    "changes_are_asked_about",
    "transport::kernel::tests::offsets_of_more_than_32_bits_reach_the_kernel",
];

/// The lines of those tests.
fn run_elsewhere(printed: &str) -> impl Iterator<Item = &str> {
    printed.lines().filter(|line| {
        let ignored = line.strip_prefix("test ").and_then(|line| line.split_once(" ... ignored"));
        ignored.is_some_and(|(name, _)| ELSEWHERE.contains(&name))
    })
}

/// The count in the line that tells how all went, unless another test than
/// those was ignored or left out.
fn passed(printed: &str) -> Option<usize> {
    let result = printed.lines().find_map(|line| line.strip_prefix("test result: ok. "))?;
    let count = |what: &str| {
        let count = result.split("; ").find_map(|part| part.strip_suffix(what))?;
        count.trim().parse::<usize>().ok()
    };
    let all = count("failed")? == 0
        && count("ignored")? == run_elsewhere(printed).count()
        && count("filtered out")? == 0;
    count("passed").filter(|_| all)
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

    #[test]
    fn only_tests_that_other_steps_run_may_be_ignored() {
        let one = "ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out";
        let with = |name: &str| format!("test {name} ... ignored, SKIPPED: why\n{}", result(one));
        assert_eq!(passed(&with("changes_are_asked_about")), Some(12));
        assert_eq!(passed(&with("changes")), None);
    }
}
