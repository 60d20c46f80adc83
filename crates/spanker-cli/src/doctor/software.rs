// SPDX-License-Identifier: Apache-2.0
//! What software Sails have to work with, and what the environment says.

use super::finding::Finding;
use super::host::Host;
use spanker::{SailName, SAIL_VARIABLE};
use spanker_soft::{CpuEngine, FaultPlan, FAULTS_VARIABLE, THREADS_VARIABLE};
use std::num::NonZeroUsize;
use std::thread;

pub(super) fn examine(host: &Host, findings: &mut Vec<Finding>) {
    findings.push(cpu(&CpuEngine::kernels(), CpuEngine::new().kernel()));
    findings.push(threads(host));
    findings.push(sail_variable(host));
    findings.extend(faults(host));
}

fn faults(host: &Host) -> Option<Finding> {
    let plan = host.variable(FAULTS_VARIABLE)?.to_string_lossy();
    let finding = match plan.parse::<FaultPlan>() {
        Ok(_) => Finding::note(
            "faults",
            format!("{FAULTS_VARIABLE} is {plan:?}: software Sails fail on purpose where it says."),
        ),
        Err(error) => Finding::problem(
            "faults",
            format!("{FAULTS_VARIABLE} is {plan:?}: {error}. No software Sail opens."),
        ),
    };
    Some(finding.remedy(format!("Unless you are testing: unset {FAULTS_VARIABLE}")))
}

fn cpu(kernels: &[&str], best: &str) -> Finding {
    let found = format!(
        "Software Sails compute with the kernel {best}; this CPU can run: {}.",
        kernels.join(", ")
    );
    if kernels.len() > 1 {
        Finding::ok("cpu", found)
    } else {
        Finding::note(
            "cpu",
            format!("{found} It is slow, and there is no faster one for this CPU."),
        )
    }
}

fn threads(host: &Host) -> Finding {
    let processors = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let Some(value) = host.variable(THREADS_VARIABLE) else {
        return Finding::ok(
            "threads",
            format!("Software Sails compute with {processors} threads, one for each processor."),
        );
    };
    let text = value.to_string_lossy();
    match text.parse::<NonZeroUsize>() {
        Ok(threads) if threads.get() > processors => Finding::note(
            "threads",
            format!(
                "{THREADS_VARIABLE} is {threads}, and there are {processors} processors: more \
                 threads than those make it slower."
            ),
        )
        .remedy(format!("unset {THREADS_VARIABLE}")),
        Ok(threads) => Finding::ok(
            "threads",
            format!("{THREADS_VARIABLE} is {threads}: so many threads compute, of {processors} processors."),
        ),
        Err(_) => Finding::problem(
            "threads",
            format!("{THREADS_VARIABLE} is {text:?}, which is not a positive number: no software Sail opens."),
        )
        .remedy(format!("unset {THREADS_VARIABLE}, or set it to {processors}")),
    }
}

fn sail_variable(host: &Host) -> Finding {
    let Some(value) = host.variable(SAIL_VARIABLE) else {
        return Finding::ok(
            "environment",
            format!(
                "{SAIL_VARIABLE} is not set: programs get the first card, else a software Sail."
            ),
        );
    };
    let text = value.to_string_lossy();
    match text.parse::<SailName>() {
        Ok(SailName::Software) => Finding::ok(
            "environment",
            format!("{SAIL_VARIABLE} is soft: programs get a software Sail."),
        ),
        Ok(name) => Finding::ok(
            "environment",
            format!("{SAIL_VARIABLE} is {name}: programs get this card, or none."),
        ),
        Err(error) => Finding::problem("environment", format!("{SAIL_VARIABLE}: {error}."))
            .remedy(format!("unset {SAIL_VARIABLE}")),
    }
}
