// SPDX-License-Identifier: Apache-2.0
//! Every case on the software Sail but those that are a kernel's alone. It has
//! every control, so that nothing may be skipped.

use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use spanker_conformance::run::{run, Outcome};
use spanker_conformance::{cases, soft};

/// A case that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let trials = cases()
        .into_iter()
        .filter(|case| !case.is_of_the_kernel())
        .map(|case| {
            Trial::test(case.full_name(), move || match run(case, soft::make, LIMIT) {
                Outcome::Passed => Ok(()),
                Outcome::Failed(reason) => Err(Failed::from(reason)),
                Outcome::Skipped(reason) => {
                    Err(Failed::from(format!("skipped, which soft has no reason for: {reason}")))
                }
            })
        })
        .collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
