// SPDX-License-Identifier: Apache-2.0
//! Puts a device to the conformance suite and tells how it did.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use spanker_conformance::case::Case;
use spanker_conformance::run::{run, MakeDevice, Outcome};
use spanker_conformance::{cases, soft};

/// Holds a device to the sentences of spanker_ioctl.h.
#[derive(Debug, Parser)]
#[command(name = "spanker-conformance", version)]
struct Arguments {
    /// The device under test
    #[arg(long, value_enum)]
    device: DeviceKind,

    /// Only cases whose name contains this
    #[arg(long, value_name = "TEXT", default_value = "")]
    filter: String,

    /// Name the cases and run none
    #[arg(long)]
    list: bool,

    /// Tell it in the Test Anything Protocol
    #[arg(long)]
    tap: bool,

    /// Seconds after which a case has failed that has not ended
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    limit: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DeviceKind {
    /// The software Sail, in this process
    Soft,
}

impl DeviceKind {
    fn make(self) -> MakeDevice {
        match self {
            DeviceKind::Soft => soft::make,
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let chosen: Vec<Case> =
        cases().into_iter().filter(|case| case.full_name().contains(&arguments.filter)).collect();
    if arguments.list {
        for case in &chosen {
            println!("{}", case.full_name());
        }
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        eprintln!("no case has {:?} in its name; --list names them all", arguments.filter);
        return ExitCode::FAILURE;
    }
    if arguments.tap {
        println!("TAP version 13\n1..{}", chosen.len());
    }
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (number, case) in (1..).zip(chosen) {
        let outcome = run(case, arguments.device.make(), Duration::from_secs(arguments.limit));
        let name = case.full_name();
        let line =
            if arguments.tap { tap(number, &name, &outcome) } else { plain(&name, &outcome) };
        println!("{line}");
        match outcome {
            Outcome::Passed => passed += 1,
            Outcome::Failed(_) => failed += 1,
            Outcome::Skipped(_) => skipped += 1,
        }
    }
    let mark = if arguments.tap { "# " } else { "" };
    if skipped > 0 {
        println!("{mark}{skipped} SKIPPED: the device cannot be held to them");
    }
    println!("{mark}{passed} passed, {failed} failed");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
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
