// SPDX-License-Identifier: Apache-2.0
//! What is tried, in this order. Each begins without the module and leaves none.

mod insertion;

use std::fs::OpenOptions;
use std::io::Write;
use std::panic;
use std::process::ExitCode;
use std::time::Duration;

/// Where a scenario that fails leaves the reason.
pub(crate) const REASON: &str = "/tmp/reason";

/// Like a test: it panics when something is not as it should be.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) seconds: u64,
    run: fn(),
}

pub(crate) const ALL: &[Scenario] = &[Scenario {
    name: "the module makes nodes for its users",
    seconds: 20,
    run: insertion::nodes,
}];

impl Scenario {
    pub(crate) fn limit(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

pub(crate) fn run(name: &str) -> ExitCode {
    let Some(scenario) = ALL.iter().find(|scenario| scenario.name == name) else {
        eprintln!("no scenario `{name}`");
        return ExitCode::FAILURE;
    };
    panic::set_hook(Box::new(|info| {
        // The first reason: what fails after it fails because of it.
        let open = OpenOptions::new().write(true).create_new(true).open(REASON);
        if let Ok(mut file) = open {
            let _ = write!(file, "{info}");
        }
        eprintln!("{info}");
    }));
    (scenario.run)();
    ExitCode::SUCCESS
}
