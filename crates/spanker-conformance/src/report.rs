// SPDX-License-Identifier: Apache-2.0
//! What is printed: a line for each case, and at the end how many passed.

use std::time::Duration;

use spanker_conformance::run::Outcome;

/// What is worth telling: all cases together are to take little more than a
/// minute on a slow machine.
const LONG: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub(crate) struct Report {
    tap: bool,
    passed: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    /// Begins the report of so many cases, in the Test Anything Protocol or in
    /// plain lines.
    pub(crate) fn new(tap: bool, cases: usize) -> Report {
        if tap {
            println!("TAP version 13\n1..{cases}");
        }
        Report { tap, passed: 0, failed: 0, skipped: 0 }
    }

    /// Tells how the next case ended, and how long it took if that was long.
    pub(crate) fn tell(&mut self, name: &str, outcome: &Outcome, took: Duration) {
        match outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed(_) => self.failed += 1,
            Outcome::Skipped(_) => self.skipped += 1,
        }
        let number = self.passed + self.failed + self.skipped;
        let line = if self.tap { tap(number, name, outcome) } else { plain(name, outcome) };
        println!("{line}");
        if took >= LONG {
            let mark = if self.tap { "  # " } else { "         " };
            println!("{mark}that took {:.1} s", took.as_secs_f32());
        }
    }

    /// Ends the report. Whether a case was run, and none failed.
    pub(crate) fn end(self, elsewhere: usize) -> bool {
        let mark = if self.tap { "# " } else { "" };
        let Report { passed, failed, skipped, .. } = self;
        if elsewhere > 0 {
            println!("{mark}{elsewhere} more are run on a kernel only: --list names them");
        }
        if skipped > 0 {
            println!("{mark}{skipped} SKIPPED: the device cannot be held to them");
        }
        println!("{mark}{passed} passed, {failed} failed");
        passed > 0 && failed == 0
    }
}

fn plain(name: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => format!("ok       {name}"),
        Outcome::Failed(reason) => format!("FAILED   {name}: {reason}"),
        Outcome::Skipped(reason) => format!("SKIPPED  {name}: {reason}"),
    }
}

fn tap(number: usize, name: &str, outcome: &Outcome) -> String {
    match outcome {
        Outcome::Passed => format!("ok {number} - {name}"),
        Outcome::Failed(reason) => {
            format!("not ok {number} - {name}\n  # {}", reason.replace('\n', "\n  # "))
        }
        Outcome::Skipped(reason) => format!("ok {number} - {name} # SKIP {reason}"),
    }
}
