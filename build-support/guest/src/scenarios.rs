// SPDX-License-Identifier: Apache-2.0
//! What is tried, in this order. Each begins without the module and leaves none.

mod going;
mod insertion;
mod llama;
mod memory;
mod programs;

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

const fn scenario(name: &'static str, seconds: u64, run: fn()) -> Scenario {
    Scenario { name, seconds, run }
}

pub(crate) const ALL: &[Scenario] = &[
    scenario("nodes are there with the module", 20, insertion::nodes),
    scenario("cards are made by parameter and by new_device", 20, insertion::cards),
    scenario("a driver of another major is refused by name", 20, insertion::another_version),
    scenario("the module stays while somebody uses it", 20, insertion::in_use),
    scenario("the command's own words", 60, programs::command),
    scenario("the safe crate's device tests", 60, programs::device_tests),
    scenario("the safe crate's device tests on tight limits", 60, programs::tight_device_tests),
    scenario("unplug under load", 40, going::unplug),
    scenario("reset under load", 40, going::reset),
    scenario("SIGKILL with work in flight", 30, going::killed),
    scenario("removal right after SIGKILL", 30, going::killed_and_removed),
    scenario("cards come and go in a storm", 40, going::storm),
    scenario("Q4_K products by the Rust trait", 20, llama::rust_trait),
    scenario("llama.cpp's own test of backends", 120, llama::products),
    scenario("llama.cpp's own test of backends on tight limits", 60, llama::tight_products),
    scenario("a program of ggml's whose card goes", 60, llama::gone),
    scenario("memory is charged to a cgroup, and its limit is heeded", 40, memory::cgroup),
    scenario("memory is where it was after many insertions", 60, memory::insertions),
    scenario("the safe crate beside C", 60, measured),
    scenario("the conformance suite, 64 bits", 420, programs::conformance),
    scenario("the conformance suite, 32 bits", 420, programs::conformance_32),
];

fn measured() {
    crate::measured::measure();
}

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
    leave_the_reason();
    (scenario.run)();
    ExitCode::SUCCESS
}

/// From here on, a panic of this process is the reason why its scenario fails.
pub(crate) fn leave_the_reason() {
    panic::set_hook(Box::new(|info| {
        // The first reason: what fails after it fails because of it.
        let open = OpenOptions::new().write(true).create_new(true).open(REASON);
        if let Ok(mut file) = open {
            let _ = write!(file, "{info}");
        }
        eprintln!("{info}");
    }));
}
