// SPDX-License-Identifier: Apache-2.0
//! How long a newcomer waits: an empty crate that depends on spanker, built with nothing built
//! before, beside crates of the same kind.

mod project;

use crate::machine::Watch;
use crate::report::{ColdBuild, Format, Record, Report};
use crate::statistics::Sorted;
use crate::Error;
use clap::Args;
use project::Project;
use std::num::NonZeroUsize;
use std::path::Path;

#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) format: Format,
    /// Builds of each [default: 3, or 1 with --quick].
    #[arg(long)]
    rounds: Option<NonZeroUsize>,
    /// The crates beside spanker, by name.
    #[arg(long, value_delimiter = ',', default_value = "kvm-ioctls,gpiocdev,drm,userfaultfd")]
    beside: Vec<String>,
}

/// Measures and reports. What cannot be built here is named as missing.
///
/// # Errors
/// If spanker itself cannot be built.
pub(crate) fn run(arguments: &Arguments, report: &mut Report) -> Result<(), Error> {
    let spanker = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spanker").canonicalize()?;
    let with = |features: &str| format!("spanker = {{ path = {spanker:?}{features} }}\n");
    let off = ", default-features = false";
    let [soft, bindgen] =
        ["soft", "bindgen"].map(|feature| format!("{off}, features = [{feature:?}]"));
    let mut projects = vec![
        Project::new("spanker", "libclang there", &with(""))?.with_libclang(),
        Project::new("spanker", "libclang not there", &with(""))?.without_libclang(),
        Project::new("spanker", "soft only", &with(&soft))?,
        Project::new("spanker", "driver only", &with(off))?,
        Project::new("spanker", "driver only, bindgen", &with(&bindgen))?.with_libclang(),
    ];
    for name in &arguments.beside {
        projects.push(Project::new(name, "", &format!("{name} = \"*\"\n"))?);
    }

    let usual = if arguments.format.quick { 1 } else { 3 };
    let rounds = arguments.rounds.map_or(usual, NonZeroUsize::get);
    let watch = Watch::start();
    let mut builds: Vec<(Project, Vec<f64>)> = Vec::new();
    for project in projects {
        eprintln!("fetching what {} needs", project.title());
        match project.fetch() {
            Ok(()) => builds.push((project, Vec::new())),
            Err(error) => missing(&project, &error, report)?,
        }
    }
    for round in 1..=rounds {
        for (mut project, mut times) in std::mem::take(&mut builds) {
            eprintln!("building {}, {round} of {rounds}", project.title());
            match project.build() {
                Ok(seconds) => {
                    times.push(seconds);
                    builds.push((project, times));
                }
                Err(error) => missing(&project, &error, report)?,
            }
        }
    }
    let machine = watch.stop();
    for (project, times) in builds {
        let times = Sorted::new(times).ok_or("no builds")?;
        report.add(Record::Build(ColdBuild {
            kernel: project.name.clone(),
            mode: project.mode.clone(),
            version: project.version.clone(),
            crates: project.crates,
            seconds_best: times.least(),
            seconds_median: times.median(),
            runs: times.count(),
            machine: machine.clone(),
        }))?;
    }
    Ok(())
}

fn missing(project: &Project, error: &Error, report: &mut Report) -> Result<(), Error> {
    let (peer, reason) = (project.title(), error.to_string());
    eprintln!("missing: {peer}: {reason}");
    report.add(Record::Missing { peer, reason })
}
