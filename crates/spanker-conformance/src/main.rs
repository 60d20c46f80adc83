// SPDX-License-Identifier: Apache-2.0
//! Puts a device to the conformance suite and tells how it did.

mod report;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use report::Report;
use spanker_conformance::case::Case;
use spanker_conformance::kernel::Target;
use spanker_conformance::run::{run, Outcome};
use spanker_conformance::{cases, soft};

/// Holds a device to the sentences of spanker_ioctl.h.
///
/// A card of the kernel is used by nobody else meanwhile: root's cards that are
/// virtual are deleted and made again for each case, with the limits they have.
#[derive(Debug, Parser)]
#[command(name = "spanker-conformance", version)]
struct Arguments {
    /// The device under test: `soft`, the software Sail in this process, or the
    /// node of a card
    #[arg(long, value_name = "soft|NODE", required_unless_present = "list")]
    device: Option<PathBuf>,

    /// The control node [default: `spankerctl` beside the card]
    #[arg(long, value_name = "NODE")]
    control: Option<PathBuf>,

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
    #[arg(value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
}

/// What the cases are run on.
#[derive(Clone)]
enum Under {
    Soft,
    Kernel(Target),
}

impl Under {
    fn find(arguments: &Arguments) -> Result<Under, String> {
        let device = arguments.device.as_deref().ok_or("no device is named")?;
        let control = arguments.control.as_deref();
        if device.as_os_str() != "soft" {
            return Ok(Under::Kernel(Target::find(device, control)?));
        }
        match control {
            None => Ok(Under::Soft),
            Some(_) => Err("the software Sail has no node for --control".into()),
        }
    }

    fn run(&self, case: Case, limit: Duration) -> Outcome {
        match self.clone() {
            Under::Soft => run(case, soft::make, limit),
            Under::Kernel(target) => run(case, move || target.device(), limit),
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match conformance(&arguments) {
        Ok(code) => code,
        Err(reason) => {
            eprintln!("spanker-conformance: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn conformance(arguments: &Arguments) -> Result<ExitCode, String> {
    let on_soft = arguments.device.as_deref().is_some_and(|device| device.as_os_str() == "soft");
    let chosen: Vec<Case> =
        cases().into_iter().filter(|case| case.full_name().contains(&arguments.filter)).collect();
    if chosen.is_empty() {
        let filter = &arguments.filter;
        return Err(format!("no case has {filter:?} in its name; --list names them all"));
    }
    if arguments.list {
        for case in &chosen {
            let mark = if case.is_of_the_kernel() { "  (kernel only)" } else { "" };
            println!("{}{mark}", case.full_name());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let under = Under::find(arguments)?;
    let (chosen, elsewhere): (Vec<Case>, Vec<Case>) =
        chosen.into_iter().partition(|case| !on_soft || !case.is_of_the_kernel());
    if chosen.is_empty() {
        return Err(format!(
            "all {} cases with {:?} in their name are a kernel's: run them on a node",
            elsewhere.len(),
            arguments.filter
        ));
    }
    let mut report = Report::new(arguments.tap, chosen.len());
    for case in chosen {
        let name = case.full_name();
        let start = Instant::now();
        let outcome = under.run(case, Duration::from_secs(arguments.limit));
        report.tell(&name, &outcome, start.elapsed());
    }
    let restored = match &under {
        Under::Soft => Ok(()),
        Under::Kernel(target) => target.restore(),
    };
    let passed = report.end(elsewhere.len());
    restored?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
